//! The texts of a business: its own where it wrote some, else the built-in ones.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::opening::{hours_in_words, next_opening};
use super::template::{self, Filling, Placeholder, Values};
use super::{Facts, Kind, Lang, first_name, pick_language, table};

pub(super) const PLACEHOLDERS: [Placeholder; 5] = [
    Placeholder { name: "first_name", example: "Anna", optional: true },
    Placeholder { name: "business", example: "Blue Door Bakery", optional: false },
    Placeholder { name: "opening", example: "tomorrow at 09:00", optional: true },
    Placeholder { name: "hours_today", example: "09:00–18:00", optional: true },
    Placeholder { name: "reply_time", example: "an hour", optional: true },
];

/// `[replies.text.xx]` of the config: what is absent is the built-in text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerTexts {
    pub first_contact: Option<String>,
    pub first_contact_closed: Option<String>,
    pub after_hours: Option<String>,
    pub invitation: Option<String>,
}

impl OwnerTexts {
    fn text(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::FirstContact => self.first_contact.as_deref(),
            Kind::FirstContactClosed => self.first_contact_closed.as_deref(),
            Kind::AfterHours => self.after_hours.as_deref(),
            Kind::Invitation => self.invitation.as_deref(),
        }
    }
}

/// Every text in every language of the business. Valid by construction: each has been rendered once
/// with and without each optional value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    languages: Vec<Lang>,
    texts: BTreeMap<(Lang, Kind), String>,
}

impl Wording {
    /// `languages` are those of the business, the first its default. All that is wrong is reported at
    /// once, each in one sentence that begins with its place in the config.
    pub fn new(owner: &BTreeMap<Lang, OwnerTexts>, languages: &[Lang]) -> Result<Self, Vec<String>> {
        let mut errors: Vec<String> = owner.iter().flat_map(|(lang, texts)| check(lang, texts)).collect();
        errors.extend(owner.keys().filter_map(|lang| unused(lang, languages)));
        let mut texts = BTreeMap::new();
        for lang in languages {
            let found = Kind::ALL.map(|kind| (kind, text(owner, lang, kind)));
            errors.extend(missing(lang, &found));
            let known = found.into_iter().filter_map(|(kind, text)| Some(((lang.clone(), kind), text?.to_owned())));
            texts.extend(known);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self { languages: languages.to_vec(), texts })
    }

    /// The languages with a built-in wording.
    pub fn built_in() -> impl Iterator<Item = &'static Lang> {
        table::languages()
    }

    /// The text, ready to send. A language that is not the business's is answered in the one that
    /// [`pick_language`] finds for it.
    #[must_use]
    pub fn render(&self, kind: Kind, lang: &Lang, facts: &Facts<'_>) -> String {
        let lang = pick_language(&self.languages, Some(lang), None);
        let values = Self::values(&lang, facts);
        let own = self.texts.get(&(lang.clone(), kind)).map(String::as_str);
        let built_in = || table::language(&lang).or_else(|| table::language(&Lang::english()));
        own.and_then(|text| written(text, &values))
            // An owner's template may fail over a value that it was not tried with.
            .or_else(|| written(built_in()?.text(kind), &values))
            .unwrap_or_default()
    }

    fn values(lang: &Lang, facts: &Facts<'_>) -> Values {
        let opening = |opening| next_opening(lang, facts.now, opening, facts.timezone);
        let values = [
            ("first_name", facts.display_name.and_then(first_name).map(Filling::Foreign)),
            ("business", Some(Filling::Foreign(facts.business.to_owned()))),
            ("opening", facts.next_opening.map(opening)),
            ("hours_today", hours_in_words(lang, facts.today)),
            ("reply_time", facts.reply_time.map(|words| Filling::Foreign(words.to_owned()))),
        ];
        values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn written(source: &str, values: &Values) -> Option<String> {
    template::render(source, values).ok().filter(|text| !text.is_empty())
}

/// The nearest wins: the owner's own for "de-at", the owner's for "de", the built-in for "de".
fn text<'a>(owner: &'a BTreeMap<Lang, OwnerTexts>, lang: &Lang, kind: Kind) -> Option<&'a str> {
    lang.widening()
        .find_map(|wider| owner.get(&wider)?.text(kind))
        .or_else(|| table::language(lang).map(|language| language.text(kind)))
}

fn check(lang: &Lang, texts: &OwnerTexts) -> Vec<String> {
    let own = Kind::ALL.into_iter().filter_map(|kind| Some((kind, texts.text(kind)?)));
    own.flat_map(|(kind, source)| {
        let errors = template::check(source, &PLACEHOLDERS);
        errors.into_iter().map(move |error| format!("replies.text.{lang}.{}: {error}", kind.key()))
    })
    .collect()
}

fn unused(lang: &Lang, languages: &[Lang]) -> Option<String> {
    let used = languages.iter().any(|other| other.widening().any(|wider| wider == *lang));
    let cure = format!("add \"{lang}\" to business.languages, or remove the texts");
    (!used).then(|| format!("replies.text.{lang}: nobody would get these texts; {cure}"))
}

fn missing(lang: &Lang, texts: &[(Kind, Option<&str>)]) -> Option<String> {
    let keys: Vec<&str> = texts.iter().filter(|(_, text)| text.is_none()).map(|(kind, _)| kind.key()).collect();
    let built_in: Vec<&str> = Wording::built_in().map(Lang::as_str).collect();
    let place =
        format!("business.languages: there is no built-in wording for \"{lang}\", only for {}", built_in.join(", "));
    let cure = format!("under [replies.text.{lang}], or leave the language out");
    (!keys.is_empty()).then(|| format!("{place}; write {} {cure}", keys.join(", ")))
}
