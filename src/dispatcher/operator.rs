//! What operators do at a desk: which words go to the customer, and what stays inside.

use frontdesk_core::{Content, DeskName, Event, Inbound, Message, Part, PersonKind, PlatformId, Style, ThreadId};
use jiff::SignedDuration;

use super::{
    Draft, command,
    draft::{customer, thread},
    marks, window,
};
use crate::{
    desk::{self, Command, Said},
    store::{Author, ChangeKind, Decision, Mark, MessageRecord, MessageRef, Place, Purpose, RowOp, Target},
};

/// How long a deletion waits for the name of a card.
const UNRECORDED: SignedDuration = SignedDuration::from_hours(1);
/// A person who writes outside the threads gets a hint no oftener than this.
const HINT_EVERY: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn decide(
    mut draft: Draft<'_>,
    name: &DeskName,
    in_thread: Option<&ThreadId>,
    inbound: &Inbound,
) -> Decision {
    if let Event::ThreadGone { .. } = &inbound.event {
        return super::thread::lost(draft);
    }
    if let Event::Unread { why } = &inbound.event {
        draft.tell_at(Target::Desk(name.clone()), desk::unread(why), Purpose::Failure, None);
        return draft.finish();
    }
    if !may_answer(&draft, name, inbound) {
        return draft.nothing();
    }
    match &inbound.event {
        Event::Message(message) => {
            let unknown = draft.case.conversation.is_none() && (in_thread.is_some() || message.reply_to.is_some());
            if unknown && draft.may_become_known() || waits_for_templates(&mut draft, name, message) {
                return draft.park();
            }
            said(&mut draft, name, in_thread, inbound, message);
        }
        Event::Edited { id, content, notice } if draft.case.message.is_none() => {
            marks::edited(&mut draft, name, inbound, id, content, *notice);
        }
        Event::Edited { content, notice, .. } => edited(&mut draft, inbound, content, *notice),
        Event::Deleted { .. } if may_be_a_card(&draft) => return draft.park(),
        Event::Deleted { .. } if is_card(&draft) => return super::thread::lost(draft),
        Event::Deleted { ids } if draft.case.message.is_none() => marks::deleted(&mut draft, name, inbound, ids),
        Event::Deleted { .. } => deleted(&mut draft, inbound),
        Event::Reaction { emoji, .. } => {
            if draft.case.message.is_none() && draft.may_become_known() {
                return draft.park();
            }
            reacted(&mut draft, emoji.clone());
        }
        Event::Undecryptable { id, .. } => {
            let unknown = draft.case.conversation.is_none() && in_thread.is_some();
            if unknown && draft.may_become_known() {
                return draft.park();
            }
            undecryptable(&mut draft, name, inbound, id);
        }
        Event::Echo(_)
        | Event::Status { .. }
        | Event::Member { .. }
        | Event::IdentityMoved { .. }
        | Event::ChatMoved { .. }
        | Event::ThreadGone { .. }
        | Event::Blocked
        | Event::Unblocked
        | Event::Known
        | Event::Started { .. }
        | Event::Unread { .. }
        | Event::Unsupported { .. } => {}
    }
    draft.finish()
}

/// A template is sent when the list of them was read.
fn waits_for_templates(draft: &mut Draft<'_>, name: &DeskName, message: &Message) -> bool {
    if message.notice || draft.case.conversation.is_none() {
        return false;
    }
    match draft.policy.read(name, &message.content.words()) {
        Said::Command { name, rest } if Command::named(&name) == Some(Command::Template) => {
            command::must_wait(draft, &rest)
        }
        Said::Command { .. } | Said::Note(_) | Said::EmptyNote | Said::Slash | Said::Words => false,
    }
}

/// Whether what was deleted may be a card whose name is not recorded yet. Not for ever: what is parked is looked at again
/// and again.
fn may_be_a_card(draft: &Draft<'_>) -> bool {
    draft.case.message.is_none() && draft.case.unrecorded && draft.now.duration_since(draft.at) < UNRECORDED
}

fn may_answer(draft: &Draft<'_>, name: &DeskName, inbound: &Inbound) -> bool {
    let operators = &draft.desk(name).operators;
    inbound.from.kind == PersonKind::Human && (operators.is_empty() || operators.contains(&inbound.from.id))
}

fn said(draft: &mut Draft<'_>, name: &DeskName, in_thread: Option<&ThreadId>, inbound: &Inbound, message: &Message) {
    if message.notice {
        return;
    }
    let source = MessageRef { place: Place::Desk { desk: name.clone() }, id: message.id.clone() };
    let written = draft.policy.read(name, &message.content.words());
    let Some(message) = &marks::applied(draft, inbound, message) else {
        keep_inside(draft, inbound, message, source);
        return;
    };
    let said = draft.policy.read(name, &message.content.words());
    if draft.case.conversation.is_none() {
        outside(draft, name, in_thread.is_some(), inbound, message, &said);
        return;
    }
    // What was written to stay inside is not sent by an edit, in whichever order the two come.
    if written != Said::Words && said == Said::Words {
        keep_inside(draft, inbound, message, source);
        draft.tell(desk::EDIT_SENDS_NOTHING, Purpose::Reply, Some(inbound.from.id.clone()));
        return;
    }
    // A command that comes to light late is as stale as words are.
    if readable_too_late(draft) && !matches!(said, Said::Note(_)) {
        keep_inside(draft, inbound, message, source);
        let line = format!("{} {}", desk::READABLE_NOW, desk::excerpt(&message.content.words()));
        draft.tell(line, Purpose::Failure, Some(inbound.from.id.clone()));
        return;
    }
    match said {
        Said::Command { name: word, rest } => {
            let is_template = Command::named(&word) == Some(Command::Template);
            if is_template && command::send(draft, inbound, &rest, &source) {
                return;
            }
            keep_inside(draft, inbound, message, source);
            command::run(draft, name, inbound, &word, &rest);
        }
        Said::Note(_) => keep_inside(draft, inbound, message, source),
        Said::EmptyNote => {
            keep_inside(draft, inbound, message, source);
            draft.tell(desk::EMPTY_NOTE, Purpose::Reply, None);
        }
        Said::Slash => {
            keep_inside(draft, inbound, message, source);
            draft.tell(desk::SLASH, Purpose::Reply, None);
        }
        Said::Words if says_nothing(&message.content) => {}
        Said::Words if draft.blocked() => {
            keep_inside(draft, inbound, message, source);
            draft.tell(desk::BLOCKED, Purpose::Failure, Some(inbound.from.id.clone()));
        }
        Said::Words => answer(draft, inbound, message, source),
    }
}

fn says_nothing(content: &Content) -> bool {
    only_text(content) && content.words().trim().is_empty()
}

/// Part of the history, and never of what the customer sees; an edit of it stays inside too.
fn keep_inside(draft: &mut Draft<'_>, inbound: &Inbound, message: &Message, source: MessageRef) {
    let Some(conversation) = draft.case.conversation.as_ref().map(|conversation| conversation.id) else { return };
    let author = Author::Note { id: inbound.from.id.clone(), name: inbound.from.name.clone() };
    let mut record = draft.record(conversation, author, message.content.clone(), Some(source));
    marks::note(draft, &mut record);
    draft.out.messages.push(record);
}

/// The operator was told a while ago that this message could not be decrypted, and may have written it again.
fn readable_too_late(draft: &Draft<'_>) -> bool {
    let told = draft.case.mark.as_ref().and_then(Mark::unreadable_since);
    told.is_some_and(|told| draft.at.duration_since(told) > super::PARKED)
}

/// A human's answer goes out on the app that the customer chose.
fn answer(draft: &mut Draft<'_>, inbound: &Inbound, message: &Message, source: MessageRef) {
    let (Some(identity), Some(conversation)) = (draft.case.identity.clone(), draft.case.conversation.clone()) else {
        return;
    };
    let target = customer(&identity);
    if let Some(reason) = draft.not_carried(&target, &message.content) {
        keep_inside(draft, inbound, message, source);
        draft.tell(format!("Not sent: {reason}"), Purpose::Failure, Some(inbound.from.id.clone()));
        return;
    }
    let author = Author::Operator { id: inbound.from.id.clone(), name: inbound.from.name.clone() };
    let mut record = draft.record(conversation.id, author, message.content.clone(), Some(source));
    record.sent_at = inbound.sent_at;
    marks::note(draft, &mut record);
    record.reply_to = draft.case.message.as_ref().filter(|_| message.reply_to.is_some()).and_then(quotable);
    let pieces = draft.answered_with(&target, &record, &record.content);
    draft.post(&target, Purpose::Answer, pieces, &record);
    let waits = window::too_late(draft, &record);
    draft.out.messages.push(record);
    if !waits {
        draft.answered();
    }
    // Whatever the customer says to it belongs in this thread.
    if let Some(identity) = &mut draft.case.identity {
        identity.conversation = Some(conversation.id);
    }
}

/// What the customer can recognise as quoted: their own words and our answers, never cards and notes.
fn quotable(message: &MessageRecord) -> Option<crate::store::MessageKey> {
    match message.author {
        Author::Customer | Author::Operator { .. } | Author::Business | Author::Automatic { .. } => Some(message.key),
        Author::Note { .. } | Author::Program => None,
    }
}

fn signed(draft: &Draft<'_>, name: &DeskName, operator: &str, text: &str) -> String {
    match &draft.desk(name).sign {
        Some(sign) => format!("{text}\n\n{}", desk::signature(sign, operator)),
        None => text.to_owned(),
    }
}

fn only_text(content: &Content) -> bool {
    content.parts.iter().all(|part| matches!(part, Part::Text { .. }))
}

/// Not in any conversation: a command for the whole desk, or a hint while somebody waits.
fn outside(draft: &mut Draft<'_>, name: &DeskName, in_thread: bool, inbound: &Inbound, message: &Message, said: &Said) {
    let target = Target::Desk(name.clone());
    if let Said::Command { name: word, rest } = said {
        if readable_too_late(draft) {
            let line = format!("{} {}", desk::READABLE_NOW, desk::excerpt(&message.content.words()));
            draft.tell_at(target, line, Purpose::Failure, Some(inbound.from.id.clone()));
        } else if !only_text(&message.content) {
            let line = "Nothing was done: a command here takes words alone. Files go into the customer's thread.";
            draft.tell_at(target, line, Purpose::Reply, Some(inbound.from.id.clone()));
        } else {
            let source = MessageRef { place: Place::Desk { desk: name.clone() }, id: message.id.clone() };
            command::run_outside(draft, name, inbound, word, rest, source);
        }
        return;
    }
    if in_thread {
        draft.tell_at(target, desk::UNKNOWN_THREAD, Purpose::Failure, Some(inbound.from.id.clone()));
        return;
    }
    if hinted_lately(draft) || draft.case.waiting == 0 {
        return;
    }
    draft.out.hinted = Some((name.clone(), inbound.from.id.clone()));
    draft.tell_at(target, desk::OUTSIDE, Purpose::Reply, None);
}

fn hinted_lately(draft: &Draft<'_>) -> bool {
    draft.case.hinted_at.is_some_and(|hinted| draft.at.duration_since(hinted) < HINT_EVERY)
}

fn edited(draft: &mut Draft<'_>, inbound: &Inbound, content: &Content, notice: bool) {
    let kept_inside = matches!(&draft.case.message, Some(MessageRecord { author: Author::Note { .. }, .. }));
    if kept_inside && !notice && desk::read(&content.words()) == Said::Words {
        draft.tell(desk::EDIT_SENDS_NOTHING, Purpose::Reply, Some(inbound.from.id.clone()));
        return;
    }
    let Some((message, operator)) = own_answer(draft).filter(|(_, author)| *author == inbound.from.id) else { return };
    if notice || desk::read(&content.words()) != Said::Words || !only_text(content) {
        let line = "That edit stays inside: the customer keeps the words you sent before.";
        draft.tell(line, Purpose::Reply, Some(operator));
        return;
    }
    if draft.blocked() {
        draft.tell(desk::BLOCKED, Purpose::Reply, Some(operator));
        return;
    }
    let Some(identity) = draft.case.identity.clone() else { return };
    draft.change(ChangeKind::Edited { content: content.clone() });
    let target = customer(&identity);
    let Author::Operator { name, .. } = &message.author else { return };
    let Some(desk) = draft.case.conversation.as_ref().map(|conversation| conversation.desk.clone()) else { return };
    let text = signed(draft, &desk, name, &content.words());
    let is_file = draft.has_file_at(&target, &message.content);
    // What waits has not been seen: it takes the change into itself before it goes.
    let takes_edits = waits(draft, &message) || draft.capabilities(&target).is_some_and(|can| can.edit.is_some());
    let can_edit = !is_file && takes_edits;
    if !can_edit || !draft.limit(&target).fits(&text) || pieces(draft, &target, &message) > 1 {
        let line = "The customer's app cannot show that edit: they keep the words you sent before.";
        draft.tell(line, Purpose::Reply, Some(operator));
        return;
    }
    let op = RowOp::Edit { message: message.key, content: Content::text(text), style: Style::Words };
    draft.push(target, Purpose::Answer, op, message.key);
}

/// The card by the name that it has now.
fn is_card(draft: &Draft<'_>) -> bool {
    let card = draft.case.conversation.as_ref().map(|conversation| conversation.card);
    card.is_some() && draft.case.message.as_ref().map(|message| message.key) == card && !draft.case.former_name
}

/// Whom the room lets delete a message may take the answer back too; its author is told.
fn deleted(draft: &mut Draft<'_>, inbound: &Inbound) {
    let Some((message, operator)) = own_answer(draft) else { return };
    let Some(target) = draft.case.identity.as_ref().map(customer) else { return };
    draft.change(ChangeKind::Deleted);
    let waits = waits(draft, &message);
    if let Some(conversation) = &mut draft.case.conversation {
        conversation.undelivered.retain(|it| it.message != message.key);
        conversation.held.retain(|it| *it != message.key);
    }
    if operator != inbound.from.id {
        let line = format!("{} deleted an answer of yours: it is taken back.", inbound.from.name);
        draft.tell(line, Purpose::Reply, Some(operator.clone()));
    }
    if waits || draft.capabilities(&target).is_some_and(|can| can.delete.is_some()) {
        for piece in 0..pieces(draft, &target, &message) {
            let op = RowOp::Delete { message: message.key, piece };
            draft.push(target.clone(), Purpose::Answer, op, message.key);
        }
    } else {
        let line = "The customer's app cannot delete what was sent: they still see it.";
        draft.tell(line, Purpose::Reply, Some(operator));
    }
}

/// A reaction to a customer's words shows in their app; one on a card or a note stays inside.
fn reacted(draft: &mut Draft<'_>, emoji: Option<String>) {
    let Some(message) = draft.case.message.as_ref().filter(|message| message.author == Author::Customer) else {
        return;
    };
    let (key, Some(target)) = (message.key, draft.case.identity.as_ref().map(customer)) else { return };
    if draft.blocked() {
        draft.tell(desk::BLOCKED, Purpose::Reply, None);
        return;
    }
    if draft.window_is_closed() {
        draft.tell(desk::REACTION_TOO_LATE, Purpose::Reply, None);
        return;
    }
    if draft.capabilities(&target).is_some_and(|can| can.reactions) {
        draft.push(target, Purpose::Answer, RowOp::React { message: key, emoji }, key);
    }
}

/// What cannot be read is never an answer. Its author is told, and a mark remembers it for when it can be read.
fn undecryptable(draft: &mut Draft<'_>, name: &DeskName, inbound: &Inbound, id: &PlatformId) {
    let message = MessageRef { place: Place::Desk { desk: name.clone() }, id: id.clone() };
    draft.out.mark = Some((message, Mark::new(draft.at, ChangeKind::Uncertain)));
    let target = match draft.case.conversation.as_ref().map(thread) {
        Some(target) => target,
        // Outside the threads it may have been an answer, or colleagues among themselves.
        None if hinted_lately(draft) => return,
        None => {
            draft.out.hinted = Some((name.clone(), inbound.from.id.clone()));
            Target::Desk(name.clone())
        }
    };
    draft.tell_at(target, desk::UNDECRYPTABLE, Purpose::Failure, Some(inbound.from.id.clone()));
}

/// Whether an answer waits until the customer writes.
fn waits(draft: &Draft<'_>, message: &MessageRecord) -> bool {
    draft.case.conversation.as_ref().is_some_and(|conversation| conversation.held.contains(&message.key))
}

/// In how many messages an answer went out.
fn pieces(draft: &Draft<'_>, target: &Target, message: &MessageRecord) -> usize {
    draft.answered_with(target, message, &message.content).len()
}

/// The message that is changed, when it is an answer of an operator, and whose.
fn own_answer(draft: &Draft<'_>) -> Option<(MessageRecord, frontdesk_core::PlatformUser)> {
    let message = draft.case.message.clone()?;
    match &message.author {
        Author::Operator { id, .. } => Some((message.clone(), id.clone())),
        Author::Customer | Author::Note { .. } | Author::Business | Author::Automatic { .. } | Author::Program => None,
    }
}
