//! What operators change before we know the message: left as a mark, and applied when the message comes.

use frontdesk_core::{Content, DeskName, Inbound, Message, PlatformId};

use super::Draft;
use crate::store::{Change, ChangeKind, Mark, MessageRecord, MessageRef, Place};

/// People edit only what they wrote themselves, so it is nothing of ours whose name is not recorded yet.
pub(super) fn edited(
    draft: &mut Draft<'_>,
    desk: &DeskName,
    inbound: &Inbound,
    id: &PlatformId,
    content: &Content,
    notice: bool,
) {
    // Nothing of a notice goes out.
    let what = if notice { ChangeKind::Deleted } else { ChangeKind::Edited { content: content.clone() } };
    leave(draft, desk, inbound, id, what);
}

pub(super) fn deleted(draft: &mut Draft<'_>, desk: &DeskName, inbound: &Inbound, ids: &[PlatformId]) {
    if let Some(id) = ids.first() {
        leave(draft, desk, inbound, id, ChangeKind::Deleted);
    }
}

fn leave(draft: &mut Draft<'_>, desk: &DeskName, inbound: &Inbound, id: &PlatformId, what: ChangeKind) {
    if draft.case.mark.as_ref().is_some_and(|mark| mark.what == ChangeKind::Deleted) {
        return;
    }
    let told_at = draft.case.mark.as_ref().and_then(Mark::unreadable_since);
    let mark = Mark { by: Some(inbound.from.id.clone()), told_at, ..Mark::new(draft.at, what) };
    draft.out.mark = Some((MessageRef { place: Place::Desk { desk: desk.clone() }, id: id.clone() }, mark));
}

/// The message as it is by now; `None` when it was deleted.
pub(super) fn applied(draft: &Draft<'_>, inbound: &Inbound, message: &Message) -> Option<Message> {
    let Some(mark) = &draft.case.mark else { return Some(message.clone()) };
    match &mark.what {
        ChangeKind::Edited { content } if mark.by.as_ref() == Some(&inbound.from.id) => {
            Some(Message { content: content.clone(), ..message.clone() })
        }
        ChangeKind::Deleted => None,
        ChangeKind::Edited { .. } | ChangeKind::Delivery { .. } | ChangeKind::Uncertain => Some(message.clone()),
    }
}

/// Kept in the history of the message that came after it.
pub(super) fn note(draft: &Draft<'_>, record: &mut MessageRecord) {
    match draft.case.mark.clone() {
        Some(Mark { what: what @ (ChangeKind::Edited { .. } | ChangeKind::Deleted), at, .. }) => {
            record.changes.push(Change { at, what });
        }
        Some(Mark { what: ChangeKind::Delivery { .. } | ChangeKind::Uncertain, .. }) | None => {}
    }
}
