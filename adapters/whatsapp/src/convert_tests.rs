#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use frontdesk_core::{Content, Message, PersonKind};
use serde_json::{Value, json};

use super::*;
use crate::payloads::{NUMBER, converted, payload, value};

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
    // The picture has a sender: it is shown, as one that cannot be.
    assert_eq!((said, kept), (3, odd[..3].to_vec()));
    let keys: HashSet<_> = found.events.iter().map(|inbound| &inbound.key).collect();
    assert_eq!(keys.len(), 6);
}

/// Whose it is, is known: so it is shown, in whatever words are left.
#[test]
fn a_message_that_cannot_be_read_is_shown_as_one_of_its_kind() {
    let errors = json!([{ "code": 131052, "error_data": { "details": "Media was not found." } }]);
    let new = json!({ "type": "text", "text": { "body": "Two cakes" } });
    let cases = [
        (json!({ "type": "image", "image": "gone" }), "[image, which cannot be shown here yet]"),
        (
            json!({ "type": "image", "image": { "caption": "Like this?" }, "errors": errors }),
            "[image, which cannot be shown here yet]\nLike this?\n(Media was not found.)",
        ),
        (json!({ "type": "text", "text": { "body": "" } }), "[text, which cannot be shown here yet]"),
        (json!({ "type": "text" }), "[text, which cannot be shown here yet]"),
        (json!({ "type": "order", "order": { "product_items": [] } }), "[order, which cannot be shown here yet]"),
        (json!({ "type": "contacts", "contacts": [] }), "[contacts, which cannot be shown here yet]"),
        (json!({ "type": "location", "location": {} }), "[location, which cannot be shown here yet]"),
        (
            json!({ "type": "group_invite", "group_invite": { "x": 1 } }),
            "[group invite, which cannot be shown here yet]",
        ),
        (json!({}), "[message, which cannot be shown here yet]"),
        (json!({ "type": "reaction", "reaction": { "emoji": "👍" } }), "[reaction, which cannot be shown here yet]"),
        (json!({ "type": "revoke" }), "[revoke, which cannot be shown here yet]"),
        (json!({ "type": "edit", "edit": { "message": new } }), "(changed an earlier message to:)\nTwo cakes"),
    ];
    for (more, expected) in cases {
        let found = message(more);
        let [inbound] = found.events.as_slice() else { panic!("{found:?}") };
        assert_eq!((inbound.from.id.as_str(), &inbound.at), ("US.1349", &Address::chat("US.1349")));
        let Event::Message(said) = &inbound.event else { panic!("{inbound:?}") };
        assert_eq!((said.content.readable().as_str(), said.id.as_str()), (expected, "wamid.A"));
        assert_eq!(inbound.key, EventKey::from("wamid.A"));
    }
    let edit = json!({ "original_message_id": "wamid.B", "message": { "type": "image", "image": {} } });
    let Event::Edited { id, content, .. } = event(json!({ "type": "edit", "edit": edit })) else { panic!() };
    assert_eq!((id.as_str(), content.readable().as_str()), ("wamid.B", "[image, which cannot be shown here yet]"));
}

#[test]
fn what_has_no_sender_or_no_id_is_kept_aside() {
    let nobody = json!({ "id": "wamid.A", "type": "text", "text": { "body": "Hi" } });
    let metadata = json!({ "metadata": { "phone_number_id": NUMBER }, "messages": [nobody] });
    let nameless = json!({ "from": "16505551234", "type": "text", "text": { "body": "Hi" } });
    for value in [metadata, value("messages", json!([nameless]))] {
        let found = converted(&payload("messages", value));
        assert!(matches!(&found.events[0].event, Event::Unsupported { kind, .. } if kind == "text"), "{found:?}");
        assert_eq!(found.told, []);
    }
}

#[test]
fn many_people_in_one_webhook_are_told_apart_at_once() {
    let people: Vec<Value> = (0..3000).map(|n| json!({ "profile": { "name": format!("P{n}"), "username": format!("p{n}") }, "wa_id": format!("1650{n:07}"), "user_id": format!("US.{n}") })).collect();
    let said = |n: usize| json!({ "from": format!("1650{n:07}"), "id": format!("wamid.{n}"), "type": "text", "text": { "body": "Hi" } });
    let mut value = value("messages", (0..3000).map(said).collect());
    value["contacts"] = people.into();
    let payload = payload("messages", value);
    let began = std::time::Instant::now();
    let found = converted(&payload);
    let took = began.elapsed();
    assert_eq!((found.events.len(), found.events[2999].from.id.as_str()), (3000, "US.2999"));
    assert!(took < std::time::Duration::from_secs(3), "{took:?}");
}

#[test]
fn groups_are_kept_and_never_answered() {
    let found = message(json!({ "type": "text", "text": { "body": "Hi all" }, "group_id": "Y2F" }));
    assert_eq!(found.events[0].from.kind, PersonKind::Service);
    assert!(matches!(&found.events[0].event, Event::Unsupported { kind, .. } if kind == "group message"));
    for none in [json!(null), json!(""), json!(false)] {
        let found = event(json!({ "type": "text", "text": { "body": "Hi" }, "group_id": none }));
        assert_eq!(found, Event::Message(Message::text("wamid.A", "Hi")));
    }
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

/// Every part of a rich message, broken in every way: it is still told, and its neighbours are as they were.
#[test]
fn however_an_entry_is_broken_it_is_told_and_spoils_no_other() {
    let card = json!({ "name": { "formatted_name": "Anna" }, "phones": [{ "phone": "1" }], "org": { "company": "X" } });
    let item = json!({ "product_retailer_id": "rye", "quantity": 2, "item_price": 4.3, "currency": "EUR" });
    let rich = |kind: &str| {
        json!({
            "from": "16505551234", "from_user_id": "US.1349", "id": "wamid.R", "timestamp": "1749416383", "type": kind,
            "context": { "id": "wamid.B", "forwarded": true, "referred_product": { "product_retailer_id": "cake" } },
            "referral": { "headline": "Hi", "source_type": "ad" }, "errors": [{ "error_data": { "details": "Odd." } }],
            "text": { "body": "Hi" }, "image": { "id": "1", "caption": "c" }, "button": { "text": "Yes" },
            "location": { "latitude": 1.5, "longitude": 2.5 }, "contacts": [card],
            "reaction": { "message_id": "wamid.B", "emoji": "👍" }, "revoke": { "original_message_id": "wamid.B" },
            "edit": { "original_message_id": "wamid.B", "message": { "type": "text", "text": { "body": "Ho" } } },
            "interactive": { "type": "nfm_reply", "nfm_reply": { "response_json": "{\"a\":1}" } },
            "order": { "product_items": [item] },
            "system": { "type": "user_changed_number", "wa_id": "12195555358", "body": "User A changed from 16505551234 to 12195555358" },
        })
    };
    let kinds = [
        "text",
        "image",
        "button",
        "location",
        "contacts",
        "reaction",
        "revoke",
        "edit",
        "interactive",
        "order",
        "system",
        "unsupported",
    ];
    let odd = [Value::Null, json!(5), json!("what?"), json!([{ "x": [] }])];
    let neighbour = json!({ "from": "4930123456", "id": "wamid.N", "type": "text", "text": { "body": "Hello" } });
    let mut tried = 0;
    for kind in kinds {
        // What its kind does not read cannot spoil it.
        let mut whole = rich(kind);
        whole.as_object_mut().unwrap().retain(|key, _| key == kind || !kinds.contains(&key.as_str()));
        for path in paths(&whole, String::new()) {
            for value_there in &odd {
                let mut entry = whole.clone();
                *entry.pointer_mut(&path).unwrap() = value_there.clone();
                let batch = json!([neighbour, entry, neighbour]);
                let found = converted(&payload("messages", value("messages", batch))).events;
                let said = |inbound: &Inbound| inbound.event == Event::Message(Message::text("wamid.N", "Hello"));
                assert!(
                    found.len() >= 3 && said(&found[0]) && said(&found[found.len() - 1]),
                    "{kind} {path} {value_there}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 800, "{tried}");
}

/// Of all values inside of this one, and its own.
fn paths(value: &Value, here: String) -> Vec<String> {
    let inside: Vec<String> = match value {
        Value::Object(fields) => fields.iter().flat_map(|(key, value)| paths(value, format!("{here}/{key}"))).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, value)| paths(value, format!("{here}/{n}"))).collect()
        }
        _ => Vec::new(),
    };
    [here].into_iter().chain(inside).collect()
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
