use super::*;
use crate::hours::UntilError;

const NOON: &str = "2026-12-22T12:00";

fn ends(hours: &Hours, now: &str, open: bool, written: &str) -> String {
    match hours.until(written, open, at(hours, now)) {
        Ok(until) => hours.timezone().to_datetime(until).strftime("%a %Y-%m-%d %H:%M").to_string(),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn the_end_is_the_next_moment_that_fits() {
    let hours = bakery();
    let written = [
        "15:00",
        "9:00",
        "12:00",
        "24:00",
        "00:00",
        "today 15:00",
        "tomorrow",
        "tomorrow 09:00",
        "Tomorrow at 9:00",
        "tuesday",
        "tuesday 13:00",
        "tue 11:00",
        "on monday at 09:00",
        "mon",
        "2026-12-24",
        "2026-12-24 10:00",
        "2026-12-24T10:30",
        "2026-12-31 24:00",
    ];
    let all = written.map(|written| format!("{written}: {}", ends(&hours, NOON, false, written)));
    assert_snapshot!(all.join("\n"), @"
    15:00: Tue 2026-12-22 15:00
    9:00: Wed 2026-12-23 09:00
    12:00: Wed 2026-12-23 12:00
    24:00: Wed 2026-12-23 00:00
    00:00: Wed 2026-12-23 00:00
    today 15:00: Tue 2026-12-22 15:00
    tomorrow: Wed 2026-12-23 00:00
    tomorrow 09:00: Wed 2026-12-23 09:00
    Tomorrow at 9:00: Wed 2026-12-23 09:00
    tuesday: Tue 2026-12-29 00:00
    tuesday 13:00: Tue 2026-12-22 13:00
    tue 11:00: Tue 2026-12-29 11:00
    on monday at 09:00: Mon 2026-12-28 09:00
    mon: Mon 2026-12-28 00:00
    2026-12-24: Thu 2026-12-24 00:00
    2026-12-24 10:00: Thu 2026-12-24 10:00
    2026-12-24T10:30: Thu 2026-12-24 10:30
    2026-12-31 24:00: Fri 2027-01-01 00:00
    ");
}

#[test]
fn what_is_no_end_is_said_in_words() {
    let hours = bakery();
    let written = [
        "",
        "3pm",
        "15",
        "25:00",
        "15:60",
        "further notice",
        "today",
        "today 11:00",
        "2026-12-22",
        "2026-12-21 10:00",
        "2028-01-01",
        "24.12.2026",
        "monday tuesday",
        "mo",
        "9:00 10:00 11:00",
        "😀",
    ];
    let all = written.map(|written| format!("{written}: {}", ends(&hours, NOON, true, written)));
    assert_snapshot!(all.join("\n"), @"
    : Until when?
    3pm: `3pm` is not a time.
    15: `15` is not a time.
    25:00: `25:00` is not a time.
    15:60: `15:60` is not a time.
    further notice: `further notice` is not a time.
    today: `today` has passed.
    today 11:00: `today 11:00` has passed.
    2026-12-22: `2026-12-22` has passed.
    2026-12-21 10:00: `2026-12-21 10:00` has passed.
    2028-01-01: `2028-01-01` is more than a year away.
    24.12.2026: `24.12.2026` is not a time.
    monday tuesday: `monday tuesday` is not a time.
    mo: `mo` is not a time.
    9:00 10:00 11:00: `9:00 10:00 11:00` is not a time.
    😀: `😀` is not a time.
    ");
    let long = "x".repeat(5000);
    assert_eq!(hours.until(&long, true, at(&hours, NOON)), Err(UntilError::Form("x".repeat(40))));
}

#[test]
fn where_the_clocks_change_the_business_is_open_for_longer() {
    let hours = bakery();
    let end = |now: &str, open, written: &str| hours.until(written, open, utc(now)).unwrap().to_string();
    // Half past two happens twice that night: at 00:30 and at 01:30 UTC.
    assert_eq!(end("2027-10-30T20:00:00Z", false, "02:30"), "2027-10-31T00:30:00Z");
    assert_eq!(end("2027-10-30T20:00:00Z", true, "02:30"), "2027-10-31T01:30:00Z");
    // Between the two it is the second, whatever is set.
    assert_eq!(end("2027-10-31T00:45:00Z", false, "02:30"), "2027-10-31T01:30:00Z");
    // In spring it does not happen at all: it is the moment of the change.
    assert_eq!(end("2027-03-27T20:00:00Z", true, "02:30"), "2027-03-28T01:00:00Z");
    assert_eq!(end("2027-03-27T20:00:00Z", false, "tomorrow 02:30"), "2027-03-28T01:00:00Z");
}

#[test]
fn the_coming_days_say_what_is_set_for_them() {
    let hours = bakery();
    let set = |open, from: &str, until: &str| Override { open, from: at(&hours, from), until: at(&hours, until) };
    let closed = set(false, "2026-12-22T12:00", "2026-12-24T10:00");
    assert_snapshot!(hours.overview(at(&hours, NOON), 4, &[closed]), @"
    closed now (set with !hours until Thu 2026-12-24 at 10:00), opens on Mon 2026-12-28 at 09:00
    Tue 2026-12-22  09:00-18:00         today, set to closed
    Wed 2026-12-23  09:00-18:00         set to closed
    Thu 2026-12-24  closed (Christmas)  set to closed until 10:00
    Fri 2026-12-25  closed (Christmas)
    ");
    let late = set(true, "2026-12-22T12:00", "2026-12-23T01:30");
    assert_snapshot!(hours.overview(at(&hours, NOON), 2, &[late]), @"
    open now (set with !hours until tomorrow at 01:30), until tomorrow at 01:30
    Tue 2026-12-22  09:00-18:00  today, set to open
    Wed 2026-12-23  09:00-18:00  set to open until 01:30
    ");
    let over = set(true, "2026-12-22T08:00", "2026-12-22T09:00");
    assert!(!hours.overview(at(&hours, NOON), 2, &[over]).contains("set"));
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_it_ends_later_or_says_why_not(written in ".{0,30}", open: bool, hour in 0_i64..9000) {
        let hours = bakery();
        let now = utc("2026-12-22T11:00:00Z") + jiff::SignedDuration::from_hours(hour);
        if let Ok(until) = hours.until(&written, open, now) {
            proptest::prop_assert!(until > now);
        }
    }
}
