use std::process::ExitCode;

use jiff::{Timestamp, ToSpan, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};

use super::USAGE;
use crate::hours::Hours;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// As of this moment, such as "2026-12-24 10:00" in the business's time zone [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// How many days
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

pub(super) const NO_TIME: &str = "--at is no time; write it like \"2026-12-24 10:00\" or \"2026-12-24T09:00:00Z\"";

/// Prints the hours of the config; what an operator set with `!hours` is not in it.
pub fn hours(args: &Args, hours: &Hours) -> ExitCode {
    let at = match args.at.as_deref().map(|written| moment(written, hours.timezone())) {
        None => Timestamp::now(),
        Some(Some(at)) => at,
        Some(None) => {
            eprintln!("{NO_TIME}");
            return ExitCode::from(USAGE);
        }
    };
    if args.json {
        println!("{:#}", overview_json(hours, at, args.days));
    } else {
        println!("{}", hours.overview(at, args.days, &[]));
    }
    ExitCode::SUCCESS
}

/// An instant as it stands, or a local time.
pub(super) fn moment(written: &str, timezone: &TimeZone) -> Option<Timestamp> {
    let instant = written.parse::<Timestamp>().ok();
    instant.or_else(|| written.parse::<DateTime>().ok()?.to_zoned(timezone.clone()).ok().map(|zoned| zoned.timestamp()))
}

fn overview_json(hours: &Hours, at: Timestamp, days: u16) -> Value {
    let period = hours.period(at, &[]);
    let days = hours.date(at).series(1.day()).take(usize::from(days)).map(|date| {
        let day = hours.day(date);
        json!({
            "date": date,
            "open": day.spans.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "exception": day.exception.is_some(),
            "name": day.exception.and_then(|exception| exception.name.as_deref()),
        })
    });
    json!({
        "at": at,
        "timezone": hours.timezone().iana_name(),
        "open": period.open,
        "since": period.since,
        "until": period.until,
        "days": days.collect::<Vec<_>>(),
    })
}
