//! The stand-in itself, over plain TCP: what the product sees of it.

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, BotApi, Fault};

const SOON: Duration = Duration::from_secs(10);
const ANNA: i64 = 7001;

async fn api() -> BotApi {
    let api = BotApi::start().await;
    api.user(ANNA, "Anna", Some("en"));
    api
}

pub(super) async fn call(api: &BotApi, method: &str, params: Value) -> (u16, Value) {
    let (status, text) = post(api, method, params).await.expect("an answer");
    (status, serde_json::from_str(&text).expect("JSON"))
}

async fn post(api: &BotApi, method: &str, params: Value) -> io::Result<(u16, String)> {
    let head = "Content-Type: application/json\r\n";
    let answer = request(api, api.token(), method, head, params.to_string().as_bytes()).await?;
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    if length != Some(body.len()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((head[9..12].parse().expect("a status"), body.to_owned()))
}

pub(super) async fn request(api: &BotApi, token: &str, method: &str, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut tcp = TcpStream::connect(api.url().trim_start_matches("http://")).await?;
    let length = body.len();
    let head = format!(
        "POST /bot{token}/{method} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}Content-Length: {length}\r\n\r\n"
    );
    tcp.write_all(head.as_bytes()).await?;
    tcp.write_all(body).await?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await?;
    Ok(answer)
}

async fn poll(api: &BotApi, params: Value) -> Vec<i64> {
    let (status, answer) = call(api, "GetUpdates", params).await;
    assert_eq!(status, 200, "{answer}");
    answer["result"].as_array().unwrap().iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
}

async fn refused(api: &BotApi, method: &str, params: Value) -> String {
    let (status, answer) = call(api, method, params).await;
    assert_eq!(answer["error_code"], status);
    assert_eq!(answer["ok"], false);
    answer["description"].as_str().unwrap().to_owned()
}

fn hello() -> Value {
    json!({ "chat_id": ANNA, "text": "Hello" })
}

#[tokio::test]
async fn a_wrong_token_and_an_unknown_method_are_refused() {
    let api = api().await;
    let answer = request(&api, "1:wrong", "GetMe", "", b"").await.unwrap();
    assert!(String::from_utf8_lossy(&answer).contains(r#""error_code":401"#));
    assert_eq!(refused(&api, "MakeCoffee", json!({})).await, "Not Found");
    assert_eq!(call(&api, "GetMe", json!({})).await.1["result"]["id"], api.bot_id());
}

#[tokio::test]
async fn an_offset_confirms_what_is_below_it_for_ever() {
    let api = api().await;
    for text in ["one", "two", "three"] {
        api.says(ANNA, text);
    }
    let ids = poll(&api, json!({})).await;
    assert_eq!(ids.len(), 3);
    assert_eq!(poll(&api, json!({ "offset": 0 })).await, ids, "nothing was confirmed yet");
    assert_eq!(poll(&api, json!({ "offset": ids[1], "limit": 1 })).await, ids[1..2]);
    assert_eq!(poll(&api, json!({ "offset": ids[0] })).await, ids[1..], "the first is gone");
    assert_eq!(poll(&api, json!({ "offset": -1 })).await, ids[2..], "only the newest is left");
    assert_eq!(api.unconfirmed().len(), 1);
    assert!(poll(&api, json!({ "offset": ids[2] + 1 })).await.is_empty());
}

#[tokio::test]
async fn a_long_poll_answers_as_soon_as_somebody_writes() {
    let api = api().await;
    let started = Instant::now();
    let (ids, ()) = tokio::join!(poll(&api, json!({ "timeout": 40 })), async {
        api.wait_polling(SOON).await;
        api.says(ANNA, "Hello");
    });
    assert_eq!(ids.len(), 1);
    assert!(started.elapsed() < SOON, "it did not wait for the end of the poll");
}

#[tokio::test]
async fn a_second_poller_ends_the_first_with_409() {
    let api = api().await;
    let (first, second) = tokio::join!(refused(&api, "GetUpdates", json!({ "timeout": 40 })), async {
        api.wait_polling(SOON).await;
        poll(&api, json!({ "timeout": 0 })).await
    });
    assert!(first.starts_with("Conflict: terminated by other getUpdates request"), "{first}");
    assert!(second.is_empty());
    call(&api, "SetWebhook", json!({ "url": "https://example.org" })).await;
    assert!(refused(&api, "GetUpdates", json!({})).await.starts_with("Conflict: can't use getUpdates"));
    call(&api, "DeleteWebhook", json!({})).await;
    assert!(poll(&api, json!({})).await.is_empty());
}

#[tokio::test]
async fn reactions_come_only_to_a_bot_that_asks_for_them() {
    let api = api().await;
    let message = api.says(ANNA, "Hello");
    api.react(ANNA, ANNA, message, &[], &["👍"]);
    assert_eq!(api.unconfirmed().len(), 1);
    poll(&api, json!({ "offset": -1, "allowed_updates": ["message", "message_reaction"] })).await;
    api.react(ANNA, ANNA, message, &["👍"], &[]);
    api.blocks(ANNA);
    assert_eq!(api.unconfirmed().len(), 2, "asked for reactions, and not for my_chat_member");
    assert_eq!(api.unconfirmed()[1]["message_reaction"]["old_reaction"][0]["emoji"], "👍");
}

#[tokio::test]
async fn a_bot_writes_only_where_it_may() {
    let api = api().await;
    assert_eq!(refused(&api, "SendMessage", json!({ "chat_id": 1, "text": "x" })).await, "Bad Request: chat not found");
    assert_eq!(refused(&api, "SendMessage", hello()).await, "Forbidden: bot can't initiate conversation with a user");
    api.start_cmd(ANNA, None);
    assert_eq!(call(&api, "SendMessage", hello()).await.0, 200);
    api.blocks(ANNA);
    assert_eq!(refused(&api, "SendMessage", hello()).await, "Forbidden: bot was blocked by the user");
    api.unblocks(ANNA);
    assert_eq!(call(&api, "SendMessage", hello()).await.0, 200);
    assert_eq!(api.received(ANNA).len(), 2);
    assert_eq!(api.refused_and_lost().len(), 1, "the words of the other refused sends arrived");
}

#[tokio::test]
async fn a_migrated_group_names_its_new_id() {
    let api = api().await;
    api.group(-5, "group", "Team");
    api.migrates(-5, -1005);
    let (status, answer) = call(&api, "SendMessage", json!({ "chat_id": -5, "text": "x" })).await;
    assert_eq!((status, &answer["parameters"]["migrate_to_chat_id"]), (400, &json!(-1005)));
    assert_eq!(call(&api, "SendMessage", json!({ "chat_id": -1005, "text": "x" })).await.0, 200);
}

#[tokio::test]
async fn texts_are_measured_in_utf16() {
    let api = api().await;
    api.says(ANNA, "Hello");
    let send = |text: String| json!({ "chat_id": ANNA, "text": text });
    assert_eq!(refused(&api, "SendMessage", send(" \n".into())).await, "Bad Request: message text is empty");
    assert_eq!(refused(&api, "SendMessage", send("😀".repeat(2049))).await, "Bad Request: message is too long");
    assert_eq!(call(&api, "SendMessage", send("😀".repeat(2048))).await.0, 200);
}

#[tokio::test]
async fn a_reply_needs_its_message_unless_the_bot_says_otherwise() {
    let api = api().await;
    let asked = api.says(ANNA, "Hello");
    let reply = |to: i64, anyway: bool| json!({ "chat_id": ANNA, "text": "Hi", "reply_parameters": { "message_id": to, "allow_sending_without_reply": anyway } });
    assert_eq!(refused(&api, "SendMessage", reply(99, false)).await, "Bad Request: message to be replied not found");
    call(&api, "SendMessage", reply(99, true)).await;
    call(&api, "SendMessage", reply(asked, false)).await;
    let replies: Vec<_> = api.received(ANNA).iter().map(|sent| sent.reply_to).collect();
    assert_eq!(replies, [None, Some(asked)]);
}

#[tokio::test]
async fn the_bot_edits_deletes_and_reacts() {
    let api = api().await;
    let asked = api.says(ANNA, "Hello");
    let sent = call(&api, "SendMessage", hello()).await.1["result"]["message_id"].clone();
    let edit = |text: &str| json!({ "chat_id": ANNA, "message_id": sent, "text": text });
    assert!(refused(&api, "EditMessageText", edit("Hello")).await.contains("message is not modified"));
    call(&api, "EditMessageText", edit("Hi")).await;
    assert_eq!((api.received(ANNA)[0].text.as_str(), api.received(ANNA)[0].edited), ("Hi", true));
    let react = |emoji: &str| json!({ "chat_id": ANNA, "message_id": asked, "reaction": [{ "type": "emoji", "emoji": emoji }] });
    assert_eq!(refused(&api, "SetMessageReaction", react("✅")).await, "Bad Request: REACTION_INVALID");
    call(&api, "SetMessageReaction", react("👀")).await;
    assert_eq!(api.reactions(ANNA, asked), ["👀"]);
    call(&api, "DeleteMessage", json!({ "chat_id": ANNA, "message_id": sent })).await;
    assert!(api.received(ANNA).is_empty());
    assert!(api.ever_sent(ANNA)[0].deleted);
}

#[tokio::test]
async fn topics_of_a_forum_can_be_made_used_and_lost() {
    let api = api().await;
    api.forum(-1001, "Desk");
    let topic = call(&api, "CreateForumTopic", json!({ "chat_id": -1001, "name": "Anna" })).await.1;
    let thread = topic["result"]["message_thread_id"].as_i64().unwrap();
    let send = json!({ "chat_id": -1001, "text": "x", "message_thread_id": thread });
    call(&api, "SendMessage", send.clone()).await;
    assert_eq!(api.received(-1001).iter().map(|sent| sent.thread).collect::<Vec<_>>(), [Some(thread)]);
    api.deletes_topic(-1001, thread);
    assert_eq!(refused(&api, "SendMessage", send).await, "Bad Request: message thread not found");
}

#[tokio::test]
async fn an_upload_becomes_a_file() {
    let api = api().await;
    api.says(ANNA, "Hello");
    let form = "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7001\r\n\
        --B\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\n123\r\n\
        --B\r\nContent-Disposition: form-data; name=\"photo\"\r\n\r\nattach://a\r\n\
        --B\r\nContent-Disposition: form-data; name=\"a\"; filename=\"cake.jpg\"\r\n\r\nbytes\r\nof it\r\n--B--\r\n";
    let head = "Content-Type: multipart/form-data; boundary=B\r\n";
    request(&api, api.token(), "SendPhoto", head, form.as_bytes()).await.unwrap();
    let sent = api.received(ANNA).remove(0);
    assert_eq!((sent.kind.as_str(), sent.text.as_str()), ("photo", "123"));
    let file = call(&api, "GetFile", json!({ "file_id": sent.raw["photo"][0]["file_id"] })).await.1;
    let path = format!("/file/bot{}/{}", api.token(), file["result"]["file_path"].as_str().unwrap());
    let mut tcp = TcpStream::connect(api.url().trim_start_matches("http://")).await.unwrap();
    tcp.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\r\n\r\nbytes\r\nof it"), "{answer}");
}

#[tokio::test]
async fn each_fault_shows_the_caller_what_it_says() {
    let api = api().await;
    api.says(ANNA, "Hello");
    let answer = async |fault: Fault| {
        api.fail_next("sendMessage", 1, fault);
        let before = api.received(ANNA).len();
        let answer = post(&api, "SendMessage", hello()).await;
        (answer, api.received(ANNA).len() - before)
    };
    for carried_out in [false, true] {
        let fault = |answer| Fault { carried_out, answer };
        let (seen, sent) = answer(fault(Answer::TooMany(Some(3)))).await;
        let (status, body) = seen.unwrap();
        assert_eq!((status, sent, body.contains(r#""retry_after":3"#)), (429, usize::from(carried_out), true));
        let (seen, sent) = answer(fault(Answer::Error(502))).await;
        assert_eq!((seen.unwrap().0, sent), (502, usize::from(carried_out)));
        let (seen, sent) = answer(fault(Answer::Html(503))).await;
        assert_eq!((seen.unwrap().1.contains("<html>"), sent), (true, usize::from(carried_out)));
        let (seen, sent) = answer(fault(Answer::Nonsense)).await;
        assert_eq!((seen.unwrap().1.contains("perhaps"), sent), (true, usize::from(carried_out)));
        for broken in [Answer::Reset, Answer::Cut, Answer::Silence(Duration::from_millis(50))] {
            let (seen, sent) = answer(fault(broken)).await;
            assert_eq!((seen.is_err(), sent), (true, usize::from(carried_out)), "{broken:?}");
        }
        let (seen, sent) = answer(fault(Answer::Late(Duration::from_millis(50)))).await;
        assert_eq!((seen.unwrap().0, sent), (200, 1));
    }
    assert_eq!(post(&api, "SendMessage", hello()).await.unwrap().0, 200, "no fault is left");
    assert_eq!(api.calls_of("sendMessage").iter().filter(|call| call.carried_out()).count(), api.received(ANNA).len());
}

#[tokio::test]
async fn a_share_of_the_sends_fails_the_same_way_for_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let api = api().await;
        api.says(ANNA, "Hello");
        let faults = [Fault::before(Answer::Error(500)), Fault::after(Answer::Reset)];
        api.fail_share("send*", 20, &faults, 42);
        for n in 0..200 {
            let _ = post(&api, "SendMessage", json!({ "chat_id": ANNA, "text": format!("{n}") })).await;
        }
        let lost = api.refused_and_lost().len();
        assert_eq!(lost + api.received(ANNA).len(), 200, "each is either lost or there");
        assert!((5..60).contains(&lost), "{lost}");
        api.heal();
        runs.push(api.calls_of("send*").into_iter().map(|call| call.outcome).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
}
