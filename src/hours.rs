//! Opening hours: a week of local times, dates that differ from it, and what an operator sets for
//! the moment. Pure: the time zone and every instant are passed in.
//!
//! Hours are wall-clock times in the business's zone, so a change of the clocks moves instants, not
//! hours. Where a boundary falls into one:
//! - a time that the clocks skip is the moment of the change,
//! - a time that happens twice counts the first time where a span starts, and the second time where
//!   one ends: open longer rather than shorter.
//!
//! A span that runs past midnight belongs to the day on which it starts. An exception replaces the
//! spans of its own dates only, so the evening before is not cut short at midnight. Spans that touch
//! or overlap across days are one period.

mod print;
mod span;
#[cfg(test)]
mod tests;
mod timeline;
mod until;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

pub(crate) use self::span::nearest;
pub use self::span::{Span, SpanError, days, week};
use self::timeline::Timeline;
pub use self::until::UntilError;

/// How far a search for the next or the last change looks, in days.
pub const SEARCH_DAYS: i32 = 400;

/// When the business is open. Valid by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    timezone: TimeZone,
    /// From Monday; the spans of a day are sorted and apart.
    week: [Vec<Span>; 7],
    /// Sorted by date, apart.
    exceptions: Vec<Exception>,
    always: bool,
}

/// Dates whose hours are not those of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    pub from: Date,
    /// Included.
    pub to: Date,
    /// Empty: closed.
    pub open: Vec<Span>,
    pub name: Option<String>,
}

/// What an operator set: open or closed, whatever the hours say, from `from` up to `until`.
/// Of several that cover a moment the last in the list counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub open: bool,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// The stretch between two changes around a moment: `since <= moment < until`. `None` where there is
/// no change within [`SEARCH_DAYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub open: bool,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// A date as it is configured, overrides apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day<'a> {
    pub date: Date,
    pub spans: &'a [Span],
    /// The exception that gives the day its hours.
    pub exception: Option<&'a Exception>,
}

impl Hours {
    /// `week` begins with Monday. All that is wrong is reported at once, each in one sentence.
    pub fn new(
        timezone: TimeZone,
        mut week: [Vec<Span>; 7],
        mut exceptions: Vec<Exception>,
    ) -> Result<Self, Vec<String>> {
        week.iter_mut().for_each(|spans| spans.sort_unstable());
        exceptions.iter_mut().for_each(|exception| exception.open.sort_unstable());
        exceptions.sort_by_key(|exception| (exception.from, exception.to));

        let mut errors = check_week(&week);
        errors.extend(exceptions.iter().flat_map(check_exception));
        errors.extend(check_dates(&exceptions));
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self { timezone, week, exceptions, always: false })
    }

    /// For a business without hours: open day and night, so that nothing about closing is ever said.
    #[must_use]
    pub fn always(timezone: TimeZone) -> Self {
        Self { timezone, week: std::array::from_fn(|_| vec![Span::ALL_DAY]), exceptions: Vec::new(), always: true }
    }

    /// No hours are configured: then none are told to anybody.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.always
    }

    #[must_use]
    pub fn timezone(&self) -> &TimeZone {
        &self.timezone
    }

    /// The local date of an instant.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> Date {
        self.timezone.to_datetime(at).date()
    }

    #[must_use]
    pub fn day(&self, date: Date) -> Day<'_> {
        let exception = self.exception(date);
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        let spans = match exception {
            Some(exception) => &exception.open,
            None => &self.week[weekday],
        };
        Day { date, spans, exception }
    }

    fn exception(&self, date: Date) -> Option<&Exception> {
        let after = self.exceptions.partition_point(|exception| exception.from <= date);
        let candidate = self.exceptions[..after].last()?;
        (date <= candidate.to).then_some(candidate)
    }

    #[must_use]
    pub fn is_open(&self, at: Timestamp, overrides: &[Override]) -> bool {
        Timeline::around(self, at, 0, overrides).is_open(at)
    }

    /// The open or closed period that `at` is in.
    #[must_use]
    pub fn period(&self, at: Timestamp, overrides: &[Override]) -> Period {
        let mut period = Period { open: self.is_open(at, overrides), since: None, until: None };
        if self.always && overrides.is_empty() {
            return period;
        }
        for days in timeline::WIDENING {
            let timeline = Timeline::around(self, at, days, overrides);
            period.since = period.since.or(timeline.last_change(at));
            period.until = period.until.or(timeline.next_change(at));
            if period.since.is_some() && period.until.is_some() {
                break;
            }
        }
        period
    }

    /// The first moment after `at` at which it opens; while it is open, the one after the next close.
    #[must_use]
    pub fn next_opening(&self, at: Timestamp, overrides: &[Override]) -> Option<Timestamp> {
        timeline::WIDENING.into_iter().find_map(|days| Timeline::around(self, at, days, overrides).next_opening(at))
    }

    /// Some moment of `a <= moment < b` was open. Looks back [`SEARCH_DAYS`] from `b` at most.
    #[must_use]
    pub fn was_open_between(&self, a: Timestamp, b: Timestamp, overrides: &[Override]) -> bool {
        if a >= b {
            return false;
        }
        let Ok(last) = b.checked_sub(SignedDuration::from_nanos(1)) else {
            return false;
        };
        let before = self.period(last, overrides);
        before.open || before.since.is_some_and(|closed| closed > a)
    }
}

/// A time zone by its IANA name, from the database in the program: the same on every machine.
pub fn timezone(name: &str) -> Result<TimeZone, String> {
    let database = jiff::tz::TimeZoneDatabase::bundled();
    if let Ok(timezone) = database.get(name) {
        return Ok(timezone);
    }
    let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
    let meant = nearest(name, names.iter().map(String::as_str));
    Err(format!(
        "`{name}` is not a time zone; {}",
        meant.map_or_else(|| "write it like \"Europe/Berlin\"".to_owned(), |meant| format!("did you mean `{meant}`?"))
    ))
}

fn check_week(week: &[Vec<Span>; 7]) -> Vec<String> {
    let mut errors = Vec::new();
    for (today, weekday) in week.iter().zip(Weekday::Monday.cycle_forward()) {
        let name = span::weekday_name(weekday);
        errors.extend(overlaps(today).map(|(a, b)| format!("{name}: {a} and {b} overlap")));
        let next = weekday.next();
        let tomorrow = &week[usize::from(next.to_monday_zero_offset().unsigned_abs())];
        if let Some((late, early)) = overlap_into(today, tomorrow) {
            let next = span::weekday_name(next);
            errors.push(format!("{name}: {late} runs past midnight into {early} on {next}"));
        }
    }
    errors
}

fn check_exception(exception: &Exception) -> Vec<String> {
    let label = exception.label();
    if exception.to < exception.from {
        return vec![format!("{label}: ends before it begins; exchange `from` and `to`")];
    }
    let longest = exception.from.saturating_add(366.days());
    if exception.to > longest {
        return vec![format!("{label}: is longer than a year; is the year in `to` right?")];
    }
    let mut errors: Vec<String> =
        overlaps(&exception.open).map(|(a, b)| format!("{label}: {a} and {b} overlap")).collect();
    let several_days = exception.from < exception.to;
    if let Some((late, early)) = overlap_into(&exception.open, &exception.open).filter(|_| several_days) {
        errors.push(format!("{label}: {late} runs past midnight into {early} on the next day"));
    }
    errors
}

/// Needs them sorted by their first date.
fn check_dates(exceptions: &[Exception]) -> Vec<String> {
    exceptions
        .windows(2)
        .filter(|pair| pair[1].from <= pair[0].to)
        .map(|pair| {
            let (first, second) = (pair[0].label(), pair[1].label());
            let date = pair[1].from;
            format!("{first} and {second} both give the hours of {date}; keep one")
        })
        .collect()
}

fn overlaps(spans: &[Span]) -> impl Iterator<Item = (Span, Span)> {
    spans.windows(2).map(|pair| (pair[0], pair[1])).filter(|(a, b)| a.end() > b.start())
}

fn overlap_into(today: &[Span], tomorrow: &[Span]) -> Option<(Span, Span)> {
    let late = today.iter().copied().max_by_key(|span| span.end())?;
    let early = *tomorrow.first()?;
    (late.end() > early.start() + span::DAY).then_some((late, early))
}

impl Exception {
    /// How errors and people name it: its dates, and its name where it has one.
    #[must_use]
    pub fn label(&self) -> String {
        let dates = if self.from == self.to { self.from.to_string() } else { format!("{} to {}", self.from, self.to) };
        match &self.name {
            Some(name) => format!("the exception of {dates} ({name})"),
            None => format!("the exception of {dates}"),
        }
    }
}
