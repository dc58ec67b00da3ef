//! The adapter against a server that answers as each test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::{
    Adapter, Address, ChannelHealth, Content, Media, MediaKind, MediaRef, MediaStream, Op, Outbound, OutboxKey, Part,
    Post, Prepared, RefusedScope, SendError, SendErrorKind, Sent, Signal, contract::TestInbox,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    Numbers, WhatsAppAdapter,
    config::tests::{TOKEN, config},
    graph::{Graph, NUMBER, Says, error},
};

const KEY: OutboxKey = OutboxKey { instance: 7, number: 12 };

fn took(id: &str) -> Says {
    Says::Json(200, json!({ "messaging_product": "whatsapp", "messages": [{ "id": id }] }))
}

fn outbound(op: Op) -> Outbound {
    Outbound { key: KEY, to: Address::chat("16505551234"), op, written_at: jiff::Timestamp::UNIX_EPOCH }
}

async fn send(adapter: &WhatsAppAdapter) -> Result<Sent, SendError> {
    adapter.send(&outbound(Op::Post(Post::words("Hi"))), &Prepared::default(), &File(b"")).await
}

/// One file for everything.
struct File(&'static [u8]);

#[async_trait]
impl Media for File {
    async fn open(&self, _: &MediaRef) -> Result<MediaStream, SendError> {
        let pieces: Vec<_> = self.0.chunks(4).map(|piece| Ok(Bytes::from_static(piece))).collect();
        let size = Some(self.0.len() as u64);
        Ok(MediaStream { size, mime: Some("image/png".into()), chunks: Box::pin(stream::iter(pieces)) })
    }
}

fn media(reference: &str) -> MediaRef {
    let (name, mime) = (Some("cake.png".to_owned()), None);
    MediaRef { kind: MediaKind::Image, reference: reference.into(), name, mime, size: None, duration_secs: None }
}

#[tokio::test]
async fn a_send_is_one_call_with_the_token_and_is_found_again() {
    let graph = Graph::saying(vec![took("wamid.O")]).await;
    let adapter = graph.adapter();
    assert_eq!(send(&adapter).await.unwrap(), Sent::one("wamid.O"));
    assert_eq!(graph.asked(), [format!("POST /v25.0/{NUMBER}/messages")]);
    let asked = graph.requests();
    assert_eq!(asked[0].token, format!("Bearer {TOKEN}"));
    let body: Value = serde_json::from_slice(&asked[0].body).unwrap();
    assert_eq!((&body["to"], &body["text"]["body"]), (&json!("16505551234"), &json!("Hi")));
    let found = adapter.find(&outbound(Op::Post(Post::words("Hi")))).await.unwrap();
    assert_eq!(found, frontdesk_core::Found::Sent(Sent::one("wamid.O")));
}

#[tokio::test]
async fn what_cannot_be_known_is_uncertain_and_what_can_is_not() {
    use SendErrorKind::{Refused, RetryAfter, Transient, Uncertain, WindowClosed};
    let cases = [
        (Says::Page(502), Uncertain),
        (Says::Page(200), Uncertain),
        (Says::Page(400), Uncertain),
        (Says::Breaks, Uncertain),
        (Says::Json(200, json!({ "messages": [] })), Uncertain),
        (Says::Json(500, json!({ "error": { "code": 1, "message": "Unknown" } })), Uncertain),
        (error(131000), Uncertain),
        (error(131047), WindowClosed),
        (error(131056), RetryAfter),
        (error(190), Refused(RefusedScope::Account)),
        (error(131026), Refused(RefusedScope::Recipient)),
        (error(100), Refused(RefusedScope::Content)),
    ];
    for (says, expected) in cases {
        let graph = Graph::saying(vec![says]).await;
        let failed = send(&graph.adapter()).await.unwrap_err();
        assert_eq!(failed.kind(), expected, "{failed}");
        assert_eq!(graph.asked().len(), 1);
        assert!(!failed.to_string().contains(TOKEN));
    }
    let nowhere = WhatsAppAdapter::new("shop", config(NUMBER, "http://127.0.0.1:9"), Arc::new(Numbers::new())).unwrap();
    assert_eq!(send(&nowhere).await.unwrap_err().kind(), Transient);
}

/// Whether it moves is watched elsewhere.
#[tokio::test]
async fn an_upload_may_take_minutes() {
    let graph = Graph::saying(vec![Says::Late(Duration::from_secs(8 * 60), json!({ "id": "777" }))]).await;
    let content = Content { parts: vec![Part::Media { media: media("AgAC"), caption: None }] };
    let message = outbound(Op::Post(Post { content, ..Post::words("") }));
    let prepared = graph.adapter().prepare(&message, &File(b"\x89PNG and more of it")).await.unwrap();
    assert_eq!(prepared, Prepared(json!({ "id": "777", "type": "image" })));
}

#[tokio::test]
async fn a_file_is_uploaded_once_and_sent_by_its_id() {
    let graph = Graph::saying(vec![Says::Json(200, json!({ "id": "777" })), took("wamid.O")]).await;
    let adapter = graph.adapter();
    let part = Part::Media { media: media("AgAC"), caption: Some("For Saturday".into()) };
    let message = outbound(Op::Post(Post { content: Content { parts: vec![part] }, ..Post::words("") }));
    let files = File(b"\x89PNG and more of it");
    let prepared = adapter.prepare(&message, &files).await.unwrap();
    assert_eq!(prepared, Prepared(json!({ "id": "777", "type": "image" })));
    assert_eq!(adapter.prepare(&message, &files).await.unwrap(), prepared);
    assert_eq!(adapter.send(&message, &prepared, &files).await.unwrap(), Sent::one("wamid.O"));
    assert_eq!(graph.asked(), [format!("POST /v25.0/{NUMBER}/media"), format!("POST /v25.0/{NUMBER}/messages")]);
    let asked = graph.requests();
    let upload = String::from_utf8_lossy(&asked[0].body);
    for expected in [
        "name=\"messaging_product\"\r\n\r\nwhatsapp",
        "filename=\"cake.png\"",
        "Content-Type: image/png",
        "PNG and more of it",
    ] {
        assert!(upload.contains(expected), "{upload}");
    }
    let body: Value = serde_json::from_slice(&asked[1].body).unwrap();
    assert_eq!(body["image"], json!({ "id": "777", "caption": "For Saturday" }));
}

#[tokio::test]
async fn typing_is_shown_with_the_customers_latest_message_and_never_without_one() {
    let graph = Graph::saying(vec![Says::Json(200, json!({ "success": true }))]).await;
    let adapter = graph.adapter();
    let to = Address::chat("16505551234");
    adapter.signal(&to, Signal::Typing).await;
    assert!(graph.asked().is_empty());
    adapter.line().memory.wrote(to.clone(), "wamid.A".into());
    adapter.signal(&to, Signal::Typing).await;
    adapter.signal(&to, Signal::Seen("wamid.B".into())).await;
    let asked = graph.requests();
    let bodies: Vec<Value> = asked.iter().map(|asked| serde_json::from_slice(&asked.body).unwrap()).collect();
    let read = |id: &str| json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id });
    let mut typing = read("wamid.A");
    typing["typing_indicator"] = json!({ "type": "text" });
    assert_eq!(bodies, [typing, read("wamid.B")]);
}

async fn fetched(adapter: &WhatsAppAdapter) -> Result<Vec<u8>, String> {
    let mut file = adapter.fetch(&media("1003")).await.map_err(|error| error.to_string())?;
    let mut whole = Vec::new();
    while let Some(piece) = file.chunks.next().await {
        whole.extend_from_slice(&piece.map_err(|error| error.to_string())?);
    }
    Ok(whole)
}

#[tokio::test]
async fn a_file_is_fetched_and_its_address_asked_for_again_when_it_is_stale() {
    let graph = Graph::saying(vec![]).await;
    let address = Says::Json(
        200,
        json!({ "url": format!("{}/bytes?token=1", graph.address), "mime_type": "image/png", "file_size": 5 }),
    );
    let adapter = graph.adapter();
    graph.now_says(vec![address.clone(), Says::Bytes(b"bread"), Says::Page(404), address, Says::Bytes(b"bread")]);
    assert_eq!(fetched(&adapter).await.unwrap(), b"bread");
    assert_eq!(fetched(&adapter).await.unwrap(), b"bread");
    let (id, bytes) = ("GET /v25.0/1003", "GET /bytes?token=1");
    assert_eq!(graph.asked(), [id, bytes, bytes, id, bytes]);
    assert!(graph.requests().iter().all(|asked| asked.token == format!("Bearer {TOKEN}")));
}

#[tokio::test]
async fn a_file_that_is_not_handed_out_is_not_asked_for_in_a_loop() {
    let graph = Graph::saying(vec![error(100)]).await;
    let adapter = graph.adapter();
    for _ in 0..5 {
        let failed = fetched(&adapter).await.unwrap_err();
        assert!(failed.contains("Ask the customer to send it again"), "{failed}");
    }
    assert_eq!(graph.asked().len(), 1);
}

#[tokio::test]
async fn a_file_that_is_refused_for_now_is_not_gone() {
    let graph = Graph::saying(vec![]).await;
    let address = Says::Json(200, json!({ "url": format!("{}/bytes", graph.address) }));
    for (status, gone) in [(401, false), (408, false), (429, false), (403, true), (404, true), (410, true)] {
        graph.now_says(vec![address.clone(), Says::Page(status), address.clone(), Says::Page(status)]);
        let failed = fetched(&graph.adapter()).await.unwrap_err();
        assert_eq!(failed.contains("Ask the customer to send it again"), gone, "{status}: {failed}");
    }
}

#[tokio::test]
async fn a_file_of_another_length_is_no_file() {
    let graph = Graph::saying(vec![]).await;
    let address = |size: u64| Says::Json(200, json!({ "url": format!("{}/bytes", graph.address), "file_size": size }));
    graph.now_says(vec![address(5), Says::Breaks]);
    assert!(fetched(&graph.adapter()).await.is_err());
    graph.now_says(vec![address(4_000_000_000), Says::Page(200)]);
    // The server's own word on the length counts.
    assert!(fetched(&graph.adapter()).await.is_ok());
}

#[tokio::test]
async fn the_health_follows_the_account_and_messages_never_wait_for_it() {
    let graph = Graph::saying(vec![error(190)]).await;
    let adapter = Arc::new(graph.adapter());
    let inbox = Arc::new(TestInbox::new());
    let stop = CancellationToken::new();
    let receiving = tokio::spawn({
        let (adapter, inbox, stop) = (adapter.clone(), inbox.clone(), stop.clone());
        async move { adapter.receive(inbox, None, stop).await }
    });
    let failing = |words: &'static str| {
        move |inbox: &TestInbox| match inbox.healths().last() {
            Some(ChannelHealth::Failing { problem }) if problem.contains(words) => Some(()),
            _ => None,
        }
    };
    let well = |inbox: &TestInbox| (inbox.healths().last() == Some(&ChannelHealth::CaughtUp)).then_some(());
    let limit = Duration::from_secs(10);
    inbox.wait(limit, failing("access token")).await.expect("told of the token");
    // The number is not known to be ours yet, and a wrong one is never recorded.
    assert_eq!(inbox.account(), None);
    graph.now_says(vec![Says::Json(200, json!({ "id": NUMBER, "status": "CONNECTED" }))]);
    inbox.wait(limit, well).await.expect("well again");
    assert_eq!(inbox.account(), Some(NUMBER.into()));
    adapter.line().alarm("Meta cannot charge".into(), jiff::Timestamp::UNIX_EPOCH);
    inbox.wait(limit, failing("cannot charge")).await.expect("told of the alarm");
    adapter.line().calm(jiff::Timestamp::now());
    inbox.wait(limit, well).await.expect("calm again");
    graph.now_says(vec![Says::Json(200, json!({ "id": NUMBER, "status": "BANNED" }))]);
    adapter.line().look();
    inbox.wait(limit, failing("banned")).await.expect("told of the ban");
    stop.cancel();
    receiving.await.unwrap().unwrap();
}

#[tokio::test]
async fn templates_are_read_page_by_page() {
    let template = |name: &str| json!({ "name": name, "language": "de", "status": "APPROVED", "components": [{ "type": "BODY", "text": "Hallo {{1}}" }] });
    let first = json!({ "data": [template("one")], "paging": { "cursors": { "after": "abc" }, "next": "https://graph.facebook.com/x?access_token=t" } });
    let last = json!({ "data": [template("two")], "paging": { "cursors": { "after": "def" } } });
    let graph = Graph::saying(vec![Says::Json(200, first), Says::Json(200, last)]).await;
    let found = graph.adapter().templates().await.unwrap();
    assert_eq!(found.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!((found[0].parameters.as_slice(), &found[0].problem), (["1".to_owned()].as_slice(), &None));
    assert!(graph.asked()[1].contains("after=abc"), "{:?}", graph.asked());
    graph.now_says(vec![error(200)]);
    let refused = graph.adapter().templates().await.unwrap_err();
    assert_eq!(refused.kind(), SendErrorKind::Refused(RefusedScope::Account));
}
