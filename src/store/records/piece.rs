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
