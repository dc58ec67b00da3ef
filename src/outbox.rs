//! Delivers what was written: in order in each lane, lanes fairly side by side, paced as the platforms ask, repeated
//! where that is safe, given up in plain words where it is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use frontdesk_core::{Adapter, ChannelId, DeskName};
use futures::FutureExt;
use jiff::Timestamp;
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::{
    clock::Clock,
    health::Health,
    metrics::{self, Metrics},
    store::{Ended, Outcome, Row, RowNumber, Shown, Store, StoreError, Target},
};

mod deliver;
mod fold;
mod held;
mod lanes;
mod outbound;
mod owner;
mod pace;
mod turn;

pub use lanes::Counts;
use lanes::Lanes;
pub use lanes::Standing;
pub(crate) use lanes::verb;
pub use owner::{Told, taken_out};
use pace::Pacer;

/// Sends of one channel under way at once: more does not make a homeserver faster.
const AT_ONCE: usize = 16;
/// Lanes under way at once, waiting for their pace or their channel. Bounds the memory of a backlog.
const LANES_AT_ONCE: usize = 4096;
/// Receipts and typing waiting to be shown; more than that are dropped.
const SIGNALS_AT_ONCE: usize = 64;
/// What is under way gets this long to end when the program stops.
const LAST_WORDS: Duration = Duration::from_secs(3);

pub struct Outbox {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    channels: BTreeMap<ChannelId, Channel>,
    desks: BTreeMap<DeskName, ChannelId>,
    lanes: Mutex<Lanes>,
    /// Desks that cannot be reached, as the other desks have been told.
    late_desks: Mutex<BTreeSet<DeskName>>,
    pacer: Pacer,
    wake: Notify,
    signals: Arc<Semaphore>,
    /// Told when a platform's name for something was recorded: parked facts may go on.
    recorded: Arc<Notify>,
}

struct Channel {
    adapter: Arc<dyn Adapter>,
    slots: Semaphore,
}

/// What a lane does after a row was tried.
#[derive(Debug)]
enum Next {
    /// The row is gone; the next one may go.
    Done,
    /// Not before this.
    Wait(Timestamp),
    /// When its lane is woken, and at this time at the latest.
    Held(Timestamp),
    /// Put these before it.
    Before(Box<Row>),
}

impl Outbox {
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        adapters: BTreeMap<ChannelId, Arc<dyn Adapter>>,
        desks: BTreeMap<DeskName, ChannelId>,
        recorded: Arc<Notify>,
    ) -> Self {
        let channel = |adapter| Channel { adapter, slots: Semaphore::new(AT_ONCE) };
        Self {
            store,
            clock,
            health,
            metrics,
            channels: adapters.into_iter().map(|(id, adapter)| (id, channel(adapter))).collect(),
            desks,
            lanes: Mutex::default(),
            late_desks: Mutex::default(),
            pacer: Pacer::default(),
            wake: Notify::new(),
            signals: Arc::new(Semaphore::new(SIGNALS_AT_ONCE)),
            recorded,
        }
    }

    /// Reads what a former run left behind. Before [`Outbox::run`], and before the first [`Outbox::push`].
    pub async fn load(&self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let rows = self.store.rows(after, 1000).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.number);
            self.insert(&rows, true);
        }
    }

    /// How many rows there are, by what they wait for.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lanes().counts()
    }

    /// Rows that were just written.
    pub fn push(&self, rows: &[Row]) {
        if !rows.is_empty() {
            self.insert(rows, false);
        }
    }

    fn insert(&self, rows: &[Row], tried: bool) {
        let mut lanes = self.lanes();
        for row in rows {
            lanes.insert(row, tried);
        }
        drop(lanes);
        self.wake.notify_one();
    }

    /// What was held may go, or is gone.
    pub fn look_again(&self, targets: &[Target]) {
        if targets.is_empty() {
            return;
        }
        let mut lanes = self.lanes();
        targets.iter().for_each(|target| lanes.wake(target));
        drop(lanes);
        self.wake.notify_one();
    }

    /// Rows that ended by a decision.
    pub fn ended(&self, rows: &[(Ended, Outcome)]) {
        for (row, outcome) in rows {
            let channel = row.channel.as_ref().or_else(|| self.desks.get(row.target.desk()?));
            self.metrics.ended(channel, row, metrics::outcome(outcome), self.clock.now());
        }
    }

    /// Shows a receipt or typing, if it can be done at once.
    pub fn signal(self: &Arc<Self>, shown: Shown) {
        let Some(channel) = self.channels.get(&shown.channel) else { return };
        let Ok(permit) = Arc::clone(&self.signals).try_acquire_owned() else { return };
        let adapter = Arc::clone(&channel.adapter);
        tokio::spawn(async move {
            let _ = timeout(Duration::from_secs(10), adapter.signal(&shown.to, shown.signal)).await;
            drop(permit);
        });
    }

    /// Delivers until `stop`; what is under way then gets a moment to end.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut under_way = JoinSet::new();
        while !stop.is_cancelled() {
            while under_way.len() < LANES_AT_ONCE {
                let Some((target, row)) = self.lanes().take(self.clock.now()) else { break };
                under_way.spawn(Arc::clone(&self).work(target, row, stop.clone()));
            }
            // When all places are taken, only an end makes one free.
            let full = under_way.len() >= LANES_AT_ONCE;
            let nap = if full { Duration::from_secs(60) } else { self.until_next() };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                Some(_) = under_way.join_next() => {}
                () = sleep(nap) => {}
            }
        }
        let all = async { while under_way.join_next().await.is_some() {} };
        if timeout(LAST_WORDS, all).await.is_err() {
            warn!("stopped while messages were being sent; they are looked after at the next start");
        }
    }

    /// One row of one lane; then the lane goes on.
    async fn work(self: Arc<Self>, target: Target, number: RowNumber, stop: CancellationToken) {
        let attempt = AssertUnwindSafe(self.deliver(&target, number, &stop)).catch_unwind();
        let next = match attempt.await {
            Ok(Ok(next)) => next,
            Ok(Err(problem)) => {
                warn!(row = %number, %problem, "the store failed while sending; trying again soon");
                self.in_a_while()
            }
            Err(_) => {
                error!(row = %number, "sending failed in an unforeseen way; trying again soon");
                self.in_a_while()
            }
        };
        let mut lanes = self.lanes();
        match next {
            Next::Done => lanes.done(&target, number),
            Next::Wait(until) => lanes.wait(&target, until),
            Next::Held(until) => lanes.hold(&target, number, until),
            Next::Before(row) => lanes.before(&target, &row),
        }
        drop(lanes);
        self.wake.notify_one();
    }

    fn in_a_while(&self) -> Next {
        Next::Wait(pace::after(self.clock.now(), Duration::from_secs(10)))
    }

    /// Until a waiting lane may go on; looks up once a minute in any case, for clocks that jump.
    fn until_next(&self) -> Duration {
        let next = self.lanes().next_due();
        let nap = next.and_then(|at| Duration::try_from(at.duration_since(self.clock.now())).ok());
        match (next, nap) {
            (None, _) => Duration::from_secs(60),
            (Some(_), None) => Duration::ZERO,
            (Some(_), Some(nap)) => nap.min(Duration::from_secs(60)),
        }
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late_desks(&self) -> std::sync::MutexGuard<'_, BTreeSet<DeskName>> {
        self.late_desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
