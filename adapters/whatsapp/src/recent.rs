use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// What was noted lately, bounded in number and in age: the oldest note goes first.
///
/// Nothing may depend on it being there: a restart empties it.
pub(crate) struct Recent<K, V> {
    most: usize,
    keep: Duration,
    notes: Mutex<Notes<K, V>>,
}

struct Notes<K, V> {
    by_key: HashMap<K, (Instant, V)>,
    /// Each key once for each time it was noted, oldest first.
    order: VecDeque<(Instant, K)>,
}

impl<K: Clone + Eq + Hash, V: Clone> Recent<K, V> {
    pub fn new(most: usize, keep: Duration) -> Self {
        Self { most, keep, notes: Mutex::new(Notes { by_key: HashMap::new(), order: VecDeque::new() }) }
    }

    pub fn note(&self, key: K, value: V) {
        let now = Instant::now();
        let mut notes = self.lock();
        notes.by_key.insert(key.clone(), (now, value));
        notes.order.push_back((now, key));
        while notes.order.len() > self.most || notes.order.front().is_some_and(|(at, _)| *at + self.keep < now) {
            notes.forget_oldest();
        }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        let notes = self.lock();
        let (at, value) = notes.by_key.get(key)?;
        (*at + self.keep >= Instant::now()).then(|| value.clone())
    }

    pub fn forget(&self, key: &K) {
        self.lock().by_key.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Notes<K, V>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, V> Notes<K, V> {
    /// A key that was noted again since then stays.
    fn forget_oldest(&mut self) {
        let Some((noted, key)) = self.order.pop_front() else { return };
        if self.by_key.get(&key).is_some_and(|(at, _)| *at <= noted) {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_is_forgotten_when_there_are_too_many() {
        let recent = Recent::new(3, Duration::from_secs(60));
        for number in 1..=3 {
            recent.note(number, "first");
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        recent.note(1, "again");
        recent.note(4, "first");
        assert_eq!([1, 2, 3, 4].map(|number| recent.get(&number)), [Some("again"), None, Some("first"), Some("first")]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_old_is_not_found() {
        let recent = Recent::new(3, Duration::from_secs(60));
        recent.note("key", 1);
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(recent.get(&"key"), None);
        recent.note("key", 2);
        assert_eq!(recent.get(&"key"), Some(2));
        recent.forget(&"key");
        assert_eq!(recent.get(&"key"), None);
    }
}
