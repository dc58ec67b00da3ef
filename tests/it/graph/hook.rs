//! How Meta brings webhooks: signed, until each is confirmed with 200, and on demand twice, in disorder, or broken.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Shared, post, sign};

/// What is on its way to the program.
#[derive(Default)]
pub(super) struct Post {
    hook: Option<String>,
    manner: Manner,
    waiting: Vec<Letter>,
    on_the_way: usize,
    snag: Option<Snag>,
    /// How many deliveries ran into one.
    snags_met: usize,
    /// The next two messages change places.
    reversed: bool,
    deliveries: Vec<Delivery>,
    counter: u64,
}

#[derive(Clone, Debug)]
struct Letter {
    number: u64,
    change: Value,
    due: Instant,
    tries: u32,
}

/// How it is brought.
#[derive(Clone, Debug)]
pub enum Manner {
    /// One after the other, in order, so many changes in one webhook. What is refused holds up what follows.
    InOrder { batch: usize },
    /// Each twice, in any order, several at once, joined as it comes; what is refused comes later again.
    Stormy(Rng),
}

impl Default for Manner {
    fn default() -> Self {
        Self::InOrder { batch: 1 }
    }
}

/// What happens to one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snag {
    /// The connection breaks in the middle of the body.
    Breaks,
    /// The rest of the body does not come, for a minute.
    Hangs,
    /// All of it arrives, and the answer does not.
    Unheard,
}

/// One webhook that was brought, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub changes: usize,
    /// `None`: no answer.
    pub status: Option<u16>,
}

/// At once, when it is stormy.
pub(super) const COURIERS: usize = 4;
/// So late is the later of two copies, at most.
const LATE_MS: u64 = 400;
const MOST_JOINED: usize = 6;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Post {
    pub fn push(&mut self, field: &str, value: Value) {
        self.counter += 1;
        let letter = Letter {
            number: self.counter,
            change: json!({ "field": field, "value": value }),
            due: Instant::now(),
            tries: 0,
        };
        match &mut self.manner {
            Manner::InOrder { .. } => self.waiting.push(letter),
            Manner::Stormy(rng) => {
                let late = |rng: &mut Rng| Instant::now() + Duration::from_millis(rng.u64(..LATE_MS));
                let (due, again) = (late(rng), late(rng));
                self.waiting.push(Letter { due, ..letter.clone() });
                self.waiting.push(Letter { due: again, ..letter });
            }
        }
    }

    pub fn set_hook(&mut self, url: &str) {
        self.hook = Some(url.to_owned());
    }

    pub fn address(&self) -> Option<String> {
        self.hook.clone()
    }

    pub fn set_manner(&mut self, manner: Manner) {
        self.manner = manner;
    }

    pub fn keeps_order(&self) -> bool {
        matches!(self.manner, Manner::InOrder { .. })
    }

    pub fn set_snag(&mut self, snag: Snag) {
        self.snag = Some(snag);
    }

    pub fn snags_met(&self) -> usize {
        self.snags_met
    }

    pub fn reverse_next(&mut self) {
        self.reversed = true;
    }

    /// Changes that are not confirmed yet; one that comes twice counts until both are.
    pub fn unconfirmed(&self) -> usize {
        self.waiting.len() + self.on_the_way
    }

    pub fn deliveries(&self) -> Vec<Delivery> {
        self.deliveries.clone()
    }

    /// What this courier takes along now.
    fn take(&mut self, courier: usize) -> Option<Round> {
        let hook = self.hook.clone()?;
        self.reverse();
        let now = Instant::now();
        let letters = match &mut self.manner {
            Manner::InOrder { batch } if courier == 0 && !self.reversed && self.on_the_way == 0 => {
                let due = self.waiting.iter().take_while(|letter| letter.due <= now).count();
                self.waiting.drain(..due.min(*batch)).collect()
            }
            Manner::InOrder { .. } => Vec::new(),
            Manner::Stormy(rng) => {
                let mut due: Vec<usize> = (0..self.waiting.len()).filter(|n| self.waiting[*n].due <= now).collect();
                rng.shuffle(&mut due);
                due.truncate(rng.usize(1..=MOST_JOINED));
                due.sort_unstable_by(|a, b| b.cmp(a));
                let mut letters: Vec<Letter> = due.into_iter().map(|n| self.waiting.swap_remove(n)).collect();
                rng.shuffle(&mut letters);
                letters
            }
        };
        if letters.is_empty() {
            return None;
        }
        self.on_the_way += letters.len();
        Some(Round { hook, letters, snag: self.snag.take() })
    }

    /// As soon as there are two messages to change places.
    fn reverse(&mut self) {
        if !self.reversed {
            return;
        }
        let messages = |letter: &Letter| letter.change["value"].get("messages").is_some();
        let places: Vec<usize> = (0..self.waiting.len()).filter(|n| messages(&self.waiting[*n])).take(2).collect();
        if let [first, second] = places[..] {
            self.waiting.swap(first, second);
            self.reversed = false;
        }
    }

    fn brought(&mut self, letters: Vec<Letter>, status: Option<u16>) {
        self.on_the_way -= letters.len();
        self.deliveries.push(Delivery { changes: letters.len(), status });
        if status == Some(200) {
            return;
        }
        let again =
            |letter: Letter| Letter { due: Instant::now() + pause(letter.tries), tries: letter.tries + 1, ..letter };
        // In their places: they go first again.
        self.waiting.splice(..0, letters.into_iter().map(again));
    }
}

fn pause(tries: u32) -> Duration {
    Duration::from_millis(100 << tries.min(4))
}

struct Round {
    hook: String,
    letters: Vec<Letter>,
    snag: Option<Snag>,
}

/// Brings what there is, for ever.
pub(super) async fn bring(shared: Arc<Shared>, courier: usize) {
    let mut changed = shared.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let round = shared.state().post.take(courier);
        let Some(round) = round else {
            // What is due later is looked for now and then.
            let _ = tokio::time::timeout(LOOK_AGAIN, changed.changed()).await;
            continue;
        };
        let body = payload(&shared.state().account, &round.letters);
        if round.snag.is_some() {
            shared.change(|state| state.post.snags_met += 1);
        }
        let signature = sign::signature(&shared.app_secret, &body);
        let bringing = post::post(&round.hook, &body, Some(&signature), round.snag);
        let answer = tokio::time::timeout(post::patience(round.snag, ANSWER_WITHIN), bringing).await;
        let status = answer.ok().flatten().map(|(status, _)| status);
        shared.change(|state| state.post.brought(round.letters, status));
    }
}

/// One entry with all changes, or an entry for each: both are usual.
fn payload(account: &str, letters: &[Letter]) -> Vec<u8> {
    let changes: Vec<&Value> = letters.iter().map(|letter| &letter.change).collect();
    let alone = letters.first().is_some_and(|letter| letter.number % 2 == 0);
    let entries: Vec<Value> = match alone {
        true => changes.iter().map(|change| json!({ "id": account, "changes": [change] })).collect(),
        false => vec![json!({ "id": account, "changes": changes })],
    };
    json!({ "object": "whatsapp_business_account", "entry": entries }).to_string().into_bytes()
}
