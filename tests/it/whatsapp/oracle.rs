//! A library of somebody else (pywa, from PyPI) reads what the stand-in brings and drives what it serves: what it knows
//! of Meta is not from here.

use std::collections::BTreeMap;

use super::*;
use crate::python;

const PACKAGES: [&str; 1] = ["pywa==4.5.*"];

fn run(script: &str, input: &Value) -> Value {
    python::run_in("pywa-venv", &PACKAGES, script, &input.to_string())
}

/// A hook that keeps the bytes and their signature.
async fn recorder() -> (String, Arc<std::sync::Mutex<Vec<Value>>>) {
    let kept = Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = kept.clone();
    let app = axum::Router::new().fallback(move |headers: axum::http::HeaderMap, body: String| {
        let signature = headers["x-hub-signature-256"].to_str().unwrap().to_owned();
        notes.lock().unwrap().push(json!({ "body": body, "signature": signature }));
        async { "ok" }
    });
    let (url, _) = crate::cuttable::serve(app).await;
    (format!("{url}/hook"), kept)
}

#[tokio::test]
async fn an_independent_library_reads_what_the_stand_in_brings() {
    let graph = Graph::start().await;
    let anna = graph.known_as("Anna", Some(PHONE), Some(USER));
    let ben = graph.known_as("Ben", None, Some("DE.99887766"));
    let (hook, kept) = recorder().await;
    let asked = graph.says(anna, "Do you have bread?");
    graph.says_reply(ben, &asked, "And cake?");
    graph.sends_file(anna, "image", "image/jpeg", b"x".to_vec(), Some("This one"));
    graph.sends_file(anna, "voice", "audio/ogg; codecs=opus", b"x".to_vec(), None);
    graph.reacts(anna, &asked, Some("👍"));
    graph.message(anna, "location", json!({ "latitude": 52.5, "longitude": 13.4, "name": "At home" }));
    let row = json!({ "id": "express", "title": "Express", "description": "Next day" });
    let context = json!({ "from": "15550783881", "id": "wamid.list" });
    let choice = json!({ "type": "list_reply", "list_reply": row });
    graph.message_with(anna, json!({ "context": context, "type": "interactive", "interactive": choice }));
    graph.edits(anna, &asked, "Do you have cake?");
    graph.revokes(anna, &asked);
    graph.owner_says(anna, "Yes, we do.");
    graph.changes_number(anna, "12195555358", Some("US.2222"));
    graph.calls_hook(&hook);
    graph.wait_confirmed(PATIENCE).await;
    let message = Outbound { to: Address::chat("US.2222"), ..outbound(post("Come at nine.")) };
    adapter(&graph).send(&message, &Prepared::default(), &Files::default()).await.unwrap();
    graph.reads(anna);
    graph.wait_confirmed(PATIENCE).await;

    let webhooks = kept.lock().unwrap().clone();
    let input = json!({ "secret": graph.app_secret(), "number": graph.number(), "webhooks": webhooks });
    let answers = run(include_str!("oracle/reads.py"), &input);
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), webhooks.len());
    assert!(answers.iter().all(|it| it["right"].is_null() && it["wrong"] == json!(["Forbidden", 403])), "{answers:#?}");
    let seen: Vec<_> = answers.iter().flat_map(|it| it["seen"].as_array().unwrap()).collect();
    let kinds: Vec<_> = seen.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    let expected = [
        "Message",
        "Message",
        "Message",
        "Message",
        "Message",
        "Message",
        "CallbackSelection",
        "EditedMessage",
        "DeletedMessage",
        "OutgoingMessage",
        "PhoneNumberChange",
        "MessageStatus",
        "MessageStatus",
        "MessageStatus",
    ];
    assert_eq!(kinds, expected, "{seen:#?}");
    assert_eq!(
        (&seen[0]["words"], &seen[0]["user"], &seen[0]["phone"]),
        (&json!("Do you have bread?"), &json!(USER), &json!(PHONE))
    );
    assert_eq!((&seen[1]["user"], &seen[1]["phone"]), (&json!("DE.99887766"), &Value::Null));
    assert_eq!(seen[2]["words"], "This one");
    let statuses: Vec<_> =
        seen[11..].iter().map(|it| (it["status"].as_str().unwrap(), it["key"].as_str().unwrap())).collect();
    let key = message.key.to_string();
    assert_eq!(statuses, [("sent", key.as_str()), ("delivered", key.as_str()), ("read", key.as_str())]);
}

#[tokio::test]
async fn an_independent_client_is_served() {
    let graph = Graph::start().await;
    let anna = graph.known_as("Anna", Some(PHONE), Some(USER));
    let asked = graph.says(anna, "Do you have bread?");
    graph.sends_file(anna, "image", "image/jpeg", b"her picture".to_vec(), None);
    graph.add_text_template("ready", "en", "Hi {{1}}, it is ready");
    let (hook, kept) = recorder().await;
    graph.calls_hook(&hook);
    graph.wait_confirmed(PATIENCE).await;
    let picture: Value = serde_json::from_str(kept.lock().unwrap()[1]["body"].as_str().unwrap()).unwrap();
    let file = &picture["entry"][0]["changes"][0]["value"]["messages"][0]["image"]["id"];
    let input = json!({ "url": graph.url(), "token": graph.token(), "number": graph.number(),
        "account": graph.account(), "phone": PHONE, "user": USER, "asked": asked, "file": file });
    let done = tokio::task::spawn_blocking(move || run(include_str!("oracle/sends.py"), &input)).await.unwrap();

    let sent: BTreeMap<_, _> = graph.received(anna).into_iter().map(|sent| (sent.id.clone(), sent)).collect();
    let kind_of = |name: &str| sent[done[name].as_str().unwrap()].kind.as_str();
    for (name, kind) in [
        ("text", "text"),
        ("to_user", "text"),
        ("image", "image"),
        ("document", "document"),
        ("location", "location"),
        ("template", "template"),
    ] {
        assert_eq!(kind_of(name), kind);
    }
    let text = &sent[done["text"].as_str().unwrap()];
    assert_eq!((text.reply_to.as_ref(), text.key.as_deref()), (Some(&asked), Some("row-1")));
    assert_eq!(sent[done["template"].as_str().unwrap()].text, "Hi Anna, it is ready");
    assert_eq!(graph.reaction(&asked).as_deref(), Some("👍"));
    assert_eq!(graph.reads_seen(), [(asked.clone(), false), (asked, true)]);
    assert_eq!(done["too_long"][1], 100, "{done}");
    assert_eq!(done["wrong_template"], json!(["TemplateNotExists", 132_001]));
    assert_eq!(done["wrong_file"][1], 100, "{done}");
    assert_eq!(done["number"], "Blue Door Bakery");
    assert_eq!(done["file"], json!(["image/jpeg", 11, "her picture"]));
}

/// Signed by Python's own `hmac`, with words of every kind.
#[tokio::test]
async fn what_python_signs_is_taken_by_the_hook() {
    const SIGN: &str = "
import hashlib, hmac, json, sys
given = json.load(sys.stdin)
sign = lambda body: 'sha256=' + hmac.new(given['secret'].encode(), body.encode(), hashlib.sha256).hexdigest()
json.dump([sign(body) for body in given['bodies']], sys.stdout)
";
    let shop = Shop::open().await;
    let about = json!({ "display_phone_number": "15550783881", "phone_number_id": shop.graph.number() });
    let texts = ["plain", "🍞 ümläut ﷽", "\u{0} \u{1f} \u{7f}", "\"quoted\" \\ back"];
    let body = |(n, text): (usize, &&str)| {
        let message = json!({ "from": PHONE, "id": format!("wamid.{n}"), "timestamp": "1749416383", "type": "text",
            "text": { "body": text } });
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages",
            "value": { "messaging_product": "whatsapp", "metadata": about, "messages": [message] } }] }] })
        .to_string()
    };
    let bodies: Vec<String> = texts.iter().enumerate().map(body).collect();
    let signed = run(SIGN, &json!({ "secret": shop.graph.app_secret(), "bodies": bodies }));
    for (body, signature) in bodies.iter().zip(signed.as_array().unwrap()) {
        assert_eq!(shop.graph.post_raw(body.as_bytes(), signature.as_str()).await.0, 200);
        let mut other: Vec<char> = signature.as_str().unwrap().chars().collect();
        other[7..].reverse();
        let other: String = other.into_iter().collect();
        assert_eq!(shop.graph.post_raw(body.as_bytes(), Some(&other)).await.0, 403);
    }
    assert_eq!(lines(&shop.receiving.inbox.stored()), texts);
}
