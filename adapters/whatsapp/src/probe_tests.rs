#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use frontdesk_core::{Adapter, Severity};
use serde_json::json;

use super::*;
use crate::graph::{Graph, NUMBER, Says, error};

#[test]
fn a_token_that_will_end_is_told_before() {
    let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    let found =
        |seconds: i64| expiry(&json!({ "expires_at": seconds }), now).map(|finding| (finding.severity, finding.text));
    assert_eq!(found(0), None);
    assert_eq!(found(now.as_second() + 15 * 86400), None);
    let (severity, text) = found(now.as_second() + 13 * 86400).unwrap();
    assert_eq!((severity, text.contains("in 13 days")), (Severity::Warning, true));
    let (severity, text) = found(now.as_second() + 3 * 3600).unwrap();
    assert_eq!((severity, text.contains("in 3 hours")), (Severity::Error, true));
}

#[test]
fn fields_that_do_not_come_are_named() {
    let names = |fields: Value, coexists| fields_of(&json!({ "fields": fields }), coexists);
    assert_eq!(names(json!([{ "name": "messages", "version": "v25.0" }]), false), [] as [&str; 0]);
    assert_eq!(names(json!(["messages", "history"]), true), ["smb_message_echoes", "smb_app_state_sync"]);
    assert_eq!(names(json!([]), false), ["messages"]);
}

fn fields_of(subscription: &Value, coexists: bool) -> Vec<String> {
    let names = fields(subscription, coexists);
    names.into_iter().filter_map(|finding| Some(finding.text.split('`').nth(1)?.to_owned())).collect()
}

#[test]
fn an_app_that_gets_nothing_of_the_account_is_an_error() {
    let apps = json!({ "data": [{ "whatsapp_business_api_data": { "id": "77", "name": "Desk" } }] });
    assert_eq!(subscribed(&apps, "1", Some("77")).severity, Severity::Ok);
    assert_eq!(subscribed(&apps, "1", None).severity, Severity::Ok);
    assert_eq!(subscribed(&apps, "1", Some("78")).severity, Severity::Error);
    assert_eq!(subscribed(&json!({ "data": [] }), "1", None).severity, Severity::Error);
}

const WABA: &str = "102290129340398";

/// A set-up in which all is well, at the app 77.
async fn set_up() -> Graph {
    let graph = Graph::saying(vec![]).await;
    let hook = format!("{}/hooks/whatsapp/shop", graph.address);
    let scopes = ["whatsapp_business_messaging", "whatsapp_business_management"];
    let webhook =
        json!({ "object": "whatsapp_business_account", "callback_url": hook, "fields": [{ "name": "messages" }] });
    has(
        &graph,
        "/v25.0/106540352242922",
        json!({ "id": NUMBER, "display_phone_number": "+1 555", "status": "CONNECTED" }),
    );
    has(&graph, "/v25.0/debug_token", json!({ "data": { "app_id": "77", "expires_at": 0, "scopes": scopes } }));
    has(&graph, "/v25.0/77/subscriptions", json!({ "data": [webhook] }));
    let subscribed = json!({ "data": [{ "whatsapp_business_api_data": { "id": "77" } }] });
    has(&graph, "/v25.0/102290129340398/subscribed_apps", subscribed);
    has(&graph, "/v25.0/102290129340398/phone_numbers", json!({ "data": [{ "id": NUMBER }] }));
    graph.says_at("/hooks/whatsapp/shop", Says::Bytes(b"stored"));
    graph
}

fn has(graph: &Graph, path: &'static str, answer: Value) {
    graph.says_at(path, Says::Json(200, answer));
}

/// What the probe has to say beside that all is well.
async fn complaints(graph: &Graph) -> Vec<(Severity, String)> {
    let found = graph.adapter().probe().await;
    let told = found.into_iter().map(|finding| (finding.severity, finding.text));
    told.filter(|(severity, _)| *severity != Severity::Ok).collect()
}

#[tokio::test]
async fn a_probe_of_a_good_set_up_tries_everything_and_finds_nothing() {
    let graph = set_up().await;
    assert_eq!(complaints(&graph).await, []);
    let asked = graph.requests();
    let call = asked.iter().find(|asked| asked.what == "POST /hooks/whatsapp/shop").expect("a call to ourselves");
    assert_eq!(
        (call.token.as_str(), call.body.as_slice()),
        ("", &br#"{"object":"whatsapp_business_account","entry":[]}"#[..])
    );
    let app = asked.iter().find(|asked| asked.what.contains("/77/subscriptions")).unwrap();
    assert_eq!(app.token, "Bearer 77|0123456789abcdef0123456789abcdef");
}

#[tokio::test]
async fn a_probe_names_what_is_missing_and_what_to_click() {
    let hook =
        json!({ "object": "whatsapp_business_account", "callback_url": "https://other.example/webhook", "fields": [] });
    let cases: [(&str, Says, &[&str]); 9] = [
        ("/v25.0/106540352242922", error(190), &["does not accept the access token"]),
        (
            "/v25.0/debug_token",
            Says::Json(200, json!({ "data": { "app_id": "77", "scopes": ["x"] } })),
            &["whatsapp_business_messaging", "whatsapp_business_management"],
        ),
        ("/v25.0/77/subscriptions", error(190), &["does not accept app_secret"]),
        ("/v25.0/77/subscriptions", Says::Json(200, json!({ "data": [] })), &["WhatsApp > Configuration > Webhook"]),
        (
            "/v25.0/77/subscriptions",
            Says::Json(200, json!({ "data": [hook] })),
            &["`messages`", "which is not frontdesk"],
        ),
        ("/hooks/whatsapp/shop", Says::Page(403), &["another app_secret"]),
        ("/hooks/whatsapp/shop", Says::Page(200), &["something other than frontdesk answers"]),
        (
            "/v25.0/102290129340398/subscribed_apps",
            Says::Json(200, json!({ "data": [] })),
            &["does not get what happens"],
        ),
        (
            "/v25.0/102290129340398/phone_numbers",
            Says::Json(200, json!({ "data": [{ "id": "1234567" }] })),
            &["phone_number_id = \"1234567\""],
        ),
    ];
    for (path, says, expected) in cases {
        let graph = set_up().await;
        graph.says_at(path, says);
        let found = complaints(&graph).await;
        assert_eq!(found.len(), expected.len(), "{path}: {found:?}");
        for words in expected {
            assert!(found.iter().any(|(_, text)| text.contains(words)), "{path}: {found:?}");
        }
    }
}

#[tokio::test]
async fn where_nobody_tells_of_the_token_the_app_secret_is_proved() {
    let graph = set_up().await;
    graph.says_at("/v25.0/debug_token", error(100));
    assert_eq!(complaints(&graph).await, []);
    let proved = graph.asked().iter().any(|what| what.contains("appsecret_proof="));
    assert!(proved, "{:?}", graph.asked());
    assert!(graph.asked().iter().any(|what| what.contains(WABA)));
}
