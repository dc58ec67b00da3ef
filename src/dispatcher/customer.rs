//! What customers do.

use frontdesk_core::{Address, ChannelId, ChatId, Content, DeskName, Event, Inbound, Message, PlatformUser, Style};
use jiff::{SignedDuration, Timestamp};

use super::{Draft, automatic, delivery, draft::thread, window};
use crate::{
    desk,
    store::{
        Author, Blocked, Change, ChangeKind, Contact, Conversation, ConversationId, ConversationState, Decision,
        Former, Identity, Mark, MessageRecord, MessageRef, Place, Purpose, RowOp, Silence,
    },
};

/// How long an echo waits for the name of what we sent.
const UNRECORDED: SignedDuration = SignedDuration::from_secs(10);

pub(super) fn decide(mut draft: Draft<'_>, channel: &ChannelId, inbound: &Inbound) -> Decision {
    match &inbound.event {
        Event::Message(message) => said(&mut draft, channel, inbound, message),
        Event::Echo(_) if draft.case.ours => return draft.nothing(),
        Event::Echo(_) if may_be_ours(&draft) => return draft.park(),
        Event::Echo(message) => answered_elsewhere(&mut draft, channel, inbound, message),
        Event::Edited { id, content, .. } => {
            let what = ChangeKind::Edited { content: content.clone() };
            changed(&mut draft, channel, inbound, id.clone(), what);
        }
        Event::Deleted { ids } => {
            for id in ids {
                changed(&mut draft, channel, inbound, id.clone(), ChangeKind::Deleted);
            }
        }
        Event::Reaction { emoji, .. } => reacted(&mut draft, emoji.clone()),
        Event::Started { payload } => started(&mut draft, channel, inbound, payload.clone()),
        Event::Blocked => reachable(&mut draft, false),
        Event::Unblocked => reachable(&mut draft, true),
        Event::Known => known_before(&mut draft, channel, inbound),
        // In the order in which it happened: it was sent, and then it failed.
        Event::Status { .. } if draft.case.outcome_follows => return draft.park(),
        Event::Status { id, state, .. } => delivery::told(&mut draft, inbound, id.as_ref(), state),
        Event::IdentityMoved { from, to } => {
            let at = inbound.sent_at.unwrap_or(draft.at);
            moved(&mut draft, from, to, at);
        }
        Event::ChatMoved { to, .. } => {
            if let Some(identity) = &mut draft.case.identity {
                identity.address = to.clone();
            }
        }
        Event::Member { .. }
        | Event::ThreadGone { .. }
        | Event::Undecryptable { .. }
        | Event::Unread { .. }
        | Event::Unsupported { .. } => {}
    }
    draft.finish()
}

/// Some platforms echo what went out through us, and may be faster than our record of it.
fn may_be_ours(draft: &Draft<'_>) -> bool {
    draft.case.unrecorded && draft.now.duration_since(draft.at) < UNRECORDED
}

fn said(draft: &mut Draft<'_>, channel: &ChannelId, inbound: &Inbound, message: &Message) {
    meet(draft, channel, inbound);
    window::heard(draft, inbound);
    if draft.blocked() {
        held(draft, channel, inbound, message);
        return;
    }
    open_conversation(draft, None);
    let (Some(identity), Some(conversation)) = (draft.case.identity.clone(), draft.case.conversation.clone()) else {
        return;
    };
    let record = their_record(draft, channel, inbound, message, conversation.id);
    let (target, key) = (thread(&conversation), record.key);
    let pieces = draft.relayed(&target, &identity, &record.content, message.forwarded);
    draft.post(&target, Purpose::Relay, pieces, &record);
    draft.out.messages.push(record);

    let at = draft.at;
    if let Some(conversation) = &mut draft.case.conversation {
        conversation.waiting_since.get_or_insert(at);
        conversation.last_customer_at = at;
        conversation.last_words = Some(key);
        conversation.idle = None;
    }
    window::opened(draft);
    automatic::hear(draft, inbound, message);
    automatic::consider(draft, inbound, message);
}

/// A blocked customer wrote: kept, counted on the card, shown to nobody.
fn held(draft: &mut Draft<'_>, channel: &ChannelId, inbound: &Inbound, message: &Message) {
    automatic::blocked(draft);
    let Some(id) = draft.case.conversation.as_ref().map(|conversation| conversation.id) else { return };
    let record = their_record(draft, channel, inbound, message, id);
    let (at, key) = (draft.at, record.key);
    draft.out.messages.push(record);
    let Some(conversation) = &mut draft.case.conversation else { return };
    conversation.last_customer_at = at;
    conversation.last_words = Some(key);
    if let Some(blocked) = &mut conversation.blocked {
        blocked.messages += 1;
        blocked.first_at.get_or_insert(at);
        blocked.latest.push(key);
        let excess = blocked.latest.len().saturating_sub(Blocked::KEPT);
        blocked.latest.drain(..excess);
    }
}

/// The message for the history, as it is by now: a change of it may have been faster.
fn their_record(
    draft: &mut Draft<'_>,
    channel: &ChannelId,
    inbound: &Inbound,
    message: &Message,
    conversation: ConversationId,
) -> MessageRecord {
    let content = arrived(draft, &message.content);
    let source = MessageRef { place: Place::of(channel, &inbound.at), id: message.id.clone() };
    let mut record = draft.record(conversation, Author::Customer, content, Some(source));
    record.sent_at = inbound.sent_at;
    record.reply_to = draft.case.message.as_ref().map(|message| message.key);
    if let Some(mark) = draft.case.mark.take() {
        record.changes.push(Change { at: mark.at, what: mark.what });
    }
    record
}

/// Knows the person from now on, and what the platform says of them now.
fn meet(draft: &mut Draft<'_>, channel: &ChannelId, inbound: &Inbound) {
    let mut name = String::new();
    if draft.case.contact.is_none() {
        draft.out.ids.contact.0 += 1;
        let known = draft.case.known.take();
        draft.case.contact = Some(Contact {
            id: draft.out.ids.contact,
            identities: Vec::new(),
            first_heard_at: draft.at,
            acknowledged_at: known.as_ref().map(|known| known.at),
            human_at: None,
            notice_at: None,
            automatic: Vec::new(),
            language: known.as_ref().and_then(|known| known.language.clone()),
            detected: None,
            blocked: false,
        });
        if let Some(known) = known {
            draft.silent(crate::notices::Kind::FirstContact, Silence::KnownBefore);
            name = known.name.unwrap_or_default();
        }
    }
    let Some(contact) = &mut draft.case.contact else { return };
    let person = &inbound.from;
    let identity = draft.case.identity.get_or_insert_with(|| {
        draft.out.ids.identity.0 += 1;
        contact.identities.push(draft.out.ids.identity);
        Identity {
            id: draft.out.ids.identity,
            contact: contact.id,
            channel: channel.clone(),
            user: person.id.clone(),
            address: inbound.at.clone(),
            name,
            first_name: None,
            username: None,
            language: None,
            unreachable: false,
            conversation: None,
            origin: None,
            heard_at: None,
            former: Vec::new(),
        }
    });
    if person.aliases.iter().any(|name| name == identity.user.as_str()) {
        // Known by their number until now: from now on by the id that stays theirs when the number goes to somebody else.
        identity.user = person.id.clone();
    }
    // What comes late under a name that they gave up says nothing of where they are now.
    if identity.user == person.id {
        identity.address = inbound.at.clone();
    }
    if !person.name.is_empty() {
        identity.name.clone_from(&person.name);
    }
    identity.first_name.clone_from(&person.first_name);
    identity.username.clone_from(&person.username);
    identity.language = person.language.clone().or(identity.language.take());
    identity.unreachable = false;
}

/// The message as it is by now: an edit may have been faster.
fn arrived(draft: &Draft<'_>, content: &Content) -> Content {
    match draft.case.mark.as_ref().map(|mark| &mark.what) {
        Some(ChangeKind::Edited { content }) => content.clone(),
        Some(ChangeKind::Deleted) => Content::text("(deleted by the customer)"),
        Some(ChangeKind::Delivery { .. } | ChangeKind::Uncertain) | None => content.clone(),
    }
}

/// The running conversation, the one that was closed a little while ago, or a new one with a card: there, when `asked_by`
/// an operator at a desk, else at the desk for everybody who writes.
pub(super) fn open_conversation(draft: &mut Draft<'_>, asked_by: Option<&DeskName>) {
    let (at, policy) = (draft.at, draft.policy);
    let reopen = policy.conversations.reopen_within;
    if let Some(conversation) = &mut draft.case.conversation {
        // A desk that is no longer in the config has nobody to read it.
        let has_desk = policy.desk(&conversation.desk).is_some();
        let goes_on = has_desk
            && match &conversation.state {
                ConversationState::Open => true,
                ConversationState::Closed { at: closed, by } => by.is_some() && at.duration_since(*closed) <= reopen,
            };
        if goes_on {
            conversation.state = ConversationState::Open;
            if conversation.thread_lost {
                super::thread::open_again(draft);
            }
            return;
        }
    }
    begin(draft, asked_by);
}

fn begin(draft: &mut Draft<'_>, asked_by: Option<&DeskName>) {
    let before = draft.case.conversation.take();
    let (Some(contact), Some(mut identity)) = (draft.case.contact.as_ref().map(|c| c.id), draft.case.identity.take())
    else {
        return;
    };
    draft.out.ids.conversation.0 += 1;
    let card = draft.next_message();
    let mut conversation = Conversation {
        id: draft.out.ids.conversation,
        identity: identity.id,
        contact,
        desk: asked_by.unwrap_or(&draft.policy.desks[0].name).clone(),
        state: ConversationState::Open,
        opened_at: draft.at,
        previous: before.as_ref().map(|before| before.id),
        waiting_since: asked_by.is_none().then_some(draft.at),
        last_customer_at: draft.at,
        last_human_at: None,
        card,
        card_text: String::new(),
        pending: None,
        idle: None,
        undelivered: Vec::new(),
        taken_by: None,
        origin: identity.origin.take(),
        tags: Vec::new(),
        last_words: None,
        blocked: None,
        thread_lost: false,
        unshown: Vec::new(),
        last_sent_at: None,
        held: Vec::new(),
        reminder: None,
        read_at: None,
    };
    let window = window::of(draft.policy, &identity);
    conversation.card_text = desk::card(&conversation, &identity, window, draft.policy.timezone());
    identity.conversation = Some(conversation.id);

    let content = Content::text(&conversation.card_text);
    draft.out.messages.push(MessageRecord {
        key: card,
        conversation: conversation.id,
        author: Author::Program,
        at: draft.at,
        sent_at: None,
        content: content.clone(),
        reply_to: None,
        source: None,
        changes: Vec::new(),
        template: None,
    });
    let reply_to = before.map(|before| before.card);
    let target = thread(&conversation);
    let op = RowOp::OpenThread { content, reply_to };
    draft.out.rows.push(super::draft::row(target, Purpose::Card, op, Some(conversation.id), Some(card)));
    draft.case.identity = Some(identity);
    draft.case.conversation = Some(conversation);
}

/// The business wrote from elsewhere (the owner's phone): a human answer.
fn answered_elsewhere(draft: &mut Draft<'_>, channel: &ChannelId, inbound: &Inbound, message: &Message) {
    meet(draft, channel, inbound);
    if is_before_their_words(draft, inbound) {
        // It answers none of what waits now; but they know each other.
        let at = draft.at;
        if let Some(contact) = &mut draft.case.contact {
            contact.acknowledged_at.get_or_insert(at);
        }
    } else {
        draft.answered();
    }
    let Some(conversation) = draft.case.conversation.clone() else { return };
    let source = MessageRef { place: Place::of(channel, &inbound.at), id: message.id.clone() };
    let record = draft.record(conversation.id, Author::Business, message.content.clone(), Some(source));
    draft.out.messages.push(record);
    draft.tell(format!("Answered on the phone: {}", message.content.readable()), Purpose::Relay, None);
}

/// Platforms repeat what we could not take in: an echo may come long after what the customer wrote next.
fn is_before_their_words(draft: &Draft<'_>, echo: &Inbound) -> bool {
    let heard = draft.case.identity.as_ref().and_then(|identity| identity.heard_at);
    echo.sent_at.zip(heard).is_some_and(|(sent, heard)| sent < heard)
}

/// An edit or deletion by the customer.
fn changed(
    draft: &mut Draft<'_>,
    channel: &ChannelId,
    inbound: &Inbound,
    id: frontdesk_core::PlatformId,
    what: ChangeKind,
) {
    let (Some(message), Some(identity)) = (draft.case.message.clone(), draft.case.identity.clone()) else {
        let reference = MessageRef { place: Place::of(channel, &inbound.at), id };
        draft.out.mark = Some((reference, Mark::new(draft.at, what)));
        return;
    };
    draft.change(what.clone());
    if draft.blocked() {
        return;
    }
    let Some(target) = draft.case.conversation.as_ref().map(thread) else { return };
    match what {
        ChangeKind::Edited { content } => {
            let text = desk::customers_words(&identity, &content);
            let is_file = draft.has_file_at(&target, &content) || draft.has_file_at(&target, &message.content);
            let can_edit = !is_file && draft.capabilities(&target).is_some_and(|can| can.edit.is_some());
            if can_edit && draft.limit(&target).fits(&text) {
                let op = RowOp::Edit { message: message.key, content: Content::text(text), style: Style::Words };
                draft.push(target, Purpose::Relay, op, message.key);
            } else {
                draft.tell(format!("Changed a message to: {text}"), Purpose::Relay, None);
            }
        }
        ChangeKind::Deleted => {
            let words = desk::excerpt(&message.content.readable());
            let line = match message.author {
                Author::Business => format!("Deleted on the phone: {words}"),
                Author::Customer
                | Author::Operator { .. }
                | Author::Note { .. }
                | Author::Automatic { .. }
                | Author::Program => format!("{} deleted a message: {words}", desk::name(&identity)),
            };
            draft.tell(line, Purpose::Relay, None);
        }
        ChangeKind::Delivery { .. } | ChangeKind::Uncertain => {}
    }
}

fn reacted(draft: &mut Draft<'_>, emoji: Option<String>) {
    if draft.blocked() {
        return;
    }
    let Some((message, conversation)) = draft.case.message.as_ref().zip(draft.case.conversation.as_ref()) else {
        return;
    };
    let (key, target) = (message.key, thread(conversation));
    if draft.capabilities(&target).is_some_and(|can| can.reactions) {
        draft.push(target, Purpose::Relay, RowOp::React { message: key, emoji }, key);
    }
}

fn started(draft: &mut Draft<'_>, channel: &ChannelId, inbound: &Inbound, payload: Option<String>) {
    meet(draft, channel, inbound);
    if let (Some(identity), Some(payload)) = (&mut draft.case.identity, payload) {
        identity.origin = Some(desk::excerpt(&payload));
    }
    automatic::invite(draft, inbound);
}

fn reachable(draft: &mut Draft<'_>, reachable: bool) {
    let Some(identity) = &mut draft.case.identity else { return };
    if identity.unreachable != reachable {
        return;
    }
    identity.unreachable = !reachable;
    let name = desk::name(identity);
    let open = draft.case.conversation.as_ref().is_some_and(|it| it.state == ConversationState::Open);
    if open && !reachable {
        draft.cancel_pending(Silence::Blocked);
        draft.tell(format!("{name} has blocked us: answers cannot reach them for now."), Purpose::Reply, None);
    } else if open {
        draft.tell(format!("{name} can be reached again."), Purpose::Reply, None);
    }
}

/// Heard of before we met: nobody who writes for the first time.
fn known_before(draft: &mut Draft<'_>, channel: &ChannelId, inbound: &Inbound) {
    if draft.case.contact.is_some() {
        return;
    }
    meet(draft, channel, inbound);
    let at = draft.at;
    let Some(contact) = &mut draft.case.contact else { return };
    if contact.acknowledged_at.is_none() {
        contact.acknowledged_at = Some(at);
        draft.silent(crate::notices::Kind::FirstContact, Silence::KnownBefore);
    }
}

/// The person, and where they are written to where that is the same name; the thread stays.
fn moved(draft: &mut Draft<'_>, from: &PlatformUser, to: &PlatformUser, at: Timestamp) {
    let Some(identity) = &mut draft.case.identity else { return };
    identity.former.retain(|former| former.name != to.as_str());
    if from != to && identity.went_by(from.as_str(), at) {
        identity.former.push(Former { name: from.as_str().to_owned(), until: at });
        let excess = identity.former.len().saturating_sub(Identity::FORMER);
        identity.former.drain(..excess);
    }
    if let Address::Chat { chat, .. } = &mut identity.address
        && chat.as_str() == from.as_str()
    {
        *chat = ChatId::from(to.as_str());
    }
    identity.user = to.clone();
}
