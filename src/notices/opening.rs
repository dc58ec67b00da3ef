//! The next opening in words: "tomorrow at 09:00".

use icu_datetime::fieldsets::{E, MD, MDE, T};
use icu_datetime::input::{Date, DateTime, Time};
use icu_datetime::{DateTimeFormatter, NoCalendarFormatter};
use icu_locale_core::Locale;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use super::table::{self, Language};
use super::template::{self, Values};
use super::{Lang, Wording};
use crate::hours::Span;

impl Wording {
    /// When it opens, to stand inside a sentence, in the business's time zone. In a language without
    /// built-in words it is the weekday, date and time in that language's own form.
    #[must_use]
    pub fn opening_words(&self, lang: &Lang, now: Timestamp, opening: Timestamp, timezone: &TimeZone) -> String {
        let (now, opening) = (timezone.to_datetime(now), timezone.to_datetime(opening));
        table::language(lang)
            .and_then(|language| in_words(language, lang, now, opening))
            .or_else(|| in_form_of(lang, opening))
            .unwrap_or_else(|| opening.strftime("%Y-%m-%d %H:%M").to_string())
    }
}

fn in_words(language: &Language, lang: &Lang, now: civil::DateTime, opening: civil::DateTime) -> Option<String> {
    let locale = language.locale.as_ref().unwrap_or(lang).locale();
    let days = (opening.date() - now.date()).get_days();
    let words = &language.opening;
    let source = match days {
        0 => &words.today,
        1 => &words.tomorrow,
        2..=6 => &words.this_week,
        _ => &words.later,
    };
    let at = moment(opening)?;
    let weekday = DateTimeFormatter::try_new((&locale).into(), E::long()).ok()?.format(&at.date).to_string();
    let date = DateTimeFormatter::try_new((&locale).into(), MD::long()).ok()?.format(&at.date).to_string();
    let time = NoCalendarFormatter::try_new((&locale).into(), T::hm()).ok()?.format(&at.time).to_string();
    let values = Values::from([("weekday", weekday), ("date", date), ("time", time)]);
    template::render(source, &values).ok()
}

/// None where there is no data for the language: the root locale's form is nobody's.
fn in_form_of(lang: &Lang, opening: civil::DateTime) -> Option<String> {
    let (locale, at) = (lang.locale(), moment(opening)?);
    let weekday = |locale: &Locale| {
        let formatter = DateTimeFormatter::try_new(locale.into(), E::long()).ok()?;
        Some(formatter.format(&at.date).to_string())
    };
    if weekday(&locale) == weekday(&Locale::UNKNOWN) {
        return None;
    }
    let formatter = DateTimeFormatter::try_new((&locale).into(), MDE::long().with_time_hm()).ok()?;
    Some(formatter.format(&at).to_string())
}

fn moment(local: civil::DateTime) -> Option<DateTime<icu_calendar::Iso>> {
    let number = |value: i8| u8::try_from(value).ok();
    let (month, day) = (number(local.month())?, number(local.day())?);
    let (hour, minute) = (number(local.hour())?, number(local.minute())?);
    let date = Date::try_new_iso(i32::from(local.year()), month, day).ok()?;
    let time = Time::try_new(hour, minute, 0, 0).ok()?;
    Some(DateTime { date, time })
}

/// For example "09:00–12:30 and 13:30–18:00"; None where there is nothing.
pub(super) fn hours_in_words(lang: &Lang, spans: &[Span]) -> Option<String> {
    let shown: Vec<String> = spans.iter().map(|span| span.to_string().replace('-', "–")).collect();
    let (last, others) = shown.split_last()?;
    if others.is_empty() {
        return Some(last.clone());
    }
    let others = others.join(", ");
    match table::language(lang) {
        Some(language) => Some(format!("{others} {} {last}", language.and)),
        None => Some(format!("{others}, {last}")),
    }
}
