#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use frontdesk_core::{ChatId, MediaKind, OutboxKey};

use super::*;

const KEY: OutboxKey = OutboxKey { instance: 7, number: 12 };

fn outbound(to: &str, op: Op) -> Outbound {
    Outbound { key: KEY, to: Address::chat(to), op, written_at: jiff::Timestamp::UNIX_EPOCH }
}

fn sent_as(to: &str, op: Op) -> Value {
    body(&outbound(to, op), &Prepared::default()).unwrap()
}

fn parts(parts: Vec<Part>) -> Op {
    Op::Post(Post { content: Content { parts }, ..Post::words("") })
}

fn refusal(op: Op) -> (RefusedScope, String) {
    match body(&outbound("16505551234", op), &Prepared::default()) {
        Err(SendError::Refused { scope, reason }) => (scope, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_carries_its_key_and_what_it_answers() {
    let mut post = Post::words("At nine. https://bluedoor.example");
    post.reply_to = Some("wamid.A".into());
    assert_eq!(
        sent_as("16505551234", Op::Post(post)),
        json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "16505551234",
            "type": "text",
            "text": { "preview_url": false, "body": "At nine. https://bluedoor.example" },
            "context": { "message_id": "wamid.A" },
            "biz_opaque_callback_data": "0000000000000007-c",
        })
    );
}

#[test]
fn a_user_id_is_no_number() {
    let body = sent_as("US.13491208655302741918", Op::Post(Post::words("Hi")));
    assert_eq!((body["recipient"].as_str(), body.get("to")), (Some("US.13491208655302741918"), None));
    assert_eq!(sent_as("US.ENT.1181", Op::Post(Post::words("Hi")))["recipient"], "US.ENT.1181");
}

#[test]
fn nothing_is_sent_to_what_is_neither() {
    let scoped = Address::Chat { chat: ChatId::from("16505551234"), scope: Some("B1".into()), thread: None };
    let desk = Address::Desk { desk: "main".into(), thread: None };
    for to in [Address::chat("anna"), Address::chat(""), Address::chat("whatsapp"), Address::chat("US."), scoped, desk]
    {
        let message = Outbound { to, ..outbound("1", Op::Post(Post::words("Hi"))) };
        let refused = body(&message, &Prepared::default());
        assert!(matches!(refused, Err(SendError::Refused { scope: RefusedScope::Recipient, .. })), "{refused:?}");
    }
}

#[test]
fn a_reaction_is_given_and_taken_back() {
    let react = |emoji: Option<&str>| {
        sent_as("16505551234", Op::React { id: "wamid.A".into(), emoji: emoji.map(str::to_owned) })
    };
    assert_eq!(react(Some("👍"))["reaction"], json!({ "message_id": "wamid.A", "emoji": "👍" }));
    assert_eq!(react(None)["reaction"]["emoji"], "");
}

#[test]
fn a_template_has_its_parameters_by_number_or_by_name() {
    let argument = |name: Option<&str>, text: &str| Argument { name: name.map(str::to_owned), text: text.into() };
    let template =
        |arguments| sent_as("16505551234", Op::Template { name: "ready".into(), language: "en_US".into(), arguments });
    let body = template(vec![argument(None, "your\n cake"), argument(Some("day"), "Friday")]);
    let parameters =
        json!([{ "type": "text", "text": "your cake" }, { "type": "text", "text": "Friday", "parameter_name": "day" }]);
    assert_eq!(
        body["template"],
        json!({ "name": "ready", "language": { "code": "en_US" }, "components": [{ "type": "body", "parameters": parameters }] })
    );
    assert_eq!(template(vec![])["template"].get("components"), None);
}

#[test]
fn a_place_and_a_card_go_as_what_they_are() {
    let place = Part::Location { latitude: "52.5".into(), longitude: "13.4".into(), name: Some("Bakery".into()) };
    let body = sent_as("16505551234", parts(vec![place.clone()]));
    assert_eq!(body["location"], json!({ "latitude": 52.5, "longitude": 13.4, "name": "Bakery" }));
    let card = Part::Contact { name: "Anna".into(), phones: vec!["+49 30 1".into()] };
    let body = sent_as("16505551234", parts(vec![card.clone()]));
    let name = json!({ "formatted_name": "Anna", "first_name": "Anna" });
    assert_eq!(body["contacts"], json!([{ "name": name, "phones": [{ "phone": "+49 30 1" }] }]));
    // Two things are one message of words.
    let body = sent_as("16505551234", parts(vec![place, card]));
    assert_eq!(body["text"]["body"], "[location: Bakery, 52.5, 13.4]\n[contact: Anna, +49 30 1]");
}

#[test]
fn a_file_takes_the_words_beside_it_along() {
    let media = MediaRef {
        kind: MediaKind::Image,
        reference: "m".into(),
        name: None,
        mime: None,
        size: None,
        duration_secs: None,
    };
    let mark = Part::Text { text: "(possibly repeated)".into() };
    let content =
        Content { parts: vec![mark, Part::Media { media: media.clone(), caption: Some("For Saturday".into()) }] };
    let Form::Media { words, .. } = Form::of(&content) else { panic!() };
    assert_eq!(words.as_deref(), Some("(possibly repeated)\nFor Saturday"));

    let op = parts(vec![Part::Media { media, caption: Some("Here".into()) }]);
    let prepared = Prepared(json!({ "id": "99", "type": "image" }));
    let body = body(&outbound("16505551234", op.clone()), &prepared).unwrap();
    assert_eq!((&body["type"], &body["image"]), (&json!("image"), &json!({ "id": "99", "caption": "Here" })));
    // Never without its file.
    let unprepared = super::body(&outbound("16505551234", op), &Prepared::default());
    assert!(matches!(unprepared, Err(SendError::Transient(_))));
}

#[test]
fn what_whatsapp_cannot_do_is_refused_in_words() {
    let post = Post::words("Hi");
    let cases = [
        (Op::Post(Post::words(" \n")), "empty"),
        (Op::Post(Post::words("x".repeat(4097))), "longer than the 4096"),
        (Op::Edit { id: "wamid.A".into(), post: post.clone() }, "edit"),
        (Op::Delete { id: "wamid.A".into() }, "delete"),
        (Op::OpenThread(post), "no threads"),
    ];
    for (op, words) in cases {
        let (scope, reason) = refusal(op);
        assert_eq!(scope, RefusedScope::Content);
        assert!(reason.contains(words), "{reason}");
    }
}
