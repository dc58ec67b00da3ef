//! The stand-in itself: it takes what Meta's own examples hold, and nothing that is written otherwise.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;

const PHONE: &str = "16505551234";
const PATIENCE: Duration = Duration::from_secs(10);

struct Desk {
    graph: Graph,
    anna: Person,
    /// A message of Anna's.
    asked: String,
}

impl Desk {
    async fn new() -> Self {
        let graph = Graph::start().await;
        let anna = graph.person("Anna", PHONE);
        let asked = graph.says(anna, "Hello");
        Self { graph, anna, asked }
    }

    async fn send(&self, message: &Value) -> (u16, Value) {
        let path = format!("/v25.0/{}/messages", self.graph.number());
        ask(&self.graph, "POST", &path, Some(self.graph.token()), "application/json", message.to_string().as_bytes())
            .await
    }

    /// A file that was uploaded, and its id.
    async fn uploaded(&self, mime: &str) -> String {
        let (status, answer) = self.upload(mime, b"bytes").await;
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    async fn upload(&self, mime: &str, bytes: &[u8]) -> (u16, Value) {
        let mut body = Vec::new();
        for (name, value) in [("messaging_product", "whatsapp"), ("type", mime)] {
            body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"a\"";
        body.extend(format!("--B\r\n{head}\r\nContent-Type: {mime}\r\n\r\n").bytes());
        body.extend(bytes);
        body.extend(b"\r\n--B--\r\n");
        let path = format!("/v25.0/{}/media", self.graph.number());
        let kind = "multipart/form-data; boundary=B";
        ask(&self.graph, "POST", &path, Some(self.graph.token()), kind, &body).await
    }

    /// An example with its placeholders filled, and with what it names in its place.
    async fn filled(&self, example: &Value) -> Value {
        let mut message = example.clone();
        message["to"] = PHONE.into();
        let kind = message["type"].as_str().map(str::to_owned);
        let kind =
            kind.unwrap_or_else(|| if message.get("interactive").is_some() { "interactive" } else { "text" }.into());
        if message.get("type").is_none() && kind != "text" {
            // One of the examples forgets it.
            message["type"] = kind.as_str().into();
        }
        if message.get("context").is_some() {
            message["context"]["message_id"] = self.asked.as_str().into();
        }
        if message[&kind].get("id").is_some() {
            let mimes = [
                ("audio", "audio/ogg"),
                ("document", "application/pdf"),
                ("image", "image/png"),
                ("sticker", "image/webp"),
                ("video", "video/mp4"),
            ];
            let mime = mimes.iter().find(|(name, _)| *name == kind).expect("a kind of file").1;
            message[&kind]["id"] = self.uploaded(mime).await.into();
        }
        if message[&kind].get("link").is_some() {
            message[&kind]["link"] = "https://bluedoor.example/file".into();
        }
        if kind == "reaction" {
            message["reaction"]["message_id"] = self.asked.as_str().into();
        }
        if kind == "template" {
            self.graph.add_template(template_for(&message["template"]));
        }
        message
    }
}

/// The template that this example would be a right use of.
fn template_for(sent: &Value) -> Value {
    let parts = sent["components"].as_array().cloned().unwrap_or_default();
    let given = |kind: &str| {
        let part = parts.iter().find(|part| part["type"] == kind);
        part.and_then(|part| part["parameters"].as_array()).cloned().unwrap_or_default()
    };
    let body: String = (1..=given("body").len()).map(|n| format!("{{{{{n}}}}} and ")).collect();
    let mut components = vec![json!({ "type": "BODY", "text": format!("{body}nothing else") })];
    if let Some(parameter) = given("header").first() {
        let format = parameter["type"].as_str().unwrap().to_uppercase();
        components.push(json!({ "type": "HEADER", "format": format }));
    }
    json!({ "name": sent["name"], "language": sent["language"]["code"], "status": "APPROVED",
        "components": components })
}

#[tokio::test]
async fn every_official_send_is_accepted_and_each_mutilated_one_refused() {
    let Some(examples) = official("meta-send-examples.json") else { return };
    assert_eq!(examples.len(), 50);
    for (name, example) in &examples {
        let desk = Desk::new().await;
        if example["status"] == "read" {
            let read = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": desk.asked,
                "typing_indicator": example["typing_indicator"] });
            assert_eq!(desk.send(&read).await.0, 200, "{name}");
            assert_eq!(desk.graph.reads_seen(), [(desk.asked.clone(), true)]);
            continue;
        }
        let message = desk.filled(example).await;
        let (status, answer) = desk.send(&message).await;
        assert_eq!(status, 200, "{name}: {answer}");
        assert!(answer["messages"][0]["id"].as_str().unwrap().starts_with("wamid."), "{name}: {answer}");
        for (how, wrong) in mutilated(&message) {
            let (status, answer) = desk.send(&wrong).await;
            assert!(status >= 400 && answer["error"]["code"].is_u64(), "{name}, {how}: {status} {answer}");
        }
        let sent = desk.graph.ever_sent(desk.anna).len();
        assert_eq!(sent, usize::from(message["type"] != "reaction"), "{name}");
    }
}

/// The same, wrong in one way each.
fn mutilated(message: &Value) -> Vec<(&'static str, Value)> {
    let kind = message["type"].as_str().unwrap_or("text").to_owned();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut wrong = message.clone();
        change(&mut wrong);
        wrong
    };
    let drop_field = |wrong: &mut Value, field: &str| drop(wrong.as_object_mut().unwrap().remove(field));
    let mut all = vec![
        ("another product", with(&|wrong| wrong["messaging_product"] = "messenger".into())),
        ("no product", with(&|wrong| drop_field(wrong, "messaging_product"))),
        ("no recipient", with(&|wrong| drop_field(wrong, "to"))),
        ("no number", with(&|wrong| wrong["to"] = "Anna".into())),
        ("a group", with(&|wrong| wrong["recipient_type"] = "group".into())),
        ("an unknown type", with(&|wrong| wrong["type"] = "hologram".into())),
        ("an unknown field", with(&|wrong| wrong["colour"] = "blue".into())),
        ("no content", with(&|wrong| drop_field(wrong, &kind))),
        ("content of another kind", with(&|wrong| wrong[&kind] = 7.into())),
        ("a long key", with(&|wrong| wrong["biz_opaque_callback_data"] = "x".repeat(513).into())),
    ];
    if message[&kind].is_object() {
        all.push(("an unknown field inside", with(&|wrong| wrong[&kind]["colour"] = "blue".into())));
        for field in message[&kind].as_object().unwrap().keys() {
            all.push(("a list for a value", with(&|wrong| wrong[&kind][field] = json!([]))));
        }
    }
    if message.get("context").is_some() {
        all.push(("a reply to nothing", with(&|wrong| wrong["context"]["message_id"] = "wamid.nothing".into())));
    }
    match kind.as_str() {
        "text" => all.push(("too long", with(&|wrong| wrong["text"]["body"] = "x".repeat(4097).into()))),
        "reaction" => all.push(("no emoji", with(&|wrong| wrong["reaction"]["emoji"] = "ok".into()))),
        "template" => {
            all.push(("an unknown name", with(&|wrong| wrong["template"]["name"] = "other".into())));
            all.push(("an unknown language", with(&|wrong| wrong["template"]["language"]["code"] = "xx".into())));
            let parameter = json!({ "type": "text", "text": "one more" });
            all.push((
                "a parameter too many",
                with(&|wrong| {
                    wrong["template"]["components"] =
                        json!([{ "type": "body", "parameters": vec![parameter.clone(); 9] }]);
                }),
            ));
        }
        _ if message[&kind].get("id").is_some() => {
            all.push(("an unknown file", with(&|wrong| wrong[&kind]["id"] = "1".into())));
        }
        _ => {}
    }
    all
}

#[tokio::test]
async fn only_who_has_the_token_is_heard() {
    let desk = Desk::new().await;
    let path = format!("/v25.0/{}", desk.graph.number());
    for token in [None, Some("EAAJother")] {
        let (status, answer) = ask(&desk.graph, "GET", &path, token, "", b"").await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!(190)));
    }
    let (status, answer) =
        ask(&desk.graph, "GET", &format!("{path}?fields=verified_name"), Some(desk.graph.token()), "", b"").await;
    assert_eq!((status, answer), (200, json!({ "id": desk.graph.number(), "verified_name": "Blue Door Bakery" })));
    let (status, _) = ask(&desk.graph, "GET", "/v25.0/1", Some(desk.graph.token()), "", b"").await;
    assert_eq!(status, 400, "nobody's number");
}

#[tokio::test]
async fn files_have_kinds_limits_and_an_age() {
    let desk = Desk::new().await;
    let ask = async |path: &str, token: Option<&str>| ask(&desk.graph, "GET", path, token, "", b"").await;
    assert_eq!(desk.upload("image/png", &vec![0; 5 << 20]).await.0, 200);
    for (mime, size) in [("image/png", (5 << 20) + 1), ("image/gif", 10), ("image/png", 0), ("image/webp", 501 << 10)] {
        assert_eq!(desk.upload(mime, &vec![0; size]).await.0, 400, "{mime}, {size} bytes");
    }
    let id = desk.uploaded("video/mp4").await;
    let as_picture = json!({ "messaging_product": "whatsapp", "to": PHONE, "type": "image", "image": { "id": id } });
    assert_eq!(desk.send(&as_picture).await.1["error"]["code"], 131_053);

    let (_, described) = ask(&format!("/v25.0/{id}"), Some(desk.graph.token())).await;
    assert_eq!((&described["file_size"], &described["mime_type"]), (&json!(5), &json!("video/mp4")));
    let path = described["url"].as_str().unwrap().replace(desk.graph.url(), "");
    assert_eq!(ask(&path, None).await.0, 401);
    assert_eq!(ask(&path, Some(desk.graph.token())).await.0, 200);
    desk.graph.age_links();
    assert_eq!(ask(&path, Some(desk.graph.token())).await.0, 404);
    desk.graph.lose_file(&id);
    for code in [100, 100, 100, 100, 100, 4, 4] {
        let (_, refused) = ask(&format!("/v25.0/{id}"), Some(desk.graph.token())).await;
        assert_eq!(refused["error"]["code"], code);
    }
}

fn words(to: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "to": to, "type": "text", "text": { "body": "Yes." } })
}

#[tokio::test]
async fn a_day_after_the_last_word_only_templates_arrive() {
    let desk = Desk::new().await;
    desk.graph.add_text_template("ready", "en", "Hi {{1}}, your order is ready");
    desk.graph.set_time(Some(Timestamp::now() + jiff::SignedDuration::from_hours(25)));
    assert_eq!(desk.send(&words(PHONE)).await.1["error"]["code"], 131_047);
    let parameters = json!([{ "type": "text", "text": "Anna" }]);
    let ready = json!({ "messaging_product": "whatsapp", "to": PHONE, "type": "template", "template": { "name": "ready",
        "language": { "code": "en" }, "components": [{ "type": "body", "parameters": parameters }] } });
    assert_eq!(desk.send(&ready).await.0, 200);
    assert_eq!(desk.graph.received(desk.anna)[0].text, "Hi Anna, your order is ready");

    desk.graph.set_late(Late::FailsLater);
    assert_eq!(desk.send(&words(PHONE)).await.0, 200);
    assert_eq!((desk.graph.received(desk.anna).len(), desk.graph.ever_sent(desk.anna).len()), (1, 2));
    desk.graph.says(desk.anna, "Are you there?");
    assert_eq!(desk.send(&words(PHONE)).await.0, 200);
    assert_eq!(desk.graph.received(desk.anna).len(), 2);
}

#[tokio::test]
async fn one_person_gets_a_burst_and_then_one_in_six_seconds() {
    let desk = Desk::new().await;
    let now = Timestamp::now();
    desk.graph.set_time(Some(now));
    for n in 0..46 {
        let (status, answer) = desk.send(&words(PHONE)).await;
        assert_eq!(status, if n < 45 { 200 } else { 400 }, "{n}: {answer}");
    }
    desk.graph.set_time(Some(now + jiff::SignedDuration::from_secs(7)));
    assert_eq!(desk.send(&words(PHONE)).await.0, 200);
    assert_eq!(desk.send(&words(PHONE)).await.1["error"]["code"], 131_056);
}

#[tokio::test]
async fn a_user_id_is_sent_to_as_recipient() {
    let desk = Desk::new().await;
    let ben = desk.graph.known_as("Ben", None, Some("DE.13491208655302741918"));
    desk.graph.says(ben, "Hello");
    let mut message = words("DE.13491208655302741918");
    assert_eq!(desk.send(&message).await.0, 400, "a user id is no number");
    message["recipient"] = message["to"].take();
    message.as_object_mut().unwrap().remove("to");
    let (_, answer) = desk.send(&message).await;
    assert_eq!(
        answer["contacts"][0],
        json!({ "input": "DE.13491208655302741918", "user_id": "DE.13491208655302741918" })
    );
    assert_eq!(desk.graph.received(ben).len(), 1);
}

#[tokio::test]
async fn templates_come_in_pages() {
    let desk = Desk::new().await;
    desk.graph.set_page(2);
    for n in 0..5 {
        desk.graph.add_text_template(&format!("t{n}"), "en", "Hi");
    }
    let (mut path, mut names) = (format!("/v25.0/{}/message_templates?limit=100", desk.graph.account()), Vec::new());
    loop {
        let (_, page) = ask(&desk.graph, "GET", &path, Some(desk.graph.token()), "", b"").await;
        names.extend(page["data"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["paging"]["next"].as_str() else { break };
        path = next.replace(desk.graph.url(), "");
    }
    assert_eq!(names, ["t0", "t1", "t2", "t3", "t4"]);
}

/// A hook that notes what it is brought, and answers as it is told.
async fn listening(answers: Vec<u16>) -> (String, Arc<Mutex<Vec<Value>>>) {
    let (seen, answers) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(answers)));
    let notes = seen.clone();
    let app = axum::Router::new().fallback(move |headers: axum::http::HeaderMap, body: axum::body::Bytes| {
        let (notes, answers) = (notes.clone(), answers.clone());
        async move {
            let signed = headers.get("x-hub-signature-256").unwrap().to_str().unwrap().to_owned();
            assert_eq!(signed, signature("41678a4f0c1e5b9d2a7733d4c0ffee00", &body));
            let answer = answers.lock().unwrap().pop().unwrap_or(200);
            if answer == 200 {
                notes.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            }
            axum::http::StatusCode::from_u16(answer).unwrap()
        }
    });
    let (url, _) = crate::cuttable::serve(app).await;
    (format!("{url}/hooks/whatsapp/shop"), seen)
}

fn ids(payload: &Value) -> Vec<String> {
    let entries = payload["entry"].as_array().unwrap().iter();
    let changes = entries.flat_map(|entry| entry["changes"].as_array().unwrap());
    changes.map(|change| change["value"]["messages"][0]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_webhook_is_brought_until_it_is_confirmed_and_in_order() {
    let graph = Graph::start().await;
    let anna = graph.person("Anna", PHONE);
    let (hook, seen) = listening(vec![500, 503]).await;
    let written: Vec<_> = ["one", "two", "three"].into_iter().map(|text| graph.says(anna, text)).collect();
    graph.calls_hook(&hook);
    graph.wait_confirmed(PATIENCE).await;
    let came: Vec<_> = seen.lock().unwrap().iter().flat_map(ids).collect();
    assert_eq!(came, written);
    let statuses: Vec<_> = graph.deliveries().iter().map(|delivery| delivery.status.unwrap()).collect();
    assert_eq!(statuses, [503, 500, 200, 200, 200]);
}

#[tokio::test]
async fn in_a_storm_each_comes_twice_and_out_of_order() {
    let graph = Graph::start().await;
    let anna = graph.person("Anna", PHONE);
    let (hook, seen) = listening(vec![503; 3]).await;
    graph.brings(Manner::Stormy(fastrand::Rng::with_seed(7)));
    graph.calls_hook(&hook);
    let written: Vec<_> = (0..50).map(|n| graph.says(anna, &n.to_string())).collect();
    graph.wait_confirmed(PATIENCE).await;
    let came: Vec<_> = seen.lock().unwrap().iter().flat_map(ids).collect();
    assert_eq!(came.len(), 100);
    assert!(written.iter().all(|id| came.iter().filter(|it| *it == id).count() == 2));
    let places: Vec<_> = came.iter().map(|id| written.iter().position(|it| it == id).unwrap()).collect();
    assert!(!places.is_sorted(), "nothing was shuffled");
}

#[tokio::test]
async fn up_to_a_thousand_changes_come_in_one_webhook() {
    let graph = Graph::start().await;
    let anna = graph.person("Anna", PHONE);
    let (hook, seen) = listening(Vec::new()).await;
    graph.brings(Manner::InOrder { batch: 1000 });
    let written: Vec<_> = (0..1000).map(|n| graph.says(anna, &n.to_string())).collect();
    graph.calls_hook(&hook);
    graph.wait_confirmed(PATIENCE).await;
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), ids(&seen[0])), (1, written));
}

/// As any client would.
pub async fn ask(graph: &Graph, verb: &str, path: &str, token: Option<&str>, kind: &str, body: &[u8]) -> (u16, Value) {
    let host = graph.url().trim_start_matches("http://");
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let head = format!(
        "{verb} {path} HTTP/1.1\r\nHost: {host}\r\n{bearer}Content-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let mut wire = TcpStream::connect(host).await.unwrap();
    wire.write_all(head.as_bytes()).await.unwrap();
    wire.write_all(body).await.unwrap();
    let mut bytes = Vec::new();
    wire.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}
