//! What is counted and measured, for `/metrics`: in the text format of OpenMetrics, which Prometheus reads.
//!
//! Labels are names out of the config and words out of this program, never anything of a customer: so their number is
//! bounded, and so is the memory.

mod scrape;

use std::{
    future::Future,
    sync::atomic::AtomicU64,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use frontdesk_core::{ChannelId, SendError};
use jiff::Timestamp;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use tokio::time::Instant;

use crate::store::{Dispatched, Ended, Outcome, Purpose, Silence, Verdict};

pub use self::scrape::{Scrape, router};

type Labels<const N: usize> = [(&'static str, String); N];
type Words<const N: usize> = [(&'static str, &'static str); N];
type Seconds = Gauge<f64, AtomicU64>;
type Durations<S> = Family<S, Histogram, fn() -> Histogram>;

/// Counted where it happens; [`Scrape`] adds what is looked up when somebody asks.
pub struct Metrics {
    registry: Registry,
    accepted: Family<Labels<1>, Counter>,
    decided: Counter,
    messages: Family<Labels<3>, Counter>,
    failures: Family<Labels<2>, Counter>,
    sends: Durations<Labels<1>>,
    deliveries: Durations<Labels<1>>,
    steps: Durations<Words<1>>,
    said: Family<Words<1>, Counter>,
    silent: Family<Words<2>, Counter>,
    now: Now,
}

/// How it is at the moment: set just before it is shown.
#[derive(Default)]
struct Now {
    rows: Family<Words<1>, Gauge>,
    oldest_row: Seconds,
    inbox: Gauge,
    parked: Gauge,
    waiting: Gauge,
    longest_wait: Seconds,
    ready: Family<Labels<1>, Gauge>,
    writable: Gauge,
    memory: Gauge,
}

/// What the store does for us, as far as it is measured.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Accept,
    Dispatch,
    Settle,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            accepted: Family::default(),
            decided: Counter::default(),
            messages: Family::default(),
            failures: Family::default(),
            sends: Family::new_with_constructor(|| Histogram::new(NETWORK)),
            deliveries: Family::new_with_constructor(|| Histogram::new(DELIVERY)),
            steps: Family::new_with_constructor(|| Histogram::new(DISK)),
            said: Family::default(),
            silent: Family::default(),
            now: Now::default(),
        };
        metrics.register();
        metrics
    }
}

const NETWORK: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];
const DELIVERY: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 600.0, 3600.0];
const DISK: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

impl Metrics {
    fn register(&mut self) {
        let it = self.registry.sub_registry_with_prefix("frontdesk");
        it.register("build", "The version of the program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let help = "Events that were taken from a channel and are on disk, without those that were seen before";
        it.register("events_accepted", help, self.accepted.clone());
        let help = "Facts that were decided: events, outcomes of sends, timers, notices of the program";
        it.register("facts_decided", help, self.decided.clone());
        let help = "Messages and changes of messages that were done with, by what they were for and how they ended";
        it.register("messages", help, self.messages.clone());
        let help = "Attempts to send that did not succeed, by why; most are tried again";
        it.register("send_failures", help, self.failures.clone());
        let help = "How long the platform took over one attempt to send, failed ones too";
        it.register_with_unit("send_duration", help, Unit::Seconds, self.sends.clone());
        let help = "From the decision to send something until the platform has taken it, waiting included";
        it.register_with_unit("delivery_duration", help, Unit::Seconds, self.deliveries.clone());
        let help = "Until a step of the store was on disk, waiting for its turn included";
        it.register_with_unit("store_step_duration", help, Unit::Seconds, self.steps.clone());
        let help = "Automatic texts that were written to be sent";
        it.register("automatic_said", help, self.said.clone());
        let help = "Automatic texts that were not sent although one might be expected, by why";
        it.register("automatic_silent", help, self.silent.clone());
        self.now.register(it);
        self.now.register_process(self.registry.sub_registry_with_prefix("process"));
    }

    /// Measures a step of the store, whatever comes of it.
    pub async fn timed<T>(&self, step: Step, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = work.await;
        self.steps.get_or_create(&[("step", step.word())]).observe(began.elapsed().as_secs_f64());
        done
    }

    /// Events of a channel were new and are on disk.
    pub fn accepted(&self, channel: &ChannelId, new: usize) {
        self.accepted.get_or_create(&[("channel", channel.to_string())]).inc_by(count(new));
    }

    /// A step of the dispatch task is on disk.
    pub fn dispatched(&self, dispatched: &Dispatched) {
        self.decided.inc_by(count(dispatched.handled));
        for (kind, verdict) in &dispatched.verdicts {
            match verdict {
                Verdict::Planned => {}
                Verdict::Said => {
                    self.said.get_or_create(&[("kind", kind.key())]).inc();
                }
                Verdict::Silent { reason } => {
                    self.silent.get_or_create(&[("kind", kind.key()), ("reason", silence(*reason))]).inc();
                }
            }
        }
    }

    /// A platform was asked to take something.
    pub fn attempted(&self, channel: &ChannelId, took: Duration, failure: Option<&SendError>) {
        self.sends.get_or_create(&[("channel", channel.to_string())]).observe(took.as_secs_f64());
        if let Some(error) = failure {
            let labels = [("channel", channel.to_string()), ("reason", failed(error).to_owned())];
            self.failures.get_or_create(&labels).inc();
        }
    }

    /// A row of the outbox has ended, and that is on disk.
    pub fn ended(&self, channel: Option<&ChannelId>, ended: &Ended, outcome: &'static str, at: Timestamp) {
        let channel = channel.map_or_else(|| "none".to_owned(), ToString::to_string);
        if outcome == SENT {
            let took = at.duration_since(ended.written_at).as_secs_f64();
            self.deliveries.get_or_create(&[("channel", channel.clone())]).observe(took.max(0.0));
        }
        let labels =
            [("channel", channel), ("purpose", purpose(ended.purpose).to_owned()), ("outcome", outcome.to_owned())];
        self.messages.get_or_create(&labels).inc();
    }
}

impl Now {
    fn register(&self, it: &mut Registry) {
        let help = "Messages waiting to be sent: for their turn (queued), under way (sending), for another attempt \
                    (waiting)";
        it.register("outbox_rows", help, self.rows.clone());
        let help = "Age of the oldest message that is waiting to be sent; 0 without one";
        it.register_with_unit("outbox_oldest", help, Unit::Seconds, self.oldest_row.clone());
        it.register("inbox_facts", "Facts that are not decided yet, counted up to 1000", self.inbox.clone());
        it.register("parked_facts", "Facts that wait for a name, counted up to 1000", self.parked.clone());
        let help = "Conversations in which a customer waits for an answer, counted up to 1000";
        it.register("conversations_waiting", help, self.waiting.clone());
        let help = "For how long the customer who waits longest has waited; 0 without one";
        it.register_with_unit("longest_wait", help, Unit::Seconds, self.longest_wait.clone());
        it.register("channel_ready", "1 where a channel receives and sends, else 0", self.ready.clone());
        it.register("store_writable", "1 while what arrives can be kept, else 0", self.writable.clone());
    }

    /// Under the names that every program has them by.
    fn register_process(&self, it: &mut Registry) {
        let help = "Memory of the program that is in RAM";
        it.register_with_unit("resident_memory", help, Unit::Bytes, self.memory.clone());
        let started = Seconds::default();
        started.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
        it.register_with_unit("start_time", "When the program started, since 1970", Unit::Seconds, started);
    }
}

impl Step {
    fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Dispatch => "dispatch",
            Self::Settle => "settle",
        }
    }
}

const SENT: &str = "sent";

/// How a row ended, as a label.
#[must_use]
pub fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => SENT,
        Outcome::Failed { .. } => "failed",
        Outcome::Uncertain { .. } => "uncertain",
        Outcome::Expired => "expired",
        Outcome::Answered => "answered",
        Outcome::Blocked => "blocked",
        Outcome::HoursChanged => "hours_changed",
        Outcome::Superseded => "superseded",
        Outcome::Dropped => "dropped",
        Outcome::TakenBack => "taken_back",
        Outcome::Held { .. } => "held",
        Outcome::Delayed { .. } => "delayed",
    }
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Relay => "relay",
        Purpose::Answer => "answer",
        Purpose::Automatic(_) => "automatic",
        Purpose::Card => "card",
        Purpose::Failure => "failure",
        Purpose::Reply => "reply",
    }
}

fn failed(error: &SendError) -> &'static str {
    match error {
        SendError::RetryAfter { .. } => "rate_limited",
        SendError::Transient(_) => "transient",
        SendError::Uncertain(_) => "uncertain",
        SendError::WindowClosed => "window_closed",
        SendError::Moved(_) => "moved",
        SendError::Refused { .. } => "refused",
    }
}

fn silence(reason: Silence) -> &'static str {
    match reason {
        Silence::AlreadyAcknowledged => "already_acknowledged",
        Silence::KnownBefore => "known_before",
        Silence::HumanPresent => "human_present",
        Silence::Answered => "answered",
        Silence::NoticeThisPeriod => "notice_this_period",
        Silence::SameWords => "same_words",
        Silence::Budget => "budget",
        Silence::Old => "old",
        Silence::NotNews => "not_news",
        Silence::OnlyThanks => "only_thanks",
        Silence::NotAPerson => "not_a_person",
        Silence::Blocked => "blocked",
        Silence::SwitchedOff => "switched_off",
        Silence::Expired => "expired",
        Silence::Uncertain => "uncertain",
        Silence::Refused => "refused",
        Silence::Closed => "closed",
        Silence::Dropped => "dropped",
        Silence::HoursChanged => "hours_changed",
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
