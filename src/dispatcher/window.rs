//! A platform's reply window: until when a customer may be answered, who is reminded of it, and what waits when it is
//! too late.

use frontdesk_core::{Content, DeliveryState, Inbound, PlatformUser};
use jiff::{SignedDuration, Timestamp};

use super::{Draft, Policy, automatic, draft::customer, later, settled};
use crate::{
    desk::{self, Window},
    store::{
        Author, ChangeKind, Conversation, ConversationState, Decision, Identity, MessageRecord, Purpose, Silence,
        Timer, TimerKind,
    },
};

/// Operators are reminded this long before the window closes; of a short window, when a quarter of it is left.
const LEAD: SignedDuration = SignedDuration::from_hours(1);

/// For how long after their last message a customer of this channel may be answered; `None`: always.
pub(super) fn length(policy: &Policy, identity: &Identity) -> Option<SignedDuration> {
    let window = policy.channels.get(&identity.channel)?.reply_window?;
    Some(SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX))
}

pub(super) fn of(policy: &Policy, identity: &Identity) -> Window {
    match (length(policy, identity), identity.heard_at) {
        (None, _) => Window::Always,
        (Some(window), Some(heard)) => Window::Until(later(heard, window)),
        (Some(_), None) => Window::Closed,
    }
}

/// The customer wrote: that opens the window, at the platform's time.
pub(super) fn heard(draft: &mut Draft<'_>, inbound: &Inbound) {
    let sent = inbound.sent_at.map_or(draft.at, |sent| sent.min(draft.at));
    let Some(identity) = &mut draft.case.identity else { return };
    if length(draft.policy, identity).is_some() {
        identity.heard_at = identity.heard_at.max(Some(sent));
    }
}

/// What waited may go, and somebody should answer before it is too late again.
pub(super) fn opened(draft: &mut Draft<'_>) {
    let Some(identity) = &draft.case.identity else { return };
    let Window::Until(until) = of(draft.policy, identity) else { return };
    if until > draft.now {
        draft.out.opened = Some(identity.id);
    }
    if let Some(due) = reminder_due(draft)
        && draft.case.conversation.as_ref().is_some_and(|conversation| conversation.reminder.is_none())
    {
        remind_at(draft, due);
    }
}

fn reminder_due(draft: &Draft<'_>) -> Option<Timestamp> {
    let identity = draft.case.identity.as_ref()?;
    let (window, Window::Until(until)) = (length(draft.policy, identity)?, of(draft.policy, identity)) else {
        return None;
    };
    Some(until.checked_sub(LEAD.min(window / 4)).unwrap_or(until))
}

fn remind_at(draft: &mut Draft<'_>, due: Timestamp) {
    let Some(id) = draft.case.conversation.as_ref().map(|conversation| conversation.id) else { return };
    let timer = draft.timer(TimerKind::Window, due, id);
    if let Some(conversation) = &mut draft.case.conversation {
        conversation.reminder = Some(timer);
    }
}

/// The window is about to close: said once, when the customer still waits.
pub(super) fn due(mut draft: Draft<'_>, timer: &Timer) -> Decision {
    draft.at = draft.now;
    let reminder = draft.case.conversation.as_mut().and_then(|it| it.reminder.take_if(|id| *id == timer.id));
    let (Some(_), Some(due)) = (reminder, reminder_due(&draft)) else { return draft.finish() };
    if due > draft.now {
        // They have written since, so there is more time.
        remind_at(&mut draft, due);
        return draft.finish();
    }
    if let (Some(identity), Some(conversation)) = (&draft.case.identity, &draft.case.conversation)
        && let Window::Until(until) = of(draft.policy, identity)
        && waits(conversation)
        && !draft.blocked()
    {
        let (name, timezone) = (desk::name(identity), draft.policy.timezone());
        let line = if until > draft.now {
            desk::closes_soon(&name, until, timezone)
        } else {
            desk::closed_unanswered(&name, until, timezone)
        };
        draft.tell(line, Purpose::Reply, None);
    }
    draft.finish()
}

fn waits(conversation: &Conversation) -> bool {
    let open = conversation.state == ConversationState::Open;
    open && conversation.waiting_since.is_some() && conversation.held.is_empty()
}

/// An answer was written, and it is too late for it: it waits, and whoever wrote it is told. Whether that is so.
pub(super) fn too_late(draft: &mut Draft<'_>, message: &MessageRecord) -> bool {
    let closed = draft.window_is_closed();
    if closed {
        waits_for_them(draft, message);
    }
    closed
}

/// The platform did not take an answer, or did not deliver it: it waits, and the customer waits as before.
pub(super) fn kept_back(draft: &mut Draft<'_>, message: &MessageRecord) {
    draft.change(ChangeKind::Delivery { delivery: DeliveryState::WindowClosed });
    waits_for_them(draft, message);
    settled::wait_again(draft, message);
}

fn waits_for_them(draft: &mut Draft<'_>, message: &MessageRecord) {
    let Some(identity) = draft.case.identity.clone() else { return };
    let Some(conversation) = &mut draft.case.conversation else { return };
    if conversation.held.contains(&message.key) {
        return;
    }
    let first = conversation.held.is_empty();
    conversation.held.push(message.key);
    let excess = conversation.held.len().saturating_sub(Conversation::UNDELIVERED);
    conversation.held.drain(..excess);
    if conversation.blocked.is_none() {
        conversation.state = ConversationState::Open;
        conversation.idle = None;
    }
    let window = length(draft.policy, &identity).unwrap_or_default();
    let name = desk::name(&identity);
    let line = match first {
        true => desk::held(&name, window, draft.policy.conversations.give_up_after),
        false => desk::held_too(&name),
    };
    draft.tell(line, Purpose::Failure, operator(message));
}

fn operator(message: &MessageRecord) -> Option<PlatformUser> {
    match &message.author {
        Author::Operator { id, .. } => Some(id.clone()),
        Author::Customer | Author::Note { .. } | Author::Business | Author::Automatic { .. } | Author::Program => None,
    }
}

/// A message does not wait any more, however that ended. Whether it had waited.
pub(super) fn waits_no_more(draft: &mut Draft<'_>, message: &MessageRecord) -> bool {
    let Some(conversation) = &mut draft.case.conversation else { return false };
    let before = conversation.held.len();
    conversation.held.retain(|held| *held != message.key);
    before != conversation.held.len()
}

/// What waited has gone out. What the customer wrote after it is still to be answered.
pub(super) fn went_out(draft: &mut Draft<'_>, message: &MessageRecord) {
    let words = desk::excerpt(&message.current().readable());
    draft.tell(desk::sent_now(&words), Purpose::Reply, None);
    let Some(conversation) = &mut draft.case.conversation else { return };
    if conversation.last_customer_at <= message.at {
        draft.at_rest();
    } else if conversation.waiting_since.is_some() {
        conversation.waiting_since = Some(conversation.last_customer_at);
    }
}

/// The platform took a message, and says later that the window had closed: it has certainly not arrived.
pub(super) fn closed_behind(draft: &mut Draft<'_>, message: &MessageRecord) {
    let sent = message.changes.iter().rev().find(|change| match &change.what {
        ChangeKind::Delivery { delivery } => *delivery == DeliveryState::Sent,
        ChangeKind::Edited { .. } | ChangeKind::Deleted | ChangeKind::Uncertain => false,
    });
    let sent = sent.map_or(message.at, |change| change.at);
    if let Some(identity) = &mut draft.case.identity {
        identity.heard_at = identity.heard_at.filter(|heard| *heard > sent);
    }
    match &message.author {
        Author::Operator { .. } => again(draft, message),
        Author::Automatic { kind } => {
            draft.change(ChangeKind::Delivery { delivery: DeliveryState::WindowClosed });
            automatic::unsaid(draft, *kind, Silence::Refused);
        }
        Author::Customer | Author::Note { .. } | Author::Business | Author::Program => {}
    }
}

fn again(draft: &mut Draft<'_>, message: &MessageRecord) {
    if message.is_deleted() {
        return;
    }
    if let Some(conversation) = &mut draft.case.conversation {
        conversation.last_sent_at = conversation.last_sent_at.filter(|sent| *sent != message.at);
    }
    let Some(pieces) = missing_pieces(draft, message) else {
        draft.change(ChangeKind::Delivery { delivery: DeliveryState::WindowClosed });
        settled::failed(draft, message, None, desk::WINDOW_CLOSED);
        return;
    };
    let Some(target) = draft.case.identity.as_ref().map(customer) else { return };
    draft.post_pieces(&target, Purpose::Answer, pieces, message, draft.case.piece.is_some());
    settled::goes_by_itself(draft, message);
    if draft.window_is_closed() {
        kept_back(draft, message);
    } else {
        draft.change(ChangeKind::Delivery { delivery: DeliveryState::WindowClosed });
        draft.tell(desk::AGAIN_AFTER_ALL, Purpose::Reply, operator(message));
    }
}

/// What of an answer did not arrive: all of it, or the piece that the state is about. `None` when it cannot be told.
fn missing_pieces(draft: &Draft<'_>, message: &MessageRecord) -> Option<Vec<Content>> {
    if message.template.is_some() {
        return None;
    }
    let pieces = pieces(draft, message)?;
    match draft.case.piece {
        None if pieces.len() == 1 => Some(pieces),
        None => None,
        Some(mark) => pieces.into_iter().find(|piece| crate::store::PieceMark::of(piece) == mark).map(|it| vec![it]),
    }
}

/// An answer as it goes out.
pub(super) fn pieces(draft: &Draft<'_>, message: &MessageRecord) -> Option<Vec<Content>> {
    let target = customer(draft.case.identity.as_ref()?);
    Some(draft.answered_with(&target, message, message.current()))
}
