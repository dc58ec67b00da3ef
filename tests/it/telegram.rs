//! The Telegram adapter against the stand-in of the Bot API.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults;
mod files;
mod receiving;
mod sending;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use frontdesk_core::{
    AccountId, Adapter, Address, ChannelHealth, Content, Event, Inbound, Inbox, InboxError, Media, MediaKind, MediaRef,
    MediaStream, Op, Outbound, OutboxKey, Part, PlatformId, Post, Prepared, ReceiveError, RefusedScope, SendError,
    SendErrorKind, Sent, Severity, Side, Signal, Style,
    contract::{self, Counterpart, FarSide, TestInbox, Trouble},
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
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test]
async fn it_passes_the_contract_of_all_adapters() {
    let skipped = [
        "a repeated send of one key is seen once, where it may be repeated",
        "a closed reply window is said to be one",
        "a send that arrived is found",
        "a send that was never made is not found",
        "a send that lost its answer is found",
        "a desk opens a thread and posts in it",
        "an answer in a thread names its desk and thread",
    ];
    let far = TelegramSide { api: anna().await, troubles: AtomicUsize::new(0) };
    contract::assert_kept(&far, &skipped).await;
}

struct TelegramSide {
    api: BotApi,
    /// So many calls have failed before the last trouble.
    troubles: AtomicUsize,
}

#[async_trait]
impl FarSide for TelegramSide {
    async fn adapter(&self) -> Arc<dyn Adapter> {
        adapter(&self.api)
    }

    fn person(&self) -> Counterpart {
        let at = Address::chat(ANNA.to_string());
        Counterpart { id: ANNA.to_string().into(), name: "Anna".into(), at, side: Side::Customer }
    }

    async fn says(&self, text: &str) {
        self.api.says(ANNA, text);
    }

    async fn sees(&self) -> Vec<String> {
        self.api.received(ANNA).into_iter().map(|sent| sent.text).collect()
    }

    async fn provoke(&self, trouble: Trouble) -> bool {
        let (method, fault) = match trouble {
            Trouble::AnswerLost => ("sendMessage", Fault::after(Answer::Reset)),
            Trouble::AnswerHangs => ("sendMessage", Fault::after(Answer::Silence(Duration::from_secs(60)))),
            Trouble::DeliveryBreaks => ("getUpdates", Fault::after(Answer::Cut)),
            Trouble::DeliveryHangs => ("getUpdates", Fault::before(Answer::Silence(Duration::from_secs(60)))),
            Trouble::DeliveryReversed => {
                self.api.reverses_next();
                return true;
            }
            Trouble::SendFails(kind) => match failure(kind) {
                Some(answer) => ("sendMessage", Fault::before(answer)),
                None => return false,
            },
        };
        self.troubles.store(self.api.failed_calls(), SeqCst);
        self.api.fail_next(method, 1, fault);
        true
    }

    async fn is_met(&self) -> bool {
        self.api.failed_calls() > self.troubles.load(SeqCst)
    }
}

/// How the real server says it; bots have no reply window.
fn failure(kind: SendErrorKind) -> Option<Answer> {
    let answer = match kind {
        SendErrorKind::RetryAfter => Answer::TooMany(Some(2)),
        SendErrorKind::Transient => Answer::Says(
            409,
            r#"{ "ok": false, "error_code": 409, "description": "Conflict: can't use this method now" }"#,
        ),
        SendErrorKind::Uncertain => Answer::Reset,
        SendErrorKind::WindowClosed => return None,
        SendErrorKind::Moved => Answer::Says(
            400,
            r#"{ "ok": false, "error_code": 400, "parameters": { "migrate_to_chat_id": 42 },
                "description": "Bad Request: group chat was upgraded to a supergroup chat" }"#,
        ),
        SendErrorKind::Refused(RefusedScope::Content) => Answer::Says(
            400,
            r#"{ "ok": false, "error_code": 400, "description": "Bad Request: message is too long" }"#,
        ),
        SendErrorKind::Refused(RefusedScope::Recipient) => Answer::Says(
            403,
            r#"{ "ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user" }"#,
        ),
        SendErrorKind::Refused(RefusedScope::Account) => {
            Answer::Says(401, r#"{ "ok": false, "error_code": 401, "description": "Unauthorized" }"#)
        }
    };
    Some(answer)
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

/// What the product asks, and how, is in the official schema: each call with each of its parameters.
#[tokio::test]
async fn every_call_is_one_of_the_official_api() {
    let api = anna().await;
    let receiving = Receiving::start(&api);
    let asked = api.says(ANNA, "When?");
    api.sends_photo(ANNA, Some("For Saturday?"));
    api.react(ANNA, ANNA, asked, &[], &["👍"]);
    let media = receiving.events(2).await.into_iter().find_map(|inbound| match inbound.event {
        Event::Message(message) => message.content.parts.into_iter().find_map(|part| match part {
            Part::Media { media, .. } => Some(media),
            _ => None,
        }),
        _ => None,
    });
    receiving.stop().await;
    adapter(&api).probe().await;
    adapter(&api).fetch(&media.expect("a picture")).await.map(|_| ()).unwrap();
    let thread = Address::Chat { chat: "42".into(), scope: None, thread: Some("77".into()) };
    let reply = Post { reply_to: Some(asked.to_string().into()), style: Style::Notice, ..Post::words("At nine.") };
    let in_thread = Outbound { to: thread.clone(), ..outbound(Op::Post(reply)) };
    let id = adapter(&api).send(&in_thread, &Prepared::default(), &NoMedia).await.unwrap().ids.remove(0);
    for to in [Address::chat("42"), thread] {
        adapter(&api).signal(&to, Signal::Typing).await;
    }
    for kind in [MediaKind::Image, MediaKind::Video, MediaKind::Animation, MediaKind::Audio, MediaKind::Voice] {
        let mime = None;
        let media = MediaRef { mime, ..MediaRef::new(kind, "elsewhere") };
        let parts = vec![Part::Media { media, caption: Some("Here".into()) }];
        let post = Post { reply_to: Some(asked.to_string().into()), ..Post::words("") };
        let post = Post { content: Content { parts }, style: Style::Notice, ..post };
        files::bring(&api, Op::Post(post), &files::Elsewhere::whole(b"bytes")).await.unwrap();
    }
    for kind in [MediaKind::Sticker, MediaKind::File] {
        files::bring(&api, files::file(kind, "a.webp", "image/webp", None), &files::Elsewhere::whole(b"b"))
            .await
            .unwrap();
    }
    for op in [
        Op::Edit { id: id.clone(), post: Post::words("At ten.") },
        Op::React { id: asked.to_string().into(), emoji: Some("👍".into()) },
        Op::React { id: asked.to_string().into(), emoji: None },
        Op::Delete { id },
    ] {
        send(&api, op).await.unwrap();
    }
    let called: std::collections::BTreeSet<_> = api.calls().into_iter().map(|call| call.method).collect();
    let all = [
        "deleteMessage",
        "editMessageText",
        "getFile",
        "getMe",
        "getUpdates",
        "getWebhookInfo",
        "sendAnimation",
        "sendAudio",
        "sendChatAction",
        "sendDocument",
        "sendMessage",
        "sendPhoto",
        "sendSticker",
        "sendVideo",
        "sendVoice",
        "setMessageReaction",
    ];
    assert_eq!(called.iter().map(String::as_str).collect::<Vec<_>>(), all, "a method more or less: call it here");
    api.assert_official();
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

    /// Exactly these words were stored, each once.
    async fn stop_at(self, texts: &[&str], when: &str) {
        let stored: Vec<_> = self.inbox.stored().iter().map(|inbound| words(&inbound.event)).collect();
        assert_eq!(stored, texts, "{when}");
        self.stop().await;
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// Refuses everything.
#[derive(Default)]
struct FullDisk {
    refused: AtomicUsize,
}

#[async_trait]
impl Inbox for FullDisk {
    async fn connected(&self, _: AccountId) -> Result<(), InboxError> {
        Ok(())
    }

    async fn accept(&self, _: Vec<Inbound>, _: Option<frontdesk_core::Cursor>) -> Result<(), InboxError> {
        self.refused.fetch_add(1, SeqCst);
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
