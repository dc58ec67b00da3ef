//! Our messages into events of the room. Each is at most one event, and the same row is the same event for ever.

use std::time::Duration;

use frontdesk_core::{
    Address, Found, Op, Outbound, OutboxKey, Post, Prepared, RefusedScope, SendError, Sent, Style, ThreadId,
};
use jiff::Timestamp;
use matrix_sdk::{
    HttpError, Room,
    deserialized_responses::TimelineEvent,
    room::{IncludeRelations, Messages, MessagesOptions, RelationsOptions},
    ruma::{EventId, OwnedEventId, OwnedTransactionId, api::error::ErrorKind, events::relation::RelationType, uint},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{attachment, error, link::Link};

/// In the content of each event of ours, encrypted with it: how it is found again when transaction ids are forgotten.
pub(crate) const KEY: &str = "dev.frontdesk.key";
/// A homeserver forgets transaction ids after a day.
const FORGOTTEN: jiff::SignedDuration = jiff::SignedDuration::from_hours(20);
/// For a whole send, with the look before it and the keys that may go before it; the outbox waits for 90 s.
const TIMEOUT: Duration = Duration::from_secs(75);
/// So long keys are waited for, once, while a row is looked for.
const KEYS: Duration = Duration::from_secs(3);
/// How far back a row is looked for: 100 events a page.
const PAGES: usize = 50;

pub(crate) async fn send(link: &Link, message: &Outbound, prepared: &Prepared) -> Result<Sent, SendError> {
    let deadline = Instant::now() + TIMEOUT;
    if may_be_forgotten(message.written_at, Timestamp::now(), link.since)
        && let Found::Sent(sent) = find_until(link, message, deadline).await?
    {
        return Ok(sent);
    }
    let (room, thread) = place(link, message)?;
    let work = link.while_open(carry_out(link, &room, thread, message, prepared));
    match tokio::time::timeout_at(deadline, work).await {
        Ok(result) => result,
        Err(_) => Err(SendError::Uncertain("the homeserver did not answer in time".into())),
    }
}

/// Whether the row may have been sent without the homeserver knowing its transaction id: they are forgotten after a
/// day, and belong to a device.
fn may_be_forgotten(written: Timestamp, now: Timestamp, device: Option<Timestamp>) -> bool {
    now.duration_since(written) > FORGOTTEN || device.is_some_and(|since| written < since)
}

fn place<'a>(link: &Link, message: &'a Outbound) -> Result<(Room, Option<&'a ThreadId>), SendError> {
    match &message.to {
        Address::Desk { desk, thread } => Ok((link.room(desk)?, thread.as_ref())),
        Address::Chat { .. } => Err(SendError::refused(
            RefusedScope::Recipient,
            "customers on Matrix are not built yet; this channel only has desks",
        )),
    }
}

async fn carry_out(
    link: &Link,
    room: &Room,
    thread: Option<&ThreadId>,
    message: &Outbound,
    prepared: &Prepared,
) -> Result<Sent, SendError> {
    let key = message.key;
    match &message.op {
        Op::OpenThread(post) => {
            let id = event(link, room, key, "open", "m.room.message", related(body(post), post, None, key)).await?;
            Ok(Sent { thread: Some(id.as_str().into()), ids: vec![id.as_str().into()] })
        }
        Op::Post(post) => match post_event(link, room, thread, post, prepared, key).await {
            Err(Failure::Unrelated) if thread.is_some() => {
                Err(SendError::refused(RefusedScope::Recipient, "the thread is not in the room any more"))
            }
            sent => one(sent?),
        },
        Op::Edit { id, post } => {
            one(event(link, room, key, "edit", "m.room.message", edit(id.as_str(), post, key)).await?)
        }
        Op::Delete { id } => {
            let id = event_id(id.as_str())?;
            redact(room, &id, key).await?;
            Ok(Sent::default())
        }
        Op::React { id, emoji: Some(emoji) } => react(link, room, &event_id(id.as_str())?, emoji, key).await,
        Op::React { id, emoji: None } => {
            let id = event_id(id.as_str())?;
            take_back(room, &id, None, key).await?;
            Ok(Sent::default())
        }
        Op::Template { .. } => {
            Err(SendError::refused(RefusedScope::Content, "Matrix has no templates; write the words themselves"))
        }
    }
}

/// Words, or a file that was uploaded before.
async fn post_event(
    link: &Link,
    room: &Room,
    thread: Option<&ThreadId>,
    post: &Post,
    prepared: &Prepared,
    key: OutboxKey,
) -> Result<OwnedEventId, Failure> {
    let content = attachment::content(post, prepared).unwrap_or_else(|| body(post));
    event(link, room, key, "post", "m.room.message", related(content, post, thread, key)).await
}

#[allow(clippy::needless_pass_by_value)]
fn one(id: OwnedEventId) -> Result<Sent, SendError> {
    Ok(Sent::one(id.as_str()))
}

enum Failure {
    /// The reaction stands there already.
    Duplicate,
    /// What it answers, changes or stands under is not in the room.
    Unrelated,
    Send(SendError),
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Duplicate => Self::refused(RefusedScope::Content, "the homeserver says that it is there already"),
            Failure::Unrelated => Self::refused(RefusedScope::Content, "the message it belongs to is not in the room"),
            Failure::Send(error) => error,
        }
    }
}

async fn event(
    link: &Link,
    room: &Room,
    key: OutboxKey,
    op: &str,
    kind: &str,
    content: Value,
) -> Result<OwnedEventId, Failure> {
    let transaction = transaction(key, op);
    let _turn = link.keys.turn(room).await.map_err(|error| Failure::Send(look(&error)))?;
    let sent = Box::pin(room.send_raw(kind, content).with_transaction_id(&transaction).into_future()).await;
    sent.map(|sent| sent.response.event_id).map_err(|error| match error.client_api_error_kind() {
        Some(ErrorKind::DuplicateAnnotation) => Failure::Duplicate,
        Some(ErrorKind::Unknown) if UNRELATED.iter().any(|words| error::describe(&error).contains(words)) => {
            Failure::Unrelated
        }
        _ => Failure::Send(error::sending(&error)),
    })
}

/// Synapse has no code for a thread that is not in this room (any more), only these words.
const UNRELATED: [&str; 2] = ["relation to unknown event", "Relations must be in the same room"];

/// A person has one reaction under a message, and we stand for one person: the new one takes the place of the old.
async fn react(link: &Link, room: &Room, target: &EventId, emoji: &str, key: OutboxKey) -> Result<Sent, SendError> {
    let relation = json!({ "rel_type": "m.annotation", "event_id": target, "key": emoji });
    let content = json!({ "m.relates_to": relation, KEY: key });
    let sent = match event(link, room, key, "react", "m.reaction", content).await {
        Ok(id) => one(id),
        Err(Failure::Duplicate) => Ok(Sent::default()),
        Err(failure) => Err(failure.into()),
    }?;
    take_back(room, target, Some(emoji), key).await?;
    Ok(sent)
}

/// Takes our reactions back, all but `kept`. It can be done again: what is gone is not found.
async fn take_back(room: &Room, target: &EventId, kept: Option<&str>, key: OutboxKey) -> Result<(), SendError> {
    for reaction in our_reactions(room, target, kept).await? {
        redact_as(room, &reaction, transaction(key, &format!("take-back-{reaction}"))).await?;
    }
    Ok(())
}

async fn redact(room: &Room, id: &EventId, key: OutboxKey) -> Result<(), SendError> {
    redact_as(room, id, transaction(key, "delete")).await
}

async fn redact_as(room: &Room, id: &EventId, transaction: OwnedTransactionId) -> Result<(), SendError> {
    match room.redact(id, None, Some(transaction)).await {
        Ok(_) => Ok(()),
        // It is gone already, with all that was said in it.
        Err(problem) if is_absent(&problem) => Ok(()),
        Err(problem) => Err(error::sending_http(&problem)),
    }
}

fn is_absent(problem: &HttpError) -> bool {
    matches!(problem.client_api_error_kind(), Some(ErrorKind::NotFound))
}

/// The homeserver takes one transaction id for one event, by device and across kinds of events.
fn transaction(key: OutboxKey, op: &str) -> OwnedTransactionId {
    format!("frontdesk-{key}-{op}").into()
}

fn event_id(text: &str) -> Result<OwnedEventId, SendError> {
    EventId::parse(text)
        .map_err(|_| SendError::refused(RefusedScope::Content, format!("`{text}` is no message of this room")))
}

/// Plain text only: what a customer wrote is never markup. Nobody is notified but who is named.
fn body(post: &Post) -> Value {
    let kind = match post.style {
        Style::Words => "m.text",
        Style::Notice => "m.notice",
    };
    let mentions = match post.mentions.as_slice() {
        [] => json!({}),
        users => json!({ "user_ids": users }),
    };
    json!({ "msgtype": kind, "body": post.content.readable(), "m.mentions": mentions })
}

/// With its place in the room, and our key.
fn related(mut content: Value, post: &Post, thread: Option<&ThreadId>, key: OutboxKey) -> Value {
    content[KEY] = json!(key);
    let reply = post.reply_to.as_ref().map(|id| json!({ "event_id": id.as_str() }));
    match (thread, reply) {
        (Some(root), reply) => {
            content["m.relates_to"] = json!({
                "rel_type": "m.thread",
                "event_id": root.as_str(),
                "is_falling_back": reply.is_none(),
                "m.in_reply_to": reply.unwrap_or_else(|| json!({ "event_id": root.as_str() })),
            });
        }
        (None, Some(reply)) => content["m.relates_to"] = json!({ "m.in_reply_to": reply }),
        (None, None) => {}
    }
    content
}

fn edit(id: &str, post: &Post, key: OutboxKey) -> Value {
    let new = body(post);
    let mut content = new.clone();
    content["body"] = json!(format!("* {}", shortened(&post.content.readable())));
    // Whoever was named has been told by the first version.
    content["m.mentions"] = json!({});
    content["m.new_content"] = new;
    content["m.relates_to"] = json!({ "rel_type": "m.replace", "event_id": id });
    content[KEY] = json!(key);
    content
}

/// For clients that know no edits: saying all of a long text twice might not fit.
fn shortened(text: &str) -> &str {
    const BYTES: usize = 2_000;
    let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= BYTES);
    &text[..end.unwrap_or(text.len())]
}

async fn our_reactions(room: &Room, target: &EventId, kept: Option<&str>) -> Result<Vec<OwnedEventId>, SendError> {
    let options = RelationsOptions {
        include_relations: IncludeRelations::RelationsOfType(RelationType::Annotation),
        limit: Some(uint!(100)),
        ..RelationsOptions::default()
    };
    let found = room.relations(target.to_owned(), options).await.map_err(|error| look(&error))?;
    let ours = found.chunk.iter().filter(|event| event.sender().as_deref() == Some(room.own_user_id()));
    let emoji = |event: &TimelineEvent| {
        let raw = event.raw().deserialize_as_unchecked::<Value>().unwrap_or_default();
        raw["content"]["m.relates_to"]["key"].as_str().map(str::to_owned)
    };
    let old = ours.filter(|event| kept.is_none() || emoji(event).as_deref() != kept);
    Ok(old.filter_map(TimelineEvent::event_id).collect())
}

/// A look has no effect, so it can be repeated whatever happens.
fn look(problem: &matrix_sdk::Error) -> SendError {
    match error::sending(problem) {
        SendError::Uncertain(text) => SendError::Transient(text),
        other => other,
    }
}

/// Looks for the row in the room, back to when it was written.
pub(crate) async fn find(link: &Link, message: &Outbound) -> Result<Found, SendError> {
    find_until(link, message, Instant::now() + TIMEOUT).await
}

async fn find_until(link: &Link, message: &Outbound, deadline: Instant) -> Result<Found, SendError> {
    let (room, _) = place(link, message)?;
    let work = link.while_open(search(&room, message));
    match tokio::time::timeout_at(deadline, work).await {
        Ok(Err(SendError::Uncertain(text))) => Err(SendError::Transient(text)),
        Ok(result) => result,
        Err(_) => Err(SendError::Transient("the homeserver did not answer in time".into())),
    }
}

async fn page(room: &Room, from: Option<&str>) -> Result<Messages, SendError> {
    let mut options = MessagesOptions::backward().from(from);
    options.limit = uint!(100);
    Box::pin(room.messages(options)).await.map_err(|error| look(&error))
}

async fn search(room: &Room, message: &Outbound) -> Result<Found, SendError> {
    let key = message.key.to_string();
    // The homeserver's clock may be behind ours.
    let since = message.written_at.as_millisecond() - 10 * 60 * 1_000;
    let mut from: Option<String> = None;
    let mut patient = true;
    for _ in 0..PAGES {
        let mut page = self::page(room, from.as_deref()).await?;
        let ours = |event: &TimelineEvent| event.sender().as_deref() == Some(room.own_user_id());
        if patient && page.chunk.iter().any(|event| event.kind.is_utd() && ours(event)) {
            // Written by a device of ours before this one: its keys are on their way from the backup.
            tokio::time::sleep(KEYS).await;
            page = self::page(room, from.as_deref()).await?;
            patient = false;
        }
        for event in &page.chunk {
            if ours(event)
                && let Ok(raw) = event.raw().deserialize_as_unchecked::<Value>()
                && raw["content"][KEY] == key.as_str()
                && let Some(id) = event.event_id()
            {
                let thread = matches!(message.op, Op::OpenThread(_)).then(|| id.as_str().into());
                return Ok(Found::Sent(Sent { thread, ids: vec![id.as_str().into()] }));
            }
        }
        let oldest = page.chunk.last().and_then(|event| event.timestamp_raw());
        if page.end.is_none() || oldest.is_some_and(|at| i64::from(at.get()) < since) {
            return Ok(Found::Absent);
        }
        from = page.end;
    }
    Ok(Found::Unknown)
}

#[cfg(test)]
mod tests {
    use frontdesk_core::Content;

    use super::*;

    const AT: OutboxKey = OutboxKey { instance: 1, number: 2 };

    fn post(text: &str) -> Post {
        Post { content: Content::text(text), style: Style::Words, reply_to: None, mentions: Vec::new() }
    }

    fn words(post: &Post, thread: Option<&ThreadId>, key: OutboxKey) -> Value {
        related(body(post), post, thread, key)
    }

    #[test]
    fn a_customers_words_are_neither_markup_nor_a_mention() {
        let content = words(&post("@room <b>hi</b>"), Some(&"$card".into()), AT);
        assert_eq!(
            content,
            json!({
                "msgtype": "m.text", "body": "@room <b>hi</b>", "m.mentions": {},
                "dev.frontdesk.key": "0000000000000001-2",
                "m.relates_to": { "rel_type": "m.thread", "event_id": "$card", "is_falling_back": true,
                    "m.in_reply_to": { "event_id": "$card" } },
            })
        );
    }

    #[test]
    fn a_reply_in_a_thread_is_a_real_one() {
        let reply = Post { reply_to: Some("$x".into()), ..post("That one") };
        let relation = &words(&reply, Some(&"$card".into()), AT)["m.relates_to"];
        assert_eq!(relation["is_falling_back"], false);
        assert_eq!(relation["m.in_reply_to"]["event_id"], "$x");
    }

    #[test]
    fn who_is_named_is_notified_and_an_edit_notifies_nobody() {
        let named = Post { mentions: vec!["@ann:example.org".into()], ..post("Not sent") };
        assert_eq!(words(&named, None, AT)["m.mentions"], json!({ "user_ids": ["@ann:example.org"] }));
        assert_eq!(edit("$x", &named, AT)["m.mentions"], json!({}));
    }

    #[test]
    fn a_row_is_looked_for_when_it_is_old_or_of_another_device() {
        let now = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(100);
        let ago = |hours| now - jiff::SignedDuration::from_hours(hours);
        assert!(!may_be_forgotten(ago(1), now, Some(ago(2))));
        assert!(!may_be_forgotten(ago(1), now, None));
        assert!(may_be_forgotten(ago(2), now, Some(ago(1))));
        assert!(may_be_forgotten(ago(21), now, Some(ago(50))));
    }

    #[test]
    fn each_operation_of_a_row_has_a_transaction_of_its_own() {
        assert_eq!(transaction(AT, "post").as_str(), "frontdesk-0000000000000001-2-post");
        assert_ne!(transaction(AT, "post"), transaction(AT, "delete"));
    }
}
