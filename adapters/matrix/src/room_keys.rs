//! When a room's key is changed for the next one.
//!
//! The SDK changes a key that has served its time before it encrypts, and panics where that time is up only now: of
//! two sends side by side both may have come before the last turn. So the turns are counted here, and the key is
//! changed while nobody sends.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use matrix_sdk::{Room, ruma::OwnedRoomId};
use tokio::{
    sync::{OwnedRwLockReadGuard, RwLock},
    time::Instant,
};

/// What the Matrix specification recommends, where a room says nothing.
const MESSAGES: u64 = 100;
const PERIOD: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The SDK takes a room's wish for no less than this, and for no more messages than that.
const LEAST_PERIOD: Duration = Duration::from_secs(60 * 60);
const MOST_MESSAGES: u64 = 10_000;

/// The keys with which we encrypt, by room.
#[derive(Default)]
pub(crate) struct RoomKeys(Mutex<HashMap<OwnedRoomId, Arc<RwLock<Turns>>>>);

/// One send with the room's key, until it is dropped.
pub(crate) struct Turn {
    _key: OwnedRwLockReadGuard<Turns>,
}

impl RoomKeys {
    /// Waits while the key is changed. How often it has served before this run is not known, so the first turn begins
    /// with a new one. `None` where the room is not encrypted.
    pub(crate) async fn turn(&self, room: &Room) -> matrix_sdk::Result<Option<Turn>> {
        let Some(wish) = room.encryption_settings() else { return Ok(None) };
        let turns = self.of(room);
        loop {
            let key = Arc::clone(&turns).read_owned().await;
            if key.take(Instant::now()) {
                return Ok(Some(Turn { _key: key }));
            }
            drop(key);
            let mut alone = turns.write().await;
            if !alone.any_left(Instant::now()) {
                room.discard_room_key().await?;
                let period = wish.rotation_period_ms.map(|ms| Duration::from_millis(ms.into()));
                *alone = Turns::new(wish.rotation_period_msgs.map(u64::from), period, Instant::now());
            }
        }
    }

    fn of(&self, room: &Room) -> Arc<RwLock<Turns>> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rooms.entry(room.room_id().to_owned()).or_default())
    }
}

/// How often, and until when, a key may still be used. By default not at all.
#[derive(Default)]
struct Turns {
    left: AtomicU64,
    until: Option<Instant>,
}

impl Turns {
    fn new(messages: Option<u64>, period: Option<Duration>, now: Instant) -> Self {
        let period = period.unwrap_or(PERIOD).max(LEAST_PERIOD);
        // Half of it: whoever has a turn may need a while, and clocks differ.
        let until = now.checked_add(period / 2);
        Self { left: AtomicU64::new(messages.unwrap_or(MESSAGES).clamp(1, MOST_MESSAGES)), until }
    }

    fn take(&self, now: Instant) -> bool {
        let fresh = self.until.is_some_and(|until| now < until);
        fresh && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn any_left(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until) && self.left.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_serves_as_often_as_the_room_wishes_and_not_at_all_before_it_is_new() {
        let now = Instant::now();
        assert!(!Turns::default().take(now));
        let turns = Turns::new(Some(2), None, now);
        assert!(turns.any_left(now) && turns.take(now) && turns.take(now));
        assert!(!turns.any_left(now) && !turns.take(now));
        let usual = Turns::new(None, None, now);
        assert_eq!((0..1_000).filter(|_| usual.take(now)).count(), 100);
        assert!(Turns::new(Some(0), None, now).take(now), "the SDK takes none for one");
    }

    #[test]
    fn a_key_is_changed_before_its_time_is_up() {
        let now = Instant::now();
        let turns = Turns::new(None, Some(Duration::ZERO), now);
        assert!(turns.take(now + Duration::from_secs(29 * 60)));
        assert!(!turns.take(now + Duration::from_secs(31 * 60)));
        assert!(!turns.any_left(now + Duration::from_secs(31 * 60)));
    }
}
