//! HTTP: the road of a call through its fault.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::Response,
};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::{
    Shared,
    form::{self, Part},
    media::LARGEST,
    methods,
    state::{APP, Call, Outcome, Refusal},
};
use crate::{
    cuttable::{self, Wire, html_page, text_response},
    fault::Answer,
};

pub(super) async fn serve(shared: Arc<Shared>) -> (String, AbortHandle) {
    let app = Router::new().fallback(route).layer(DefaultBodyLimit::max(LARGEST + (1 << 20))).with_state(shared);
    cuttable::serve(app).await
}

/// One call, read.
pub(super) struct Asked {
    pub method: &'static str,
    /// The number, account or file that it is asked of.
    pub object: String,
    pub params: Value,
    pub parts: Vec<Part>,
    pub query: Vec<(String, String)>,
    /// `http://host`, as the caller calls us.
    pub host: String,
    /// Without the query.
    pub url: String,
}

impl Asked {
    pub fn fields(&self) -> Vec<String> {
        let fields = self.query.iter().find(|(key, _)| key == "fields").map(|(_, fields)| fields.as_str());
        fields.map(|fields| fields.split(',').map(str::to_owned).collect()).unwrap_or_default()
    }
}

async fn route(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    verb: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let (query, url) = (pairs(uri.query().unwrap_or_default()), format!("http://{host}{}", uri.path()));
    let Some(caller) = shared.caller(&headers) else {
        return refuse(&Refusal::new(401, 190, "Invalid OAuth access token - Cannot parse access token"));
    };
    if uri.path().starts_with("/whatsapp_business/attachments") {
        let link = query.iter().find(|(key, _)| key == "ext").map(|(_, link)| link.clone()).unwrap_or_default();
        return download(shared, wire, &link).await;
    }
    if let Err(refusal) = methods::check_proof(&query, &shared.token, &shared.app_secret) {
        return refuse(&refusal);
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let parts = form::parts(kind, &body).unwrap_or_default();
    let params = match kind.starts_with("application/json") {
        true => serde_json::from_slice(&body).unwrap_or(Value::Null),
        false if parts.is_empty() => json!({}),
        false => methods::summary(&parts),
    };
    let found = shared.state().method_of(verb.as_str(), caller, uri.path(), &params);
    let Some((method, object)) = found else {
        return refuse(&Refusal::no_object());
    };
    let asked = Asked { method, object, params, parts, query, host: format!("http://{host}"), url };
    call(shared, wire, asked).await
}

/// Whose token a call has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Business,
    /// The app itself, with its id and secret.
    App,
}

impl Shared {
    fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let app = format!("{APP}|{}", self.app_secret);
        match given {
            token if token == self.token => Some(Caller::Business),
            token if token == app => Some(Caller::App),
            _ => None,
        }
    }
}

/// Draws the fault, does the work, spoils the answer.
async fn call(shared: Arc<Shared>, wire: Wire, asked: Asked) -> Response {
    let fault = shared.faults().draw(asked.method, &asked.params);
    let number = begin(&shared, asked.method, asked.params.clone());
    let settle = {
        let shared = shared.clone();
        move |outcome| shared.change(|state| state.calls[number].outcome = outcome)
    };
    let Some(fault) = fault else {
        let result = shared.change(|state| state.act(&asked));
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
        let result = shared.change(|state| state.act(&asked));
        settle(match &result {
            Ok(_) => Outcome::Failed { fault, carried_out: true },
            Err(_) => outcome(&result),
        });
        result
    });
    let result = done.await.expect("the method does not panic");
    if late.is_some() { reply(result) } else { spoil(fault.answer, wire, result).await }
}

async fn download(shared: Arc<Shared>, wire: Wire, link: &str) -> Response {
    let fault = shared.faults().draw("download", &Value::Null);
    let number = begin(&shared, "download", json!({ "link": link }));
    let file = shared.state().download(link);
    let outcome = match (fault, &file) {
        (Some(fault), _) => Outcome::Failed { fault, carried_out: fault.carried_out },
        (None, Some(_)) => Outcome::Done,
        (None, None) => Outcome::Refused { code: 404, details: "the address is too old".into() },
    };
    shared.change(|state| state.calls[number].outcome = outcome);
    if let Some(fault) = fault {
        return spoil(fault.answer, wire, Ok(json!({}))).await;
    }
    let Some(file) = file else { return html_page(404) };
    let mut answer = Response::new(Body::from(file.bytes));
    let mime = file.mime.parse().expect("a mime type is a header");
    answer.headers_mut().insert(header::CONTENT_TYPE, mime);
    answer
}

fn begin(shared: &Shared, method: &str, params: Value) -> usize {
    shared.change(|state| {
        let at = state.now();
        state.calls.push(Call { at, method: method.to_owned(), params, outcome: Outcome::Open });
        state.calls.len() - 1
    })
}

fn outcome(result: &Result<Value, Refusal>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(refusal) => Outcome::Refused {
            code: refusal.code,
            details: refusal.details.clone().unwrap_or_else(|| refusal.title.clone()),
        },
    }
}

fn reply(result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(result) => text_response(200, "application/json", result.to_string()),
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &Refusal) -> Response {
    text_response(refusal.status, "application/json", refusal.body().to_string())
}

async fn spoil(answer: Answer, wire: Wire, result: Result<Value, Refusal>) -> Response {
    match answer {
        Answer::TooMany(after) => {
            let mut response = refuse(&Refusal::new(429, 130_429, "Rate limit hit"));
            if let Some(secs) = after {
                response.headers_mut().insert(header::RETRY_AFTER, secs.into());
            }
            response
        }
        Answer::Error(status) => {
            let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            refuse(&Refusal::new(status, 131_000, "Something went wrong").saying(reason.unwrap_or("Unknown error")))
        }
        Answer::Says(status, json) => text_response(status, "application/json", json.to_owned()),
        Answer::Html(status) => html_page(status),
        Answer::Nonsense => text_response(200, "application/json", r#"{"perhaps":[null,{"x":1}]}"#),
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

/// The pairs of a query, with what is written as `%2C` and the like as it is meant.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pair = |piece: &str| piece.split_once('=').map(|(key, value)| (plain(key), plain(value)));
    query.split('&').filter_map(pair).collect()
}

fn plain(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().replace('+', " ").into_bytes();
    for piece in pieces {
        match piece.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(piece[2..].replace('+', " ").as_bytes());
            }
            None => bytes.extend_from_slice(format!("%{piece}").as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
