#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use frontdesk_core::{Content, DeliveryState, Message, PersonKind};
use serde_json::{Value, json};

use super::*;

const NUMBER: &str = "106540352242922";

fn payload(field: &str, value: Value) -> Value {
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "102290129340398", "changes": [{ "field": field, "value": value }] }] })
}

fn value(key: &str, entries: Value) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "+1 555-078-3881", "phone_number_id": NUMBER },
        "contacts": [{ "profile": { "name": "Sheena Nelson" }, "wa_id": "16505551234", "user_id": "US.1349" }],
        key: entries,
    })
}

fn converted(payload: &Value) -> Converted {
    let memory = Memory::new();
    let mut all = Converted::default();
    for change in changes(payload).unwrap() {
        all.extend(change.convert(&memory));
    }
    all
}

/// What one message of Sheena's becomes.
fn message(more: Value) -> Converted {
    let mut message =
        json!({ "from": "16505551234", "from_user_id": "US.1349", "id": "wamid.A", "timestamp": "1749416383" });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    converted(&payload("messages", value("messages", json!([message]))))
}

fn event(more: Value) -> Event {
    let mut converted = message(more);
    assert_eq!(converted.events.len(), 1, "{converted:?}");
    converted.events.remove(0).event
}

#[test]
fn a_text_names_its_sender_address_and_time() {
    let found = message(json!({ "type": "text", "text": { "body": "Does it come in another color?" } }));
    let [inbound] = found.events.as_slice() else { panic!("{found:?}") };
    assert_eq!(inbound.key, EventKey::from("wamid.A"));
    assert_eq!((inbound.from.id.as_str(), inbound.from.name.as_str()), ("US.1349", "Sheena Nelson"));
    assert_eq!(inbound.from.kind, PersonKind::Human);
    assert_eq!(inbound.from.aliases, ["+16505551234", "16505551234"]);
    assert_eq!(inbound.at, Address::chat("US.1349"));
    assert_eq!(inbound.sent_at.unwrap().as_second(), 1_749_416_383);
    assert_eq!(inbound.event, Event::Message(Message::text("wamid.A", "Does it come in another color?")));
    assert_eq!(found.told, [Told::Wrote { at: Address::chat("US.1349"), id: "wamid.A".into() }]);
}

#[test]
fn a_quoted_or_forwarded_text_says_so() {
    let text = json!({ "body": "This one" });
    let Event::Message(reply) =
        event(json!({ "type": "text", "text": text, "context": { "from": "1555", "id": "wamid.B" } }))
    else {
        panic!()
    };
    assert_eq!((reply.reply_to, reply.forwarded), (Some("wamid.B".into()), false));
    for mark in ["forwarded", "frequently_forwarded"] {
        let Event::Message(said) = event(json!({ "type": "text", "text": text, "context": { mark: true } })) else {
            panic!()
        };
        assert_eq!((said.reply_to, said.forwarded), (None, true));
    }
}

#[test]
fn a_reaction_and_its_removal_are_told() {
    let with = |reaction: Value| event(json!({ "type": "reaction", "reaction": reaction }));
    let some = Event::Reaction { id: "wamid.B".into(), emoji: Some("👍".into()) };
    let none = Event::Reaction { id: "wamid.B".into(), emoji: None };
    assert_eq!(with(json!({ "message_id": "wamid.B", "emoji": "👍" })), some);
    assert_eq!(with(json!({ "message_id": "wamid.B", "emoji": "" })), none);
    assert_eq!(with(json!({ "message_id": "wamid.B" })), none);
}

#[test]
fn an_edit_and_a_deletion_name_their_message() {
    let new = json!({ "type": "text", "text": { "body": "Two cakes" } });
    assert_eq!(
        event(json!({ "type": "edit", "edit": { "original_message_id": "wamid.B", "message": new } })),
        Event::Edited { id: "wamid.B".into(), content: Content::text("Two cakes"), notice: false }
    );
    assert_eq!(
        event(json!({ "type": "revoke", "revoke": { "original_message_id": "wamid.B" } })),
        Event::Deleted { ids: vec!["wamid.B".into()] }
    );
}

#[test]
fn who_only_opened_the_chat_has_started() {
    assert_eq!(event(json!({ "type": "request_welcome" })), Event::Started { payload: None });
}

#[test]
fn a_changed_number_moves_the_person_and_their_address() {
    let system = json!({ "type": "user_changed_number", "body": "User Sheena changed from 16505551234 to 12195555358", "wa_id": "12195555358", "user_id": "US.2" });
    let found = message(json!({ "type": "system", "system": system }));
    let [person, address] = found.events.as_slice() else { panic!("{found:?}") };
    assert_eq!(person.event, Event::IdentityMoved { from: "US.1349".into(), to: "US.2".into() });
    assert_eq!((person.key.as_str(), person.from.id.as_str()), ("wamid.A", "US.1349"));
    let chat = Event::ChatMoved { from: Address::chat("US.1349"), to: Address::chat("US.2") };
    assert_eq!((&address.event, address.key.as_str(), address.from.id.as_str()), (&chat, "wamid.A#address", "US.2"));
    assert_eq!(address.from.aliases, ["+12195555358", "12195555358", "16505551234", "US.1349"]);
}

#[test]
fn a_change_of_number_alone_moves_from_number_to_number() {
    let system = json!({ "body": "User S changed from 16505551234 to 12195555358", "wa_id": "12195555358", "type": "user_changed_number" });
    let entry = json!({ "from": "16505551234", "id": "wamid.S", "timestamp": "1750269342", "type": "system", "system": system });
    let found =
        converted(&payload("messages", json!({ "metadata": { "phone_number_id": NUMBER }, "messages": [entry] })));
    assert_eq!(found.events[0].event, Event::IdentityMoved { from: "16505551234".into(), to: "12195555358".into() });
    assert_eq!(found.events[1].at, Address::chat("12195555358"));
}

#[test]
fn a_changed_user_id_is_found_wherever_it_is_told() {
    let moved = Event::IdentityMoved { from: "US.1".into(), to: "US.2".into() };
    let in_words = json!({ "type": "user_changed_user_id", "user_id": "US.2222", "body": "User S changed from US.1111 to US.2222" });
    let entry = json!({ "id": "wamid.S", "type": "system", "system": in_words });
    let found = converted(&payload("messages", value("messages", json!([entry]))));
    assert_eq!(found.events[0].event, Event::IdentityMoved { from: "US.1111".into(), to: "US.2222".into() });

    let by_field = json!({ "type": "user_changed_user_id", "user_id": "US.2", "previous_user_id": "US.1" });
    let entry = json!({ "id": "wamid.S", "type": "system", "system": by_field });
    assert_eq!(converted(&payload("messages", value("messages", json!([entry])))).events[0].event, moved);

    let update = json!({ "wa_id": "12195555358", "user_id": { "previous": "US.1", "current": "US.2" }, "timestamp": "1750269342" });
    let found = converted(&payload("user_id_update", value("user_id_update", json!([update]))));
    assert_eq!((found.events.len(), &found.events[0].event), (2, &moved));
}

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
        let status = json!({ "id": "wamid.O", "status": "failed", "recipient_id": "16505551234", "errors": errors });
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
    assert_eq!(told, [Told::Alarm(reason)]);
}

#[test]
fn what_the_owner_writes_on_the_phone_is_an_echo() {
    let text = json!({ "from": "15550783881", "to": "16505551234", "id": "wamid.E", "timestamp": "1739321024", "type": "text", "text": { "body": "We do!" } });
    let gone = json!({ "from": "15550783881", "to": "16505551234", "id": "wamid.F", "timestamp": "1739321025", "type": "revoke", "revoke": { "original_message_id": "wamid.E" } });
    let odd = json!({ "from": "15550783881", "id": "wamid.G" });
    let found = converted(&payload("smb_message_echoes", value("message_echoes", json!([text, gone, odd]))));
    let [said, gone, odd] = found.events.as_slice() else { panic!("{found:?}") };
    assert_eq!((said.from.id.as_str(), &said.at), ("US.1349", &Address::chat("US.1349")));
    assert_eq!(said.event, Event::Echo(Message::text("wamid.E", "We do!")));
    let Event::Echo(gone) = &gone.event else { panic!("{gone:?}") };
    assert_eq!(
        (gone.content.readable().as_str(), &gone.reply_to),
        ("(deleted an earlier message)", &Some("wamid.E".into()))
    );
    assert!(matches!(&odd.event, Event::Unsupported { .. }));
}

#[test]
fn old_chats_and_the_address_book_only_make_people_known() {
    let old =
        json!({ "from": "16505551234", "id": "wamid.1", "timestamp": "1", "type": "text", "text": { "body": "Hi" } });
    let history = json!([{ "metadata": { "phase": 0 }, "threads": [
        { "id": "16505551234", "messages": [old, old] },
        { "id": "16505551234", "context": { "user_id": "US.9" }, "messages": [] },
        { "id": "+44 20 1234567", "messages": [] },
    ] }]);
    let file = json!([{ "from": "15550783881", "to": "4930123456", "id": "wamid.2", "type": "image", "image": { "id": "1" } }]);
    let mut whole = value("history", history);
    whole["messages"] = file;
    let known = |found: &Converted| {
        assert!(found.events.iter().all(|inbound| inbound.event == Event::Known), "{found:?}");
        assert_eq!(found.told, []);
        found.events.iter().map(|inbound| inbound.from.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(known(&converted(&payload("history", whole))), ["16505551234", "US.9", "44201234567", "4930123456"]);

    let contact = |number: &str| json!({ "type": "contact", "action": "add", "contact": { "full_name": "Ben", "phone_number": number } });
    let book = json!([contact("+1 650"), contact("1650"), { "type": "contact", "action": "remove", "contact": { "user_id": "US.3" } }]);
    let found = converted(&payload("smb_app_state_sync", value("state_sync", book)));
    assert_eq!(known(&found), ["1650", "US.3"]);
    assert_eq!((found.events[0].from.name.as_str(), &found.events[0].from.first_name), ("Ben", &None));
}

#[test]
fn one_odd_entry_spoils_no_other() {
    let text = |id: &str| json!({ "from": "16505551234", "id": id, "type": "text", "text": { "body": "Hi" } });
    let odd = [
        json!("what?"),
        json!(null),
        json!({ "type": "text" }),
        json!({ "from": 5, "id": "wamid.X", "type": "image", "image": [] }),
    ];
    let mut entries = vec![text("wamid.1")];
    entries.extend(odd.clone());
    entries.push(text("wamid.2"));
    let found = converted(&payload("messages", value("messages", entries.into())));
    let said = found.events.iter().filter(|inbound| matches!(inbound.event, Event::Message(_))).count();
    let kept: Vec<_> = found
        .events
        .iter()
        .filter_map(|inbound| match &inbound.event {
            Event::Unsupported { raw, .. } => Some(serde_json::from_str::<Value>(&raw.0).unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!((said, kept), (2, odd.to_vec()));
    let keys: HashSet<_> = found.events.iter().map(|inbound| &inbound.key).collect();
    assert_eq!(keys.len(), 6);
}

#[test]
fn a_message_that_cannot_be_read_is_kept_under_its_sender() {
    let found = message(json!({ "type": "image", "image": "gone" }));
    assert_eq!((found.events[0].from.id.as_str(), &found.events[0].at), ("US.1349", &Address::chat("US.1349")));
    assert!(matches!(&found.events[0].event, Event::Unsupported { kind, .. } if kind == "image"));
    assert_eq!(found.told, []);
}

#[test]
fn groups_are_kept_and_never_answered() {
    let found = message(json!({ "type": "text", "text": { "body": "Hi all" }, "group_id": "Y2F" }));
    assert_eq!(found.events[0].from.kind, PersonKind::Service);
    assert!(matches!(&found.events[0].event, Event::Unsupported { kind, .. } if kind == "group message"));
}

#[test]
fn what_is_about_the_account_is_looked_into() {
    let update = json!({ "event": "DISABLED_UPDATE", "ban_info": {} });
    let found = converted(&payload("account_update", update));
    assert!(matches!(&found.events[0].event, Event::Unsupported { kind, .. } if kind == "account update"));
    assert_eq!(found.told, [Told::Changed]);
    let again = converted(&payload("account_update", json!({ "event": "DISABLED_UPDATE", "ban_info": {} })));
    assert_eq!(found.events[0].key, again.events[0].key);
    let other = converted(&payload("account_update", json!({ "event": "ACCOUNT_DELETED" })));
    assert_ne!(found.events[0].key, other.events[0].key);
}

#[test]
fn what_is_no_webhook_of_ours_is_nonsense() {
    for odd in [
        json!({}),
        json!([]),
        json!({ "object": "page", "entry": [] }),
        json!({ "object": "whatsapp_business_account" }),
    ] {
        assert!(changes(&odd).is_none(), "{odd}");
    }
    let empty = json!({ "object": "whatsapp_business_account", "entry": [] });
    assert_eq!(changes(&empty).map(|changes| changes.len()), Some(0));
}

/// Every text of an example stands in what its event shows or keeps.
#[test]
fn metas_own_examples_convert_without_loss() {
    let Some(folder) = std::env::var_os("FRONTDESK_SPECS") else {
        eprintln!("skipped: FRONTDESK_SPECS names no folder with meta-webhook-examples.json");
        return;
    };
    let file = std::fs::read(std::path::Path::new(&folder).join("meta-webhook-examples.json")).unwrap();
    let examples: serde_json::Map<String, Value> = serde_json::from_slice(&file).unwrap();
    assert!(examples.len() >= 16);
    for (name, example) in &examples {
        let found = converted(example);
        let again = converted(example);
        assert!(!found.events.is_empty(), "{name}");
        assert_eq!(found, again, "{name}");
        let shown = serde_json::to_string(&found.events).unwrap();
        let value = &example["entry"][0]["changes"][0]["value"];
        for said in texts(&value["messages"]) {
            assert!(
                shown.contains(&serde_json::to_string(said).unwrap().trim_matches('"').to_owned()),
                "{name}: {said}"
            );
        }
        let is_unknown = found.events.iter().any(|inbound| matches!(inbound.event, Event::Unsupported { .. }));
        assert_eq!(is_unknown, name.starts_with("Group"), "{name}");
    }
}

/// What people wrote or would read, not how Meta calls it.
fn texts(value: &Value) -> Vec<&str> {
    const READ: [&str; 16] = [
        "body",
        "caption",
        "name",
        "formatted_name",
        "address",
        "url",
        "phone",
        "company",
        "text",
        "title",
        "description",
        "emoji",
        "message_id",
        "product_retailer_id",
        "headline",
        "details",
    ];
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "welcome_message" | "system"))
            .filter(|(key, value)| !value.is_string() || READ.contains(&key.as_str()))
            .flat_map(|(key, value)| match value {
                // The details say the same, in whole sentences.
                Value::Array(errors) if key == "errors" => {
                    errors.iter().filter_map(|error| error["error_data"]["details"].as_str()).collect()
                }
                Value::String(text) if text.is_empty() => Vec::new(),
                Value::String(text) => vec![text.as_str()],
                other => texts(other),
            })
            .collect(),
        _ => Vec::new(),
    }
}
