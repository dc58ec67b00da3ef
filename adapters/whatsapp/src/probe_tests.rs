#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use frontdesk_core::Severity;
use serde_json::json;

use super::*;

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
