//! A piece of a message on disk: words alone as text, which is how all pieces were kept before there were files.

use frontdesk_core::{Content, Part};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    Words(String),
    Whole(Content),
}

pub(super) fn serialize<S: Serializer>(piece: &Option<Content>, serializer: S) -> Result<S::Ok, S::Error> {
    let kept = piece.as_ref().map(|content| match content.parts.as_slice() {
        [Part::Text { text }] => Kept::Words(text.clone()),
        _ => Kept::Whole(content.clone()),
    });
    kept.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Content>, D::Error> {
    let kept = Option::<Kept>::deserialize(deserializer)?;
    Ok(kept.map(|kept| match kept {
        Kept::Words(text) => Content::text(text),
        Kept::Whole(content) => content,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use frontdesk_core::{MediaKind, MediaRef};

    use super::*;
    use crate::store::{MessageKey, Undelivered};

    #[test]
    fn words_are_kept_as_text_and_a_file_as_it_is() {
        let kept = |piece: Option<Content>| {
            let undelivered = Undelivered { message: MessageKey(1), piece };
            let text = serde_json::to_string(&undelivered).unwrap();
            assert_eq!(serde_json::from_str::<Undelivered>(&text).unwrap(), undelivered);
            text
        };
        assert_eq!(kept(None), r#"{"message":1,"piece":null}"#);
        assert_eq!(kept(Some(Content::text("first"))), r#"{"message":1,"piece":"first"}"#);
        let media = MediaRef::new(MediaKind::Image, "x");
        let file = Content { parts: vec![Part::Media { media, caption: None }] };
        let form = r#"{"message":1,"piece":{"parts":[{"part":"media","media":{"kind":"image","reference":"x"}}]}}"#;
        assert_eq!(kept(Some(file)), form);
        assert_eq!(serde_json::from_str::<Undelivered>(r#"{"message":1}"#).unwrap().piece, None);
    }
}
