//! A stand-in of WhatsApp's Cloud API that remembers, checks and fails like the real one, and brings its webhooks. It
//! lives in the test's process, so it outlives the product when that is killed and started again.
// A test picks what it needs of the stand-in.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unused_imports)]

mod form;
mod hook;
mod media;
mod message;
mod methods;
mod payload;
mod people;
pub mod post;
mod shape;
mod sign;
mod state;
mod templates;
mod wire;

mod tests;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{sync::watch, task::AbortHandle, time::Instant};

pub use crate::fault::{Answer, Fault};
pub use hook::{Delivery, Manner, Snag};
pub use sign::signature;
pub use state::{Call, Late, Outcome, Person, Sent};

use crate::fault::{self, Faults, Rule};
use state::State;

/// The server, and what brings its webhooks. Dropping it ends both.
pub struct Graph {
    shared: Arc<Shared>,
    url: String,
    tasks: Vec<AbortHandle>,
}

struct Shared {
    token: String,
    app_secret: String,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    changed: watch::Sender<u64>,
}

/// What an owner has in the config besides the addresses.
pub const VERIFY_TOKEN: &str = "verify-this-and-that";

impl Graph {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            token: "EAAJstandInStandInStandInStandIn".into(),
            app_secret: "41678a4f0c1e5b9d2a7733d4c0ffee00".into(),
            state: Mutex::new(State::new()),
            faults: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let (url, server) = wire::serve(shared.clone()).await;
        let couriers = (0..hook::COURIERS).map(|n| tokio::spawn(hook::bring(shared.clone(), n)).abort_handle());
        let tasks = std::iter::once(server).chain(couriers).collect();
        Self { shared, url, tasks }
    }

    /// For `api_url`, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn token(&self) -> &str {
        &self.shared.token
    }

    pub fn app_secret(&self) -> &str {
        &self.shared.app_secret
    }

    /// The id of the business's first number.
    pub fn number(&self) -> String {
        self.shared.state().numbers[0].id.clone()
    }

    pub fn account(&self) -> String {
        self.shared.state().account.clone()
    }

    /// A channel's table in the config, as JSON, for a number.
    pub fn table(&self, number: &str) -> Value {
        json!({
            "phone_number_id": number,
            "business_account_id": self.account(),
            "access_token": self.token(),
            "app_secret": self.app_secret(),
            "verify_token": VERIFY_TOKEN,
            "api_url": self.url(),
        })
    }

    /// The same as lines of the config.
    pub fn lines(&self, name: &str, number: &str) -> String {
        let table = self.table(number);
        let line = |(key, value): (&String, &Value)| format!("{key} = {value}\n");
        format!("[whatsapp.{name}]\n{}", table.as_object().unwrap().iter().map(line).collect::<String>())
    }

    /// The platform's clock. `None` is the real time.
    pub fn set_time(&self, time: Option<Timestamp>) {
        self.shared.change(|state| state.time = time);
    }

    /// How it answers for customers whose 24 hours are over.
    pub fn set_late(&self, late: Late) {
        self.shared.change(|state| state.late = late);
    }

    /// The next messages are accepted and fail later, with these codes.
    pub fn fail_later(&self, codes: &[u32]) {
        self.shared.change(|state| state.will_fail.extend(codes));
    }

    /// Whether statuses follow each send.
    pub fn set_statuses(&self, follow: bool) {
        self.shared.change(|state| state.statuses = follow);
    }

    /// What the app asked to be told.
    pub fn set_fields(&self, fields: &[&str]) {
        self.shared.change(|state| state.fields = fields.iter().map(|field| (*field).to_owned()).collect());
    }

    pub fn set_subscribed(&self, subscribed: bool) {
        self.shared.change(|state| state.subscribed = subscribed);
    }

    /// As the Graph API lists them.
    pub fn add_template(&self, template: Value) {
        self.shared.change(|state| state.templates.push(template));
    }

    /// An approved one that is only a text.
    pub fn add_text_template(&self, name: &str, language: &str, body: &str) {
        self.add_template(json!({ "name": name, "language": language, "status": "APPROVED", "category": "UTILITY",
            "id": format!("{}", 594_425_479_261_596_u64), "components": [{ "type": "BODY", "text": body }] }));
    }

    /// At most so many on one page.
    pub fn set_page(&self, templates: usize) {
        self.shared.change(|state| state.page = templates);
    }

    /// As after seven days: the file cannot be had any more.
    pub fn lose_file(&self, id: &str) {
        self.shared.change(|state| state.lose(id));
    }

    /// As after five minutes: addresses of files are too old.
    pub fn age_links(&self) {
        self.shared.change(State::age_links);
    }
}

/// What the business did.
impl Graph {
    /// Whoever has this number.
    pub fn by_phone(&self, phone: &str) -> Option<Person> {
        self.shared.state().by_phone(phone)
    }

    /// What the person can see of the business, oldest first.
    pub fn received(&self, person: Person) -> Vec<Sent> {
        self.ever_sent(person).into_iter().filter(|sent| !sent.failed).collect()
    }

    /// All that was accepted for this person, also what then failed.
    pub fn ever_sent(&self, person: Person) -> Vec<Sent> {
        self.shared.state().ever_sent(person)
    }

    /// All that was accepted, for whomever.
    pub fn all_sent(&self) -> Vec<Sent> {
        self.shared.state().sent.clone()
    }

    /// The business's reaction to a message.
    pub fn reaction(&self, message: &str) -> Option<String> {
        self.shared.state().reactions.get(message).cloned()
    }

    /// Messages that were marked as read, and whether typing was shown with it.
    pub fn reads_seen(&self) -> Vec<(String, bool)> {
        self.shared.state().reads.clone()
    }

    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| fault::matches(method, &call.method)).collect()
    }

    /// How many calls met a fault.
    pub fn failed_calls(&self) -> usize {
        self.shared.state().calls.iter().filter(|call| matches!(call.outcome, Outcome::Failed { .. })).count()
    }

    /// Calls that were refused because of how they were written: the product's own mistakes.
    pub fn mistakes(&self) -> Vec<Call> {
        let wrong =
            |call: &Call| matches!(call.outcome, Outcome::Refused { code: 100 | 131_009 | 132_000 | 132_012, .. });
        self.calls().into_iter().filter(wrong).collect()
    }

    /// Waits for at least `n` visible messages.
    pub async fn wait_received(&self, person: Person, n: usize, timeout: Duration) -> Vec<Sent> {
        self.wait(timeout, || Some(self.received(person)).filter(|sent| sent.len() >= n)).await.unwrap_or_else(|| {
            panic!("{n} messages expected for {person:?} within {timeout:?}: {:#?}", self.received(person))
        })
    }

    pub async fn wait_calls(&self, method: &str, n: usize, timeout: Duration) -> Vec<Call> {
        self.wait(timeout, || Some(self.calls_of(method)).filter(|calls| calls.len() >= n)).await.unwrap_or_else(|| {
            panic!("{n} calls of {method} expected within {timeout:?}, there were {}", self.calls_of(method).len())
        })
    }

    /// Waits until every webhook is confirmed.
    pub async fn wait_confirmed(&self, timeout: Duration) {
        self.wait(timeout, || (self.unconfirmed() == 0).then_some(())).await.unwrap_or_else(|| {
            panic!("{} changes unconfirmed after {timeout:?}: {:?}", self.unconfirmed(), self.deliveries())
        });
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

/// Its webhooks. Nothing is brought before there is a hook.
impl Graph {
    /// `http://host/path`.
    pub fn calls_hook(&self, url: &str) {
        self.shared.change(|state| state.post.set_hook(url));
    }

    pub fn hook(&self) -> String {
        self.shared.state().post.address().expect("a hook")
    }

    /// From now on.
    pub fn brings(&self, manner: Manner) {
        self.shared.change(|state| state.post.set_manner(manner));
    }

    pub fn keeps_order(&self) -> bool {
        self.shared.state().post.keeps_order()
    }

    /// The next delivery meets this.
    pub fn snags(&self, snag: Snag) {
        self.shared.change(|state| state.post.set_snag(snag));
    }

    pub fn snags_met(&self) -> usize {
        self.shared.state().post.snags_met()
    }

    /// The next two messages come in the opposite order.
    pub fn reverses_next(&self) {
        self.shared.change(|state| state.post.reverse_next());
    }

    /// Changes that the product has not confirmed yet.
    pub fn unconfirmed(&self) -> usize {
        self.shared.state().post.unconfirmed()
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.state().post.deliveries()
    }

    /// Brings a body at once, once, with the signature of this secret.
    pub async fn post_signed(&self, secret: &str, body: &[u8]) -> (u16, String) {
        let signature = sign::signature(secret, body);
        post::post(&self.hook(), body, Some(&signature), None).await.expect("an answer")
    }

    /// Brings a body as it is.
    pub async fn post_raw(&self, body: &[u8], signature: Option<&str>) -> (u16, String) {
        post::post(&self.hook(), body, signature, None).await.expect("an answer")
    }
}

/// What goes wrong. The first rule that fits a call applies; `*` in a method stands for anything.
impl Graph {
    /// The next `n` calls of the method fail so.
    pub fn fail_next(&self, method: &str, n: u32, fault: Fault) {
        self.shared.faults().add(Rule::next(method, n, fault));
    }

    /// Of the calls of the method, `percent` fail, each in one of these ways, drawn from the seed.
    pub fn fail_share(&self, method: &str, percent: u8, faults: &[Fault], seed: u64) {
        self.shared.faults().add(Rule::share(method, percent, faults, seed));
    }

    /// A fault for whatever calls (`messages`, its parameters) the test picks.
    pub fn fail_when(&self, pick: impl FnMut(&str, &Value) -> Option<Fault> + Send + 'static) {
        self.shared.faults().add(Rule::when(pick));
    }

    /// No more faults.
    pub fn heal(&self) {
        *self.shared.faults() = Faults::default();
    }
}

/// Meta's examples by name; `None`, and said, where this machine has none.
pub fn official(file: &str) -> Option<serde_json::Map<String, Value>> {
    let Some(folder) = std::env::var_os("FRONTDESK_SPECS") else {
        eprintln!("skipped: FRONTDESK_SPECS does not name a folder with {file}");
        return None;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(file)).expect("the official examples");
    Some(serde_json::from_str(&text).expect("an object of examples"))
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

impl Drop for Graph {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}
