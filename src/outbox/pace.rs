use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use frontdesk_core::{Bucket, ChannelId, Pace, Rate};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How fast platforms may be written to: a slot in each bucket for each send, and nothing while one asks for patience.
#[derive(Default)]
pub(super) struct Pacer {
    buckets: Mutex<HashMap<(ChannelId, Option<Bucket>), State>>,
}

#[derive(Clone, Copy)]
struct State {
    /// When the bucket will be empty again (the virtual scheduling form of the leaky bucket).
    empty_at: Instant,
    blocked_until: Instant,
}

impl Pacer {
    /// Takes a slot in every bucket at once, and says when it comes.
    pub fn reserve(&self, channel: &ChannelId, paces: &[Pace]) -> Instant {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |pace: &Pace| (channel.clone(), Some(pace.bucket.clone()));
        let slots = paces.iter().map(|pace| match buckets.get(&key(pace)) {
            Some(state) => state.slot(pace.rate, now),
            None => now,
        });
        let slot = slots.max().unwrap_or(now);
        for pace in paces {
            let state = buckets.entry(key(pace)).or_insert(State { empty_at: now, blocked_until: now });
            state.empty_at = state.empty_at.max(slot) + pace.rate.every;
        }
        if buckets.len() > 4096 {
            buckets.retain(|_, state| state.empty_at > now || state.blocked_until > now);
        }
        slot
    }

    /// Until when nothing may go out there; `None` when it may.
    pub fn blocked(&self, channel: &ChannelId, paces: &[Pace]) -> Option<Instant> {
        let now = Instant::now();
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let own = paces.iter().map(|pace| Some(pace.bucket.clone()));
        let until = own.chain([None]).filter_map(|bucket| buckets.get(&(channel.clone(), bucket)));
        until.map(|state| state.blocked_until).filter(|until| *until > now).max()
    }

    /// The platform asks for patience; without a bucket, for the whole channel.
    pub fn block(&self, channel: &ChannelId, bucket: Option<Bucket>, after: Duration) {
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let state = buckets.entry((channel.clone(), bucket)).or_insert(State { empty_at: now, blocked_until: now });
        state.blocked_until = state.blocked_until.max(now + after);
    }
}

impl State {
    fn slot(&self, rate: Rate, now: Instant) -> Instant {
        let slack = rate.every * rate.burst.saturating_sub(1);
        let earliest = self.empty_at.checked_sub(slack).unwrap_or(now);
        earliest.max(now)
    }
}

/// 1 s, 2 s, 4 s ... up to a minute, each shortened by up to half at random, so that lanes do not march in step.
pub(super) fn backoff(failures: u32) -> Duration {
    let full = Duration::from_secs(1 << failures.saturating_sub(1).min(8)).min(Duration::from_secs(60));
    full.mul_f64(1.0 - fastrand::f64() / 2.0)
}

/// An instant some time later; the end of time where there is no such instant.
pub(super) fn after(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(burst: u32, every: u64) -> Pace {
        Pace { bucket: "chat".into(), rate: Rate { burst, every: Duration::from_secs(every) } }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let (pacer, channel, start) = (Pacer::default(), ChannelId::from("telegram.shop"), Instant::now());
        let slots: Vec<_> = (0..4).map(|_| (pacer.reserve(&channel, &[pace(2, 3)]) - start).as_secs()).collect();
        assert_eq!(slots, [0, 0, 3, 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_channel_blocks_its_buckets_only() {
        let (pacer, channel, other) =
            (Pacer::default(), ChannelId::from("telegram.shop"), ChannelId::from("matrix.desk"));
        pacer.block(&channel, None, Duration::from_secs(5));
        assert!(pacer.blocked(&channel, &[pace(1, 1)]).is_some());
        assert!(pacer.blocked(&other, &[pace(1, 1)]).is_none());
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(pacer.blocked(&channel, &[pace(1, 1)]).is_none());
    }

    #[test]
    fn waiting_grows_to_a_minute() {
        assert!(backoff(1) <= Duration::from_secs(1));
        assert!(backoff(4) >= Duration::from_secs(4));
        assert!(backoff(60) <= Duration::from_secs(60));
        assert!(backoff(60) >= Duration::from_secs(30));
    }
}
