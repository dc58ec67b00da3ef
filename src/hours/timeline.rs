//! The hours around a moment as instants.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Hours, Override, SEARCH_DAYS, Span};

/// A search looks near first: most changes are within a week.
pub(super) const WIDENING: [i32; 3] = [8, 64, SEARCH_DAYS];

/// Days that may reach into another: a span runs into the next day, and a change of the clocks (or
/// of the date line) moves it by one more at most.
const REACH: i32 = 4;

/// The open stretches within a window around a moment.
pub(super) struct Timeline {
    /// Sorted, apart, none empty.
    open: Vec<Stretch>,
    /// Nothing is known outside.
    window: Stretch,
}

/// From its start up to its end, which is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stretch {
    start: Timestamp,
    end: Timestamp,
}

impl Timeline {
    /// Knows at least `days` to either side of `at`.
    pub(super) fn around(hours: &Hours, at: Timestamp, days: i32, overrides: &[Override]) -> Self {
        let date = hours.date(at);
        let first = date.saturating_sub((days + REACH).days());
        let count = 2 * (days + REACH) + 1;
        let spans = first.series(1.day()).take(usize::try_from(count).unwrap_or_default()).flat_map(|date| {
            let spans = hours.day(date).spans.iter();
            spans.map(move |span| stretch(&hours.timezone, date, *span))
        });
        let mut open = union(spans.collect());
        for set in overrides {
            open = apply(open, set);
        }
        let reach = SignedDuration::from_hours(24 * i64::from(days + 1));
        let window = Stretch {
            start: at.checked_sub(reach).unwrap_or(Timestamp::MIN),
            end: at.checked_add(reach).unwrap_or(Timestamp::MAX),
        };
        Self { open, window }
    }

    pub(super) fn is_open(&self, at: Timestamp) -> bool {
        let after = self.open.partition_point(|stretch| stretch.start <= at);
        self.open[..after].last().is_some_and(|stretch| at < stretch.end)
    }

    pub(super) fn last_change(&self, at: Timestamp) -> Option<Timestamp> {
        self.changes().take_while(|change| *change <= at).last()
    }

    pub(super) fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        self.changes().find(|change| *change > at)
    }

    pub(super) fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        let mut starts = self.open.iter().map(|stretch| stretch.start);
        starts.find(|start| *start > at && self.window.contains(*start))
    }

    fn changes(&self) -> impl Iterator<Item = Timestamp> {
        self.open.iter().flat_map(|stretch| [stretch.start, stretch.end]).filter(|change| self.window.contains(*change))
    }
}

impl Stretch {
    fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

/// Stretches that touch become one; empty ones (their whole time was skipped) go.
fn union(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.retain(|stretch| stretch.start < stretch.end);
    stretches.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        match merged.last_mut() {
            Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
            Some(_) | None => merged.push(stretch),
        }
    }
    merged
}

fn apply(open: Vec<Stretch>, set: &Override) -> Vec<Stretch> {
    let set_stretch = Stretch { start: set.from, end: set.until };
    if set_stretch.start >= set_stretch.end {
        return open;
    }
    if set.open {
        let mut open = open;
        open.push(set_stretch);
        return union(open);
    }
    let outside = open.into_iter().flat_map(|stretch| {
        let before = Stretch { end: stretch.end.min(set_stretch.start), ..stretch };
        let after = Stretch { start: stretch.start.max(set_stretch.end), ..stretch };
        [before, after]
    });
    union(outside.collect())
}

fn stretch(timezone: &TimeZone, date: Date, span: Span) -> Stretch {
    Stretch {
        start: instant(timezone, local(date, span.start()), Side::Start),
        end: instant(timezone, local(date, span.end()), Side::End),
    }
}

pub(super) fn local(date: Date, minutes: u16) -> DateTime {
    date.to_datetime(jiff::civil::Time::midnight()).saturating_add(i64::from(minutes).minutes())
}

#[derive(Clone, Copy)]
pub(super) enum Side {
    Start,
    End,
}

/// The instant of a local time; see the module's page for times that are skipped or happen twice.
pub(super) fn instant(timezone: &TimeZone, local: DateTime, side: Side) -> Timestamp {
    let at = |offset: Offset| offset.to_timestamp(local).unwrap_or(Timestamp::MAX);
    let ambiguous = timezone.to_ambiguous_timestamp(local).offset();
    match (ambiguous, side) {
        (AmbiguousOffset::Unambiguous { offset }, _) => at(offset),
        (AmbiguousOffset::Fold { before, .. }, Side::Start) => at(before),
        (AmbiguousOffset::Fold { after, .. }, Side::End) => at(after),
        // Read with the offset of after the gap, a skipped time lies before the change.
        (AmbiguousOffset::Gap { after, .. }, _) => {
            timezone.following(at(after)).next().map_or_else(|| at(after), |change| change.timestamp())
        }
    }
}
