//! What operators set for the moment, for the whole business.

use frontdesk_core::DeskName;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::hours::{Override, SEARCH_DAYS};

/// `!hours closed until 15:00`: what it says, and whose word it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetHours {
    #[serde(flatten)]
    pub set: Override,
    /// The operator's name.
    pub by: String,
    pub desk: DeskName,
}

/// All that was set, oldest first: what has passed is kept as long as anybody asks whether it was open then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursSet {
    sets: Vec<SetHours>,
    /// When operators last changed anything: what was written before may tell other hours.
    #[serde(default)]
    changed_at: Option<Timestamp>,
}

impl HoursSet {
    /// Of a business that changes its hours every day these are the latest weeks.
    const KEPT: usize = 64;

    /// For [`crate::hours`].
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        self.sets.iter().map(|it| it.set).collect()
    }

    /// What counts at a moment.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<&SetHours> {
        self.sets.iter().rfind(|it| it.set.from <= at && at < it.set.until)
    }

    #[must_use]
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.changed_at
    }

    /// Ends what counts at a moment. Returns it, where there was something.
    pub fn end(&mut self, at: Timestamp, now: Timestamp) -> Option<SetHours> {
        let ended = self.at(at).cloned()?;
        self.changed_at = Some(now);
        for it in &mut self.sets {
            it.set.until = it.set.until.min(at);
        }
        self.sets.retain(|it| it.set.from < it.set.until);
        Some(ended)
    }

    /// Counts from its beginning on, instead of what counted until then.
    pub fn set(&mut self, new: SetHours, now: Timestamp) {
        self.end(new.set.from, now);
        self.changed_at = Some(now);
        let oldest = new.set.from.checked_sub(SignedDuration::from_hours(24 * i64::from(SEARCH_DAYS)));
        let oldest = oldest.unwrap_or(Timestamp::MIN);
        self.sets.retain(|it| it.set.until > oldest);
        self.sets.push(new);
        let excess = self.sets.len().saturating_sub(Self::KEPT);
        self.sets.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
    }

    fn set(open: bool, from: i64, until: i64) -> SetHours {
        SetHours { set: Override { open, from: at(from), until: at(until) }, by: "ann".to_owned(), desk: "main".into() }
    }

    #[test]
    fn what_is_set_anew_counts_instead_of_what_counted() {
        let mut hours = HoursSet::default();
        hours.set(set(false, 1, 10), at(0));
        hours.set(set(true, 4, 6), at(0));
        let spans: Vec<_> = hours.overrides().iter().map(|it| (it.open, it.from, it.until)).collect();
        // After six the usual hours count again, not what was set first.
        assert_eq!(spans, [(false, at(1), at(4)), (true, at(4), at(6))]);
        assert_eq!(hours.at(at(5)), Some(&set(true, 4, 6)));
        assert_eq!(hours.at(at(6)), None);
    }

    #[test]
    fn what_is_ended_stays_true_of_the_past() {
        let mut hours = HoursSet::default();
        assert_eq!(hours.end(at(1), at(7)), None);
        assert_eq!(hours.changed_at(), None);
        hours.set(set(false, 1, 10), at(0));
        assert_eq!(hours.end(at(3), at(7)), Some(set(false, 1, 10)));
        assert_eq!((hours.at(at(3)), hours.changed_at()), (None, Some(at(7))));
        assert_eq!(hours.at(at(2)), Some(&set(false, 1, 3)));
        // Ended in the moment it began, it never counted.
        hours.set(set(true, 5, 6), at(0));
        hours.end(at(5), at(7));
        assert_eq!(hours.overrides().len(), 1);
    }

    #[test]
    fn the_list_is_bounded_by_number_and_by_age() {
        let mut hours = HoursSet::default();
        for hour in 0..100 {
            hours.set(set(true, 2 * hour, 2 * hour + 1), at(0));
        }
        assert_eq!(hours.overrides().len(), HoursSet::KEPT);
        let much_later = 24 * (i64::from(SEARCH_DAYS) + 20);
        hours.set(set(true, much_later, much_later + 1), at(0));
        assert_eq!(hours.overrides().len(), 1);
    }
}
