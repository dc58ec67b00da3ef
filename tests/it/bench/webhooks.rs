//! Signed webhooks from a second process: how many the program takes in a second, beside a bare handler that only checks
//! the signature and appends to a file with the same grouping of syncs.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Spread, count};
use crate::{
    graph::{Graph, signature},
    program::{PATIENCE, Shop},
};

/// As many as the store commits at once.
const GROUP: usize = 64;
const CONNECTIONS: usize = 64;
const CUSTOMERS: usize = 200;
/// What the second process says of itself.
const RESULT: &str = "flood: ";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn webhooks_from_a_second_process() {
    let requests = count("FRONTDESK_BENCH_REQUESTS", 20_000);
    let graph = Graph::start().await;
    let folder = tempfile::tempdir().unwrap();
    let bare = bare(File::create(folder.path().join("log")).unwrap(), graph.app_secret()).await;
    println!("\n{requests} signed webhooks of one message each over {CONNECTIONS} connections");
    let before = Flood::of(&graph, bare, requests).line("a bare handler, appends and syncs");

    // The homeserver cannot be reached: what is measured is the intake and the dispatch, without the desk's own work.
    let away = Shop::reaching("http://127.0.0.1:9", &graph.lines("shop", &graph.number())).await;
    let ours = measure(away, &graph, requests, "ours, the desk away").await;
    let busy = Shop::with(&graph.lines("shop", &graph.number())).await;
    let relaying = measure(busy, &graph, requests / 10, "ours, the desk at work").await;
    let after = Flood::of(&graph, bare, requests).line("the bare handler again");
    let limit = f64::midpoint(before, after);
    println!("  ours is {:.2} of the bare handler; {:.2} while the desk is at work", ours / limit, relaying / limit);
}

/// Starts the program and floods it.
async fn measure(mut shop: Shop, graph: &Graph, requests: usize, what: &str) -> f64 {
    shop.start();
    taking(&shop).await;
    let rate = Flood::of(graph, shop.http, requests).line(what);
    let one = payload(graph, "thousand", &(0..1000).collect::<Vec<_>>()).to_string();
    graph.calls_hook(&format!("http://{}/hooks/whatsapp/shop", shop.http));
    let began = Instant::now();
    let (status, said) = graph.post_signed(graph.app_secret(), one.as_bytes()).await;
    assert_eq!(status, 200, "{said}");
    println!("    one webhook of 1,000 messages            {:8.0} ms", began.elapsed().as_secs_f64() * 1000.0);
    rate
}

/// Until the hook answers, whatever the desk does.
async fn taking(shop: &Shop) {
    let deadline = Instant::now() + PATIENCE;
    while shop.get("/readyz").await.is_none_or(|(_, report)| !caught_up(&report)) {
        assert!(Instant::now() < deadline, "WhatsApp is not connected\n{}", shop.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn caught_up(report: &str) -> bool {
    let report: Value = serde_json::from_str(report).unwrap_or_default();
    report["channels"].to_string().contains(r#""whatsapp.shop":"ok""#) || report["ready"] == true
}

/// Takes what is signed, and answers once it is on disk.
async fn bare(file: File, secret: &str) -> SocketAddr {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || append(file, &receiver));
    let app = Router::new().route("/hooks/whatsapp/shop", post(take)).with_state((sender, secret.to_owned()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

type Entry = (Bytes, oneshot::Sender<()>);

async fn take(
    State((log, secret)): State<(mpsc::Sender<Entry>, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let signed = headers.get("x-hub-signature-256").is_some_and(|given| given == signature(&secret, &body).as_str());
    if !signed {
        return StatusCode::FORBIDDEN;
    }
    let (stored, done) = oneshot::channel();
    log.send((body, stored)).unwrap();
    done.await.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| StatusCode::OK)
}

/// What waits, at most a group, then one sync.
fn append(mut file: File, entries: &mpsc::Receiver<Entry>) {
    while let Ok(first) = entries.recv() {
        let group: Vec<Entry> = std::iter::once(first).chain(entries.try_iter().take(GROUP - 1)).collect();
        let bytes: Vec<u8> = group.iter().flat_map(|(body, _)| body.iter().copied()).collect();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        for (_, stored) in group {
            // Whoever has gone is not waited for.
            let _ = stored.send(());
        }
    }
}

/// What the second process measured.
struct Flood {
    seconds: f64,
    times: Vec<Duration>,
}

impl Flood {
    /// The same binary once more, as whoever sends.
    fn of(graph: &Graph, address: SocketAddr, requests: usize) -> Self {
        let plan = json!({ "address": address.to_string(), "secret": graph.app_secret(), "number": graph.number(),
            "account": graph.account(), "requests": requests });
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "bench::webhooks::the_second_process", "--ignored", "--nocapture"])
            .env("FRONTDESK_FLOOD", plan.to_string())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let result = said.lines().find_map(|line| line.split_once(RESULT)).map(|(_, result)| result);
        let result: Value = serde_json::from_str(result.unwrap_or_else(|| panic!("{said}"))).unwrap();
        let micros = result["micros"].as_array().unwrap().iter();
        let times = micros.map(|micros| Duration::from_micros(micros.as_u64().unwrap())).collect();
        Self { seconds: result["seconds"].as_f64().unwrap(), times }
    }

    /// Prints itself; gives the requests in a second.
    fn line(&self, what: &str) -> f64 {
        let rate = self.times.len() as f64 / self.seconds;
        println!("  {what:40} {rate:8.0}/s   {}", Spread::of(&self.times));
        rate
    }
}

/// Not a test of its own: what the second process does.
#[test]
#[ignore = "started by the measurement of webhooks"]
fn the_second_process() {
    let Some(plan) = std::env::var_os("FRONTDESK_FLOOD") else { return };
    let plan: Value = serde_json::from_str(plan.to_str().unwrap()).unwrap();
    let text = |key: &str| plan[key].as_str().unwrap().to_owned();
    let (address, secret) = (text("address"), text("secret"));
    let requests = usize::try_from(plan["requests"].as_u64().unwrap()).unwrap();
    let run = format!("{}-{}", std::process::id(), fastrand::u64(..));
    // Written and signed beforehand: here only the other side is measured.
    let request = |n: usize| {
        let body = payload_for(&plan["account"], &plan["number"], &run, &[n]).to_string();
        let signature = signature(&secret, body.as_bytes());
        format!(
            "POST /hooks/whatsapp/shop HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             X-Hub-Signature-256: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let shares: Vec<Vec<String>> =
        (0..CONNECTIONS).map(|n| (n..requests).step_by(CONNECTIONS).map(request).collect()).collect();
    let began = Instant::now();
    let senders: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let address = address.clone();
            thread::spawn(move || send(&address, &share))
        })
        .collect();
    let micros: Vec<u128> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    let seconds = began.elapsed().as_secs_f64();
    let micros: Vec<u64> = micros.into_iter().map(|micros| u64::try_from(micros).unwrap()).collect();
    println!("\n{RESULT}{}", json!({ "seconds": seconds, "micros": micros }));
}

/// One after the other over one connection.
fn send(address: &str, requests: &[String]) -> Vec<u128> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let mut one = |request: &String| {
        let began = Instant::now();
        (&stream).write_all(request.as_bytes()).unwrap();
        assert_eq!(answer(&mut answers), 200);
        began.elapsed().as_micros()
    };
    requests.iter().map(&mut one).collect()
}

fn answer(stream: &mut BufReader<TcpStream>) -> u16 {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" || line.is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    status
}

fn payload(graph: &Graph, run: &str, numbers: &[usize]) -> Value {
    payload_for(&graph.account().into(), &graph.number().into(), run, numbers)
}

/// A webhook as Meta writes it, with these messages of many customers.
fn payload_for(account: &Value, number: &Value, run: &str, numbers: &[usize]) -> Value {
    let change = |n: &usize| {
        let (phone, user) = (format!("{}", 491_701_000_000 + n % CUSTOMERS), format!("DE.{}", n % CUSTOMERS));
        let message = json!({ "from": phone, "from_user_id": user, "id": format!("wamid.{run}.{n}"),
            "timestamp": "1749416383", "type": "text",
            "text": { "body": format!("Do you still have some of number {n}, please?") } });
        json!({ "field": "messages", "value": { "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": number },
            "contacts": [{ "profile": { "name": format!("Customer {}", n % CUSTOMERS) }, "wa_id": phone,
                "user_id": user }], "messages": [message] } })
    };
    let changes: Vec<Value> = numbers.iter().map(change).collect();
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": account, "changes": changes }] })
}
