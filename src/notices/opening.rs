//! The next opening in words: "tomorrow at 09:00".

use icu_datetime::fieldsets::{E, MD, MDE, T};
use icu_datetime::input::{Date, DateTime, Time};
use icu_datetime::preferences::HourCycle;
use icu_datetime::{DateTimeFormatter, DateTimeFormatterPreferences, NoCalendarFormatter};
use icu_locale_core::Locale;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

use super::table::{self, Language};
use super::template::{self, Filling, Values};
use super::{Lang, Wording};
use crate::hours::Span;

impl Wording {
    /// When it opens, to stand inside a sentence, in the business's time zone. In a language without
    /// built-in words it is the weekday, date and time in that language's own form.
    #[must_use]
    pub fn opening_words(&self, lang: &Lang, now: Timestamp, opening: Timestamp, timezone: &TimeZone) -> String {
        next_opening(lang, now, opening, timezone).into_text()
    }
}

pub(super) fn next_opening(lang: &Lang, now: Timestamp, opening: Timestamp, timezone: &TimeZone) -> Filling {
    let (now, opening) = (timezone.to_datetime(now), timezone.to_datetime(opening));
    let in_words = table::language(lang).and_then(|language| in_words(language, lang, now, opening));
    in_words.map(Filling::Written).unwrap_or_else(|| {
        let plain = || opening.strftime("%Y-%m-%d %H:%M").to_string();
        Filling::Foreign(in_form_of(lang, opening).unwrap_or_else(plain))
    })
}

fn in_words(language: &Language, lang: &Lang, now: civil::DateTime, opening: civil::DateTime) -> Option<String> {
    let form = form(language, lang);
    let days = (opening.date() - now.date()).get_days();
    let words = &language.opening;
    let source = match days {
        0 => &words.today,
        1 => &words.tomorrow,
        2..=6 => &words.this_week,
        _ => &words.later,
    };
    let at = moment(opening)?;
    let weekday = DateTimeFormatter::try_new(form, E::long()).ok()?.format(&at.date).to_string();
    let date = DateTimeFormatter::try_new(form, MD::long()).ok()?.format(&at.date).to_string();
    let mut values = Values::from([
        ("weekday", Filling::Foreign(weekday)),
        ("date", Filling::Foreign(date)),
        ("time", Filling::Foreign(clock(form, at.time)?)),
    ]);
    let day = usize::try_from(opening.weekday().to_monday_zero_offset()).ok()?;
    let on_weekday = words.on_weekdays.as_ref().and_then(|names| names.get(day));
    values.extend(on_weekday.map(|name| ("on_weekday", Filling::Foreign(name.clone()))));
    template::render(source, &values).ok()
}

/// The language's own form, on the 24-hour clock: as the hours are configured, and never in doubt.
fn form(language: &Language, lang: &Lang) -> DateTimeFormatterPreferences {
    let locale = language.locale.as_ref().unwrap_or(lang).locale();
    let mut form = DateTimeFormatterPreferences::from(&locale);
    form.hour_cycle = Some(HourCycle::H23);
    form
}

fn clock(form: DateTimeFormatterPreferences, time: Time) -> Option<String> {
    Some(NoCalendarFormatter::try_new(form, T::hm()).ok()?.format(&time).to_string())
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
pub(super) fn hours_in_words(lang: &Lang, spans: &[Span]) -> Option<Filling> {
    let Some(language) = table::language(lang) else {
        let shown: Vec<String> = spans.iter().map(|span| span.to_string().replace('-', "–")).collect();
        return (!shown.is_empty()).then(|| Filling::Foreign(shown.join(", ")));
    };
    let form = form(language, lang);
    let shown: Option<Vec<String>> = spans.iter().map(|span| range(language, form, *span)).collect();
    let shown = shown?;
    let (last, others) = shown.split_last()?;
    if others.is_empty() {
        return Some(Filling::Written(last.clone()));
    }
    Some(Filling::Written(format!("{}{}{last}", others.join(&language.comma), language.and)))
}

fn range(language: &Language, form: DateTimeFormatterPreferences, span: Span) -> Option<String> {
    let values = Values::from([
        ("from", Filling::Foreign(time_of_day(form, span.start())?)),
        ("to", Filling::Foreign(time_of_day(form, span.end())?)),
    ]);
    template::render(&language.range, &values).ok()
}

/// `minutes` since midnight; the midnight that ends a day is 24:00.
fn time_of_day(form: DateTimeFormatterPreferences, minutes: u16) -> Option<String> {
    const DAY: u16 = 24 * 60;
    if minutes == DAY {
        return Some("24:00".to_owned());
    }
    let (hour, minute) = (minutes % DAY / 60, minutes % 60);
    clock(form, Time::try_new(u8::try_from(hour).ok()?, u8::try_from(minute).ok()?, 0, 0).ok()?)
}
