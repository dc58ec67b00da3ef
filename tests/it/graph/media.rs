//! Files: kinds and limits, ids that live for days, and addresses that live for minutes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    form::Part,
    sign,
    state::{Refusal, State},
};

#[derive(Clone, Debug)]
pub(super) struct File {
    pub bytes: Vec<u8>,
    pub mime: String,
    until: Timestamp,
    /// How often it was asked for in vain.
    failures: u32,
    gone: bool,
}

/// An address that a file can be loaded from for a while.
#[derive(Clone, Debug)]
pub(super) struct Link {
    id: String,
    until: Timestamp,
}

const DAY: i64 = 24;
/// Of what people sent, and of what the business uploaded.
const RECEIVED: SignedDuration = SignedDuration::from_hours(7 * DAY);
const UPLOADED: SignedDuration = SignedDuration::from_hours(30 * DAY);
const LINK: SignedDuration = SignedDuration::from_mins(5);
/// Who asks more often for what is not there is shut out.
const PATIENCE: u32 = 5;

const MB: usize = 1 << 20;
pub(super) const LARGEST: usize = 100 * MB;

/// The kind of message a file can be sent as: what it may be, and how large.
fn limits(kind: &str) -> (&'static [&'static str], usize) {
    match kind {
        "audio" => (&["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"], 16 * MB),
        "image" => (&["image/jpeg", "image/png"], 5 * MB),
        "video" => (&["video/mp4", "video/3gpp"], 16 * MB),
        "sticker" => (&["image/webp"], 500 << 10),
        "document" => (DOCUMENTS, LARGEST),
        other => panic!("{other} is no kind of file"),
    }
}

const DOCUMENTS: &[&str] = &[
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
];

impl State {
    /// What a person sent.
    pub fn add_received(&mut self, bytes: Vec<u8>, mime: &str) -> String {
        self.add(bytes, mime, RECEIVED)
    }

    fn add(&mut self, bytes: Vec<u8>, mime: &str, lives: SignedDuration) -> String {
        let (id, until) = (format!("{}", 1_003_383_421_000_000 + self.count()), self.now() + lives);
        self.files.insert(id.clone(), File { bytes, mime: mime.to_owned(), until, failures: 0, gone: false });
        id
    }

    pub fn upload(&mut self, parts: &[Part]) -> Result<Value, Refusal> {
        let field = |name: &str| parts.iter().find(|part| part.name == name);
        let text = |name: &str| field(name).map(|part| String::from_utf8_lossy(&part.bytes).into_owned());
        if let Some(unknown) = parts.iter().find(|part| !["messaging_product", "type", "file"].contains(&&*part.name)) {
            return Err(Refusal::parameter(&format!("Unexpected key \"{}\"", unknown.name)));
        }
        if text("messaging_product").as_deref() != Some("whatsapp") {
            return Err(Refusal::parameter("The parameter messaging_product is required."));
        }
        let file = field("file").filter(|file| file.file_name.is_some());
        let file = file.ok_or_else(|| Refusal::parameter("The parameter file is required."))?;
        let declared = text("type").ok_or_else(|| Refusal::parameter("The parameter type is required."))?;
        let mime = essence(file.mime.as_deref().unwrap_or(&declared)).to_owned();
        if mime != essence(&declared) {
            return Err(Refusal::parameter("Param type is another than that of the file"));
        }
        let kinds = ["audio", "image", "video", "sticker", "document"];
        let Some(kind) = kinds.iter().find(|kind| limits(kind).0.contains(&mime.as_str())) else {
            let known: Vec<_> = kinds.iter().flat_map(|kind| limits(kind).0).copied().collect();
            return Err(Refusal::parameter(&format!(
                "Param file must be a file with one of the following types: {}. Received file of type '{mime}'.",
                known.join(", ")
            )));
        };
        if file.bytes.is_empty() || file.bytes.len() > limits(kind).1 {
            return Err(Refusal::parameter(&format!("File size is not between 1 and {} bytes", limits(kind).1)));
        }
        Ok(json!({ "id": self.add(file.bytes.clone(), &mime, UPLOADED) }))
    }

    /// The file can be sent as this kind of message.
    pub fn check_media(&self, kind: &str, content: &Value) -> Result<(), Refusal> {
        let Some(id) = content["id"].as_str() else { return Ok(()) };
        let file = self.files.get(id).filter(|file| !file.gone && file.until > self.now());
        let file = file.ok_or_else(|| Refusal::parameter(&format!("Param {kind}['id'] is not a valid media id")))?;
        let (mimes, most) = limits(kind);
        if !mimes.contains(&file.mime.as_str()) || file.bytes.len() > most {
            return Err(Refusal::new(400, 131_053, "Media upload error").saying(&format!(
                "A file of {} with {} bytes is no {kind}",
                file.mime,
                file.bytes.len()
            )));
        }
        Ok(())
    }

    /// Where a file can be loaded from now.
    pub fn describe(&mut self, id: &str, host: &str) -> Result<Value, Refusal> {
        let (now, link) = (self.now(), self.count());
        let file = self.files.get_mut(id).ok_or_else(Refusal::no_object)?;
        if file.failures >= PATIENCE {
            return Err(Refusal::new(400, 4, "Application request limit reached"));
        }
        if file.gone || file.until <= now {
            file.failures += 1;
            return Err(Refusal::no_object());
        }
        let (size, mime, sum) = (file.bytes.len(), file.mime.clone(), sign::sha256(&file.bytes));
        self.links.insert(link.to_string(), Link { id: id.to_owned(), until: now + LINK });
        Ok(json!({ "messaging_product": "whatsapp", "id": id, "mime_type": mime, "sha256": sum, "file_size": size,
            "url": format!("{host}/whatsapp_business/attachments/?mid={id}&ext={link}") }))
    }

    pub fn download(&self, link: &str) -> Option<File> {
        let link = self.links.get(link).filter(|link| link.until > self.now())?;
        self.files.get(&link.id).filter(|file| !file.gone).cloned()
    }

    /// As after seven days.
    pub fn lose(&mut self, id: &str) {
        self.files.get_mut(id).expect("a file").gone = true;
    }

    /// All addresses are too old.
    pub fn age_links(&mut self) {
        self.links.clear();
    }
}

/// Without its parameters (`audio/ogg; codecs=opus`).
fn essence(mime: &str) -> &str {
    mime.split(';').next().unwrap_or_default().trim()
}
