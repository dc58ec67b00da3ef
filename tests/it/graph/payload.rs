//! The `value` of a webhook's change, as Meta writes it.

use serde_json::{Value, json};

use super::{
    message::Recipient,
    state::{Person, State},
};

/// What became of a send.
pub(super) struct Status<'a> {
    pub id: &'a str,
    /// `sent`, `delivered`, `read` or `failed`.
    pub state: &'a str,
    pub to: &'a Recipient,
    pub person: Option<Person>,
    pub key: Option<&'a str>,
    pub fails: Option<u32>,
}

/// A message that a person wrote: its `fields` are added to who, when and which.
pub(super) fn message(state: &State, number: &str, person: Person, id: &str, fields: Value) -> Value {
    let human = &state.people[person.0];
    let mut message = json!({ "id": id, "timestamp": state.now().as_second().to_string() });
    if let Some(phone) = &human.phone {
        message["from"] = phone.as_str().into();
    }
    if let Some(user) = &human.user {
        message["from_user_id"] = user.as_str().into();
    }
    merge(&mut message, fields);
    let mut value = about(state, number);
    value["contacts"] = json!([contact(state, person)]);
    value["messages"] = json!([message]);
    value
}

pub(super) fn status(state: &State, number: &str, status: &Status<'_>) -> Value {
    let mut entry =
        json!({ "id": status.id, "status": status.state, "timestamp": state.now().as_second().to_string() });
    let human = status.person.map(|person| &state.people[person.0]);
    if let Recipient::Phone(phone) = status.to {
        entry["recipient_id"] = phone.as_str().into();
    }
    if let Some(user) = human.and_then(|human| human.user.as_deref()) {
        entry["recipient_user_id"] = user.into();
    }
    if let Some(key) = status.key {
        entry["biz_opaque_callback_data"] = key.into();
    }
    match status.fails {
        Some(code) => entry["errors"] = json!([error(code)]),
        None => {
            entry["pricing"] = json!({ "billable": true, "pricing_model": "PMP", "category": "service",
                "type": "regular" });
        }
    }
    let mut value = about(state, number);
    if let (Some(person), None) = (status.person, status.fails) {
        value["contacts"] = json!([contact(state, person)]);
    }
    value["statuses"] = json!([entry]);
    value
}

/// What the owner wrote on the phone.
pub(super) fn echo(state: &State, number: &str, person: Person, id: &str, fields: Value) -> Value {
    let human = &state.people[person.0];
    let mut message = json!({ "from": state.number(number).display, "id": id,
        "timestamp": state.now().as_second().to_string() });
    if let Some(phone) = &human.phone {
        message["to"] = phone.as_str().into();
    }
    if let Some(user) = &human.user {
        message["to_user_id"] = user.as_str().into();
    }
    merge(&mut message, fields);
    let mut value = about(state, number);
    value["contacts"] = json!([contact(state, person)]);
    value["message_echoes"] = json!([message]);
    value
}

/// Which of the business's numbers it is about.
pub(super) fn about(state: &State, number: &str) -> Value {
    let number = state.number(number);
    json!({ "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": number.display, "phone_number_id": number.id } })
}

pub(super) fn error(code: u32) -> Value {
    let title = match code {
        130_472 => "User's number is part of an experiment",
        131_026 => "Message undeliverable",
        131_047 => "Re-engagement message",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement",
        131_053 => "Media upload error",
        _ => "Something went wrong",
    };
    json!({ "code": code, "title": title, "message": title, "error_data": { "details": format!("{title}.") },
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/" })
}

/// Puts the fields of `more` into the object.
pub(super) fn merge(object: &mut Value, more: Value) {
    let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) else { return };
    object.extend(more);
}

fn contact(state: &State, person: Person) -> Value {
    let human = &state.people[person.0];
    let mut contact = json!({ "profile": { "name": human.name } });
    if let Some(username) = &human.username {
        contact["profile"]["username"] = username.as_str().into();
    }
    if let Some(phone) = &human.phone {
        contact["wa_id"] = phone.as_str().into();
    }
    if let Some(user) = &human.user {
        contact["user_id"] = user.as_str().into();
    }
    contact
}
