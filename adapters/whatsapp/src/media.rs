//! Files on their way out: which kind of message they become, and their upload.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use frontdesk_core::{Address, Media, MediaKind, MediaLimit, MediaRef, MediaStream, Op, Outbound, Prepared, SendError};
use futures::{Stream, StreamExt, stream};
use reqwest::{
    Body,
    multipart::{Form as Multipart, Part},
};
use serde_json::{Value, json};

use crate::{
    adapter::{CAPTION, buckets},
    api::Api,
    failure::unseen,
    send::{Form, refuse},
    wire::{text, written},
};

const KB: u64 = 1000;
const MB: u64 = 1000 * KB;

/// A kind of message with a file, as Meta's documentation has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    word: &'static str,
    types: &'static [&'static str],
    max_bytes: u64,
    caption: bool,
}

const IMAGE: Kind = Kind { word: "image", types: &["image/jpeg", "image/png"], max_bytes: 5 * MB, caption: true };
const VIDEO: Kind = Kind { word: "video", types: &["video/mp4", "video/3gpp"], max_bytes: 16 * MB, caption: true };
const AUDIO: Kind = Kind {
    word: "audio",
    types: &["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"],
    max_bytes: 16 * MB,
    caption: false,
};
const STICKER: Kind = Kind { word: "sticker", types: &["image/webp"], max_bytes: 100 * KB, caption: false };
const MOVING_STICKER: Kind = Kind { max_bytes: 500 * KB, ..STICKER };
const DOCUMENT: Kind = Kind {
    word: "document",
    types: &[
        "application/pdf",
        "text/plain",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "image/jpeg",
        "image/png",
        "image/webp",
        "video/mp4",
        "video/3gpp",
        "audio/aac",
        "audio/amr",
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
    ],
    max_bytes: 100 * MB,
    caption: true,
};

/// What is too large for its own kind goes as a file; a sticker that is too large is none.
pub(crate) const LIMITS: [MediaLimit; 7] = [
    MediaLimit { kind: MediaKind::Image, max_bytes: DOCUMENT.max_bytes, caption: Some(CAPTION) },
    MediaLimit { kind: MediaKind::Video, max_bytes: DOCUMENT.max_bytes, caption: Some(CAPTION) },
    MediaLimit { kind: MediaKind::Animation, max_bytes: DOCUMENT.max_bytes, caption: Some(CAPTION) },
    MediaLimit { kind: MediaKind::Audio, max_bytes: DOCUMENT.max_bytes, caption: None },
    MediaLimit { kind: MediaKind::Voice, max_bytes: DOCUMENT.max_bytes, caption: None },
    MediaLimit { kind: MediaKind::File, max_bytes: DOCUMENT.max_bytes, caption: Some(CAPTION) },
    MediaLimit { kind: MediaKind::Sticker, max_bytes: MOVING_STICKER.max_bytes, caption: None },
];

/// The message with a file that was uploaded.
pub(crate) fn body(media: &MediaRef, words: Option<&str>, prepared: &Prepared) -> Result<Value, SendError> {
    let (Some(id), Some(kind)) = (text(&prepared.0, "/id"), text(&prepared.0, "/type")) else {
        return Err(SendError::Transient("the file was not uploaded yet".into()));
    };
    let mut file = json!({ "id": id });
    if let Some(words) = words {
        file["caption"] = json!(words);
    }
    if kind == DOCUMENT.word {
        file["filename"] = json!(file_name(media));
    }
    Ok(json!({ "type": kind, kind: file }))
}

/// A file that has to be there before its message is sent: unseen, and can be done again.
pub(crate) struct Upload<'a> {
    media: &'a MediaRef,
    words: Option<String>,
    to: &'a Address,
}

impl<'a> Upload<'a> {
    /// The file of a message, if it has one.
    pub fn of(message: &'a Outbound) -> Option<Self> {
        let Op::Post(post) = &message.op else { return None };
        match Form::of(&post.content) {
            Form::Media { media, words } => Some(Self { media, words, to: &message.to }),
            Form::Text(_) | Form::Location { .. } | Form::Contacts(_) => None,
        }
    }

    /// What is uploaded, and as what: words beside it change that.
    pub fn name(&self) -> String {
        format!("{} {}", self.words.is_some(), self.media.reference)
    }

    pub async fn carry_out(self, api: &Api, files: &dyn Media) -> Result<Prepared, SendError> {
        let media = self.media;
        if self.words.as_ref().is_some_and(|words| !CAPTION.fits(words)) {
            return Err(refuse(
                "The words with the file are longer than the 1024 characters that WhatsApp allows there. Send them by \
                 themselves.",
            ));
        }
        let MediaStream { size, mime, mut chunks } = files.open(media).await?;
        let first = match chunks.next().await {
            Some(Ok(first)) => first,
            Some(Err(error)) => return Err(SendError::Transient(format!("the file cannot be read: {error}"))),
            None => return Err(refuse("The file is empty.")),
        };
        let size = size.or(media.size);
        let mime = mime_type(mime.as_deref().or(media.mime.as_deref()), media.name.as_deref());
        let kind = fitting(media.kind, &mime, size, self.words.is_some(), moves(&first))?;
        let guard = Guard::new(kind.max_bytes, size);
        let pieces = guard.watch(stream::iter([Ok(first)]).chain(chunks));
        let form = form(file_name(media), &mime, size, Body::wrap_stream(pieces)).map_err(refuse)?;
        let uploaded = api.upload(form).await;
        if let Some(error) = guard.broken(kind) {
            return Err(error);
        }
        let answer = uploaded.map_err(|error| unseen(error, &buckets(self.to)))?;
        match written(&answer, "/id") {
            Some(id) => Ok(Prepared(json!({ "id": id, "type": kind.word }))),
            None => Err(SendError::Transient("WhatsApp's answer to the upload names no file".into())),
        }
    }
}

/// The kind that a file can go as: its own where it fits, else as a plain file.
fn fitting(kind: MediaKind, mime: &str, size: Option<u64>, words: bool, moves: bool) -> Result<Kind, SendError> {
    let own = match kind {
        MediaKind::Image => IMAGE,
        MediaKind::Video | MediaKind::Animation => VIDEO,
        MediaKind::Audio | MediaKind::Voice => AUDIO,
        MediaKind::Sticker if moves => MOVING_STICKER,
        MediaKind::Sticker => STICKER,
        MediaKind::File => DOCUMENT,
    };
    let fits = |kind: &Kind| kind.types.contains(&mime) && size.is_none_or(|size| size <= kind.max_bytes);
    if let Some(found) = [own, DOCUMENT].into_iter().find(|kind| fits(kind) && (kind.caption || !words)) {
        return Ok(found);
    }
    if size.is_some_and(|size| size > DOCUMENT.max_bytes) {
        return Err(too_large(DOCUMENT));
    }
    Err(refuse(format!(
        "WhatsApp does not take files of the type {mime}. Send it as PDF, JPEG, PNG, MP4 or MP3, or send a link to it."
    )))
}

fn too_large(kind: Kind) -> SendError {
    let (max, unit) = if kind.max_bytes < MB { (kind.max_bytes / KB, "KB") } else { (kind.max_bytes / MB, "MB") };
    refuse(format!(
        "The file is larger than the {max} {unit} that WhatsApp allows. Make it smaller, or send a link to it."
    ))
}

/// Meta's names for types, without parameters; told from the file's name where nobody says.
fn mime_type(said: Option<&str>, name: Option<&str>) -> String {
    let said = said.map(|mime| mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let known = said.filter(|mime| !mime.is_empty() && mime != "application/octet-stream");
    let guessed = || name.and_then(|name| mime_guess::from_path(name).first_raw()).map(str::to_owned);
    let mime = known.or_else(guessed).unwrap_or_else(|| "application/octet-stream".into());
    let mime = match mime.as_str() {
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "audio/mp3" => "audio/mpeg",
        "audio/m4a" | "audio/x-m4a" => "audio/mp4",
        "audio/opus" | "application/ogg" => "audio/ogg",
        other if other.starts_with("text/") => "text/plain",
        other => other,
    };
    mime.to_owned()
}

fn file_name(media: &MediaRef) -> String {
    let name = media.name.as_deref().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\')).take(200).collect();
    if name.trim().is_empty() { media.kind.word().replace(' ', "-") } else { name }
}

/// Whether the beginning of a WebP file says that it moves.
fn moves(first: &[u8]) -> bool {
    first.len() > 20 && first.starts_with(b"RIFF") && &first[8..16] == b"WEBPVP8X" && first[20] & 0b10 != 0
}

fn form(name: String, mime: &str, size: Option<u64>, body: Body) -> Result<Multipart, String> {
    let part = match size {
        Some(size) => Part::stream_with_length(body, size),
        None => Part::stream(body),
    };
    let part = part.file_name(name).mime_str(mime).map_err(|_| format!("`{mime}` is no type of file."))?;
    Ok(Multipart::new().text("messaging_product", "whatsapp").text("type", mime.to_owned()).part("file", part))
}

/// Watches a file as it goes by: it may be longer than it was said to be, and may break off.
#[derive(Clone)]
struct Guard {
    max: u64,
    /// `max` is what was said, and not what is allowed.
    said: bool,
    too_long: Arc<AtomicBool>,
    unread: Arc<AtomicBool>,
}

impl Guard {
    fn new(max: u64, size: Option<u64>) -> Self {
        Self { max: size.unwrap_or(max), said: size.is_some(), too_long: Arc::default(), unread: Arc::default() }
    }

    fn watch(
        &self,
        chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let guard = self.clone();
        let mut seen = 0;
        chunks.map(move |chunk| match chunk {
            Ok(chunk) => {
                seen += chunk.len() as u64;
                if seen <= guard.max {
                    return Ok(chunk);
                }
                guard.too_long.store(true, Ordering::Release);
                Err(io::Error::other("the file is longer than it was said to be"))
            }
            Err(error) => {
                guard.unread.store(true, Ordering::Release);
                Err(error)
            }
        })
    }

    /// What was wrong with the file itself.
    fn broken(&self, kind: Kind) -> Option<SendError> {
        match (self.too_long.load(Ordering::Acquire), self.unread.load(Ordering::Acquire)) {
            (true, _) if !self.said => Some(too_large(kind)),
            (true, _) => Some(SendError::Transient("the file is longer than it was said to be".into())),
            (false, true) => Some(SendError::Transient("the file broke off while it was read".into())),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
#[path = "media_tests.rs"]
mod tests;
