//! Taps on what a business had sent: buttons, lists, forms, and orders from its catalogue.

use frontdesk_core::Part;
use serde_json::{Map, Value};

use crate::{
    content::line,
    wire::{list, text, written},
};

pub(crate) fn reply(interactive: &Value) -> Vec<Part> {
    let kind = text(interactive, "/type").unwrap_or("interactive");
    let lines = match kind {
        "button_reply" => chosen(interactive.get(kind)),
        "list_reply" => chosen(interactive.get(kind)),
        "nfm_reply" => form(interactive.get(kind)),
        "call_permission_reply" => text(interactive, "/call_permission_reply/response")
            .map(|answer| vec![format!("(asked whether we may call: {answer})")])
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    match lines.is_empty() {
        true => vec![Part::Other { kind: kind.replace('_', " ") }],
        false => vec![line(lines.join("\n"))],
    }
}

/// Each item in a line, and the sum where all are in one currency.
pub(crate) fn order(order: &Value) -> Option<Vec<Part>> {
    let items = list(order, "/product_items");
    if items.is_empty() {
        return None;
    }
    let catalog = written(order, "/catalog_id").map(|id| format!(" from the catalogue {id}")).unwrap_or_default();
    let lines = items.iter().map(|item| {
        let quantity = written(item, "/quantity").unwrap_or_else(|| "?".into());
        let product = written(item, "/product_retailer_id").unwrap_or_else(|| "?".into());
        let currency = text(item, "/currency").unwrap_or_default();
        let price = written(item, "/item_price").map(|price| format!(", each {price} {currency}")).unwrap_or_default();
        format!("{quantity} × {product}{}", price.trim_end())
    });
    let lines = [format!("Order{catalog}:")].into_iter().chain(lines).chain(sum(items)).collect::<Vec<_>>();
    Some([line(lines.join("\n"))].into_iter().chain(text(order, "/text").map(line)).collect())
}

fn sum(items: &[Value]) -> Option<String> {
    let currency = text(items.first()?, "/currency")?;
    let amount = |item: &Value| -> Option<f64> {
        let one = text(item, "/currency") == Some(currency);
        let number = |path: &str| written(item, path)?.parse::<f64>().ok();
        number("/quantity")?.is_finite().then_some(number("/quantity")? * number("/item_price")?).filter(|_| one)
    };
    let amounts: Option<Vec<f64>> = items.iter().map(amount).collect();
    let cents = (amounts?.iter().sum::<f64>() * 100.0).round() / 100.0;
    Some(format!("together {cents} {currency}"))
}

fn chosen(reply: Option<&Value>) -> Vec<String> {
    let Some(reply) = reply else { return Vec::new() };
    let title = text(reply, "/title").or_else(|| text(reply, "/id"));
    [title, text(reply, "/description")].into_iter().flatten().map(str::to_owned).collect()
}

/// The fields of a form that was filled in, a line each.
fn form(reply: Option<&Value>) -> Vec<String> {
    let Some(reply) = reply else { return Vec::new() };
    let said = text(reply, "/body").filter(|body| *body != "Sent").map(str::to_owned);
    let fields = match reply.get("response_json") {
        Some(Value::String(json)) => serde_json::from_str(json).unwrap_or(Value::Null),
        Some(other) => other.clone(),
        None => Value::Null,
    };
    let mut lines: Vec<String> = said.into_iter().collect();
    match fields {
        Value::Object(fields) => flatten(&fields, &mut lines),
        Value::Null => lines.extend(text(reply, "/response_json").map(str::to_owned)),
        other => lines.push(other.to_string()),
    }
    lines
}

/// What is nested is written with the names of both.
fn flatten(fields: &Map<String, Value>, lines: &mut Vec<String>) {
    for (name, value) in fields.iter().filter(|(name, _)| *name != "flow_token") {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Object(inner) if name == "values" => {
                flatten(inner, lines);
                continue;
            }
            other => other.to_string(),
        };
        lines.push(format!("{}: {value}", name.replace('_', " ")));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use frontdesk_core::Content;
    use serde_json::json;

    use super::*;

    fn readable(parts: Vec<Part>) -> String {
        Content { parts }.readable()
    }

    #[test]
    fn a_tap_reads_as_what_was_tapped() {
        let button = json!({ "type": "button_reply", "button_reply": { "id": "cancel-button", "title": "Cancel" } });
        let list =
            json!({ "type": "list_reply", "list_reply": { "id": "x", "title": "Express", "description": "Next day" } });
        let call = json!({ "type": "call_permission_reply", "call_permission_reply": { "response": "accept" } });
        let new = json!({ "type": "hologram_reply" });
        assert_eq!(readable(reply(&button)), "Cancel");
        assert_eq!(readable(reply(&list)), "Express\nNext day");
        assert_eq!(readable(reply(&call)), "(asked whether we may call: accept)");
        assert_eq!(readable(reply(&new)), "[hologram reply, which cannot be shown here yet]");
    }

    #[test]
    fn a_form_reads_as_its_fields() {
        let answers = json!({ "flow_token": "t", "first_name": "Anna", "people": 4 }).to_string();
        let form =
            json!({ "type": "nfm_reply", "nfm_reply": { "name": "flow", "body": "Sent", "response_json": answers } });
        assert_eq!(readable(reply(&form)), "first name: Anna\npeople: 4");
        let address = json!({ "values": { "city": "Berlin" } }).to_string();
        let form = json!({ "type": "nfm_reply", "nfm_reply": { "body": "Here", "response_json": address } });
        assert_eq!(readable(reply(&form)), "Here\ncity: Berlin");
        let broken = json!({ "type": "nfm_reply", "nfm_reply": { "response_json": "{oops" } });
        assert_eq!(readable(reply(&broken)), "{oops");
    }

    #[test]
    fn an_order_reads_as_a_list_with_its_sum() {
        let two = json!({ "product_retailer_id": "rye", "quantity": 2, "item_price": 4.3, "currency": "EUR" });
        let one = json!({ "product_retailer_id": "bun", "quantity": "1", "item_price": "0.5", "currency": "EUR" });
        let found = order(&json!({ "catalog_id": "7", "text": "By noon?", "product_items": [two, one] })).unwrap();
        assert_eq!(
            readable(found),
            "Order from the catalogue 7:\n2 × rye, each 4.3 EUR\n1 × bun, each 0.5 EUR\ntogether 9.1 EUR\nBy noon?"
        );
        let foreign = json!({ "product_retailer_id": "bun", "quantity": 1, "item_price": 1, "currency": "USD" });
        assert!(!readable(order(&json!({ "product_items": [two, foreign] })).unwrap()).contains("together"));
    }
}
