//! A stand-in of the Telegram Bot API that remembers, checks and fails like the real one. It lives in the test's
//! process, so it outlives the product when that is killed and started again.
// A test picks what it needs of the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unused_imports)]

mod content;
mod methods;
mod people;
mod schema;
mod state;
mod updates;
mod wire;

mod tests;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub use crate::fault::{Answer, Fault};
pub use state::{Call, Outcome, Sent};

use crate::fault::{self, Faults, Rule};
use schema::Schema;
use state::State;

/// The server. Dropping it closes the port.
pub struct BotApi {
    shared: Arc<Shared>,
    url: String,
    server: AbortHandle,
}

struct Shared {
    token: String,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    changed: watch::Sender<u64>,
}

impl BotApi {
    pub async fn start() -> Self {
        Self::start_with_token("123456789:AAEstandInStandInStandInStandInStand").await
    }

    /// The number before the colon is the bot's own id, as with the real one.
    pub async fn start_with_token(token: &str) -> Self {
        let id = token.split(':').next().and_then(|id| id.parse().ok()).expect("a token is <number>:<secret>");
        let shared = Arc::new(Shared {
            token: token.to_owned(),
            state: Mutex::new(State::new(id)),
            faults: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let (url, server) = wire::serve(shared.clone()).await;
        Self { shared, url, server }
    }

    /// For `api_url`, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn token(&self) -> &str {
        &self.shared.token
    }

    pub fn bot_id(&self) -> i64 {
        self.shared.state().bot_id
    }

    /// The platform's clock, for the dates of messages. `None` is the real time.
    pub fn set_time(&self, time: Option<Timestamp>) {
        self.shared.state().time = time;
    }
}

/// What the bot did.
impl BotApi {
    /// The bot's messages that people in this chat can see, oldest first. Deleted ones are not among them.
    pub fn received(&self, chat: i64) -> Vec<Sent> {
        self.shared.state().received(chat)
    }

    /// All that the bot ever sent into this chat, with what it deleted.
    pub fn ever_sent(&self, chat: i64) -> Vec<Sent> {
        self.shared.state().ever_sent(chat)
    }

    /// The emoji that the bot has put on a message.
    pub fn reactions(&self, chat: i64, message: i64) -> Vec<String> {
        self.shared.state().message(chat, message).map(|stored| stored.reactions.clone()).unwrap_or_default()
    }

    /// The bytes of the file that a message carries.
    pub fn file(&self, sent: &Sent) -> Vec<u8> {
        let described = &sent.raw[&sent.kind];
        let file = described.get("file_id").or_else(|| described[0].get("file_id")).and_then(Value::as_str);
        self.shared.state().files[file.expect("a message with a file")].clone()
    }

    /// The names of a forum's topics by thread id.
    pub fn topics(&self, chat: i64) -> Vec<(i64, String)> {
        self.shared.state().topics(chat)
    }

    /// Every call in the order it came, `getUpdates` included.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// The calls of one method (`sendMessage`, or `send*` for all that begin so).
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| fault::matches(method, &call.method)).collect()
    }

    /// How many calls met a fault.
    pub fn failed_calls(&self) -> usize {
        self.shared.state().calls.iter().filter(|call| matches!(call.outcome, Outcome::Failed { .. })).count()
    }

    /// Sends that were refused or failed before they were carried out, and whose words never reached that chat at
    /// any time: what the product lost, unless it told somebody.
    pub fn refused_and_lost(&self) -> Vec<Call> {
        let sends = self.calls_of("send*");
        let arrived = |lost: &Call| sends.iter().any(|call| call.carried_out() && call.words() == lost.words());
        sends
            .iter()
            .filter(|call| call.method != "sendChatAction" && !call.carried_out() && !arrived(call))
            .cloned()
            .collect()
    }

    /// Updates that the bot has not confirmed yet.
    pub fn unconfirmed(&self) -> Vec<Value> {
        self.shared.state().updates.iter().cloned().collect()
    }

    /// Every update ever made, every call and every answer is as the official schema says; nothing is checked without
    /// `$FRONTDESK_SPECS`.
    pub fn assert_official(&self) {
        let Some(schema) = Schema::load() else { return };
        let state = self.shared.state();
        let updates = state.all_updates.iter().map(|update| schema.update(update));
        let calls = state.calls.iter().map(|call| schema.call(&call.method, &call.params));
        let answers = state.answers.iter().map(|(method, answer)| schema.answer(method, answer));
        let problems: Vec<_> = updates.chain(calls).chain(answers).filter_map(Result::err).collect();
        assert!(problems.is_empty(), "not as the official schema says:\n{}", problems.join("\n"));
    }

    /// Waits for at least `n` visible messages of the bot in this chat.
    pub async fn wait_received(&self, chat: i64, n: usize, timeout: Duration) -> Vec<Sent> {
        self.wait(timeout, || Some(self.received(chat)).filter(|sent| sent.len() >= n)).await.unwrap_or_else(|| {
            panic!("{n} messages expected in {chat} within {timeout:?}, there are {:#?}", self.received(chat))
        })
    }

    /// Waits for at least `n` calls of the method, whatever became of them.
    pub async fn wait_calls(&self, method: &str, n: usize, timeout: Duration) -> Vec<Call> {
        self.wait(timeout, || Some(self.calls_of(method)).filter(|calls| calls.len() >= n)).await.unwrap_or_else(|| {
            panic!("{n} calls of {method} expected within {timeout:?}, there were {}", self.calls_of(method).len())
        })
    }

    /// Waits until every update is confirmed.
    pub async fn wait_confirmed(&self, timeout: Duration) {
        self.wait(timeout, || self.unconfirmed().is_empty().then_some(()))
            .await
            .unwrap_or_else(|| panic!("updates still unconfirmed after {timeout:?}: {:#?}", self.unconfirmed()));
    }

    /// Waits until the bot has a `getUpdates` of its own open: it is connected and has caught up.
    pub async fn wait_polling(&self, timeout: Duration) {
        self.wait(timeout, || self.shared.state().is_polled().then_some(()))
            .await
            .unwrap_or_else(|| panic!("nobody polls after {timeout:?}"));
    }

    /// `probe` again after each change, until it gives something.
    pub async fn wait<T>(&self, timeout: Duration, probe: impl Fn() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let mut changed = self.shared.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if let Some(found) = probe() {
                return Some(found);
            }
            if tokio::time::timeout_at(deadline, changed.changed()).await.is_err() {
                return probe();
            }
        }
    }
}

/// What goes wrong. The first rule that fits a call applies; `*` in a method stands for anything (`send*`, `*`).
impl BotApi {
    /// The next `n` calls of the method fail so.
    pub fn fail_next(&self, method: &str, n: u32, fault: Fault) {
        self.shared.faults().add(Rule::next(method, n, fault));
    }

    /// Of the calls of the method, `percent` fail, each in one of these ways, drawn from the seed.
    pub fn fail_share(&self, method: &str, percent: u8, faults: &[Fault], seed: u64) {
        self.shared.faults().add(Rule::share(method, percent, faults, seed));
    }

    /// A fault for whatever calls (`sendMessage`, its parameters) the test picks.
    pub fn fail_when(&self, pick: impl FnMut(&str, &Value) -> Option<Fault> + Send + 'static) {
        self.shared.faults().add(Rule::when(pick));
    }

    /// No more faults.
    pub fn heal(&self) {
        *self.shared.faults() = Faults::default();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Changes the state and wakes everyone who waits for a change.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.state());
        self.changed.send_modify(|version| *version += 1);
        done
    }
}

impl Drop for BotApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}
