use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use serde::{Deserialize, Serialize};

/// How a channel is, as its adapter sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum ChannelHealth {
    Connecting,
    /// Connected, but there is a backlog to read.
    Connected,
    /// Connected, everything read, and its desks' rooms are ready.
    CaughtUp,
    /// What is wrong and what to do about it.
    Failing {
        problem: String,
    },
}

/// One line of `check --online`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// What was found and, unless all is well, what to do about it.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Ok,
    Warning,
    Error,
}

/// A machine's clock may be this far from a server's.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

impl Finding {
    #[must_use]
    pub fn ok(text: impl Into<String>) -> Self {
        Self { severity: Severity::Ok, text: text.into() }
    }

    #[must_use]
    pub fn warning(text: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, text: text.into() }
    }

    #[must_use]
    pub fn error(text: impl Into<String>) -> Self {
        Self { severity: Severity::Error, text: text.into() }
    }

    /// What a server's `Date` header says about our own clock: nothing while they agree.
    #[must_use]
    pub fn clock(date: &str, now: Timestamp) -> Option<Self> {
        let theirs = rfc2822::parse(date).ok()?.timestamp();
        let ahead = now.duration_since(theirs);
        let (by, way) = if ahead.is_negative() { (-ahead, "behind") } else { (ahead, "ahead of") };
        (by > SKEW).then(|| {
            let by = if by.as_hours() > 1 { format!("{} hours", by.as_hours()) } else { format!("{} minutes", by.as_mins()) };
            Self::warning(format!(
                "the clock of this machine is {by} {way} the server's: set it right, or the opening hours are off by as \
                 much"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_found_and_its_direction_named() {
        let now: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let found = |date: &str| Finding::clock(date, now).map(|finding| finding.text).unwrap_or_default();
        assert_eq!(found("Mon, 23 Nov 2026 09:00:59 GMT"), "");
        assert_eq!(found("not a date"), "");
        assert!(found("Mon, 23 Nov 2026 08:57:00 GMT").contains("is 3 minutes ahead of the server's"));
        assert!(found("Mon, 23 Nov 2026 14:00:00 GMT").contains("is 5 hours behind the server's"));
    }
}
