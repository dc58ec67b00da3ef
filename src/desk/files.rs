//! What is said of files that do not come through.

use frontdesk_core::{Content, MediaRef, NotCarried, Part};

pub const ONLY_WORDS: &str =
    "places, contacts and the like cannot be carried to the customer yet. Words and files can.";

/// To an operator, before anything was sent.
#[must_use]
pub fn file_not_sent(media: &MediaRef, why: NotCarried) -> String {
    let word = media.kind.word();
    match why {
        NotCarried::Never => format!("a {word} cannot be sent to the customer's app. Words can."),
        NotCarried::TooLarge { bytes, max_bytes } => format!(
            "this {word} has {}, and the customer's app takes {} at most. Send a smaller one, or a link.",
            size(bytes, true),
            size(max_bytes, false)
        ),
    }
}

/// Under the readable form of a customer's file that the desk cannot show.
#[must_use]
pub fn file_not_shown(media: &MediaRef, why: NotCarried) -> String {
    let word = media.kind.word();
    match why {
        NotCarried::Never => format!("(A {word} cannot be shown here.)"),
        NotCarried::TooLarge { bytes, max_bytes } => {
            let (bytes, max) = (size(bytes, true), size(max_bytes, false));
            format!("(This {word} cannot be shown here: it has {bytes}, and {max} is the most.)")
        }
    }
}

/// What stands in a file's place that could not be had. It begins with the caption, and so with whose it is.
#[must_use]
pub fn without_file(media: &MediaRef, caption: Option<&str>, reason: &str) -> Content {
    let label = Part::Media { media: media.clone(), caption: None }.readable();
    let line = format!("{label} (not shown: {} !retry tries again.)", sentence(reason));
    Content::text(caption.map_or_else(|| line.clone(), |caption| format!("{caption}\n{line}")))
}

/// As a reason: why a file was not passed on when it came.
#[must_use]
pub fn too_large(media: &MediaRef, bytes: u64, max_bytes: u64) -> String {
    let word = media.kind.word();
    format!("the {word} has {}, and {} is the most that is taken.", size(bytes, true), size(max_bytes, false))
}

fn sentence(reason: &str) -> String {
    format!("{}.", reason.trim_end_matches('.'))
}

/// `up`: rounded up, so that what is too large never reads like what is allowed.
fn size(bytes: u64, up: bool) -> String {
    let (unit, name) = if bytes < 1 << 20 { (1 << 10, "KB") } else { (1 << 20, "MB") };
    let count = if up { bytes.div_ceil(unit) } else { bytes / unit };
    format!("{count} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_never_reads_like_what_is_allowed() {
        assert_eq!((size(50 << 20, false), size((50 << 20) + 1, true)), ("50 MB".into(), "51 MB".into()));
        assert_eq!((size(512 << 10, false), size((512 << 10) + 1, true)), ("512 KB".into(), "513 KB".into()));
    }
}
