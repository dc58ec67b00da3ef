//! What was said long ago: removed with everything that names it, a bounded piece at a time.
//!
//! Contacts, identities and their names stay, and so does the fact that somebody was greeted. Nothing goes that the
//! outbox, the inbox or an open conversation may still name.

use std::collections::BTreeSet;

use frontdesk_core::PlatformId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Asks, Blocked, ContactId, Conversation, ConversationId, ConversationState, Identity, InboxRow, LedgerEntry,
        MessageKey, MessageRecord, Row, RowOp, StoreError, Target, ThreadBinding,
    },
    cases,
    keys::{self, Table},
    txn::Txn,
};

/// Conversations that are looked at in one call.
const LOOKED_AT: usize = 100;
/// Messages that are removed in one call.
const REMOVED: usize = 500;
/// Entries of a contact's ledger that are looked through.
const LEDGER: usize = 5000;
/// With more than this under way it is no time to clear up.
const BUSY: usize = 2000;
/// Everything is looked through no oftener than this.
const EVERY: SignedDuration = SignedDuration::from_hours(12);

/// How far the present round has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Round {
    after: ConversationId,
    /// When the last round was at its end.
    #[serde(default)]
    ended: Option<Timestamp>,
}

/// See [`super::super::Archive::retire`].
pub(super) fn retire(txn: &mut Txn, instance: u64, at: Timestamp, keep: SignedDuration) -> Result<bool, StoreError> {
    let round = txn.get::<Round>(&keys::meta("retention"))?.unwrap_or_default();
    if round.after.0 == 0 && round.ended.is_some_and(|ended| at.duration_since(ended) < EVERY) {
        return Ok(false);
    }
    let before = at.checked_sub(keep).unwrap_or(Timestamp::MIN);
    let Some(named) = named(txn, instance)? else { return Ok(false) };
    let start = (round.after.0 > 0).then(|| keys::conversation(round.after));
    let found = txn.scan::<Conversation>(&keys::all(Table::Conversations), start, LOOKED_AT)?;
    let mut left = REMOVED;
    let mut after = round.after;
    // Numbers are given out in order: what comes later began later.
    let mut last = found.len() < LOOKED_AT;
    for (_, conversation) in found {
        if conversation.opened_at >= before {
            last = true;
            break;
        }
        if !named.contains(&conversation.id) && is_past(txn, &conversation, before)? {
            left = remove(txn, &conversation, before, left)?;
            if left == 0 {
                // It is looked at again: there may be more of it.
                last = false;
                break;
            }
        }
        after = conversation.id;
    }
    let next = if last { Round { after: ConversationId(0), ended: Some(at) } } else { Round { after, ..round } };
    txn.put(keys::meta("retention"), &next)?;
    Ok(!last)
}

/// Closed for long, and its customer has no open conversation, in which they may quote what was said before.
fn is_past(txn: &Txn, conversation: &Conversation, before: Timestamp) -> Result<bool, StoreError> {
    let ConversationState::Closed { at, .. } = conversation.state else { return Ok(false) };
    // A blocked customer's conversation is closed, and what they write is kept in it.
    if at >= before || conversation.last_customer_at >= before {
        return Ok(false);
    }
    let latest = txn.get::<Identity>(&keys::identity(conversation.identity))?.and_then(|it| it.conversation);
    let latest = latest.map(|id| txn.get::<Conversation>(&keys::conversation(id))).transpose()?.flatten();
    Ok(latest.is_none_or(|latest| latest.state != ConversationState::Open))
}

/// The conversations that something under way names; `None` when there is too much of it to look through.
fn named(txn: &Txn, instance: u64) -> Result<Option<BTreeSet<ConversationId>>, StoreError> {
    let rows = txn.scan::<Row>(&keys::all(Table::Outbox), None, BUSY)?;
    let mut facts = txn.scan::<InboxRow>(&keys::all(Table::Inbox), None, BUSY)?;
    facts.extend(txn.scan::<InboxRow>(&keys::all(Table::Parked), None, BUSY)?);
    if rows.len() == BUSY || facts.len() >= BUSY {
        return Ok(None);
    }
    let mut named = BTreeSet::new();
    for (_, row) in rows {
        named.extend(row.what.conversation);
        if let Target::Thread(conversation, _) = row.what.target {
            named.insert(conversation);
        }
        for message in row.what.message.into_iter().chain(mentioned(&row.what.op)) {
            named.extend(txn.get::<MessageRecord>(&keys::message(message))?.map(|message| message.conversation));
        }
    }
    for (_, fact) in facts {
        let case = cases::load(txn, instance, &fact, Asks::default())?;
        named.extend(case.conversation.map(|conversation| conversation.id));
        named.extend(case.message.map(|message| message.conversation));
    }
    Ok(Some(named))
}

/// Other messages that a row is about.
fn mentioned(op: &RowOp) -> Option<MessageKey> {
    match op {
        RowOp::OpenThread { reply_to, .. } | RowOp::Post { reply_to, .. } => *reply_to,
        RowOp::Edit { message, .. } | RowOp::Delete { message, .. } | RowOp::React { message, .. } => Some(*message),
        RowOp::Template { .. } => None,
    }
}

/// Removes up to `limit` messages of a conversation, and it itself when nothing of it is left. Returns what is left of
/// the limit: 0 when there may be more.
fn remove(txn: &mut Txn, conversation: &Conversation, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let messages = txn.keys(&keys::history_of(conversation.id), limit)?;
    let left = limit - messages.len();
    for key in messages {
        if let Some(number) = keys::last_number(&key) {
            remove_message(txn, MessageKey(number))?;
        }
        txn.remove(key)?;
    }
    if left == 0 {
        return Ok(0);
    }
    let latest = txn.get::<Identity>(&keys::identity(conversation.identity))?.and_then(|it| it.conversation);
    let is_latest = latest == Some(conversation.id);
    // In the thread of a blocked customer, and only there, they can be unblocked.
    if !(is_latest && conversation.blocked.is_some()) {
        for (key, binding) in txn.scan::<ThreadBinding>(&keys::threads_of(conversation.id), None, limit)? {
            txn.remove(keys::thread_owner(&binding.desk, &binding.thread))?;
            txn.remove(key)?;
        }
    }
    remove_ledger(txn, conversation.contact, before)?;
    if is_latest {
        // It says that the customer has written before.
        return forget_words(txn, conversation).map(|()| left);
    }
    txn.remove(keys::conversation(conversation.id))?;
    Ok(left)
}

fn remove_message(txn: &mut Txn, message: MessageKey) -> Result<(), StoreError> {
    let record = txn.get::<MessageRecord>(&keys::message(message))?;
    for (key, ids) in txn.scan::<Vec<PlatformId>>(&keys::names_of(message), None, usize::MAX)? {
        for binding in ids.iter().filter_map(|id| keys::binding_of(&key, id)) {
            txn.remove(binding)?;
        }
        txn.remove(key)?;
    }
    if let Some(name) = record.and_then(|record| record.source) {
        txn.remove(keys::binding(&name))?;
    }
    txn.remove(keys::message(message))
}

/// What `!why` tells of that time.
fn remove_ledger(txn: &mut Txn, contact: ContactId, before: Timestamp) -> Result<(), StoreError> {
    for (key, entry) in txn.scan::<LedgerEntry>(&keys::ledger_of(contact), None, LEDGER)? {
        if entry.at < before {
            txn.remove(key)?;
        }
    }
    Ok(())
}

/// Leaves of a conversation only that it was.
fn forget_words(txn: &mut Txn, conversation: &Conversation) -> Result<(), StoreError> {
    if conversation.card_text.is_empty() && conversation.undelivered.is_empty() && conversation.tags.is_empty() {
        return Ok(());
    }
    let blocked = conversation.blocked.clone();
    let bare = Conversation {
        blocked: blocked.map(|blocked| Blocked { messages: 0, first_at: None, latest: Vec::new(), ..blocked }),
        last_words: None,
        card_text: String::new(),
        undelivered: Vec::new(),
        unshown: Vec::new(),
        tags: Vec::new(),
        origin: None,
        ..conversation.clone()
    };
    txn.put(keys::conversation(conversation.id), &bare)
}
