use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
};

use jiff::Timestamp;

use crate::store::{MessageKey, Purpose, Row, RowNumber, RowOp, Target, Verb};

/// Which row of which lane may be sent now. Knows rows by number only; what they say stays on disk.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: HashMap<Target, Lane>,
    /// Lanes with a message to send, first come first served.
    ready: VecDeque<Target>,
    /// Lanes that have nothing but card edits: after all messages.
    behind: VecDeque<Target>,
    waiting: BTreeSet<(Timestamp, Target)>,
}

#[derive(Default)]
struct Lane {
    rows: BTreeMap<Place, Entry>,
    state: State,
    /// Failed attempts in a row.
    failures: u32,
    /// Woken while it was busy.
    woken: bool,
    /// What is held is looked at again then, whatever passes it before.
    held_until: Option<Timestamp>,
}

/// `(order, Reverse(number))`: what was put before another row comes before it.
type Place = (u64, Reverse<u64>);

/// Rows by what they wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// For their turn.
    pub queued: usize,
    /// Being sent, or waiting for the pace of their platform.
    pub sending: usize,
    /// For another attempt, or behind such a row.
    pub waiting: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In no queue: nothing to send.
    #[default]
    Idle,
    Ready,
    /// With this row.
    Busy(RowNumber),
    Waiting(Timestamp),
}

/// What a row waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Sending,
    /// Its turn comes at once.
    Next,
    /// Another row of its lane goes first.
    Behind(RowNumber),
    /// It is tried again then.
    Until(Timestamp),
}

/// What folding has to know of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub number: RowNumber,
    pub behind: bool,
    pub verb: Verb,
    pub message: Option<MessageKey>,
    /// May go before rows that are held: a message that the platform takes at any time.
    pub passes: bool,
    /// Waits for a person; looked at again when its lane is woken.
    pub held: bool,
    /// An attempt may have reached the other side, which recognises a repetition and keeps the first wording: nothing
    /// is folded into this row any more.
    pub tried: bool,
}

impl Entry {
    fn of(row: &Row, tried: bool) -> Self {
        let verb = verb(&row.what.op);
        Self {
            number: row.number,
            behind: row.what.purpose == Purpose::Card && verb == Verb::Edit,
            verb,
            message: row.what.message,
            passes: matches!(row.what.op, RowOp::Template { .. }),
            held: false,
            tried,
        }
    }
}

pub(crate) fn verb(op: &RowOp) -> Verb {
    match op {
        RowOp::OpenThread { .. } | RowOp::Post { .. } | RowOp::Template { .. } => Verb::Post,
        RowOp::Edit { .. } => Verb::Edit,
        RowOp::Delete { .. } => Verb::Delete,
        RowOp::React { .. } => Verb::React,
    }
}

impl Lanes {
    /// `tried`: a former run may have tried it.
    pub fn insert(&mut self, row: &Row, tried: bool) {
        let target = &row.what.target;
        let lane = self.lanes.entry(target.clone()).or_default();
        let only_behind = lane.next().is_none_or(|next| next.behind);
        let entry = Entry::of(row, tried);
        lane.rows.insert((row.order, Reverse(row.number.0)), entry);
        let may_go = lane.next().is_some_and(|next| !next.behind);
        match lane.state {
            State::Idle => self.queue(target),
            State::Ready if !entry.behind => self.promote(target),
            State::Waiting(until) if only_behind && may_go => {
                // A card edit waits, or what is held; a message does not wait for the one, nor a template for the other.
                self.waiting.remove(&(until, target.clone()));
                self.queue(target);
            }
            State::Ready | State::Busy(_) | State::Waiting(_) => {}
        }
    }

    pub fn is_tried(&self, target: &Target, number: RowNumber) -> bool {
        let lane = self.lanes.get(target);
        lane.is_none_or(|lane| lane.rows.values().any(|entry| entry.number == number && entry.tried))
    }

    /// A call that may be seen is about to be made.
    pub fn tried(&mut self, target: &Target, number: RowNumber) {
        if let Some(lane) = self.lanes.get_mut(target) {
            lane.rows.values_mut().filter(|entry| entry.number == number).for_each(|entry| entry.tried = true);
        }
    }

    /// The next row to try; its lane is busy until [`Lanes::done`], [`Lanes::wait`] or [`Lanes::before`].
    pub fn take(&mut self, now: Timestamp) -> Option<(Target, RowNumber)> {
        while let Some((due, target)) = self.waiting.first().cloned() {
            if due > now {
                break;
            }
            self.waiting.pop_first();
            self.look_again(&target);
        }
        loop {
            let target = self.ready.pop_front().or_else(|| self.behind.pop_front())?;
            let Some(lane) = self.lanes.get_mut(&target) else { continue };
            let Some(row) = lane.next().map(|entry| entry.number) else { continue };
            lane.state = State::Busy(row);
            lane.woken = false;
            return Some((target, row));
        }
    }

    /// The rows after this one in its lane.
    pub fn later(&self, target: &Target, number: RowNumber) -> Vec<Entry> {
        let Some(lane) = self.lanes.get(target) else { return Vec::new() };
        lane.rows.values().skip_while(|entry| entry.number != number).skip(1).copied().collect()
    }

    /// How often the lane's head has failed, this time included.
    pub fn failed(&mut self, target: &Target) -> u32 {
        self.lanes.get_mut(target).map_or(1, |lane| {
            lane.failures = lane.failures.saturating_add(1);
            lane.failures
        })
    }

    /// Rows that were settled without being sent.
    pub fn forget(&mut self, target: &Target, numbers: &[RowNumber]) {
        if let Some(lane) = self.lanes.get_mut(target) {
            lane.rows.retain(|_, entry| !numbers.contains(&entry.number));
        }
    }

    pub fn done(&mut self, target: &Target, number: RowNumber) {
        self.forget(target, &[number]);
        if let Some(lane) = self.lanes.get_mut(target) {
            lane.failures = 0;
        }
        self.queue(target);
    }

    pub fn wait(&mut self, target: &Target, until: Timestamp) {
        if let Some(lane) = self.lanes.get_mut(target) {
            lane.state = State::Waiting(until);
            self.waiting.insert((until, target.clone()));
        }
    }

    /// A row waits for a person, and everything after it; until then at the latest it is looked at again.
    pub fn hold(&mut self, target: &Target, number: RowNumber, until: Timestamp) {
        let Some(lane) = self.lanes.get_mut(target) else { return };
        if !lane.woken {
            lane.rows.values_mut().filter(|entry| entry.number == number).for_each(|entry| entry.held = true);
            lane.held_until = Some(until);
        }
        lane.failures = 0;
        self.queue(target);
    }

    /// What is held may have been set free, or be gone.
    pub fn wake(&mut self, target: &Target) {
        let Some(lane) = self.lanes.get_mut(target) else { return };
        let busy = matches!(lane.state, State::Busy(_));
        lane.woken |= busy;
        if busy {
            self.let_go(target);
        } else if lane.rows.values().any(|entry| entry.held) {
            self.unqueue(target);
            self.look_again(target);
        }
    }

    fn look_again(&mut self, target: &Target) {
        self.let_go(target);
        self.queue(target);
    }

    fn let_go(&mut self, target: &Target) {
        if let Some(lane) = self.lanes.get_mut(target) {
            lane.rows.values_mut().for_each(|entry| entry.held = false);
            lane.held_until = None;
        }
    }

    pub fn before(&mut self, target: &Target, row: &Row) {
        if let Some(lane) = self.lanes.get_mut(target) {
            lane.rows.retain(|_, entry| entry.number != row.number);
            lane.rows.insert((row.order, Reverse(row.number.0)), Entry::of(row, false));
        }
        self.queue(target);
    }

    /// What a row waits for; `None` when it is not here.
    pub fn standing(&self, target: &Target, number: RowNumber) -> Option<Standing> {
        let lane = self.lanes.get(target).filter(|lane| lane.holds(number))?;
        Some(match lane.state {
            State::Busy(busy) if busy == number => Standing::Sending,
            State::Busy(busy) => Standing::Behind(busy),
            State::Idle | State::Ready | State::Waiting(_) => match (lane.next(), lane.state) {
                (Some(next), _) if next.number != number => Standing::Behind(next.number),
                (_, State::Waiting(until)) => Standing::Until(until),
                (_, State::Idle | State::Ready | State::Busy(_)) => Standing::Next,
            },
        })
    }

    /// Takes a lane out of its queue and keeps it busy with its next row, so that nobody else sends from it, until
    /// [`Lanes::release`]. `None` when it is busy already, or empty.
    pub fn claim(&mut self, target: &Target) -> Option<RowNumber> {
        if matches!(self.lanes.get(target)?.state, State::Busy(_)) {
            return None;
        }
        self.unqueue(target);
        self.let_go(target);
        let lane = self.lanes.get_mut(target)?;
        let next = lane.next()?.number;
        lane.state = State::Busy(next);
        Some(next)
    }

    /// The lane goes on at once.
    pub fn release(&mut self, target: &Target) {
        self.queue(target);
    }

    /// Takes a row out, so that it is not sent any more; `false` when it is being sent, or not here.
    pub fn withdraw(&mut self, target: &Target, number: RowNumber) -> bool {
        let Some(lane) = self.lanes.get_mut(target).filter(|lane| lane.holds(number)) else { return false };
        match lane.state {
            State::Busy(busy) if busy == number => return false,
            State::Busy(_) => self.forget(target, &[number]),
            State::Idle | State::Ready | State::Waiting(_) => {
                // One that waited behind it need not wait for its sake.
                self.unqueue(target);
                self.forget(target, &[number]);
                self.queue(target);
            }
        }
        true
    }

    pub fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// A walk over the lanes, not over their rows.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for lane in self.lanes.values() {
            let rows = lane.rows.len();
            match lane.state {
                State::Idle | State::Ready => counts.queued += rows,
                State::Busy(_) => {
                    counts.sending += rows.min(1);
                    counts.queued += rows.saturating_sub(1);
                }
                State::Waiting(_) => counts.waiting += rows,
            }
        }
        counts
    }

    /// Puts a lane where it belongs; an empty one is forgotten, and one in which all is held waits.
    fn queue(&mut self, target: &Target) {
        let Some(lane) = self.lanes.get_mut(target) else { return };
        let Some(next) = lane.next().copied() else {
            lane.state = State::Idle;
            if lane.rows.is_empty() {
                self.lanes.remove(target);
            } else if let Some(until) = lane.held_until {
                self.wait(target, until);
            }
            return;
        };
        lane.state = State::Ready;
        if next.behind {
            self.behind.push_back(target.clone());
        } else {
            self.ready.push_back(target.clone());
        }
    }

    /// Takes a lane out of whatever queue it is in.
    fn unqueue(&mut self, target: &Target) {
        let Some(lane) = self.lanes.get_mut(target) else { return };
        match lane.state {
            State::Ready => {
                self.ready.retain(|other| other != target);
                self.behind.retain(|other| other != target);
            }
            State::Waiting(until) => drop(self.waiting.remove(&(until, target.clone()))),
            State::Idle | State::Busy(_) => {}
        }
        lane.state = State::Idle;
    }

    /// A lane of card edits got a message.
    fn promote(&mut self, target: &Target) {
        if let Some(index) = self.behind.iter().position(|waiting| waiting == target) {
            self.behind.remove(index);
            self.ready.push_back(target.clone());
        }
    }
}

impl Lane {
    fn holds(&self, number: RowNumber) -> bool {
        self.rows.values().any(|entry| entry.number == number)
    }

    /// Messages before card edits; else in order. Behind what is held goes only what may pass it.
    fn next(&self) -> Option<&Entry> {
        let first = self.rows.values().find(|entry| !entry.behind).or_else(|| self.rows.values().next())?;
        if first.held { self.rows.values().find(|entry| entry.passes) } else { Some(first) }
    }
}
