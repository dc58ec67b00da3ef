//! HTTP: the road of a call through its fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::Shared;
use super::state::{Call, Outcome, Refusal};
use crate::cuttable::{self, Wire, html_page, text_response};
use crate::fault::Answer;

const MAX_UPLOAD: usize = 60 << 20;

pub(super) async fn serve(shared: Arc<Shared>) -> (String, AbortHandle) {
    let app = Router::new().fallback(route).layer(DefaultBodyLimit::max(MAX_UPLOAD)).with_state(shared);
    cuttable::serve(app).await
}

async fn route(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_start_matches('/');
    let (file, path) = path.strip_prefix("file/").map_or((false, path), |rest| (true, rest));
    let Some((token, rest)) = path.strip_prefix("bot").and_then(|path| path.split_once('/')) else {
        return refuse(&Refusal::new(404, "Not Found"));
    };
    if token != shared.token {
        return refuse(&Refusal::new(401, "Unauthorized"));
    }
    if file {
        let bytes = shared.state().files.get(rest).cloned();
        return bytes.map_or_else(|| refuse(&Refusal::new(404, "Not Found")), IntoResponse::into_response);
    }
    let Some(input) = Input::read(&headers, &body) else {
        return refuse(&Refusal::bad("can't parse the body"));
    };
    call(shared, wire, documented_name(rest), input).await
}

/// Draws the fault, does the work, spoils the answer.
async fn call(shared: Arc<Shared>, wire: Wire, method: String, input: Input) -> Response {
    let fault = shared.faults().draw(&method, &input.params);
    let number = shared.change(|state| {
        let at = state.now();
        state.calls.push(Call { at, method: method.clone(), params: input.params.clone(), outcome: Outcome::Open });
        state.calls.len() - 1
    });
    let settle = {
        let shared = shared.clone();
        move |outcome| shared.change(|state| state.calls[number].outcome = outcome)
    };
    let Some(fault) = fault else {
        let result = shared.act(&method, input).await;
        settle(outcome(&result));
        return reply(result);
    };
    let late = fault.postponed();
    if !fault.carried_out && late.is_none() {
        settle(Outcome::Failed { fault, carried_out: false });
        return spoil(fault.answer, wire, Ok(Value::Null)).await;
    }
    // A task of its own: what has come in is done, even when the caller hangs up.
    let done = tokio::spawn(async move {
        tokio::time::sleep(late.unwrap_or_default()).await;
        let result = shared.act(&method, input).await;
        settle(match &result {
            Ok(_) => Outcome::Failed { fault, carried_out: true },
            Err(_) => outcome(&result),
        });
        result
    });
    let result = done.await.expect("the method does not panic");
    if late.is_some() { reply(result) } else { spoil(fault.answer, wire, result).await }
}

fn outcome(result: &Result<Value, Refusal>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(refusal) => Outcome::Refused { code: refusal.code, description: refusal.description.clone() },
    }
}

fn reply(result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(result) => json_response(200, &json!({ "ok": true, "result": result })),
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &Refusal) -> Response {
    let mut body = json!({ "ok": false, "error_code": refusal.code, "description": refusal.description });
    if let Some(parameters) = &refusal.parameters {
        body["parameters"] = parameters.clone();
    }
    json_response(refusal.code, &body)
}

fn json_response(status: u16, body: &Value) -> Response {
    text_response(status, "application/json", body.to_string())
}

async fn spoil(answer: Answer, wire: Wire, result: Result<Value, Refusal>) -> Response {
    match answer {
        Answer::TooMany(Some(after)) => refuse(
            &Refusal::new(429, &format!("Too Many Requests: retry after {after}"))
                .with(json!({ "retry_after": after })),
        ),
        Answer::TooMany(None) => refuse(&Refusal::new(429, "Too Many Requests")),
        Answer::Error(status) => {
            let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            refuse(&Refusal::new(status, reason.unwrap_or("Internal Server Error")))
        }
        Answer::Says(status, json) => text_response(status, "application/json", json.to_owned()),
        Answer::Html(status) => html_page(status),
        Answer::Nonsense => json_response(200, &json!({ "ok": "perhaps", "result": [null, { "x": 1 }] })),
        Answer::Reset => {
            wire.cut_after(0);
            reply(result)
        }
        Answer::Cut => {
            // The status line and the headers take about 110 bytes.
            wire.cut_after(130);
            reply(result.map(|result| json!([result, "so that the answer is long enough to be cut".repeat(20)])))
        }
        Answer::Silence(long) => {
            tokio::time::sleep(long).await;
            wire.cut_after(0);
            reply(result)
        }
        Answer::Late(long) => {
            tokio::time::sleep(long).await;
            reply(result)
        }
    }
}

/// `SendMessage`, `sendmessage` and `sendMessage` are one method.
fn documented_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// A method's parameters and uploads, from JSON or a multipart form.
pub(super) struct Input {
    pub params: Value,
    pub files: BTreeMap<String, Upload>,
}

/// A file in a form.
#[derive(Clone)]
pub(super) struct Upload {
    pub bytes: Vec<u8>,
    pub name: String,
    pub mime: String,
}

/// The form fields that are text, whatever they look like.
const TEXT_FIELDS: [&str; 8] =
    ["text", "caption", "title", "name", "performer", "first_name", "last_name", "phone_number"];

impl Input {
    fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if let Some((_, boundary)) = kind.split_once("boundary=") {
            return Self::form(boundary.trim_matches('"'), body);
        }
        let params = match body {
            [] => json!({}),
            body => serde_json::from_slice(body).ok().filter(Value::is_object)?,
        };
        Some(Self { params, files: BTreeMap::new() })
    }

    fn form(boundary: &str, body: &[u8]) -> Option<Self> {
        let mut input = Self { params: json!({}), files: BTreeMap::new() };
        let marker = format!("\r\n--{boundary}");
        let mut rest = body.get(marker.len() - 2..)?;
        while let Some(end) = position(rest, marker.as_bytes()) {
            let part = rest.get(2..end)?;
            let split = position(part, b"\r\n\r\n")?;
            input.add_part(&String::from_utf8_lossy(&part[..split]), &part[split + 4..])?;
            rest = &rest[end + marker.len()..];
        }
        Some(input)
    }

    fn add_part(&mut self, head: &str, bytes: &[u8]) -> Option<()> {
        let name = head.split("; name=\"").nth(1)?.split('"').next()?;
        if let Some((_, rest)) = head.split_once("filename=\"") {
            let mime =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-type: ").map(str::to_owned));
            let (file, mime) = (rest.split('"').next()?.to_owned(), mime.unwrap_or_default());
            self.files.insert(name.to_owned(), Upload { bytes: bytes.to_vec(), name: file, mime });
            return Some(());
        }
        assert!(!head.contains("filename"), "the Bot API reads plain file names only: {head}");
        let text = String::from_utf8_lossy(bytes).into_owned();
        let parsed = serde_json::from_str(&text).ok().filter(|_| !TEXT_FIELDS.contains(&name));
        self.params[name] = parsed.unwrap_or(Value::String(text));
        Some(())
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
