//! The cases that every adapter passes, against a real server or a stand-in.
//!
//! The tests of an adapter implement [`FarSide`], what is on the other end of the wire, and call [`check`]:
//!
//! ```ignore
//! if let Err(report) = contract::check(&far_side).await {
//!     panic!("{report}");
//! }
//! ```
//!
//! The cases share one far side, one after the other, and know their own messages by their words.

mod desk;
mod inbox;
mod receiving;
mod sending;
mod session;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::{Adapter, Address, Cursor, OutboxKey, PlatformUser, Side, ThreadId};

pub use inbox::TestInbox;

/// The other end of the wire, and one person there: a customer, or an operator in a desk's room.
#[async_trait]
pub trait FarSide: Send + Sync {
    /// The adapter as the program builds it at its start. What it keeps on disk is there again the next time.
    async fn adapter(&self) -> Arc<dyn Adapter>;

    fn person(&self) -> Counterpart;

    /// The person writes.
    async fn says(&self, text: &str);

    /// The messages of ours that the person sees now, oldest first, as words; outside of threads.
    async fn sees(&self) -> Vec<String>;

    /// The next send is carried out, but its answer never reaches us. `false` where the tests cannot do that.
    async fn lose_next_answer(&self) -> bool {
        false
    }

    /// The person writes in a thread; asked of desks only.
    async fn says_in(&self, thread: &ThreadId, text: &str) {
        let _ = (thread, text);
    }

    /// What stands in a thread of ours, the card that began it included; asked of desks only.
    async fn sees_in(&self, thread: &ThreadId) -> Vec<String> {
        let _ = thread;
        Vec::new()
    }
}

#[derive(Clone, Debug)]
pub struct Counterpart {
    pub id: PlatformUser,
    pub name: String,
    pub at: Address,
    /// Without a thread, where it is a desk.
    pub side: Side,
}

/// Runs every case, also after one has failed.
pub async fn check(far: &dyn FarSide) -> Result<(), Report> {
    let mut failures = Vec::new();
    let mut bench = Bench { far, number: 0, place: Mutex::default() };
    for (name, case) in CASES {
        bench.number += 1;
        let outcome = tokio::time::timeout(CASE_LIMIT, case(&bench)).await;
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(what)) => failures.push(Failure { case: name, what }),
            Err(_) => failures.push(Failure { case: name, what: format!("was not over after {CASE_LIMIT:?}") }),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Report { failures }) }
}

/// The cases that failed.
#[derive(Debug)]
pub struct Report {
    pub failures: Vec<Failure>,
}

#[derive(Debug)]
pub struct Failure {
    pub case: &'static str,
    pub what: String,
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} contract cases failed:", self.failures.len(), CASES.len())?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "- {}: {}", failure.case, failure.what))
    }
}

type Case = for<'a> fn(&'a Bench<'a>) -> BoxFuture<'a, Result<(), String>>;

const CASES: &[(&str, Case)] = &[
    ("it names its account before it hands over events", |b| Box::pin(receiving::names_its_account_first(b))),
    ("a message arrives with its words, sender and address", |b| Box::pin(receiving::message_arrives(b))),
    ("hostile words arrive as they are", |b| Box::pin(receiving::hostile_words_arrive(b))),
    ("each message has a key and an id of its own, in order", |b| Box::pin(receiving::keys_are_unique(b))),
    ("what the inbox refuses is handed over again", |b| Box::pin(receiving::refused_is_handed_over_again(b))),
    ("a kill before the inbox has stored loses nothing", |b| Box::pin(receiving::kill_before_stored(b))),
    ("a kill after the inbox has stored repeats with the same key", |b| Box::pin(receiving::kill_after_stored(b))),
    ("it goes on where it stopped", |b| Box::pin(receiving::goes_on_where_it_stopped(b))),
    ("it stops when asked, also while the inbox refuses", |b| Box::pin(receiving::stops_when_asked(b))),
    ("a send arrives once and has an id", |b| Box::pin(sending::arrives_once(b))),
    ("an answer to the address of a message reaches its sender", |b| Box::pin(sending::answer_reaches_sender(b))),
    ("hostile words are sent as they are", |b| Box::pin(sending::hostile_words_are_sent(b))),
    ("a text of the greatest length arrives whole", |b| Box::pin(sending::greatest_length_arrives(b))),
    ("a repeated send of one key is seen once, where it may be repeated", |b| {
        Box::pin(sending::repeat_is_seen_once(b))
    }),
    ("a send without an answer is not called certain", |b| Box::pin(sending::lost_answer_is_uncertain(b))),
    ("a send of ours does not come back as a message", |b| Box::pin(sending::own_words_do_not_return(b))),
    ("a desk opens a thread and posts in it", |b| Box::pin(desk::thread_takes_posts(b))),
    ("an answer in a thread names its desk and thread", |b| Box::pin(desk::answer_names_its_thread(b))),
];

/// For the slowest real server; most cases take a moment.
const CASE_LIMIT: Duration = Duration::from_secs(90);

/// Words that other programs have tripped over.
const HOSTILE: &[&str] = &[
    "*not bold* _not italic_ `no code` ~~no~~ [no](https://example.org) ||no||",
    "<b>no markup</b> &amp; <script>alert(1)</script> </span>",
    "{{ first_name }} {% for x in y %} ${HOME} %s {0}",
    "@room @everyone @channel",
    "Robert'); DROP TABLE contacts;-- \" \\ \\n \\u0000",
    "one\ntwo\n\n    four, indented",
    "\u{202e}from right to left\u{202c}, שלום, مرحبا",
    "👩‍👩‍👧‍👦 🇩🇪 e\u{301} ﷽ 𝔘𝔫𝔦",
    "!close",
];

/// One case at its far side.
struct Bench<'a> {
    far: &'a dyn FarSide,
    number: u64,
    /// Where the last life of the program stopped reading.
    place: Mutex<Option<Cursor>>,
}

impl Bench<'_> {
    /// Words that no other case uses.
    fn words(&self, text: &str) -> String {
        format!("{text} ({})", self.number)
    }

    /// A key that no other case and no other run uses.
    fn key(&self, send: u64) -> OutboxKey {
        let instance = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or_default();
        OutboxKey { instance, number: self.number * 1000 + send }
    }
}

/// Turns a condition into a case's failure.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
