//! The end of what an operator sets for the moment, as they write it.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::timeline::{Side, instant, local};
use super::{Hours, span};

/// The furthest end: a year that is a typing error must not close the business for good.
const FURTHEST: SignedDuration = SignedDuration::from_hours(24 * 366);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UntilError {
    #[error("Until when?")]
    Missing,
    #[error("`{0}` is not a time.")]
    Form(String),
    #[error("`{0}` has passed.")]
    Past(String),
    #[error("`{0}` is more than a year away.")]
    Far(String),
}

/// A day as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// Not named: whichever comes first.
    Any,
    On(Date),
    Next(Weekday),
}

impl Hours {
    /// "15:00" is the next time that the clock says so; "tomorrow 09:00", "monday 09:00" and "2026-12-24 10:00" name
    /// the day; a day alone is its first moment. Of a time that happens twice it is the one that leaves the business
    /// open for longer.
    pub fn until(&self, written: &str, open: bool, now: Timestamp) -> Result<Timestamp, UntilError> {
        let shown = || written.trim().chars().take(40).collect::<String>();
        if written.trim().is_empty() {
            return Err(UntilError::Missing);
        }
        let today = self.date(now);
        let (day, minutes) = read(written, today).ok_or_else(|| UntilError::Form(shown()))?;
        let coming = || today.series(1.day()).take(9);
        let dates: Vec<Date> = match day {
            Day::Any => coming().take(3).collect(),
            Day::On(date) => vec![date],
            Day::Next(weekday) => coming().filter(|date| date.weekday() == weekday).collect(),
        };
        let sides = if open { [Side::End, Side::Start] } else { [Side::Start, Side::End] };
        let mut moments = dates.into_iter().flat_map(|date| {
            let local = local(date, minutes);
            sides.map(|side| instant(&self.timezone, local, side))
        });
        let until = moments.find(|moment| *moment > now).ok_or_else(|| UntilError::Past(shown()))?;
        if until.duration_since(now) > FURTHEST { Err(UntilError::Far(shown())) } else { Ok(until) }
    }
}

/// A day, and minutes since its midnight.
fn read(written: &str, today: Date) -> Option<(Day, u16)> {
    let lower = written.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().filter(|word| !matches!(*word, "on" | "at")).collect();
    match words.as_slice() {
        [one] => {
            if let Some(minutes) = span::clock_time(one) {
                return Some((Day::Any, minutes));
            }
            if let Some(day) = named(one, today) {
                return Some((day, 0));
            }
            let moment: DateTime = one.parse().ok()?;
            Some((Day::On(moment.date()), minutes(moment)))
        }
        [first, second] => {
            let day = named(first, today).or_else(|| first.parse().ok().map(Day::On))?;
            Some((day, span::clock_time(second)?))
        }
        _ => None,
    }
}

fn minutes(at: DateTime) -> u16 {
    u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs())
}

fn named(word: &str, today: Date) -> Option<Day> {
    match word {
        "today" => Some(Day::On(today)),
        "tomorrow" => today.tomorrow().ok().map(Day::On),
        _ => span::weekday_begun(word).map(Day::Next),
    }
}
