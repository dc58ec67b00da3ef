use frontdesk_core::{Content, MediaKind, MediaRef, Part};
use serde_json::{Map, Value};

/// What a message says; `reply`: old clients repeat before it what it answers.
pub(super) fn parse(kind: &str, content: &Value, reply: bool) -> Content {
    let body = content["body"].as_str().unwrap_or_default();
    let part = match (kind, content["msgtype"].as_str()) {
        ("m.sticker", _) => media(MediaKind::Sticker, content),
        (_, Some("m.text" | "m.notice" | "m.server_notice")) => Part::Text { text: said(body, reply).to_owned() },
        // As it was typed: what begins with a slash stays inside.
        (_, Some("m.emote")) => Part::Text { text: format!("/me {}", said(body, reply)) },
        (_, Some("m.image")) => media(MediaKind::Image, content),
        (_, Some("m.video")) => media(MediaKind::Video, content),
        (_, Some("m.audio")) if content.get("org.matrix.msc3245.voice").is_some() => media(MediaKind::Voice, content),
        (_, Some("m.audio")) => media(MediaKind::Audio, content),
        (_, Some("m.file")) => media(MediaKind::File, content),
        (_, Some("m.location")) => location(content),
        (_, other) => Part::Other { kind: other.unwrap_or(kind).to_owned() },
    };
    Content { parts: vec![part] }
}

/// A body names the file, unless there is a name beside it: then it is what was written with the file.
fn media(kind: MediaKind, content: &Value) -> Part {
    let mut source = Map::new();
    for key in ["file", "url"] {
        if let Some(value) = content.get(key).filter(|value| !value.is_null()) {
            source.insert(key.to_owned(), value.clone());
            break;
        }
    }
    if source.is_empty() {
        return Part::Other { kind: kind.word().to_owned() };
    }
    let body = content["body"].as_str();
    let filename = content["filename"].as_str();
    let caption = filename.and(body).filter(|body| !body.is_empty() && Some(*body) != filename);
    let info = &content["info"];
    let millis = info["duration"].as_u64();
    Part::Media {
        media: MediaRef {
            kind,
            reference: Value::Object(source).to_string(),
            name: filename.or(body).filter(|name| !name.is_empty()).map(str::to_owned),
            mime: info["mimetype"].as_str().map(str::to_owned),
            size: info["size"].as_u64(),
            duration_secs: millis.and_then(|millis| u32::try_from(millis.div_ceil(1_000)).ok()),
        },
        caption: caption.map(str::to_owned),
    }
}

/// `geo:52.5,13.4;u=35`
fn location(content: &Value) -> Part {
    let geo = content["geo_uri"].as_str().and_then(|uri| uri.strip_prefix("geo:"));
    let place = geo.and_then(|geo| geo.split(';').next()).and_then(|place| place.split_once(','));
    let Some((latitude, rest)) = place else { return Part::Other { kind: "location".into() } };
    let longitude = rest.split(',').next().unwrap_or(rest);
    Part::Location {
        latitude: latitude.to_owned(),
        longitude: longitude.to_owned(),
        name: content["body"].as_str().filter(|body| !body.is_empty()).map(str::to_owned),
    }
}

fn said(body: &str, reply: bool) -> &str {
    if reply { without_fallback(body) } else { body }
}

/// Cuts off the quoted lines that older clients put before a reply, and the empty line after them.
fn without_fallback(body: &str) -> &str {
    if !body.starts_with("> <") && !body.starts_with("> * <") {
        return body;
    }
    let mut rest = body;
    while rest.starts_with('>') {
        match rest.split_once('\n') {
            Some((_, after)) => rest = after,
            None => return body,
        }
    }
    rest.strip_prefix('\n').unwrap_or(rest)
}
