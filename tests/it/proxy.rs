//! A proxy before the homeserver that notes each call, and fails as the test says. It lives in the test's process, so
//! it outlives the product when that is killed and started again.
//!
//! A call's name is its method and path, with the query: `PUT /_matrix/client/v3/rooms/..`, `GET /_matrix/..sync?..`.
// A test picks what it needs.
#![allow(dead_code)]

mod tests;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::cuttable::{self, Wire, html_page, text_response};
use crate::fault::{self, Answer, Fault, Faults, Rule};

const MAX_BODY: usize = 60 << 20;
/// More than the head of an answer that is cut takes.
const HEAD: usize = 400;

/// The proxy. Dropping it closes the port.
pub struct Proxy {
    shared: Arc<Shared>,
    url: String,
    server: AbortHandle,
}

struct Shared {
    /// `127.0.0.1:8008`
    target: String,
    calls: Mutex<Vec<Call>>,
    faults: Mutex<Faults>,
    rewrites: Mutex<Vec<(String, Rewrite)>>,
    changed: watch::Sender<u64>,
}

/// What becomes of an answer's JSON.
type Rewrite = fn(&mut Value);

#[derive(Clone, Debug)]
pub struct Call {
    pub at: Instant,
    /// Method and path: `PUT /_matrix/client/v3/...`.
    pub name: String,
    /// `Null` where it is not JSON.
    pub body: Value,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Still open, or the caller went away.
    Open,
    /// The homeserver's own answer.
    Answered(u16),
    /// The homeserver could not be reached.
    Unreachable,
    /// One of the test's faults, and what the homeserver answered where the call was passed on.
    Failed { fault: Fault, answered: Option<u16> },
}

impl Call {
    /// The homeserver did what it was asked, whatever the caller saw of that.
    pub fn carried_out(&self) -> bool {
        match self.outcome {
            Outcome::Answered(status) | Outcome::Failed { answered: Some(status), .. } => (200..300).contains(&status),
            Outcome::Open | Outcome::Unreachable | Outcome::Failed { answered: None, .. } => false,
        }
    }
}

impl Proxy {
    /// Before a server at `http://<address>`.
    pub async fn before(server: &str) -> Self {
        let shared = Arc::new(Shared {
            target: server.trim_start_matches("http://").to_owned(),
            calls: Mutex::default(),
            faults: Mutex::default(),
            rewrites: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let app = Router::new().fallback(route).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(shared.clone());
        let (url, server) = cuttable::serve(app).await;
        Self { shared, url, server }
    }

    /// For `homeserver`, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every call in the order it came.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls().clone()
    }

    /// The calls that a pattern fits: `PUT */send/*`, `GET */sync*`.
    pub fn calls_of(&self, pattern: &str) -> Vec<Call> {
        self.shared.calls().iter().filter(|call| fault::matches(pattern, &call.name)).cloned().collect()
    }

    /// How many calls met a fault.
    pub fn failed_calls(&self) -> usize {
        self.shared.calls().iter().filter(|call| matches!(call.outcome, Outcome::Failed { .. })).count()
    }

    /// Waits for at least `n` calls that the pattern fits, whatever became of them.
    pub async fn wait_calls(&self, pattern: &str, n: usize, timeout: Duration) -> Vec<Call> {
        self.wait(timeout, || Some(self.calls_of(pattern)).filter(|calls| calls.len() >= n)).await.unwrap_or_else(
            || {
                panic!(
                    "{n} calls of {pattern} expected within {timeout:?}, there were {}",
                    self.calls_of(pattern).len()
                )
            },
        )
    }

    /// `probe` again after each change, until it gives something.
    pub async fn wait<T>(&self, timeout: Duration, probe: impl Fn() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let mut changed = self.shared.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if let Some(found) = probe() {
                return Some(found);
            }
            if tokio::time::timeout_at(deadline, changed.changed()).await.is_err() {
                return probe();
            }
        }
    }
}

/// What goes wrong. The first rule that fits a call applies.
impl Proxy {
    /// The next `n` calls that the pattern fits fail so.
    pub fn fail_next(&self, pattern: &str, n: u32, fault: Fault) {
        self.shared.faults().add(Rule::next(pattern, n, fault));
    }

    /// Of the calls that the pattern fits, `percent` fail, each in one of these ways, drawn from the seed.
    pub fn fail_share(&self, pattern: &str, percent: u8, faults: &[Fault], seed: u64) {
        self.shared.faults().add(Rule::share(pattern, percent, faults, seed));
    }

    /// A fault for whatever calls (their name, their JSON) the test picks.
    pub fn fail_when(&self, pick: impl FnMut(&str, &Value) -> Option<Fault> + Send + 'static) {
        self.shared.faults().add(Rule::when(pick));
    }

    /// The answer to the next call that the pattern fits, and that does not fail, is changed on its way.
    pub fn rewrite_next(&self, pattern: &str, rewrite: Rewrite) {
        self.shared.rewrites().push((pattern.to_owned(), rewrite));
    }

    /// No more faults.
    pub fn heal(&self) {
        *self.shared.faults() = Faults::default();
        self.shared.rewrites().clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn rewrites(&self) -> MutexGuard<'_, Vec<(String, Rewrite)>> {
        self.rewrites.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn rewritten(&self, name: &str, mut answer: Whole) -> Whole {
        let mut rewrites = self.rewrites();
        if let Some(at) = rewrites.iter().position(|(pattern, _)| fault::matches(pattern, name))
            && let Ok(mut json) = serde_json::from_slice(&answer.body)
        {
            (rewrites.remove(at).1)(&mut json);
            answer.body = json.to_string().into();
        }
        answer
    }

    /// Notes a call; gives its number.
    fn note(&self, name: &str, body: &Bytes) -> usize {
        let body = serde_json::from_slice(body).unwrap_or_default();
        self.change(|calls| {
            calls.push(Call { at: Instant::now(), name: name.to_owned(), body, outcome: Outcome::Open });
            calls.len() - 1
        })
    }

    fn settle(&self, number: usize, outcome: Outcome) {
        self.change(|calls| calls[number].outcome = outcome);
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Call>) -> T) -> T {
        let done = change(&mut self.calls());
        self.changed.send_modify(|version| *version += 1);
        done
    }
}

/// Draws the fault, passes the call on, spoils the answer.
async fn route(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let name = format!("{method} {}", uri.path_and_query().map_or("/", |path| path.as_str()));
    let number = shared.note(&name, &body);
    let fault = shared.faults().draw(&name, &serde_json::from_slice(&body).unwrap_or_default());
    let request = request(&shared.target, method, &uri, &headers, body);
    let Some(fault) = fault else {
        let answer = pass(&shared.target, request).await;
        shared.settle(number, answer.as_ref().map_or(Outcome::Unreachable, |it| Outcome::Answered(it.status.as_u16())));
        return Whole::reply(answer.map(|answer| shared.rewritten(&name, answer)));
    };
    let late = fault.postponed();
    if !fault.carried_out && late.is_none() {
        shared.settle(number, Outcome::Failed { fault, answered: None });
        return spoil(fault.answer, wire, None).await;
    }
    // A task of its own: what has come in is done, even when the caller hangs up.
    let done = tokio::spawn(async move {
        tokio::time::sleep(late.unwrap_or_default()).await;
        let answer = pass(&shared.target, request).await;
        let answered = answer.as_ref().map(|answer| answer.status.as_u16());
        shared.settle(number, Outcome::Failed { fault, answered });
        answer
    });
    let answer = done.await.ok().flatten();
    if late.is_some() { Whole::reply(answer) } else { spoil(fault.answer, wire, answer).await }
}

/// An answer of the homeserver.
struct Whole {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Whole {
    fn reply(answer: Option<Self>) -> Response {
        match answer {
            Some(Self { status, headers, body }) => (status, headers, body).into_response(),
            None => html_page(502),
        }
    }
}

/// What one hop says to the next, and what is counted anew.
const OF_ONE_HOP: [header::HeaderName; 3] = [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH];

fn request(target: &str, method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Request<Body> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    // Only the path: the homeserver is no proxy.
    *request.uri_mut() = uri.path_and_query().and_then(|path| path.as_str().parse().ok()).unwrap_or_default();
    *request.headers_mut() = headers.clone();
    OF_ONE_HOP.iter().for_each(|name| drop(request.headers_mut().remove(name)));
    request.headers_mut().insert(header::HOST, target.parse().expect("an address is a header"));
    request
}

/// Asks the homeserver on a connection of its own. `None` where there is no answer.
async fn pass(target: &str, request: Request<Body>) -> Option<Whole> {
    let tcp = TcpStream::connect(target).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.ok()?;
    let answer = async move {
        let (parts, body) = sender.send_request(request).await.ok()?.into_parts();
        let body = axum::body::to_bytes(Body::new(body), MAX_BODY).await.ok()?;
        Some((parts, body))
    };
    // Both end with the caller: a poll that nobody waits for any more is given up.
    let (answer, _) = tokio::join!(answer, connection);
    let (mut parts, body) = answer?;
    OF_ONE_HOP.iter().for_each(|name| drop(parts.headers.remove(name)));
    Some(Whole { status: parts.status, headers: parts.headers, body })
}

async fn spoil(answer: Answer, wire: Wire, whole: Option<Whole>) -> Response {
    match answer {
        Answer::TooMany(after) => too_many(after),
        Answer::Error(status) => {
            let error = json!({ "errcode": "M_UNKNOWN", "error": "Internal server error" });
            text_response(status, "application/json", error.to_string())
        }
        Answer::Says(status, json) => text_response(status, "application/json", json),
        Answer::Html(status) => html_page(status),
        Answer::Nonsense => text_response(200, "application/json", r#"{"perhaps":[null,{"x":1}]}"#),
        Answer::Reset => {
            wire.cut_after(0);
            Whole::reply(whole)
        }
        Answer::Cut => {
            wire.cut_after(HEAD);
            let body = whole.map(|whole| whole.body).unwrap_or_default();
            let padded = format!("{}{}", String::from_utf8_lossy(&body), " ".repeat(4 * HEAD));
            text_response(200, "application/json", padded)
        }
        Answer::Silence(long) => {
            tokio::time::sleep(long).await;
            wire.cut_after(0);
            Whole::reply(whole)
        }
        Answer::Late(long) => {
            tokio::time::sleep(long).await;
            Whole::reply(whole)
        }
    }
}

/// As Synapse says it, in the body and in the header.
fn too_many(after: Option<u64>) -> Response {
    let mut error = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests" });
    if let Some(secs) = after {
        error["retry_after_ms"] = (secs * 1000).into();
    }
    let mut answer = text_response(429, "application/json", error.to_string());
    if let Some(secs) = after {
        answer.headers_mut().insert(header::RETRY_AFTER, secs.into());
    }
    answer
}
