//! What operators read about a platform's reply window.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::clock;

/// Until when a customer may be answered with words of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Always,
    Until(Timestamp),
    /// Not before they write again.
    Closed,
}

impl Window {
    #[must_use]
    pub fn is_closed(self, now: Timestamp) -> bool {
        match self {
            Self::Always => false,
            Self::Until(until) => until <= now,
            Self::Closed => true,
        }
    }
}

/// Why a platform with a reply window took no answer.
pub const WINDOW_CLOSED: &str = "the platform lets us answer only after the customer has written again.";

pub const REACTION_TOO_LATE: &str =
    "That reaction was not shown to the customer: their messenger lets us answer only after they have written again.";

pub const AGAIN_AFTER_ALL: &str = "This answer was not delivered at first, because too much time had passed. They have written since: it goes out again.";

pub const NOTHING_HELD: &str = "Nothing waits here until the customer writes.";

/// The card's line.
pub(super) fn line(window: Window, timezone: &TimeZone) -> Option<String> {
    match window {
        Window::Always => None,
        Window::Until(until) => Some(format!("Answer until {}", clock(until, timezone))),
        Window::Closed => Some("Can be answered when they write again; before that with !template".to_owned()),
    }
}

/// What became of an answer that comes too late, and the three ways out.
#[must_use]
pub fn held(name: &str, window: SignedDuration, give_up: SignedDuration) -> String {
    format!(
        "Not sent yet: {name}'s messenger takes an answer only in the {} after their last message. This one waits and \
         goes out by itself when they write again (for {} at most). !template sends them an approved message now, \
         !drop takes the answer back.",
        hours(window),
        hours(give_up)
    )
}

#[must_use]
pub fn held_too(name: &str) -> String {
    format!("Not sent yet: this one waits too, until {name} writes again.")
}

#[must_use]
pub fn sent_now(excerpt: &str) -> String {
    format!("They have written again, so this was sent now: {excerpt}")
}

pub const NOT_DROPPED: &str = "They have written, and an answer that waited is being sent at this moment: it cannot be \
                               taken back. Should that fail, !drop does it.";

#[must_use]
pub fn dropped(count: usize) -> String {
    match count {
        1 => "Taken back: the answer that waited is not sent.".to_owned(),
        count => format!("Taken back: the {count} answers that waited are not sent."),
    }
}

/// Before it is too late.
#[must_use]
pub fn closes_soon(name: &str, until: Timestamp, timezone: &TimeZone) -> String {
    format!(
        "{name} still waits. Their messenger lets us answer until {}; after that only with !template, or when they write \
         again.",
        clock(until, timezone)
    )
}

#[must_use]
pub fn closed_unanswered(name: &str, until: Timestamp, timezone: &TimeZone) -> String {
    format!(
        "{name} was not answered in time: their messenger let us answer until {}. Now it takes only !template, or an \
         answer when they write again.",
        clock(until, timezone)
    )
}

/// Why an answer is given up that waited for the customer.
#[must_use]
pub fn not_heard_for(hours: i64) -> String {
    format!("the customer has not written for the {hours} hours that it waited.")
}

#[must_use]
pub fn not_delivered_for(hours: i64) -> String {
    format!("it could not be delivered for {hours} hours.")
}

fn hours(duration: SignedDuration) -> String {
    match duration.as_hours() {
        1 => "hour".to_owned(),
        hours => format!("{hours} hours"),
    }
}
