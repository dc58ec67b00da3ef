#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use frontdesk_core::{Content, MediaKind, Part};
use serde_json::json;

use super::*;

/// The update with `more` in its message, as Anna would send it.
fn message(more: Value) -> Value {
    let mut message = json!({
        "message_id": 7,
        "date": 1_780_000_000,
        "chat": { "id": 42, "type": "private", "first_name": "Anna" },
        "from": { "id": 42, "is_bot": false, "first_name": "Anna", "last_name": "Field", "username": "anna_f", "language_code": "de" },
    });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    message
}

fn inbound(kind: &str, body: Value) -> Inbound {
    match convert(9, json!({ "update_id": 9, kind: body })) {
        Converted::Inbound(inbound) => *inbound,
        elsewhere => panic!("{elsewhere:?}"),
    }
}

fn event(more: Value) -> Event {
    inbound("message", message(more)).event
}

fn said(more: Value) -> Said {
    match event(more) {
        Event::Message(said) => said,
        other => panic!("{other:?}"),
    }
}

fn readable(more: Value) -> String {
    said(more).content.readable()
}

fn unsupported_kind(event: Event) -> String {
    match event {
        Event::Unsupported { kind, .. } => kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_names_its_sender_address_and_time() {
    let found = inbound("message", message(json!({ "text": "Hello" })));
    assert_eq!(found.key, EventKey::from("9"));
    assert_eq!(found.at, Address::chat("42"));
    assert_eq!(found.sent_at, time(1_780_000_000));
    assert_eq!(found.event, Event::Message(Said::text("7", "Hello")));
    let anna = Person {
        first_name: Some("Anna".into()),
        username: Some("anna_f".into()),
        language: Some("de".into()),
        ..Person::human("42", "Anna Field")
    };
    assert_eq!(found.from, anna);
}

/// teloxide 0.17 knows neither and loses the text with them.
#[test]
fn formatting_that_is_newer_than_the_program_leaves_the_words() {
    let entities = json!([{ "type": "date_time", "offset": 0, "length": 8, "unix_time": 1, "date_time_format": "r" }]);
    let replied = json!({ "message_id": 5, "date": 1, "chat": { "id": 42, "type": "private" }, "hologram": {} });
    let found = said(json!({ "text": "Saturday at nine", "entities": entities, "reply_to_message": replied }));
    assert_eq!(found.content, Content::text("Saturday at nine"));
    assert_eq!(found.reply_to, Some("5".into()));
}

#[test]
fn a_forwarded_text_says_so() {
    let origin = json!({ "type": "hidden_user", "sender_user_name": "Anna", "date": 1 });
    assert!(said(json!({ "text": "Hi", "forward_origin": origin })).forwarded);
}

#[test]
fn media_of_all_kinds_become_references() {
    let file = |more: Value| {
        let mut file = json!({ "file_id": "F1", "file_unique_id": "u", "file_size": 1000, "duration": 3 });
        file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        file
    };
    let sizes = json!([{ "file_id": "small", "file_size": 10 }, { "file_id": "F1", "file_size": 1000 }]);
    let cases = [
        (json!({ "photo": sizes }), MediaKind::Image, "[picture]"),
        (json!({ "photo": sizes, "live_photo": file(json!({})) }), MediaKind::Image, "[picture]"),
        (json!({ "video": file(json!({ "file_name": "a.mp4" })) }), MediaKind::Video, "[video: a.mp4]"),
        (json!({ "video_note": file(json!({})) }), MediaKind::Video, "[video]"),
        (json!({ "animation": file(json!({})), "document": file(json!({})) }), MediaKind::Animation, "[animation]"),
        (json!({ "audio": file(json!({ "file_name": "b.mp3" })) }), MediaKind::Audio, "[audio file: b.mp3]"),
        (json!({ "voice": file(json!({})) }), MediaKind::Voice, "[voice message]"),
        (json!({ "document": file(json!({ "file_name": "c.pdf" })) }), MediaKind::File, "[file: c.pdf]"),
        (json!({ "sticker": file(json!({ "emoji": "👋" })) }), MediaKind::Sticker, "[sticker: 👋]"),
    ];
    for (more, kind, line) in cases {
        let content = said(more).content;
        assert_eq!(content.readable(), line);
        let [Part::Media { media, caption: None }] = content.parts.as_slice() else { panic!("{content:?}") };
        assert_eq!((media.kind, media.reference.as_str(), media.size), (kind, "F1", Some(1000)));
    }
}

#[test]
fn a_caption_stays_with_its_picture() {
    let photo = json!([{ "file_id": "F1" }]);
    assert_eq!(readable(json!({ "photo": photo, "caption": "For Saturday?" })), "[picture] For Saturday?");
}

#[test]
fn what_is_no_file_becomes_a_line_too() {
    let place = json!({ "latitude": 52.52, "longitude": 13.4 });
    let cases = [
        (json!({ "location": place }), "[location: 52.52, 13.4]"),
        (
            json!({ "location": place, "venue": { "location": place, "title": "Bakery", "address": "Main St 1" } }),
            "[location: Bakery, Main St 1, 52.52, 13.4]",
        ),
        (json!({ "contact": { "phone_number": "+49", "first_name": "Anna" } }), "[contact: Anna, +49]"),
        (json!({ "poll": {} }), "[poll, which cannot be shown here yet]"),
        (json!({ "dice": { "emoji": "🎲", "value": 3 } }), "[dice, which cannot be shown here yet]"),
        (json!({ "story": {} }), "[story, which cannot be shown here yet]"),
        (json!({ "hologram": {}, "effect_id": "1" }), "[hologram, which cannot be shown here yet]"),
    ];
    for (more, line) in cases {
        assert_eq!(readable(more), line);
    }
}

#[test]
fn what_the_app_itself_tells_is_quiet() {
    for kind in ["pinned_message", "message_auto_delete_timer_changed", "chat_background_set"] {
        assert_eq!(unsupported_kind(event(json!({ kind: {} }))), kind);
    }
}

#[test]
fn start_is_no_question() {
    let cases = [
        ("/start", None),
        ("/start  ", None),
        ("/start flyer", Some("flyer")),
        ("/start@shop_bot flyer", Some("flyer")),
    ];
    for (text, payload) in cases {
        assert_eq!(event(json!({ "text": text })), Event::Started { payload: payload.map(str::to_owned) }, "{text}");
    }
    for text in ["/starter", "start", "/help", "/start Do you have rye bread?"] {
        assert_eq!(readable(json!({ "text": text })), text);
    }
}

#[test]
fn an_edit_is_the_new_content() {
    let found = inbound("edited_message", message(json!({ "text": "Hello!", "edit_date": 1_780_000_060 })));
    assert_eq!(found.sent_at, time(1_780_000_060));
    assert_eq!(found.event, Event::Edited { id: "7".into(), content: Content::text("Hello!"), notice: false });
}

#[test]
fn a_live_location_does_not_edit_for_hours() {
    let place = json!({ "latitude": 1.0, "longitude": 2.0, "live_period": 900 });
    let found = inbound("edited_message", message(json!({ "location": place })));
    assert_eq!(unsupported_kind(found.event), "live location");
}

#[test]
fn a_reaction_names_what_stands_there_now() {
    let emoji = |emoji: &str| json!({ "type": "emoji", "emoji": emoji });
    let cases = [
        (json!([]), json!([emoji("👍")]), Some("👍")),
        (json!([emoji("👍")]), json!([emoji("👍"), emoji("🔥")]), Some("🔥")),
        (json!([emoji("👍"), emoji("🔥")]), json!([emoji("👍")]), Some("👍")),
        (json!([emoji("👍")]), json!([]), None),
    ];
    for (old, new, expected) in cases {
        let body =
            message(json!({ "user": { "id": 42, "first_name": "Anna" }, "old_reaction": old, "new_reaction": new }));
        let found = inbound("message_reaction", body).event;
        assert_eq!(found, Event::Reaction { id: "7".into(), emoji: expected.map(str::to_owned) });
    }
}

#[test]
fn blocking_and_unblocking_are_told() {
    for (status, expected) in [("kicked", Event::Blocked), ("member", Event::Unblocked)] {
        let body = message(json!({ "new_chat_member": { "status": status, "user": {} } }));
        assert_eq!(inbound("my_chat_member", body).event, expected);
    }
}

#[test]
fn groups_and_channels_are_elsewhere() {
    for kind in ["group", "supergroup", "channel"] {
        let body = message(json!({ "text": "Hi", "chat": { "id": -100, "type": kind, "title": "T" } }));
        let raw = json!({ "update_id": 9, "message": body });
        assert_eq!(convert(9, raw), Converted::Elsewhere { chat: -100, kind: kind.into() });
    }
}

#[test]
fn bots_and_telegram_itself_are_no_humans() {
    let from = |id: i64, is_bot: bool| {
        let body = message(json!({ "text": "Hi", "from": { "id": id, "is_bot": is_bot, "first_name": "X" } }));
        inbound("message", body).from.kind
    };
    assert_eq!(from(5, true), PersonKind::Bot);
    assert_eq!(from(777_000, false), PersonKind::Service);
    assert_eq!(from(5, false), PersonKind::Human);
}

#[test]
fn a_person_without_a_name_has_one_all_the_same() {
    let name = |user: Value| inbound("message", message(json!({ "text": "Hi", "from": user }))).from.name;
    assert_eq!(name(json!({ "id": 5, "first_name": "", "username": "nobody" })), "nobody");
    assert_eq!(name(json!({ "id": 5, "first_name": " " })), "5");
}

#[test]
fn a_business_chat_is_not_taken_for_the_persons_own_chat_with_the_bot() {
    for kind in ["message", "business_message", "edited_message"] {
        let found = inbound(kind, message(json!({ "text": "Hi", "business_connection_id": "B1" })));
        assert_eq!(unsupported_kind(found.event), kind);
        let scope = Some("B1".to_owned());
        assert_eq!(found.at, Address::Chat { chat: "42".into(), scope, thread: None });
    }
}

#[test]
fn a_topic_of_a_private_chat_is_in_the_address() {
    let thread = |more: Value| match inbound("message", message(more)).at {
        Address::Chat { thread, .. } => thread,
        desk => panic!("{desk:?}"),
    };
    assert_eq!(thread(json!({ "text": "Hi", "message_thread_id": 3, "is_topic_message": true })), Some("3".into()));
    assert_eq!(thread(json!({ "text": "Hi", "message_thread_id": 3 })), None);
}

#[test]
fn what_cannot_be_read_is_kept_raw_under_its_sender() {
    let odd = [
        ("hologram_call", json!({ "from": { "id": 42, "first_name": "Anna" }, "ring": true })),
        ("message", message(json!({ "message_id": "seven", "text": "Hi" }))),
        ("message", message(json!({ "text": { "not": "a text" } }))),
        ("message", json!(null)),
        ("purchased_paid_media", json!("what?")),
    ];
    for (name, body) in odd {
        let raw = json!({ "update_id": 9, name: body });
        let Converted::Inbound(found) = convert(9, raw.clone()) else { panic!("{raw}") };
        assert_eq!(found.key, EventKey::from("9"));
        assert_eq!(found.event, Event::Unsupported { kind: name.into(), raw: raw.clone().into() });
        let known = raw[name].get("from").is_some();
        assert_eq!(found.from.id.as_str(), if known { "42" } else { "777000" }, "{raw}");
    }
}

#[test]
fn only_an_update_has_an_id() {
    assert_eq!(update_id(&json!({ "update_id": 5_000_000_000_i64 })), Some(5_000_000_000));
    for odd in [json!({}), json!(5), json!({ "update_id": "5" })] {
        assert_eq!(update_id(&odd), None);
    }
}
