//! Templates: checked when they are loaded, rendered over plain values, and tidied where a value was
//! absent.

use std::collections::BTreeMap;
use std::fmt::Write;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, escape_formatter};

use super::direction::{self, balanced, is_from_the_right, isolated};
use crate::hours::nearest;

/// Stands in the output where an absent value was asked for, until [`tidy`] removes it. A character
/// for private use; values have none.
const ABSENT: char = '\u{E000}';

/// No text that a person gets by itself is longer.
const LONGEST: usize = 1000;

/// Longer values are cut.
const LONGEST_VALUE: usize = 200;

/// A placeholder that a template may use, and a value to try it with.
pub(super) struct Placeholder {
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    pub(super) optional: bool,
}

pub(super) type Values = BTreeMap<&'static str, Filling>;

/// What is put in the place of a placeholder.
#[derive(Debug, Clone)]
pub(super) enum Filling {
    /// Said by somebody else or by a library: made plain, and isolated where it runs the other way.
    Foreign(String),
    /// Made from a template of the same language: stands as it is, marks included.
    Written(String),
}

impl Filling {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Foreign(text) | Self::Written(text) => text,
        }
    }

    fn shown(&self, from_the_right: bool) -> String {
        match self {
            Self::Foreign(text) => isolated(&plain(text), from_the_right),
            Self::Written(text) if from_the_right => text.clone(),
            // An owner may write a language in other letters than the built-in words for it.
            Self::Written(text) => isolated(text, from_the_right),
        }
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(|out, state, value: &Value| {
        if value.is_undefined() || value.is_none() {
            return out.write_char(ABSENT).map_err(Into::into);
        }
        escape_formatter(out, state, value)
    });
    environment
}

pub(super) fn render(source: &str, values: &Values) -> Result<String, minijinja::Error> {
    let from_the_right = is_from_the_right(source);
    let shown = values.iter().map(|(name, value)| (*name, value.shown(from_the_right)));
    let shown: BTreeMap<&str, String> = shown.collect();
    environment().render_str(source, shown).map(|text| tidy(&balanced(&text)))
}

/// All that is wrong with a template, each in one sentence.
pub(super) fn check(source: &str, known: &[Placeholder]) -> Vec<String> {
    let environment = environment();
    let template = match environment.template_from_str(source) {
        Ok(template) => template,
        Err(error) => return vec![format!("the template cannot be read: {}", cause(&error))],
    };
    let is_known = |name: &String| known.iter().any(|placeholder| placeholder.name == name);
    let mut unknown: Vec<String> =
        template.undeclared_variables(false).into_iter().filter(|name| !is_known(name)).collect();
    unknown.sort_unstable();
    if !unknown.is_empty() {
        return unknown.iter().map(|name| unknown_placeholder(name, known)).collect();
    }
    // Every choice of absent values: a template is to read well without any of them.
    let choices = 0_u32..1 << known.len();
    let faults = choices.filter_map(|absent| try_without(source, known, absent));
    faults.take(1).collect()
}

fn unknown_placeholder(name: &str, known: &[Placeholder]) -> String {
    let names = || known.iter().map(|placeholder| placeholder.name);
    let all: Vec<String> = names().map(|name| format!("{{{{ {name} }}}}")).collect();
    let meant = nearest(name, names()).map(|meant| format!("; did you mean {{{{ {meant} }}}}?")).unwrap_or_default();
    format!("there is no {{{{ {name} }}}}; there are {}{meant}", all.join(", "))
}

/// Bit n of `absent`: leave out the n-th, if it is optional.
fn try_without(source: &str, known: &[Placeholder], absent: u32) -> Option<String> {
    let is_absent = |index: usize| absent & (1 << index) != 0;
    let left_out = known.iter().enumerate().filter(|(index, _)| is_absent(*index));
    if left_out.clone().any(|(_, placeholder)| !placeholder.optional) {
        return None;
    }
    let given = known.iter().enumerate().filter(|(index, _)| !is_absent(*index));
    let values =
        given.map(|(_, placeholder)| (placeholder.name, Filling::Foreign(placeholder.example.to_owned()))).collect();
    let fault = match render(source, &values) {
        Ok(text) if text.is_empty() => "is empty".to_owned(),
        Ok(text) if text.chars().count() > LONGEST => {
            format!("is longer than {LONGEST} characters")
        }
        Ok(_) => return None,
        Err(error) => format!("cannot be written: {}", cause(&error)),
    };
    let without: Vec<&str> = left_out.map(|(_, placeholder)| placeholder.name).collect();
    if without.is_empty() {
        return Some(format!("the text {fault}"));
    }
    let (names, first) = (without.join(", "), without[0]);
    Some(format!("without {names} the text {fault}; use {{% if {first} %}} for what may be absent"))
}

fn cause(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    format!("{}{line}", error.detail().map_or_else(|| error.kind().to_string(), str::to_owned))
}

/// A value on one line, without signs that control how text is shown.
fn plain(value: &str) -> String {
    value
        .chars()
        .take(LONGEST_VALUE)
        .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c })
        .filter(|c| {
            let direction = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
            !direction && !matches!(c, '\u{E000}'..='\u{F8FF}')
        })
        .collect()
}

/// Separates what follows from what is before: meaningless at the start of a sentence, or at its end.
const COMMAS: [char; 9] = [',', ';', ':', '，', '；', '：', '、', '،', '؛'];

/// After these a sentence begins; with a blank, except after the wide ones.
const ENDS: [char; 5] = ['.', '!', '?', '؟', '।'];
const WIDE_ENDS: [char; 3] = ['。', '！', '？'];

/// What opens a sentence or a bracket.
const OPENING: [char; 6] = ['¡', '¿', '(', '（', '«', '“'];

/// Closes the holes that absent values left ("Hi , thank you"), and removes needless blanks.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(ABSENT) {
        out.push_str(before);
        rest = close(&mut out, after.trim_start_matches(ABSENT));
    }
    out.push_str(rest);
    without_needless_blanks(out.trim_start_matches(is_blank_or_comma))
}

/// Joins what is before a hole with what is after it; gives what of the latter is still to come.
fn close<'a>(out: &mut String, after: &'a str) -> &'a str {
    let before = out.trim_end();
    let line_starts = before.len() < out.len() && out[before.len()..].contains('\n');
    let opens = before.is_empty() || line_starts || before.ends_with(OPENING);
    if opens || before.ends_with(ENDS) || before.ends_with(WIDE_ENDS) {
        return begin(out, after.trim_start_matches(is_blank_or_comma));
    }
    let stops =
        |c: char| ['\n', ')'].contains(&c) || COMMAS.contains(&c) || ENDS.contains(&c) || WIDE_ENDS.contains(&c);
    let blank = after.starts_with(char::is_whitespace);
    if !blank && !after.is_empty() && !after.starts_with(stops) {
        return after;
    }
    let keep = if after.trim_start_matches(' ').is_empty() || after.starts_with(stops) {
        before.trim_end_matches(COMMAS).trim_end().len()
    } else {
        before.len()
    };
    out.truncate(keep);
    after
}

/// What is after the hole begins a sentence.
fn begin<'a>(out: &mut String, after: &'a str) -> &'a str {
    let mut letters = after.chars();
    let Some(first) = letters.next() else {
        return after;
    };
    if out.ends_with(ENDS) && first.is_alphanumeric() {
        out.push(' ');
    }
    out.extend(first.to_uppercase());
    letters.as_str()
}

fn is_blank_or_comma(c: char) -> bool {
    c == ' ' || COMMAS.contains(&c)
}

fn without_needless_blanks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty_lines = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            empty_lines += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if empty_lines > 0 { "\n\n" } else { "\n" });
        }
        empty_lines = 0;
        out.push_str(&with_single_stops(&words.join(" ").replace(" ,", ",")));
    }
    out
}

/// "Berg & Co." at the end of a sentence is followed by no second full stop.
fn with_single_stops(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        let before = out.trim_end_matches(direction::END);
        let second = c == '.' && before.ends_with('.') && !before.ends_with("..") && !line[at + 1..].starts_with('.');
        if !second {
            out.push(c);
        }
    }
    out
}
