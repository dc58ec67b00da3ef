//! The Telegram adapter against the stand-in of the Bot API.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod files;
mod receiving;
mod sending;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use frontdesk_core::{
    AccountId, Adapter, Address, ChannelHealth, Content, Event, Inbound, Inbox, InboxError, Media, MediaKind, MediaRef,
    MediaStream, Op, Outbound, OutboxKey, Part, PlatformId, Post, Prepared, ReceiveError, RefusedScope, SendError,
    Sent, Severity, Side, Signal, Style,
    contract::{self, Counterpart, FarSide, TestInbox},
};
use frontdesk_telegram::{RawConfig, TelegramAdapter};
use futures::StreamExt;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::botapi::{Answer, BotApi, Fault};

const ANNA: i64 = 42;
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn it_passes_the_contract_of_all_adapters() {
    let far = TelegramSide(anna().await);
    if let Err(report) = contract::check(&far).await {
        panic!("{report}");
    }
}

struct TelegramSide(BotApi);

#[async_trait]
impl FarSide for TelegramSide {
    async fn adapter(&self) -> Arc<dyn Adapter> {
        adapter(&self.0)
    }

    fn person(&self) -> Counterpart {
        let at = Address::chat(ANNA.to_string());
        Counterpart { id: ANNA.to_string().into(), name: "Anna".into(), at, side: Side::Customer }
    }

    async fn says(&self, text: &str) {
        self.0.says(ANNA, text);
    }

    async fn sees(&self) -> Vec<String> {
        self.0.received(ANNA).into_iter().map(|sent| sent.text).collect()
    }

    async fn lose_next_answer(&self) -> bool {
        self.0.fail_next("sendMessage", 1, Fault::after(Answer::Reset));
        true
    }
}

#[tokio::test]
async fn a_probe_names_the_bot_and_finds_a_webhook() {
    let api = anna().await;
    let severities = async || adapter(&api).probe().await.into_iter().map(|it| it.severity).collect::<Vec<_>>();
    assert_eq!(severities().await, [Severity::Ok, Severity::Ok]);
    call(&api, "setWebhook", json!({ "url": "https://other.example/hook" })).await;
    assert_eq!(severities().await, [Severity::Ok, Severity::Error]);
    let wrong = adapter_with(api.url(), "123456789:AAEanotherAnotherAnotherAnotherAnother").probe().await;
    assert!(wrong[0].severity == Severity::Error && wrong[0].text.contains("@BotFather"), "{wrong:?}");
}

/// A server, with Anna who has started the bot; that was read long ago.
async fn anna() -> BotApi {
    let api = BotApi::start().await;
    api.user(ANNA, "Anna", Some("de"));
    api.start_cmd(ANNA, None);
    call(&api, "getUpdates", json!({ "offset": 1_u64 << 40 })).await;
    api
}

fn adapter(api: &BotApi) -> Arc<TelegramAdapter> {
    adapter_with(api.url(), api.token())
}

fn adapter_with(url: &str, token: &str) -> Arc<TelegramAdapter> {
    let raw: RawConfig = serde_json::from_value(json!({ "token": token, "api_url": url })).unwrap();
    Arc::new(TelegramAdapter::new(&raw.validate().unwrap()).unwrap())
}

/// An adapter that receives.
struct Receiving {
    inbox: Arc<TestInbox>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), ReceiveError>>,
}

impl Receiving {
    fn start(api: &BotApi) -> Self {
        let (inbox, stop) = (Arc::new(TestInbox::new()), CancellationToken::new());
        let task = tokio::spawn({
            let (adapter, inbox, stop) = (adapter(api), inbox.clone(), stop.clone());
            async move { adapter.receive(inbox, None, stop).await }
        });
        Self { inbox, stop, task }
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

/// Refuses everything.
#[derive(Default)]
struct FullDisk {
    refused: std::sync::atomic::AtomicUsize,
}

#[async_trait]
impl Inbox for FullDisk {
    async fn connected(&self, _: AccountId) -> Result<(), InboxError> {
        Ok(())
    }

    async fn accept(&self, _: Vec<Inbound>, _: Option<frontdesk_core::Cursor>) -> Result<(), InboxError> {
        self.refused.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Err(InboxError::Store("no space left".into()))
    }

    fn health(&self, _: ChannelHealth) {}
}

struct NoMedia;

#[async_trait]
impl Media for NoMedia {
    async fn open(&self, _: &MediaRef) -> Result<MediaStream, SendError> {
        Err(SendError::refused(RefusedScope::Content, "there are no files here"))
    }
}

fn post(text: &str) -> Op {
    Op::Post(Post::words(text))
}

fn outbound(op: Op) -> Outbound {
    let key = OutboxKey { instance: 1, number: 1 };
    Outbound { key, to: Address::chat(ANNA.to_string()), op, written_at: jiff::Timestamp::now() }
}

async fn send(api: &BotApi, op: Op) -> Result<Sent, SendError> {
    adapter(api).send(&outbound(op), &Prepared::default(), &NoMedia).await
}

fn verdict(outcome: &Result<Sent, SendError>) -> String {
    match outcome {
        Ok(_) => "sent".into(),
        Err(SendError::RetryAfter { after, bucket }) => {
            format!("wait {} s for {}", after.as_secs(), bucket.as_ref().unwrap())
        }
        Err(SendError::Transient(_)) => "certainly not".into(),
        Err(SendError::Uncertain(_)) => "uncertain".into(),
        Err(SendError::WindowClosed) => "window closed".into(),
        Err(SendError::Moved(_)) => "moved".into(),
        Err(SendError::Refused { scope, .. }) => format!("refused: {scope:?}"),
    }
}

fn words(event: &Event) -> String {
    let Event::Message(message) = event else { panic!("{event:?}") };
    message.content.readable()
}

fn kind(event: &Event) -> String {
    match event {
        Event::Unsupported { kind, .. } => format!("{kind}, unsupported"),
        other => words(other),
    }
}

/// As another program with the same token.
async fn call(api: &BotApi, method: &str, params: serde_json::Value) {
    let body = params.to_string();
    let host = api.url().trim_start_matches("http://");
    let request = format!(
        "POST /bot{}/{method} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        api.token(),
        body.len()
    );
    let mut wire = TcpStream::connect(host).await.unwrap();
    wire.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    wire.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"ok\":true"), "{answer}");
}
