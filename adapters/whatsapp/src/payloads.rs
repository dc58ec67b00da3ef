//! Payloads as Meta sends them, and what becomes of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use crate::{
    convert::{Converted, changes},
    memory::Memory,
};

pub(crate) const NUMBER: &str = "106540352242922";

pub(crate) fn payload(field: &str, value: Value) -> Value {
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": "102290129340398", "changes": [{ "field": field, "value": value }] }] })
}

pub(crate) fn value(key: &str, entries: Value) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "+1 555-078-3881", "phone_number_id": NUMBER },
        "contacts": [{ "profile": { "name": "Sheena Nelson" }, "wa_id": "16505551234", "user_id": "US.1349" }],
        key: entries,
    })
}

pub(crate) fn converted(payload: &Value) -> Converted {
    let memory = Memory::new();
    let mut all = Converted::default();
    for change in changes(payload).unwrap() {
        all.extend(change.convert(&memory));
    }
    all
}
