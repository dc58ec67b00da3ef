//! `[business]`, `[hours]`, `[replies]`, `[conversations]` and `[retention]`: how the business wants to be spoken for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use serde::Deserialize;

use super::{
    Business, Conversations, Replies, Retention,
    defaults::{self, Number},
    explain::unknown,
    reader::{Reader, Value},
};
use crate::{
    hours::{self, Exception, Hours, Span, nearest},
    notices::{Lang, OwnerTexts, Wording},
};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBusiness {
    name: Option<String>,
    timezone: Option<String>,
    languages: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawException {
    from: Option<RawDate>,
    to: Option<RawDate>,
    open: Option<Vec<String>>,
    name: Option<String>,
}

/// A date in quotes, or TOML's own without.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a date such as \"2026-12-24\"")]
enum RawDate {
    Text(String),
    Toml(toml::value::Datetime),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReplies {
    ack_delay_secs: Option<i64>,
    after_hours: Option<bool>,
    human_present_mins: Option<i64>,
    repeat_after_days: Option<i64>,
    again_after_days: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConversations {
    reopen_within_hours: Option<i64>,
    close_idle_days: Option<i64>,
    give_up_after_hours: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetention {
    messages_days: Option<i64>,
}

pub(super) fn business(reader: &mut Reader<'_>) -> Option<Business> {
    let raw: RawBusiness = reader.table(&["business"]).unwrap_or_default();
    let name = name(reader, raw.name);
    let timezone = timezone(reader, raw.timezone.as_deref());
    let languages = languages(reader, raw.languages);
    Some(Business { name: name?, timezone: timezone?, languages: languages? })
}

fn name(reader: &mut Reader<'_>, written: Option<String>) -> Option<String> {
    const PATH: [&str; 2] = ["business", "name"];
    let Some(name) = written else {
        reader.missing(&PATH, "what customers call you, such as name = \"Blue Door Bakery\" under [business]");
        return None;
    };
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        reader.problem(&PATH, "expected one line of 1 to 100 characters: what customers call you");
        return None;
    }
    Some(name.to_owned())
}

fn timezone(reader: &mut Reader<'_>, written: Option<&str>) -> Option<TimeZone> {
    const PATH: [&str; 2] = ["business", "timezone"];
    let Some(written) = written else {
        reader.missing(&PATH, "where the business is, such as timezone = \"Europe/Berlin\" under [business]");
        return None;
    };
    hours::timezone(written.trim()).map_err(|error| reader.problem(&PATH, error)).ok()
}

fn languages(reader: &mut Reader<'_>, written: Option<Vec<String>>) -> Option<Vec<Lang>> {
    const PATH: [&str; 2] = ["business", "languages"];
    let Some(written) = written else { return Some(vec![Lang::english()]) };
    let mut languages: Vec<Lang> = Vec::new();
    let mut valid = true;
    for text in &written {
        match text.parse() {
            Ok(lang) if languages.contains(&lang) => {
                reader.problem(&PATH, format!("\"{lang}\" is there twice; keep one"));
                valid = false;
            }
            Ok(lang) => languages.push(lang),
            Err(error) => {
                reader.problem(&PATH, error.to_string());
                valid = false;
            }
        }
    }
    if written.is_empty() {
        reader.problem(&PATH, "is empty; write the languages that customers are answered in, such as [\"en\", \"de\"]");
    }
    (valid && !written.is_empty()).then_some(languages)
}

/// Without `[hours]`, it is always open. `None` where the zone is unknown or the hours are wrong.
pub(super) fn hours(reader: &mut Reader<'_>, timezone: Option<&TimeZone>) -> Option<Hours> {
    if reader.value(&["hours"]).is_none() {
        return timezone.cloned().map(Hours::always);
    }
    let mut week: [Vec<Span>; 7] = Default::default();
    let mut named: [Option<String>; 7] = Default::default();
    let mut exceptions = Vec::new();
    for (key, value) in reader.entries(&["hours"]) {
        if key == "exceptions" {
            exceptions = self::exceptions(reader, value);
            continue;
        }
        let path = ["hours", key.as_str()];
        let spans = spans(reader, &path, value);
        let days = match hours::days(&key) {
            Ok(days) => days,
            Err(_) if nearest(&key, ["exceptions"]).is_some() => {
                reader.problem(&path, unknown(&key, &["exceptions"]));
                continue;
            }
            Err(error) => {
                reader.problem(&path, error);
                continue;
            }
        };
        for day in days {
            let index = usize::from(day.to_monday_zero_offset().unsigned_abs());
            if let Some(first) = named[index].replace(key.clone()) {
                reader.problem(&path, format!("{day:?} is also in `{first}`; name each day once"));
            }
            week[index].clone_from(&spans);
        }
    }
    let labels: Vec<(String, String)> = exceptions.iter().map(|(place, one)| (place.clone(), one.label())).collect();
    let exceptions = exceptions.into_iter().map(|(_, exception)| exception).collect();
    // The zone plays no part in what is wrong with the hours.
    let zone = timezone.cloned().unwrap_or(TimeZone::UTC);
    match Hours::new(zone, week, exceptions) {
        Ok(hours) => timezone.map(|_| hours),
        Err(errors) => {
            errors.iter().for_each(|error| hours_problem(reader, error, &named, &labels));
            None
        }
    }
}

/// Puts a sentence about a day or an exception on its line.
fn hours_problem(reader: &mut Reader<'_>, error: &str, named: &[Option<String>; 7], labels: &[(String, String)]) {
    if let Some((place, _)) = labels.iter().rfind(|(_, label)| error.contains(label.as_str())) {
        return reader.problem(&["hours", "exceptions", place], error);
    }
    let day = error.split(':').next().and_then(|day| hours::days(day).ok()).and_then(|days| days.first().copied());
    let key = day.and_then(|day| named[usize::from(day.to_monday_zero_offset().unsigned_abs())].as_deref());
    match key {
        Some(key) => reader.problem(&["hours", key], error),
        None => reader.problem(&["hours"], error),
    }
}

fn spans(reader: &mut Reader<'_>, path: &[&str], value: Value<'_>) -> Vec<Span> {
    let texts = value.get_ref().as_array().and_then(|list| list.iter().map(|item| item.get_ref().as_str()).collect());
    let Some(texts) = texts else {
        reader.problem(path, "expected a list of times, such as [\"09:00-12:30\", \"13:30-18:00\"]; [] is closed");
        return Vec::new();
    };
    parse_spans(reader, path, texts)
}

fn parse_spans(reader: &mut Reader<'_>, path: &[&str], texts: Vec<&str>) -> Vec<Span> {
    let parsed = texts.into_iter().map(str::parse::<Span>);
    parsed.filter_map(|span| span.map_err(|error| reader.problem(path, error.to_string())).ok()).collect()
}

/// Each with its place in the list, from "0".
fn exceptions(reader: &mut Reader<'_>, value: Value<'_>) -> Vec<(String, Exception)> {
    let Some(list) = value.get_ref().as_array() else {
        reader.problem(
            &["hours", "exceptions"],
            "expected tables that begin with [[hours.exceptions]], in double brackets",
        );
        return Vec::new();
    };
    let places = (0..list.len()).map(|index| index.to_string());
    places.filter_map(|place| exception(reader, &place).map(|exception| (place, exception))).collect()
}

fn exception(reader: &mut Reader<'_>, index: &str) -> Option<Exception> {
    let path = ["hours", "exceptions", index];
    let raw: RawException = reader.table(&path).unwrap_or_default();
    let key = |name: &'static str| ["hours", "exceptions", index, name];
    reader.missing(&key("from"), "the first day, such as from = \"2026-12-24\"");
    reader.missing(&key("open"), "open = [] for closed, or times such as open = [\"10:00-14:00\"]");
    let open = raw.open.map(|texts| parse_spans(reader, &key("open"), texts.iter().map(String::as_str).collect()));
    let from = raw.from.and_then(|written| date(reader, &key("from"), &written));
    let to = match raw.to {
        Some(written) => date(reader, &key("to"), &written),
        None => from,
    };
    let name = raw.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    Some(Exception { from: from?, to: to?, open: open?, name })
}

fn date(reader: &mut Reader<'_>, path: &[&str], written: &RawDate) -> Option<Date> {
    let text = match written {
        RawDate::Text(text) => text.trim().to_owned(),
        RawDate::Toml(date) => date.to_string(),
    };
    let date = (text.len() == 10).then(|| text.parse().ok()).flatten();
    if date.is_none() {
        reader.problem(path, "expected a date of the calendar as year-month-day, such as \"2026-12-24\"");
    }
    date
}

pub(super) fn replies(reader: &mut Reader<'_>, languages: Option<&[Lang]>) -> Option<Replies> {
    let texts = owner_texts(reader);
    let raw: RawReplies = match reader.value(&["replies"]) {
        Some(mut value) if value.get_ref().is_table() => {
            super::reader::take(&mut value, "text");
            reader.read(&["replies"], value, &["text"])
        }
        Some(_) | None => reader.table(&["replies"]),
    }
    .unwrap_or_default();
    let mut number = |key, written, number: &Number| bounded(reader, &["replies", key], written, number);
    let ack_delay = number("ack_delay_secs", raw.ack_delay_secs, &defaults::ACK_DELAY);
    let human_present = number("human_present_mins", raw.human_present_mins, &defaults::HUMAN_PRESENT);
    let repeat_after = number("repeat_after_days", raw.repeat_after_days, &defaults::REPEAT_AFTER);
    let again_after = raw
        .again_after_days
        .map(|days| number("again_after_days", Some(days), &defaults::AGAIN_AFTER))
        .map(SignedDuration::from_hours_of_days);
    let wording = wording(reader, &texts, languages);
    Some(Replies {
        ack_delay: SignedDuration::from_secs(ack_delay),
        after_hours: raw.after_hours.unwrap_or(defaults::AFTER_HOURS),
        human_present: SignedDuration::from_mins(human_present),
        repeat_after: SignedDuration::from_hours_of_days(repeat_after),
        again_after,
        wording: wording?,
    })
}

fn wording(reader: &mut Reader<'_>, texts: &BTreeMap<Lang, OwnerTexts>, languages: Option<&[Lang]>) -> Option<Wording> {
    // Where the languages are wrong, the texts themselves are checked all the same.
    let written: Vec<Lang> = texts.keys().cloned().collect();
    match Wording::new(texts, languages.unwrap_or(&written)) {
        Ok(wording) => languages.map(|_| wording),
        Err(errors) => {
            let known = |error: &&String| languages.is_some() || error.starts_with("replies.text");
            errors.iter().filter(known).for_each(|error| wording_problem(reader, error));
            None
        }
    }
}

/// `[replies.text.xx]`, each language on its own.
fn owner_texts(reader: &mut Reader<'_>) -> BTreeMap<Lang, OwnerTexts> {
    let mut texts = BTreeMap::new();
    for (key, _) in reader.entries(&["replies", "text"]) {
        let path = ["replies", "text", key.as_str()];
        let own: OwnerTexts = reader.table(&path).unwrap_or_default();
        match key.parse::<Lang>() {
            Ok(lang) => {
                if texts.insert(lang, own).is_some() {
                    reader.problem(&path, "these texts are there twice, under two spellings of the language; keep one");
                }
            }
            Err(error) => reader.problem(&path, error.to_string()),
        }
    }
    texts
}

/// A sentence about the wording begins with its place.
fn wording_problem(reader: &mut Reader<'_>, error: &str) {
    let (place, text) = error.split_once(": ").unwrap_or(("replies.text", error));
    let path: Vec<&str> = place.split('.').collect();
    reader.problem(&path, text);
}

pub(super) fn conversations(reader: &mut Reader<'_>) -> Conversations {
    let raw: RawConversations = reader.table(&["conversations"]).unwrap_or_default();
    let mut number = |key, written, number: &Number| bounded(reader, &["conversations", key], written, number);
    let reopen_within = number("reopen_within_hours", raw.reopen_within_hours, &defaults::REOPEN_WITHIN);
    let close_idle = number("close_idle_days", raw.close_idle_days, &defaults::CLOSE_IDLE);
    let give_up_after = number("give_up_after_hours", raw.give_up_after_hours, &defaults::GIVE_UP_AFTER);
    Conversations {
        reopen_within: SignedDuration::from_hours(reopen_within),
        close_idle: SignedDuration::from_hours_of_days(close_idle),
        give_up_after: SignedDuration::from_hours(give_up_after),
    }
}

pub(super) fn retention(reader: &mut Reader<'_>) -> Retention {
    let raw: RawRetention = reader.table(&["retention"]).unwrap_or_default();
    let messages = bounded(reader, &["retention", "messages_days"], raw.messages_days, &defaults::MESSAGES);
    Retention { messages: SignedDuration::from_hours_of_days(messages) }
}

fn bounded(reader: &mut Reader<'_>, path: &[&str], written: Option<i64>, number: &Number) -> i64 {
    let value = written.unwrap_or(number.default);
    let range = &number.range;
    if written.is_some() && !range.contains(&value) {
        let (from, to) = (range.start(), range.end());
        reader.problem(path, format!("{value} is out of bounds; expected {from} to {to} {}", number.unit));
        return number.default;
    }
    value
}

trait Days {
    /// Days of 24 hours.
    fn from_hours_of_days(days: i64) -> Self;
}

impl Days for SignedDuration {
    fn from_hours_of_days(days: i64) -> Self {
        Self::from_hours(24 * days)
    }
}
