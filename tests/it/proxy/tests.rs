//! The proxy itself, over plain TCP: what the product sees of it.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const SOON: Duration = Duration::from_secs(10);
const PLACE: &str = "PUT /rooms/!r:example.org/send/m.room.message/1?x=y";

/// A homeserver that remembers what it was told, and answers in one or the other form.
struct Homeserver {
    proxy: Proxy,
    heard: Arc<Mutex<Vec<String>>>,
    _server: AbortOnDrop,
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Homeserver {
    async fn start() -> Self {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let app = Router::new().fallback(hear).with_state(heard.clone());
        let (url, server) = cuttable::serve(app).await;
        Self { proxy: Proxy::before(&url).await, heard, _server: AbortOnDrop(server) }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// Status, head and body; an error where the answer is not whole.
    async fn ask(&self, name: &str, body: &str) -> io::Result<(u16, String, String)> {
        let mut tcp = TcpStream::connect(self.proxy.url().trim_start_matches("http://")).await?;
        let length = body.len();
        let request = format!(
            "{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer t\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        tcp.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        if length != Some(body.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok((head[9..12].parse().unwrap(), head.to_owned(), body.to_owned()))
    }
}

async fn hear(
    State(heard): State<Arc<Mutex<Vec<String>>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let token = headers.get(header::AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    heard.lock().unwrap().push(format!("{method} {uri} {token} {body}"));
    if uri.path().contains("absent") {
        return text_response(404, "application/json", r#"{"errcode":"M_NOT_FOUND"}"#);
    }
    // In chunks, as Synapse does with what is long.
    let pieces = ["{\"event_id\":", "\"$1\"}"].map(|piece| Ok::<_, io::Error>(Bytes::from(piece)));
    text_response(200, "application/json", Body::from_stream(futures::stream::iter(pieces)))
}

#[tokio::test]
async fn what_does_not_fail_passes_unchanged_and_is_noted() {
    let server = Homeserver::start().await;
    let (status, _, body) = server.ask(PLACE, r#"{"body":"hi"}"#).await.unwrap();
    assert_eq!((status, body.as_str()), (200, r#"{"event_id":"$1"}"#));
    assert_eq!(server.ask("GET /absent", "").await.unwrap().0, 404);
    assert_eq!(
        server.heard(),
        [r#"PUT /rooms/!r:example.org/send/m.room.message/1?x=y Bearer t {"body":"hi"}"#, "GET /absent Bearer t "]
    );
    let calls = server.proxy.calls();
    let noted: Vec<_> = calls.iter().map(|call| (call.name.as_str(), &call.body, &call.outcome)).collect();
    let expected = [
        (PLACE, &json!({ "body": "hi" }), &Outcome::Answered(200)),
        ("GET /absent", &Value::Null, &Outcome::Answered(404)),
    ];
    assert_eq!(noted, expected);
    assert_eq!((calls[0].carried_out(), calls[1].carried_out()), (true, false));
    assert_eq!(server.proxy.calls_of("PUT */send/*").len(), 1);
}

#[tokio::test]
async fn each_fault_shows_the_caller_what_it_says() {
    let server = Homeserver::start().await;
    for carried_out in [false, true] {
        let ask = async |answer| {
            server.proxy.fail_next("PUT */send/*", 1, Fault { carried_out, answer });
            let before = server.heard().len();
            let seen = server.ask(PLACE, "{}").await;
            assert_eq!(server.heard().len() - before, usize::from(carried_out), "{answer:?}");
            assert_eq!(server.proxy.calls().last().unwrap().carried_out(), carried_out, "{answer:?}");
            seen
        };
        let (status, head, body) = ask(Answer::TooMany(Some(3))).await.unwrap();
        assert_eq!(
            (status, head.contains("retry-after: 3"), body.contains(r#""retry_after_ms":3000"#)),
            (429, true, true)
        );
        let (status, head, body) = ask(Answer::TooMany(None)).await.unwrap();
        assert_eq!((status, head.contains("retry-after"), body.contains("M_LIMIT_EXCEEDED")), (429, false, true));
        let (status, _, body) = ask(Answer::Error(502)).await.unwrap();
        assert_eq!((status, body.contains("M_UNKNOWN")), (502, true));
        let (status, _, body) = ask(Answer::Says(403, r#"{"errcode":"M_FORBIDDEN"}"#)).await.unwrap();
        assert_eq!((status, body.as_str()), (403, r#"{"errcode":"M_FORBIDDEN"}"#));
        assert!(ask(Answer::Html(503)).await.unwrap().2.contains("<html>"));
        assert!(ask(Answer::Nonsense).await.unwrap().2.contains("perhaps"));
        for broken in [Answer::Reset, Answer::Cut, Answer::Silence(Duration::from_millis(50))] {
            assert!(ask(broken).await.is_err(), "{broken:?}");
        }
    }
    let late = Fault::before(Answer::Late(Duration::from_millis(50)));
    server.proxy.fail_next("PUT */send/*", 1, late);
    assert_eq!(server.ask(PLACE, "{}").await.unwrap().0, 200);
    assert_eq!(server.ask(PLACE, "{}").await.unwrap().0, 200, "no fault is left");
}

/// A long poll is given up with its caller; what was to be carried out is carried out all the same.
#[tokio::test]
async fn a_caller_that_hangs_up_ends_only_what_has_no_effect() {
    let server = Homeserver::start().await;
    server.proxy.fail_next(PLACE, 1, Fault::before(Answer::Late(Duration::from_millis(200))));
    let gone = tokio::time::timeout(Duration::from_millis(50), server.ask(PLACE, "{}")).await;
    assert!(gone.is_err(), "{gone:?}");
    server.proxy.wait(SOON, || server.proxy.calls()[0].carried_out().then_some(())).await.unwrap();
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_homeserver_that_is_down_is_a_bad_gateway() {
    let proxy = Proxy::before("http://127.0.0.1:9").await;
    let server = Homeserver { proxy, ..Homeserver::start().await };
    assert_eq!(server.ask(PLACE, "{}").await.unwrap().0, 502);
    assert_eq!(server.proxy.calls()[0].outcome, Outcome::Unreachable);
}

#[tokio::test]
async fn a_share_fails_and_healing_ends_it() {
    let server = Homeserver::start().await;
    server.proxy.fail_share("PUT *", 20, &[Fault::before(Answer::Error(500)), Fault::after(Answer::Reset)], 42);
    for _ in 0..100 {
        let _ = server.ask(PLACE, "{}").await;
    }
    let failed = server.proxy.calls().iter().filter(|call| matches!(call.outcome, Outcome::Failed { .. })).count();
    assert!((5..40).contains(&failed), "{failed}");
    server.proxy.heal();
    assert_eq!(server.ask(PLACE, "{}").await.unwrap().0, 200);
    assert_eq!(server.proxy.wait_calls("PUT *", 101, SOON).await.len(), 101);
}

#[tokio::test]
async fn an_answer_is_changed_on_its_way_once() {
    let server = Homeserver::start().await;
    server.proxy.rewrite_next("PUT */send/*", |answer| answer["event_id"] = "$2".into());
    assert_eq!(server.ask(PLACE, "{}").await.unwrap().2, r#"{"event_id":"$2"}"#);
    assert_eq!(server.ask(PLACE, "{}").await.unwrap().2, r#"{"event_id":"$1"}"#);
}
