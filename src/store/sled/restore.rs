//! A store made from a copy of another one. Time has passed since the copy was made: what was under way then may have
//! happened, so nothing of it is taken for new.

use std::{collections::BTreeMap, path::Path};

use frontdesk_core::{ChannelId, Content, DeskName, Event, Side, Style};
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        Author, ChangeKind, Contact, Conversation, Decision, Fact, InboxRow, InboxSeq, LedgerEntry, Mark, MessageRef,
        NewRow, Outcome, Place, Purpose, Row, RowOp, RowState, Silence, StoreError, Target, Timer, TimerKind, Verdict,
    },
    apply, codec, copy,
    disk::{Disk, Header, SCHEMA},
    keys::{self, Key, Table},
    outbox,
    txn::Txn,
};
use crate::notices::Kind;

/// Records in one commit.
const PAGE: usize = 500;
/// What an operator wrote this long before it can be read is shown to them, and not sent.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// A store in the making.
pub struct Restore {
    disk: Disk,
}

/// What became of what was under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Answers that are put before the operators, and automatic texts that are dropped.
    pub uncertain: usize,
    /// What goes to a desk once more, marked.
    pub repeated: usize,
}

impl Restore {
    /// In a folder that is not there yet. Blocks, as everything here does.
    pub fn begin(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { disk: Disk::open(path)? })
    }

    /// Repeats a piece of a copy. Pieces come in their order.
    pub fn apply(&self, piece: &[u8]) -> Result<(), StoreError> {
        let changes = copy::read(piece).ok_or_else(|| self.disk.damaged("a piece of the backup makes no sense"))?;
        let mut last = BTreeMap::new();
        for (key, value) in changes {
            match value {
                // The new store has its own, so that it never repeats a key of the old one.
                Some(value) if copy::is_header(&key) => self.check(&value)?,
                value => drop(last.insert(key, value)),
            }
        }
        self.disk.commit(last)
    }

    /// Judges what was under way, tells the desks, and closes the store. `made` is when the backup was; `desks` are
    /// those of the config, with their channels.
    pub fn finish(
        self,
        made: Timestamp,
        at: Timestamp,
        desks: &[(DeskName, ChannelId)],
        notice: &str,
    ) -> Result<Restored, StoreError> {
        self.step(doubt_facts)?;
        for table in [Table::Inbox, Table::Parked] {
            self.pages(table, doubt_answer)?;
        }
        let restored = self.doubt_rows(at)?;
        self.pages(Table::Timers, |txn, key| drop_timer(txn, key, made))?;
        for (desk, channel) in desks {
            self.step(|txn| {
                // What was written there since may have been carried out by the lost store: it is not read again.
                txn.remove(keys::cursor(channel))?;
                outbox::append(txn, at, line(desk, notice)).map(drop)
            })?;
        }
        Ok(restored)
    }

    fn doubt_rows(&self, at: Timestamp) -> Result<Restored, StoreError> {
        let (instance, mut restored) = (self.disk.instance(), Restored::default());
        self.pages(Table::Outbox, |txn, key| {
            let Some(row) = txn.get::<Row>(key)? else { return Ok(()) };
            if is_uncertain(row.what.purpose) {
                let reason = "it waited when the backup was made from which frontdesk was restored".to_owned();
                restored.uncertain += 1;
                return outbox::settle(txn, instance, row.number, at, Outcome::Uncertain { reason }).map(drop);
            }
            restored.repeated += 1;
            again(txn, row)
        })?;
        Ok(restored)
    }

    fn check(&self, header: &[u8]) -> Result<(), StoreError> {
        let header: Header = codec::decode(header).map_err(|detail| self.disk.damaged(detail))?;
        if header.schema > SCHEMA {
            let path = self.disk.path().to_owned();
            return Err(StoreError::Newer { path, found: header.schema, known: SCHEMA });
        }
        Ok(())
    }

    fn step<T>(&self, work: impl FnOnce(&mut Txn) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut txn = Txn::new(&self.disk);
        let outcome = txn.attempt(work)?;
        self.disk.commit(txn.into_changes())?;
        Ok(outcome)
    }

    /// Every key of a table that is there now, a page for each commit.
    fn pages(
        &self,
        table: Table,
        mut work: impl FnMut(&mut Txn, &Key) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let end = keys::end_of(&keys::all(table));
        let mut start = keys::all(table);
        loop {
            let keys = self.step(|txn| {
                let keys = txn.keys_until(&start, end.clone(), PAGE)?;
                keys.iter().try_for_each(|key| work(txn, key))?;
                Ok(keys)
            })?;
            let Some(last) = keys.last().filter(|_| keys.len() == PAGE) else { return Ok(()) };
            start = [last.as_slice(), &[0]].concat();
        }
    }
}

/// What the inbox held when the copy was made: the lost store may have decided it.
pub(super) fn in_doubt(txn: &Txn, seq: InboxSeq) -> Result<bool, StoreError> {
    Ok(seq.0 <= txn.count(&keys::meta("restored"))?)
}

/// Nothing automatic follows from what may have been decided before.
pub(super) fn without_automatic(mut decision: Decision) -> Decision {
    decision.rows.retain(|row| !matches!(row.purpose, Purpose::Automatic(_)));
    decision.messages.retain(|message| !matches!(message.author, Author::Automatic { .. }));
    decision.timers.retain(|timer| timer.kind != TimerKind::Automatic);
    for pending in decision.conversations.iter_mut().filter_map(|conversation| conversation.pending.take()) {
        if let Some(contact) = &mut decision.contact {
            count_as_said(contact, pending.kind, pending.since);
        }
    }
    for entry in decision.ledger.iter_mut().filter(|entry| entry.verdict == Verdict::Planned) {
        entry.verdict = Verdict::Silent { reason: Silence::Uncertain };
    }
    decision
}

/// Of what may have been said before, nothing is said again.
fn count_as_said(contact: &mut Contact, kind: Kind, at: Timestamp) {
    match kind {
        Kind::FirstContact | Kind::FirstContactClosed | Kind::Invitation => {
            contact.acknowledged_at.get_or_insert(at);
        }
        Kind::AfterHours => contact.notice_at = Some(at),
    }
}

/// A row that may repeat what stands at the desk already says so.
pub(super) fn again(txn: &mut Txn, row: Row) -> Result<(), StoreError> {
    let possibly_repeated = match row.what.op {
        RowOp::OpenThread { .. } | RowOp::Post { .. } | RowOp::Template { .. } => true,
        RowOp::Edit { .. } | RowOp::Delete { .. } | RowOp::React { .. } => row.possibly_repeated,
    };
    let row = Row { state: RowState::Queued, not_before: None, possibly_repeated, ..row };
    outbox::update(txn, row).map(drop)
}

fn is_uncertain(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Answer | Purpose::Automatic(_) => true,
        Purpose::Relay | Purpose::Card | Purpose::Failure | Purpose::Reply => false,
    }
}

/// Whatever is in the inbox now may have been decided.
fn doubt_facts(txn: &mut Txn) -> Result<(), StoreError> {
    let last = txn.count(&keys::meta("inbox"))?;
    txn.put(keys::meta("restored"), &last)
}

/// What an operator wrote may have reached the customer: it is shown to them like what could be read too late.
fn doubt_answer(txn: &mut Txn, key: &Key) -> Result<(), StoreError> {
    let Some(row) = txn.get::<InboxRow>(key)? else { return Ok(()) };
    let Fact::Inbound { channel, inbound } = &row.fact else { return Ok(()) };
    let (Side::Desk { .. }, Event::Message(message)) = (&inbound.side, &inbound.event) else { return Ok(()) };
    let name = MessageRef { place: Place::of(channel, &inbound.at), id: message.id.clone() };
    let told = row.at.checked_sub(LATE).unwrap_or(Timestamp::MIN);
    apply::put_mark(txn, row.at, &name, &Mark::new(told, ChangeKind::Uncertain))
}

/// An automatic text that was planned may have been said.
fn drop_timer(txn: &mut Txn, key: &Key, made: Timestamp) -> Result<(), StoreError> {
    let Some(timer) = txn.get::<Timer>(key)?.filter(|timer| timer.kind == TimerKind::Automatic) else { return Ok(()) };
    txn.remove(key.clone())?;
    let at = keys::conversation(timer.conversation);
    let Some(mut conversation) = txn.get::<Conversation>(&at)? else { return Ok(()) };
    let Some(pending) = conversation.pending.take_if(|pending| pending.timer == timer.id) else { return Ok(()) };
    if let Some(mut contact) = txn.get::<Contact>(&keys::contact(conversation.contact))? {
        count_as_said(&mut contact, pending.kind, made);
        txn.put(keys::contact(contact.id), &contact)?;
    }
    let verdict = Verdict::Silent { reason: Silence::Uncertain };
    let entry = LedgerEntry {
        contact: conversation.contact,
        conversation: Some(conversation.id),
        at: made,
        kind: pending.kind,
        verdict,
    };
    apply::put_ledger(txn, &entry)?;
    txn.put(at, &conversation)
}

fn line(desk: &DeskName, text: &str) -> NewRow {
    NewRow {
        target: Target::Desk(desk.clone()),
        purpose: Purpose::Reply,
        op: RowOp::Post { content: Content::text(text), style: Style::Notice, reply_to: None, mentions: Vec::new() },
        conversation: None,
        message: None,
        sender: None,
        expires_at: None,
        unless_answered: None,
        give_up_at: None,
        piece: false,
        hold: None,
    }
}
