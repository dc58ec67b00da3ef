//! Languages, and which one a person is written in.

use std::fmt;
use std::str::FromStr;

use icu_locale_core::{LanguageIdentifier, Locale};
use serde::{Deserialize, Serialize};

/// A language tag in lower case, such as "de" or "pt-br".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lang(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a language tag; write it like \"en\" or \"pt-br\"")]
pub struct LangError(String);

impl Lang {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// English: what is spoken where nothing else is said.
    #[must_use]
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// "de" of "de-at".
    pub(super) fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// Itself, then what it is a form of: "zh-hant-tw", "zh-hant", "zh".
    pub(super) fn widening(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.0.as_str()), |tag| wider(tag)).map(|tag| Self(tag.to_owned()))
    }

    pub(super) fn locale(&self) -> Locale {
        self.0.parse().unwrap_or(Locale::UNKNOWN)
    }
}

fn wider(tag: &str) -> Option<&str> {
    match tag {
        // Written so there without saying it.
        "zh-tw" | "zh-hk" | "zh-mo" => Some("zh-hant"),
        tag => tag.rsplit_once('-').map(|(wider, _)| wider),
    }
}

impl FromStr for Lang {
    type Err = LangError;

    /// Takes any case, and "pt_BR" as well.
    fn from_str(written: &str) -> Result<Self, LangError> {
        let tag = written.trim().to_ascii_lowercase().replace('_', "-");
        let parsed: Result<LanguageIdentifier, _> = tag.parse();
        match parsed {
            Ok(id) if !id.language.is_unknown() => Ok(Self(tag)),
            Ok(_) | Err(_) => Err(LangError(written.chars().take(40).collect())),
        }
    }
}

impl TryFrom<String> for Lang {
    type Error = LangError;

    fn try_from(written: String) -> Result<Self, LangError> {
        written.parse()
    }
}

impl From<Lang> for String {
    fn from(lang: Lang) -> Self {
        lang.0
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the business's languages: what an operator set for the contact, else what the platform
/// says, else the first. "de-AT" fits "de", and "pt-PT" rather "pt-br" than nothing.
#[must_use]
pub fn pick_language(business_languages: &[Lang], set_by_operator: Option<&Lang>, platform_code: Option<&str>) -> Lang {
    let platform: Option<Lang> = platform_code.and_then(|code| code.parse().ok());
    set_by_operator
        .into_iter()
        .chain(platform.as_ref())
        .find_map(|wish| fitting(business_languages, wish))
        .or(business_languages.first())
        .cloned()
        .unwrap_or_else(Lang::english)
}

/// The one of `languages` that is the wish, or a wider, or at least a related form of it.
#[must_use]
pub fn fitting<'a>(languages: &'a [Lang], wish: &Lang) -> Option<&'a Lang> {
    let form_of = |wider: &Lang| languages.iter().find(|lang| *lang == wider);
    let mut related = languages.iter();
    wish.widening().find_map(|wider| form_of(&wider)).or_else(|| related.find(|lang| lang.primary() == wish.primary()))
}
