//! Names that people gave their files: shown to others, and perhaps saved under that name.

use crate::{MediaKind, MediaRef};

/// So many characters; file systems take 255 bytes.
const LONGEST: usize = 60;
/// What counts as the end that says what a file is.
const LONGEST_END: usize = 10;

impl MediaRef {
    /// What the file is called at the other side: its own name made safe, with an ending that says what it is.
    #[must_use]
    pub fn file_name(&self) -> String {
        let name = self.name.as_deref().and_then(safe);
        let name = name.unwrap_or_else(|| self.kind.word().replace(' ', "-"));
        match (split(&name).1, ending(self)) {
            (None, Some(end)) => format!("{name}.{end}"),
            (Some(_), _) | (None, None) => name,
        }
    }

    /// The type as it was told, where it is one.
    #[must_use]
    pub fn mime(&self) -> Option<&str> {
        let mime = self.mime.as_deref()?.split(';').next()?.trim();
        let token = |part: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
            !part.is_empty() && part.len() <= 100 && part.bytes().all(plain)
        };
        mime.split_once('/').is_some_and(|(class, kind)| token(class) && token(kind)).then_some(mime)
    }
}

/// Without folders, without what steers a screen or runs the other way, and not too long; `None` where nothing is left.
pub(crate) fn safe(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let shown = name.chars().filter(|c| !is_invisible(*c));
    let plain: String = shown.map(|c| if "<>:\"|?*".contains(c) { '_' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = plain.trim_matches(|c: char| c == '.' || c.is_whitespace());
    (!plain.is_empty()).then(|| shortened(plain))
}

/// Control characters, and marks that change the direction or are not seen. What joins an emoji stays.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

/// The end stays: it says what the file is.
fn shortened(name: &str) -> String {
    let (stem, end) = split(name);
    let Some(end) = end else { return stem.chars().take(LONGEST).collect() };
    let room = LONGEST - end.chars().count() - 1;
    let stem: String = stem.chars().take(room).collect();
    format!("{}.{end}", stem.trim_end())
}

fn split(name: &str) -> (&str, Option<&str>) {
    let is_end =
        |end: &str| !end.is_empty() && end.len() <= LONGEST_END && end.bytes().all(|b| b.is_ascii_alphanumeric());
    match name.rsplit_once('.') {
        Some((stem, end)) if is_end(end) && !stem.is_empty() => (stem, Some(end)),
        Some(_) | None => (name, None),
    }
}

/// From the type; from the kind, where platforms have only one.
fn ending(media: &MediaRef) -> Option<&'static str> {
    let known = [
        ("image/jpeg", "jpg"),
        ("image/png", "png"),
        ("image/gif", "gif"),
        ("image/webp", "webp"),
        ("image/heic", "heic"),
        ("image/svg+xml", "svg"),
        ("video/mp4", "mp4"),
        ("video/webm", "webm"),
        ("video/quicktime", "mov"),
        ("video/3gpp", "3gp"),
        ("audio/ogg", "ogg"),
        ("audio/opus", "opus"),
        ("audio/mpeg", "mp3"),
        ("audio/mp4", "m4a"),
        ("audio/aac", "aac"),
        ("audio/amr", "amr"),
        ("audio/wav", "wav"),
        ("application/pdf", "pdf"),
        ("application/zip", "zip"),
        ("application/json", "json"),
        ("application/x-tgsticker", "tgs"),
        ("text/plain", "txt"),
        ("text/csv", "csv"),
        ("text/vcard", "vcf"),
    ];
    if let Some(mime) = media.mime() {
        return known.iter().find(|(known, _)| mime.eq_ignore_ascii_case(known)).map(|(_, end)| *end);
    }
    match media.kind {
        MediaKind::Image => Some("jpg"),
        MediaKind::Video => Some("mp4"),
        MediaKind::Voice => Some("ogg"),
        MediaKind::Animation | MediaKind::Audio | MediaKind::File | MediaKind::Sticker => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, mime: &str) -> String {
        MediaRef { name: Some(name.into()), mime: Some(mime.into()), ..MediaRef::new(MediaKind::File, "x") }.file_name()
    }

    #[test]
    fn a_name_stays_as_it_is_where_it_does_no_harm() {
        for name in ["Order 12 (new).pdf", "Brötchen – Größe.xlsx", "蛋糕.png", "👨\u{200d}💻.txt", "archive.tar.gz"]
        {
            assert_eq!(named(name, "application/octet-stream"), name);
        }
    }

    #[test]
    fn a_name_is_no_path_and_steers_nothing() {
        let pdf = "application/pdf";
        assert_eq!(named("../../etc/passwd", pdf), "passwd.pdf");
        assert_eq!(named("C:\\Users\\anna\\list.pdf", pdf), "list.pdf");
        assert_eq!(named("invoice\u{202e}fdp.exe", pdf), "invoicefdp.exe");
        assert_eq!(named("a\nb\u{7}\tc.pdf", pdf), "abc.pdf");
        assert_eq!(named("...", pdf), "file.pdf");
        assert_eq!(named("x<y>:\"z\".pdf", pdf), "x_y___z_.pdf");
        assert_eq!(named(".htaccess", pdf), "htaccess.pdf");
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        let name = named(&format!("{}.docx", "ä".repeat(500)), "text/plain");
        assert_eq!((name.chars().count(), name.ends_with(".docx")), (LONGEST, true));
        assert!(name.len() < 255);
    }

    #[test]
    fn a_file_without_a_name_is_called_what_it_is() {
        let media = |kind, mime: Option<&str>| MediaRef { mime: mime.map(Into::into), ..MediaRef::new(kind, "x") };
        assert_eq!(media(MediaKind::Voice, None).file_name(), "voice-message.ogg");
        assert_eq!(media(MediaKind::Image, Some("image/png; charset=x")).file_name(), "picture.png");
        assert_eq!(media(MediaKind::File, Some("application/x-unknown")).file_name(), "file");
    }

    #[test]
    fn only_a_type_is_a_type() {
        for wrong in ["", "image", "image/", "a b/c", "text/plain\r\nX: y", "/"] {
            let media = MediaRef { mime: Some(wrong.into()), ..MediaRef::new(MediaKind::File, "x") };
            assert_eq!(media.mime().filter(|mime| *mime != "text/plain"), None, "{wrong:?}");
        }
    }
}
