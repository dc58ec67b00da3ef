//! What only a command looks at.

use std::collections::BinaryHeap;

use frontdesk_core::DeskName;
use jiff::Timestamp;

use super::{
    super::{Asks, Case, ConversationId, Queue, StoreError, Waiter},
    cases,
    keys::{self, Key},
    txn::Txn,
};

/// Waiting conversations that are looked at in one piece.
const PIECE: usize = 500;

pub(super) fn load(txn: &Txn, asks: Asks, desk: Option<&DeskName>, case: &mut Case) -> Result<(), StoreError> {
    if asks.queue
        && let Some(desk) = desk
    {
        case.queue = queue(txn, desk)?;
    }
    if asks.block {
        block(txn, case)?;
    }
    Ok(())
}

/// Looks at every waiting conversation, and keeps those that wait longest.
fn queue(txn: &Txn, desk: &DeskName) -> Result<Queue, StoreError> {
    let prefix = keys::waiting_at(desk);
    let mut longest: BinaryHeap<(Timestamp, ConversationId)> = BinaryHeap::new();
    let (mut total, mut from) = (0, prefix.clone());
    loop {
        let piece = txn.keys_until(&from, keys::end_of(&prefix), PIECE)?;
        for id in piece.iter().filter_map(|key| keys::last_number(key)).map(ConversationId) {
            let Some(since) = cases::conversation(txn, id)?.and_then(|it| it.waiting_since) else { continue };
            total += 1;
            longest.push((since, id));
            if longest.len() > Queue::SHOWN {
                longest.pop();
            }
        }
        match piece.last() {
            Some(last) if piece.len() == PIECE => from = after(last),
            Some(_) | None => break,
        }
    }
    let mut first = Vec::new();
    for (since, id) in longest.into_sorted_vec() {
        first.extend(waiter(txn, since, id)?);
    }
    Ok(Queue { first, total })
}

/// The smallest key that comes after this one.
fn after(key: &Key) -> Key {
    [key.as_slice(), &[0]].concat()
}

fn waiter(txn: &Txn, since: Timestamp, id: ConversationId) -> Result<Option<Waiter>, StoreError> {
    let Some(conversation) = cases::conversation(txn, id)? else { return Ok(None) };
    let Some(identity) = cases::identity(txn, conversation.identity)? else { return Ok(None) };
    let words = conversation.last_words.map(|key| cases::message(txn, key)).transpose()?.flatten();
    Ok(Some(Waiter { since, identity, words }))
}

fn block(txn: &Txn, case: &mut Case) -> Result<(), StoreError> {
    let here = case.conversation.as_ref().map(|conversation| conversation.id);
    let latest = case.identity.as_ref().and_then(|identity| identity.conversation).filter(|id| Some(*id) != here);
    case.latest = latest.map(|id| cases::conversation(txn, id)).transpose()?.flatten();
    let mut both = case.conversation.iter().chain(&case.latest);
    let Some(blocked) = both.find_map(|conversation| conversation.blocked.as_ref()) else { return Ok(()) };
    for key in &blocked.latest {
        case.held.extend(cases::message(txn, *key)?);
    }
    Ok(())
}
