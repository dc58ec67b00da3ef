//! `!drop`: takes back what waits until the customer writes.

use super::Draft;
use crate::{desk, store::Purpose};

pub(super) fn drop_held(draft: &mut Draft<'_>) {
    let Some(conversation) = &mut draft.case.conversation else { return };
    let (id, count) = (conversation.id, std::mem::take(&mut conversation.held).len());
    if count == 0 {
        draft.tell(desk::NOTHING_HELD, Purpose::Reply, None);
        return;
    }
    draft.out.take_back = Some(id);
    draft.tell(desk::dropped(count), Purpose::Reply, None);
}
