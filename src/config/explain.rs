//! Words for what the parser and serde report. Values are left out: one of them may be a secret.

use super::problem::either;
use crate::hours::nearest;

/// What a later version will read. `*` stands for any name.
const NOT_BUILT_YET: [&[&str]; 6] = [
    &["web"],
    &["routes"],
    &["http", "public_url"],
    &["http", "trusted_proxies"],
    &["desks", "*", "layout"],
    &["desks", "*", "chat"],
];

/// Says that a key is right, but too early.
pub(super) fn not_built_yet(path: &[&str]) -> Option<String> {
    let fits = |known: &&[&str]| {
        known.len() == path.len() && known.iter().zip(path).all(|(known, part)| *known == "*" || known == part)
    };
    let found = NOT_BUILT_YET.iter().any(fits);
    found.then(|| "this is not built yet; take it out, or put a # before its lines".to_owned())
}

pub(super) struct Explained {
    pub text: String,
    /// The key that was probably meant.
    pub meant: Option<String>,
}

/// An error of serde at a value of the type `found`, in words; `others` are keys that it does not know of.
pub(super) fn explain(message: &str, found: &str, others: &[&str]) -> Explained {
    let expected = message.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let key = rest.rsplit_once("`, expected ").map_or(rest, |(key, _)| key);
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).chain(others.iter().copied()).collect();
        let meant = nearest(key, known.iter().copied()).map(str::to_owned);
        return Explained { text: unknown(key, &known), meant };
    }
    let text = if message.starts_with("invalid type: ") || message.starts_with("invalid value: ") {
        format!("expected {}, found {}", wanted(expected), named(found))
    } else if message.starts_with("a ") {
        // The `expecting` of our own untagged types.
        format!("expected {message}")
    } else {
        format!("this {} cannot be read; the annotated example shows how it is written", named(found))
    };
    Explained { text, meant: None }
}

pub(super) fn unknown(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(meant) => format!("unknown key; did you mean `{meant}`?"),
        None => format!("unknown key; expected {}", either(known)),
    }
}

fn wanted(expected: &str) -> &str {
    match expected {
        "a string" => "a text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets, such as [\"one\", \"two\"]",
        "a map" => "a table",
        text if text.starts_with("struct ") => "a table",
        text if text.starts_with(['i', 'u']) && text[1..].bytes().all(|byte| byte.is_ascii_digit()) => "a whole number",
        text => text,
    }
}

fn named(found: &str) -> &str {
    match found {
        "string" => "text",
        "integer" => "a number",
        "float" => "a number with a point",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" => "a list",
        other => other,
    }
}

/// An error of the TOML parser with a hint; `line` is looked at, never shown.
pub(super) fn syntax(message: &str, line: &str) -> String {
    let hint = match line.split_once('=') {
        _ if message.starts_with("duplicate key") => "; a key or table stands only once in a file: keep one",
        _ if message.starts_with("missing comma between array") => "; is a ] missing in a line above?",
        Some((_, value)) if unquoted(value) => "; texts stand in quotes: key = \"text\"",
        Some((_, value)) if value.matches('"').count() % 2 == 1 => "; is a quote missing?",
        None if !line.trim_start().starts_with('[') => "; a line is `key = value`, `[table]`, or a # comment",
        Some(_) | None => "",
    };
    format!("this is not TOML: {message}{hint}")
}

fn unquoted(value: &str) -> bool {
    !value.trim_start().starts_with(['"', '\'', '[', '{'])
}
