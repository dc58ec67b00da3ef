//! The WhatsApp adapter against the stand-in of the Cloud API.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod contract;
mod faults;
mod files;
mod hook;
mod hooked;
mod late;
mod official;
mod oracle;
mod probe;
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
    ReceiveError, RefusedScope, SendError, Sent, Side, Signal, contract::TestInbox,
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
