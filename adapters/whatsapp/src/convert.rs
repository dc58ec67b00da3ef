use frontdesk_core::{Address, Event, EventKey, Inbound, OutboxKey, PlatformId, Side};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    coexistence,
    memory::Memory,
    message, person, status,
    wire::{list, text, time, written},
};

/// One thing that a webhook tells: a field that the app is subscribed to, and its value.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    /// The WhatsApp Business account's id.
    pub account: Option<&'a str>,
    field: &'a str,
    value: &'a Value,
    /// With what is around it: for keys, and to be kept.
    whole: &'a Value,
}

/// What became of a change.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Converted {
    pub events: Vec<Inbound>,
    pub told: Vec<Told>,
}

/// What is of use beside the events, once they are stored.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    /// Meta has taken a send of ours.
    Took { key: OutboxKey, id: PlatformId },
    /// The customer's latest message in a chat.
    Wrote { at: Address, id: PlatformId },
    /// The account could not send, for everybody, at that time; says the cure.
    Alarm { problem: String, at: Option<Timestamp> },
    /// Meta took a send at that time.
    Delivers { at: Timestamp },
    /// Something about the account: better to look at once.
    Changed,
}

/// The changes of a payload in order; `None` where this is no webhook of a WhatsApp account at all.
pub(crate) fn changes(payload: &Value) -> Option<Vec<Change<'_>>> {
    if text(payload, "/object")? != "whatsapp_business_account" {
        return None;
    }
    let entries = payload.get("entry")?.as_array()?;
    Some(entries.iter().flat_map(of_entry).collect())
}

fn of_entry(entry: &Value) -> Vec<Change<'_>> {
    let account = text(entry, "/id");
    let changes = list(entry, "/changes");
    if changes.is_empty() {
        return vec![Change { account, field: "entry", value: entry, whole: entry }];
    }
    let change = |change| Change {
        account,
        field: text(change, "/field").unwrap_or("change"),
        value: change.get("value").unwrap_or(change),
        whole: change,
    };
    changes.iter().map(change).collect()
}

impl Change<'_> {
    /// The phone number's id; `None` where it is about the whole account.
    pub fn number(&self) -> Option<String> {
        written(self.value, "/metadata/phone_number_id")
    }

    /// Never fails: what cannot be read is kept as [`Event::Unsupported`].
    pub fn convert(&self, memory: &Memory) -> Converted {
        for (phone, user) in person::pairs(self.value) {
            memory.belongs(phone, user);
        }
        let mut converted = match self.field {
            "messages" => self.messages(memory),
            "smb_message_echoes" => coexistence::echoes(self.value, memory),
            "history" => coexistence::history(self.value),
            "smb_app_state_sync" => coexistence::address_book(self.value),
            "user_id_update" => message::user_ids(self.value),
            _ => Converted::default(),
        };
        if converted.events.is_empty() && !self.is_empty_sync() {
            converted.events.push(keyed(self.whole, self.field, digest(self.field, self.whole)));
            converted.told.extend(self.is_about_the_account().then_some(Told::Changed));
        }
        converted
    }

    fn messages(&self, memory: &Memory) -> Converted {
        let contacts = person::contacts(self.value);
        let mut converted = Converted::default();
        for entry in list(self.value, "/messages") {
            converted.extend(message::convert(entry, &contacts, memory));
        }
        for entry in list(self.value, "/statuses") {
            converted.extend(status::convert(entry, &contacts, memory));
        }
        let errors = list(self.value, "/errors").iter().map(|error| unsupported(error, "error"));
        converted.events.extend(errors);
        converted
    }

    fn is_about_the_account(&self) -> bool {
        self.field.starts_with("account_")
            || self.field.starts_with("phone_number_")
            || self.field == "business_capability_update"
    }

    /// Nobody is in it: the owner shares nothing of the phone, or this piece has only been counted.
    fn is_empty_sync(&self) -> bool {
        let empty = |key: &str| self.value.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty);
        (self.field == "history" && empty("history")) || (self.field == "smb_app_state_sync" && empty("state_sync"))
    }
}

impl Converted {
    pub fn one(inbound: Inbound) -> Self {
        Self { events: vec![inbound], told: Vec::new() }
    }

    pub fn extend(&mut self, other: Self) {
        self.events.extend(other.events);
        self.told.extend(other.told);
    }
}

/// Kept raw. Its own id is its key where it has one, else what it says is.
pub(crate) fn unsupported(raw: &Value, kind: &str) -> Inbound {
    let key = text(raw, "/id").map_or_else(|| digest(kind, raw), |id| EventKey::from(format!("{kind}:{id}")));
    keyed(raw, kind, key)
}

fn keyed(raw: &Value, kind: &str, key: EventKey) -> Inbound {
    Inbound {
        key,
        side: Side::Customer,
        from: person::service(),
        at: Address::chat("whatsapp"),
        sent_at: time(raw, "/timestamp"),
        event: Event::Unsupported { kind: kind.replace('_', " "), raw: raw.clone().into() },
    }
}

/// A repeated delivery says the same.
fn digest(kind: &str, raw: &Value) -> EventKey {
    let sum = Sha256::digest(raw.to_string().as_bytes());
    EventKey::from(format!("{kind}:{}", hex::encode(&sum[..16])))
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
