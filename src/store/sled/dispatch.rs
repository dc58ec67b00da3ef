//! Takes facts in order, lets them be judged, and writes what follows.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use frontdesk_core::{Event, Inbound, Message, Sent, Side};
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{Case, Decide, Decision, Dispatched, Fact, InboxRow, Outcome, Place, StoreError, Target, Timer},
    accept, apply, cases,
    keys::{self, Key, Table},
    outbox, restore,
    txn::Txn,
};
use crate::kill::{self, Point};

/// Parked facts that are judged again in one call.
const RETRIES: usize = 64;
/// Parked facts that are looked through for those whose turn it is.
const PARKED: usize = 256;
/// Timers wait for a parked answer no longer than this.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// Parked facts are counted up to here.
const COUNTED: usize = 1000;

/// Where a panic of the judge is kept, to go on where the judge was brought from.
pub(super) type Panic = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

pub(super) struct Dispatch {
    pub(super) instance: u64,
    pub(super) at: Timestamp,
    pub(super) timers: bool,
    pub(super) limit: usize,
    pub(super) decide: Arc<dyn Decide>,
    pub(super) panic: Panic,
}

impl Dispatch {
    pub(super) fn run(self, txn: &mut Txn) -> Result<Dispatched, StoreError> {
        let mut done = Dispatched::default();
        self.retry(txn, &mut done)?;
        let taken = self.take(txn, &mut done)?;
        done.more = !txn.keys(&keys::all(Table::Inbox), 1)?.is_empty();
        let patient = self.timers && !done.more && self.answer_parked(txn)?;
        if self.timers && !done.more {
            self.ring(txn, self.limit.saturating_sub(taken), patient, &mut done)?;
        }
        done.parked = txn.keys(&keys::all(Table::Parked), COUNTED)?.len();
        let next = txn.scan::<Timer>(&keys::all(Table::Timers), None, 1)?;
        // One that waits for a parked answer is looked at again soon, not at once.
        let soon = self.at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        let look_at = |due: Timestamp| if patient { due.max(soon) } else { due };
        done.next_timer = next.into_iter().next().map(|(_, timer)| look_at(timer.due));
        kill::point((done.handled > 0).then_some(Point::DispatchBefore));
        Ok(done)
    }

    /// Judges again what is parked, unless something before it in its lane still is.
    fn retry(&self, txn: &mut Txn, done: &mut Dispatched) -> Result<(), StoreError> {
        let mut tried = 0;
        for (key, row) in txn.scan::<InboxRow>(&keys::all(Table::Parked), None, PARKED)? {
            if tried == RETRIES || done.handled == self.limit {
                break;
            }
            let lane = lane(&row.fact);
            if let Some(lane) = &lane
                && txn.keys(lane, 1)?.first().is_some_and(|first| *first != keys::parked_in(lane, row.seq))
            {
                continue;
            }
            tried += 1;
            if self.judge(txn, &row, done)? {
                txn.remove(key)?;
                if let Some(lane) = lane {
                    txn.remove(keys::parked_in(&lane, row.seq))?;
                }
            }
        }
        Ok(())
    }

    /// Judges what is in the inbox, in order of arrival. What is parked keeps back what follows in its lane.
    fn take(&self, txn: &mut Txn, done: &mut Dispatched) -> Result<usize, StoreError> {
        let limit = self.limit.saturating_sub(done.handled);
        let rows = txn.scan::<InboxRow>(&keys::all(Table::Inbox), None, limit)?;
        let taken = rows.len();
        for (key, row) in rows {
            let behind =
                lane(&row.fact).map(|lane| txn.keys(&lane, 1)).transpose()?.is_some_and(|found| !found.is_empty());
            if behind || !self.judge(txn, &row, done)? {
                self.park(txn, row)?;
            }
            txn.remove(key)?;
        }
        Ok(taken)
    }

    /// Whether what an operator wrote waits for a name: it may be an answer, so timers wait for it a while.
    fn answer_parked(&self, txn: &Txn) -> Result<bool, StoreError> {
        let parked = txn.scan::<InboxRow>(&keys::all(Table::Parked), None, RETRIES)?;
        Ok(parked.iter().any(|(_, row)| matches!(&row.fact, Fact::Inbound { inbound, .. } if is_answer(inbound))))
    }

    /// Judges the timers that are due; when it is `patient`, only those that are overdue for long.
    fn ring(&self, txn: &mut Txn, limit: usize, patient: bool, done: &mut Dispatched) -> Result<(), StoreError> {
        for (key, timer) in txn.scan::<Timer>(&keys::all(Table::Timers), None, limit)? {
            if timer.due > self.at || (patient && self.at.duration_since(timer.due) < PATIENCE) {
                break;
            }
            txn.remove(key)?;
            let row =
                InboxRow { seq: accept::next_seq(txn)?, at: self.at, fact: Fact::Due { timer }, parked_since: None };
            if !self.judge(txn, &row, done)? {
                self.park(txn, row)?;
            }
        }
        Ok(())
    }

    /// Judges a fact and writes what follows; `false` when it is to wait.
    fn judge(&self, txn: &mut Txn, row: &InboxRow, done: &mut Dispatched) -> Result<bool, StoreError> {
        let case = cases::load(txn, self.instance, row, self.decide.asks(row))?;
        let known = case.identity.clone();
        let mut decision = self.decide(case, row)?;
        done.templates.extend(decision.templates.take());
        if decision.park {
            return Ok(false);
        }
        let in_doubt = restore::in_doubt(txn, row.seq)?;
        if in_doubt {
            decision = restore::without_automatic(decision);
        }
        done.signals.extend(decision.signals.iter().cloned());
        done.verdicts.extend(decision.ledger.iter().map(|entry| (entry.kind, entry.verdict.clone())));
        done.woken.extend(decision.opened.map(Target::Customer));
        self.end_rows(txn, &mut decision, done)?;
        let rows = apply::apply(txn, self.at, &row.fact, known.as_ref(), decision)?;
        if in_doubt {
            rows.iter().try_for_each(|row| restore::again(txn, row.clone()))?;
        }
        done.rows.extend(rows);
        done.handled += 1;
        Ok(true)
    }

    /// Rows that the decision ends: after the append only the outbox writes rows, and it sees that these are gone.
    fn end_rows(&self, txn: &mut Txn, decision: &mut Decision, done: &mut Dispatched) -> Result<(), StoreError> {
        if let Some((number, ids)) = decision.taken.take() {
            let sent = Sent { thread: None, ids };
            let ended = outbox::taken(txn, self.at, number, &sent)?;
            done.ended.extend(ended.map(|ended| (ended, Outcome::Sent { sent })));
        }
        let Some(conversation) = decision.take_back.take() else { return Ok(()) };
        if let Some((lane, ended)) = outbox::take_back(txn, self.instance, self.at, conversation)? {
            done.woken.push(lane);
            done.ended.extend(ended.into_iter().map(|ended| (ended, Outcome::TakenBack)));
        }
        Ok(())
    }

    fn decide(&self, case: Case, row: &InboxRow) -> Result<Decision, StoreError> {
        catch_unwind(AssertUnwindSafe(|| self.decide.decide(case, row, self.at))).map_err(|panic| {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            StoreError::Stopped
        })
    }

    fn park(&self, txn: &mut Txn, mut row: InboxRow) -> Result<(), StoreError> {
        row.parked_since.get_or_insert(self.at);
        if let Some(lane) = lane(&row.fact) {
            txn.put(keys::parked_in(&lane, row.seq), &())?;
        }
        txn.put(keys::parked(row.seq), &row)
    }
}

fn is_answer(inbound: &Inbound) -> bool {
    matches!((&inbound.side, &inbound.event), (Side::Desk { .. }, Event::Message(_)))
}

/// What must be judged in order of arrival even when something waits: a chat, a desk's thread, a message there.
fn lane(fact: &Fact) -> Option<Key> {
    match fact {
        Fact::Inbound { channel, inbound } => Some(match &inbound.side {
            Side::Customer => keys::parked_chat(&Place::of(channel, &inbound.at)),
            Side::Desk { desk, thread } => match (&inbound.event, thread) {
                // What names a message waits for that message only, not for the rest of the room.
                (Event::Edited { id, .. } | Event::Reaction { id, .. }, _) => keys::parked_message(desk, id),
                (Event::Deleted { ids }, _) => keys::parked_message(desk, ids.first()?),
                (Event::Message(Message { reply_to: Some(id), .. }), None) => keys::parked_message(desk, id),
                (_, thread) => keys::parked_thread(desk, thread.as_ref()),
            },
        }),
        Fact::Settled { .. } | Fact::Due { .. } | Fact::Notice { .. } => None,
    }
}
