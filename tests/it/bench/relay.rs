//! What the program itself adds between an answer that brings a message in and the request that carries it out; and how
//! fast it empties a queue.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use axum::body::{Body, to_bytes};
use hyper::{
    Request,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::sleep};

use super::{
    Spread, count, disk,
    rig::{CUSTOMERS, Rig, customer},
};
use crate::{program::PATIENCE, synapse::Synapse};

/// The best of the peers, of which none stores or encrypts: p50 and p99.
const BEST_TO_DESK: Spread = Spread { p50: 2.2, p99: 6.3 };
const BEST_TO_CUSTOMER: Spread = Spread { p50: 5.2, p99: 11.6 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn relay_overhead() {
    let rig = Rig::with_customers().await;
    let messages = count("FRONTDESK_BENCH_MESSAGES", 200);
    let appends = Spread::of(&disk::appends(200, 4096));
    println!("\nRelay overhead, ours alone, {messages} messages each way");
    println!("  an append of 4 KiB with fdatasync        {appends}");
    line("to the desk, one at a time", ask_in_turn(&rig, messages).await, appends, BEST_TO_DESK);
    let answers = answer(&rig, messages, Duration::ZERO).await;
    line("to the customer, one at a time", answers, appends, BEST_TO_CUSTOMER);
    rig.quiet().await;
    let pause = Duration::from_millis(100);
    let (asked, answered) = tokio::join!(ask_under_load(&rig, messages, pause), answer(&rig, messages, pause));
    line("to the desk, under 20 messages/s", asked, appends, BEST_TO_DESK);
    line("to the customer, under 20 messages/s", answered, appends, BEST_TO_CUSTOMER);
}

/// Two commits stand between: what came in, and what is to go out.
fn line(what: &str, ours: Spread, append: Spread, best: Spread) {
    let commits = ours.p50 / (2.0 * append.p50);
    let (p50, p99) = (ours.p50 / best.p50, ours.p99 / best.p99);
    println!("  {what:40} {ours}   {commits:.1} of two appends   {p50:.1} / {p99:.1} of the best peer's");
}

/// Each message once the one before is there.
async fn ask_in_turn(rig: &Rig, messages: usize) -> Spread {
    rig.telegram.clear();
    rig.matrix.clear();
    let texts: Vec<String> = (0..messages).map(|n| format!("to the desk {n};")).collect();
    for (n, text) in texts.iter().enumerate() {
        rig.shop.telegram.says(customer(1 + n % CUSTOMERS), text);
        rig.shop.ann.wait_for_text(&rig.room, text, PATIENCE).await;
    }
    desk_times(rig, &texts)
}

async fn ask_under_load(rig: &Rig, messages: usize, pause: Duration) -> Spread {
    let texts: Vec<String> = (0..messages).map(|n| format!("loaded to the desk {n};")).collect();
    for (n, text) in texts.iter().enumerate() {
        rig.shop.telegram.says(customer(1 + n % CUSTOMERS), text);
        sleep(pause).await;
    }
    for text in &texts {
        rig.shop.ann.wait_for_text(&rig.room, text, PATIENCE).await;
    }
    desk_times(rig, &texts)
}

/// From Telegram's answer with the text to the request whose answer names the event that the operator reads it in.
fn desk_times(rig: &Rig, texts: &[String]) -> Spread {
    let timeline = rig.shop.ann.timeline(&rig.room);
    let event = |text: &String| {
        let found = timeline.iter().find(|event| event.body().contains(text.as_str()));
        found.unwrap_or_else(|| panic!("not there: {text}")).event_id.clone()
    };
    let events: Vec<String> = texts.iter().map(event).collect();
    let marks: Vec<&str> = texts.iter().map(String::as_str).collect();
    let left = rig.telegram.answers_with(&marks);
    let arrived = rig.matrix.requests_answered_with("PUT ", &events.iter().map(String::as_str).collect::<Vec<_>>());
    let times: Vec<Duration> = texts
        .iter()
        .zip(&events)
        .map(|(text, event)| arrived[event.as_str()].duration_since(left[text.as_str()]))
        .collect();
    Spread::of(&times)
}

/// Each message once the one before is there; with a pause, whether it is there or not.
async fn answer(rig: &Rig, messages: usize, pause: Duration) -> Spread {
    if pause.is_zero() {
        rig.telegram.clear();
        rig.matrix.clear();
    }
    let loaded = if pause.is_zero() { "" } else { "loaded " };
    let mut sent: Vec<(String, String)> = Vec::new();
    for n in 0..messages {
        let (text, id) = (format!("{loaded}to the customer {n};"), n % CUSTOMERS);
        let began = Instant::now();
        let event = rig.shop.ann.say_in_thread(&rig.room, &rig.threads[id], &text).await;
        if pause.is_zero() {
            arrived(rig, id, &text).await;
        }
        sleep(pause.saturating_sub(began.elapsed())).await;
        sent.push((text, event));
    }
    for (n, (text, _)) in sent.iter().enumerate() {
        arrived(rig, n % CUSTOMERS, text).await;
    }
    let left = rig.matrix.answers_with(&sent.iter().map(|(_, event)| event.as_str()).collect::<Vec<_>>());
    let came = rig.telegram.requests_with(&sent.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>());
    let times: Vec<Duration> =
        sent.iter().map(|(text, event)| came[text.as_str()].duration_since(left[event.as_str()])).collect();
    Spread::of(&times)
}

async fn arrived(rig: &Rig, id: usize, text: &str) {
    let there = || rig.shop.telegram.received(customer(1 + id)).iter().any(|sent| sent.text == text).then_some(());
    rig.shop.telegram.wait(PATIENCE, there).await.unwrap_or_else(|| panic!("never arrived: {text}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_full_queue_drains() {
    let rig = Rig::with_customers().await;
    let messages = count("FRONTDESK_BENCH_MESSAGES", 1000);
    let one_room = plain_rate(1, messages).await;
    let rooms = plain_rate(CUSTOMERS, messages).await;
    rig.matrix.clear();
    let texts: Vec<String> = (0..messages).map(|n| format!("queued {n};")).collect();
    let began = Instant::now();
    for (n, text) in texts.iter().enumerate() {
        rig.shop.telegram.says(customer(1 + n % CUSTOMERS), text);
    }
    let sends = || rig.matrix.count("PUT /_matrix/client/v3/rooms/");
    while sends() < messages {
        assert!(began.elapsed() < Duration::from_secs(300), "only {} of {messages} were sent", sends());
        sleep(Duration::from_millis(20)).await;
    }
    let ours = messages as f64 / began.elapsed().as_secs_f64();
    for text in &texts {
        rig.shop.ann.wait_for_text(&rig.room, text, PATIENCE).await;
    }
    println!("\n{messages} messages of {CUSTOMERS} chats at once, to the desk");
    println!("  ours, encrypted, threads of one room     {ours:6.1}/s");
    println!("  a plain client, 16 at once, one room     {one_room:6.1}/s   ours is {:.2} of it", ours / one_room);
    println!("  the same over {CUSTOMERS} rooms                   {rooms:6.1}/s   ours is {:.2} of it", ours / rooms);
    println!("  out of order: {}", out_of_order(&rig, &texts));
}

/// Messages that the operator reads before an older one of the same customer.
fn out_of_order(rig: &Rig, texts: &[String]) -> usize {
    let mut last: HashMap<usize, usize> = HashMap::new();
    let mut wrong = 0;
    for event in rig.shop.ann.timeline(&rig.room) {
        let Some(n) = texts.iter().position(|text| event.body().contains(text.as_str())) else { continue };
        let before = last.insert(n % CUSTOMERS, n);
        wrong += usize::from(before.is_some_and(|before| before > n));
    }
    wrong
}

/// What the homeserver takes from one client that neither stores nor encrypts, 16 requests at once.
async fn plain_rate(rooms: usize, messages: usize) -> f64 {
    let synapse = Synapse::shared().await;
    let account = synapse.register("plain").await;
    let token = synapse.access_token(&account).await;
    let mut made = Vec::new();
    for _ in 0..rooms {
        let (_, room) = synapse.request("POST", "/_matrix/client/v3/createRoom", Some(&token), Some(json!({}))).await;
        made.push(room["room_id"].as_str().unwrap().to_owned());
    }
    let began = Instant::now();
    let senders = (0..16).map(|sender| {
        let (rooms, token) = (&made, token.as_str());
        async move {
            let mut connection = Connection::new(&synapse.url()).await;
            for n in (sender..messages).step_by(16) {
                connection.send(token, &rooms[n % rooms.len()], n).await;
            }
        }
    });
    futures::future::join_all(senders).await;
    messages as f64 / began.elapsed().as_secs_f64()
}

/// One connection that is kept.
struct Connection {
    host: String,
    sender: SendRequest<Body>,
}

impl Connection {
    async fn new(url: &str) -> Self {
        let host = url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { host, sender }
    }

    async fn send(&mut self, token: &str, room: &str, n: usize) {
        let body = json!({ "msgtype": "m.text", "body": format!("plain {n}") }).to_string();
        let request = Request::put(format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{n}"))
            .header("Host", &self.host)
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .body(Body::from(body))
            .unwrap();
        self.sender.ready().await.unwrap();
        let answer = self.sender.send_request(request).await.unwrap();
        let answer = to_bytes(Body::new(answer.into_body()), 65_536).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer["event_id"].is_string(), "{answer}");
    }
}
