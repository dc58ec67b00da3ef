//! The rows that have still to be sent, and what became of those that were.

use frontdesk_core::{Address, Content, OutboxKey, PlatformId, Sent};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Contact, ContactId, Conversation, ConversationId, Ended, Fact, HoldReason, HoursSet, Identity, IdentityId,
        MessageKey, MessageRef, NewRow, Outcome, PieceMark, Place, Purpose, Row, RowNumber, RowOp, RowState, Settled,
        StoreError, Target, ThreadBinding, Ticket, Verb,
    },
    accept, apply,
    keys::{self, Table},
    tidy::{self, CARRIED_HOURS},
    txn::Txn,
};

/// Which message a row carried: kept after the row, for delivery states that name the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carried {
    pub(super) message: MessageKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) piece: Option<PieceMark>,
}

pub(super) fn append(txn: &mut Txn, at: Timestamp, what: NewRow) -> Result<Row, StoreError> {
    append_ordered(txn, at, what, None)
}

/// A page, by number.
pub(super) fn rows(txn: &Txn, after: Option<RowNumber>, limit: usize) -> Result<Vec<Row>, StoreError> {
    let found = txn.scan(&keys::all(Table::Outbox), after.map(keys::row), limit)?;
    Ok(found.into_iter().map(|(_, row)| row).collect())
}

pub(super) fn ticket(txn: &Txn, number: RowNumber) -> Result<Option<Ticket>, StoreError> {
    let Some(row) = find(txn, number)? else { return Ok(None) };
    let mut heard_at = None;
    let (channel, address, thread) = match &row.what.target {
        Target::Customer(id) => {
            let identity = identity(txn, &row, *id)?;
            heard_at = identity.heard_at;
            (Some(identity.channel), identity.address, None)
        }
        Target::Thread(conversation, desk) => {
            let thread = txn.get::<ThreadBinding>(&keys::thread(*conversation, desk))?.map(|binding| binding.thread);
            (None, Address::Desk { desk: desk.clone(), thread: thread.clone() }, thread)
        }
        Target::Desk(desk) => (None, Address::Desk { desk: desk.clone(), thread: None }, None),
    };
    let place = place(txn, &row)?;
    let subject = subject(&row.what.op).map_or_else(|| Ok(Vec::new()), |key| names(txn, key, &place))?;
    let reply_to = reply_to(&row.what.op).map_or_else(|| Ok(Vec::new()), |key| names(txn, key, &place))?;
    let reply_to = reply_to.into_iter().next();
    let contact = contact(txn, &row)?;
    let human_at = contact.as_ref().and_then(|contact| contact.human_at);
    let blocked = contact.is_some_and(|contact| contact.blocked);
    let hours_changed_at = match row.what.purpose {
        Purpose::Automatic(_) => txn.get::<HoursSet>(&keys::hours_set())?.and_then(|hours| hours.changed_at()),
        Purpose::Relay | Purpose::Answer | Purpose::Card | Purpose::Failure | Purpose::Reply => None,
    };
    Ok(Some(Ticket { row, channel, address, thread, subject, reply_to, human_at, blocked, hours_changed_at, heard_at }))
}

/// What was told stays told, whatever the caller's copy of the row says.
pub(super) fn update(txn: &mut Txn, row: Row) -> Result<bool, StoreError> {
    let Some(old) = find(txn, row.number)? else { return Ok(false) };
    let row = Row { delay_told: row.delay_told || old.delay_told, ..row };
    note_unrecorded(txn, &row, may_become_known(&row))?;
    note_held(txn, &row, row.is_held())?;
    txn.put(keys::row(row.number), &row)?;
    Ok(true)
}

pub(super) fn fold(txn: &mut Txn, row: Row, folded: Vec<RowNumber>) -> Result<(), StoreError> {
    let kept = row.number;
    if !update(txn, row)? {
        return Ok(());
    }
    for number in folded.into_iter().filter(|number| *number != kept) {
        if let Some(row) = find(txn, number)? {
            remove(txn, &row)?;
        }
    }
    Ok(())
}

pub(super) fn settle(
    txn: &mut Txn,
    instance: u64,
    number: RowNumber,
    at: Timestamp,
    outcome: Outcome,
) -> Result<Option<Ended>, StoreError> {
    let Some(row) = find(txn, number)? else { return Ok(None) };
    let ended = ended(txn, &row)?;
    match &outcome {
        Outcome::Sent { sent } => record(txn, &row, at, sent)?,
        // Its delivery may show later.
        Outcome::Uncertain { .. } => carry(txn, &row, at)?,
        Outcome::Failed { .. }
        | Outcome::Expired
        | Outcome::Answered
        | Outcome::Blocked
        | Outcome::HoursChanged
        | Outcome::Superseded
        | Outcome::Dropped
        | Outcome::TakenBack
        | Outcome::Held { .. }
        | Outcome::Delayed { .. } => {}
    }
    remove(txn, &row)?;
    if asked_about(row.what.purpose, &outcome) {
        report(txn, instance, row, at, outcome)?;
    }
    Ok(Some(ended))
}

fn ended(txn: &Txn, row: &Row) -> Result<Ended, StoreError> {
    let target = row.what.target.clone();
    let channel = match target {
        Target::Customer(id) => txn.get::<Identity>(&keys::identity(id))?.map(|identity| identity.channel),
        Target::Thread(..) | Target::Desk(_) => None,
    };
    Ok(Ended { target, channel, purpose: row.what.purpose, written_at: row.written_at })
}

pub(super) fn delayed(
    txn: &mut Txn,
    instance: u64,
    number: RowNumber,
    at: Timestamp,
    reason: String,
) -> Result<(), StoreError> {
    let Some(row) = find(txn, number)?.filter(|row| !row.delay_told) else { return Ok(()) };
    txn.put(keys::row(number), &Row { delay_told: true, ..row.clone() })?;
    report(txn, instance, row, at, Outcome::Delayed { reason })
}

/// See [`super::super::Store::hold`].
pub(super) fn hold(
    txn: &mut Txn,
    instance: u64,
    number: RowNumber,
    at: Timestamp,
    heard_at: Option<Timestamp>,
) -> Result<Option<bool>, StoreError> {
    let Some(row) = find(txn, number)? else { return Ok(None) };
    let Target::Customer(id) = row.what.target else { return Ok(Some(false)) };
    let customer = identity(txn, &row, id)?;
    if customer.heard_at != heard_at {
        return Ok(Some(false));
    }
    if heard_at.is_some() {
        txn.put(keys::identity(id), &Identity { heard_at: None, ..customer })?;
    }
    let reason = HoldReason::WindowClosed;
    update(txn, Row { state: RowState::Held { reason }, not_before: None, ..row.clone() })?;
    report(txn, instance, row, at, Outcome::Held { reason })?;
    Ok(Some(true))
}

/// See [`super::super::Store::release`].
pub(super) fn release(txn: &mut Txn, number: RowNumber) -> Result<bool, StoreError> {
    let Some(row) = find(txn, number)?.filter(Row::is_held) else { return Ok(false) };
    update(txn, Row { state: RowState::Queued, ..row })
}

/// The platform has a row's message, as its own report shows: nobody has to be told how it ended.
pub(super) fn taken(txn: &mut Txn, at: Timestamp, number: RowNumber, sent: &Sent) -> Result<Option<Ended>, StoreError> {
    let Some(row) = find(txn, number)? else { return Ok(None) };
    let ended = ended(txn, &row)?;
    record(txn, &row, at, sent)?;
    remove(txn, &row)?;
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
        let here = find(txn, number)?.is_some_and(|row| row.is_held() && row.what.conversation == Some(id));
        if here {
            all.extend(settle(txn, instance, number, at, Outcome::TakenBack)?);
        }
    }
    Ok((!all.is_empty()).then_some((Target::Customer(conversation.identity), all)))
}

pub(super) fn reopen_thread(txn: &mut Txn, number: RowNumber, at: Timestamp) -> Result<Option<Row>, StoreError> {
    let Some(row) = find(txn, number)? else { return Ok(None) };
    let Target::Thread(id, desk) = row.what.target else { return Ok(None) };
    if let Some(opening) = txn.get::<RowNumber>(&keys::opening(id, &desk))? {
        let Some(opening) = find(txn, opening)? else { return Ok(None) };
        let first = Row { order: opening.order.min(row.order), ..opening };
        txn.put(keys::row(first.number), &first)?;
        return Ok(Some(first));
    }
    let Some(conversation) = txn.get::<Conversation>(&keys::conversation(id))? else { return Ok(None) };
    let previous = conversation.previous.map(|id| txn.get::<Conversation>(&keys::conversation(id))).transpose()?;
    // The way back from the thread stays, so that a late answer in it is still understood.
    txn.remove(keys::thread(id, &desk))?;
    let what = NewRow {
        target: Target::Thread(id, desk),
        purpose: Purpose::Card,
        op: RowOp::OpenThread {
            content: Content::text(conversation.card_text),
            reply_to: previous.flatten().map(|previous| previous.card),
        },
        conversation: Some(id),
        message: Some(conversation.card),
        sender: None,
        expires_at: None,
        unless_answered: None,
        give_up_at: None,
        piece: false,
        hold: None,
    };
    append_ordered(txn, at, what, Some(row.order)).map(Some)
}

pub(super) fn moved(txn: &mut Txn, id: IdentityId, to: Address) -> Result<(), StoreError> {
    let key = keys::identity(id);
    let Some(identity) = txn.get::<Identity>(&key)? else { return Ok(()) };
    txn.put(key, &Identity { address: to, ..identity })
}

/// Lets an outcome enter the inbox.
fn report(txn: &mut Txn, instance: u64, row: Row, at: Timestamp, outcome: Outcome) -> Result<(), StoreError> {
    let settled = Settled {
        key: OutboxKey { instance, number: row.number.0 },
        message: row.what.message.or(subject(&row.what.op)),
        verb: verb(&row.what.op),
        piece: piece(&row.what),
        target: row.what.target,
        purpose: row.what.purpose,
        conversation: row.what.conversation,
        outcome,
    };
    accept::append(txn, at, vec![Fact::Settled { settled }])
}

fn append_ordered(txn: &mut Txn, at: Timestamp, what: NewRow, order: Option<u64>) -> Result<Row, StoreError> {
    let counter = keys::meta("outbox");
    let number = txn.count(&counter)? + 1;
    txn.put(counter, &number)?;
    let row = Row {
        number: RowNumber(number),
        order: order.unwrap_or(number),
        written_at: at,
        state: what.hold.map_or(RowState::Queued, |reason| RowState::Held { reason }),
        what,
        attempts: 0,
        not_before: None,
        prepared: Default::default(),
        possibly_repeated: false,
        reopened: 0,
        delay_told: false,
    };
    note_unrecorded(txn, &row, may_become_known(&row))?;
    note_held(txn, &row, row.is_held())?;
    if let (RowOp::OpenThread { .. }, Target::Thread(conversation, desk)) = (&row.what.op, &row.what.target) {
        txn.put(keys::opening(*conversation, desk), &row.number)?;
    }
    txn.put(keys::row(row.number), &row)?;
    Ok(row)
}

fn find(txn: &Txn, number: RowNumber) -> Result<Option<Row>, StoreError> {
    txn.get(&keys::row(number))
}

fn remove(txn: &mut Txn, row: &Row) -> Result<(), StoreError> {
    note_unrecorded(txn, row, false)?;
    note_held(txn, row, false)?;
    if let Target::Thread(conversation, desk) = &row.what.target {
        let opening = keys::opening(*conversation, desk);
        if txn.get(&opening)? == Some(row.number) {
            txn.remove(opening)?;
        }
    }
    txn.remove(keys::row(row.number))
}

/// What the platform called it: the thread, and the message's names where the row made one.
fn record(txn: &mut Txn, row: &Row, at: Timestamp, sent: &Sent) -> Result<(), StoreError> {
    if let (RowOp::OpenThread { .. }, Target::Thread(conversation, desk), Some(thread)) =
        (&row.what.op, &row.what.target, &sent.thread)
    {
        let binding = ThreadBinding { conversation: *conversation, desk: desk.clone(), thread: thread.clone() };
        txn.put(keys::thread(*conversation, desk), &binding)?;
        txn.put(keys::thread_owner(desk, thread), &binding)?;
    }
    let (Some(message), true) = (row.what.message, makes_message(&row.what.op)) else { return Ok(()) };
    let place = place(txn, row)?;
    if let RowOp::OpenThread { .. } = row.what.op {
        // A card that was opened again: the old one is gone, edits and links go to the new one.
        txn.remove(keys::names(message, &place))?;
    }
    for id in &sent.ids {
        apply::bind(txn, message, &MessageRef { place: place.clone(), id: id.clone() })?;
    }
    carry(txn, row, at)
}

/// Which message the row carried, for delivery states that name the row.
fn carry(txn: &mut Txn, row: &Row, at: Timestamp) -> Result<(), StoreError> {
    let (Some(message), true) = (row.what.message, makes_message(&row.what.op)) else { return Ok(()) };
    let key = keys::carried(row.number.0);
    tidy::expire(txn, &key, at, CARRIED_HOURS)?;
    let piece = piece(&row.what).map(|words| PieceMark::of(&words));
    txn.put(key, &Carried { message, piece })
}

/// Nobody asks about a relay or card that was sent.
fn asked_about(purpose: Purpose, outcome: &Outcome) -> bool {
    let sent = matches!(outcome, Outcome::Sent { .. });
    match purpose {
        Purpose::Answer | Purpose::Automatic(_) => true,
        Purpose::Relay | Purpose::Card | Purpose::Failure | Purpose::Reply => !sent,
    }
}

fn note_unrecorded(txn: &mut Txn, row: &Row, unrecorded: bool) -> Result<(), StoreError> {
    let key = keys::unrecorded(&row.what.target, row.number);
    match (unrecorded, txn.has(&key)?) {
        (true, false) => txn.put(key, &()),
        (false, true) => txn.remove(key),
        (true, true) | (false, false) => Ok(()),
    }
}

fn note_held(txn: &mut Txn, row: &Row, held: bool) -> Result<(), StoreError> {
    let Target::Customer(identity) = row.what.target else { return Ok(()) };
    let key = keys::held(identity, row.number);
    match (held, txn.has(&key)?) {
        (true, false) => txn.put(key, &()),
        (false, true) => txn.remove(key),
        (true, true) | (false, false) => Ok(()),
    }
}

/// Whether its message may already be on the platform, or soon, under a name that is not recorded.
fn may_become_known(row: &Row) -> bool {
    let untouched = row.attempts == 0 && !row.possibly_repeated;
    match row.state {
        RowState::Held { .. } if untouched => false,
        RowState::Queued | RowState::InFlight | RowState::Held { .. } => makes_message(&row.what.op),
    }
}

fn makes_message(op: &RowOp) -> bool {
    match op {
        RowOp::OpenThread { .. } | RowOp::Post { .. } | RowOp::Template { .. } => true,
        RowOp::Edit { .. } | RowOp::Delete { .. } | RowOp::React { .. } => false,
    }
}

pub(super) fn piece(what: &NewRow) -> Option<String> {
    match &what.op {
        RowOp::Post { content, .. } if what.piece => Some(content.words()),
        RowOp::Post { .. }
        | RowOp::OpenThread { .. }
        | RowOp::Edit { .. }
        | RowOp::Delete { .. }
        | RowOp::React { .. }
        | RowOp::Template { .. } => None,
    }
}

/// The message that a row changes.
fn subject(op: &RowOp) -> Option<MessageKey> {
    match op {
        RowOp::Edit { message, .. } | RowOp::Delete { message, .. } | RowOp::React { message, .. } => Some(*message),
        RowOp::OpenThread { .. } | RowOp::Post { .. } | RowOp::Template { .. } => None,
    }
}

fn reply_to(op: &RowOp) -> Option<MessageKey> {
    match op {
        RowOp::OpenThread { reply_to, .. } | RowOp::Post { reply_to, .. } => *reply_to,
        RowOp::Edit { .. } | RowOp::Delete { .. } | RowOp::React { .. } | RowOp::Template { .. } => None,
    }
}

fn verb(op: &RowOp) -> Verb {
    match op {
        RowOp::OpenThread { .. } | RowOp::Post { .. } | RowOp::Template { .. } => Verb::Post,
        RowOp::Edit { .. } => Verb::Edit,
        RowOp::Delete { .. } => Verb::Delete,
        RowOp::React { .. } => Verb::React,
    }
}

fn names(txn: &Txn, message: MessageKey, place: &Place) -> Result<Vec<PlatformId>, StoreError> {
    Ok(txn.get(&keys::names(message, place))?.unwrap_or_default())
}

fn place(txn: &Txn, row: &Row) -> Result<Place, StoreError> {
    Ok(match &row.what.target {
        Target::Customer(id) => {
            let identity = identity(txn, row, *id)?;
            Place::of(&identity.channel, &identity.address)
        }
        Target::Thread(_, desk) | Target::Desk(desk) => Place::Desk { desk: desk.clone() },
    })
}

fn identity(txn: &Txn, row: &Row, id: IdentityId) -> Result<Identity, StoreError> {
    let found = txn.get(&keys::identity(id))?;
    found
        .ok_or_else(|| txn.damaged(format!("row {} of the outbox goes to identity {id}, which is missing", row.number)))
}

/// The person a row is about.
fn contact(txn: &Txn, row: &Row) -> Result<Option<Contact>, StoreError> {
    let id = match &row.what.target {
        Target::Customer(id) => Some(identity(txn, row, *id)?.contact),
        Target::Thread(conversation, _) => contact_of(txn, Some(*conversation))?,
        Target::Desk(_) => contact_of(txn, row.what.conversation)?,
    };
    Ok(id.map(|id| txn.get(&keys::contact(id))).transpose()?.flatten())
}

fn contact_of(txn: &Txn, id: Option<ConversationId>) -> Result<Option<ContactId>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    Ok(txn.get::<Conversation>(&keys::conversation(id))?.map(|conversation| conversation.contact))
}
