//! Rows that wait until their customer writes again, and rows that end by a decision.

use std::collections::BTreeSet;

use frontdesk_core::Sent;
use jiff::Timestamp;

use super::{
    super::{
        Conversation, ConversationId, Ended, HoldReason, Identity, MessageKey, Outcome, Purpose, Row, RowNumber,
        RowState, StoreError, Target,
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

/// Takes back what waits in a conversation until its customer writes, also when they have written by now and the
/// platform does not take it yet. What is being sent is left alone. Returns the lane, when there was anything.
pub(super) fn take_back(
    txn: &mut Txn,
    instance: u64,
    at: Timestamp,
    id: ConversationId,
) -> Result<Option<(Target, Vec<Ended>)>, StoreError> {
    let Some(conversation) = txn.get::<Conversation>(&keys::conversation(id))? else { return Ok(None) };
    let sending = sending(txn, &conversation)?;
    let mut all = Vec::new();
    for row in rows_of(txn, &conversation)? {
        let is_sent = row.what.message.is_some_and(|message| sending.contains(&message));
        if !is_sent && (row.is_held() || had_waited(&conversation, &row)) {
            all.extend(outbox::settle(txn, instance, row.number, at, Outcome::TakenBack)?);
        }
    }
    Ok((!all.is_empty()).then_some((Target::Customer(conversation.identity), all)))
}

/// Which messages that waited in a conversation are being sent: nobody can take them back.
pub(super) fn sending(txn: &Txn, conversation: &Conversation) -> Result<Vec<MessageKey>, StoreError> {
    let rows = rows_of(txn, conversation)?.into_iter();
    let sending = rows.filter(|row| row.state == RowState::InFlight && had_waited(conversation, row));
    Ok(sending.filter_map(|row| row.what.message).collect())
}

fn had_waited(conversation: &Conversation, row: &Row) -> bool {
    row.what.purpose == Purpose::Answer && row.what.message.is_some_and(|message| conversation.held.contains(&message))
}

/// A conversation's rows that are held, or make a message at the customer's.
fn rows_of(txn: &Txn, conversation: &Conversation) -> Result<Vec<Row>, StoreError> {
    let mut keys = txn.keys(&keys::held_of(conversation.identity), usize::MAX)?;
    keys.extend(txn.keys(&keys::unrecorded_customer(conversation.identity), usize::MAX)?);
    let numbers: BTreeSet<u64> = keys.iter().filter_map(|key| keys::last_number(key)).collect();
    let mut rows = Vec::new();
    for number in numbers {
        let row = outbox::find(txn, RowNumber(number))?;
        rows.extend(row.filter(|row| row.what.conversation == Some(conversation.id)));
    }
    Ok(rows)
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
