//! What arrives: stamped, without what was seen before, with the cursor.

use frontdesk_core::{AccountId, ChannelId, Cursor, Inbound};
use jiff::Timestamp;

use super::{
    super::{Fact, InboxRow, InboxSeq, StoreError},
    keys,
    tidy::{self, SEEN_HOURS},
    txn::Txn,
};

pub(super) fn account(txn: &mut Txn, channel: &ChannelId, account: &AccountId) -> Result<AccountId, StoreError> {
    let key = keys::account(channel);
    if let Some(known) = txn.get(&key)? {
        return Ok(known);
    }
    txn.put(key, account)?;
    Ok(account.clone())
}

pub(super) fn accept(
    txn: &mut Txn,
    channel: &ChannelId,
    at: Timestamp,
    events: Vec<Inbound>,
    cursor: Option<Cursor>,
) -> Result<usize, StoreError> {
    let mut new = Vec::new();
    for inbound in events {
        let key = keys::seen(channel, &inbound.key);
        if txn.has(&key)? {
            continue;
        }
        tidy::expire(txn, &key, at, SEEN_HOURS)?;
        txn.put(key, &at)?;
        new.push(Fact::Inbound { channel: channel.clone(), inbound });
    }
    if let Some(cursor) = cursor {
        txn.put(keys::cursor(channel), &cursor)?;
    }
    let count = new.len();
    append(txn, at, new)?;
    Ok(count)
}

/// Puts facts at the end of the inbox.
pub(super) fn append(txn: &mut Txn, at: Timestamp, facts: Vec<Fact>) -> Result<(), StoreError> {
    if facts.is_empty() {
        return Ok(());
    }
    for fact in facts {
        let row = InboxRow { seq: next_seq(txn)?, at, fact, parked_since: None };
        txn.put(keys::inbox(row.seq), &row)?;
    }
    Ok(())
}

pub(super) fn next_seq(txn: &mut Txn) -> Result<InboxSeq, StoreError> {
    let key = keys::meta("inbox");
    let seq = txn.count(&key)? + 1;
    txn.put(key, &seq)?;
    Ok(InboxSeq(seq))
}
