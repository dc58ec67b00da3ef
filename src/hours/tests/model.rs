//! The hours against a model that walks the clock minute by minute.

use std::collections::HashMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

use crate::hours::{Exception, Hours, Override, Span, timezone};

const ZONES: [&str; 9] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Casablanca",
    "Pacific/Apia",
    "America/Havana",
    "America/Sao_Paulo",
];
const DAYS: i64 = 18;
const MINUTES: usize = DAYS as usize * 24 * 60;
/// At the rim of the window, spans of days outside would be missing.
const RIM: usize = 4 * 24 * 60;

struct Model {
    start: Timestamp,
    open: Vec<bool>,
}

impl Model {
    fn new(hours: &Hours, start: Timestamp, overrides: &[Override]) -> Self {
        let clock: Vec<DateTime> =
            (0..MINUTES).map(|minute| hours.timezone().to_datetime(later(start, minute))).collect();
        let mut shown: HashMap<DateTime, (usize, usize)> = HashMap::new();
        for (minute, local) in clock.iter().enumerate() {
            let seen = shown.entry(*local).or_insert((minute, minute));
            seen.1 = minute;
        }
        // A time that the clock never shows is where the clock jumps over it.
        let find = |local: DateTime, last: bool| match shown.get(&local) {
            Some((first, _)) if !last => Some(*first),
            Some((_, second)) => Some(*second),
            None => clock.windows(2).position(|pair| pair[0] < local && local < pair[1]).map(|before| before + 1),
        };
        let mut open = vec![false; MINUTES];
        let mut date = clock[0].date();
        while date <= clock[MINUTES - 1].date() {
            for span in hours.day(date).spans {
                let start = find(wall(date, span.start()), false);
                let end = find(wall(date, span.end()), true);
                if let (Some(start), Some(end)) = (start, end) {
                    open[start..end.max(start)].fill(true);
                }
            }
            date = date.tomorrow().unwrap();
        }
        for (minute, open) in open.iter_mut().enumerate() {
            let at = later(start, minute);
            let mut covering = overrides.iter().filter(|set| set.from <= at && at < set.until);
            *open = covering.next_back().map_or(*open, |set| set.open);
        }
        Self { start, open }
    }

    fn changes(&self) -> Vec<usize> {
        let changed = |minute: &usize| self.open[*minute] != self.open[minute - 1];
        (RIM..MINUTES - RIM).filter(changed).collect()
    }

    fn at(&self, minute: usize) -> Timestamp {
        later(self.start, minute)
    }

    /// What happens inside the rim must agree, and what the real thing finds must not be inside where
    /// the model finds nothing.
    fn same(&self, real: Option<Timestamp>, model: Option<usize>) -> bool {
        let inside = self.at(RIM)..self.at(MINUTES - RIM);
        real.filter(|at| inside.contains(at)) == model.map(|minute| self.at(minute))
    }
}

fn later(start: Timestamp, minutes: usize) -> Timestamp {
    start + SignedDuration::from_mins(i64::try_from(minutes).unwrap())
}

fn wall(date: Date, minutes: u16) -> DateTime {
    date.at(0, 0, 0, 0) + i64::from(minutes).minutes()
}

/// A window around a change of the clocks where the zone has one, else around the moment itself.
fn window(zone: &TimeZone, near: Timestamp, shift: i64) -> Timestamp {
    let centre = zone.following(near).next().map_or(near, |change| change.timestamp());
    let start = centre - SignedDuration::from_hours(24 * DAYS / 2 + shift);
    Timestamp::from_second(start.as_second().div_euclid(60) * 60).unwrap()
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    // Often within the hours in which clocks change.
    let boundary = prop_oneof![0_u16..=1440, 0_u16..200, 1380_u16..=1440];
    proptest::collection::vec((boundary, 1_u16..900), 0..3).prop_map(|drawn| {
        let mut free = 0;
        let mut spans = Vec::new();
        for (gap, length) in drawn {
            let (start, end) = (free + gap, free + gap + length);
            if start >= 1440 || end > 1440 + 180 {
                continue;
            }
            free = end;
            let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
            let end = if end > 1440 { end - 1440 } else { end };
            spans.extend(format!("{}-{}", clock(start), clock(end)).parse::<Span>());
        }
        spans
    })
}

fn weeks() -> impl Strategy<Value = [Vec<Span>; 7]> {
    let day = prop_oneof![spans(), Just(vec![Span::ALL_DAY]), Just(vec![])];
    proptest::array::uniform7(day).prop_map(|mut week| {
        // What would overlap with the end of the day before goes.
        for today in 0..7 {
            let tail = week[today].last().map_or(0, |span| span.end().saturating_sub(1440));
            week[(today + 1) % 7].retain(|span| span.start() >= tail);
        }
        for today in 0..7 {
            let next = week[(today + 1) % 7].first().map_or(1440, |span| span.start());
            week[today].retain(|span| span.end() <= 1440 + next);
        }
        week
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hours_agree_with_a_walk_through_the_minutes(
        zone in 0..ZONES.len(),
        near in 1_000_000_000_i64..1_900_000_000,
        shift in -48_i64..48,
        week in weeks(),
        special in proptest::collection::vec((5_i32..13, spans()), 0..3),
        set in proptest::collection::vec((any::<bool>(), RIM..MINUTES - RIM, 1_usize..4000), 0..3),
        probes in proptest::collection::vec(RIM..MINUTES - RIM, 12),
    ) {
        let zone = timezone(ZONES[zone]).unwrap();
        let start = window(&zone, Timestamp::from_second(near).unwrap(), shift);
        let first = zone.to_datetime(start).date();
        let mut exceptions: Vec<Exception> = special
            .into_iter()
            .map(|(day, open)| Exception { from: first + day.days(), to: first + day.days(), open, name: None })
            .collect();
        exceptions.sort_by_key(|exception| exception.from);
        exceptions.dedup_by_key(|exception| exception.from);
        let overrides: Vec<Override> = set
            .into_iter()
            .map(|(open, from, length)| Override { open, from: later(start, from), until: later(start, from + length) })
            .collect();
        let hours = Hours::new(zone, week, exceptions).unwrap();
        let model = Model::new(&hours, start, &overrides);
        let changes = model.changes();
        let edges = changes.iter().flat_map(|minute| [minute - 1, *minute]);
        let edges: Vec<usize> = edges.filter(|minute| *minute >= RIM).collect();

        for minute in probes.into_iter().chain(edges) {
            let at = model.at(minute);
            prop_assert_eq!(hours.is_open(at, &overrides), model.open[minute], "open at {}", at);

            let period = hours.period(at, &overrides);
            let last = changes.iter().copied().rfind(|change| *change <= minute);
            let next = changes.iter().copied().find(|change| *change > minute);
            prop_assert_eq!(period.open, model.open[minute]);
            prop_assert!(model.same(period.since, last), "since at {}: {:?}", at, period.since);
            prop_assert!(model.same(period.until, next), "until at {}: {:?}", at, period.until);

            let opening = changes.iter().copied().find(|change| *change > minute && model.open[*change]);
            let real = hours.next_opening(at, &overrides);
            prop_assert!(model.same(real, opening), "next opening at {}: {:?}", at, real);

            let earlier = model.at(RIM);
            let was_open = model.open[RIM..minute].contains(&true);
            prop_assert_eq!(hours.was_open_between(earlier, at, &overrides), was_open, "open before {}", at);
        }
    }
}
