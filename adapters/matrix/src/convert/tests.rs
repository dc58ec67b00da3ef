#![allow(clippy::unwrap_used)]
use frontdesk_core::{Content, MediaKind, Part};
use serde_json::json;

use super::*;

fn convert(raw: &Value, state: Decryption, operator: bool, reactions: &mut Reactions) -> Option<Inbound> {
    let desk = DeskName::from("main");
    inbound(Source { raw, desk: &desk, name: "Ann".into(), operator, state }, reactions)
}

fn event(kind: &str, content: Value) -> Value {
    json!({
        "type": kind, "event_id": "$e", "sender": "@ann:example.org",
        "origin_server_ts": 1_767_225_600_000_i64, "content": content,
    })
}

fn read(kind: &str, content: Value) -> Event {
    convert(&event(kind, content), Decryption::Readable, true, &mut Reactions::default()).unwrap().event
}

fn text(event: &Event) -> String {
    match event {
        Event::Message(message) => message.content.words(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_in_a_thread_names_the_thread_and_answers_nothing() {
    let raw = event(
        "m.room.message",
        json!({"msgtype": "m.text", "body": "Yes, until noon.", "m.relates_to": {
            "rel_type": "m.thread", "event_id": "$card", "is_falling_back": true, "m.in_reply_to": {"event_id": "$x"}}}),
    );
    let inbound = convert(&raw, Decryption::Readable, true, &mut Reactions::default()).unwrap();
    assert_eq!(inbound.key.as_str(), "$e");
    assert_eq!(inbound.side, Side::Desk { desk: "main".into(), thread: Some("$card".into()) });
    assert_eq!(inbound.sent_at.unwrap().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(inbound.event, Event::Message(Message::text("$e", "Yes, until noon.")));
}

#[test]
fn a_reply_in_a_thread_names_both() {
    let raw = event(
        "m.room.message",
        json!({"msgtype": "m.text", "body": "That one", "m.relates_to": {
            "rel_type": "m.thread", "event_id": "$card", "is_falling_back": false, "m.in_reply_to": {"event_id": "$x"}}}),
    );
    let inbound = convert(&raw, Decryption::Readable, true, &mut Reactions::default()).unwrap();
    assert_eq!(inbound.side, Side::Desk { desk: "main".into(), thread: Some("$card".into()) });
    assert!(matches!(inbound.event, Event::Message(Message { reply_to: Some(id), .. }) if id.as_str() == "$x"));
}

#[test]
fn a_reply_outside_a_thread_loses_what_old_clients_repeat() {
    let body = "> <@anna:example.org> Do you\n> have rolls?\n\nYes\n> not cut";
    let content = json!({"msgtype": "m.text", "body": body, "m.relates_to": {"m.in_reply_to": {"event_id": "$x"}}});
    assert_eq!(text(&read("m.room.message", content)), "Yes\n> not cut");
    let alone = json!({"msgtype": "m.text", "body": body});
    assert_eq!(text(&read("m.room.message", alone)), body);
}

#[test]
fn a_notice_is_marked() {
    let event = read("m.room.message", json!({"msgtype": "m.notice", "body": "beep"}));
    assert!(matches!(event, Event::Message(Message { notice: true, .. })));
}

#[test]
fn an_emote_begins_with_a_slash_also_when_an_edit_makes_it_one() {
    let emote = json!({"msgtype": "m.emote", "body": "is fed up"});
    assert_eq!(text(&read("m.room.message", emote.clone())), "/me is fed up");
    let edit = json!({"msgtype": "m.emote", "body": "* is fed up", "m.new_content": emote,
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$old"}});
    let edited = Event::Edited { id: "$old".into(), content: Content::text("/me is fed up"), notice: false };
    assert_eq!(read("m.room.message", edit), edited);
}

#[test]
fn a_picture_with_a_name_has_a_caption() {
    let content = json!({"msgtype": "m.image", "body": "For Saturday?", "filename": "cake.jpg",
        "url": "mxc://example.org/abc", "info": {"mimetype": "image/jpeg", "size": 12}});
    let Event::Message(message) = read("m.room.message", content) else { panic!() };
    let [Part::Media { media, caption }] = message.content.parts.as_slice() else { panic!() };
    assert_eq!(caption.as_deref(), Some("For Saturday?"));
    assert_eq!((media.kind, media.name.as_deref(), media.size), (MediaKind::Image, Some("cake.jpg"), Some(12)));
    assert_eq!(media.reference, r#"{"url":"mxc://example.org/abc"}"#);
}

#[test]
fn an_encrypted_voice_message_keeps_what_it_takes_to_decrypt_it() {
    let file = json!({"url": "mxc://example.org/abc", "iv": "AA", "v": "v2"});
    let content = json!({"msgtype": "m.audio", "body": "voice.ogg", "file": file, "org.matrix.msc3245.voice": {},
        "info": {"duration": 1_500}});
    let Event::Message(message) = read("m.room.message", content) else { panic!() };
    let [Part::Media { media, caption: None }] = message.content.parts.as_slice() else { panic!() };
    assert_eq!((media.kind, media.duration_secs), (MediaKind::Voice, Some(2)));
    assert_eq!(serde_json::from_str::<Value>(&media.reference).unwrap(), json!({"file": file}));
}

#[test]
fn a_place_is_read_from_its_address() {
    let event =
        read("m.room.message", json!({"msgtype": "m.location", "body": "Shop", "geo_uri": "geo:52.5,13.4;u=3"}));
    let place = Part::Location { latitude: "52.5".into(), longitude: "13.4".into(), name: Some("Shop".into()) };
    assert!(matches!(event, Event::Message(message) if message.content == Content { parts: vec![place] }));
}

#[test]
fn an_edit_carries_the_new_content() {
    let content = json!({"msgtype": "m.text", "body": "* At ten", "m.new_content": {"msgtype": "m.text", "body": "At ten"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$old"}});
    let edited = Event::Edited { id: "$old".into(), content: Content::text("At ten"), notice: false };
    assert_eq!(read("m.room.message", content), edited);
}

#[test]
fn a_reaction_is_taken_back_by_its_redaction() {
    let mut reactions = Reactions::default();
    let content = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$card", "key": "👀"}});
    let first = convert(&event("m.reaction", content), Decryption::Readable, true, &mut reactions).unwrap();
    assert_eq!(first.event, Event::Reaction { id: "$card".into(), emoji: Some("👀".into()) });
    let redaction = event("m.room.redaction", json!({"redacts": "$e"}));
    let second = convert(&redaction, Decryption::Readable, true, &mut reactions).unwrap();
    assert_eq!(second.event, Event::Reaction { id: "$card".into(), emoji: None });
}

#[test]
fn a_redaction_is_read_in_both_forms() {
    let deleted = Event::Deleted { ids: vec!["$x".into()] };
    assert_eq!(read("m.room.redaction", json!({"redacts": "$x"})), deleted);
    let mut old = event("m.room.redaction", json!({}));
    old["redacts"] = json!("$x");
    let inbound = convert(&old, Decryption::Readable, true, &mut Reactions::default()).unwrap();
    assert_eq!(inbound.event, deleted);
}

#[test]
fn what_cannot_be_read_is_kept_raw_and_comes_again_under_another_key() {
    let raw = event("m.room.encrypted", json!({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AA"}));
    let first = convert(&raw, Decryption::Failed, true, &mut Reactions::default()).unwrap();
    assert_eq!((first.key.as_str(), first.event), ("$e", Event::Undecryptable { id: "$e".into(), raw: raw.into() }));
    let clear = event("m.room.message", json!({"msgtype": "m.text", "body": "Hi"}));
    let late = convert(&clear, Decryption::Late, true, &mut Reactions::default()).unwrap();
    assert_eq!((late.key.as_str(), late.event), ("$e#1", Event::Message(Message::text("$e", "Hi"))));
}

#[test]
fn who_is_not_an_operator_never_answers() {
    let raw = event("m.room.message", json!({"msgtype": "m.text", "body": "Free cake for all"}));
    let inbound = convert(&raw, Decryption::Readable, false, &mut Reactions::default()).unwrap();
    assert!(matches!(inbound.event, Event::Unsupported { .. }), "{:?}", inbound.event);
}

#[test]
fn joining_is_told_and_a_new_name_is_not() {
    let mut raw = event("m.room.member", json!({"membership": "join"}));
    raw["state_key"] = json!("@ann:example.org");
    let joined = convert(&raw, Decryption::Readable, true, &mut Reactions::default()).unwrap();
    assert_eq!(joined.event, Event::Member { user: "@ann:example.org".into(), change: MemberChange::Joined });
    raw["unsigned"] = json!({"prev_content": {"membership": "join"}});
    assert_eq!(convert(&raw, Decryption::Readable, true, &mut Reactions::default()), None);
}

#[test]
fn what_is_unknown_is_kept_and_what_clients_say_to_each_other_is_not() {
    let poll = read("m.poll.start", json!({"m.poll": {}}));
    assert!(matches!(poll, Event::Unsupported { kind, .. } if kind == "m.poll.start"));
    let mut reactions = Reactions::default();
    for kind in ["m.key.verification.start", "m.call.invite"] {
        assert_eq!(convert(&event(kind, json!({"a": 1})), Decryption::Readable, true, &mut reactions), None);
    }
    assert_eq!(convert(&event("m.room.message", json!({})), Decryption::Readable, true, &mut reactions), None);
}
