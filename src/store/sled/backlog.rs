//! How far behind we are, without reading more than is counted.

use super::{
    super::{Backlog, Conversation, ConversationId, StoreError},
    keys::{self, Table},
    outbox,
    txn::Txn,
};

pub(super) fn backlog(txn: &Txn) -> Result<Backlog, StoreError> {
    let count = |table| Ok(txn.keys(&keys::all(table), Backlog::COUNTED)?.len());
    let waiting = txn.keys(&keys::all(Table::Waiting), Backlog::COUNTED)?;
    let mut waiting_since = None;
    for key in &waiting {
        let Some(id) = keys::waiting_conversation(key) else { continue };
        let conversation = txn.get::<Conversation>(&keys::conversation(ConversationId(id)))?;
        let since = conversation.and_then(|conversation| conversation.waiting_since);
        waiting_since = [waiting_since, since].into_iter().flatten().min();
    }
    Ok(Backlog {
        inbox: count(Table::Inbox)?,
        parked: count(Table::Parked)?,
        oldest_row: outbox::rows(txn, None, 1)?.into_iter().next().map(|row| row.written_at),
        waiting: waiting.len(),
        waiting_since,
    })
}
