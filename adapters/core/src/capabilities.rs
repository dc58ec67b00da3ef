use std::time::Duration;

use crate::{Bucket, MediaKind, MediaRef};

/// What a channel can do, as data. Whoever decides asks here, never for a channel's name or kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Capabilities {
    /// The longest text of one message.
    pub text: Limit,
    pub media: Vec<MediaLimit>,
    /// For how long a message of ours can be edited; `None`: never.
    pub edit: Option<Duration>,
    /// For how long a message of ours can be deleted; `None`: never.
    pub delete: Option<Duration>,
    pub replies: bool,
    pub reactions: bool,
    /// Has threads, topics or rooms for conversations: can be a desk.
    pub threads: bool,
    /// A message that begins with `/` is a command there, not words.
    pub slash_commands: bool,
    pub typing: bool,
    /// Tells us when a customer has read.
    pub receipts: bool,
    /// For how long after the customer's last message the business may write; `None`: always.
    pub reply_window: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub max: usize,
    pub unit: TextUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextUnit {
    Bytes,
    Utf16,
    Chars,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaLimit {
    pub kind: MediaKind,
    pub max_bytes: u64,
    /// The longest text beside a file of this kind; `None`: there can be none.
    pub caption: Option<Limit>,
}

/// Why a file cannot be carried as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCarried {
    /// The channel takes no such files.
    Never,
    TooLarge {
        bytes: u64,
        max_bytes: u64,
    },
}

/// How fast a bucket may be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    pub bucket: Bucket,
    pub rate: Rate,
}

/// `burst` sends at once, then one for each `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    pub every: Duration,
}

impl Capabilities {
    /// As what a file can be carried: as what it is, else as something like it. One of unknown size may turn out to be too
    /// large when it comes.
    pub fn carries(&self, media: &MediaRef) -> Result<MediaLimit, NotCarried> {
        let bytes = media.size.unwrap_or_default();
        if let Some(limit) = self.limits(media).find(|limit| bytes <= limit.max_bytes) {
            return Ok(*limit);
        }
        Err(self.most(media).map_or(NotCarried::Never, |max_bytes| NotCarried::TooLarge { bytes, max_bytes }))
    }

    /// How large such a file can be, in whatever form it is carried; `None`: in none.
    #[must_use]
    pub fn most(&self, media: &MediaRef) -> Option<u64> {
        self.limits(media).map(|limit| limit.max_bytes).max()
    }

    fn limits(&self, media: &MediaRef) -> impl Iterator<Item = &MediaLimit> {
        media.forms().iter().filter_map(|form| self.media.iter().find(|limit| limit.kind == *form))
    }
}

impl Limit {
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        self.measure(text) <= self.max
    }

    /// Cuts a text into pieces that fit: at a paragraph, else a line, else a sentence, else a word, and inside a word
    /// only when it must be. Nothing but the white space at a cut is left out.
    #[must_use]
    pub fn split(self, text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        let mut rest = text.trim_end();
        while !self.fits(rest) {
            let cut = self.cut(rest);
            let (piece, tail) = rest.split_at(cut);
            pieces.push(piece.trim_end().to_owned());
            rest = tail.trim_start();
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(rest.to_owned());
        }
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    fn measure(self, text: &str) -> usize {
        match self.unit {
            TextUnit::Bytes => text.len(),
            TextUnit::Utf16 => text.encode_utf16().count(),
            TextUnit::Chars => text.chars().count(),
        }
    }

    /// The best place to cut: as late as possible in the last half of what fits, at the strongest break there.
    fn cut(self, text: &str) -> usize {
        let end = self.prefix(text);
        let (head, half) = (&text[..end], end / 2);
        let strongest = ["\n\n", "\n", ". ", "! ", "? ", "。", " "];
        strongest
            .iter()
            .filter_map(|mark| head.rfind(mark).map(|at| at + mark.len()))
            .find(|at| *at > half)
            .unwrap_or(end)
    }

    /// The longest prefix that fits, at least one character.
    fn prefix(self, text: &str) -> usize {
        let mut used = 0;
        for (at, c) in text.char_indices() {
            used += match self.unit {
                TextUnit::Bytes => c.len_utf8(),
                TextUnit::Utf16 => c.len_utf16(),
                TextUnit::Chars => 1,
            };
            if used > self.max {
                return at.max(c.len_utf8().min(text.len()));
            }
        }
        text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_sentence() {
        let limit = Limit { max: 24, unit: TextUnit::Utf16 };
        assert_eq!(
            limit.split("We open at nine. See you tomorrow then."),
            ["We open at nine.", "See you tomorrow then."]
        );
    }

    #[test]
    fn a_word_is_cut_only_when_it_must_be_and_never_inside_a_character() {
        let limit = Limit { max: 3, unit: TextUnit::Utf16 };
        assert_eq!(limit.split("🍞🍞🍞"), ["🍞", "🍞", "🍞"]);
        assert_eq!(limit.split("abcdef"), ["abc", "def"]);
    }

    fn takes(media: &[(MediaKind, u64)]) -> Capabilities {
        let limit = |&(kind, max_bytes)| MediaLimit { kind, max_bytes, caption: None };
        Capabilities {
            text: Limit { max: 100, unit: TextUnit::Chars },
            media: media.iter().map(limit).collect(),
            edit: None,
            delete: None,
            replies: false,
            reactions: false,
            threads: false,
            slash_commands: false,
            typing: false,
            receipts: false,
            reply_window: None,
        }
    }

    #[test]
    fn a_file_goes_as_what_it_is_or_as_something_like_it_or_not_at_all() {
        let can = takes(&[(MediaKind::File, 50), (MediaKind::Image, 10), (MediaKind::Video, 20)]);
        let carried = |kind, size, mime: &str| {
            let media = MediaRef { size, mime: Some(mime.into()), ..MediaRef::new(kind, "x") };
            can.carries(&media).map(|limit| limit.kind)
        };
        assert_eq!(carried(MediaKind::Image, Some(10), "image/png"), Ok(MediaKind::Image));
        assert_eq!(carried(MediaKind::Image, Some(11), "image/png"), Ok(MediaKind::File));
        assert_eq!(carried(MediaKind::Image, None, "image/png"), Ok(MediaKind::Image));
        assert_eq!(carried(MediaKind::Sticker, Some(1), "image/webp"), Ok(MediaKind::Image));
        assert_eq!(carried(MediaKind::Animation, Some(1), "video/mp4"), Ok(MediaKind::Video));
        assert_eq!(carried(MediaKind::Animation, Some(1), "image/gif"), Ok(MediaKind::Image));
        assert_eq!(carried(MediaKind::Voice, Some(1), "audio/ogg"), Ok(MediaKind::File));
        let too_large = NotCarried::TooLarge { bytes: 51, max_bytes: 50 };
        assert_eq!(carried(MediaKind::Video, Some(51), "video/mp4"), Err(too_large));
        assert_eq!(
            takes(&[(MediaKind::Image, 9)]).carries(&MediaRef::new(MediaKind::File, "x")),
            Err(NotCarried::Never)
        );
    }

    #[test]
    fn a_short_text_stays_whole() {
        let limit = Limit { max: 4096, unit: TextUnit::Utf16 };
        assert_eq!(limit.split("Hi"), ["Hi"]);
    }
}
