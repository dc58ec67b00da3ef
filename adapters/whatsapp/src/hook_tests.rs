#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use frontdesk_core::{
    AccountId, Adapter, ChannelHealth, Cursor, Event, Inbound, Inbox, OutboxKey, SecretSource, contract::TestInbox,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::{
    WhatsAppAdapter,
    config::tests::{SECRET, VERIFY, config},
};

const SHOP: &str = "106540352242922";
const CAFE: &str = "106540352242933";

/// A program with two numbers on one app, and one on another.
struct Program {
    address: String,
    shop: Arc<TestInbox>,
    cafe: Arc<TestInbox>,
    adapters: Vec<WhatsAppAdapter>,
    client: reqwest::Client,
}

impl Program {
    async fn start() -> Self {
        let shop = Arc::new(TestInbox::new());
        Self { shop: shop.clone(), ..Self::with(shop).await }
    }

    /// With an inbox of this kind for the shop.
    async fn with(inbox: Arc<dyn Inbox>) -> Self {
        let numbers = Arc::new(Numbers::new());
        let cafe = Arc::new(TestInbox::new());
        let adapter = |name: &str, number: &str| {
            WhatsAppAdapter::new(name, config(number, "http://127.0.0.1:9"), Arc::clone(&numbers)).unwrap()
        };
        let adapters = vec![adapter("shop", SHOP), adapter("cafe", CAFE)];
        let router = adapters[0].routes(inbox).unwrap().merge(adapters[1].routes(cafe.clone()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shop: Arc::default(), cafe, adapters, client: reqwest::Client::new() }
    }

    async fn get(&self, query: &str) -> (u16, String) {
        let answer = self.client.get(format!("{}/hooks/whatsapp/shop?{query}", self.address)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, body: impl Into<String>) -> u16 {
        let body = body.into();
        let signature = signature::sign(&Secret::new(SECRET), body.as_bytes());
        self.post_as(body, Some(&signature)).await
    }

    async fn post_as(&self, body: String, signature: Option<&str>) -> u16 {
        let mut request = self.client.post(format!("{}/hooks/whatsapp/shop", self.address)).body(body);
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

fn said(id: &str) -> Value {
    json!({ "from": "16505551234", "id": id, "timestamp": "1749416383", "type": "text", "text": { "body": "Hi" } })
}

fn change(number: &str, messages: Vec<Value>) -> Value {
    let metadata = json!({ "phone_number_id": number });
    json!({ "field": "messages", "value": { "metadata": metadata, "messages": messages } })
}

fn payload(changes: Vec<Value>) -> String {
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] }).to_string()
}

fn one(number: &str) -> String {
    payload(vec![change(number, vec![said("wamid.1")])])
}

#[tokio::test]
async fn the_handshake_gives_the_challenge_to_who_knows_the_word() {
    let program = Program::start().await;
    let word = VERIFY.replace(' ', "%20");
    let query = |mode: &str, word: &str| format!("hub.mode={mode}&hub.challenge=1158201444&hub.verify_token={word}");
    assert_eq!(program.get(&query("subscribe", &word)).await, (200, "1158201444".into()));
    for wrong in [query("subscribe", "guess"), query("subscribe", ""), query("unsubscribe", &word), String::new()] {
        let (status, words) = program.get(&wrong).await;
        assert_eq!((status, words.contains("1158201444")), (403, false), "{wrong}");
    }
}

#[tokio::test]
async fn only_the_apps_own_signature_over_the_very_bytes_is_taken() {
    let program = Program::start().await;
    let body = one(SHOP);
    let other = signature::sign(&Secret::new("fedcba9876543210fedcba9876543210"), body.as_bytes());
    let of_other_bytes = signature::sign(&Secret::new(SECRET), format!("{body} ").as_bytes());
    assert_eq!(program.post_as(body.clone(), None).await, 401);
    assert_eq!(program.post_as(body.clone(), Some("sha1=abc")).await, 401);
    assert_eq!(program.post_as(body.clone(), Some(&other)).await, 403);
    assert_eq!(program.post_as(body.clone(), Some(&of_other_bytes)).await, 403);
    assert!(program.shop.offered().is_empty());
    assert_eq!(program.post(body).await, 200);
    assert_eq!(program.shop.account(), Some(AccountId::from(SHOP)));
    assert!(!program.shop.had_early_events());
    assert_eq!(program.shop.stored().len(), 1);
}

/// Whoever has no secret takes no place from who has: neither turn nor body is waited for.
#[tokio::test(start_paused = true)]
async fn what_is_not_signed_waits_for_nothing() {
    let line = Numbers::new().add(&config(SHOP, "http://127.0.0.1:9"));
    let hook = Arc::new(Hook::new(line, Arc::new(Numbers::new()), Secret::new(VERIFY)));
    let _all = hook.large.acquire_many(LARGE_AT_ONCE as u32).await.unwrap();
    let came = |signature: Option<&str>| {
        let endless = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let mut request = Request::new(endless);
        if let Some(signature) = signature {
            request.headers_mut().insert("x-hub-signature-256", signature.parse().unwrap());
        }
        take(Arc::clone(&hook), request)
    };
    let began = tokio::time::Instant::now();
    let digest = "0".repeat(64);
    for (signature, expected) in [
        (None, Answer::Unsigned),
        (Some(format!("sha1={digest}")), Answer::Unsigned),
        (Some("sha256=".into()), Answer::Forged),
        (Some(format!("sha256={digest}0")), Answer::Forged),
        (Some(format!("sha256={}x", &digest[1..])), Answer::Forged),
    ] {
        assert_eq!(came(signature.as_deref()).await, Err(expected), "{signature:?}");
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(came(Some(&format!("sha256={digest}"))).await, Err(Answer::Again));
    assert_eq!(began.elapsed(), TURN);
}

#[tokio::test]
async fn nonsense_and_what_is_too_long_are_refused() {
    let program = Program::start().await;
    for nonsense in ["", "hello", "[]", "{}", r#"{"object":"page","entry":[]}"#] {
        assert_eq!(program.post(nonsense).await, 400, "{nonsense}");
    }
    assert_eq!(program.post(r#"{"object":"whatsapp_business_account","entry":[]}"#).await, 200);
    let padded = |length: usize| {
        let body = one(SHOP);
        let room = length - body.len();
        body + &" ".repeat(room)
    };
    assert_eq!(program.post(padded(LONGEST)).await, 200);
    assert_eq!(program.post(padded(LONGEST + 1)).await, 413);
    assert_eq!(program.shop.stored().len(), 1);
}

#[tokio::test]
async fn each_number_gets_its_own_and_an_unknown_one_is_refused() {
    let program = Program::start().await;
    let stranger = change("999999999999999", vec![said("wamid.9")]);
    let mixed = payload(vec![
        change(SHOP, vec![said("wamid.1")]),
        stranger.clone(),
        change(CAFE, vec![said("wamid.2")]),
        change(SHOP, vec![said("wamid.3")]),
    ]);
    assert_eq!(program.post(mixed).await, 404);
    let keys = |inbox: &TestInbox| inbox.stored().iter().map(|inbound| inbound.key.to_string()).collect::<Vec<_>>();
    assert_eq!(
        (keys(&program.shop), keys(&program.cafe)),
        (vec!["wamid.1".into(), "wamid.3".into()], vec!["wamid.2".into()])
    );
    assert_eq!(program.cafe.account(), Some(AccountId::from(CAFE)));
    assert_eq!(program.post(payload(vec![stranger])).await, 404);
    assert_eq!((program.shop.stored().len(), program.cafe.stored().len()), (2, 1));
}

#[tokio::test]
async fn an_app_does_not_speak_for_the_number_of_another() {
    let numbers = Arc::new(Numbers::new());
    let shop = Arc::new(TestInbox::new());
    let other = Arc::new(TestInbox::new());
    let adapter = WhatsAppAdapter::new("shop", config(SHOP, "http://127.0.0.1:9"), Arc::clone(&numbers)).unwrap();
    let mut foreign = config(CAFE, "http://127.0.0.1:9");
    foreign.app_secret = SecretSource::Text("fedcba9876543210fedcba9876543210".into()).read().unwrap();
    let stranger = WhatsAppAdapter::new("cafe", foreign, Arc::clone(&numbers)).unwrap();
    let router = adapter.routes(shop.clone()).unwrap().merge(stranger.routes(other.clone()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hooks/whatsapp/shop", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let body = one(CAFE);
    let signature = signature::sign(&Secret::new(SECRET), body.as_bytes());
    let answer = reqwest::Client::new().post(address).header("x-hub-signature-256", signature).body(body).send().await;
    assert_eq!(answer.unwrap().status().as_u16(), 404);
    assert!(other.offered().is_empty() && shop.offered().is_empty());
}

#[tokio::test]
async fn a_thousand_updates_are_one_batch_well_under_a_second() {
    let counting = Arc::new(Counting::default());
    let program = Program::with(counting.clone()).await;
    let messages = (0..1000).map(|number| said(&format!("wamid.{number}"))).collect();
    let body = payload(vec![change(SHOP, messages)]);
    let began = std::time::Instant::now();
    assert_eq!(program.post(body).await, 200);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    let Counting { batches, events, .. } = &*counting;
    assert_eq!((batches.load(Ordering::SeqCst), events.load(Ordering::SeqCst)), (1, 1000));
}

#[tokio::test]
async fn what_the_store_cannot_take_is_asked_for_again() {
    let counting = Arc::new(Counting { refusals: AtomicUsize::new(1), ..Counting::default() });
    let program = Program::with(counting.clone()).await;
    assert_eq!(program.post(one(SHOP)).await, 503);
    assert_eq!(counting.events.load(Ordering::SeqCst), 0);
    assert_eq!(program.post(one(SHOP)).await, 200);
    assert_eq!(counting.events.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_status_settles_the_send_that_waits_for_it() {
    let program = Program::start().await;
    let key = OutboxKey { instance: 7, number: 12 };
    let line = program.adapters[0].line();
    let memory = &line.memory;
    let waiting = memory.taken(key, tokio::time::Instant::now() + Duration::from_secs(5));
    let status = json!({ "id": "wamid.O", "status": "sent", "recipient_id": "16505551234", "biz_opaque_callback_data": key.to_string() });
    let value = json!({ "metadata": { "phone_number_id": SHOP }, "statuses": [status] });
    let body = payload(vec![json!({ "field": "messages", "value": value })]);
    let (found, status) = futures::join!(waiting, program.post(body));
    assert_eq!((found, status), (Some("wamid.O".into()), 200));
    assert!(matches!(&program.shop.stored()[0].event, Event::Status { key: Some(found), .. } if *found == key));
}

/// Counts, and refuses as often as it is told to.
#[derive(Default)]
struct Counting {
    refusals: AtomicUsize,
    batches: AtomicUsize,
    events: AtomicUsize,
}

#[async_trait]
impl Inbox for Counting {
    async fn connected(&self, _: AccountId) -> Result<(), InboxError> {
        Ok(())
    }

    async fn accept(&self, events: Vec<Inbound>, _: Option<Cursor>) -> Result<(), InboxError> {
        let refused = self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if refused.is_ok() {
            return Err(InboxError::Store("the test refuses this batch".into()));
        }
        self.batches.fetch_add(1, Ordering::SeqCst);
        self.events.fetch_add(events.len(), Ordering::SeqCst);
        Ok(())
    }

    fn health(&self, _: ChannelHealth) {}
}
