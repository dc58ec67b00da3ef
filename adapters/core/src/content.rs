use serde::{Deserialize, Serialize};

use crate::file_name;

/// What a message says: parts in order, so that formatting and media need no new type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// Plain text: data, never markup.
    Text { text: String },
    /// A file that lies on the platform it came from; `caption` is what was written with it.
    Media {
        media: MediaRef,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
    },
    /// Degrees (WGS 84).
    Location {
        latitude: String,
        longitude: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A person's card.
    Contact { name: String, phones: Vec<String> },
    /// Something that this version cannot carry: what it was, in the platform's word.
    Other { kind: String },
}

/// Where to fetch a file. It stays on its platform until the moment it is sent on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRef {
    pub kind: MediaKind,
    /// The platform's own reference, opaque to everyone but the channel's adapter.
    pub reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Bytes, where the platform says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Seconds, for sound and film.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_secs: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
    Animation,
    Audio,
    Voice,
    File,
    Sticker,
}

impl MediaRef {
    #[must_use]
    pub fn new(kind: MediaKind, reference: impl Into<String>) -> Self {
        Self { kind, reference: reference.into(), name: None, mime: None, size: None, duration_secs: None }
    }

    /// What it can be sent as, the best first.
    pub(crate) fn forms(&self) -> &'static [MediaKind] {
        use MediaKind::{Animation, Audio, File, Image, Sticker, Video, Voice};
        let is = |class: &str| self.mime.as_deref().is_some_and(|mime| mime.starts_with(class));
        match self.kind {
            Image => &[Image, File],
            Video => &[Video, File],
            Animation if is("image/") => &[Animation, Image, File],
            Animation => &[Animation, Video, File],
            Audio => &[Audio, File],
            Voice => &[Voice, Audio, File],
            File => &[File],
            Sticker if is("video/") => &[Sticker, Video, File],
            Sticker if is("image/") => &[Sticker, Image, File],
            Sticker => &[Sticker, File],
        }
    }
}

impl MediaKind {
    /// What people call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "picture",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Audio => "audio file",
            Self::Voice => "voice message",
            Self::File => "file",
            Self::Sticker => "sticker",
        }
    }
}

impl Content {
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![Part::Text { text: text.into() }] }
    }

    /// The file and its caption, where that is the whole message: what an adapter carries natively. Anything else goes as
    /// [`Content::readable`].
    #[must_use]
    pub fn file(&self) -> Option<(&MediaRef, Option<&str>)> {
        match self.parts.as_slice() {
            [Part::Media { media, caption }] => Some((media, caption.as_deref())),
            _ => None,
        }
    }

    /// What a person typed, without the parts that are no words: text and captions, a line each.
    #[must_use]
    pub fn words(&self) -> String {
        let words = self.parts.iter().filter_map(|part| match part {
            Part::Text { text } => Some(text.as_str()),
            Part::Media { caption, .. } => caption.as_deref(),
            Part::Location { .. } | Part::Contact { .. } | Part::Other { .. } => None,
        });
        words.collect::<Vec<_>>().join("\n")
    }

    /// The whole message as text, for where a part cannot be carried natively: `[picture: cake.jpg] For Saturday?`
    #[must_use]
    pub fn readable(&self) -> String {
        self.parts.iter().map(Part::readable).collect::<Vec<_>>().join("\n")
    }
}

impl Part {
    /// The part as text.
    #[must_use]
    pub fn readable(&self) -> String {
        match self {
            Self::Text { text } => text.clone(),
            Self::Media { media, caption } => {
                let label = match media.name.as_deref().and_then(file_name::safe) {
                    Some(name) => format!("[{}: {name}]", media.kind.word()),
                    None => format!("[{}]", media.kind.word()),
                };
                match caption {
                    Some(caption) if !caption.is_empty() => format!("{label} {caption}"),
                    Some(_) | None => label,
                }
            }
            Self::Location { latitude, longitude, name } => {
                let place = name.as_deref().map(|name| format!("{name}, ")).unwrap_or_default();
                format!("[location: {place}{latitude}, {longitude}]")
            }
            Self::Contact { name, phones } if phones.is_empty() => format!("[contact: {name}]"),
            Self::Contact { name, phones } => format!("[contact: {name}, {}]", phones.join(", ")),
            Self::Other { kind } => format!("[{kind}, which cannot be shown here yet]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_reads_as_a_line_with_its_caption() {
        let media = MediaRef::new(MediaKind::Image, "AgAC");
        let content = Content { parts: vec![Part::Media { media, caption: Some("For Saturday?".into()) }] };
        assert_eq!(content.readable(), "[picture] For Saturday?");
        assert_eq!(content.words(), "For Saturday?");
    }
}
