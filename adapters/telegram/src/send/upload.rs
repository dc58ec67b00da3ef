//! Files to Telegram, passed on as they come.

use frontdesk_core::{Media, MediaKind, MediaRef, MediaStream, Post, SendError, Sent, Style};
use reqwest::{
    Body,
    multipart::{Form, Part},
};
use serde_json::json;
use teloxide::types::ThreadId;

use super::{Place, message_id};
use crate::{
    api::{Api, UploadError},
    failure::upload_error,
};

/// A larger picture is only taken as a plain file.
const PHOTO: u64 = 10 << 20;

/// What clients show a file as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Photo,
    Video,
    Animation,
    Audio,
    Voice,
    Sticker,
    Document,
}

/// One file with its caption. Whatever is refused here was not shown, so what is tried after it is the only message.
pub(super) async fn post(
    api: &Api,
    place: &Place,
    post: &Post,
    file: &MediaRef,
    caption: Option<&str>,
    media: &dyn Media,
) -> Result<Sent, SendError> {
    let (mut thread, mut plain) = (place.thread, false);
    loop {
        let stream = media.open(file).await?;
        let shape = if plain { Shape::Document } else { Shape::of(file, stream.size) };
        let form = form(place, thread, post, shape, caption).part("file", part(file, stream));
        match api.upload(shape.method(), form).await {
            Ok(sent) => return Ok(Sent::one(sent.message_id.to_string())),
            Err(error) if thread.is_some() && says(&error, &["message thread not found"]) => thread = None,
            Err(error) if shape != Shape::Document && says(&error, NOT_AS_THIS) => plain = true,
            Err(error) => return Err(upload_error(error, place.bucket.clone())),
        }
    }
}

/// What Telegram does not take in this shape, but as a plain file.
const NOT_AS_THIS: &[&str] = &[
    "photo_invalid_dimensions",
    "image_process_failed",
    "photo_ext_invalid",
    "photo_save_file_invalid",
    "voice_messages_forbidden",
    "sticker_png_dimensions",
    "wrong file type",
    "can't use file of type",
];

fn says(error: &UploadError, words: &[&str]) -> bool {
    let UploadError::Refused { description, .. } = error else { return false };
    let description = description.to_lowercase();
    words.iter().any(|words| description.contains(words))
}

fn form(place: &Place, thread: Option<ThreadId>, post: &Post, shape: Shape, caption: Option<&str>) -> Form {
    // Names that are made safe hold nothing that would need to be encoded, and Telegram reads them as they are.
    let mut form = Form::new().percent_encode_noop().text("chat_id", place.chat.0.to_string());
    if let Some(thread) = thread {
        form = form.text("message_thread_id", thread.0.0.to_string());
    }
    if post.style == Style::Notice {
        form = form.text("disable_notification", "true");
    }
    if let Some(id) = post.reply_to.as_ref().and_then(|id| message_id(id).ok()) {
        let reply = json!({ "message_id": id.0, "allow_sending_without_reply": true });
        form = form.text("reply_parameters", reply.to_string());
    }
    if let Some(caption) = caption.filter(|caption| shape != Shape::Sticker && !caption.trim().is_empty()) {
        form = form.text("caption", caption.to_owned());
    }
    if shape == Shape::Document {
        // It stays the file that it is.
        form = form.text("disable_content_type_detection", "true");
    }
    form.text(shape.field(), "attach://file")
}

fn part(file: &MediaRef, stream: MediaStream) -> Part {
    let body = |stream: MediaStream| Body::wrap_stream(stream.chunks);
    let part = match stream.size {
        Some(size) => Part::stream_with_length(body(stream), size),
        None => Part::stream(body(stream)),
    };
    let mut head = reqwest::header::HeaderMap::new();
    if let Some(mime) = file.mime().and_then(|mime| mime.parse().ok()) {
        head.insert(reqwest::header::CONTENT_TYPE, mime);
    }
    part.headers(head).file_name(file.file_name())
}

impl Shape {
    /// What Telegram's documentation says of each method, from what is known of the file.
    fn of(file: &MediaRef, size: Option<u64>) -> Self {
        let is = |known: &[&str]| file.mime().is_none_or(|mime| known.contains(&mime.to_lowercase().as_str()));
        let photo = is(&["image/jpeg", "image/png", "image/webp"]) && size.is_none_or(|size| size <= PHOTO);
        let gif = file.mime() == Some("image/gif");
        match file.kind {
            MediaKind::Image if gif => Self::Animation,
            MediaKind::Image if photo => Self::Photo,
            MediaKind::Video if is(&["video/mp4"]) => Self::Video,
            MediaKind::Animation if is(&["video/mp4", "image/gif"]) => Self::Animation,
            MediaKind::Audio if is(&["audio/mpeg", "audio/mp3", "audio/mp4", "audio/x-m4a"]) => Self::Audio,
            MediaKind::Voice if is(&["audio/ogg", "audio/mpeg", "audio/mp4", "audio/x-m4a"]) => Self::Voice,
            MediaKind::Sticker if is(&["image/webp", "application/x-tgsticker", "video/webm"]) => Self::Sticker,
            MediaKind::Sticker if gif => Self::Animation,
            MediaKind::Sticker if photo => Self::Photo,
            MediaKind::Image
            | MediaKind::Video
            | MediaKind::Animation
            | MediaKind::Audio
            | MediaKind::Voice
            | MediaKind::Sticker
            | MediaKind::File => Self::Document,
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Photo => "SendPhoto",
            Self::Video => "SendVideo",
            Self::Animation => "SendAnimation",
            Self::Audio => "SendAudio",
            Self::Voice => "SendVoice",
            Self::Sticker => "SendSticker",
            Self::Document => "SendDocument",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Audio => "audio",
            Self::Voice => "voice",
            Self::Sticker => "sticker",
            Self::Document => "document",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(kind: MediaKind, mime: &str, size: u64) -> Shape {
        Shape::of(&MediaRef { mime: Some(mime.into()), ..MediaRef::new(kind, "x") }, Some(size))
    }

    #[test]
    fn a_file_is_shown_as_what_it_is_where_telegram_takes_it_so() {
        assert_eq!(shape(MediaKind::Image, "image/png", PHOTO), Shape::Photo);
        assert_eq!(shape(MediaKind::Image, "image/png", PHOTO + 1), Shape::Document);
        assert_eq!(shape(MediaKind::Image, "image/gif", 1), Shape::Animation);
        assert_eq!(shape(MediaKind::Image, "image/heic", 1), Shape::Document);
        assert_eq!(shape(MediaKind::Video, "video/webm", 1), Shape::Document);
        assert_eq!(shape(MediaKind::Voice, "audio/ogg", 1), Shape::Voice);
        assert_eq!(shape(MediaKind::Audio, "audio/ogg", 1), Shape::Document);
        assert_eq!(shape(MediaKind::Sticker, "image/png", 1), Shape::Photo);
        assert_eq!(shape(MediaKind::File, "video/mp4", 1), Shape::Document);
        assert_eq!(Shape::of(&MediaRef::new(MediaKind::Image, "x"), None), Shape::Photo);
    }
}
