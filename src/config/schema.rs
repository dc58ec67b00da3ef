//! The JSON Schema of the config, for editors, out of the constants that the reader uses. Adapters bring the schemas of
//! their own tables. A test holds it against the reader: each knows the keys that the other knows.
//!
//! An editor sees only the form: what depends on something else in the file is found by `frontdesk check`.

use serde_json::{Map, Value, json};

use super::{
    channels::NAME,
    defaults::{self, Number},
};
use crate::notices::Kind;

const LANGUAGE: &str = "^\\s*[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8})*\\s*$";
const DATE: &str = "^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\\s*$";
const SPAN: &str = "^\\s*([01]?[0-9]|2[0-3]):[0-5][0-9]\\s*[-–]\\s*(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)\\s*$";
const DAYS: &str = "^(mon|tues|wednes|thurs|fri|satur|sun)day( *- *(mon|tues|wednes|thurs|fri|satur|sun)day)?$";

/// The schema of a whole file.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The config of frontdesk",
        "type": "object",
        "properties": {
            "business": business(),
            "hours": hours(),
            "replies": replies(),
            "conversations": conversations(),
            "retention": retention(),
            "telegram": named("Accounts on Telegram, each with a name of yours: [telegram.shop]", &telegram()),
            "whatsapp": named("Numbers on WhatsApp, each with a name of yours: [whatsapp.shop]", &whatsapp()),
            "matrix": named("Accounts on Matrix, each with a name of yours: [matrix.desk]", &matrix()),
            "desks": named("Where you answer, each with a name of yours: [desks.main]", &desk()),
            "http": http(),
            "store": store(),
        },
        "required": ["business", "desks"],
        "anyOf": [{ "required": ["telegram"] }, { "required": ["whatsapp"] }],
        "additionalProperties": false,
    })
}

fn business() -> Value {
    let mut table = table(
        "Who you are",
        json!({
            "name": { "description": "What customers call you", "type": "string", "minLength": 1, "maxLength": 100 },
            "timezone": {
                "description": "Where you are, as in \"Europe/Berlin\": all times are on the clock on your wall",
                "type": "string",
                "pattern": "^\\s*[A-Za-z0-9_+/-]+\\s*$",
            },
            "languages": {
                "description": "What automatic texts are written in; the first is the default",
                "type": "array",
                "items": { "type": "string", "pattern": LANGUAGE },
                "minItems": 1,
                "uniqueItems": true,
                "default": ["en"],
            },
        }),
    );
    table["required"] = json!(["name", "timezone"]);
    table
}

fn hours() -> Value {
    let times = json!({ "type": "array", "items": { "type": "string", "pattern": SPAN } });
    let mut table = table(
        "When you are open, by days or ranges of days. A day that is missing, or [], is closed",
        json!({ "exceptions": { "type": "array", "items": exception(&times) } }),
    );
    table["patternProperties"] = json!({ DAYS: times });
    table
}

fn exception(times: &Value) -> Value {
    let date = |description| json!({ "description": description, "type": "string", "pattern": DATE });
    let mut table = table(
        "Dates that are not as usual",
        json!({
            "from": date("The first day"),
            "to": date("The last day; without it there is only one"),
            "open": times,
            "name": { "description": "What day it is, as in \"Christmas\"; only you read it", "type": "string" },
        }),
    );
    table["required"] = json!(["from", "open"]);
    table
}

fn replies() -> Value {
    let texts: Map<String, Value> =
        Kind::ALL.into_iter().map(|kind| (kind.key().to_owned(), json!({ "type": "string" }))).collect();
    let language = table("Your own words in this language", Value::Object(texts));
    let mut own = table("Your own words, by language", json!({}));
    own["patternProperties"] = json!({ LANGUAGE: language });
    table(
        "What is said automatically",
        json!({
            "ack_delay_secs": number("How long to wait for more before answering a first message", &defaults::ACK_DELAY),
            "after_hours": {
                "description": "Say so when somebody writes while you are closed, once for each time you are closed",
                "type": "boolean",
                "default": defaults::AFTER_HOURS,
            },
            "human_present_mins": number("But not this soon after one of you has answered", &defaults::HUMAN_PRESENT),
            "repeat_after_days": number("The same words to the same person only after this", &defaults::REPEAT_AFTER),
            "again_after_days": number("Greet anew who was silent for this long; default: never", &defaults::AGAIN_AFTER),
            "text": own,
        }),
    )
}

fn conversations() -> Value {
    let reopen = "Who writes again this soon after a conversation was closed, reopens it";
    let idle = "A conversation in which you spoke last closes by itself after this";
    let give_up = "An answer that cannot be delivered is tried for this long";
    table(
        "How long things last",
        json!({
            "reopen_within_hours": number(reopen, &defaults::REOPEN_WITHIN),
            "close_idle_days": number(idle, &defaults::CLOSE_IDLE),
            "give_up_after_hours": number(give_up, &defaults::GIVE_UP_AFTER),
        }),
    )
}

fn retention() -> Value {
    let messages = "What was said in a conversation is kept for this long after its end";
    table("How long things are kept", json!({ "messages_days": number(messages, &defaults::MESSAGES) }))
}

fn http() -> Value {
    table(
        "What is asked by HTTP",
        json!({
            "listen": {
                "description": "An address of this machine and a port, for /healthz, /readyz and /metrics",
                "type": "string",
                "pattern": "^\\s*[0-9.:\\[\\]a-fA-F]+:[0-9]{1,5}\\s*$",
                "default": defaults::LISTEN,
            },
        }),
    )
}

fn store() -> Value {
    table(
        "What is kept",
        json!({
            "url": {
                "description": "\"sled:\" and the folder of everything that is kept, seen from where frontdesk is started",
                "type": "string",
                "pattern": "^sled:.*\\S",
                "default": defaults::STORE,
            },
        }),
    )
}

#[cfg(feature = "telegram")]
fn telegram() -> Value {
    frontdesk_telegram::RawConfig::schema()
}

/// A program without the adapter takes no such table.
#[cfg(not(feature = "telegram"))]
fn telegram() -> Value {
    json!(false)
}

#[cfg(feature = "whatsapp")]
fn whatsapp() -> Value {
    frontdesk_whatsapp::RawConfig::schema()
}

#[cfg(not(feature = "whatsapp"))]
fn whatsapp() -> Value {
    json!(false)
}

#[cfg(feature = "matrix")]
fn matrix() -> Value {
    frontdesk_matrix::RawConfig::schema()
}

#[cfg(not(feature = "matrix"))]
fn matrix() -> Value {
    json!(false)
}

/// The keys of a room, and those that every desk has.
#[cfg(feature = "matrix")]
fn desk() -> Value {
    let mut desk = frontdesk_matrix::RawDesk::schema();
    desk["properties"]["channel"] = json!({
        "description": "The account that it is on, as in \"matrix.desk\"",
        "type": "string",
        "pattern": "^\\s*[a-z]+\\.[a-z0-9_-]{1,40}\\s*$",
    });
    desk["properties"]["sign"] = json!({
        "description": "Put under each answer; {{ operator }} is who wrote it. Default: nothing",
        "type": "string",
        "pattern": "\\S",
        "maxLength": 200,
    });
    if let Some(required) = desk["required"].as_array_mut() {
        required.push(json!("channel"));
    }
    desk
}

#[cfg(not(feature = "matrix"))]
fn desk() -> Value {
    json!(false)
}

/// A table whose keys are known.
fn table(description: &str, properties: Value) -> Value {
    json!({
        "description": description,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// A table of tables with names of the owner's.
fn named(description: &str, inner: &Value) -> Value {
    json!({
        "description": description,
        "type": "object",
        "patternProperties": { NAME: inner },
        "additionalProperties": false,
        "minProperties": 1,
    })
}

/// A whole number with its unit, bounds and, where it has one, default.
fn number(description: &str, number: &Number) -> Value {
    let Number { default, range, unit } = number;
    let mut schema = json!({
        "description": format!("{description} ({unit})"),
        "type": "integer",
        "minimum": range.start(),
        "maximum": range.end(),
    });
    if range.contains(default) {
        schema["default"] = json!(default);
    }
    schema
}

#[cfg(all(test, feature = "telegram", feature = "whatsapp", feature = "matrix"))]
mod tests;
