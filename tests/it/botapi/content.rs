//! What a send carries: checked, and in the shape in which messages hold it.

use serde_json::{Value, json};

use super::state::{Refusal, State, merge};
use super::wire::Input;

/// The emoji that a bot may react with.
pub(super) const REACTIONS: &str = "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u{200d}🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 \
    😭 🤓 👻 👨\u{200d}💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷\u{200d}♂ 🤷 🤷\u{200d}♀ 😡";

/// The field of the message that holds the content, and all the fields that the message gets.
pub(super) fn of(state: &mut State, method: &str, input: &mut Input) -> Result<(&'static str, Value), Refusal> {
    let params = &input.params;
    match method {
        "sendmessage" => Ok(("text", json!({ "text": text(params)? }))),
        "sendlocation" => Ok(("location", json!({ "location": pick(params, &["latitude", "longitude"]) }))),
        "sendcontact" => {
            Ok(("contact", json!({ "contact": pick(params, &["phone_number", "first_name", "last_name"]) })))
        }
        "sendvenue" => {
            let mut venue = pick(params, &["title", "address"]);
            venue["location"] = pick(params, &["latitude", "longitude"]);
            Ok(("venue", json!({ "venue": venue, "location": venue["location"] })))
        }
        "senddice" => Ok(("dice", json!({ "dice": { "emoji": "🎲", "value": 4 } }))),
        _ => media(state, method, input),
    }
}

/// Telegram trims what it shows.
pub(super) fn text(params: &Value) -> Result<String, Refusal> {
    let text = params["text"].as_str().unwrap_or_default().trim();
    match text.encode_utf16().count() {
        0 => Err(Refusal::bad("message text is empty")),
        1..=4096 => Ok(text.to_owned()),
        _ => Err(Refusal::bad("message is too long")),
    }
}

pub(super) fn caption(params: &Value) -> Result<Option<String>, Refusal> {
    let caption = params["caption"].as_str().map(str::trim).filter(|caption| !caption.is_empty());
    if caption.is_some_and(|caption| caption.encode_utf16().count() > 1024) {
        return Err(Refusal::bad("message caption is too long"));
    }
    Ok(caption.map(str::to_owned))
}

const MEDIA: [&str; 8] = ["photo", "document", "video", "voice", "audio", "animation", "sticker", "video_note"];

fn media(state: &mut State, method: &str, input: &mut Input) -> Result<(&'static str, Value), Refusal> {
    let kind = MEDIA.into_iter().find(|kind| method == format!("send{}", kind.replace('_', "")));
    let kind = kind.ok_or_else(|| Refusal::new(404, "Not Found"))?;
    let (file, upload) = file_of(state, kind, input)?;
    let caption = caption(&input.params)?;
    let mut described = describe(kind, &file, state.files[&file].len());
    if let Some((name, mime)) = upload.filter(|_| matches!(kind, "document" | "video" | "audio" | "animation")) {
        merge(&mut described, json!({ "file_name": name, "mime_type": mime }));
    }
    let mut content = json!({ kind: described });
    if let Some(caption) = caption {
        merge(&mut content, json!({ "caption": caption }));
    }
    Ok((kind, content))
}

/// An upload becomes a file of the platform; anything else must be the id of one.
/// With its name and type, where it was brought with the call.
fn file_of(state: &mut State, kind: &str, input: &mut Input) -> Result<(String, Option<(String, String)>), Refusal> {
    let named = input.params[kind].as_str().unwrap_or_default().to_owned();
    let upload = input.files.remove(named.strip_prefix("attach://").unwrap_or(kind));
    match upload {
        Some(upload) if upload.bytes.is_empty() => Err(Refusal::bad("file must be non-empty")),
        Some(upload) if upload.bytes.len() > 50 << 20 => Err(Refusal::new(413, "Request Entity Too Large")),
        Some(upload) if kind == "photo" && upload.bytes.len() > 10 << 20 => {
            Err(Refusal::bad("file is too big for a photo; the maximum size is 10485760 bytes"))
        }
        // What no decoder could read.
        Some(upload) if kind == "photo" && upload.bytes.starts_with(b"not a picture") => {
            Err(Refusal::bad("IMAGE_PROCESS_FAILED"))
        }
        Some(upload) => Ok((state.add_file(upload.bytes), Some((upload.name, upload.mime)))),
        None if state.files.contains_key(&named) => Ok((named, None)),
        None => Err(Refusal::bad("wrong file identifier/HTTP URL specified")),
    }
}

impl State {
    pub(super) fn add_file(&mut self, bytes: Vec<u8>) -> String {
        let id = format!("file-{}", self.files.len() + 1);
        self.files.insert(id.clone(), bytes);
        id
    }
}

/// The description of a file as a message of this kind holds it.
pub(super) fn describe(kind: &str, file: &str, size: usize) -> Value {
    let mut media = json!({ "file_id": file, "file_unique_id": format!("unique-{file}"), "file_size": size });
    let more = match kind {
        "photo" => json!({ "width": 640, "height": 480 }),
        "video" | "animation" => json!({ "width": 640, "height": 480, "duration": 3, "mime_type": "video/mp4" }),
        "voice" => json!({ "duration": 3, "mime_type": "audio/ogg" }),
        "audio" => json!({ "duration": 3, "mime_type": "audio/mpeg" }),
        "video_note" => json!({ "length": 240, "duration": 3 }),
        "sticker" => json!({ "type": "regular", "width": 512, "height": 512, "is_animated": false, "is_video": false,
            "emoji": "👍" }),
        _ => json!({ "file_name": "file.pdf", "mime_type": "application/pdf" }),
    };
    merge(&mut media, more);
    if kind == "photo" { json!([media]) } else { media }
}

fn pick(params: &Value, fields: &[&str]) -> Value {
    let picked = fields.iter().filter(|field| !params[**field].is_null());
    picked.map(|field| ((*field).to_owned(), params[*field].clone())).collect::<serde_json::Map<_, _>>().into()
}
