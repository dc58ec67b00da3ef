use std::{fmt::Write, process::ExitCode};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    USAGE,
    hours::{NO_TIME, moment},
};
use crate::{
    config::Spoken,
    hours::Hours,
    notices::{Facts, Kind, Lang},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only in this language [default: each of business.languages]
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// As of this moment, such as "2026-12-24 10:00" in the business's time zone [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

/// Who is greeted by name in what is shown.
const NAME: &str = "Anna";

/// Prints what a customer would read; what an operator set with `!hours` is not in it.
pub fn preview(args: &Args, spoken: &Spoken) -> ExitCode {
    let hours = &spoken.hours;
    let at = match args.at.as_deref().map(|written| moment(written, hours.timezone())) {
        None => Timestamp::now(),
        Some(Some(at)) => at,
        Some(None) => return usage(NO_TIME),
    };
    let languages = match &args.lang {
        None => spoken.business.languages.clone(),
        Some(written) => match written.parse::<Lang>() {
            Ok(lang) if spoken.business.languages.contains(&lang) => vec![lang],
            Ok(_) | Err(_) => return usage(&unknown_language(written, &spoken.business.languages)),
        },
    };
    let texts: Vec<Text> = languages.iter().flat_map(|lang| texts(spoken, lang, at)).collect();
    if args.json {
        let texts = texts.iter().map(|text| text.json(hours)).collect::<Vec<_>>();
        println!("{:#}", json!({ "at": at, "timezone": hours.timezone().iana_name(), "texts": texts }));
    } else {
        print!("{}", shown(&texts, hours));
    }
    ExitCode::SUCCESS
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("{problem}");
    ExitCode::from(USAGE)
}

fn unknown_language(written: &str, languages: &[Lang]) -> String {
    let languages: Vec<&str> = languages.iter().map(Lang::as_str).collect();
    format!("`{written}` is not one of business.languages, which are {}", languages.join(", "))
}

/// One automatic text, to somebody with a name and to somebody without.
struct Text {
    lang: Lang,
    kind: Kind,
    at: Timestamp,
    named: String,
    nameless: String,
}

/// At the moment, and at the next one at which it is closed or open instead.
fn texts(spoken: &Spoken, lang: &Lang, at: Timestamp) -> Vec<Text> {
    let moments = [Some(at), spoken.hours.period(at, &[]).until];
    moments.into_iter().flatten().flat_map(|at| texts_at(spoken, lang, at)).collect()
}

fn texts_at(spoken: &Spoken, lang: &Lang, at: Timestamp) -> Vec<Text> {
    let render = |kind, name| {
        let facts = Facts::at(at, &spoken.hours, &[], &spoken.business.name, name);
        spoken.replies.wording.render(kind, lang, &facts)
    };
    let text =
        |kind| Text { lang: lang.clone(), kind, at, named: render(kind, Some(NAME)), nameless: render(kind, None) };
    let told = spoken.replies.after_hours && !spoken.hours.is_open(at, &[]);
    Kind::ALL.into_iter().filter(|kind| may_be_said(*kind, told)).map(text).collect()
}

/// `told`: the hours are closed, and customers are told so.
fn may_be_said(kind: Kind, told: bool) -> bool {
    match kind {
        Kind::FirstContact => !told,
        Kind::FirstContactClosed | Kind::AfterHours => told,
        Kind::Invitation => true,
    }
}

fn shown(texts: &[Text], hours: &Hours) -> String {
    let mut shown = String::new();
    let mut head = String::new();
    for text in texts {
        let next = format!("{}, {} ({})", text.lang, state(hours, text.at), clock(text.at, hours.timezone()));
        if next != head {
            let gap = if head.is_empty() { "" } else { "\n" };
            let _ = writeln!(shown, "{gap}{next}");
            head = next;
        }
        let _ = writeln!(shown, "  {}", text.kind.key());
        quote(&mut shown, &text.named);
        if text.nameless != text.named {
            shown.push_str("    to somebody whose name is not known:\n");
            quote(&mut shown, &text.nameless);
        }
    }
    shown
}

fn quote(shown: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(shown, "{}", format!("    | {line}").trim_end());
    }
}

fn state(hours: &Hours, at: Timestamp) -> &'static str {
    if hours.is_open(at, &[]) { "open" } else { "closed" }
}

fn clock(at: Timestamp, timezone: &TimeZone) -> String {
    timezone.to_datetime(at).strftime("%a %Y-%m-%d %H:%M").to_string()
}

impl Text {
    fn json(&self, hours: &Hours) -> Value {
        json!({
            "language": self.lang,
            "kind": self.kind.key(),
            "at": self.at,
            "open": hours.is_open(self.at, &[]),
            "text": self.named,
            "text_without_name": self.nameless,
        })
    }
}
