//! What became of our sends: one entry of `statuses`.

use frontdesk_core::{Address, DeliveryState, Event, EventKey, Inbound, OutboxKey, Side};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    convert::{Converted, Told, unsupported},
    failure::{Class, trouble},
    memory::Memory,
    person::{self, Named, Party, service},
    wire::{list, text, time},
};

pub(crate) fn convert(status: &Value, contacts: &[Named], memory: &Memory) -> Converted {
    read(status, contacts, memory).unwrap_or_else(|| {
        // One message has several: its id alone is no key.
        let word = text(status, "/status").unwrap_or("unknown");
        Converted::one(unsupported(status, &format!("status {word}")))
    })
}

fn read(status: &Value, contacts: &[Named], memory: &Memory) -> Option<Converted> {
    let id = text(status, "/id")?;
    let word = text(status, "/status")?;
    if text(status, "/recipient_type") == Some("group") || status.get("type").is_some_and(|kind| kind != "message") {
        return None;
    }
    let at = time(status, "/timestamp");
    let (state, news) = match word {
        "sent" => (DeliveryState::Sent, at.map(|at| Told::Delivers { at })),
        // That a phone was switched on, or a message read, says nothing of what Meta takes now.
        "delivered" => (DeliveryState::Delivered, None),
        // A voice message that was listened to has been read.
        "read" | "played" => (DeliveryState::Read, None),
        "failed" => failed(list(status, "/errors"), at),
        _ => return None,
    };
    let key = text(status, "/biz_opaque_callback_data").and_then(|data| OutboxKey::try_from(data.to_owned()).ok());
    let told = key.map(|key| Told::Took { key, id: id.into() });
    let own = person::contacts(status);
    let named =
        Named::of(status, Party::Recipient).with(if own.is_empty() { contacts } else { &own }).remembered(memory);
    let mut from = named.person().unwrap_or_else(service);
    // Who gets a message tells nothing of their name.
    from.name.clear();
    let inbound = Inbound {
        key: EventKey::from(format!("status:{id}:{word}")),
        side: Side::Customer,
        from,
        at: named.address().unwrap_or_else(|| Address::chat("whatsapp")),
        sent_at: at,
        event: Event::Status { key, id: Some(id.into()), state },
    };
    Some(Converted { events: vec![inbound], told: told.into_iter().chain(news).collect() })
}

/// The first error decides; in words, with what to do.
fn failed(errors: &[Value], at: Option<Timestamp>) -> (DeliveryState, Option<Told>) {
    let trouble = trouble(errors.first().unwrap_or(&Value::Null), None);
    let state = DeliveryState::Failed { reason: trouble.sentence.clone() };
    match trouble.class {
        Class::Window => (DeliveryState::WindowClosed, None),
        Class::Alarm => (state, Some(Told::Alarm { problem: trouble.sentence, at })),
        Class::Later(..) | Class::Content | Class::Recipient | Class::Doubt => (state, None),
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
