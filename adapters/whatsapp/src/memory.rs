//! What an account's webhooks and sends told lately. Nothing depends on it: it makes an uncertain send certain sooner,
//! and a receipt possible.

use std::time::Duration;

use frontdesk_core::{Address, OutboxKey, PlatformId};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::recent::Recent;

pub(crate) struct Memory {
    /// What Meta called the sends that it took.
    sends: Recent<OutboxKey, PlatformId>,
    /// Wakes whoever waits for one of them.
    told: watch::Sender<()>,
    /// The customer's latest message in each chat.
    latest: Recent<Address, PlatformId>,
    /// Who has a phone number.
    users: Recent<String, String>,
}

/// Statuses follow a send within seconds, or days later when the phone was off; only the first ones matter here.
const SENDS: usize = 20_000;
const SENDS_KEPT: Duration = Duration::from_secs(2 * 60 * 60);

/// Typing is shown to somebody who wrote lately.
const LATEST: usize = 10_000;
const LATEST_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

const USERS: usize = 20_000;
const USERS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Memory {
    pub fn new() -> Self {
        Self {
            sends: Recent::new(SENDS, SENDS_KEPT),
            told: watch::Sender::new(()),
            latest: Recent::new(LATEST, LATEST_KEPT),
            users: Recent::new(USERS, USERS_KEPT),
        }
    }

    /// Meta has taken this send.
    pub fn took(&self, key: OutboxKey, id: PlatformId) {
        self.sends.note(key, id);
        self.told.send_replace(());
    }

    /// Waits until Meta tells that it has taken a send; `None` when it has not by then.
    pub async fn taken(&self, key: OutboxKey, until: Instant) -> Option<PlatformId> {
        let mut told = self.told.subscribe();
        loop {
            told.mark_unchanged();
            if let Some(id) = self.sends.get(&key) {
                return Some(id);
            }
            timeout_at(until, told.changed()).await.ok()?.ok()?;
        }
    }

    pub fn wrote(&self, at: Address, id: PlatformId) {
        self.latest.note(at, id);
    }

    pub fn latest(&self, at: &Address) -> Option<PlatformId> {
        self.latest.get(at)
    }

    pub fn belongs(&self, phone: String, user: String) {
        if self.users.get(&phone).as_ref() != Some(&user) {
            self.users.note(phone, user);
        }
    }

    pub fn user_of(&self, phone: &str) -> Option<String> {
        self.users.get(&phone.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: OutboxKey = OutboxKey { instance: 1, number: 2 };

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_send_is_told() {
        let memory = std::sync::Arc::new(Memory::new());
        let waiting = tokio::spawn({
            let memory = memory.clone();
            async move { memory.taken(KEY, Instant::now() + Duration::from_secs(55)).await }
        });
        tokio::time::sleep(Duration::from_secs(20)).await;
        memory.took(OutboxKey { instance: 1, number: 3 }, "wamid.other".into());
        tokio::time::sleep(Duration::from_secs(20)).await;
        memory.took(KEY, "wamid.this".into());
        assert_eq!(waiting.await.ok().flatten(), Some("wamid.this".into()));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let began = Instant::now();
        let found = Memory::new().taken(KEY, began + Duration::from_secs(55)).await;
        assert_eq!((found, began.elapsed().as_secs()), (None, 55));
    }
}
