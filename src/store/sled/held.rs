//! Rows that wait until their customer writes again, and rows that end by a decision.

use frontdesk_core::Sent;
use jiff::Timestamp;

use super::{
    super::{
        Conversation, ConversationId, Ended, HoldReason, Identity, Outcome, Row, RowNumber, RowState, StoreError,
        Target,
    },
    keys, outbox,
    txn::Txn,
};

/// See [`super::super::Store::hold`].
pub(super) fn hold(
    txn: &mut Txn,
    instance: u64,
    number: RowNumber,
    at: Timestamp,
    heard_at: Option<Timestamp>,
) -> Result<Option<bool>, StoreError> {
    let Some(row) = outbox::find(txn, number)? else { return Ok(None) };
    let Target::Customer(id) = row.what.target else { return Ok(Some(false)) };
    let customer = outbox::identity(txn, &row, id)?;
    if customer.heard_at != heard_at {
        return Ok(Some(false));
    }
    if heard_at.is_some() {
        txn.put(keys::identity(id), &Identity { heard_at: None, ..customer })?;
    }
    let reason = HoldReason::WindowClosed;
    outbox::update(txn, Row { state: RowState::Held { reason }, not_before: None, ..row.clone() })?;
    outbox::report(txn, instance, row, at, Outcome::Held { reason })?;
    Ok(Some(true))
}

/// See [`super::super::Store::release`].
pub(super) fn release(txn: &mut Txn, number: RowNumber) -> Result<bool, StoreError> {
    let Some(row) = outbox::find(txn, number)?.filter(Row::is_held) else { return Ok(false) };
    outbox::update(txn, Row { state: RowState::Queued, ..row })
}

/// The platform has a row's message, as its own report shows: nobody has to be told how it ended.
pub(super) fn taken(txn: &mut Txn, at: Timestamp, number: RowNumber, sent: &Sent) -> Result<Option<Ended>, StoreError> {
    let Some(row) = outbox::find(txn, number)? else { return Ok(None) };
    let ended = outbox::ended(txn, &row)?;
    outbox::record(txn, &row, at, sent)?;
    outbox::remove(txn, &row)?;
    Ok(Some(ended))
}

/// Takes back what waits in a conversation until its customer writes. Returns the lane, when there was anything.
pub(super) fn take_back(
    txn: &mut Txn,
    instance: u64,
    at: Timestamp,
    id: ConversationId,
) -> Result<Option<(Target, Vec<Ended>)>, StoreError> {
    let Some(conversation) = txn.get::<Conversation>(&keys::conversation(id))? else { return Ok(None) };
    let held = txn.keys(&keys::held_of(conversation.identity), usize::MAX)?;
    let mut all = Vec::new();
    for number in held.iter().filter_map(|key| keys::last_number(key)).map(RowNumber) {
        let here = outbox::find(txn, number)?.is_some_and(|row| row.is_held() && row.what.conversation == Some(id));
        if here {
            all.extend(outbox::settle(txn, instance, number, at, Outcome::TakenBack)?);
        }
    }
    Ok((!all.is_empty()).then_some((Target::Customer(conversation.identity), all)))
}

/// Keeps the list of what waits for a customer.
pub(super) fn note(txn: &mut Txn, row: &Row, held: bool) -> Result<(), StoreError> {
    let Target::Customer(identity) = row.what.target else { return Ok(()) };
    let key = keys::held(identity, row.number);
    match (held, txn.has(&key)?) {
        (true, false) => txn.put(key, &()),
        (false, true) => txn.remove(key),
        (true, true) | (false, false) => Ok(()),
    }
}
