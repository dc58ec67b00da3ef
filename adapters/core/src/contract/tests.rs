//! The cases themselves: an adapter in memory passes them, and each way in which it can be wrong fails one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Mutex, atomic::AtomicBool, atomic::Ordering::SeqCst};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    Capabilities, ChannelHealth, Event, Inbound, Inbox, Limit, Media, Message, Op, Outbound, Person, Prepared,
    ReceiveError, SendError, Sent, TextUnit,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    NamesNoAccount,
    ConfirmsBeforeStored,
    DropsWhatIsRefused,
    KeysChange,
    NeverStops,
    TrimsLines,
    SendsTwice,
    ReadsMarkup,
    CutsLongTexts,
    TakesLostForFailed,
    HearsItself,
}

#[tokio::test(start_paused = true)]
async fn a_right_adapter_passes() {
    if let Err(report) = check(&Platform::with(Bug::None)).await {
        panic!("{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_bug_fails_its_case() {
    let cases = [
        (Bug::NamesNoAccount, "names its account"),
        (Bug::ConfirmsBeforeStored, "kill before the inbox has stored"),
        (Bug::DropsWhatIsRefused, "refuses is handed over again"),
        (Bug::KeysChange, "repeats with the same key"),
        (Bug::NeverStops, "stops when asked"),
        (Bug::TrimsLines, "hostile words arrive"),
        (Bug::SendsTwice, "arrives once"),
        (Bug::ReadsMarkup, "hostile words are sent"),
        (Bug::CutsLongTexts, "greatest length"),
        (Bug::TakesLostForFailed, "not called certain"),
        (Bug::HearsItself, "does not come back"),
    ];
    for (bug, name) in cases {
        let report = check(&Platform::with(bug)).await.expect_err(&format!("{bug:?} passed"));
        assert!(report.failures.iter().any(|failure| failure.case.contains(name)), "{bug:?}: {report}");
    }
}

/// A messenger that keeps what was not confirmed.
#[derive(Clone)]
struct Platform(Arc<Inner>);

struct Inner {
    bug: Bug,
    said: Mutex<Vec<(u64, String)>>,
    count: watch::Sender<u64>,
    shown: Mutex<Vec<String>>,
    loses: AtomicBool,
}

impl Platform {
    fn with(bug: Bug) -> Self {
        let count = watch::Sender::new(0);
        Self(Arc::new(Inner { bug, said: Mutex::default(), count, shown: Mutex::default(), loses: false.into() }))
    }

    fn has(&self, bug: Bug) -> bool {
        self.0.bug == bug
    }

    fn say(&self, text: &str) {
        self.0.count.send_modify(|count| *count += 1);
        self.0.said.lock().unwrap().push((*self.0.count.borrow(), text.to_owned()));
    }

    fn confirm(&self, up_to: u64) {
        self.0.said.lock().unwrap().retain(|(number, _)| *number > up_to);
    }

    fn inbound(&self, number: u64, text: &str) -> Inbound {
        let text = if self.has(Bug::TrimsLines) { text.replace("    ", "") } else { text.to_owned() };
        let now = jiff::Timestamp::now();
        let key = if self.has(Bug::KeysChange) { now.as_nanosecond().to_string() } else { number.to_string() };
        Inbound {
            key: key.into(),
            side: Side::Customer,
            from: Person::human("anna", "Anna"),
            at: Address::chat("anna"),
            sent_at: jiff::Timestamp::from_second(0).ok(),
            event: Event::Message(Message::text(number.to_string(), text)),
        }
    }
}

#[async_trait]
impl FarSide for Platform {
    async fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::new(self.clone())
    }

    fn person(&self) -> Counterpart {
        Counterpart { id: "anna".into(), name: "Anna".into(), at: Address::chat("anna"), side: Side::Customer }
    }

    async fn says(&self, text: &str) {
        self.say(text);
    }

    async fn sees(&self) -> Vec<String> {
        self.0.shown.lock().unwrap().clone()
    }

    async fn lose_next_answer(&self) -> bool {
        self.0.loses.store(true, SeqCst);
        true
    }
}

#[async_trait]
impl Adapter for Platform {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: Limit { max: 500, unit: TextUnit::Utf16 },
            media: Vec::new(),
            edit: None,
            delete: None,
            replies: true,
            reactions: false,
            threads: false,
            slash_commands: false,
            typing: false,
            receipts: false,
            reply_window: None,
        }
    }

    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        _: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        let stop = if self.has(Bug::NeverStops) { CancellationToken::new() } else { stop };
        stop.run_until_cancelled(self.run(inbox)).await.unwrap_or(Ok(()))
    }

    async fn send(&self, message: &Outbound, _: &Prepared, _: &dyn Media) -> Result<Sent, SendError> {
        let Op::Post(post) = &message.op else { return Err(SendError::WindowClosed) };
        let mut text = post.content.readable();
        if self.has(Bug::ReadsMarkup) {
            text = text.replace("<b>", "");
        }
        if self.has(Bug::CutsLongTexts) {
            text = text.chars().take(200).collect();
        }
        let id = {
            let mut shown = self.0.shown.lock().unwrap();
            let times = if self.has(Bug::SendsTwice) { 2 } else { 1 };
            shown.extend(vec![text.clone(); times]);
            shown.len()
        };
        if self.has(Bug::HearsItself) {
            self.say(&text);
        }
        match (self.0.loses.swap(false, SeqCst), self.has(Bug::TakesLostForFailed)) {
            (false, _) => Ok(Sent::one(id.to_string())),
            (true, false) => Err(SendError::Uncertain("no answer".into())),
            (true, true) => Err(SendError::Transient("no answer".into())),
        }
    }
}

impl Platform {
    async fn run(&self, inbox: Arc<dyn Inbox>) -> Result<(), ReceiveError> {
        if !self.has(Bug::NamesNoAccount) {
            inbox.connected("shop".into()).await?;
        }
        let mut count = self.0.count.subscribe();
        loop {
            count.mark_unchanged();
            let batch = self.0.said.lock().unwrap().clone();
            let Some(last) = batch.last().map(|(number, _)| *number) else {
                inbox.health(ChannelHealth::CaughtUp);
                let _ = count.changed().await;
                continue;
            };
            if self.has(Bug::ConfirmsBeforeStored) {
                self.confirm(last);
            }
            let events: Vec<_> = batch.iter().map(|(number, text)| self.inbound(*number, text)).collect();
            while inbox.accept(events.clone(), None).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if self.has(Bug::DropsWhatIsRefused) {
                    break;
                }
            }
            self.confirm(last);
        }
    }
}
