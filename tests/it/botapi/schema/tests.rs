//! The stand-in against the schema, and the schema against mutations.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::tests::{call, request};
use super::super::{Answer, BotApi, Fault, methods::METHODS};
use super::Schema;

const ANNA: i64 = 42;
const TEAM: i64 = -7;
const FORUM: i64 = -1001;
const NEWS: i64 = -1002;

/// People do all that the stand-in lets them do.
fn people_do_everything(api: &BotApi) {
    api.raw_user(json!({ "id": ANNA, "is_bot": false, "first_name": "Anna", "last_name": "A", "username": "anna",
        "language_code": "de" }));
    api.group(TEAM, "group", "Team");
    api.forum(FORUM, "Desk");
    api.group(NEWS, "channel", "News");
    api.start_cmd(ANNA, Some("flyer"));
    let hello = api.says(ANNA, "Hello");
    api.says_reply(ANNA, hello, "Are you there?");
    api.edits(ANNA, hello, "Hello!");
    api.react(ANNA, ANNA, hello, &[], &["👍"]);
    let photo = api.sends_photo(ANNA, Some("This one"));
    api.edits(ANNA, photo, "That one");
    for kind in ["document", "video", "voice", "audio", "animation", "sticker", "video_note"] {
        api.sends_file(ANNA, kind, vec![1, 2, 3], None);
    }
    api.group_message(TEAM, ANNA, "Hello, bakers");
    let topic = api.opens_topic(FORUM, ANNA, "Orders");
    api.topic_message(FORUM, topic, ANNA, "In here");
    let post = api.group_message(NEWS, ANNA, "News");
    api.edits(NEWS, post, "Old news");
    let forward = json!({ "text": "Look", "forward_origin": { "type": "user", "date": 1, "sender_user": { "id": 5,
        "is_bot": false, "first_name": "Ben" } } });
    api.message(ANNA, ANNA, "text", forward);
    api.blocks(ANNA);
    api.unblocks(ANNA);
    api.kicks_bot(NEWS);
}

/// A call of each method, with what the stand-in reads of it.
fn calls(api: &BotApi) -> Vec<(&'static str, Value)> {
    let file = api.shared.state().files.keys().next().cloned().unwrap();
    let here = |mut params: Value| {
        params["chat_id"] = ANNA.into();
        params
    };
    let media = |kind: &str| here(json!({ kind: file, "disable_notification": true }));
    let album = json!([{ "type": "photo", "media": file, "caption": "1" }, { "type": "video", "media": file }]);
    vec![
        ("getUpdates", json!({ "offset": 0, "limit": 10, "timeout": 0, "allowed_updates": ["message"] })),
        ("getMe", json!({})),
        ("getWebhookInfo", json!({})),
        ("setWebhook", json!({ "url": "https://example.org/hook", "drop_pending_updates": true })),
        ("deleteWebhook", json!({ "drop_pending_updates": false })),
        (
            "sendMessage",
            here(json!({ "text": "Hi", "reply_parameters": { "message_id": 2, "chat_id": ANNA,
            "allow_sending_without_reply": true } })),
        ),
        ("sendPhoto", here(json!({ "photo": file, "caption": "Ours" }))),
        ("sendDocument", media("document")),
        ("sendVideo", media("video")),
        ("sendVoice", media("voice")),
        ("sendAudio", media("audio")),
        ("sendAnimation", media("animation")),
        ("sendSticker", media("sticker")),
        ("sendVideoNote", media("video_note")),
        ("sendLocation", here(json!({ "latitude": 52.5, "longitude": 13.4 }))),
        ("sendVenue", here(json!({ "latitude": 52.5, "longitude": 13.4, "title": "Shop", "address": "1 Bread St" }))),
        ("sendContact", here(json!({ "phone_number": "0", "first_name": "Anna", "last_name": "A" }))),
        ("sendDice", here(json!({}))),
        ("sendMediaGroup", here(json!({ "media": album }))),
        ("sendChatAction", here(json!({ "action": "typing" }))),
        ("setMessageReaction", here(json!({ "message_id": 2, "reaction": [{ "type": "emoji", "emoji": "👍" }] }))),
        ("getFile", json!({ "file_id": file })),
        ("getChat", json!({ "chat_id": FORUM })),
        ("getChatMember", json!({ "chat_id": FORUM, "user_id": ANNA })),
        ("getChatMember", json!({ "chat_id": FORUM, "user_id": api.bot_id() })),
        ("getChatMemberCount", json!({ "chat_id": FORUM })),
        ("createForumTopic", json!({ "chat_id": FORUM, "name": "Anna" })),
        ("setMyCommands", json!({ "commands": [{ "command": "help", "description": "Help" }] })),
        ("deleteMyCommands", json!({})),
        ("setMyName", json!({ "name": "Bakery" })),
        ("setMyDescription", json!({ "description": "Bread" })),
        ("setMyShortDescription", json!({ "short_description": "Bread" })),
        ("setChatMenuButton", json!({ "menu_button": { "type": "commands" } })),
        ("answerCallbackQuery", json!({ "callback_query_id": "1" })),
        ("readBusinessMessage", json!({ "business_connection_id": "B", "chat_id": ANNA, "message_id": 2 })),
        ("logOut", json!({})),
    ]
}

/// Calls that name what the ones before made.
fn later_calls(api: &BotApi) -> Vec<(&'static str, Value)> {
    let (topic, _) = api.topics(FORUM).pop().unwrap();
    let sent = |kind: &str| api.received(ANNA).into_iter().find(|sent| sent.kind == kind).unwrap().message_id;
    let there = json!({ "chat_id": FORUM, "message_thread_id": topic });
    vec![
        ("sendMessage", json!({ "chat_id": FORUM, "message_thread_id": topic, "text": "In the topic" })),
        ("editForumTopic", json!({ "chat_id": FORUM, "message_thread_id": topic, "name": "Ben" })),
        ("closeForumTopic", there.clone()),
        ("reopenForumTopic", there.clone()),
        ("deleteForumTopic", there),
        ("editMessageText", json!({ "chat_id": ANNA, "message_id": sent("text"), "text": "Hello" })),
        ("editMessageCaption", json!({ "chat_id": ANNA, "message_id": sent("photo"), "caption": "Yours" })),
        ("pinChatMessage", json!({ "chat_id": ANNA, "message_id": sent("text") })),
        ("unpinChatMessage", json!({ "chat_id": ANNA, "message_id": sent("text") })),
        ("deleteMessage", json!({ "chat_id": ANNA, "message_id": sent("text") })),
    ]
}

#[tokio::test]
async fn the_stand_in_speaks_as_the_official_schema_says() {
    let Some(schema) = Schema::load() else { return };
    let api = BotApi::start().await;
    let every_kind =
        ["message", "edited_message", "channel_post", "edited_channel_post", "message_reaction", "my_chat_member"];
    call(&api, "getUpdates", json!({ "allowed_updates": every_kind })).await;
    people_do_everything(&api);
    let updates = api.unconfirmed();
    let made = |kind: &str| updates.iter().any(|update| update.get(kind).is_some());
    assert!(every_kind.iter().all(|kind| made(kind)), "{updates:#?}");

    for calls in [calls, later_calls] {
        for (method, params) in calls(&api) {
            let (status, answer) = call(&api, method, params).await;
            assert_eq!(status, 200, "{method}: {answer}");
        }
    }
    api.migrates(TEAM, -1007);
    api.assert_official();
    let called: BTreeSet<_> = api.calls().into_iter().map(|call| call.method).collect();
    let missed: Vec<_> = METHODS.iter().filter(|method| !called.contains(**method)).collect();
    assert!(missed.is_empty(), "not tried: {missed:?}");
    assert!(METHODS.iter().all(|method| schema.has_method(method)));
}

#[tokio::test]
async fn an_upload_is_a_parameter_too() {
    let Some(_) = Schema::load() else { return };
    let api = BotApi::start().await;
    api.user(ANNA, "Anna", None);
    api.says(ANNA, "Hello");
    let form = "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n\
        --B\r\nContent-Disposition: form-data; name=\"photo\"\r\n\r\nattach://a\r\n\
        --B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"cake.jpg\"\r\n\r\nbytes\r\n--B--\r\n";
    let head = "Content-Type: multipart/form-data; boundary=B\r\n";
    request(&api, api.token(), "SendPhoto", head, form.as_bytes()).await.unwrap();
    assert_eq!(api.received(ANNA).len(), 1);
    api.assert_official();
}

#[tokio::test]
async fn refusals_have_the_official_parameters() {
    let Some(schema) = Schema::load() else { return };
    let api = BotApi::start().await;
    api.group(TEAM, "group", "Team");
    api.migrates(TEAM, -1007);
    let moved = call(&api, "sendMessage", json!({ "chat_id": TEAM, "text": "x" })).await.1;
    api.fail_next("sendMessage", 1, Fault::before(Answer::TooMany(Some(3))));
    let wait = call(&api, "sendMessage", json!({ "chat_id": TEAM, "text": "x" })).await.1;
    for answer in [moved, wait] {
        assert_eq!(schema.refusal(&answer["parameters"]), Ok(()), "{answer}");
        assert!(answer["error_code"].is_i64() && answer["description"].is_string(), "{answer}");
    }
}

/// Whatever is renamed or given another type anywhere in an update, the checker sees it.
#[tokio::test]
async fn a_mutated_update_is_refused() {
    let Some(schema) = Schema::load() else { return };
    let api = BotApi::start().await;
    people_do_everything(&api);
    let updates = api.unconfirmed();
    assert!(updates.len() > 10, "{}", updates.len());
    let mut mutations = 0;
    for update in &updates {
        schema.update(update).unwrap();
        for place in places(update, "") {
            for mutated in mutations_at(update, &place) {
                mutations += 1;
                assert!(schema.update(&mutated).is_err(), "{place} of {update} became {mutated}");
            }
        }
    }
    assert!(mutations > 500, "{mutations}");
}

#[tokio::test]
async fn what_is_missing_unknown_or_of_another_union_is_refused() {
    let Some(schema) = Schema::load() else { return };
    let user = json!({ "id": 1, "is_bot": false, "first_name": "Anna" });
    let refused = |checked: Result<(), String>, words: &str| {
        let problem = checked.unwrap_err();
        assert!(problem.contains(words), "{problem}");
    };
    let message = json!({ "message_id": 1, "date": 1, "chat": { "id": 1, "type": "private" }, "from": user });
    let update = |message: Value| schema.update(&json!({ "update_id": 1, "message": message }));
    assert_eq!(update(message.clone()), Ok(()));
    for required in ["message_id", "date", "chat"] {
        let mut without = message.clone();
        without.as_object_mut().unwrap().remove(required);
        refused(update(without), &format!("`{required}` is missing"));
    }
    refused(schema.update(&json!({ "update_id": 1 })), "0 kinds");
    refused(schema.update(&json!({ "update_id": 1, "message": message, "edited_message": message })), "2 kinds");
    refused(schema.update(&json!({ "update_id": 1, "hologram_call": {} })), "does not exist");

    refused(schema.call("makeCoffee", &json!({})), "no such method");
    refused(schema.call("sendMessage", &json!({ "chat_id": 1 })), "`text` is missing");
    refused(schema.call("sendMessage", &json!({ "chat_id": 1, "text": 5 })), "is no String");
    refused(schema.call("sendMessage", &json!({ "chat_id": 1.5, "text": "x" })), "is no Integer");
    refused(schema.call("sendMessage", &json!({ "chat_id": 1, "text": "x", "thread": 1 })), "does not exist");
    let reaction = |kind: &str| json!({ "chat_id": 1, "message_id": 1, "reaction": [{ "type": kind, "emoji": "👍" }] });
    assert_eq!(schema.call("setMessageReaction", &reaction("emoji")), Ok(()));
    refused(schema.call("setMessageReaction", &reaction("paid")), "is not \"emoji\"");
    refused(schema.answer("getMe", &json!([user])), "is no object");
    refused(schema.answer("getChatMember", &json!({ "status": "guest", "user": user })), "is not \"member\"");
    refused(schema.answer("sendChatAction", &json!("yes")), "is no Boolean");
}

/// The JSON pointers of all that is in it.
fn places(value: &Value, at: &str) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, inner)| (format!("{at}/{name}"), inner)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, inner)| (format!("{at}/{n}"), inner)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    inner.into_iter().flat_map(|(at, inner)| [vec![at.clone()], places(inner, &at)].concat()).collect()
}

fn mutations_at(update: &Value, place: &str) -> Vec<Value> {
    let replaced = |with: Value| {
        let mut mutated = update.clone();
        *mutated.pointer_mut(place).unwrap() = with;
        mutated
    };
    let mut mutations = vec![replaced(json!({ "no_such_field": 1 })), replaced(Value::Null)];
    let (parent, name) = place.rsplit_once('/').unwrap();
    let mut renamed = update.clone();
    if let Some(fields) = renamed.pointer_mut(parent).unwrap().as_object_mut() {
        let value = fields.remove(name).unwrap();
        fields.insert(format!("{name}_"), value);
        mutations.push(renamed);
    }
    mutations
}
