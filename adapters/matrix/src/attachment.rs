//! Files as events of the room. Pure.

use frontdesk_core::{MediaKind, MediaRef, Post, Prepared};
use serde_json::{Value, json};

/// The content of the event; `None` where the post is no file.
pub(crate) fn content(post: &Post, prepared: &Prepared) -> Option<Value> {
    let (media, caption) = post.content.file()?;
    let (key, place) = ["file", "url"].iter().find_map(|key| Some((*key, prepared.0.get(*key)?)))?;
    let name = media.file_name();
    let mut info = json!({});
    if let Some(mime) = media.mime() {
        info["mimetype"] = json!(mime);
    }
    if let Some(size) = prepared.0["size"].as_u64() {
        info["size"] = json!(size);
    }
    let millis = media.duration_secs.map(|secs| u64::from(secs) * 1_000);
    if let Some(millis) = millis {
        info["duration"] = json!(millis);
    }
    let body = caption.filter(|caption| !caption.is_empty()).unwrap_or(&name);
    let mut content = json!({ "msgtype": msgtype(media), "body": body, "filename": name, "info": info, key: place });
    content["m.mentions"] = json!({});
    if media.kind == MediaKind::Voice {
        content["org.matrix.msc3245.voice"] = json!({});
        content["org.matrix.msc1767.audio"] = millis.map_or_else(|| json!({}), |millis| json!({ "duration": millis }));
    }
    Some(content)
}

/// What clients show it as. What they could not show is a file that they can save.
fn msgtype(media: &MediaRef) -> &'static str {
    let is = |class: &str| media.mime().is_none_or(|mime| mime.starts_with(class));
    match media.kind {
        MediaKind::Image if is("image/") => "m.image",
        MediaKind::Video if is("video/") => "m.video",
        MediaKind::Animation | MediaKind::Sticker if media.mime().is_some() && is("image/") => "m.image",
        MediaKind::Animation | MediaKind::Sticker if media.mime().is_some() && is("video/") => "m.video",
        MediaKind::Audio | MediaKind::Voice => "m.audio",
        MediaKind::Image | MediaKind::Video | MediaKind::Animation | MediaKind::Sticker | MediaKind::File => "m.file",
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_core::{Content, Part};

    use super::*;

    fn of(media: MediaRef, caption: Option<&str>, prepared: Value) -> Option<Value> {
        let parts = vec![Part::Media { media, caption: caption.map(Into::into) }];
        content(&Post { content: Content { parts }, ..Post::words("") }, &Prepared(prepared))
    }

    #[test]
    fn a_picture_has_its_words_in_the_body_and_its_name_beside_it() {
        let media = MediaRef {
            name: Some("../cake.jpg".into()),
            mime: Some("image/jpeg".into()),
            ..MediaRef::new(MediaKind::Image, "x")
        };
        let prepared = json!({ "url": "mxc://example.org/a", "size": 7 });
        assert_eq!(
            of(media, Some("Anna: this one"), prepared),
            Some(json!({
                "msgtype": "m.image", "body": "Anna: this one", "filename": "cake.jpg", "url": "mxc://example.org/a",
                "info": { "mimetype": "image/jpeg", "size": 7 }, "m.mentions": {},
            }))
        );
    }

    #[test]
    fn a_voice_message_is_one_and_without_words_the_body_is_the_name() {
        let media = MediaRef { duration_secs: Some(3), ..MediaRef::new(MediaKind::Voice, "x") };
        let content =
            of(media, None, json!({ "file": { "url": "mxc://example.org/a" }, "size": 7 })).unwrap_or_default();
        assert_eq!((&content["msgtype"], &content["body"]), (&json!("m.audio"), &json!("voice-message.ogg")));
        assert_eq!(content["org.matrix.msc3245.voice"], json!({}));
        assert_eq!(
            (&content["info"]["duration"], &content["file"]["url"]),
            (&json!(3000), &json!("mxc://example.org/a"))
        );
    }

    #[test]
    fn what_clients_cannot_show_is_a_file() {
        let kind = |kind, mime: &str| msgtype(&MediaRef { mime: Some(mime.into()), ..MediaRef::new(kind, "x") });
        assert_eq!(kind(MediaKind::Sticker, "image/webp"), "m.image");
        assert_eq!(kind(MediaKind::Sticker, "video/webm"), "m.video");
        assert_eq!(kind(MediaKind::Sticker, "application/x-tgsticker"), "m.file");
        assert_eq!(kind(MediaKind::Animation, "image/gif"), "m.image");
        assert_eq!(kind(MediaKind::File, "image/png"), "m.file");
    }

    #[test]
    fn without_an_upload_it_is_no_file() {
        assert_eq!(of(MediaRef::new(MediaKind::Image, "x"), None, Value::Null), None);
    }
}
