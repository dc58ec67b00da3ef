//! The cases that every adapter passes, against a real server or a stand-in.
//!
//! The tests of an adapter implement [`FarSide`], what is on the other end of the wire, and get all cases with one
//! line, which names those that cannot be tried on this channel:
//!
//! ```ignore
//! contract::assert_kept(&far_side, &["a closed reply window is said to be one"]).await;
//! ```
//!
//! The cases share one far side, one after the other, and know their own messages by their words.

mod desk;
mod failing;
mod finding;
mod inbox;
mod receiving;
mod sending;
mod session;
mod stopping;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::{Adapter, Address, Cursor, OutboxKey, PlatformUser, RefusedScope, SendErrorKind, Side, ThreadId};

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

    /// Makes the other side fail once. `false` where that does not happen on this channel or cannot be arranged: the
    /// case is skipped, and the test has to name it.
    async fn provoke(&self, trouble: Trouble) -> bool {
        let _ = trouble;
        false
    }

    /// Whether the trouble that was provoked last has been met by the adapter.
    async fn is_met(&self) -> bool {
        true
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

/// What goes wrong on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The next send is carried out, but its answer never reaches us.
    AnswerLost,
    /// The next send is carried out, and its answer does not come for a minute.
    AnswerHangs,
    /// The next send fails so, without an effect. Where the chat is said to have moved, it is to the person's own.
    SendFails(SendErrorKind),
    /// The next events break off on their way.
    DeliveryBreaks,
    /// The next events do not come for a minute.
    DeliveryHangs,
    /// The next events come in the order opposite to that in which they happened.
    DeliveryReversed,
}

/// Runs every case. Panics where one fails, and where others are skipped than these.
pub async fn assert_kept(far: &dyn FarSide, skipped: &[&str]) {
    let report = check(far).await;
    print!("{report}");
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.skipped, skipped, "these cases were skipped; the test names others");
}

/// Runs every case, also after one has failed.
pub async fn check(far: &dyn FarSide) -> Report {
    let mut report = Report { failures: Vec::new(), skipped: Vec::new() };
    let mut bench = Bench { far, number: 0, place: Mutex::default(), skipped: AtomicBool::default() };
    for (name, case) in CASES {
        bench.number += 1;
        let outcome = tokio::time::timeout(CASE_LIMIT, case(&bench)).await;
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(what)) => report.failures.push(Failure { case: name, what }),
            Err(_) => report.failures.push(Failure { case: name, what: format!("was not over after {CASE_LIMIT:?}") }),
        }
        if bench.skipped.swap(false, Ordering::Relaxed) {
            report.skipped.push(name);
        }
    }
    report
}

/// The cases that failed, and those that could not be tried.
#[derive(Debug)]
pub struct Report {
    pub failures: Vec<Failure>,
    pub skipped: Vec<&'static str>,
}

#[derive(Debug)]
pub struct Failure {
    pub case: &'static str,
    pub what: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, skipped) = (self.failures.len(), self.skipped.len());
        writeln!(f, "of {} contract cases {failed} failed and {skipped} were skipped", CASES.len())?;
        self.failures.iter().try_for_each(|failure| writeln!(f, "- FAILED {}: {}", failure.case, failure.what))?;
        self.skipped.iter().try_for_each(|case| writeln!(f, "- skipped {case}"))
    }
}

type Case = for<'a> fn(&'a Bench<'a>) -> BoxFuture<'a, Result<(), String>>;

const CASES: &[(&str, Case)] = &[
    ("it names its account before it hands over events", |b| Box::pin(receiving::names_its_account_first(b))),
    ("a message arrives with its words, sender and address", |b| Box::pin(receiving::message_arrives(b))),
    ("hostile words arrive as they are", |b| Box::pin(receiving::hostile_words_arrive(b))),
    ("each message has a key and an id of its own, in order", |b| Box::pin(receiving::keys_are_unique(b))),
    ("what the inbox refuses is handed over again", |b| Box::pin(receiving::refused_is_handed_over_again(b))),
    ("an inbox that refuses for long loses nothing", |b| Box::pin(receiving::long_refusal_loses_nothing(b))),
    ("an inbox that knows another account gets nothing", |b| Box::pin(receiving::other_account_hands_over_nothing(b))),
    ("an inbox that is stopping ends it and loses nothing", |b| Box::pin(receiving::stopping_inbox_ends_it(b))),
    ("a kill before the inbox has stored loses nothing", |b| Box::pin(receiving::kill_before_stored(b))),
    ("a kill after the inbox has stored repeats with the same key", |b| Box::pin(receiving::kill_after_stored(b))),
    ("it goes on where it stopped", |b| Box::pin(receiving::goes_on_where_it_stopped(b))),
    ("a delivery that breaks off is made again", |b| Box::pin(receiving::broken_delivery_is_made_again(b))),
    ("events that come in disorder are all there", |b| Box::pin(receiving::disorder_loses_nothing(b))),
    ("it stops when asked, also while the inbox refuses", |b| Box::pin(stopping::stops_when_asked(b))),
    ("it stops when asked, also while the inbox hangs", |b| Box::pin(stopping::stops_while_inbox_hangs(b))),
    ("it stops when asked, also while a delivery hangs", |b| Box::pin(stopping::stops_while_delivery_hangs(b))),
    ("it stops when asked, also in the middle of a send", |b| Box::pin(stopping::stops_while_sending(b))),
    ("a send arrives once and has an id", |b| Box::pin(sending::arrives_once(b))),
    ("an answer to the address of a message reaches its sender", |b| Box::pin(sending::answer_reaches_sender(b))),
    ("hostile words are sent as they are", |b| Box::pin(sending::hostile_words_are_sent(b))),
    ("a text of the greatest length arrives whole", |b| Box::pin(sending::greatest_length_arrives(b))),
    ("a repeated send of one key is seen once, where it may be repeated", |b| {
        Box::pin(sending::repeat_is_seen_once(b))
    }),
    ("a send of ours does not come back as a message", |b| Box::pin(sending::own_words_do_not_return(b))),
    ("a send without an answer is not called certain", |b| Box::pin(failing::lost_answer_is_uncertain(b))),
    ("a platform that asks for patience is heard", |b| Box::pin(failing::fails_as(b, SendErrorKind::RetryAfter))),
    ("what does not work for now is said to be so", |b| Box::pin(failing::fails_as(b, SendErrorKind::Transient))),
    ("a send that broke off is uncertain", |b| Box::pin(failing::fails_as(b, SendErrorKind::Uncertain))),
    ("a closed reply window is said to be one", |b| Box::pin(failing::fails_as(b, SendErrorKind::WindowClosed))),
    ("a chat that moved has its new address", |b| Box::pin(failing::fails_as(b, SendErrorKind::Moved))),
    ("a refused text is one", |b| Box::pin(failing::fails_as(b, SendErrorKind::Refused(RefusedScope::Content)))),
    ("a refused chat is one", |b| Box::pin(failing::fails_as(b, SendErrorKind::Refused(RefusedScope::Recipient)))),
    ("a refused account is one", |b| Box::pin(failing::fails_as(b, SendErrorKind::Refused(RefusedScope::Account)))),
    ("a send that arrived is found", |b| Box::pin(finding::finds_what_arrived(b))),
    ("a send that was never made is not found", |b| Box::pin(finding::does_not_find_what_was_never_sent(b))),
    ("a send that lost its answer is found", |b| Box::pin(finding::finds_what_lost_its_answer(b))),
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
    /// The case could not be tried.
    skipped: AtomicBool,
}

impl Bench<'_> {
    /// Whether the far side fails so, once; else the case is skipped.
    async fn provoke(&self, trouble: Trouble) -> bool {
        let provoked = self.far.provoke(trouble).await;
        if !provoked {
            self.skip();
        }
        provoked
    }

    fn skip(&self) {
        self.skipped.store(true, Ordering::Relaxed);
    }

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
