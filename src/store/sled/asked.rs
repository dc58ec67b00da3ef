//! What only a command looks at.

use std::collections::BinaryHeap;

use frontdesk_core::DeskName;
use jiff::Timestamp;

use super::{
    super::{Asks, Case, ConversationId, Identity, IdentityId, KnownAs, Met, Queue, StoreError, Waiter, Wanted},
    apply, cases, held,
    keys::{self, Key},
    txn::Txn,
};

/// Waiting conversations that are looked at in one piece.
const PIECE: usize = 500;

pub(super) fn load(txn: &Txn, asks: &Asks, desk: Option<&DeskName>, case: &mut Case) -> Result<(), StoreError> {
    if asks.queue
        && let Some(desk) = desk
    {
        case.queue = queue(txn, desk)?;
    }
    if asks.block {
        block(txn, case)?;
    }
    if asks.sending
        && let Some(conversation) = &case.conversation
    {
        case.sending = held::sending(txn, conversation)?;
    }
    if let Some(wanted) = &asks.people {
        case.people = people(txn, wanted)?;
        case.looked_for = true;
    }
    Ok(())
}

/// By a name of their own, else by what they are called.
fn people(txn: &Txn, wanted: &Wanted) -> Result<Vec<Met>, StoreError> {
    let mut found: Vec<Identity> = Vec::new();
    for KnownAs { channel, name } in &wanted.names {
        let identity = cases::by_name(txn, channel, name)?;
        found.extend(identity.filter(|it| found.iter().all(|other| other.id != it.id)));
    }
    if let Some(name) = &wanted.called
        && found.is_empty()
    {
        found = called(txn, &apply::called(name))?;
    }
    let mut people = Vec::new();
    for identity in found {
        let Some(contact) = txn.get(&keys::contact(identity.contact))? else { continue };
        let conversation = identity.conversation.map(|id| cases::conversation(txn, id)).transpose()?.flatten();
        people.push(Met { identity, contact, conversation });
    }
    Ok(people)
}

/// Whose name is this, and then whose name begins with these words.
fn called(txn: &Txn, name: &str) -> Result<Vec<Identity>, StoreError> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let like = keys::called_like(name);
    let mut found = Vec::new();
    for end in [0, b' '] {
        let prefix = [like.as_slice(), &[end]].concat();
        let left = Case::PEOPLE.saturating_sub(found.len());
        for id in txn.keys(&prefix, left)?.iter().filter_map(|key| keys::last_number(key)) {
            found.extend(cases::identity(txn, IdentityId(id))?);
        }
    }
    Ok(found)
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
