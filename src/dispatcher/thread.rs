//! A conversation whose thread at the desk was lost: the card was deleted, or the platform closed it.

use frontdesk_core::Content;

use super::{
    Draft,
    draft::{row, thread},
};
use crate::store::{ConversationState, Decision, Purpose, RowOp};

/// Under a card that is gone nobody finds what a customer writes: while somebody may wait, there is a new one at once,
/// and otherwise with the next message.
pub(super) fn lost(mut draft: Draft<'_>) -> Decision {
    match draft.case.conversation.as_mut().map(|conversation| (&conversation.state, &mut conversation.thread_lost)) {
        Some((ConversationState::Open, _)) => open_again(&mut draft),
        Some((ConversationState::Closed { .. }, lost)) => *lost = true,
        None => {}
    }
    draft.finish()
}

/// The same card at the end of the room; what is sent from now on stands under it.
pub(super) fn open_again(draft: &mut Draft<'_>) {
    let Some(conversation) = &mut draft.case.conversation else { return };
    conversation.thread_lost = false;
    let (target, card) = (thread(conversation), conversation.card);
    let op = RowOp::OpenThread { content: Content::text(&conversation.card_text), reply_to: None };
    let conversation = conversation.id;
    draft.out.rows.push(row(target, Purpose::Card, op, Some(conversation), Some(card)));
}
