#![allow(clippy::unwrap_used, clippy::expect_used)]

mod model;
mod until;

use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::civil::Weekday;

use super::{Exception, Hours, Override, Span, days, timezone, week};

fn spans(written: &[&str]) -> Vec<Span> {
    written.iter().map(|span| span.parse().unwrap()).collect()
}

fn exception(from: &str, to: &str, open: &[&str], name: Option<&str>) -> Exception {
    Exception { from: from.parse().unwrap(), to: to.parse().unwrap(), open: spans(open), name: name.map(str::to_owned) }
}

fn shop_week() -> [Vec<Span>; 7] {
    let long = spans(&["09:00-18:00"]);
    [
        spans(&["13:30-18:00", "09:00-12:30"]),
        long.clone(),
        long.clone(),
        long.clone(),
        long,
        spans(&["09:00-13:00"]),
        vec![],
    ]
}

fn bakery() -> Hours {
    let christmas = exception("2026-12-24", "2026-12-26", &[], Some("Christmas"));
    let eve = exception("2026-12-31", "2026-12-31", &["18:00-02:00"], Some("party"));
    Hours::new(timezone("Europe/Berlin").unwrap(), shop_week(), vec![eve, christmas]).unwrap()
}

fn only(zone: &str, day: Weekday, written: &[&str]) -> Hours {
    let mut week: [Vec<Span>; 7] = Default::default();
    week[usize::from(day.to_monday_zero_offset().unsigned_abs())] = spans(written);
    Hours::new(timezone(zone).unwrap(), week, vec![]).unwrap()
}

fn at(hours: &Hours, local: &str) -> Timestamp {
    let local: jiff::civil::DateTime = local.parse().unwrap();
    hours.timezone().to_timestamp(local).unwrap()
}

fn utc(instant: &str) -> Timestamp {
    instant.parse().unwrap()
}

#[test]
fn a_span_is_read_and_printed() {
    for written in ["09:00-17:30", "22:00-02:00", "00:00-24:00", "18:00-24:00"] {
        assert_eq!(written.parse::<Span>().unwrap().to_string(), written);
    }
    assert_eq!("9:00 – 17:00".parse::<Span>().unwrap().to_string(), "09:00-17:00");
    let midnight: Span = "22:00-00:00".parse().unwrap();
    assert_eq!((midnight.start(), midnight.end()), (22 * 60, 24 * 60));
}

#[test]
fn a_wrong_span_says_how_to_write_it() {
    let written = [
        "9-17",
        "soon",
        "",
        "09:00",
        "09:00-17:5",
        "25:00-26:00",
        "09:00-17:60",
        "24:00-02:00",
        "09:00-09:00",
        "-",
        "+9:00-17:00",
        "09:00-17:00-18:00",
    ];
    let errors: Vec<String> = written.iter().map(|written| written.parse::<Span>().unwrap_err().to_string()).collect();
    assert_snapshot!(errors.join("\n"), @r#"
    `9-17` is not a span of time; write it as "09:00-17:00"
    `soon` is not a span of time; write it as "09:00-17:00"
    `` is not a span of time; write it as "09:00-17:00"
    `09:00` is not a span of time; write it as "09:00-17:00"
    `09:00-17:5` is not a span of time; write it as "09:00-17:00"
    `25:00-26:00`: there is no 25:00; a day goes from 00:00 to 24:00
    `09:00-17:60`: there is no 17:60; a day goes from 00:00 to 24:00
    `24:00-02:00`: there is no 24:00 to start at; a day goes from 00:00 to 24:00
    `09:00-09:00` is empty; for the whole day write "00:00-24:00"
    `-` is not a span of time; write it as "09:00-17:00"
    `+9:00-17:00` is not a span of time; write it as "09:00-17:00"
    `09:00-17:00-18:00` is not a span of time; write it as "09:00-17:00"
    "#);
}

#[test]
fn days_are_one_or_a_range() {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    assert_eq!(days("monday").unwrap(), [Monday]);
    assert_eq!(days("Tuesday-Friday").unwrap(), [Tuesday, Wednesday, Thursday, Friday]);
    assert_eq!(days("saturday-monday").unwrap(), [Saturday, Sunday, Monday]);
    assert_eq!(days("sunday-sunday").unwrap(), [Sunday]);
    assert_eq!(days("monday-sunday").unwrap().len(), 7);
}

#[test]
fn a_misspelt_day_gets_a_suggestion() {
    let written = ["tusday", "thu", "monday-firday", "weekend", "montag", "-", ""];
    let errors: Vec<String> = written.iter().map(|day| days(day).unwrap_err()).collect();
    assert_snapshot!(errors.join("\n"), @r#"
    `tusday` is not a day; did you mean `tuesday`?
    `thu` is not a day; did you mean `thursday`?
    `firday` is not a day; did you mean `friday`?
    `weekend` is not a day; write monday, tuesday ... sunday, or a range such as "tuesday-friday"
    `montag` is not a day; did you mean `monday`?
    `` is not a day; write monday, tuesday ... sunday, or a range such as "tuesday-friday"
    `` is not a day; write monday, tuesday ... sunday, or a range such as "tuesday-friday"
    "#);
}

fn written_week(entries: &[(&str, &[&str])]) -> Result<[Vec<Span>; 7], Vec<String>> {
    let owned: Vec<(&str, Vec<String>)> =
        entries.iter().map(|(key, spans)| (*key, spans.iter().map(|span| (*span).to_owned()).collect())).collect();
    week(owned.iter().map(|(key, spans)| (*key, spans.as_slice())))
}

#[test]
fn a_week_is_read_from_its_entries() {
    let read = written_week(&[
        ("monday", &["09:00-12:30", "13:30-18:00"]),
        ("tuesday-friday", &["09:00-18:00"]),
        ("saturday", &["09:00-13:00"]),
    ]);
    let mut expected = shop_week();
    expected[0].sort_unstable();
    assert_eq!(read.unwrap(), expected);
}

#[test]
fn a_wrong_week_names_each_place() {
    let wrong: &[(&str, &[&str])] = &[("monday", &["9-12"]), ("tusday", &[]), ("sunday-monday", &["10:00-11:00", "x"])];
    assert_snapshot!(written_week(wrong).unwrap_err().join("\n"), @r#"
    hours.monday: `9-12` is not a span of time; write it as "09:00-12:00"
    hours.tusday: `tusday` is not a day; did you mean `tuesday`?
    hours.sunday-monday: `x` is not a span of time; write it as "09:00-17:00"
    hours.sunday-monday: `monday` gives the hours of monday too; keep one
    "#);
}

#[test]
fn a_misspelt_time_zone_gets_a_suggestion() {
    let errors = ["Europe/Berln", "nowhere"].map(|zone| timezone(zone).unwrap_err());
    assert_snapshot!(errors.join("\n"), @r#"
    `Europe/Berln` is not a time zone; did you mean `Europe/Berlin`?
    `nowhere` is not a time zone; write it like "Europe/Berlin"
    "#);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mut week = shop_week();
    week[0] = spans(&["09:00-13:00", "12:00-18:00"]);
    week[5] = spans(&["22:00-03:00"]);
    week[6] = spans(&["02:00-04:00", "23:00-10:00"]);
    let exceptions = vec![
        exception("2026-12-26", "2026-12-24", &[], Some("Christmas")),
        exception("2027-01-01", "2062-01-06", &[], None),
        exception("2028-05-01", "2028-05-03", &[], Some("fair")),
        exception("2028-05-03", "2028-05-03", &["10:00-12:00", "11:00-13:00"], None),
        exception("2029-05-01", "2029-05-02", &["10:00-11:00", "20:00-10:30"], None),
    ];
    let errors = Hours::new(timezone("Europe/Berlin").unwrap(), week, exceptions).unwrap_err();
    assert_snapshot!(errors.join("\n"), @"
    monday: 09:00-13:00 and 12:00-18:00 overlap
    saturday: 22:00-03:00 runs past midnight into 02:00-04:00 on sunday
    sunday: 23:00-10:00 runs past midnight into 09:00-13:00 on monday
    the exception of 2026-12-26 to 2026-12-24 (Christmas): ends before it begins; exchange `from` and `to`
    the exception of 2027-01-01 to 2062-01-06: is longer than a year; is the year in `to` right?
    the exception of 2028-05-03: 10:00-12:00 and 11:00-13:00 overlap
    the exception of 2029-05-01 to 2029-05-02: 20:00-10:30 runs past midnight into 10:00-11:00 on the next day
    the exception of 2027-01-01 to 2062-01-06 and the exception of 2028-05-01 to 2028-05-03 (fair) both give the hours of 2028-05-01; keep one
    the exception of 2028-05-01 to 2028-05-03 (fair) and the exception of 2028-05-03 both give the hours of 2028-05-03; keep one
    ");
}

#[test]
fn the_week_and_its_exceptions_decide() {
    let hours = bakery();
    let open = |local: &str| hours.is_open(at(&hours, local), &[]);
    assert!(!open("2026-12-21T08:59:59"));
    assert!(open("2026-12-21T09:00"));
    assert!(!open("2026-12-21T12:30"), "the end is not in it");
    assert!(open("2026-12-21T13:30"));
    assert!(!open("2026-12-25T10:00"), "an exception closes a Friday");
    assert!(!open("2026-12-31T10:00"), "an exception replaces the hours");
    assert!(open("2026-12-31T23:59"));
    assert!(open("2027-01-01T01:59"), "its evening runs into the next day");
    assert!(!open("2027-01-01T02:00"));
    assert!(open("2027-01-01T09:00"));
}

#[test]
fn an_exception_does_not_cut_the_evening_before() {
    let mut week: [Vec<Span>; 7] = Default::default();
    week[2] = spans(&["20:00-03:00"]);
    let closed = exception("2026-12-24", "2026-12-24", &[], None);
    let hours = Hours::new(timezone("Europe/Berlin").unwrap(), week, vec![closed]).unwrap();
    assert!(hours.is_open(at(&hours, "2026-12-24T02:30"), &[]));
}

#[test]
fn spans_that_touch_across_midnight_are_one_period() {
    let mut week: [Vec<Span>; 7] = Default::default();
    week[4] = spans(&["09:00-12:00", "12:00-15:00", "18:00-24:00"]);
    week[5] = spans(&["00:00-02:00"]);
    let hours = Hours::new(timezone("Europe/Berlin").unwrap(), week, vec![]).unwrap();
    let period = |local: &str| hours.period(at(&hours, local), &[]);
    let day = period("2026-12-18T12:00");
    assert_eq!(day.since, Some(at(&hours, "2026-12-18T09:00")));
    assert_eq!(day.until, Some(at(&hours, "2026-12-18T15:00")));
    let night = period("2026-12-19T00:00");
    assert!(night.open);
    assert_eq!(night.since, Some(at(&hours, "2026-12-18T18:00")));
    assert_eq!(night.until, Some(at(&hours, "2026-12-19T02:00")));
}

#[test]
fn a_skipped_time_is_the_moment_of_the_change() {
    let change = utc("2026-03-29T01:00:00Z");
    let opens = only("Europe/Berlin", Weekday::Sunday, &["02:30-06:00"]);
    assert_eq!(opens.next_opening(utc("2026-03-28T12:00:00Z"), &[]), Some(change));
    let closes = only("Europe/Berlin", Weekday::Sunday, &["01:00-02:30"]);
    assert_eq!(closes.period(utc("2026-03-29T00:30:00Z"), &[]).until, Some(change));
    let nothing = only("Europe/Berlin", Weekday::Sunday, &["02:10-02:50"]);
    assert_eq!(nothing.next_opening(utc("2026-03-28T12:00:00Z"), &[]), Some(utc("2026-04-05T00:10:00Z")));
}

#[test]
fn a_time_that_happens_twice_leaves_it_open_longer() {
    let noon = utc("2026-10-24T12:00:00Z");
    let opens = only("Europe/Berlin", Weekday::Sunday, &["02:30-06:00"]);
    assert_eq!(opens.next_opening(noon, &[]), Some(utc("2026-10-25T00:30:00Z")));
    let closes = only("Europe/Berlin", Weekday::Sunday, &["00:00-02:30"]);
    let night = utc("2026-10-25T00:45:00Z");
    assert_eq!(closes.period(night, &[]).until, Some(utc("2026-10-25T01:30:00Z")));
}

#[test]
fn a_day_that_the_calendar_skips_has_no_hours() {
    // Samoa crossed the date line: after Thursday the 29th came Saturday the 31st.
    let change = utc("2011-12-30T10:00:00Z");
    let friday = only("Pacific/Apia", Weekday::Friday, &["09:00-17:00"]);
    assert_eq!(friday.next_opening(utc("2011-12-29T12:00:00Z"), &[]), Some(utc("2012-01-05T19:00:00Z")));
    let evening = only("Pacific/Apia", Weekday::Thursday, &["20:00-02:00"]);
    assert_eq!(evening.period(utc("2011-12-30T09:00:00Z"), &[]).until, Some(change));
    let into_saturday = only("Pacific/Apia", Weekday::Friday, &["22:00-02:00"]);
    let period = into_saturday.period(change, &[]);
    assert_eq!((period.since, period.until), (Some(change), Some(utc("2011-12-30T12:00:00Z"))));
}

#[test]
fn the_last_override_that_covers_a_moment_counts() {
    let hours = bakery();
    let set = |open, from: &str, until: &str| Override { open, from: at(&hours, from), until: at(&hours, until) };
    let closed = set(false, "2026-12-22T10:00", "2026-12-22T15:00");
    let open = set(true, "2026-12-22T12:00", "2026-12-22T20:00");
    let period = |overrides: &[Override]| hours.period(at(&hours, "2026-12-22T13:00"), overrides);
    assert!(!period(&[open, closed]).open);
    assert_eq!(period(&[open, closed]).until, Some(at(&hours, "2026-12-22T15:00")));
    assert!(period(&[closed, open]).open);
    assert_eq!(period(&[closed, open]).until, Some(at(&hours, "2026-12-22T20:00")));
    assert_eq!(period(&[closed, open]).since, Some(at(&hours, "2026-12-22T12:00")));
    let backwards = set(false, "2026-12-22T15:00", "2026-12-22T10:00");
    assert!(period(&[backwards]).open);
}

#[test]
fn a_night_was_not_open_and_a_night_with_a_break_was() {
    let hours = bakery();
    let between =
        |a: &str, b: &str, overrides: &[Override]| hours.was_open_between(at(&hours, a), at(&hours, b), overrides);
    assert!(!between("2026-12-21T18:00", "2026-12-22T09:00", &[]));
    assert!(between("2026-12-21T17:59", "2026-12-22T08:00", &[]));
    assert!(between("2026-12-21T18:00", "2026-12-22T09:01", &[]));
    assert!(!between("2026-12-23T18:00", "2026-12-27T20:00", &[]));
    assert!(!between("2026-12-22T12:00", "2026-12-22T12:00", &[]));
    assert!(!between("2026-12-22T12:00", "2026-12-22T11:00", &[]));
    let late = Override { open: true, from: at(&hours, "2026-12-21T20:00"), until: at(&hours, "2026-12-21T20:05") };
    assert!(between("2026-12-21T18:30", "2026-12-22T08:00", &[late]));
    let all_day = Override { open: false, from: at(&hours, "2026-12-22T00:00"), until: at(&hours, "2026-12-23T00:00") };
    assert!(!between("2026-12-21T18:30", "2026-12-22T20:00", &[all_day]));
}

#[test]
fn without_hours_it_is_always_open_but_for_overrides() {
    let hours = Hours::always(timezone("Europe/Berlin").unwrap());
    let now = utc("2026-12-25T03:00:00Z");
    assert!(hours.is_always());
    let period = hours.period(now, &[]);
    assert_eq!((period.open, period.since, period.until), (true, None, None));
    assert_eq!(hours.next_opening(now, &[]), None);
    let until = utc("2026-12-25T14:00:00Z");
    let closed = Override { open: false, from: now, until };
    assert_eq!(hours.next_opening(now, &[closed]), Some(until));
    assert_snapshot!(hours.state(now, &[]), @"open now, day and night: no hours are set");
    assert_snapshot!(hours.state(now, &[closed]), @"closed now (set with !hours until 15:00), opens today at 15:00");
}

#[test]
fn a_business_that_never_opens_has_no_next_opening() {
    let hours = Hours::new(timezone("Europe/Berlin").unwrap(), Default::default(), vec![]).unwrap();
    let now = utc("2026-12-25T03:00:00Z");
    assert_eq!(hours.next_opening(now, &[]), None);
    assert!(!hours.was_open_between(Timestamp::MIN, now, &[]));
    assert_snapshot!(hours.state(now, &[]), @"closed now, and for the next 400 days");
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let hours = bakery();
    for moment in [Timestamp::MIN, Timestamp::MAX] {
        let _ = hours.period(moment, &[]);
        let _ = hours.next_opening(moment, &[]);
        let _ = hours.overview(moment, 14, &[]);
    }
}

#[test]
fn the_coming_days_are_printed() {
    let hours = bakery();
    assert_snapshot!(hours.overview(at(&hours, "2026-12-21T12:45"), 12, &[]), @"
    closed now, opens today at 13:30
    Mon 2026-12-21  09:00-12:30, 13:30-18:00  today
    Tue 2026-12-22  09:00-18:00
    Wed 2026-12-23  09:00-18:00
    Thu 2026-12-24  closed (Christmas)
    Fri 2026-12-25  closed (Christmas)
    Sat 2026-12-26  closed (Christmas)
    Sun 2026-12-27  closed
    Mon 2026-12-28  09:00-12:30, 13:30-18:00
    Tue 2026-12-29  09:00-18:00
    Wed 2026-12-30  09:00-18:00
    Thu 2026-12-31  18:00-02:00 (party)
    Fri 2027-01-01  09:00-18:00
    ");
}

#[test]
fn a_day_whose_clocks_change_says_so() {
    let hours = bakery();
    assert_snapshot!(hours.overview(at(&hours, "2027-03-27T09:00"), 3, &[]), @"
    open now, until 13:00
    Sat 2027-03-27  09:00-13:00               today
    Sun 2027-03-28  closed                    clocks go forward at 02:00
    Mon 2027-03-29  09:00-12:30, 13:30-18:00
    ");
    assert_snapshot!(hours.overview(at(&hours, "2027-10-31T09:00"), 1, &[]), @"
    closed now, opens tomorrow at 09:00
    Sun 2027-10-31  closed  today, clocks go back at 03:00
    ");
}

#[test]
fn the_state_names_the_next_change() {
    let hours = bakery();
    let closed = Override { open: false, from: at(&hours, "2026-12-22T10:00"), until: at(&hours, "2026-12-22T15:00") };
    let states = [
        hours.state(at(&hours, "2026-12-21T10:00"), &[]),
        hours.state(at(&hours, "2026-12-21T18:00"), &[]),
        hours.state(at(&hours, "2026-12-23T18:00"), &[]),
        hours.state(at(&hours, "2026-12-31T20:00"), &[]),
        hours.state(at(&hours, "2026-12-22T11:00"), &[closed]),
    ];
    assert_snapshot!(states.join("\n"), @"
    open now, until 12:30
    closed now, opens tomorrow at 09:00
    closed now, opens on Mon 2026-12-28 at 09:00
    open now, until tomorrow at 02:00
    closed now (set with !hours until 15:00), opens today at 15:00
    ");
}
