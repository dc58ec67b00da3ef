#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use frontdesk_core::Address;
use serde_json::json;

use super::*;
use crate::payloads::{converted, payload, value};

#[test]
fn what_the_owner_writes_on_the_phone_is_an_echo() {
    let text = json!({ "from": "15550783881", "to": "16505551234", "id": "wamid.E", "timestamp": "1739321024", "type": "text", "text": { "body": "We do!" }, "group_id": null });
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
