//! Reading what Meta sends. Nothing is required: a field that is missing or of another type is one that is not there,
//! and spoils no other.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

/// The JSON of a payload. Half a surrogate pair, which no text may hold, is mended and not a reason to lose the rest.
pub(crate) fn parse(body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&text).or_else(|_| serde_json::from_str(&mended(&text))).ok()
}

/// A text that is there and not empty.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str().filter(|text| !text.is_empty())
}

/// A text or a number, as it is written: Meta sends some values in either form.
pub(crate) fn written(value: &Value, path: &str) -> Option<String> {
    match value.pointer(path)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(crate) fn flag(value: &Value, path: &str) -> bool {
    value.pointer(path).and_then(Value::as_bool).unwrap_or(false)
}

/// The items of a list; of anything else none.
pub(crate) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Seconds since 1970.
pub(crate) fn time(value: &Value, path: &str) -> Option<Timestamp> {
    Timestamp::from_second(written(value, path)?.parse().ok()?).ok()
}

/// Lone surrogates (`\ud83c` without its other half) become U+FFFD.
fn mended(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let length = match unit(escape) {
            Some(0xd800..=0xdbff) if matches!(unit(&escape[6..]), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                mended.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            Some(_) => 6,
            // The backslash and whatever it escapes, another backslash for one.
            None => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        mended.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    mended.push_str(rest);
    Cow::Owned(mended)
}

/// The number in `\u1f4a` at the beginning.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn half_a_character_costs_only_itself() {
        let cases = [
            (r#"["\ud83c"]"#, "\u{fffd}"),
            (r#"["\udf5e bread"]"#, "\u{fffd} bread"),
            (r#"["\ud83c\ud83c\udf5e"]"#, "\u{fffd}🍞"),
            (r#"["\ud83cx \\ud83c"]"#, "\u{fffd}x \\ud83c"),
            (r#"["\ud83c\n"]"#, "\u{fffd}\n"),
            (r#"["\ud83c\u00e9"]"#, "\u{fffd}é"),
        ];
        for (body, expected) in cases {
            assert_eq!(parse(body.as_bytes()), Some(json!([expected])), "{body}");
        }
        assert_eq!(parse(b"[\"\xff\"]"), Some(json!(["\u{fffd}"])));
    }

    #[test]
    fn what_is_no_json_is_none() {
        for body in ["", "hello", "{", "[1,]", "\\", "\\u", "\\ud8"] {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_not_there() {
        let value = json!({ "a": { "b": 1, "c": "", "d": "1700000000", "e": ["x"], "f": true } });
        assert_eq!((text(&value, "/a/b"), text(&value, "/a/c"), text(&value, "/x/y")), (None, None, None));
        assert_eq!((written(&value, "/a/b"), written(&value, "/a/e")), (Some("1".into()), None));
        assert_eq!((list(&value, "/a/e").len(), list(&value, "/a/b").len()), (1, 0));
        assert_eq!(time(&value, "/a/d"), Timestamp::from_second(1_700_000_000).ok());
        assert_eq!((time(&value, "/a/c"), flag(&value, "/a/f"), flag(&value, "/a/b")), (None, true, false));
    }
}
