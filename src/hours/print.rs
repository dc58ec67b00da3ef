//! The hours as an owner or an operator reads them.

use jiff::civil::{Date, Time, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::timeline::{Side, instant, local};
use super::{Day, Hours, Override, SEARCH_DAYS, span};

impl Hours {
    /// Open or closed now, and when that changes; below it the coming `days`, a line for each, today
    /// first.
    #[must_use]
    pub fn overview(&self, at: Timestamp, days: u16, overrides: &[Override]) -> String {
        let today = self.date(at);
        let rows: Vec<Row> =
            today.series(1.day()).take(usize::from(days)).map(|date| self.row(date, at, overrides)).collect();
        let width = rows.iter().map(|row| row.hours.chars().count()).max().unwrap_or(0);
        let mut text = self.state(at, overrides);
        for row in rows {
            let Row { date, hours, notes } = row;
            let padding = width - hours.chars().count();
            let line = format!("{date}  {hours}{:padding$}  {notes}", "");
            text.push('\n');
            text.push_str(line.trim_end());
        }
        text
    }

    /// For example "open now, until 18:00" or "closed now, opens tomorrow at 09:00".
    #[must_use]
    pub fn state(&self, at: Timestamp, overrides: &[Override]) -> String {
        let set = overrides
            .iter()
            .rfind(|set| set.from <= at && at < set.until)
            .map(|set| format!(" (set with !hours until {})", self.moment(at, set.until)))
            .unwrap_or_default();
        let period = self.period(at, overrides);
        let (now, next) = match (period.open, period.until) {
            (true, Some(until)) => ("open now", format!("until {}", self.moment(at, until))),
            (true, None) if self.always => ("open now", "day and night: no hours are set".to_owned()),
            (true, None) => ("open now", format!("and for the next {SEARCH_DAYS} days")),
            (false, Some(until)) => ("closed now", self.opens(at, until)),
            (false, None) => ("closed now", format!("and for the next {SEARCH_DAYS} days")),
        };
        format!("{now}{set}, {next}")
    }

    fn opens(&self, at: Timestamp, opening: Timestamp) -> String {
        let local = self.timezone.to_datetime(opening);
        let today = self.date(at);
        if local.date() == today {
            return format!("opens today at {}", clock(local.time()));
        }
        if today.tomorrow().ok() == Some(local.date()) {
            return format!("opens tomorrow at {}", clock(local.time()));
        }
        format!("opens on {} at {}", date(local.date()), clock(local.time()))
    }

    /// A moment as seen from `at`: no date for one of today.
    fn moment(&self, at: Timestamp, moment: Timestamp) -> String {
        let local = self.timezone.to_datetime(moment);
        let today = self.date(at);
        if local.date() == today {
            return clock(local.time());
        }
        if today.tomorrow().ok() != Some(local.date()) {
            return format!("{} at {}", date(local.date()), clock(local.time()));
        }
        if local.time() == Time::midnight() {
            return "midnight".to_owned();
        }
        format!("tomorrow at {}", clock(local.time()))
    }

    fn row(&self, day: Date, at: Timestamp, overrides: &[Override]) -> Row {
        let mut notes = Vec::new();
        if day == self.date(at) {
            notes.push("today".to_owned());
        }
        notes.extend(self.set_for(day, at, overrides));
        notes.extend(self.clock_change(day));
        Row { date: date(day), hours: self.day(day).to_string(), notes: notes.join(", ") }
    }

    /// What was set and still counts on this day.
    fn set_for(&self, day: Date, at: Timestamp, overrides: &[Override]) -> Option<String> {
        let (first, next) = (local(day, 0), local(day, span::DAY));
        let midnight = |local| instant(&self.timezone, local, Side::Start);
        let (start, end) = (at.max(midnight(first)), midnight(next));
        let set = overrides.iter().rfind(|set| set.from < end && start < set.until)?;
        let word = if set.open { "open" } else { "closed" };
        if set.until >= end {
            return Some(format!("set to {word}"));
        }
        Some(format!("set to {word} until {}", clock(self.timezone.to_datetime(set.until).time())))
    }

    fn clock_change(&self, day: Date) -> Option<String> {
        let start = instant(&self.timezone, local(day, 0), Side::Start);
        let before = start.checked_sub(SignedDuration::from_nanos(1)).ok()?;
        let mut changes = self.timezone.following(before).take(4);
        changes.find_map(|change| {
            let at = change.timestamp();
            let earlier = at.checked_sub(SignedDuration::from_nanos(1)).ok()?;
            let old = self.timezone.to_offset(earlier);
            // The wall clock that people see just before they change it.
            let wall = old.to_datetime(at);
            if wall.date() != day || old == change.offset() {
                return None;
            }
            let way = if change.offset() > old { "forward" } else { "back" };
            Some(format!("clocks go {way} at {}", clock(wall.time())))
        })
    }
}

struct Row {
    date: String,
    hours: String,
    notes: String,
}

impl std::fmt::Display for Day<'_> {
    /// For example "09:00-12:30, 13:30-18:00" or "closed (Christmas)".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let spans: Vec<String> = self.spans.iter().map(ToString::to_string).collect();
        match spans.as_slice() {
            [] => f.write_str("closed")?,
            spans => f.write_str(&spans.join(", "))?,
        }
        match self.exception.and_then(|exception| exception.name.as_deref()) {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

fn date(date: Date) -> String {
    let weekday = match date.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    };
    format!("{weekday} {date}")
}
