//! The answer to `/metrics`: what was counted, and how it is at this moment.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::Timestamp;
use prometheus_client::{encoding::text::encode, metrics::gauge::Gauge};

use super::{Metrics, Now};
use crate::{
    clock::Clock,
    health::Health,
    outbox::{Counts, Outbox},
    store::{Backlog, Store},
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whom to ask how it is.
pub struct Scrape {
    pub metrics: Arc<Metrics>,
    pub store: Arc<dyn Store>,
    pub outbox: Arc<Outbox>,
    pub health: Arc<Health>,
    pub clock: Arc<dyn Clock>,
}

/// Serves `/metrics`.
pub fn router(scrape: Arc<Scrape>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(scrape)
}

async fn metrics(State(scrape): State<Arc<Scrape>>) -> Response {
    match scrape.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written down").into_response(),
    }
}

impl Scrape {
    /// Everything, in the text format of OpenMetrics. Looks at a bounded part of the store, however much waits.
    pub async fn text(&self) -> Result<String, std::fmt::Error> {
        let now = &self.metrics.now;
        now.outbox(self.outbox.counts());
        now.health(&self.health);
        set(&now.memory, resident_memory().unwrap_or_default());
        // What cannot be read is told by `store_writable` and the log; the last figures stay.
        if let Ok(backlog) = self.store.backlog().await {
            now.backlog(&backlog, self.clock.now());
        }
        let mut text = String::new();
        encode(&mut text, &self.metrics.registry)?;
        Ok(text)
    }
}

impl Now {
    fn outbox(&self, counts: Counts) {
        let Counts { queued, sending, waiting } = counts;
        for (state, rows) in [("queued", queued), ("sending", sending), ("waiting", waiting)] {
            set(&self.rows.get_or_create(&[("state", state)]), rows);
        }
    }

    fn health(&self, health: &Health) {
        for (channel, ready) in health.channels() {
            set(&self.ready.get_or_create(&[("channel", channel.to_string())]), usize::from(ready));
        }
        set(&self.writable, usize::from(health.writable()));
    }

    fn backlog(&self, backlog: &Backlog, now: Timestamp) {
        let age =
            |since: Option<Timestamp>| since.map_or(0.0, |since| now.duration_since(since).as_secs_f64().max(0.0));
        self.oldest_row.set(age(backlog.oldest_row));
        set(&self.inbox, backlog.inbox);
        set(&self.parked, backlog.parked);
        set(&self.waiting, backlog.waiting);
        self.longest_wait.set(age(backlog.waiting_since));
    }
}

fn set(gauge: &Gauge, value: usize) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}

/// In bytes, where the system says it as Linux does.
fn resident_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}
