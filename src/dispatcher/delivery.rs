//! What a platform says later about a message of ours: repeated, in any order, and sometimes faster than our own record
//! of the send.

use frontdesk_core::{Content, DeliveryState, Inbound, PlatformId};

use super::{Draft, automatic, settled, window};
use crate::store::{Author, ChangeKind, MessageRecord, MessageRef, PieceMark, Place, Purpose, RowState, Silence};

pub(super) fn told(draft: &mut Draft<'_>, inbound: &Inbound, id: Option<&PlatformId>, state: &DeliveryState) {
    let Some(message) = draft.case.message.clone() else { return };
    let taken = take(draft, id, state);
    name(draft, &message, id, taken);
    // Its row is done, and nothing else will say what became of it.
    let had_waited = taken && window::waits_no_more(draft, &message);
    match state {
        DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read => {
            arrived(draft, &message, state, taken);
            if had_waited {
                window::went_out(draft, &message);
            }
            if *state == DeliveryState::Read {
                read(draft, inbound, &message);
            }
        }
        DeliveryState::Failed { reason } => failed(draft, &message, reason),
        DeliveryState::WindowClosed => {
            let waits = draft.case.conversation.as_ref().is_some_and(|it| it.held.contains(&message.key));
            let known = waits || reached(&message) >= DELIVERED;
            if draft.case.piece.is_some() || !known {
                window::closed_behind(draft, &message);
            }
        }
    }
}

/// The platform has what we were still sending, or meant to send again: the row is done.
fn take(draft: &mut Draft<'_>, id: Option<&PlatformId>, state: &DeliveryState) -> bool {
    let Some(row) = &draft.case.row else { return false };
    let proven = match state {
        DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read => true,
        // What is tried again anyway is tried again.
        DeliveryState::Failed { .. } | DeliveryState::WindowClosed => row.state == RowState::InFlight,
    };
    if proven {
        draft.out.taken = Some((row.number, id.cloned().into_iter().collect()));
    }
    proven
}

/// Of what was uncertain nobody has recorded a name yet.
fn name(draft: &mut Draft<'_>, message: &MessageRecord, id: Option<&PlatformId>, taken: bool) {
    let (Some(id), Some(identity), false) = (id, &draft.case.identity, taken) else { return };
    if message.is_uncertain() {
        let place = Place::of(&identity.channel, &identity.address);
        draft.out.names.push((message.key, MessageRef { place, id: id.clone() }));
    }
}

const SENT: u8 = 1;
const DELIVERED: u8 = 2;
const READ: u8 = 3;

/// How far a message is known to have come; of one in several pieces, the piece that came furthest.
fn reached(message: &MessageRecord) -> u8 {
    message.delivery().map_or(0, rank)
}

fn rank(state: &DeliveryState) -> u8 {
    match state {
        // A report of the send that comes after one of its failure changes nothing.
        DeliveryState::Sent | DeliveryState::Failed { .. } | DeliveryState::WindowClosed => SENT,
        DeliveryState::Delivered => DELIVERED,
        DeliveryState::Read => READ,
    }
}

fn arrived(draft: &mut Draft<'_>, message: &MessageRecord, state: &DeliveryState, taken: bool) {
    let missing = is_missing_piece(draft, message);
    let doubted = missing || message.is_uncertain() || matches!(message.delivery(), Some(DeliveryState::Failed { .. }));
    if rank(state) <= reached(message) && !taken && !(missing && rank(state) > SENT) {
        return;
    }
    match (&message.author, doubted) {
        (Author::Operator { .. }, true) => settled::proven(draft, message),
        (Author::Operator { .. }, false) if taken || message.delivery().is_none() => {
            settled::arrived(draft, message);
        }
        (Author::Automatic { .. }, _) if message.delivery().is_none() => {
            draft.tell(automatic::said_line(&message.content), Purpose::Reply, None);
        }
        (
            Author::Operator { .. }
            | Author::Automatic { .. }
            | Author::Customer
            | Author::Note { .. }
            | Author::Business
            | Author::Program,
            _,
        ) => {}
    }
    let already = draft.case.message.as_ref().is_some_and(|now| reached(now) >= rank(state) && !doubted);
    if !already {
        draft.change(ChangeKind::Delivery { delivery: state.clone() });
    }
}

/// Of the latest answer the card tells that it was read.
fn read(draft: &mut Draft<'_>, inbound: &Inbound, message: &MessageRecord) {
    let at = inbound.sent_at.map_or(draft.at, |sent| sent.min(draft.at));
    let Some(conversation) = &mut draft.case.conversation else { return };
    let latest = conversation.last_human_at.is_none_or(|human| message.at >= human);
    if latest && matches!(message.author, Author::Operator { .. }) {
        conversation.read_at.get_or_insert(at);
    }
}

/// Whether the state is about a piece of an answer of which nobody knew whether it arrived.
fn is_missing_piece(draft: &Draft<'_>, message: &MessageRecord) -> bool {
    let (Some(mark), Some(conversation)) = (draft.case.piece, &draft.case.conversation) else { return false };
    let is_it = |piece: &Content| PieceMark::of(piece) == mark;
    conversation.undelivered.iter().any(|it| it.message == message.key && it.piece.as_ref().is_none_or(is_it))
}

fn failed(draft: &mut Draft<'_>, message: &MessageRecord, reason: &str) {
    let failed = matches!(message.delivery(), Some(DeliveryState::Failed { .. }));
    let known = failed || reached(message) >= DELIVERED;
    if draft.case.piece.is_none() && known {
        return;
    }
    draft.change(ChangeKind::Delivery { delivery: DeliveryState::Failed { reason: reason.to_owned() } });
    match &message.author {
        Author::Operator { .. } => {
            let piece = piece(draft, message);
            settled::failed(draft, message, piece, reason);
        }
        Author::Automatic { kind } => {
            automatic::unsaid(draft, *kind, Silence::Refused);
            draft.tell(format!("The automatic text did not arrive: {reason}"), Purpose::Reply, None);
        }
        Author::Customer | Author::Note { .. } | Author::Business | Author::Program => {}
    }
}

/// The words of the piece that the state is about, of an answer in several.
fn piece(draft: &Draft<'_>, message: &MessageRecord) -> Option<Content> {
    let mark = draft.case.piece?;
    window::pieces(draft, message)?.into_iter().find(|piece| PieceMark::of(piece) == mark)
}
