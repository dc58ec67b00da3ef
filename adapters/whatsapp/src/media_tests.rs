#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn goes_as(kind: MediaKind, mime: &str, size: u64, words: bool) -> &'static str {
    fitting(kind, mime, Some(size), words, false).map_or_else(|_| "refused", |kind| kind.word)
}

#[test]
fn a_file_goes_as_its_own_kind_else_as_a_file_else_not_at_all() {
    use MediaKind::{Audio, File, Image, Sticker, Video, Voice};
    let cases = [
        (Image, "image/jpeg", 5 * MB, true, "image"),
        (Image, "image/jpeg", 5 * MB + 1, true, "document"),
        (Image, "image/gif", 1, false, "refused"),
        (Image, "image/webp", 1, false, "document"),
        (Video, "video/mp4", 16 * MB, true, "video"),
        (Video, "video/mp4", 17 * MB, false, "document"),
        (Video, "video/webm", 1, false, "refused"),
        (Voice, "audio/ogg", 1, false, "audio"),
        (Audio, "audio/mpeg", 1, true, "document"),
        (Sticker, "image/webp", 100 * KB, false, "sticker"),
        (Sticker, "image/webp", 101 * KB, false, "document"),
        (Sticker, "image/webp", 1, true, "document"),
        (File, "application/pdf", 100 * MB, true, "document"),
        (File, "application/pdf", 100 * MB + 1, true, "refused"),
        (File, "application/zip", 1, false, "refused"),
    ];
    for (kind, mime, size, words, expected) in cases {
        assert_eq!(goes_as(kind, mime, size, words), expected, "{kind:?} {mime} {size} {words}");
    }
}

#[test]
fn a_moving_sticker_may_be_larger() {
    let as_sticker = |size| fitting(MediaKind::Sticker, "image/webp", Some(size), false, true).unwrap().word;
    assert_eq!((as_sticker(500 * KB), as_sticker(501 * KB)), ("sticker", "document"));
    let mut webp = b"RIFF....WEBPVP8X....\x02...".to_vec();
    assert!(moves(&webp));
    webp[20] = 0x10;
    assert!(!moves(&webp) && !moves(b"RIFF") && !moves(b""));
}

#[test]
fn a_refusal_says_what_to_do() {
    let Err(SendError::Refused { reason, .. }) =
        fitting(MediaKind::File, "application/pdf", Some(101 * MB), false, false)
    else {
        panic!()
    };
    assert!(reason.contains("100 MB") && reason.contains("link"), "{reason}");
}

#[test]
fn the_type_is_metas_own_name_or_told_by_the_files_name() {
    for (said, name, expected) in [
        (Some("image/JPG"), None, "image/jpeg"),
        (Some("audio/ogg; codecs=opus"), None, "audio/ogg"),
        (Some("text/csv"), None, "text/plain"),
        (None, Some("menu.pdf"), "application/pdf"),
        (Some("application/octet-stream"), Some("cake.png"), "image/png"),
        (None, Some("what"), "application/octet-stream"),
        (None, None, "application/octet-stream"),
    ] {
        assert_eq!(mime_type(said, name), expected, "{said:?} {name:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_what_was_said_of_it_is_noticed() {
    let pieces =
        |texts: Vec<io::Result<&'static str>>| stream::iter(texts.into_iter().map(|text| text.map(Bytes::from)));
    let verdict = |size: Option<u64>, texts| async move {
        let guard = Guard::new(4, size);
        let seen: Vec<_> = guard.watch(pieces(texts)).collect().await;
        (seen.iter().all(Result::is_ok), guard.broken(STICKER).map(|error| error.kind()))
    };
    use frontdesk_core::{
        RefusedScope::Content,
        SendErrorKind::{Refused, Transient},
    };
    assert_eq!(verdict(None, vec![Ok("ab"), Ok("cd")]).await, (true, None));
    assert_eq!(verdict(None, vec![Ok("ab"), Ok("cde")]).await, (false, Some(Refused(Content))));
    assert_eq!(verdict(Some(3), vec![Ok("ab"), Ok("cd")]).await, (false, Some(Transient)));
    let breaks = vec![Ok("ab"), Err(io::Error::other("gone"))];
    assert_eq!(verdict(None, breaks).await, (false, Some(Transient)));
}

#[test]
fn a_files_name_is_a_name() {
    let named = |name: Option<&str>| {
        let media = MediaRef {
            kind: MediaKind::Voice,
            reference: "m".into(),
            name: name.map(str::to_owned),
            mime: None,
            size: None,
            duration_secs: None,
        };
        file_name(&media)
    };
    assert_eq!(named(Some("a/b\\c\n.pdf")), "abc.pdf");
    assert_eq!((named(Some(" ")), named(None)), ("voice-message".into(), "voice-message".into()));
}
