//! Writes a decision.

use frontdesk_core::{Address, ChannelId, DeskName, Event, Person, PlatformId, Side};
use jiff::Timestamp;

use super::{
    super::{
        Conversation, ConversationState, Decision, Fact, Identity, IdentityId, Ids, LedgerEntry, Mark, MessageKey,
        MessageRecord, MessageRef, Row, StoreError,
    },
    keys, outbox,
    tidy::{self, MARK_HOURS},
    txn::Txn,
};

/// `known` is the identity of the case. Returns the rows that were appended.
pub(super) fn apply(
    txn: &mut Txn,
    at: Timestamp,
    fact: &Fact,
    known: Option<&Identity>,
    decision: Decision,
) -> Result<Vec<Row>, StoreError> {
    advance(txn, decision.ids)?;
    if let Some(identity) = &decision.identity {
        put_identity(txn, identity)?;
    }
    if let (Fact::Inbound { channel, inbound }, Some(identity)) = (fact, decision.identity.as_ref().or(known))
        && inbound.side == Side::Customer
        && names_a_person(&inbound.event)
    {
        put_aliases(txn, channel, &inbound.from, identity)?;
    }
    if let Some(contact) = &decision.contact {
        txn.put(keys::contact(contact.id), contact)?;
    }
    for conversation in &decision.conversations {
        put_conversation(txn, conversation)?;
    }
    for message in &decision.messages {
        put_message(txn, message)?;
    }
    if let Some((name, mark)) = &decision.mark {
        put_mark(txn, at, name, mark)?;
    }
    for timer in &decision.timers {
        txn.put(keys::timer(timer), timer)?;
    }
    for entry in &decision.ledger {
        put_ledger(txn, entry)?;
    }
    if let Some(hours) = &decision.hours {
        txn.put(keys::hours_set(), hours)?;
    }
    if let Some((desk, user)) = &decision.hinted {
        txn.put(keys::hint(desk, user), &at)?;
    }
    for (message, name) in &decision.names {
        bind(txn, *message, name)?;
    }
    decision.rows.into_iter().map(|row| outbox::append(txn, at, row)).collect()
}

/// A delivery state is about an older message, whose number may be another person's by now.
fn names_a_person(event: &Event) -> bool {
    !matches!(event, Event::Status { .. })
}

/// Records what a platform calls a message of ours; the oldest name comes first.
pub(super) fn bind(txn: &mut Txn, message: MessageKey, name: &MessageRef) -> Result<(), StoreError> {
    txn.put(keys::binding(name), &message)?;
    let key = keys::names(message, &name.place);
    let mut names = txn.get::<Vec<PlatformId>>(&key)?.unwrap_or_default();
    if names.contains(&name.id) {
        return Ok(());
    }
    names.push(name.id.clone());
    txn.put(key, &names)
}

/// Counters never go back, whatever the decision says.
fn advance(txn: &mut Txn, wanted: Ids) -> Result<(), StoreError> {
    let key = keys::meta("ids");
    let ids: Ids = txn.get(&key)?.unwrap_or_default();
    let new = Ids {
        contact: ids.contact.max(wanted.contact),
        identity: ids.identity.max(wanted.identity),
        conversation: ids.conversation.max(wanted.conversation),
        message: ids.message.max(wanted.message),
        timer: ids.timer.max(wanted.timer),
    };
    if new == ids { Ok(()) } else { txn.put(key, &new) }
}

/// A user's former name stays an alias, so that what still comes under it is understood.
fn put_identity(txn: &mut Txn, identity: &Identity) -> Result<(), StoreError> {
    let key = keys::identity(identity.id);
    let old: Option<Identity> = txn.get(&key)?;
    if old.as_ref().is_none_or(|old| old.user != identity.user) {
        if let Some(old) = &old {
            txn.remove(keys::user(&old.channel, &old.user))?;
            put_alias(txn, &old.channel, old.user.as_str(), identity.id)?;
        }
        txn.put(keys::user(&identity.channel, &identity.user), &identity.id)?;
    }
    put_called(txn, old.as_ref(), identity)?;
    txn.put(key, identity)
}

fn put_called(txn: &mut Txn, old: Option<&Identity>, identity: &Identity) -> Result<(), StoreError> {
    let name = called(&identity.name);
    if let Some(former) = old.map(|old| called(&old.name)).filter(|former| !former.is_empty() && *former != name) {
        txn.remove(keys::called(&former, identity.id))?;
    }
    let key = keys::called(&name, identity.id);
    if name.is_empty() || txn.has(&key)? { Ok(()) } else { txn.put(key, &()) }
}

/// A name as it is looked for: in small letters, blanks and what cannot be seen left out.
pub(super) fn called(name: &str) -> String {
    crate::desk::one_line(name).to_lowercase()
}

fn put_aliases(txn: &mut Txn, channel: &ChannelId, person: &Person, identity: &Identity) -> Result<(), StoreError> {
    if person.id != identity.user {
        put_alias(txn, channel, person.id.as_str(), identity.id)?;
    }
    for name in &person.aliases {
        put_alias(txn, channel, name, identity.id)?;
    }
    Ok(())
}

fn put_alias(txn: &mut Txn, channel: &ChannelId, name: &str, identity: IdentityId) -> Result<(), StoreError> {
    let key = keys::alias(channel, name);
    let owner = txn.get::<IdentityId>(&key)?;
    if owner == Some(identity) {
        return Ok(());
    }
    if let Some(former) = owner {
        leave_chat(txn, former, name)?;
    }
    txn.put(key, &identity)
}

/// A number that is somebody else's by now is not written to for whom it belonged to: they have a name of their own.
fn leave_chat(txn: &mut Txn, former: IdentityId, number: &str) -> Result<(), StoreError> {
    let key = keys::identity(former);
    let Some(identity) = txn.get::<Identity>(&key)? else { return Ok(()) };
    let chat = match &identity.address {
        Address::Chat { chat, .. } => chat.as_str(),
        Address::Desk { .. } => return Ok(()),
    };
    if bare(chat) != bare(number) || identity.user.as_str() == chat {
        return Ok(());
    }
    let address = Address::chat(identity.user.as_str());
    txn.put(key, &Identity { address, ..identity })
}

/// A number without the plus before it.
fn bare(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

fn put_conversation(txn: &mut Txn, conversation: &Conversation) -> Result<(), StoreError> {
    let key = keys::conversation(conversation.id);
    let before = txn.get::<Conversation>(&key)?.and_then(|old| waits(&old).cloned());
    let now = waits(conversation);
    if before.as_ref() != now {
        if let Some(desk) = &before {
            txn.remove(keys::waiting(desk, conversation.id))?;
        }
        if let Some(desk) = now {
            txn.put(keys::waiting(desk, conversation.id), &())?;
        }
    }
    txn.put(key, conversation)
}

/// The desk at which a conversation waits for an answer.
fn waits(conversation: &Conversation) -> Option<&DeskName> {
    let open = match conversation.state {
        ConversationState::Open => true,
        ConversationState::Closed { .. } => false,
    };
    (open && conversation.waiting_since.is_some()).then_some(&conversation.desk)
}

/// With its own name, where it has one; a mark that waited for it is used up.
fn put_message(txn: &mut Txn, message: &MessageRecord) -> Result<(), StoreError> {
    let history = keys::history(message.conversation, message.key);
    if !txn.has(&history)? {
        txn.put(history, &())?;
    }
    txn.put(keys::message(message.key), message)?;
    let Some(name) = &message.source else { return Ok(()) };
    bind(txn, message.key, name)?;
    let mark = keys::mark(name);
    if txn.has(&mark)? { txn.remove(mark) } else { Ok(()) }
}

pub(super) fn put_mark(txn: &mut Txn, at: Timestamp, name: &MessageRef, mark: &Mark) -> Result<(), StoreError> {
    let key = keys::mark(name);
    tidy::expire(txn, &key, at, MARK_HOURS)?;
    txn.put(key, mark)
}

pub(super) fn put_ledger(txn: &mut Txn, entry: &LedgerEntry) -> Result<(), StoreError> {
    let newest = txn.keys(&keys::ledger_of(entry.contact), 1)?;
    let count = newest.first().map_or(0, |key| keys::ledger_count(key));
    txn.put(keys::ledger(entry.contact, count + 1), entry)
}
