//! Measurements, each beside its limit in the same run. They take minutes, so only who asks for them gets them:
//! `cargo test --release --test it bench:: -- --ignored --nocapture --test-threads 1`

use std::time::Duration;

mod disk;
mod memory;
mod relay;
mod rig;
mod start;
mod tap;
mod through;
mod webhooks;

/// Of many: the middle, and what one in a hundred exceeds. In milliseconds.
#[derive(Clone, Copy, Debug)]
struct Spread {
    p50: f64,
    p99: f64,
}

impl Spread {
    fn of(times: &[Duration]) -> Self {
        let mut sorted: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
        assert!(!sorted.is_empty(), "nothing was measured");
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        Self { p50: at(0.5), p99: at(0.99) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:7.2} ms   p99 {:7.2} ms", self.p50, self.p99)
    }
}

/// A count from the environment, so that a short run can be tried.
fn count(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |count| count.parse().expect("a number"))
}
