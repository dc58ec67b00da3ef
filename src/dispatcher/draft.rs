use frontdesk_core::{Address, Content, DeskName, Limit, PlatformUser, Signal, Style, TextUnit};
use jiff::{SignedDuration, Timestamp};

use super::{Desk, Policy, later, window};
use crate::{
    desk,
    hours::Override,
    notices::Kind,
    store::{
        Author, Case, Change, ChangeKind, Contact, Conversation, ConversationId, ConversationState, Decision,
        HoldReason, Identity, InboxRow, LedgerEntry, MessageKey, MessageRecord, MessageRef, NewRow, Purpose, RowOp,
        Shown, Silence, Target, Timer, TimerKind, Verdict,
    },
};

/// A decision in the making: the case as it will be, and what has to be sent.
pub(super) struct Draft<'a> {
    pub policy: &'a Policy,
    /// The stamp: when the fact came in. For a timer: now.
    pub at: Timestamp,
    pub now: Timestamp,
    pub case: Case,
    /// What operators set with `!hours`, by now.
    pub overrides: Vec<Override>,
    pub out: Decision,
    message_changed: bool,
}

impl<'a> Draft<'a> {
    pub fn new(policy: &'a Policy, case: Case, row: &InboxRow, now: Timestamp) -> Self {
        let out = Decision { ids: case.ids, ..Decision::default() };
        let overrides = case.hours.overrides();
        Self { policy, at: row.at, now, case, overrides, out, message_changed: false }
    }

    /// The decision, with the case as it is now.
    pub fn finish(mut self) -> Decision {
        self.refresh_card();
        self.out.identity = self.case.identity;
        self.out.contact = self.case.contact;
        self.out.conversations.extend(self.case.conversation);
        if self.message_changed {
            self.out.messages.extend(self.case.message);
        }
        self.out
    }

    /// The fact is none of ours.
    pub fn nothing(self) -> Decision {
        Decision { ids: self.case.ids, ..Decision::default() }
    }

    /// Nothing is carried out; the fact comes back when a name becomes known, or later.
    pub fn park(self) -> Decision {
        Decision { park: true, ids: self.case.ids, templates: self.out.templates, ..Decision::default() }
    }

    /// Whether something that names an unknown message should still wait for it.
    pub fn may_become_known(&self) -> bool {
        self.now.duration_since(self.at) < super::PARKED || self.case.unrecorded
    }

    pub fn desk(&self, name: &DeskName) -> &'a Desk {
        self.policy.desk(name).unwrap_or(&self.policy.desks[0])
    }

    pub fn next_message(&mut self) -> MessageKey {
        self.out.ids.message.0 += 1;
        self.out.ids.message
    }

    /// Adds a message to the history of a conversation.
    pub fn record(
        &mut self,
        conversation: ConversationId,
        author: Author,
        content: Content,
        source: Option<MessageRef>,
    ) -> MessageRecord {
        MessageRecord {
            key: self.next_message(),
            conversation,
            author,
            at: self.at,
            sent_at: None,
            content,
            reply_to: None,
            source,
            changes: Vec::new(),
            template: None,
        }
    }

    pub fn change(&mut self, what: ChangeKind) {
        let at = self.at;
        if let Some(message) = &mut self.case.message {
            message.changes.push(Change { at, what });
            let excess = message.changes.len().saturating_sub(MessageRecord::CHANGES);
            message.changes.drain(..excess);
            self.message_changed = true;
        }
    }

    pub fn timer(&mut self, kind: TimerKind, due: Timestamp, conversation: ConversationId) -> crate::store::TimerId {
        self.out.ids.timer.0 += 1;
        let id = self.out.ids.timer;
        self.out.timers.push(Timer { id, due, kind, conversation });
        id
    }

    pub fn ledger(&mut self, kind: Kind, verdict: Verdict) {
        if let Some(contact) = &self.case.contact {
            let conversation = self.case.conversation.as_ref().map(|conversation| conversation.id);
            self.out.ledger.push(LedgerEntry { contact: contact.id, conversation, at: self.at, kind, verdict });
        }
    }

    pub fn silent(&mut self, kind: Kind, reason: Silence) {
        self.ledger(kind, Verdict::Silent { reason });
    }

    /// What the program says in the conversation's thread; notifies only the person named.
    pub fn tell(&mut self, text: impl Into<String>, purpose: Purpose, mention: Option<PlatformUser>) {
        let Some(target) = self.case.conversation.as_ref().map(thread) else { return };
        self.tell_at(target, text, purpose, mention);
    }

    pub fn tell_at(
        &mut self,
        target: Target,
        text: impl Into<String>,
        purpose: Purpose,
        mention: Option<PlatformUser>,
    ) {
        let conversation = self.case.conversation.as_ref().map(|conversation| conversation.id);
        let mentions: Vec<_> = mention.into_iter().collect();
        for text in self.split(&target, &text.into()) {
            let op = RowOp::Post {
                content: Content::text(text),
                style: Style::Notice,
                reply_to: None,
                mentions: mentions.clone(),
            };
            self.out.rows.push(row(target.clone(), purpose, op, conversation, None));
        }
    }

    /// Somebody's words, in as many rows as the target's platform needs.
    pub fn post(&mut self, target: &Target, purpose: Purpose, text: &str, message: &MessageRecord) {
        let pieces = self.split(target, text);
        let piece = pieces.len() > 1;
        self.post_pieces(target, purpose, pieces, message, piece);
    }

    /// `piece`: the texts are not the whole message.
    pub fn post_pieces(
        &mut self,
        target: &Target,
        purpose: Purpose,
        pieces: Vec<String>,
        message: &MessageRecord,
        piece: bool,
    ) {
        for (index, text) in pieces.into_iter().enumerate() {
            let op = RowOp::Post {
                content: Content::text(text),
                style: Style::Words,
                reply_to: message.reply_to.filter(|_| index == 0),
                mentions: Vec::new(),
            };
            let mut row = row(target.clone(), purpose, op, Some(message.conversation), Some(message.key));
            row.give_up_at = self.give_up_at(target);
            row.piece = piece;
            row.hold = self.hold(target);
            row.sender = self.sender(&message.author);
            self.out.rows.push(row);
        }
    }

    pub fn sender(&self, author: &Author) -> Option<PlatformUser> {
        match author {
            Author::Customer => self.case.identity.as_ref().map(|identity| identity.user.clone()),
            Author::Operator { id, .. } | Author::Note { id, .. } => Some(id.clone()),
            Author::Business | Author::Automatic { .. } | Author::Program => None,
        }
    }

    /// One change of a message that is already at the target.
    pub fn push(&mut self, target: Target, purpose: Purpose, op: RowOp, message: MessageKey) {
        let conversation = self.case.conversation.as_ref().map(|conversation| conversation.id);
        let mut row = row(target, purpose, op, conversation, Some(message));
        row.give_up_at = self.give_up_at(&row.target);
        self.out.rows.push(row);
    }

    /// What is too late for the customer's reply window waits from the beginning.
    fn hold(&self, target: &Target) -> Option<HoldReason> {
        match target {
            Target::Customer(_) if self.window_is_closed() => Some(HoldReason::WindowClosed),
            Target::Customer(_) | Target::Thread(..) | Target::Desk(_) => None,
        }
    }

    /// Whether the customer's messenger takes no answer before they write again.
    pub fn window_is_closed(&self) -> bool {
        let identity = self.case.identity.as_ref();
        identity.is_some_and(|identity| window::of(self.policy, identity).is_closed(self.now))
    }

    /// Where a person of the case is, or the desk that they are shown at, outside of its threads.
    pub fn signal(&mut self, target: Target, signal: Signal) {
        let (channel, to) = match target {
            Target::Customer(_) => {
                let Some(identity) = &self.case.identity else { return };
                (identity.channel.clone(), identity.address.clone())
            }
            Target::Thread(_, desk) | Target::Desk(desk) => {
                (self.desk(&desk).channel.clone(), Address::Desk { desk, thread: None })
            }
        };
        self.out.signals.push(Shown { channel, to, signal });
    }

    pub fn split(&self, target: &Target, text: &str) -> Vec<String> {
        self.limit(target).split(text)
    }

    pub fn limit(&self, target: &Target) -> Limit {
        self.capabilities(target).map_or(Limit { max: 4000, unit: TextUnit::Bytes }, |can| can.text)
    }

    pub fn capabilities(&self, target: &Target) -> Option<&'a frontdesk_core::Capabilities> {
        let channel = match target {
            Target::Customer(_) => &self.case.identity.as_ref()?.channel,
            Target::Thread(_, desk) | Target::Desk(desk) => &self.desk(desk).channel,
        };
        self.policy.channels.get(channel)
    }

    /// Rows to a desk never expire.
    pub fn give_up_at(&self, target: &Target) -> Option<Timestamp> {
        match target {
            Target::Customer(_) => Some(later(self.at, self.policy.conversations.give_up_after)),
            Target::Thread(..) | Target::Desk(_) => None,
        }
    }

    /// A human of the business has answered.
    pub fn answered(&mut self) {
        let (at, idle_at) = (self.at, later(self.at, self.policy.conversations.close_idle));
        if let Some(contact) = &mut self.case.contact {
            // What was parked is decided late.
            contact.human_at = contact.human_at.max(Some(at));
            contact.acknowledged_at.get_or_insert(at);
        }
        let Some(id) = self.case.conversation.as_ref().map(|conversation| conversation.id) else { return };
        let idle = self.timer(TimerKind::Idle, idle_at, id);
        self.cancel_pending(Silence::Answered);
        if let Some(conversation) = &mut self.case.conversation {
            conversation.waiting_since = None;
            conversation.last_human_at = Some(at);
            conversation.read_at = None;
            // Whom an operator blocked may still be answered on the owner's phone.
            if conversation.blocked.is_none() {
                conversation.state = ConversationState::Open;
                conversation.idle = Some(idle);
            }
        }
    }

    /// We spoke last: the conversation closes when nothing more is said.
    pub fn at_rest(&mut self) {
        let due = later(self.at, self.policy.conversations.close_idle);
        let Some(id) = self.case.conversation.as_ref().map(|conversation| conversation.id) else { return };
        let idle = self.timer(TimerKind::Idle, due, id);
        let Some(conversation) = &mut self.case.conversation else { return };
        conversation.waiting_since = None;
        if conversation.state == ConversationState::Open {
            conversation.idle = Some(idle);
        }
    }

    /// An operator does not want to hear from the customer.
    pub fn blocked(&self) -> bool {
        self.case.contact.as_ref().is_some_and(|contact| contact.blocked)
    }

    pub fn cancel_pending(&mut self, reason: Silence) {
        if let Some(pending) = self.case.conversation.as_mut().and_then(|conversation| conversation.pending.take()) {
            self.silent(pending.kind, reason);
        }
    }

    pub fn close(&mut self, by: Option<String>) {
        self.cancel_pending(Silence::Closed);
        let at = self.at;
        if let Some(conversation) = &mut self.case.conversation {
            conversation.state = ConversationState::Closed { at, by };
            conversation.waiting_since = None;
            conversation.idle = None;
        }
    }

    /// Another conversation of the customer changes with the case's.
    pub fn also(&mut self, conversation: Conversation) {
        let conversation = self.with_card(conversation);
        self.out.conversations.push(conversation);
    }

    fn refresh_card(&mut self) {
        if let Some(conversation) = self.case.conversation.take() {
            self.case.conversation = Some(self.with_card(conversation));
        }
    }

    /// One edit of the card, when it should read otherwise than it does.
    fn with_card(&mut self, conversation: Conversation) -> Conversation {
        let Some(identity) = &self.case.identity else { return conversation };
        let window = window::of(self.policy, identity);
        let text = desk::card(&conversation, identity, window, self.policy.timezone());
        if conversation.card_text == text {
            return conversation;
        }
        let op = RowOp::Edit { message: conversation.card, content: Content::text(text.clone()), style: Style::Notice };
        let id = Some(conversation.id);
        self.out.rows.push(row(thread(&conversation), Purpose::Card, op, id, Some(conversation.card)));
        Conversation { card_text: text, ..conversation }
    }
}

/// How many automatic texts a contact got in the last 24 hours.
pub(super) fn said_today(contact: &Contact, at: Timestamp) -> usize {
    contact.automatic.iter().filter(|sent| at.duration_since(sent.at) < SignedDuration::from_hours(24)).count()
}

pub(super) fn thread(conversation: &Conversation) -> Target {
    Target::Thread(conversation.id, conversation.desk.clone())
}

pub(super) fn customer(identity: &Identity) -> Target {
    Target::Customer(identity.id)
}

pub(super) fn row(
    target: Target,
    purpose: Purpose,
    op: RowOp,
    conversation: Option<ConversationId>,
    message: Option<MessageKey>,
) -> NewRow {
    NewRow {
        target,
        purpose,
        op,
        conversation,
        message,
        sender: None,
        expires_at: None,
        unless_answered: None,
        give_up_at: None,
        piece: false,
        hold: None,
    }
}
