use std::time::Duration;

use frontdesk_core::{
    Address, Argument, Content, Found, MediaRef, Op, Outbound, Part, PlatformId, Post, Prepared, RefusedScope,
    SendError, Sent, Signal,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    adapter::{TEXT, buckets},
    api::{Api, ApiError},
    failure::send_error,
    media,
    memory::Memory,
    person::is_user_id,
    wire::text,
};

/// Carries out one send.
pub(crate) async fn send(
    api: &Api,
    memory: &Memory,
    message: &Outbound,
    prepared: &Prepared,
) -> Result<Sent, SendError> {
    let body = body(message, prepared)?;
    let answer = api.message(&body).await.map_err(|error| send_error(error, &buckets(&message.to)))?;
    let Some(id) = text(&answer, "/messages/0/id") else {
        return Err(SendError::Uncertain("WhatsApp took it, or not: its answer names no message".into()));
    };
    memory.took(message.key, id.into());
    Ok(sent(message, id.into()))
}

/// Waits for the status that brings the send's key back. It comes within seconds when Meta has the message, and says
/// itself whether that was delivered; that none came says nothing.
pub(crate) async fn find(memory: &Memory, message: &Outbound) -> Found {
    match memory.taken(message.key, Instant::now() + STATUS).await {
        Some(id) => Found::Sent(sent(message, id)),
        None => Found::Unknown,
    }
}

/// Less than the minute for which an uncertain send holds its lane.
const STATUS: Duration = Duration::from_secs(55);

/// Nothing depends on it. WhatsApp shows typing in answer to a message only, and marks it as read with it.
pub(crate) async fn signal(api: &Api, memory: &Memory, to: &Address, signal: Signal) {
    let body = match signal {
        Signal::Seen(id) => read(&id),
        Signal::Typing => {
            let Some(id) = memory.latest(to) else { return };
            let mut body = read(&id);
            body["typing_indicator"] = json!({ "type": "text" });
            body
        }
    };
    let _: Result<Value, ApiError> = api.message(&body).await;
}

fn read(id: &PlatformId) -> Value {
    json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id })
}

/// A reaction is no message of its own.
fn sent(message: &Outbound, id: PlatformId) -> Sent {
    match message.op {
        Op::React { .. } => Sent::default(),
        Op::OpenThread(_) | Op::Post(_) | Op::Edit { .. } | Op::Delete { .. } | Op::Template { .. } => {
            Sent { thread: None, ids: vec![id] }
        }
    }
}

/// What is sent, as one call. Carries the outbox key, which comes back with each status.
fn body(message: &Outbound, prepared: &Prepared) -> Result<Value, SendError> {
    let mut body = match &message.op {
        Op::Post(post) => posted(post, prepared)?,
        Op::React { id, emoji } => {
            let emoji = emoji.as_deref().unwrap_or_default();
            json!({ "type": "reaction", "reaction": { "message_id": id, "emoji": emoji } })
        }
        Op::Template { name, language, arguments } => template(name, language, arguments),
        Op::OpenThread(_) => return Err(refuse("WhatsApp has no threads for conversations.")),
        Op::Edit { .. } => {
            return Err(refuse(
                "WhatsApp does not let a business edit what it sent. Send the right words as a new one.",
            ));
        }
        Op::Delete { .. } => return Err(refuse("WhatsApp does not let a business delete what it sent.")),
    };
    let (field, to) = recipient(&message.to)?;
    body["messaging_product"] = json!("whatsapp");
    body["recipient_type"] = json!("individual");
    body[field] = json!(to);
    body["biz_opaque_callback_data"] = json!(message.key);
    Ok(body)
}

/// A phone number is given in one field, a user id in another.
fn recipient(to: &Address) -> Result<(&'static str, &str), SendError> {
    let unknown = || SendError::refused(RefusedScope::Recipient, "This is not a WhatsApp number.");
    let Address::Chat { chat, scope: None, .. } = to else { return Err(unknown()) };
    let chat = chat.as_str();
    let digits = chat.strip_prefix('+').unwrap_or(chat);
    let is_number = (5..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number, is_user_id(chat)) {
        (true, _) => Ok(("to", digits)),
        (false, true) => Ok(("recipient", chat)),
        (false, false) => Err(unknown()),
    }
}

fn posted(post: &Post, prepared: &Prepared) -> Result<Value, SendError> {
    let mut body = match Form::of(&post.content) {
        Form::Text(words) => words_alone(&words)?,
        Form::Media { media, words } => media::body(media, words.as_deref(), prepared)?,
        Form::Location { latitude, longitude, name } => {
            let mut place = json!({ "latitude": latitude, "longitude": longitude });
            if let Some(name) = name {
                place["name"] = json!(name);
            }
            json!({ "type": "location", "location": place })
        }
        Form::Contacts(cards) => json!({ "type": "contacts", "contacts": cards }),
    };
    if let Some(id) = &post.reply_to {
        body["context"] = json!({ "message_id": id });
    }
    Ok(body)
}

/// Nobody fetches the addresses in it to show a preview: the words go as they are.
fn words_alone(words: &str) -> Result<Value, SendError> {
    if words.trim().is_empty() {
        return Err(refuse("WhatsApp does not send empty messages."));
    }
    if !TEXT.fits(words) {
        return Err(refuse("The text is longer than the 4096 characters that WhatsApp allows."));
    }
    Ok(json!({ "type": "text", "text": { "preview_url": false, "body": words } }))
}

fn template(name: &str, language: &str, arguments: &[Argument]) -> Value {
    let mut template = json!({ "name": name, "language": { "code": language } });
    if !arguments.is_empty() {
        let parameters: Vec<Value> = arguments.iter().map(parameter).collect();
        template["components"] = json!([{ "type": "body", "parameters": parameters }]);
    }
    json!({ "type": "template", "template": template })
}

/// WhatsApp takes no line breaks in it, and no more than four spaces.
fn parameter(argument: &Argument) -> Value {
    let words = argument.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parameter = json!({ "type": "text", "text": words });
    if let Some(name) = &argument.name {
        parameter["parameter_name"] = json!(name);
    }
    parameter
}

/// How a content goes out as one message.
#[derive(Debug, PartialEq)]
pub(crate) enum Form<'a> {
    Text(String),
    /// With the words that go along with it.
    Media {
        media: &'a MediaRef,
        words: Option<String>,
    },
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<&'a str>,
    },
    Contacts(Vec<Value>),
}

impl<'a> Form<'a> {
    /// What cannot go as it is becomes readable text.
    pub fn of(content: &'a Content) -> Self {
        let parts = content.parts.as_slice();
        Self::media(parts)
            .or_else(|| Self::location(parts))
            .or_else(|| Self::contacts(parts))
            .unwrap_or_else(|| Self::Text(content.readable()))
    }

    /// One file, and nothing but words beside it.
    fn media(parts: &'a [Part]) -> Option<Self> {
        let mut words = Vec::new();
        let mut found = None;
        for part in parts {
            match part {
                Part::Text { text } => words.push(text.as_str()),
                Part::Media { media, caption } if found.is_none() => {
                    found = Some(media);
                    words.extend(caption.as_deref());
                }
                Part::Media { .. } | Part::Location { .. } | Part::Contact { .. } | Part::Other { .. } => return None,
            }
        }
        words.retain(|words| !words.trim().is_empty());
        Some(Self::Media { media: found?, words: (!words.is_empty()).then(|| words.join("\n")) })
    }

    fn location(parts: &'a [Part]) -> Option<Self> {
        let [Part::Location { latitude, longitude, name }] = parts else { return None };
        let degrees = |text: &str| text.trim().parse::<f64>().ok().filter(|degrees| degrees.is_finite());
        Some(Self::Location { latitude: degrees(latitude)?, longitude: degrees(longitude)?, name: name.as_deref() })
    }

    fn contacts(parts: &'a [Part]) -> Option<Self> {
        let card = |part: &Part| match part {
            Part::Contact { name, phones } => {
                let phones: Vec<Value> = phones.iter().map(|phone| json!({ "phone": phone })).collect();
                Some(json!({ "name": { "formatted_name": name, "first_name": name }, "phones": phones }))
            }
            Part::Text { .. } | Part::Media { .. } | Part::Location { .. } | Part::Other { .. } => None,
        };
        let cards: Option<Vec<Value>> = parts.iter().map(card).collect();
        cards.filter(|cards| !cards.is_empty()).map(Self::Contacts)
    }
}

pub(crate) fn refuse(reason: impl Into<String>) -> SendError {
    SendError::refused(RefusedScope::Content, reason)
}

#[cfg(test)]
#[path = "send_tests.rs"]
mod tests;
