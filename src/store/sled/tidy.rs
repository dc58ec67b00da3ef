//! What is past its time. One index, by time, names every key that is to go.

use jiff::{SignedDuration, Timestamp};

use super::{
    super::StoreError,
    keys::{self, Table},
    txn::Txn,
};

/// How long an event is recognised when it is repeated: 30 days.
pub(super) const SEEN_HOURS: i64 = 30 * 24;
/// How long a delivery state finds its message by our own key: 30 days.
pub(super) const CARRIED_HOURS: i64 = 30 * 24;
/// How long a change waits for its message.
pub(super) const MARK_HOURS: i64 = 30 * 24;

/// Keys in one call.
const PIECE: usize = 1000;

/// Lets a key go some hours after `at`.
pub(super) fn expire(txn: &mut Txn, key: &[u8], at: Timestamp, hours: i64) -> Result<(), StoreError> {
    let end = at.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MAX);
    txn.put(keys::expires(end, key), &())
}

/// Removes a piece of what has expired. Returns whether there is more.
pub(super) fn tidy(txn: &mut Txn, at: Timestamp) -> Result<bool, StoreError> {
    let due = txn.keys_until(&keys::all(Table::Expires), keys::expires_until(at), PIECE)?;
    let more = due.len() == PIECE;
    for key in due {
        txn.remove(keys::expired(&key).to_vec())?;
        txn.remove(key)?;
    }
    Ok(more)
}
