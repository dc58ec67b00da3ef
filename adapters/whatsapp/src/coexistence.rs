//! Numbers that the owner goes on using in the WhatsApp Business app: what is written there, and what was there before.

use std::collections::HashSet;

use frontdesk_core::{Content, Event, EventKey, Inbound, Message, PlatformId, Side};
use serde_json::Value;

use crate::{
    content::{content, line},
    convert::{Converted, unsupported},
    memory::Memory,
    message::said,
    person::{Named, Party, contacts, is_user_id, phone},
    wire::{list, text, time},
};

/// What the owner wrote on the phone: a human answer, never to be sent again.
pub(crate) fn echoes(value: &Value, memory: &Memory) -> Converted {
    let contacts = contacts(value);
    let events = list(value, "/message_echoes").iter().map(|entry| {
        let named = Named::of(entry, Party::To).with(&contacts).remembered(memory);
        echo(entry, &named).unwrap_or_else(|| unsupported(entry, "message echo"))
    });
    Converted { events: events.collect(), told: Vec::new() }
}

fn echo(entry: &Value, named: &Named) -> Option<Inbound> {
    let id = PlatformId::from(text(entry, "/id")?);
    if text(entry, "/group_id").is_some() {
        return None;
    }
    let key = EventKey::from(id.as_str());
    let mut from = named.person()?;
    // Whom the owner writes to is not told with their own name.
    from.first_name = None;
    let event = Event::Echo(done(entry, text(entry, "/type")?, id)?);
    Some(Inbound { key, side: Side::Customer, from, at: named.address()?, sent_at: time(entry, "/timestamp"), event })
}

/// Changes to earlier messages are told as what they are: the events for that belong to the customer.
fn done(entry: &Value, kind: &str, id: PlatformId) -> Option<Message> {
    let about = |original: &str, content: Content| {
        let reply_to = text(entry, original).map(PlatformId::from);
        Some(Message { id: id.clone(), content, reply_to, notice: false, forwarded: false })
    };
    match kind {
        "revoke" => about("/revoke/original_message_id", Content::text("(deleted an earlier message)")),
        "edit" => {
            let new = entry.pointer("/edit/message")?;
            let mut content = content(new, text(new, "/type").unwrap_or("text"))?;
            content.parts.insert(0, line("(changed an earlier message to:)"));
            about("/edit/original_message_id", content)
        }
        "reaction" => {
            let words = match text(entry, "/reaction/emoji") {
                Some(emoji) => format!("(reacted with {emoji})"),
                None => "(took a reaction back)".to_owned(),
            };
            about("/reaction/message_id", Content::text(words))
        }
        _ => Some(said(entry, kind, id)),
    }
}

/// The chats of the months before: whoever is in them is no stranger. Nothing else comes of it.
pub(crate) fn history(value: &Value) -> Converted {
    let business = phone(value, "/metadata/display_phone_number");
    let threads = list(value, "/history").iter().flat_map(|chunk| list(chunk, "/threads")).map(thread);
    // Files of these chats follow by themselves, in the place of new messages.
    let files = list(value, "/messages").iter().map(|message| {
        let sender = Named::of(message, Party::From);
        if sender.phone.is_some() && sender.phone == business { Named::of(message, Party::To) } else { sender }
    });
    known(threads.chain(files).filter(|named| named.phone.is_none() || named.phone != business))
}

/// A chat is named by its customer's number or user id.
fn thread(thread: &Value) -> Named {
    let id = text(thread, "/id").filter(|id| is_user_id(id));
    Named {
        user: text(thread, "/context/user_id").or(id).map(str::to_owned),
        phone: phone(thread, "/id").or_else(|| phone(thread, "/context/wa_id")),
        username: text(thread, "/context/username").map(str::to_owned),
        ..Named::default()
    }
}

/// Whoever is in the phone's address book, or was until now.
pub(crate) fn address_book(value: &Value) -> Converted {
    let people = list(value, "/state_sync").iter().filter_map(|entry| entry.get("contact")).map(|contact| Named {
        user: text(contact, "/user_id").map(str::to_owned),
        parent: text(contact, "/parent_user_id").map(str::to_owned),
        phone: phone(contact, "/phone_number"),
        name: text(contact, "/full_name").or_else(|| text(contact, "/first_name")).map(str::to_owned),
        username: text(contact, "/username").map(str::to_owned),
        ..Named::default()
    });
    known(people)
}

fn known(people: impl Iterator<Item = Named>) -> Converted {
    let mut seen = HashSet::new();
    let events = people.filter_map(|named| {
        let mut from = named.person()?;
        // The owner's own name for them is nothing to greet them with.
        from.first_name = None;
        let key = EventKey::from(format!("known:{}", from.id));
        let at = named.address()?;
        let event = Event::Known;
        seen.insert(key.clone()).then_some(Inbound { key, side: Side::Customer, from, at, sent_at: None, event })
    });
    Converted { events: events.collect(), told: Vec::new() }
}

#[cfg(test)]
#[path = "coexistence_tests.rs"]
mod tests;
