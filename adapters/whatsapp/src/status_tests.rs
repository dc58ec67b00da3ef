#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use serde_json::json;

use super::*;
use crate::payloads::{converted, payload, value};

#[test]
fn a_status_brings_the_key_of_its_send_back() {
    let key = OutboxKey { instance: 7, number: 12 };
    let status = |word: &str| json!({ "id": "wamid.O", "status": word, "timestamp": "1750030073", "recipient_id": "16505551234", "biz_opaque_callback_data": key.to_string() });
    let words = ["sent", "delivered", "read", "played"];
    let found = converted(&payload("messages", value("statuses", words.map(status).as_slice().into())));
    let keys: HashSet<&str> = found.events.iter().map(|inbound| inbound.key.as_str()).collect();
    assert_eq!(keys.len(), 4);
    let states = found.events.iter().map(|inbound| match &inbound.event {
        Event::Status { key: Some(found), id: Some(id), state } if *found == key && id.as_str() == "wamid.O" => {
            state.clone()
        }
        other => panic!("{other:?}"),
    });
    use DeliveryState::{Delivered, Read, Sent};
    assert_eq!(states.collect::<Vec<_>>(), [Sent, Delivered, Read, Read]);
    assert!(found.told.contains(&Told::Took { key, id: "wamid.O".into() }));
    // By a number whose user is known from elsewhere in the payload.
    assert_eq!((found.events[0].from.id.as_str(), found.events[0].from.name.as_str()), ("US.1349", ""));
}

#[test]
fn a_failure_says_why_and_the_window_has_its_own_state() {
    let failed = |code: i64| {
        let errors = json!([{ "code": code, "title": "Odd", "error_data": { "details": "Odd." } }]);
        let status = json!({ "id": "wamid.O", "status": "failed", "timestamp": "1750030073", "recipient_id": "16505551234", "errors": errors });
        let mut found = converted(&payload("messages", value("statuses", json!([status]))));
        let Event::Status { state, .. } = found.events.remove(0).event else { panic!("{found:?}") };
        (state, found.told)
    };
    assert_eq!(failed(131047), (DeliveryState::WindowClosed, vec![]));
    let (state, told) = failed(131026);
    assert!(matches!(state, DeliveryState::Failed { reason } if reason.contains("Try another way")));
    assert_eq!(told, []);
    let (state, told) = failed(131042);
    let DeliveryState::Failed { reason } = state else { panic!("{state:?}") };
    assert!(reason.contains("Payment settings"), "{reason}");
    assert_eq!(told, [Told::Alarm { problem: reason, at: Timestamp::from_second(1_750_030_073).ok() }]);
}

/// Only that Meta took one just now; who read what says nothing of the account.
#[test]
fn only_a_send_that_was_taken_says_that_sends_are() {
    let told = |word: &str, at: &str| {
        let status = json!({ "id": "wamid.O", "status": word, "timestamp": at, "recipient_id": "16505551234" });
        converted(&payload("messages", value("statuses", json!([status])))).told
    };
    assert_eq!(told("sent", "1750030073"), [Told::Delivers { at: Timestamp::from_second(1_750_030_073).unwrap() }]);
    assert_eq!(told("sent", "soon"), []);
    for word in ["delivered", "read", "played"] {
        assert_eq!(told(word, "1750030073"), [], "{word}");
    }
}
