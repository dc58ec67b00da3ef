//! The durable inbox: takes events from the channels, and the one task that decides about them in order.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use frontdesk_core::{AccountId, ChannelHealth, ChannelId, Cursor, Inbound, Inbox, InboxError};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::{
    clock::Clock,
    dispatcher::Policy,
    health::Health,
    kill::{self, Point},
    metrics::{Metrics, Step},
    outbox::Outbox,
    store::{Dispatched, Store, StoreError},
    templates::Wishes,
};

/// Facts decided in one transaction.
const AT_ONCE: usize = 64;
/// Timers wait for the channels to catch up after a start, but no longer than this.
const CATCH_UP: SignedDuration = SignedDuration::from_secs(60);
/// Parked facts are looked at again this often, even when no name became known.
const PARKED: Duration = Duration::from_secs(5);
/// So many failures of the store in a row, and the program is better started again.
const FAILURES: u32 = 5;
/// Between two attempts when the store fails.
const PAUSE: Duration = Duration::from_secs(2);

/// The inbox as one channel sees it.
pub struct ChannelInbox {
    pub channel: ChannelId,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    /// Wakes the dispatch task.
    pub arrived: Arc<Notify>,
}

#[async_trait]
impl Inbox for ChannelInbox {
    async fn connected(&self, account: AccountId) -> Result<(), InboxError> {
        let recorded = self.store.account(&self.channel, &account).await.map_err(|error| refuse(&error))?;
        if recorded == account {
            return Ok(());
        }
        let (kind, name) = self.channel.as_str().split_once('.').unwrap_or((self.channel.as_str(), ""));
        Err(InboxError::Account(format!(
            "{} was first connected to the account {recorded}, and its credentials are now for {account}. Messages of \
             two accounts must not mix: give the new one a table of its own (for example [{kind}.{name}2])",
            self.channel
        )))
    }

    async fn accept(&self, events: Vec<Inbound>, cursor: Option<Cursor>) -> Result<(), InboxError> {
        let events_in = events.len();
        let [before, after] = kill::accepting(&events);
        kill::point(before);
        let accepting = self.store.accept(&self.channel, self.clock.now(), events, cursor);
        let accepted = self.metrics.timed(Step::Accept, accepting).await;
        kill::point(after);
        self.health.set_store(accepted.as_ref().err().map(ToString::to_string));
        let new = accepted.map_err(|error| refuse(&error))?;
        debug!(channel = %self.channel, events = events_in, new, "accepted");
        self.metrics.accepted(&self.channel, new);
        if new > 0 {
            self.arrived.notify_one();
        }
        Ok(())
    }

    fn health(&self, state: ChannelHealth) {
        self.health.set(&self.channel, state);
        self.arrived.notify_one();
    }
}

fn refuse(error: &StoreError) -> InboxError {
    InboxError::Store(error.to_string())
}

/// Decides about what came in, in order.
pub struct Dispatch {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    /// Replaced as a whole when the owner has changed the config: one for each step.
    pub policy: watch::Receiver<Arc<Policy>>,
    pub outbox: Arc<Outbox>,
    /// Reads the channels' templates again when a decision asks for them.
    pub templates: Arc<Wishes>,
    pub arrived: Arc<Notify>,
}

impl Dispatch {
    /// Until `stop`, or until the store has failed for good. There is only one such task: two could greet one person
    /// twice.
    pub async fn run(self, stop: CancellationToken) {
        // An answer may wait on any channel: at a desk, or given on the owner's phone.
        let channels: Vec<_> = self.policy.borrow().channels.keys().cloned().collect();
        let started = self.clock.now();
        let mut failures = 0;
        while !stop.is_cancelled() {
            let now = self.clock.now();
            let timers = self.health.caught_up(&channels) || now.duration_since(started) >= CATCH_UP;
            let policy = Arc::clone(&self.policy.borrow());
            let dispatching = self.store.dispatch(now, timers, AT_ONCE, policy);
            let nap = match self.metrics.timed(Step::Dispatch, dispatching).await {
                Ok(dispatched) => {
                    failures = 0;
                    self.health.set_store(self.store.room().err().map(|problem| problem.to_string()));
                    self.after(dispatched, timers)
                }
                // A person makes room, and then it goes on.
                Err(full @ StoreError::Full { .. }) => {
                    self.health.set_store(Some(full.to_string()));
                    Some(PAUSE)
                }
                Err(error) => {
                    failures += 1;
                    error!(%error, failures, "the store failed; nothing that was accepted is lost");
                    self.health.set_store(Some(error.to_string()));
                    if failures >= FAILURES {
                        return;
                    }
                    Some(PAUSE)
                }
            };
            let Some(nap) = nap else { continue };
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.arrived.notified() => {}
                () = sleep(nap) => {}
            }
        }
    }

    /// Hands on what was decided; how long to rest, if at all.
    fn after(&self, dispatched: Dispatched, timers: bool) -> Option<Duration> {
        kill::point((dispatched.handled > 0).then_some(Point::DispatchAfter));
        self.metrics.dispatched(&dispatched);
        self.outbox.push(&dispatched.rows);
        self.outbox.look_again(&dispatched.woken);
        self.outbox.ended(&dispatched.ended);
        for shown in dispatched.signals {
            self.outbox.signal(shown);
        }
        if !dispatched.templates.is_empty() {
            self.templates.ask(dispatched.templates);
        }
        if dispatched.more {
            return None;
        }
        let parked = (dispatched.parked > 0).then_some(PARKED);
        // Before the channels have caught up a due timer must wait, and is looked at again when they have.
        let due = dispatched.next_timer.map(|due| if timers { self.until(due) } else { Duration::from_secs(1) });
        Some([parked, due].into_iter().flatten().min().unwrap_or(Duration::from_secs(60)).min(Duration::from_secs(60)))
    }

    fn until(&self, due: Timestamp) -> Duration {
        Duration::try_from(due.duration_since(self.clock.now())).unwrap_or(Duration::ZERO)
    }
}
