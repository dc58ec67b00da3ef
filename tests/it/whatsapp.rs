//! The WhatsApp adapter against the stand-in of the Cloud API.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults;
mod files;
mod hook;
mod hooked;
mod official;
mod oracle;
mod program;
mod receiving;
mod sending;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use frontdesk_core::{
    AccountId, Adapter, Address, Argument, ChannelHealth, Content, DeliveryState, Event, Found, Inbound, Inbox,
    InboxError, Media, MediaKind, MediaRef, MediaStream, Op, Outbound, OutboxKey, Part, PlatformId, Post, Prepared,
    ReceiveError, RefusedScope, SendError, SendErrorKind, Sent, Severity, Side, Signal,
    contract::{self, Counterpart, FarSide, TestInbox, Trouble},
};
use frontdesk_whatsapp::{Config, Numbers, RawConfig, WhatsAppAdapter};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::graph::{Answer, Fault, Graph, Late, Manner, Person, Snag};
use hooked::Hooked;

const PHONE: &str = "16505551234";
const USER: &str = "US.13491208655302741918";
const PATIENCE: Duration = Duration::from_secs(60);

const SKIPPED: [&str; 6] = [
    "a repeated send of one key is seen once, where it may be repeated",
    "what does not work for now is said to be so",
    "a chat that moved has its new address",
    "a send that was never made is not found",
    "a desk opens a thread and posts in it",
    "an answer in a thread names its desk and thread",
];

#[tokio::test]
async fn it_passes_the_contract_of_all_adapters() {
    let graph = Graph::start().await;
    let anna = graph.known_as("Anna", Some(PHONE), Some(USER));
    contract::assert_kept(&WhatsAppSide::new(graph, anna, USER), &SKIPPED).await;
}

/// As they were before there were user ids.
#[tokio::test]
async fn it_passes_the_contract_for_people_who_are_only_a_number() {
    let graph = Graph::start().await;
    let anna = graph.person("Anna", PHONE);
    contract::assert_kept(&WhatsAppSide::new(graph, anna, PHONE), &SKIPPED).await;
}

#[tokio::test]
async fn it_passes_the_contract_for_people_without_a_number() {
    let graph = Graph::start().await;
    let anna = graph.known_as("Anna", None, Some(USER));
    contract::assert_kept(&WhatsAppSide::new(graph, anna, USER), &SKIPPED).await;
}

struct WhatsAppSide {
    graph: Graph,
    anna: Person,
    /// What she is known by.
    id: &'static str,
    line: Line,
    /// So many calls and deliveries have failed before the last trouble.
    troubles: AtomicUsize,
}

impl WhatsAppSide {
    /// Anna has written before: within her 24 hours.
    fn new(graph: Graph, anna: Person, id: &'static str) -> Self {
        let line = Line::new(&graph);
        graph.says(anna, "Hello, I am Anna");
        Self { graph, anna, id, line, troubles: AtomicUsize::new(0) }
    }

    fn met(&self) -> usize {
        self.graph.failed_calls() + self.graph.snags_met()
    }
}

#[async_trait]
impl FarSide for WhatsAppSide {
    async fn adapter(&self) -> Arc<dyn Adapter> {
        self.line.adapter(&self.graph)
    }

    fn person(&self) -> Counterpart {
        Counterpart { id: self.id.into(), name: "Anna".into(), at: Address::chat(self.id), side: Side::Customer }
    }

    async fn says(&self, text: &str) {
        self.graph.says(self.anna, text);
    }

    async fn sees(&self) -> Vec<String> {
        self.graph.received(self.anna).into_iter().map(|sent| sent.text).collect()
    }

    async fn provoke(&self, trouble: Trouble) -> bool {
        self.troubles.store(self.met(), SeqCst);
        let fault = match trouble {
            Trouble::AnswerLost => Fault::after(Answer::Reset),
            Trouble::AnswerHangs => Fault::after(Answer::Silence(Duration::from_secs(60))),
            Trouble::DeliveryBreaks => return self.snags(Snag::Breaks),
            Trouble::DeliveryHangs => return self.snags(Snag::Hangs),
            Trouble::DeliveryReversed => {
                self.graph.reverses_next();
                return true;
            }
            Trouble::SendFails(kind) => match failure(kind) {
                Some(answer) => Fault::before(answer),
                None => return false,
            },
        };
        self.graph.fail_next("messages", 1, fault);
        true
    }

    async fn is_met(&self) -> bool {
        self.met() > self.troubles.load(SeqCst)
    }
}

impl WhatsAppSide {
    fn snags(&self, snag: Snag) -> bool {
        self.graph.snags(snag);
        true
    }
}

/// How the real server says it; a customer's new number is told by a webhook, not by a send.
fn failure(kind: SendErrorKind) -> Option<Answer> {
    let answer = match kind {
        SendErrorKind::RetryAfter => {
            Answer::Says(400, r#"{ "error": { "code": 131056, "message": "(#131056) pair rate limit hit" } }"#)
        }
        // Only what never left is certain to work again; that has a test of its own.
        SendErrorKind::Transient => return None,
        SendErrorKind::Uncertain => Answer::Reset,
        SendErrorKind::WindowClosed => {
            Answer::Says(400, r#"{ "error": { "code": 131047, "message": "(#131047) Re-engagement message" } }"#)
        }
        SendErrorKind::Moved => return None,
        SendErrorKind::Refused(RefusedScope::Content) => {
            Answer::Says(400, r#"{ "error": { "code": 131051, "message": "(#131051) Unsupported message type" } }"#)
        }
        SendErrorKind::Refused(RefusedScope::Recipient) => {
            Answer::Says(400, r#"{ "error": { "code": 131026, "message": "(#131026) Message undeliverable" } }"#)
        }
        SendErrorKind::Refused(RefusedScope::Account) => {
            Answer::Says(401, r#"{ "error": { "code": 190, "message": "Invalid OAuth access token" } }"#)
        }
    };
    Some(answer)
}

/// The severity and the words of each finding.
async fn findings(adapter: &dyn Adapter) -> Vec<(Severity, String)> {
    adapter.probe().await.into_iter().map(|finding| (finding.severity, finding.text)).collect()
}

#[tokio::test]
async fn a_probe_tries_the_token_the_number_the_webhook_and_the_secret() {
    let shop = Shop::open().await;
    let well = findings(&*shop.receiving.adapter).await;
    assert!(well.iter().all(|(severity, _)| *severity == Severity::Ok), "{well:?}");
    let words = well.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
    assert!(words.contains("Blue Door Bakery") && words.contains("/hooks/whatsapp/shop"), "{words}");
    let before = shop.receiving.inbox.offered().len();
    assert_eq!(before, 0, "the call to the hook has left something");
}

#[tokio::test]
async fn a_probe_finds_what_is_missing_and_says_what_to_click() {
    let shop = Shop::open().await;
    let wrong = async |key: &str, value: &str| {
        let mut table = shop.graph.table(&shop.graph.number());
        table[key] = value.into();
        let found = findings(&*adapter_with(table)).await;
        assert!(!format!("{found:?}").contains(value) || key == "phone_number_id", "a secret is shown: {found:?}");
        found
    };
    let errors = |found: Vec<(Severity, String)>| {
        let errors = found.into_iter().filter(|(severity, _)| *severity == Severity::Error);
        errors.map(|(_, text)| text).collect::<Vec<_>>().join("\n")
    };
    assert!(errors(wrong("access_token", "EAAJanotherAnotherAnotherAnother").await).contains("Generate token"));
    let other_secret = errors(wrong("app_secret", "00000000000000000000000000000000").await);
    assert!(other_secret.contains("app_secret") && other_secret.contains("App settings"), "{other_secret}");
    assert!(errors(wrong("phone_number_id", "999999999999999").await).contains("API Setup"));

    shop.graph.set_subscribed(false);
    assert!(errors(findings(&*shop.receiving.adapter).await).contains("subscribed_apps"));
    shop.graph.set_subscribed(true);
    shop.graph.set_fields(&["account_update"]);
    assert!(errors(findings(&*shop.receiving.adapter).await).contains("`messages`"));
    shop.graph.set_fields(&["messages"]);
    shop.graph.calls_hook("http://127.0.0.1:9/hooks/whatsapp/shop");
    assert!(errors(findings(&*shop.receiving.adapter).await).contains("cannot be reached"));
    shop.graph.calls_hook("https://other.example/webhook");
    assert!(errors(findings(&*shop.receiving.adapter).await).contains("other.example"));
}

/// Where the program listens: the same place in each of its lives.
struct Line {
    port: u16,
}

impl Line {
    /// The hook of the channel `shop` is told to Meta.
    fn new(graph: &Graph) -> Self {
        let line = Self { port: hooked::free_port() };
        graph.calls_hook(&line.hook("shop"));
        line
    }

    fn hook(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/hooks/whatsapp/{name}", self.port)
    }

    fn adapter(&self, graph: &Graph) -> Arc<Hooked> {
        Arc::new(Hooked::new(adapter(graph), self.port))
    }
}

fn adapter(graph: &Graph) -> Arc<WhatsAppAdapter> {
    adapter_with(graph.table(&graph.number()))
}

fn adapter_with(table: Value) -> Arc<WhatsAppAdapter> {
    channel("shop", table, &Arc::default())
}

fn channel(name: &str, table: Value, numbers: &Arc<Numbers>) -> Arc<WhatsAppAdapter> {
    Arc::new(WhatsAppAdapter::new(name, config(table), Arc::clone(numbers)).unwrap())
}

fn config(table: Value) -> Config {
    serde_json::from_value::<RawConfig>(table).unwrap().validate().unwrap()
}

/// A stand-in, with Anna, and an adapter that receives.
struct Shop {
    graph: Graph,
    anna: Person,
    receiving: Receiving,
}

impl Shop {
    async fn open() -> Self {
        let graph = Graph::start().await;
        let anna = graph.known_as("Anna", Some(PHONE), Some(USER));
        let receiving = Receiving::start(&graph).await;
        Self { graph, anna, receiving }
    }

    /// Anna has written, so that she can be answered.
    async fn asked() -> (Self, String) {
        let shop = Self::open().await;
        let asked = shop.graph.says(shop.anna, "Do you have bread?");
        shop.graph.wait_confirmed(PATIENCE).await;
        (shop, asked)
    }

    /// Everything that people did, once all of it is stored.
    async fn events(&self) -> Vec<Inbound> {
        self.graph.wait_confirmed(PATIENCE).await;
        self.receiving.inbox.stored()
    }

    async fn send(&self, op: Op) -> Result<Sent, SendError> {
        send(&*self.receiving.adapter, &outbound(op)).await
    }
}

struct Receiving {
    adapter: Arc<Hooked>,
    inbox: Arc<TestInbox>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), ReceiveError>>,
}

impl Receiving {
    async fn start(graph: &Graph) -> Self {
        let receiving = Self::with(Line::new(graph).adapter(graph), Arc::new(TestInbox::new()));
        receiving.healthy().await;
        receiving
    }

    fn with(adapter: Arc<Hooked>, inbox: Arc<TestInbox>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let (adapter, inbox, stop) = (adapter.clone(), inbox.clone(), stop.clone());
            async move { adapter.receive(inbox, None, stop).await }
        });
        Self { adapter, inbox, stop, task }
    }

    async fn events(&self, n: usize) -> Vec<Inbound> {
        let stored = self.inbox.wait(PATIENCE, |inbox| Some(inbox.stored()).filter(|stored| stored.len() >= n)).await;
        stored.unwrap_or_else(|| panic!("{n} events expected: {:#?}", self.inbox.stored()))
    }

    async fn healthy(&self) {
        let last = |inbox: &TestInbox| (inbox.healths().last() == Some(&ChannelHealth::CaughtUp)).then_some(());
        self.inbox.wait(PATIENCE, last).await.unwrap_or_else(|| panic!("{:?}", self.inbox.healths()));
    }

    async fn problem(&self) -> String {
        let problem = |health| match health {
            ChannelHealth::Failing { problem } => Some(problem),
            ChannelHealth::Connecting | ChannelHealth::Connected | ChannelHealth::CaughtUp => None,
        };
        let found = self.inbox.wait(PATIENCE, |inbox| inbox.healths().into_iter().find_map(problem)).await;
        found.unwrap_or_else(|| panic!("{:?}", self.inbox.healths()))
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// The files that a test sends.
#[derive(Default)]
struct Files(Vec<(String, Vec<u8>, String)>);

impl Files {
    fn with(reference: &str, bytes: Vec<u8>, mime: &str) -> Self {
        Self(vec![(reference.to_owned(), bytes, mime.to_owned())])
    }
}

#[async_trait]
impl Media for Files {
    async fn open(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        let found = self.0.iter().find(|(reference, ..)| *reference == media.reference);
        let (_, bytes, mime) =
            found.ok_or_else(|| SendError::refused(RefusedScope::Content, "there is no such file here"))?.clone();
        let chunks: Vec<_> = bytes.chunks(100_000).map(|chunk| Ok(axum::body::Bytes::copy_from_slice(chunk))).collect();
        let size = Some(bytes.len() as u64);
        Ok(MediaStream { size, mime: Some(mime), chunks: Box::pin(futures::stream::iter(chunks)) })
    }
}

fn post(text: &str) -> Op {
    Op::Post(Post::words(text))
}

fn outbound(op: Op) -> Outbound {
    let key = OutboxKey { instance: 1, number: 1 };
    Outbound { key, to: Address::chat(USER), op, written_at: jiff::Timestamp::now() }
}

/// As the program does: prepared, then sent.
async fn send(adapter: &dyn Adapter, message: &Outbound) -> Result<Sent, SendError> {
    send_with(adapter, message, &Files::default()).await
}

async fn send_with(adapter: &dyn Adapter, message: &Outbound, files: &Files) -> Result<Sent, SendError> {
    let prepared = adapter.prepare(message, files).await?;
    adapter.send(message, &prepared, files).await
}

fn verdict(outcome: &Result<Sent, SendError>) -> String {
    match outcome {
        Ok(_) => "sent".into(),
        Err(SendError::RetryAfter { .. }) => "wait".into(),
        Err(SendError::Transient(_)) => "certainly not".into(),
        Err(SendError::Uncertain(_)) => "uncertain".into(),
        Err(SendError::WindowClosed) => "window closed".into(),
        Err(SendError::Moved(_)) => "moved".into(),
        Err(SendError::Refused { scope, .. }) => format!("refused: {scope:?}"),
    }
}

/// An event in a line.
fn line(event: &Event) -> String {
    match event {
        Event::Message(message) => message.content.readable(),
        Event::Edited { content, .. } => format!("edited: {}", content.readable()),
        Event::Deleted { ids } => format!("deleted: {}", ids.len()),
        Event::Reaction { emoji, .. } => format!("reaction: {}", emoji.as_deref().unwrap_or("none")),
        Event::Status { state, .. } => match state {
            DeliveryState::Sent => "status: sent".into(),
            DeliveryState::Delivered => "status: delivered".into(),
            DeliveryState::Read => "status: read".into(),
            DeliveryState::Failed { .. } => "status: failed".into(),
            DeliveryState::WindowClosed => "status: window closed".into(),
        },
        Event::Echo(message) => format!("echo: {}", message.content.readable()),
        Event::IdentityMoved { from, to } => format!("{from} is {to} now"),
        Event::Known => "known".into(),
        Event::Unsupported { kind, .. } => format!("unsupported: {kind}"),
        other => format!("{other:?}"),
    }
}

fn lines(events: &[Inbound]) -> Vec<String> {
    events.iter().map(|inbound| line(&inbound.event)).collect()
}
