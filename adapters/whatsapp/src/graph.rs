//! A server that answers as each test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Numbers, WhatsAppAdapter, config::tests::config};

pub(crate) const NUMBER: &str = "106540352242922";

#[derive(Clone)]
pub(crate) enum Says {
    Json(u16, Value),
    Page(u16),
    Bytes(&'static [u8]),
    /// The answer breaks off.
    Breaks,
    /// An answer after so long a time, which the test does not wait for.
    Late(Duration, Value),
}

#[derive(Clone)]
pub(crate) struct Asked {
    pub what: String,
    pub token: String,
    pub body: Vec<u8>,
}

#[derive(Clone, Default)]
pub(crate) struct Graph {
    answers: Arc<Mutex<VecDeque<Says>>>,
    /// By path; before the others.
    at: Arc<Mutex<HashMap<&'static str, Says>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    pub address: String,
}

impl Graph {
    /// Answers in this order; the last one again and again.
    pub async fn saying(answers: Vec<Says>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers.into()));
        let graph = Self { answers, at: Arc::default(), asked: Arc::default(), address };
        let router = Router::new().fallback(answer).with_state(graph.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        graph
    }

    pub fn adapter(&self) -> WhatsAppAdapter {
        WhatsAppAdapter::new("shop", config(NUMBER, &self.address), Arc::new(Numbers::new())).unwrap()
    }

    pub fn asked(&self) -> Vec<String> {
        self.requests().into_iter().map(|asked| asked.what).collect()
    }

    /// Everything that was asked, in order.
    pub fn requests(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Answers so at this path, whatever else is said.
    pub fn says_at(&self, path: &'static str, says: Says) {
        self.at.lock().unwrap().insert(path, says);
    }

    pub fn now_says(&self, answers: Vec<Says>) {
        *self.answers.lock().unwrap() = answers.into();
    }
}

async fn answer(State(graph): State<Graph>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let token = head.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default().to_vec();
    let what = format!("{} {}", head.method, head.uri);
    graph.asked.lock().unwrap().push(Asked { what, token, body });
    let here = graph.at.lock().unwrap().get(head.uri.path()).cloned();
    let says = if here.is_some() {
        here
    } else {
        let mut answers = graph.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    };
    match says.unwrap_or(Says::Page(404)) {
        Says::Json(status, value) => (StatusCode::from_u16(status).unwrap(), axum::Json(value)).into_response(),
        Says::Page(status) => (StatusCode::from_u16(status).unwrap(), "<html>Bad Gateway</html>").into_response(),
        Says::Bytes(bytes) => bytes.into_response(),
        Says::Late(time, value) => {
            tokio::time::pause();
            tokio::time::advance(time).await;
            tokio::time::resume();
            axum::Json(value).into_response()
        }
        Says::Breaks => {
            let pieces: Vec<std::io::Result<&str>> = vec![Ok("{\"mess"), Err(std::io::Error::other("cut"))];
            Body::from_stream(stream::iter(pieces)).into_response()
        }
    }
}

pub(crate) fn error(code: i64) -> Says {
    Says::Json(400, json!({ "error": { "message": "(#1) words", "code": code, "fbtrace_id": "x" } }))
}
