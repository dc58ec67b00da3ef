//! What a send may hold, type by type, as the Cloud API's reference says; what is not in it is an error.

use serde_json::{Value, json};

use super::{shape, state::Refusal};

/// A send that is well formed.
pub(super) struct Checked {
    pub kind: String,
    pub content: Value,
    pub to: Recipient,
    pub reply_to: Option<String>,
    /// `biz_opaque_callback_data`.
    pub key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    /// Digits.
    Phone(String),
    User(String),
}

pub(super) fn check(send: &Value) -> Result<Checked, Refusal> {
    let kind = send["type"].as_str().unwrap_or("text");
    let Some(content) = content_shape(kind, &send[kind]) else {
        return Err(Refusal::parameter(&format!("Param type must be one of {}", TYPES.join(", "))));
    };
    let mut wanted = json!({
        "messaging_product": "=whatsapp", "recipient_type?": "=individual", "to?": "phone", "recipient?": "user",
        "type?": "any", "context?": { "message_id": "text 300" }, "biz_opaque_callback_data?": "text 512",
    });
    wanted[kind] = content;
    if kind == "reaction" {
        // A reaction is no reply.
        wanted.as_object_mut().map(|fields| fields.remove("context?"));
    }
    shape::check(&wanted, send, "root").map_err(|what| Refusal::parameter(&what))?;
    let text = |field: &str| send[field].as_str().map(str::to_owned);
    let to = match (text("to"), text("recipient")) {
        // With both, the number counts.
        (Some(phone), _) => Recipient::Phone(phone.trim_start_matches('+').to_owned()),
        (None, Some(user)) => Recipient::User(user),
        (None, None) => return Err(Refusal::parameter("The parameter to or recipient is required")),
    };
    let reply_to = send["context"]["message_id"].as_str().map(str::to_owned);
    Ok(Checked {
        kind: kind.to_owned(),
        content: send[kind].clone(),
        to,
        reply_to,
        key: text("biz_opaque_callback_data"),
    })
}

/// What marks a message as read, with or without showing that somebody types.
pub(super) fn check_read(read: &Value) -> Result<String, Refusal> {
    let wanted = json!({ "messaging_product": "=whatsapp", "status": "=read", "message_id": "text 300",
        "typing_indicator?": { "type": "=text" } });
    shape::check(&wanted, read, "root").map_err(|what| Refusal::parameter(&what))?;
    Ok(read["message_id"].as_str().unwrap_or_default().to_owned())
}

pub(super) const MEDIA: [&str; 5] = ["audio", "document", "image", "sticker", "video"];

const TYPES: [&str; 11] = [
    "audio",
    "contacts",
    "document",
    "image",
    "interactive",
    "location",
    "reaction",
    "sticker",
    "template",
    "text",
    "video",
];

fn content_shape(kind: &str, content: &Value) -> Option<Value> {
    let shape = match kind {
        "text" => json!({ "body": "text 4096", "preview_url?": "bool" }),
        "audio" => media(content, json!({ "voice?": "bool" })),
        "sticker" => media(content, json!({})),
        "image" | "video" => media(content, json!({ "caption?": "text 1024" })),
        "document" => media(content, json!({ "caption?": "text 1024", "filename?": "text 240" })),
        "location" => {
            json!({ "latitude": "number", "longitude": "number", "name?": "text 1000", "address?": "text 1000" })
        }
        "contacts" => contacts(),
        "reaction" => json!({ "message_id": "text 300", "emoji": "any" }),
        "interactive" => interactive(content),
        "template" => template(),
        _ => return None,
    };
    Some(shape)
}

/// By id or by link, never both.
fn media(content: &Value, mut more: Value) -> Value {
    let by_link = content.get("link").is_some();
    more[if by_link { "link" } else { "id" }] = if by_link { "link".into() } else { "text 100".into() };
    more
}

fn contacts() -> Value {
    json!([{
        "name": { "formatted_name": "text 300", "first_name?": "text 300", "last_name?": "text 300",
            "middle_name?": "text 300", "prefix?": "text 100", "suffix?": "text 100" },
        "phones?": [{ "phone?": "text 50", "type?": "text 50", "wa_id?": "phone" }],
        "emails?": [{ "email?": "text 300", "type?": "text 50" }],
        "urls?": [{ "url?": "link", "type?": "text 50" }],
        "addresses?": [{ "street?": "text 300", "city?": "text 300", "state?": "text 300", "zip?": "text 50",
            "country?": "text 300", "country_code?": "text 10", "type?": "text 50" }],
        "org?": { "company?": "text 300", "department?": "text 300", "title?": "text 300" },
        "birthday?": "text 20",
    }])
}

fn interactive(content: &Value) -> Value {
    let kind = content["type"].as_str().unwrap_or_default();
    let words = json!({ "text": "text 1024" });
    let mut shape = json!({ "type": "any", "body": words, "footer?": { "text": "text 60" }, "header?": "object" });
    shape["action"] = match kind {
        "button" => json!({ "buttons": [{ "type": "=reply", "reply": { "id": "text 256", "title": "text 20" } }] }),
        "list" => json!({ "button": "text 20", "sections": [{ "title?": "text 24",
            "rows": [{ "id": "text 200", "title": "text 24", "description?": "text 72" }] }] }),
        "product" => json!({ "catalog_id": "text 100", "product_retailer_id": "text 100" }),
        "product_list" => json!({ "catalog_id": "text 100", "sections": [{ "title": "text 50",
            "product_items": [{ "product_retailer_id": "text 100" }] }] }),
        "catalog_message" => {
            json!({ "name": "=catalog_message", "parameters?": { "thumbnail_product_retailer_id?": "text 100" } })
        }
        "flow" => json!({ "name": "=flow", "parameters": flow() }),
        "order_details" => json!({ "name": "=review_and_pay", "parameters": "object" }),
        "order_status" => json!({ "name": "=review_order", "parameters": { "reference_id": "text 60",
            "order": { "status": "text 50", "description?": "text 120" } } }),
        _ => {
            shape["type"] = "=button|list|product|product_list|catalog_message|flow|order_details|order_status".into();
            "object".into()
        }
    };
    shape
}

fn flow() -> Value {
    json!({ "flow_message_version": "=3", "flow_cta": "text 30", "flow_id?": "text 100", "flow_name?": "text 200",
        "flow_token?": "text 200", "mode?": "=draft|published", "flow_action?": "=navigate|data_exchange",
        "flow_action_payload?": { "screen": "text 100", "data?": "object" } })
}

/// How many parameters, and which, is asked of the template itself.
fn template() -> Value {
    json!({
        "name": "text 512",
        "language": { "code": "text 50", "policy?": "=deterministic" },
        "components?": [{
            "type": "=header|body|button",
            "sub_type?": "=quick_reply|url|flow|CATALOG|catalog|copy_code",
            "index?": "index",
            "parameters": [{
                "type": "=text|currency|date_time|image|video|document|payload|action|location|coupon_code",
                "parameter_name?": "text 100",
                "text?": "any",
                "currency?": { "fallback_value": "text 100", "code": "text 3", "amount_1000": "number" },
                "date_time?": "object",
                "image?": "object", "video?": "object", "document?": "object", "location?": "object",
                "payload?": "text 256",
                "action?": "object",
                "coupon_code?": "text 15",
            }],
        }],
    })
}
