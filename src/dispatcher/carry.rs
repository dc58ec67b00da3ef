//! In which rows a message goes to a place: files as files where its platform takes them, all else as words.

use frontdesk_core::{Capabilities, Content, Limit, MediaLimit, MediaRef, NotCarried, Part, TextUnit};

use super::Draft;
use crate::{
    desk,
    store::{Author, Identity, MessageRecord, Target},
};

/// Where nothing is known of a platform.
const CAUTIOUS: Limit = Limit { max: 4000, unit: TextUnit::Bytes };

/// Who speaks, as it is shown where the message goes.
enum Voice {
    /// Begins with the name, so that a desk without threads shows it too.
    Customer { name: String },
    /// As written, with the signature that the owner wants.
    Operator { sign: Option<String> },
}

impl Draft<'_> {
    /// A customer's words and files for the desk.
    pub fn relayed(&self, target: &Target, identity: &Identity, content: &Content, forwarded: bool) -> Vec<Content> {
        let name = desk::speaker(identity, forwarded);
        self.rows(target, content, &Voice::Customer { name })
    }

    /// An operator's words and files for the customer.
    pub fn answered_with(&self, target: &Target, message: &MessageRecord, content: &Content) -> Vec<Content> {
        let conversation = self.case.conversation.as_ref();
        let sign = conversation.and_then(|conversation| self.desk(&conversation.desk).sign.as_ref());
        let sign = match &message.author {
            Author::Operator { name, .. } => sign.map(|sign| desk::signature(sign, name)),
            Author::Customer | Author::Note { .. } | Author::Business | Author::Automatic { .. } | Author::Program => {
                None
            }
        };
        self.rows(target, content, &Voice::Operator { sign })
    }

    /// Whether a part of it goes there as a file, so that an edit cannot change it there.
    pub fn has_file_at(&self, target: &Target, content: &Content) -> bool {
        let can = self.capabilities(target);
        content.parts.iter().any(|part| matches!(part, Part::Media { media, .. } if as_file(can, media).is_ok()))
    }

    /// Why a message cannot go to the customer as it is, for who wrote it; `None` when it can.
    pub fn not_carried(&self, target: &Target, content: &Content) -> Option<String> {
        let can = self.capabilities(target);
        content.parts.iter().find_map(|part| match part {
            Part::Text { .. } => None,
            Part::Media { media, .. } => as_file(can, media).err().map(|why| desk::file_not_sent(media, why)),
            Part::Location { .. } | Part::Contact { .. } | Part::Other { .. } => Some(desk::ONLY_WORDS.to_owned()),
        })
    }

    fn rows(&self, target: &Target, content: &Content, voice: &Voice) -> Vec<Content> {
        let can = self.capabilities(target);
        let text = can.map_or(CAUTIOUS, |can| can.text);
        let (mut rows, mut words) = (Vec::new(), Vec::new());
        for part in &content.parts {
            match part {
                Part::Media { media, caption } => match as_file(can, media) {
                    Ok(limit) => {
                        flush(&mut words, voice, text, &mut rows);
                        rows.extend(file(media, caption.as_deref().unwrap_or_default(), limit, voice, text));
                    }
                    Err(why) => words.push(in_words(part, media, why)),
                },
                Part::Text { .. } | Part::Location { .. } | Part::Contact { .. } | Part::Other { .. } => {
                    words.push(part.readable());
                }
            }
        }
        flush(&mut words, voice, text, &mut rows);
        rows
    }
}

fn as_file(can: Option<&Capabilities>, media: &MediaRef) -> Result<MediaLimit, NotCarried> {
    can.map_or(Err(NotCarried::Never), |can| can.carries(media))
}

fn in_words(part: &Part, media: &MediaRef, why: NotCarried) -> String {
    match why {
        NotCarried::Never => part.readable(),
        NotCarried::TooLarge { .. } => format!("{}\n{}", part.readable(), desk::file_not_shown(media, why)),
    }
}

fn flush(words: &mut Vec<String>, voice: &Voice, limit: Limit, rows: &mut Vec<Content>) {
    if !words.is_empty() {
        let text = voice.says(&words.join("\n"));
        rows.extend(limit.split(&text).into_iter().map(Content::text));
        words.clear();
    }
}

/// The file, with its words where they fit beside it; else they follow.
fn file(media: &MediaRef, words: &str, limit: MediaLimit, voice: &Voice, text: Limit) -> Vec<Content> {
    let media = MediaRef { kind: limit.kind, ..media.clone() };
    let said = voice.over(words);
    let fits = limit.caption.is_some_and(|caption| said.as_deref().is_none_or(|said| caption.fits(said)));
    if fits {
        return vec![Content { parts: vec![Part::Media { media, caption: said }] }];
    }
    let label = Part::Media { media: media.clone(), caption: None }.readable();
    let caption = voice.alone().filter(|name| limit.caption.is_some_and(|caption| caption.fits(name)));
    let after = match (words.is_empty(), voice) {
        (false, _) => voice.says(words),
        // Who speaks has to be told.
        (true, Voice::Customer { .. }) => voice.says(&label),
        (true, Voice::Operator { .. }) => String::new(),
    };
    let mut rows = vec![Content { parts: vec![Part::Media { media, caption }] }];
    rows.extend(text.split(&after).into_iter().map(Content::text));
    rows
}

impl Voice {
    fn says(&self, words: &str) -> String {
        match self {
            Self::Customer { name } => format!("{name}: {words}"),
            Self::Operator { sign: None } => words.to_owned(),
            Self::Operator { sign: Some(sign) } => format!("{words}\n\n{sign}"),
        }
    }

    /// Beside a file.
    fn over(&self, words: &str) -> Option<String> {
        match (self, words.is_empty()) {
            (_, false) => Some(self.says(words)),
            (Self::Customer { name }, true) => Some(name.clone()),
            (Self::Operator { sign }, true) => sign.clone(),
        }
    }

    /// Beside a file whose words follow.
    fn alone(&self) -> Option<String> {
        match self {
            Self::Customer { name } => Some(name.clone()),
            Self::Operator { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::MediaKind;

    use super::*;

    const TEXT: Limit = Limit { max: 60, unit: TextUnit::Chars };

    fn sent(words: &str, caption: Option<usize>, voice: &Voice) -> Vec<String> {
        let media = MediaRef { name: Some("cake.jpg".into()), ..MediaRef::new(MediaKind::Image, "x") };
        let caption = caption.map(|max| Limit { max, unit: TextUnit::Chars });
        let limit = MediaLimit { kind: MediaKind::Image, max_bytes: 9, caption };
        file(&media, words, limit, voice, TEXT).iter().map(Content::readable).collect()
    }

    #[test]
    fn a_caption_stays_with_its_file_and_follows_it_where_it_does_not_fit() {
        let anna = Voice::Customer { name: "Anna".into() };
        assert_eq!(sent("Like this?", Some(20), &anna), ["[picture: cake.jpg] Anna: Like this?"]);
        assert_eq!(sent("", Some(20), &anna), ["[picture: cake.jpg] Anna"]);
        assert_eq!(sent("Like this one?", Some(10), &anna), ["[picture: cake.jpg] Anna", "Anna: Like this one?"]);
        assert_eq!(sent("", None, &anna), ["[picture: cake.jpg]", "Anna: [picture: cake.jpg]"]);
    }

    #[test]
    fn an_operators_file_goes_as_it_is_with_the_signature_once() {
        let plain = Voice::Operator { sign: None };
        assert_eq!(sent("", Some(20), &plain), ["[picture: cake.jpg]"]);
        assert_eq!(sent("", None, &plain), ["[picture: cake.jpg]"]);
        assert_eq!(sent("Here", None, &plain), ["[picture: cake.jpg]", "Here"]);
        let signed = Voice::Operator { sign: Some("Ann".into()) };
        assert_eq!(sent("Here", Some(20), &signed), ["[picture: cake.jpg] Here\n\nAnn"]);
        assert_eq!(sent("Here it is", Some(8), &signed), ["[picture: cake.jpg]", "Here it is\n\nAnn"]);
        assert_eq!(sent("", Some(20), &signed), ["[picture: cake.jpg] Ann"]);
    }
}
