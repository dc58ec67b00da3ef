//! Which automatic text, in which language, rendered. Pure: when a text is due is decided elsewhere.
//!
//! The wording is the owner's (`[replies.text.xx]`) where there is one, else the built-in of
//! `wording.toml`. What comes from a customer is only ever a value, never a template.

mod detect;
mod direction;
mod language;
mod name;
mod opening;
mod sameness;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod thanks;
mod wording;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::hours::{Hours, Override, Span};

pub use self::detect::detect;
pub use self::language::{Lang, LangError, fitting, pick_language};
pub use self::name::first_name;
pub use self::sameness::{fingerprint, same_words};
pub use self::thanks::only_thanks;
pub use self::wording::{OwnerTexts, Wording};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The first acknowledgement.
    FirstContact,
    /// The first acknowledgement and the after-hours notice in one message.
    FirstContactClosed,
    AfterHours,
    /// Somebody opened the chat and has not written yet.
    Invitation,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::FirstContact, Self::FirstContactClosed, Self::AfterHours, Self::Invitation];

    /// Its key in the config.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::FirstContact => "first_contact",
            Self::FirstContactClosed => "first_contact_closed",
            Self::AfterHours => "after_hours",
            Self::Invitation => "invitation",
        }
    }
}

/// What the texts may mention.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub business: &'a str,
    /// As the platform gives it: only what [`first_name`] finds in it is ever used.
    pub display_name: Option<&'a str>,
    /// While closed, where it is known; absent while open.
    pub next_opening: Option<Timestamp>,
    /// The hours of the day; empty where there are none, or an operator changed them.
    pub today: &'a [Span],
    /// In words of the contact's language, such as "an hour".
    pub reply_time: Option<&'a str>,
    pub now: Timestamp,
    pub timezone: &'a TimeZone,
}

impl<'a> Facts<'a> {
    /// The facts of a moment. Without configured hours nothing is said about them.
    #[must_use]
    pub fn at(
        now: Timestamp,
        hours: &'a Hours,
        overrides: &[Override],
        business: &'a str,
        display_name: Option<&'a str>,
    ) -> Self {
        let closed = !hours.is_open(now, overrides);
        let next_opening = closed.then(|| hours.next_opening(now, overrides)).flatten();
        let as_usual = !hours.is_always() && overrides.iter().all(|set| set.until <= now);
        let today = if as_usual { hours.day(hours.date(now)).spans } else { &[] };
        Self { business, display_name, next_opening, today, reply_time: None, now, timezone: hours.timezone() }
    }
}
