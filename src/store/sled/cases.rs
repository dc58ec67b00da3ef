//! Everything that is known about a fact, for the dispatcher.

use frontdesk_core::{
    Address, ChannelId, DeliveryState, DeskName, Event, Inbound, OutboxKey, PlatformId, PlatformUser, Side, ThreadId,
};

use jiff::Timestamp;

use super::{
    super::{
        Asks, Case, ChangeKind, Conversation, ConversationId, Fact, Identity, IdentityId, InboxRow, Known, MessageKey,
        MessageRecord, MessageRef, PieceMark, Place, Row, RowNumber, Settled, StoreError, Target, ThreadBinding,
        known_names,
    },
    asked,
    keys::{self, Table},
    outbox::{self, Carried},
    txn::Txn,
};

/// Entries of the ledger that a case holds.
const LEDGER: usize = 8;
/// Waiting conversations are counted up to here.
const WAITING: usize = 20;
/// Facts that are looked through for our own outcome of a send of which a platform says that it failed.
const BEHIND: usize = 500;

pub(super) fn load(txn: &Txn, instance: u64, row: &InboxRow, asks: Asks) -> Result<Case, StoreError> {
    let fact = &row.fact;
    let mut case = match fact {
        Fact::Inbound { channel, inbound } => inbound_case(txn, instance, channel, inbound, row.at)?,
        Fact::Settled { settled } => settled_case(txn, settled)?,
        Fact::Due { timer } => of_conversation(txn, Some(timer.conversation), None)?,
        Fact::Notice { .. } => Case::default(),
    };
    case.ids = txn.get(&keys::meta("ids"))?.unwrap_or_default();
    if case.contact.is_none()
        && let Some(identity) = &case.identity
    {
        case.contact = txn.get(&keys::contact(identity.contact))?;
    }
    if let Some(contact) = &case.contact {
        let entries = txn.scan(&keys::ledger_of(contact.id), None, LEDGER)?;
        case.ledger = entries.into_iter().map(|(_, entry)| entry).collect();
    }
    if let Some(conversation) = &case.conversation {
        let undelivered = conversation.undelivered.iter().map(|undelivered| undelivered.message);
        for key in undelivered.chain(conversation.unshown.iter().copied()) {
            case.undelivered.extend(message(txn, key)?);
        }
    }
    if let Some(desk) = desk_of(fact, &case) {
        case.waiting = txn.keys(&keys::waiting_at(desk), WAITING)?.len();
    }
    case.hours = txn.get(&keys::hours_set())?.unwrap_or_default();
    // What the message says by now may ask for something else.
    let edited = case.mark.as_ref().is_some_and(|mark| matches!(mark.what, ChangeKind::Edited { .. }));
    let asks = if edited { Asks { queue: true, block: true, sending: true, people: None } } else { asks };
    asked::load(txn, &asks, desk_of(fact, &case).cloned().as_ref(), &mut case)?;
    Ok(case)
}

fn inbound_case(
    txn: &Txn,
    instance: u64,
    channel: &ChannelId,
    inbound: &Inbound,
    at: Timestamp,
) -> Result<Case, StoreError> {
    let place = Place::of(channel, &inbound.at);
    let message = named(txn, instance, &place, &inbound.event)?;
    let mut case = match &inbound.side {
        Side::Customer if message.is_some() && matches!(inbound.event, Event::Status { .. }) => {
            delivery_case(txn, instance, &inbound.event, message)?
        }
        Side::Customer => customer_case(txn, channel, inbound, message, at)?,
        Side::Desk { desk, thread } => desk_case(txn, desk, thread.as_ref(), inbound, message, at)?,
    };
    if let Some(id) = subject(&inbound.event).cloned() {
        if let (Event::Deleted { .. }, Some(message)) = (&inbound.event, &case.message) {
            let names = txn.get::<Vec<PlatformId>>(&keys::names(message.key, &place))?.unwrap_or_default();
            case.former_name = !names.contains(&id);
        }
        let name = MessageRef { place, id };
        case.ours = matches!(inbound.event, Event::Echo(_)) && txn.has(&keys::binding(&name))?;
        case.mark = txn.get(&keys::mark(&name))?;
    }
    Ok(case)
}

/// The message that an event is, or that it changes.
fn subject(event: &Event) -> Option<&PlatformId> {
    match event {
        Event::Message(own) | Event::Echo(own) => Some(&own.id),
        Event::Edited { id, .. } => Some(id),
        Event::Deleted { ids } => ids.first(),
        Event::Reaction { .. }
        | Event::Status { .. }
        | Event::Member { .. }
        | Event::IdentityMoved { .. }
        | Event::ChatMoved { .. }
        | Event::ThreadGone { .. }
        | Event::Blocked
        | Event::Unblocked
        | Event::Known
        | Event::Started { .. }
        | Event::Undecryptable { .. }
        | Event::Unread { .. }
        | Event::Unsupported { .. } => None,
    }
}

fn customer_case(
    txn: &Txn,
    channel: &ChannelId,
    inbound: &Inbound,
    message: Option<MessageRecord>,
    at: Timestamp,
) -> Result<Case, StoreError> {
    let Some(identity) = identity_of(txn, channel, inbound, at)? else {
        return Ok(Case { message, known: known(txn, channel, inbound)?, ..Case::default() });
    };
    let unrecorded = unrecorded(txn, &keys::unrecorded_customer(identity.id), at)?;
    let conversation = identity.conversation.map(|id| conversation(txn, id)).transpose()?.flatten();
    Ok(Case { identity: Some(identity), conversation, message, unrecorded, ..Case::default() })
}

/// What became of a message of ours is told in the conversation that it belongs to.
fn delivery_case(txn: &Txn, instance: u64, event: &Event, message: Option<MessageRecord>) -> Result<Case, StoreError> {
    let conversation = message.as_ref().map(|message| message.conversation);
    let mut case = of_conversation(txn, conversation, message)?;
    case.last_words = last_words(txn, &case)?;
    if let Event::Status { key: Some(key), state, .. } = event
        && key.instance == instance
    {
        case.row = txn.get(&keys::row(RowNumber(key.number)))?;
        case.piece = match &case.row {
            Some(row) => outbox::piece(&row.what).map(|piece| PieceMark::of(&piece)),
            None => txn.get::<Carried>(&keys::carried(key.number))?.and_then(|carried| carried.piece),
        };
        let bad = matches!(state, DeliveryState::Failed { .. } | DeliveryState::WindowClosed);
        case.outcome_follows = bad && case.row.is_none() && outcome_follows(txn, *key)?;
    }
    Ok(case)
}

/// Whether our own outcome of a row lies in the inbox still.
fn outcome_follows(txn: &Txn, key: OutboxKey) -> Result<bool, StoreError> {
    let facts = txn.scan::<InboxRow>(&keys::all(Table::Inbox), None, BEHIND)?;
    Ok(facts.iter().any(|(_, row)| matches!(&row.fact, Fact::Settled { settled } if settled.key == key)))
}

fn desk_case(
    txn: &Txn,
    desk: &DeskName,
    thread: Option<&ThreadId>,
    inbound: &Inbound,
    message: Option<MessageRecord>,
    at: Timestamp,
) -> Result<Case, StoreError> {
    let thread = if let Event::ThreadGone { thread } = &inbound.event { Some(thread) } else { thread };
    let owner = thread.map(|thread| txn.get::<ThreadBinding>(&keys::thread_owner(desk, thread))).transpose()?.flatten();
    let conversation = owner.map(|owner| owner.conversation).or(message.as_ref().map(|message| message.conversation));
    let mut case = of_conversation(txn, conversation, message)?;
    case.unrecorded = unrecorded(txn, &keys::unrecorded_desk(desk), at)?;
    case.hinted_at = txn.get(&keys::hint(desk, &inbound.from.id))?;
    Ok(case)
}

fn settled_case(txn: &Txn, settled: &Settled) -> Result<Case, StoreError> {
    let record = settled.message.map(|key| message(txn, key)).transpose()?.flatten();
    let conversation = settled.conversation.or(record.as_ref().map(|record| record.conversation));
    let mut case = of_conversation(txn, conversation, record)?;
    if let Target::Customer(id) = &settled.target {
        case.identity = identity(txn, *id)?.or(case.identity);
        case.last_words = last_words(txn, &case)?;
    }
    Ok(case)
}

fn last_words(txn: &Txn, case: &Case) -> Result<Option<MessageRecord>, StoreError> {
    let key = case.conversation.as_ref().and_then(|conversation| conversation.last_words);
    key.map(|key| message(txn, key)).transpose().map(Option::flatten)
}

fn of_conversation(txn: &Txn, id: Option<ConversationId>, message: Option<MessageRecord>) -> Result<Case, StoreError> {
    let Some(conversation) = id.map(|id| conversation(txn, id)).transpose()?.flatten() else {
        return Ok(Case { message, ..Case::default() });
    };
    Ok(Case {
        identity: identity(txn, conversation.identity)?,
        contact: txn.get(&keys::contact(conversation.contact))?,
        conversation: Some(conversation),
        message,
        ..Case::default()
    })
}

/// Whoever acted, by any name they are known by.
///
/// Numbers are given to other people: whom we know under a user id of their own is not who has their number under
/// another id now, unless the platform says that they moved.
fn identity_of(
    txn: &Txn,
    channel: &ChannelId,
    inbound: &Inbound,
    at: Timestamp,
) -> Result<Option<Identity>, StoreError> {
    let person = &inbound.from;
    if let Event::IdentityMoved { from, .. } = &inbound.event
        && let Some(moved) = by_name(txn, channel, from.as_str())?
    {
        return Ok(Some(moved));
    }
    let at = inbound.sent_at.unwrap_or(at);
    if let Some(same) = by_name(txn, channel, person.id.as_str())?
        && same.went_by(person.id.as_str(), at)
    {
        return Ok(Some(same));
    }
    let moved = matches!(inbound.event, Event::IdentityMoved { .. });
    for name in &person.aliases {
        let found = by_name(txn, channel, name)?;
        if let Some(found) = found.filter(|it| moved || is_only_known_as(it, &person.aliases)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Known under nothing but a name that more than one person may have in their lives.
fn is_only_known_as(identity: &Identity, aliases: &[String]) -> bool {
    aliases.iter().any(|name| name == identity.user.as_str())
}

/// Whom a name belongs to now.
pub(super) fn by_name(txn: &Txn, channel: &ChannelId, name: &str) -> Result<Option<Identity>, StoreError> {
    let by_user = txn.get::<IdentityId>(&keys::user(channel, &PlatformUser::from(name)))?;
    let id = match by_user {
        Some(id) => Some(id),
        None => txn.get::<IdentityId>(&keys::alias(channel, name))?,
    };
    id.map(|id| identity(txn, id)).transpose().map(Option::flatten)
}

/// What the owner's list says of whoever acted.
fn known(txn: &Txn, channel: &ChannelId, inbound: &Inbound) -> Result<Option<Known>, StoreError> {
    for name in known_names(&inbound.from) {
        if let Some(known) = txn.get(&keys::known(channel, &name))? {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

/// Whether a send that was written before a fact came in has still to give its message a name. The oldest tells.
fn unrecorded(txn: &Txn, place: &[u8], at: Timestamp) -> Result<bool, StoreError> {
    let oldest = txn.keys(place, 1)?.first().and_then(|key| keys::last_number(key));
    let row = oldest.map(|number| txn.get::<Row>(&keys::row(RowNumber(number)))).transpose()?.flatten();
    Ok(row.is_some_and(|row| row.written_at <= at))
}

/// The message that an event replies to or is about, where we know it.
fn named(txn: &Txn, instance: u64, place: &Place, event: &Event) -> Result<Option<MessageRecord>, StoreError> {
    let key = match event {
        Event::Message(own) | Event::Echo(own) => bound(txn, place, own.reply_to.as_ref())?,
        Event::Edited { id, .. } | Event::Reaction { id, .. } => bound(txn, place, Some(id))?,
        Event::Deleted { ids } => bound(txn, place, ids.first())?,
        Event::Status { key, id, .. } => match carried(txn, instance, *key)? {
            Some(message) => Some(message),
            None => bound(txn, place, id.as_ref())?,
        },
        Event::Member { .. }
        | Event::IdentityMoved { .. }
        | Event::ChatMoved { .. }
        | Event::ThreadGone { .. }
        | Event::Blocked
        | Event::Unblocked
        | Event::Known
        | Event::Started { .. }
        | Event::Undecryptable { .. }
        | Event::Unread { .. }
        | Event::Unsupported { .. } => None,
    };
    Ok(key.map(|key| message(txn, key)).transpose()?.flatten())
}

fn bound(txn: &Txn, place: &Place, id: Option<&PlatformId>) -> Result<Option<MessageKey>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    txn.get(&keys::binding(&MessageRef { place: place.clone(), id: id.clone() }))
}

fn carried(txn: &Txn, instance: u64, key: Option<OutboxKey>) -> Result<Option<MessageKey>, StoreError> {
    let Some(key) = key.filter(|key| key.instance == instance) else { return Ok(None) };
    if let Some(carried) = txn.get::<Carried>(&keys::carried(key.number))? {
        return Ok(Some(carried.message));
    }
    // It may be faster than our record of the send.
    Ok(txn.get::<Row>(&keys::row(RowNumber(key.number)))?.and_then(|row| row.what.message))
}

fn desk_of<'a>(fact: &'a Fact, case: &'a Case) -> Option<&'a DeskName> {
    if let Fact::Inbound { inbound, .. } = fact
        && let (Side::Desk { desk, .. }, _) | (_, Address::Desk { desk, .. }) = (&inbound.side, &inbound.at)
    {
        return Some(desk);
    }
    case.conversation.as_ref().map(|conversation| &conversation.desk)
}

pub(super) fn conversation(txn: &Txn, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
    txn.get(&keys::conversation(id))
}

pub(super) fn identity(txn: &Txn, id: IdentityId) -> Result<Option<Identity>, StoreError> {
    txn.get(&keys::identity(id))
}

pub(super) fn message(txn: &Txn, key: MessageKey) -> Result<Option<MessageRecord>, StoreError> {
    txn.get(&keys::message(key))
}
