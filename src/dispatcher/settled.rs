//! What became of a send.

use frontdesk_core::{Content, DeliveryState, DeskName, Signal};
use jiff::SignedDuration;

use super::{Draft, automatic, draft::thread, later, window};
use crate::{
    desk,
    store::{
        Author, ChangeKind, Conversation, ConversationState, Decision, MessageRecord, Outcome, PieceMark, Place,
        Purpose, RowOp, Settled, Silence, Target, Undelivered, Verb,
    },
};

/// Why something was not sent, when the owner dropped it.
const DROPPED: &str = "the owner took it out of the queue.";
/// News of a desk that is out of reach is stale after this.
const STALE: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn decide(mut draft: Draft<'_>, settled: &Settled) -> Decision {
    if settled.outcome == Outcome::Dropped {
        dropped(&mut draft, settled);
        return draft.finish();
    }
    if let (Target::Thread(_, desk) | Target::Desk(desk), Outcome::Delayed { reason }) =
        (&settled.target, &settled.outcome)
    {
        tell_other_desks(&mut draft, desk, reason);
        return draft.finish();
    }
    match settled.purpose {
        Purpose::Answer => answer(&mut draft, settled),
        Purpose::Automatic(kind) => match &settled.outcome {
            // A report of the platform may have been faster.
            Outcome::Sent { .. } if draft.case.message.as_ref().is_some_and(|it| it.delivery().is_some()) => {}
            Outcome::Sent { .. } => {
                if let Some(message) = &draft.case.message {
                    let line = automatic::said_line(&message.content);
                    draft.tell(line, Purpose::Reply, None);
                }
                draft.change(ChangeKind::Delivery { delivery: DeliveryState::Sent });
            }
            Outcome::Expired => automatic::unsaid(&mut draft, kind, Silence::Expired),
            Outcome::Answered => automatic::unsaid(&mut draft, kind, Silence::Answered),
            Outcome::Blocked => automatic::unsaid(&mut draft, kind, Silence::Blocked),
            Outcome::HoursChanged => automatic::unsaid(&mut draft, kind, Silence::HoursChanged),
            Outcome::Failed { .. } => automatic::unsaid(&mut draft, kind, Silence::Refused),
            Outcome::Superseded
            | Outcome::Dropped
            | Outcome::TakenBack
            | Outcome::Held { .. }
            | Outcome::Delayed { .. } => {}
            Outcome::Uncertain { .. } if draft.case.message.as_ref().is_some_and(|it| it.delivery().is_some()) => {}
            Outcome::Uncertain { .. } => {
                draft.silent(kind, Silence::Uncertain);
                draft.change(ChangeKind::Uncertain);
            }
        },
        // A failure notice never causes one.
        Purpose::Relay => relay(&mut draft, settled),
        Purpose::Card | Purpose::Failure | Purpose::Reply => {}
    }
    draft.finish()
}

/// The owner took it out of the queue: the thread is told, and the history says so.
fn dropped(draft: &mut Draft<'_>, settled: &Settled) {
    let verb = settled.verb;
    match (settled.purpose, verb) {
        (Purpose::Answer, Verb::Post) => {
            let Some(message) = draft.case.message.clone() else { return };
            window::waits_no_more(draft, &message);
            draft.change(ChangeKind::Delivery { delivery: DeliveryState::Failed { reason: DROPPED.to_owned() } });
            failed(draft, &message, settled.piece.clone(), DROPPED);
        }
        (Purpose::Answer, Verb::Edit | Verb::Delete) => {
            let what = if verb == Verb::Delete { "deletion" } else { "change" };
            let operator = draft.case.message.as_ref().and_then(operator);
            draft.tell(format!("The {what} did not reach the customer: {DROPPED}"), Purpose::Failure, operator);
        }
        (Purpose::Automatic(kind), _) => {
            automatic::unsaid(draft, kind, Silence::Dropped);
            draft.change(ChangeKind::Delivery { delivery: DeliveryState::Failed { reason: DROPPED.to_owned() } });
            draft.tell(format!("Not sent automatically: {DROPPED}"), Purpose::Reply, None);
        }
        (Purpose::Relay, Verb::Post) => {
            draft.change(ChangeKind::Delivery { delivery: DeliveryState::Failed { reason: DROPPED.to_owned() } });
            let words = draft.case.message.as_ref().map(|message| desk::excerpt(&message.current().readable()));
            let words = words.unwrap_or_default();
            draft.tell(format!("Not shown here: {DROPPED} It began: {words}"), Purpose::Reply, None);
        }
        (Purpose::Answer, Verb::React)
        | (Purpose::Relay, Verb::Edit | Verb::Delete | Verb::React)
        | (Purpose::Card | Purpose::Failure | Purpose::Reply, Verb::Post | Verb::Edit | Verb::Delete | Verb::React) => {
        }
    }
}

/// Whoever works at another desk can see to it that the customers of this one are not forgotten.
fn tell_other_desks(draft: &mut Draft<'_>, late: &DeskName, reason: &str) {
    let reason = reason.trim_end_matches('.');
    let line = format!("The desk {late} cannot be reached: {reason}. What customers write to it waits until it can.");
    let told = draft.out.rows.len();
    for desk in draft.policy.desks.iter().filter(|desk| desk.name != *late) {
        draft.tell_at(Target::Desk(desk.name.clone()), line.as_str(), Purpose::Failure, None);
    }
    let stale = later(draft.now, STALE);
    draft.out.rows.iter_mut().skip(told).for_each(|row| row.expires_at = Some(stale));
}

/// A customer's change that the desk could not show in its place is shown as a line of its own.
fn relay(draft: &mut Draft<'_>, settled: &Settled) {
    if matches!((&settled.outcome, settled.verb), (Outcome::Sent { .. }, Verb::Post)) {
        unshown(draft);
        return;
    }
    let (Outcome::Failed { .. }, Verb::Edit, Some(message)) = (&settled.outcome, settled.verb, &draft.case.message)
    else {
        return;
    };
    let line = format!("A message was changed to: {}", message.current().readable());
    draft.tell(line, Purpose::Relay, None);
}

/// A customer's file stands at the desk in words: only of such a relay we hear that it was sent.
fn unshown(draft: &mut Draft<'_>) {
    let (Some(message), Some(conversation)) = (&draft.case.message, &mut draft.case.conversation) else { return };
    conversation.unshown.retain(|key| *key != message.key);
    conversation.unshown.push(message.key);
    let excess = conversation.unshown.len().saturating_sub(Conversation::UNDELIVERED);
    conversation.unshown.drain(..excess);
}

fn answer(draft: &mut Draft<'_>, settled: &Settled) {
    let Some(message) = draft.case.message.clone() else { return };
    match settled.verb {
        Verb::Post => posted(draft, settled, &message),
        Verb::Edit => changed(draft, settled, &message, "change"),
        Verb::Delete => changed(draft, settled, &message, "deletion"),
        Verb::React => {
            if let Outcome::Sent { .. } = settled.outcome {
                seen(draft, &message);
            }
        }
    }
}

fn posted(draft: &mut Draft<'_>, settled: &Settled, message: &MessageRecord) {
    let waits_on = matches!(settled.outcome, Outcome::Held { .. } | Outcome::Delayed { .. });
    let had_waited = !waits_on && window::waits_no_more(draft, message);
    match &settled.outcome {
        Outcome::Sent { .. } => {
            arrived(draft, message);
            if had_waited {
                window::went_out(draft, message);
            }
        }
        Outcome::Held { .. } => window::kept_back(draft, message),
        Outcome::TakenBack => {
            let reason = "an operator took it back.".to_owned();
            draft.change(ChangeKind::Delivery { delivery: DeliveryState::Failed { reason } });
        }
        // Nobody wants it any more.
        Outcome::Failed { .. } | Outcome::Superseded if message.is_deleted() => wait_again(draft, message),
        Outcome::Failed { reason } => {
            draft.change(ChangeKind::Delivery { delivery: DeliveryState::Failed { reason: reason.clone() } });
            failed(draft, message, settled.piece.clone(), reason);
        }
        // The platform has said since that it has the message.
        Outcome::Uncertain { .. } if settled.piece.is_none() && is_there(message) => {}
        Outcome::Uncertain { reason } => {
            draft.change(ChangeKind::Uncertain);
            let line = format!(
                "Perhaps not delivered: {reason}. If the customer does not react, !retry sends it again; it may then \
                 reach them twice."
            );
            undelivered(draft, message, settled.piece.clone(), line);
        }
        Outcome::Delayed { reason } => {
            let line = format!("Not delivered yet: {reason} It goes out by itself as soon as that works.");
            draft.tell(line, Purpose::Failure, operator(message));
        }
        Outcome::Expired
        | Outcome::Answered
        | Outcome::Blocked
        | Outcome::HoursChanged
        | Outcome::Superseded
        | Outcome::Dropped => {}
    }
}

/// `what` became of an edit or a deletion of an answer.
fn changed(draft: &mut Draft<'_>, settled: &Settled, message: &MessageRecord, what: &str) {
    match &settled.outcome {
        Outcome::Sent { .. } => seen(draft, message),
        Outcome::Failed { .. } | Outcome::Uncertain { .. } if !may_be_there(message) => {}
        Outcome::Failed { reason } | Outcome::Uncertain { reason } => {
            let line = format!("The {what} did not reach the customer: {reason}");
            draft.tell(line, Purpose::Failure, operator(message));
        }
        // The outbox took a piece for one that was never sent; of this one nobody knows.
        Outcome::Superseded if settled.verb == Verb::Delete && was_uncertain(message) => {
            let line = "The deletion did not reach the customer: a part of the answer may have arrived, and cannot be \
                        found there.";
            draft.tell(line, Purpose::Failure, operator(message));
        }
        Outcome::Expired
        | Outcome::Answered
        | Outcome::Blocked
        | Outcome::HoursChanged
        | Outcome::Superseded
        | Outcome::Dropped
        | Outcome::TakenBack
        | Outcome::Held { .. }
        | Outcome::Delayed { .. } => {}
    }
}

fn was_uncertain(message: &MessageRecord) -> bool {
    message.changes.iter().any(|change| change.what == ChangeKind::Uncertain)
}

/// The platform has an answer.
pub(super) fn arrived(draft: &mut Draft<'_>, message: &MessageRecord) {
    let waits = |it: &Conversation| it.undelivered.iter().any(|it| it.message == message.key);
    let still_missing = draft.case.conversation.as_ref().is_some_and(waits);
    if message.has_failed() && !still_missing {
        // It did arrive in the end: the warning under it goes.
        react(draft, message, None);
    }
    // A report of the platform may have been faster, and say more.
    if !is_there(message) {
        draft.change(ChangeKind::Delivery { delivery: DeliveryState::Sent });
    }
    read_by_us(draft, message);
    if let Some(conversation) = &mut draft.case.conversation {
        conversation.last_sent_at = conversation.last_sent_at.max(Some(message.at));
    }
    seen(draft, message);
}

/// The operator answered what the customer wrote: they have read it.
fn read_by_us(draft: &mut Draft<'_>, message: &MessageRecord) {
    let (Some(conversation), Some(identity)) = (&draft.case.conversation, &draft.case.identity) else { return };
    let since = conversation.last_customer_at;
    let first = conversation.last_sent_at.is_none_or(|sent| sent < since) && message.at >= since;
    let target = super::draft::customer(identity);
    if let Some(source) = draft.case.last_words.as_ref().and_then(|words| words.source.clone()).filter(|_| first) {
        draft.signal(target, Signal::Seen(source.id));
    }
}

fn is_there(message: &MessageRecord) -> bool {
    matches!(message.delivery(), Some(DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read))
}

/// Of what was perhaps not delivered, or had failed, the platform says that it arrived.
pub(super) fn proven(draft: &mut Draft<'_>, message: &MessageRecord) {
    let mark = draft.case.piece;
    let Some(conversation) = &mut draft.case.conversation else { return };
    let missing = |it: &Undelivered| it.message == message.key;
    let before = conversation.undelivered.iter().any(missing);
    conversation.undelivered.retain(|it| {
        let another = it.piece.as_ref().is_some_and(|piece| mark.is_some_and(|mark| PieceMark::of(piece) != mark));
        !missing(it) || another
    });
    let still_missing = conversation.undelivered.iter().any(missing);
    conversation.last_sent_at = conversation.last_sent_at.max(Some(message.at));
    let answers_all = conversation.last_customer_at <= message.at && conversation.undelivered.is_empty();
    if still_missing {
        return;
    }
    if before {
        react(draft, message, None);
        let line = format!("It did arrive: {}", desk::excerpt(&message.current().readable()));
        draft.tell(line, Purpose::Reply, operator(message));
    }
    if answers_all {
        draft.at_rest();
    }
}

/// What was perhaps not delivered, or the piece of it that the state is about, is sent again without being asked for: a
/// `!retry` would send it twice.
pub(super) fn goes_by_itself(draft: &mut Draft<'_>, message: &MessageRecord) {
    let mark = draft.case.piece;
    let Some(conversation) = &mut draft.case.conversation else { return };
    let before = conversation.undelivered.len();
    conversation.undelivered.retain(|it| it.message != message.key || it.piece.as_ref().map(PieceMark::of) != mark);
    let still_missing = conversation.undelivered.iter().any(|it| it.message == message.key);
    if conversation.undelivered.len() < before && !still_missing {
        react(draft, message, None);
    }
}

/// Whether the customer may see the message: then it matters that a change of it did not arrive.
fn may_be_there(message: &MessageRecord) -> bool {
    message.changes.iter().any(|change| match &change.what {
        ChangeKind::Delivery { delivery } => match delivery {
            DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read => true,
            DeliveryState::Failed { .. } | DeliveryState::WindowClosed => false,
        },
        ChangeKind::Uncertain => true,
        ChangeKind::Edited { .. } | ChangeKind::Deleted => false,
    })
}

/// An answer did not go out, or was deleted before anybody saw it: if it was the only one, the customer waits as before.
pub(super) fn wait_again(draft: &mut Draft<'_>, message: &MessageRecord) {
    let Some(conversation) = &mut draft.case.conversation else { return };
    let sent = conversation.last_sent_at.is_some_and(|sent| sent >= conversation.last_customer_at);
    let another = conversation.last_human_at.is_some_and(|human| human > message.at);
    if sent || another || !conversation.has_heard() {
        return;
    }
    conversation.waiting_since.get_or_insert(conversation.last_customer_at);
    conversation.idle = None;
}

/// An answer did not reach the customer: says why, to the operator who wrote it.
pub(super) fn failed(draft: &mut Draft<'_>, message: &MessageRecord, piece: Option<Content>, reason: &str) {
    let line = format!("Not delivered: {reason} (!retry sends it again.)");
    undelivered(draft, message, piece, line);
}

fn undelivered(draft: &mut Draft<'_>, message: &MessageRecord, piece: Option<Content>, line: String) {
    let Some(conversation) = &mut draft.case.conversation else { return };
    if conversation.blocked.is_none() {
        if conversation.has_heard() {
            conversation.waiting_since.get_or_insert(conversation.last_customer_at);
        }
        conversation.idle = None;
        conversation.state = ConversationState::Open;
    }
    let first = !conversation.undelivered.iter().any(|it| it.message == message.key);
    let whole = conversation.undelivered.iter().any(|it| it.message == message.key && it.piece.is_none());
    if !whole {
        // The whole message says its pieces too.
        conversation.undelivered.retain(|it| it.message != message.key || piece.is_some());
        conversation.undelivered.push(Undelivered { message: message.key, piece });
    }
    let excess = conversation.undelivered.len().saturating_sub(Conversation::UNDELIVERED);
    conversation.undelivered.drain(..excess);
    if first {
        react(draft, message, Some("⚠️".to_owned()));
        draft.tell(line, Purpose::Failure, operator(message));
    }
}

fn react(draft: &mut Draft<'_>, message: &MessageRecord, emoji: Option<String>) {
    let Some(target) = draft.case.conversation.as_ref().map(thread) else { return };
    if draft.capabilities(&target).is_some_and(|can| can.reactions) {
        draft.push(target, Purpose::Failure, RowOp::React { message: message.key, emoji }, message.key);
    }
}

/// The operator sees how far their answers have been taken over.
fn seen(draft: &mut Draft<'_>, message: &MessageRecord) {
    let Some(conversation) = &draft.case.conversation else { return };
    if let Some(source) = &message.source
        && matches!(source.place, Place::Desk { .. })
    {
        draft.signal(thread(conversation), Signal::Seen(source.id.clone()));
    }
}

fn operator(message: &MessageRecord) -> Option<frontdesk_core::PlatformUser> {
    match &message.author {
        Author::Operator { id, .. } | Author::Note { id, .. } => Some(id.clone()),
        Author::Customer | Author::Business | Author::Automatic { .. } | Author::Program => None,
    }
}
