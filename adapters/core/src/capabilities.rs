use std::time::Duration;

use crate::{Bucket, MediaKind};

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

    #[test]
    fn a_short_text_stays_whole() {
        let limit = Limit { max: 4096, unit: TextUnit::Utf16 };
        assert_eq!(limit.split("Hi"), ["Hi"]);
    }
}
