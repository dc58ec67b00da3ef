//! `getUpdates`: what waits, what is confirmed, and who may ask.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Shared;
use super::state::{Refusal, State};

/// What a bot does not get unless it asks for it.
const ONLY_WHEN_ASKED: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

impl Shared {
    /// A later poll ends this one with 409.
    pub(super) async fn poll(self: &Arc<Self>, params: &Value) -> Result<Value, Refusal> {
        let mine = self.change(|state| state.begin_poll(params))?;
        let _open = Open { shared: self.clone(), poll: mine };
        let limit = params["limit"].as_u64().filter(|limit| (1..=100).contains(limit)).unwrap_or(100);
        let deadline = Instant::now() + Duration::from_secs(params["timeout"].as_u64().unwrap_or(0).min(50));
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            {
                let mut state = self.state();
                state.may_poll()?;
                if state.poller != mine {
                    return Err(conflict(
                        "terminated by other getUpdates request; make sure that only one bot instance is running",
                    ));
                }
                if !state.updates.is_empty() || Instant::now() >= deadline {
                    return Ok(Value::Array(state.batch(limit)));
                }
            }
            // Out of time is no error: the next look decides.
            let _ = tokio::time::timeout_at(deadline, changed.changed()).await;
        }
    }
}

/// While it lives, the bot counts as connected.
struct Open {
    shared: Arc<Shared>,
    poll: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.change(|state| state.open_poll = state.open_poll.filter(|poll| *poll != self.poll));
    }
}

impl State {
    /// An update that the bot did not ask for is never made, and takes no id.
    pub fn push_update(&mut self, kind: &str, payload: Value) {
        let wanted = match self.allowed.is_empty() {
            true => !ONLY_WHEN_ASKED.contains(&kind),
            false => self.allowed.iter().any(|allowed| allowed == kind),
        };
        if wanted {
            self.push_raw(json!({ kind: payload }));
        }
    }

    pub fn push_raw(&mut self, mut update: Value) {
        update["update_id"] = self.next_update.into();
        self.next_update += 1;
        self.all_updates.push(update.clone());
        self.updates.push_back(update);
    }

    /// What a poll is given.
    fn batch(&mut self, limit: u64) -> Vec<Value> {
        let limit = usize::try_from(limit).unwrap_or(100);
        let mut batch: Vec<_> = self.updates.iter().take(limit).cloned().collect();
        if self.reverse && batch.len() > 1 {
            self.reverse = false;
            batch.reverse();
        }
        batch
    }

    /// The bot waits for updates, and there are none.
    pub fn is_polled(&self) -> bool {
        self.open_poll == Some(self.poller) && self.updates.is_empty()
    }

    fn begin_poll(&mut self, params: &Value) -> Result<u64, Refusal> {
        self.may_poll()?;
        if let Some(kinds) = params["allowed_updates"].as_array() {
            self.allowed = kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        self.confirm(params["offset"].as_i64().unwrap_or(0));
        self.poller += 1;
        self.open_poll = Some(self.poller);
        Ok(self.poller)
    }

    /// What is below the offset is gone for ever; a negative offset keeps that many of the newest.
    fn confirm(&mut self, offset: i64) {
        if offset >= 0 {
            self.updates.retain(|update| update["update_id"].as_i64() >= Some(offset));
            return;
        }
        let kept = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        let gone = self.updates.len().saturating_sub(kept);
        self.updates.drain(..gone);
    }

    fn may_poll(&self) -> Result<(), Refusal> {
        if self.webhook.is_empty() {
            return Ok(());
        }
        Err(conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        ))
    }
}

fn conflict(what: &str) -> Refusal {
    Refusal::new(409, &format!("Conflict: {what}"))
}
