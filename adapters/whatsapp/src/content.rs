use frontdesk_core::{Content, MediaKind, MediaRef, Part};
use serde_json::Value;

use crate::{
    interactive,
    wire::{flag, list, text, written},
};

/// What a message says, with what it refers to; `None` where it cannot be read. What this version does not know is
/// shown as a line, because it may be what a customer sent: better a line too many than a customer unheard.
pub(crate) fn content(message: &Value, kind: &str) -> Option<Content> {
    let mut parts = match kind {
        "text" => vec![line(text(message, "/text/body")?)],
        "image" => media(message, kind, MediaKind::Image)?,
        "video" => media(message, kind, MediaKind::Video)?,
        "audio" if flag(message, "/audio/voice") => media(message, kind, MediaKind::Voice)?,
        "audio" => media(message, kind, MediaKind::Audio)?,
        "voice" => media(message, kind, MediaKind::Voice)?,
        "document" => media(message, kind, MediaKind::File)?,
        "sticker" => media(message, kind, MediaKind::Sticker)?,
        "location" => location(message.get("location")?)?,
        "contacts" => contacts(list(message, "/contacts"))?,
        "button" => vec![line(text(message, "/button/text").or_else(|| text(message, "/button/payload"))?)],
        "interactive" => interactive::reply(message.get("interactive")?),
        "order" => interactive::order(message.get("order")?)?,
        "unsupported" | "unknown" => unsupported(message),
        "edit" if message.pointer("/edit/message").is_some() => return edited(message.pointer("/edit/message")?),
        other => vec![Part::Other { kind: other.replace('_', " ") }],
    };
    parts.extend(product(message));
    parts.extend(referral(message));
    Some(Content { parts })
}

/// Of what cannot be read: its kind, and whatever stands beside it.
pub(crate) fn unreadable(message: &Value, kind: &str) -> Content {
    let caption = message.get(kind).and_then(|file| text(file, "/caption")).map(line);
    let reasons = reasons(message).map(|reasons| line(format!("({reasons})")));
    let more = [caption, reasons, product(message), referral(message)];
    let first = Part::Other { kind: kind.replace('_', " ") };
    Content { parts: [first].into_iter().chain(more.into_iter().flatten()).collect() }
}

/// The new words of a message of which nobody says which it is.
fn edited(new: &Value) -> Option<Content> {
    let mut content = content(new, text(new, "/type").unwrap_or("text"))?;
    content.parts.insert(0, line("(changed an earlier message to:)"));
    Some(content)
}

pub(crate) fn line(text: impl Into<String>) -> Part {
    Part::Text { text: text.into() }
}

fn media(message: &Value, key: &str, kind: MediaKind) -> Option<Vec<Part>> {
    let file = message.get(key)?;
    let media = MediaRef {
        kind,
        reference: written(file, "/id")?,
        name: text(file, "/filename").map(str::to_owned),
        mime: text(file, "/mime_type").map(str::to_owned),
        size: None,
        duration_secs: None,
    };
    Some(vec![Part::Media { media, caption: text(file, "/caption").map(str::to_owned) }])
}

fn location(place: &Value) -> Option<Vec<Part>> {
    let name = text(place, "/name").unwrap_or_default();
    let address = text(place, "/address").unwrap_or_default();
    let names: Vec<&str> = [name, address].into_iter().filter(|text| !text.is_empty()).collect();
    let part = Part::Location {
        latitude: written(place, "/latitude")?,
        longitude: written(place, "/longitude")?,
        name: (!names.is_empty()).then(|| names.join(", ")),
    };
    Some([part].into_iter().chain(text(place, "/url").map(line)).collect())
}

fn contacts(cards: &[Value]) -> Option<Vec<Part>> {
    (!cards.is_empty()).then(|| cards.iter().flat_map(card).collect())
}

/// A card, and a line with what else is on it.
fn card(card: &Value) -> Vec<Part> {
    let given = ["/name/first_name", "/name/last_name"].iter().filter_map(|path| text(card, path));
    let given = given.collect::<Vec<_>>().join(" ");
    let name = text(card, "/name/formatted_name").map_or(given, str::to_owned);
    let phones = list(card, "/phones").iter();
    let phones = phones.filter_map(|phone| written(phone, "/phone").or_else(|| written(phone, "/wa_id"))).collect();
    let each = |list_path: &str, path: &'static str| list(card, list_path).iter().filter_map(move |it| text(it, path));
    let addresses = list(card, "/addresses").iter().map(|address| {
        let lines = ["/street", "/zip", "/city", "/state", "/country"];
        lines.iter().filter_map(|path| text(address, path)).collect::<Vec<_>>().join(" ")
    });
    let org = ["/org/company", "/org/department", "/org/title"].iter().filter_map(|path| text(card, path));
    let rest = org.chain(each("/emails", "/email")).chain(each("/urls", "/url")).chain(text(card, "/birthday"));
    let rest: Vec<String> = rest.map(str::to_owned).chain(addresses).filter(|text| !text.is_empty()).collect();
    let more = (!rest.is_empty()).then(|| line(format!("({})", rest.join(", "))));
    [Part::Contact { name, phones }].into_iter().chain(more).collect()
}

/// What WhatsApp itself does not hand to businesses: edits, polls, pictures that are seen once.
fn unsupported(message: &Value) -> Vec<Part> {
    let kind = text(message, "/unsupported/type").map_or_else(|| "message".to_owned(), |kind| kind.replace('_', " "));
    let why = reasons(message).map(|why| line(format!("(WhatsApp does not hand it to businesses: {why})")));
    [Part::Other { kind }].into_iter().chain(why).collect()
}

/// What Meta says is wrong with it.
fn reasons(message: &Value) -> Option<String> {
    let reasons = list(message, "/errors").iter().filter_map(|error| {
        text(error, "/error_data/details").or_else(|| text(error, "/message")).or_else(|| text(error, "/title"))
    });
    Some(reasons.collect::<Vec<_>>().join(" ")).filter(|reasons| !reasons.is_empty())
}

/// Written from the page of a product.
fn product(message: &Value) -> Option<Part> {
    let product = written(message, "/context/referred_product/product_retailer_id")?;
    let catalog = written(message, "/context/referred_product/catalog_id");
    let catalog = catalog.map(|catalog| format!(" of the catalogue {catalog}")).unwrap_or_default();
    Some(line(format!("(about the product {product}{catalog})")))
}

/// Came by an advertisement.
fn referral(message: &Value) -> Option<Part> {
    let referral = message.get("referral")?;
    let paths = ["/headline", "/body", "/source_url"];
    let words = paths.iter().filter_map(|path| text(referral, path)).collect::<Vec<_>>().join(" · ");
    let source = match text(referral, "/source_type") {
        Some("ad") | None => "an advertisement",
        Some("post") => "a post",
        Some(_) => "a link",
    };
    (!words.is_empty()).then(|| line(format!("(came from {source}: {words})")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use serde_json::json;

    use super::*;

    fn readable(kind: &str, message: &Value) -> String {
        content(message, kind).unwrap().readable()
    }

    #[test]
    fn media_of_all_kinds_become_references() {
        let file = |more: Value| {
            let mut file = json!({ "id": "1003383421387256", "mime_type": "image/jpeg", "sha256": "SfIn" });
            file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            file
        };
        let cases = [
            ("image", file(json!({ "caption": "Taj Mahal" })), MediaKind::Image, "[picture] Taj Mahal"),
            ("video", file(json!({})), MediaKind::Video, "[video]"),
            ("audio", file(json!({ "voice": false })), MediaKind::Audio, "[audio file]"),
            ("audio", file(json!({ "voice": true })), MediaKind::Voice, "[voice message]"),
            ("document", file(json!({ "filename": "a.pdf" })), MediaKind::File, "[file: a.pdf]"),
            ("sticker", file(json!({ "animated": true })), MediaKind::Sticker, "[sticker]"),
        ];
        for (kind, file, expected, line) in cases {
            let found = content(&json!({ kind: file }), kind).unwrap();
            assert_eq!(found.readable(), line);
            let [Part::Media { media, .. }] = found.parts.as_slice() else { panic!("{found:?}") };
            let wanted = (expected, "1003383421387256", Some("image/jpeg"));
            assert_eq!((media.kind, media.reference.as_str(), media.mime.as_deref()), wanted);
        }
    }

    #[test]
    fn a_place_has_its_names_and_link() {
        let place = json!({ "latitude": 37.44, "longitude": "-122.16", "name": "Philz", "address": "101 Forest Ave", "url": "https://p.example/" });
        assert_eq!(
            readable("location", &json!({ "location": place })),
            "[location: Philz, 101 Forest Ave, 37.44, -122.16]\nhttps://p.example/"
        );
        assert_eq!(readable("location", &json!({ "location": { "latitude": 1, "longitude": 2 } })), "[location: 1, 2]");
    }

    #[test]
    fn a_card_keeps_all_that_is_on_it() {
        let card = json!({
            "name": { "formatted_name": "Lucía Gómez" },
            "org": { "company": "Google" },
            "phones": [{ "phone": "+1 (983) 555-2319" }, { "wa_id": "49301234" }],
            "emails": [{ "email": "l@example.org" }],
            "addresses": [{ "street": "1 Hacker Way", "city": "Menlo Park" }],
        });
        let nameless = json!({ "name": { "first_name": "Ben", "last_name": "Field" } });
        assert_eq!(
            readable("contacts", &json!({ "contacts": [card, nameless] })),
            "[contact: Lucía Gómez, +1 (983) 555-2319, 49301234]\n(Google, l@example.org, 1 Hacker Way Menlo Park)\n\
             [contact: Ben Field]"
        );
    }

    #[test]
    fn a_message_says_what_it_is_about_and_where_it_comes_from() {
        let message = json!({
            "text": { "body": "Still there?" },
            "context": { "referred_product": { "catalog_id": "1", "product_retailer_id": "cake" } },
            "referral": { "source_type": "ad", "headline": "Chat with us", "source_url": "https://fb.me/1" },
        });
        assert_eq!(
            readable("text", &message),
            "Still there?\n(about the product cake of the catalogue 1)\n\
             (came from an advertisement: Chat with us · https://fb.me/1)"
        );
    }

    #[test]
    fn what_whatsapp_withholds_is_a_line_with_its_reason() {
        let error = json!({ "code": 131051, "title": "Unknown", "error_data": { "details": "Not supported." } });
        assert_eq!(
            readable("unsupported", &json!({ "errors": [error], "unsupported": { "type": "view_once" } })),
            "[view once, which cannot be shown here yet]\n(WhatsApp does not hand it to businesses: Not supported.)"
        );
        assert_eq!(readable("hologram", &json!({})), "[hologram, which cannot be shown here yet]");
    }

    #[test]
    fn what_cannot_be_read_is_none() {
        for (kind, message) in [
            ("text", json!({ "text": "Hi" })),
            ("text", json!({ "text": { "body": 5 } })),
            ("image", json!({ "image": { "caption": "no id" } })),
            ("location", json!({ "location": { "latitude": 1 } })),
            ("contacts", json!({ "contacts": {} })),
            ("order", json!({})),
        ] {
            assert_eq!(content(&message, kind), None, "{kind}");
        }
    }
}
