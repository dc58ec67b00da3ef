//! The built-in table, `wording.toml`.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::{Kind, Lang};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) languages: BTreeMap<Lang, Language>,
    thanks: ThanksLists,
    not_a_name: Names,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Language {
    /// For dates and times, where it is not the language itself.
    pub(super) locale: Option<Lang>,
    /// Between the last two spans of hours, and between those before: blanks included.
    pub(super) and: String,
    #[serde(default = "comma")]
    pub(super) comma: String,
    /// A template over `from` and `to`.
    #[serde(default = "range")]
    pub(super) range: String,
    first_contact: String,
    first_contact_closed: String,
    after_hours: String,
    invitation: String,
    pub(super) opening: OpeningWords,
}

fn comma() -> String {
    ", ".to_owned()
}

fn range() -> String {
    "{{ from }}–{{ to }}".to_owned()
}

/// Templates over `weekday`, `on_weekday`, `date` and `time`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpeningWords {
    /// From Monday, for `on_weekday`: where the words for "on Tuesday" change with the day.
    pub(super) on_weekdays: Option<[String; 7]>,
    pub(super) today: String,
    pub(super) tomorrow: String,
    /// Within the next six days, so that a weekday is enough.
    pub(super) this_week: String,
    pub(super) later: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThanksLists {
    phrases: Vec<String>,
    beside: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    words: HashSet<String>,
}

/// Phrases as words with one blank between them.
pub(super) struct Thanks {
    pub(super) phrases: HashSet<String>,
    pub(super) beside: HashSet<String>,
    /// Words of the longest of both.
    pub(super) longest: usize,
}

pub(super) const SOURCE: &str = include_str!("../wording.toml");

/// A test reads the table, so the default is never met.
static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(SOURCE).unwrap_or_default());

static THANKS: LazyLock<Thanks> = LazyLock::new(|| {
    let words = |list: &[String]| list.iter().map(|phrase| super::thanks::words(phrase).join(" ")).collect();
    let (phrases, beside): (HashSet<String>, HashSet<String>) =
        (words(&TABLE.thanks.phrases), words(&TABLE.thanks.beside));
    let longest = phrases.iter().chain(&beside).map(|phrase| phrase.split(' ').count()).max().unwrap_or(0);
    Thanks { phrases, beside, longest }
});

impl Language {
    pub(super) fn text(&self, kind: Kind) -> &str {
        match kind {
            Kind::FirstContact => &self.first_contact,
            Kind::FirstContactClosed => &self.first_contact_closed,
            Kind::AfterHours => &self.after_hours,
            Kind::Invitation => &self.invitation,
        }
    }
}

/// The built-in language that `lang` is, or is a form of.
pub(super) fn language(lang: &Lang) -> Option<&'static Language> {
    lang.widening().find_map(|wider| TABLE.languages.get(&wider))
}

pub(super) fn languages() -> impl Iterator<Item = &'static Lang> {
    TABLE.languages.keys()
}

pub(super) fn thanks() -> &'static Thanks {
    &THANKS
}

/// In lower case.
pub(super) fn not_a_name(word: &str) -> bool {
    TABLE.not_a_name.words.contains(word)
}
