//! How each channel and the store are, for `/readyz`, the log, and whoever waits for a desk.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use frontdesk_core::{ChannelHealth, ChannelId};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

/// Told by the adapters and the store; starts with every channel connecting.
pub struct Health {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

struct State {
    channels: BTreeMap<ChannelId, ChannelHealth>,
    /// When each of them last began to connect.
    began: BTreeMap<ChannelId, Instant>,
    /// Since when a channel's adapter has said without a break that something is wrong.
    ailing: BTreeMap<ChannelId, Instant>,
    /// Channels whose account the platform refuses to send for: why, and what to do about it.
    refused: BTreeMap<ChannelId, String>,
    /// What is wrong with the store and what to do about it.
    store: Option<String>,
}

impl Health {
    #[must_use]
    pub fn new(channels: impl IntoIterator<Item = ChannelId>) -> Self {
        let channels: BTreeMap<_, _> =
            channels.into_iter().map(|channel| (channel, ChannelHealth::Connecting)).collect();
        let began = channels.keys().map(|channel| (channel.clone(), Instant::now())).collect();
        Self {
            state: Mutex::new(State {
                channels,
                began,
                ailing: BTreeMap::new(),
                refused: BTreeMap::new(),
                store: None,
            }),
            changed: watch::Sender::new(()),
        }
    }

    /// Logs a state only when it is another than the one before.
    pub fn set(&self, channel: &ChannelId, health: ChannelHealth) {
        let before = self.lock().channels.insert(channel.clone(), health.clone());
        if before.as_ref() == Some(&health) {
            return;
        }
        if health == ChannelHealth::CaughtUp {
            // Connected anew: whether it may send shows with the next message.
            self.lock().refused.remove(channel);
        }
        match &health {
            ChannelHealth::Failing { .. } => {
                self.lock().ailing.entry(channel.clone()).or_insert_with(Instant::now);
            }
            ChannelHealth::Connecting | ChannelHealth::Connected | ChannelHealth::CaughtUp => {
                self.lock().ailing.remove(channel);
            }
        }
        if health == ChannelHealth::Connecting {
            self.lock().began.insert(channel.clone(), Instant::now());
        }
        log(channel, &health);
        self.changed.send_replace(());
    }

    /// The platform refuses to send for this account, until [`Health::sends`].
    pub fn cannot_send(&self, channel: &ChannelId, problem: String) {
        let before = self.lock().refused.insert(channel.clone(), problem.clone());
        if before.as_ref() == Some(&problem) {
            return;
        }
        tracing::error!(%channel, %problem, "nothing can be sent");
        self.changed.send_replace(());
    }

    /// The platform refuses the account itself, until it is connected again.
    pub fn refuses(&self, channel: &ChannelId, problem: String) {
        let before = self.lock().refused.insert(channel.clone(), problem.clone());
        if before.as_ref() != Some(&problem) {
            self.changed.send_replace(());
        }
    }

    /// Channels that need a person: their account is refused, or something has been wrong for longer than `patience`.
    /// Says what, and what to do about it.
    #[must_use]
    pub fn ill(&self, patience: Duration) -> BTreeMap<ChannelId, String> {
        let state = self.lock();
        let mut ill = state.refused.clone();
        for (channel, _) in state.ailing.iter().filter(|(_, since)| since.elapsed() >= patience) {
            if let Some(ChannelHealth::Failing { problem }) = state.channels.get(channel) {
                ill.entry(channel.clone()).or_insert_with(|| problem.clone());
            }
        }
        ill
    }

    /// Something is wrong with a channel, for however short a time.
    #[must_use]
    pub fn ails(&self) -> bool {
        !self.lock().ailing.is_empty()
    }

    /// Something was sent.
    pub fn sends(&self, channel: &ChannelId) {
        if self.lock().refused.remove(channel).is_some() {
            tracing::info!(%channel, "sending works again");
            self.changed.send_replace(());
        }
    }

    /// `None`: it can be written. Logged like a channel.
    pub fn set_store(&self, problem: Option<String>) {
        let before = std::mem::replace(&mut self.lock().store, problem.clone());
        if before == problem {
            return;
        }
        match problem {
            Some(problem) => tracing::error!(%problem, "the store cannot be written"),
            None => tracing::info!("the store can be written again"),
        }
        self.changed.send_replace(());
    }

    /// Everything is read, every desk is there, and what arrives can be kept.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.lock().ready()
    }

    /// All of these channels have read everything there was.
    #[must_use]
    pub fn caught_up(&self, channels: &[ChannelId]) -> bool {
        let state = self.lock();
        channels.iter().all(|channel| state.channels.get(channel) == Some(&ChannelHealth::CaughtUp))
    }

    /// Wakes after every change; what changed is asked here.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Whether each channel receives and sends, for `/metrics`.
    #[must_use]
    pub fn channels(&self) -> Vec<(ChannelId, bool)> {
        let state = self.lock();
        let works = |channel, health: &_| *health == ChannelHealth::CaughtUp && !state.refused.contains_key(channel);
        state.channels.iter().map(|(channel, health)| (channel.clone(), works(channel, health))).collect()
    }

    /// Whether the store can be written.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.lock().store.is_none()
    }

    /// Until a channel no longer connects, catches up or makes its rooms ready, and no longer than `patience` after it
    /// began to.
    pub async fn settled(&self, channel: &ChannelId, patience: Duration) {
        let mut changes = self.changes();
        while let Some(began) = self.unsettled_since(channel) {
            let Ok(Ok(())) = timeout_at(began + patience, changes.changed()).await else { return };
        }
    }

    fn unsettled_since(&self, channel: &ChannelId) -> Option<Instant> {
        let state = self.lock();
        match state.channels.get(channel)? {
            ChannelHealth::Connecting | ChannelHealth::Connected => state.began.get(channel).copied(),
            ChannelHealth::CaughtUp | ChannelHealth::Failing { .. } => None,
        }
    }

    /// In words, for `/readyz`.
    #[must_use]
    pub fn report(&self) -> Value {
        let state = self.lock();
        let problem = |channel, health| state.refused.get(channel).map_or_else(|| words(health), String::as_str);
        let channels = state.channels.iter().map(|(channel, it)| (channel.to_string(), json!(problem(channel, it))));
        json!({
            "ready": state.ready(),
            "store": state.store.as_deref().unwrap_or("ok"),
            "channels": channels.collect::<serde_json::Map<_, _>>(),
        })
    }

    /// Nothing panics while it is held, and each change is whole: a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ready(&self) -> bool {
        let caught_up = self.channels.values().all(|health| *health == ChannelHealth::CaughtUp);
        caught_up && self.refused.is_empty() && self.store.is_none()
    }
}

fn words(health: &ChannelHealth) -> &str {
    match health {
        ChannelHealth::Connecting => "connecting",
        ChannelHealth::Connected => "connected, reading what arrived in the meantime",
        ChannelHealth::CaughtUp => "ok",
        ChannelHealth::Failing { problem } => problem,
    }
}

fn log(channel: &ChannelId, health: &ChannelHealth) {
    match health {
        ChannelHealth::Connecting => tracing::info!(%channel, "connecting"),
        ChannelHealth::Connected => tracing::info!(%channel, "connected, reading what arrived in the meantime"),
        ChannelHealth::CaughtUp => tracing::info!(%channel, "ready"),
        ChannelHealth::Failing { problem } => tracing::warn!(%channel, %problem, "not working"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn health() -> (Health, ChannelId, ChannelId) {
        let (shop, desk) = (ChannelId::from("telegram.shop"), ChannelId::from("matrix.desk"));
        (Health::new([shop.clone(), desk.clone()]), shop, desk)
    }

    #[test]
    fn it_is_ready_once_every_channel_has_caught_up_and_the_store_can_be_written() {
        let (health, shop, desk) = health();
        health.set(&shop, ChannelHealth::CaughtUp);
        health.set(&desk, ChannelHealth::Connected);
        assert!(!health.ready());
        health.set(&desk, ChannelHealth::CaughtUp);
        assert!(health.ready());
        health.set_store(Some("the disk is full".into()));
        assert!(!health.ready());
        health.set_store(None);
        assert!(health.ready());
    }

    #[test]
    fn a_channel_that_nobody_spoke_of_has_not_caught_up() {
        let (health, shop, desk) = health();
        health.set(&desk, ChannelHealth::CaughtUp);
        assert!(health.caught_up(std::slice::from_ref(&desk)));
        assert!(!health.caught_up(&[desk, shop]));
        assert!(!health.caught_up(&["matrix.other".into()]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_channel_that_connects_is_waited_for_a_while() {
        let (health, shop, desk) = health();
        let patience = Duration::from_secs(10);
        let began = Instant::now();
        health.settled(&shop, patience).await;
        assert_eq!(began.elapsed(), patience, "not for ever");
        health.settled(&shop, patience).await;
        assert_eq!(began.elapsed(), patience, "and only once");

        health.set(&desk, ChannelHealth::Failing { problem: "no route".into() });
        health.set(&desk, ChannelHealth::Connecting);
        tokio::join!(health.settled(&desk, patience), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            health.set(&desk, ChannelHealth::Connected);
            health.set(&desk, ChannelHealth::CaughtUp);
        });
        assert_eq!(began.elapsed(), patience + Duration::from_secs(3));
    }

    #[test]
    fn only_a_change_wakes_who_waits() {
        let (health, shop, _) = health();
        let mut changes = health.changes();
        health.set(&shop, ChannelHealth::Connecting);
        assert!(!changes.has_changed().unwrap());
        health.set(&shop, ChannelHealth::Failing { problem: "the token is not valid".into() });
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        health.set(&shop, ChannelHealth::Failing { problem: "the token is not valid".into() });
        assert!(!changes.has_changed().unwrap());
    }
}
