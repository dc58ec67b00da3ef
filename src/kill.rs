//! Named points at which a test lets the program die, as a kill -9 would at that very moment.
//!
//! `FRONTDESK_KILL=settle.before:3` ends the process when it passes that point for the third time. Only in builds with
//! debug assertions; in a release the calls are empty.

use frontdesk_core::{Inbound, Side};

use crate::store::Target;

/// Before and after each kind of commit, and around the calls that the other side sees.
///
/// A platform is told that we have its events as soon as `accept` has returned: a point before the confirmation is the
/// one after the accepting commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    AcceptCustomerBefore,
    AcceptCustomerAfter,
    AcceptDeskBefore,
    AcceptDeskAfter,
    /// Something was decided, and nothing of it is written.
    DispatchBefore,
    /// It is written, and the outbox has not heard of it.
    DispatchAfter,
    InFlightBefore,
    /// Marked, and not sent.
    InFlightAfter,
    SendDeskBefore,
    /// Between the send and its record.
    SendDeskAfter,
    SendCustomerAfter,
    FoldBefore,
    FoldAfter,
    SettleBefore,
    SettleAfter,
    RequeueBefore,
    RequeueAfter,
    DelayedBefore,
    DelayedAfter,
    ReopenBefore,
    ReopenAfter,
    MovedBefore,
    MovedAfter,
}

impl Point {
    pub const ALL: [Self; 23] = [
        Self::AcceptCustomerBefore,
        Self::AcceptCustomerAfter,
        Self::AcceptDeskBefore,
        Self::AcceptDeskAfter,
        Self::DispatchBefore,
        Self::DispatchAfter,
        Self::InFlightBefore,
        Self::InFlightAfter,
        Self::SendDeskBefore,
        Self::SendDeskAfter,
        Self::SendCustomerAfter,
        Self::FoldBefore,
        Self::FoldAfter,
        Self::SettleBefore,
        Self::SettleAfter,
        Self::RequeueBefore,
        Self::RequeueAfter,
        Self::DelayedBefore,
        Self::DelayedAfter,
        Self::ReopenBefore,
        Self::ReopenAfter,
        Self::MovedBefore,
        Self::MovedAfter,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcceptCustomerBefore => "accept.customer.before",
            Self::AcceptCustomerAfter => "accept.customer.after",
            Self::AcceptDeskBefore => "accept.desk.before",
            Self::AcceptDeskAfter => "accept.desk.after",
            Self::DispatchBefore => "dispatch.before",
            Self::DispatchAfter => "dispatch.after",
            Self::InFlightBefore => "in_flight.before",
            Self::InFlightAfter => "in_flight.after",
            Self::SendDeskBefore => "send.desk.before",
            Self::SendDeskAfter => "send.desk.after",
            Self::SendCustomerAfter => "send.customer.after",
            Self::FoldBefore => "fold.before",
            Self::FoldAfter => "fold.after",
            Self::SettleBefore => "settle.before",
            Self::SettleAfter => "settle.after",
            Self::RequeueBefore => "requeue.before",
            Self::RequeueAfter => "requeue.after",
            Self::DelayedBefore => "delayed.before",
            Self::DelayedAfter => "delayed.after",
            Self::ReopenBefore => "reopen.before",
            Self::ReopenAfter => "reopen.after",
            Self::MovedBefore => "moved.before",
            Self::MovedAfter => "moved.after",
        }
    }
}

/// Before and after events are stored; none where a platform had nothing to tell.
pub(crate) fn accepting(events: &[Inbound]) -> [Option<Point>; 2] {
    match events.first().map(|event| &event.side) {
        Some(Side::Customer) => [Some(Point::AcceptCustomerBefore), Some(Point::AcceptCustomerAfter)],
        Some(Side::Desk { .. }) => [Some(Point::AcceptDeskBefore), Some(Point::AcceptDeskAfter)],
        None => [None, None],
    }
}

/// Before and after a send. What is marked first has its point there.
pub(crate) fn sending(target: &Target) -> [Option<Point>; 2] {
    match target {
        Target::Customer(_) => [None, Some(Point::SendCustomerAfter)],
        Target::Thread(..) | Target::Desk(_) => [Some(Point::SendDeskBefore), Some(Point::SendDeskAfter)],
    }
}

/// Ends the process if a test asked for it here.
#[cfg(debug_assertions)]
pub(crate) fn point(point: impl Into<Option<Point>>) {
    use std::sync::{LazyLock, atomic::AtomicU64, atomic::Ordering};

    static WANTED: LazyLock<Option<(Point, AtomicU64)>> = LazyLock::new(|| {
        let wanted = std::env::var("FRONTDESK_KILL").ok()?;
        let (name, times) = wanted.split_once(':')?;
        let point = Point::ALL.into_iter().find(|point| point.name() == name)?;
        Some((point, AtomicU64::new(times.parse().ok()?)))
    });
    if let (Some((wanted, left)), Some(point)) = (WANTED.as_ref(), point.into())
        && *wanted == point
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        // Nothing of ours runs any more: no destructor, no buffer that is written back.
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
#[inline]
pub(crate) fn point(_: impl Into<Option<Point>>) {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_point_is_in_the_list_under_a_name_of_its_own() {
        for (index, point) in Point::ALL.into_iter().enumerate() {
            assert_eq!(point as usize, index);
        }
        assert_eq!(Point::MovedAfter as usize + 1, Point::ALL.len());
        let names: HashSet<_> = Point::ALL.into_iter().map(Point::name).collect();
        assert_eq!(names.len(), Point::ALL.len());
    }
}
