//! A span of local time, and the names of days, as an owner writes them.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;

/// Minutes of a day.
pub(super) const DAY: u16 = 24 * 60;

/// From one local time up to another of the same day or the next: "09:00-17:00", "22:00-02:00" (past
/// midnight), "00:00-24:00" (all day).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    start: u16,
    end: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    #[error("`{written}` is not a span of time; write it as \"{example}\"")]
    Form { written: String, example: String },
    #[error("`{written}`: there is no {time}; a day goes from 00:00 to 24:00")]
    Time { written: String, time: String },
    #[error("`{written}` is empty; for the whole day write \"00:00-24:00\"")]
    Empty { written: String },
}

impl Span {
    pub const ALL_DAY: Self = Self { start: 0, end: DAY };

    /// Minutes since midnight of its day.
    #[must_use]
    pub fn start(self) -> u16 {
        self.start
    }

    /// Minutes since midnight of the day it starts: more than 24 hours where it runs past midnight.
    #[must_use]
    pub fn end(self) -> u16 {
        self.end
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end > DAY { self.end - DAY } else { self.end };
        let clock = |minutes: u16| (minutes / 60, minutes % 60);
        let ((from_hour, from_minute), (to_hour, to_minute)) = (clock(self.start), clock(end));
        write!(f, "{from_hour:02}:{from_minute:02}-{to_hour:02}:{to_minute:02}")
    }
}

impl FromStr for Span {
    type Err = SpanError;

    /// Also takes "9:00", blanks around the dash, and an en dash for it.
    fn from_str(written: &str) -> Result<Self, SpanError> {
        let parts: Option<(&str, &str)> = written.split_once(['-', '–']);
        let (from, to) = parts.ok_or_else(|| form_error(written))?;
        let start = clock(from.trim(), written)?;
        let end = clock(to.trim(), written)?;
        if start == DAY {
            let time = "24:00 to start at".to_owned();
            return Err(SpanError::Time { written: shown(written), time });
        }
        if start == end {
            return Err(SpanError::Empty { written: shown(written) });
        }
        let end = if end < start { end + DAY } else { end };
        Ok(Self { start, end })
    }
}

fn clock(time: &str, written: &str) -> Result<u16, SpanError> {
    let (hour, minute) = time.split_once(':').ok_or_else(|| form_error(written))?;
    let digits = |part: &str, longest: usize| {
        let plain = part.bytes().all(|byte| byte.is_ascii_digit());
        (plain && part.len() <= longest).then(|| part.parse::<u16>().ok()).flatten()
    };
    let hour = digits(hour, 2).ok_or_else(|| form_error(written))?;
    let minute = digits(minute, 2).filter(|_| minute.len() == 2).ok_or_else(|| form_error(written))?;
    let minutes = hour * 60 + minute;
    if minute > 59 || minutes > DAY {
        let time = time.to_owned();
        return Err(SpanError::Time { written: shown(written), time });
    }
    Ok(minutes)
}

/// Minutes since midnight of a time alone: "9:00", "24:00".
pub(super) fn clock_time(written: &str) -> Option<u16> {
    clock(written, written).ok()
}

/// The example is what was meant, where that can be guessed: "9-17" is "09:00-17:00".
fn form_error(written: &str) -> SpanError {
    let hour = |part: &str| part.trim().parse::<u16>().ok().filter(|hour| *hour <= 24);
    let guess = written
        .split_once(['-', '–'])
        .and_then(|(from, to)| Some((hour(from)?, hour(to)?)))
        .filter(|(from, to)| from != to && *from < 24);
    let (from, to) = guess.unwrap_or((9, 17));
    SpanError::Form { written: shown(written), example: format!("{from:02}:00-{to:02}:00") }
}

/// An error repeats what was written, but not pages of it.
fn shown(written: &str) -> String {
    written.chars().take(40).collect()
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// The days that a key of `[hours]` names: "monday", or a range such as "tuesday-friday", which may
/// run over Sunday.
pub fn days(written: &str) -> Result<Vec<Weekday>, String> {
    let Some((first, last)) = written.split_once('-') else {
        return Ok(vec![weekday(written)?]);
    };
    let (first, last) = (weekday(first.trim())?, weekday(last.trim())?);
    let count = usize::from(first.until(last).unsigned_abs()) + 1;
    Ok(first.cycle_forward().take(count).collect())
}

/// The week, from Monday, that the entries of `[hours]` say. All that is wrong is reported at once, each
/// in one sentence that begins with its place in the config.
pub fn week<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Result<[Vec<Span>; 7], Vec<String>> {
    let mut week: [Option<(&str, Vec<Span>)>; 7] = Default::default();
    let mut errors = Vec::new();
    for (key, written) in entries {
        let (spans, wrong) = spans(written);
        errors.extend(wrong.into_iter().map(|error| format!("hours.{key}: {error}")));
        let named = days(key).unwrap_or_else(|error| {
            errors.push(format!("hours.{key}: {error}"));
            Vec::new()
        });
        for day in named {
            let slot = &mut week[usize::from(day.to_monday_zero_offset().unsigned_abs())];
            if let Some((earlier, _)) = slot {
                errors.push(format!("hours.{key}: `{earlier}` gives the hours of {} too; keep one", weekday_name(day)));
            }
            *slot = Some((key, spans.clone()));
        }
    }
    if errors.is_empty() { Ok(week.map(|day| day.map(|(_, spans)| spans).unwrap_or_default())) } else { Err(errors) }
}

fn spans(written: &[String]) -> (Vec<Span>, Vec<SpanError>) {
    let (mut spans, mut errors) = (Vec::new(), Vec::new());
    for written in written {
        match written.parse() {
            Ok(span) => spans.push(span),
            Err(error) => errors.push(error),
        }
    }
    (spans, errors)
}

fn weekday(written: &str) -> Result<Weekday, String> {
    let lower = written.to_lowercase();
    if let Some((_, day)) = WEEKDAYS.iter().find(|(name, _)| *name == lower) {
        return Ok(*day);
    }
    let cure = match meant(&lower) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write monday, tuesday ... sunday, or a range such as \"tuesday-friday\"".to_owned(),
    };
    Err(format!("`{}` is not a day; {cure}", shown(written)))
}

fn meant(lower: &str) -> Option<&'static str> {
    let mut names = WEEKDAYS.iter().map(|(name, _)| *name);
    if lower.len() >= 3
        && let Some(name) = names.clone().find(|name| name.starts_with(lower))
    {
        return Some(name);
    }
    nearest(lower, &mut names)
}

/// The name that was probably meant: at most a third of its letters differ.
pub(crate) fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > 64 {
        return None;
    }
    let lower = written.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    names
        .into_iter()
        .map(|name| (distance(name), name))
        .filter(|(distance, name)| *distance <= name.len() / 3)
        .min()
        .map(|(_, name)| name)
}

/// By its name, or the beginning of it: "mon".
pub(super) fn weekday_begun(lower: &str) -> Option<Weekday> {
    let mut named = WEEKDAYS.iter().filter(|(name, _)| lower.len() >= 3 && name.starts_with(lower));
    named.next().map(|(_, day)| *day)
}

pub(super) fn weekday_name(day: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(_, other)| *other == day).map_or("", |(name, _)| name)
}
