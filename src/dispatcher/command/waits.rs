//! `!drop`: takes back what waits until the customer writes.

use super::Draft;
use crate::{desk, store::Purpose};

pub(super) fn drop_held(draft: &mut Draft<'_>) {
    let sending = std::mem::take(&mut draft.case.sending);
    let Some(conversation) = &mut draft.case.conversation else { return };
    let (id, all) = (conversation.id, conversation.held.len());
    conversation.held.retain(|message| sending.contains(message));
    let left = conversation.held.len();
    if all == 0 {
        draft.tell(desk::NOTHING_HELD, Purpose::Reply, None);
        return;
    }
    draft.out.take_back = Some(id);
    if all > left {
        draft.tell(desk::dropped(all - left), Purpose::Reply, None);
    }
    if left > 0 {
        draft.tell(desk::NOT_DROPPED, Purpose::Reply, None);
    }
}
