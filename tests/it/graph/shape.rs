//! What JSON has to look like, written as JSON: `{"body": "text 4096", "preview_url?": "bool"}`.
//!
//! A key that ends in `?` may be missing; a key that is not there is an error. `[shape]` is a list of at least one. A
//! word is `text N` (not empty, at most so many characters), `=a|b` (one of these), `number`, `bool`, `index` (a number,
//! also as text), `phone`, `user`, `link`, `object` (whatever it holds), `any`.

use serde_json::Value;

/// What is wrong first, and where.
pub(super) fn check(shape: &Value, value: &Value, at: &str) -> Result<(), String> {
    match shape {
        Value::Object(fields) => check_object(fields, value, at),
        Value::Array(items) => {
            let list = value.as_array().filter(|list| !list.is_empty());
            let list = list.ok_or_else(|| format!("Param {at} must be a list that is not empty"))?;
            list.iter().enumerate().try_for_each(|(n, item)| check(&items[0], item, &format!("{at}[{n}]")))
        }
        Value::String(word) => check_word(word, value).map_err(|wanted| format!("Param {at} must be {wanted}")),
        other => panic!("{other} is no shape"),
    }
}

fn check_object(fields: &serde_json::Map<String, Value>, value: &Value, at: &str) -> Result<(), String> {
    let object = value.as_object().ok_or_else(|| format!("Param {at} must be an object"))?;
    let known = |key: &String| fields.contains_key(key) || fields.contains_key(&format!("{key}?"));
    if let Some(unknown) = object.keys().find(|key| !known(key)) {
        return Err(format!("Unexpected key \"{unknown}\" on param {at}"));
    }
    for (name, shape) in fields {
        let key = name.trim_end_matches('?');
        match object.get(key) {
            Some(field) => check(shape, field, &format!("{at}['{key}']"))?,
            None if name.ends_with('?') => {}
            None => return Err(format!("The parameter {at}['{key}'] is required")),
        }
    }
    Ok(())
}

/// What was wanted, where it is something else.
fn check_word(word: &str, value: &Value) -> Result<(), String> {
    let text = value.as_str();
    let (fits, wanted) = match word.split_once(' ') {
        Some(("text", longest)) => {
            let longest: usize = longest.parse().expect("a number of characters");
            let fits = text.is_some_and(|text| !text.trim().is_empty() && text.chars().count() <= longest);
            (fits, format!("a text of 1 to {longest} characters"))
        }
        Some(_) => panic!("{word} is no shape"),
        None => match word {
            "number" => (value.is_number(), "a number".into()),
            "bool" => (value.is_boolean(), "true or false".into()),
            "index" => (value.is_u64() || text.is_some_and(|text| text.parse::<u8>().is_ok()), "an index".into()),
            "phone" => (text.is_some_and(is_phone), "a phone number".into()),
            "user" => (text.is_some_and(is_user), "a business-scoped user id".into()),
            "link" => (text.is_some_and(is_link), "a link".into()),
            "object" => (value.is_object(), "an object".into()),
            "any" => (true, String::new()),
            _ => {
                let words = word.strip_prefix('=').unwrap_or_else(|| panic!("{word} is no shape"));
                (text.is_some_and(|text| words.split('|').any(|word| word == text)), format!("one of {words}"))
            }
        },
    };
    if fits { Ok(()) } else { Err(wanted) }
}

pub(super) fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Two letters of a country, a dot, letters and digits.
pub(super) fn is_user(text: &str) -> bool {
    let Some((country, id)) = text.split_once('.') else { return false };
    let id = id.strip_prefix("ENT.").unwrap_or(id);
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_link(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}
