//! What a platform takes only for some time after the customer's last message: it waits until they write again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Channel, Next, Outbox, pace::after};
use crate::{
    desk,
    kill::{self, Point},
    store::{HoldReason, Outcome, Purpose, Row, RowOp, RowState, StoreError, Target, Ticket, Verb},
};

/// What nobody gives up is looked at again this often.
const EVERY: Duration = Duration::from_secs(24 * 3600);

impl Outbox {
    /// Holds what the platform would not take now, and lets go what it takes again.
    pub(super) async fn kept_back(&self, channel: &Channel, ticket: &mut Ticket) -> Result<Option<Next>, StoreError> {
        let now = self.clock.now();
        let window = channel.adapter.capabilities().reply_window;
        let closed = window.is_some_and(|window| needs_a_window(&ticket.row) && !is_open(ticket, window, now));
        match (&ticket.row.state, closed) {
            (RowState::Held { reason: HoldReason::Guard }, _)
            | (RowState::Held { reason: HoldReason::WindowClosed }, true) => Ok(Some(Next::Held(until(ticket, now)))),
            // They may have written since they were blocked: what waits for that goes out when the block ends.
            (RowState::Held { reason: HoldReason::WindowClosed }, false) if ticket.blocked => {
                Ok(Some(Next::Held(until(ticket, now))))
            }
            (RowState::Held { reason: HoldReason::WindowClosed }, false) => {
                if !self.store.release(ticket.row.number).await? {
                    return Ok(Some(Next::Done));
                }
                ticket.row.state = RowState::Queued;
                Ok(None)
            }
            (RowState::Queued | RowState::InFlight, true) => self.keep_back(ticket).await.map(Some),
            (RowState::Queued | RowState::InFlight, false) => Ok(None),
        }
    }

    /// The platform does not take a row before the customer writes. An answer waits for that; nothing else does.
    pub(super) async fn keep_back(&self, ticket: &Ticket) -> Result<Next, StoreError> {
        let (row, now) = (&ticket.row, self.clock.now());
        let is_answer = row.what.purpose == Purpose::Answer && super::lanes::verb(&row.what.op) == Verb::Post;
        if !is_answer || !needs_a_window(row) {
            return self.end(row.number, Outcome::Failed { reason: desk::WINDOW_CLOSED.to_owned() }).await;
        }
        kill::point(Point::RequeueBefore);
        let held = self.store.hold(row.number, now, ticket.heard_at).await?;
        kill::point(Point::RequeueAfter);
        match held {
            Some(true) => {
                self.recorded.notify_one();
                Ok(Next::Held(until(ticket, now)))
            }
            // They have written at this very moment.
            Some(false) => {
                self.store.update(Row { state: RowState::Queued, ..row.clone() }).await?;
                Ok(Next::Wait(after(now, Duration::from_secs(1))))
            }
            None => Ok(Next::Done),
        }
    }
}

/// Templates may be sent at any time; what changes a message is folded into it, or the platform has its own rules.
fn needs_a_window(row: &Row) -> bool {
    let to_customer = matches!(row.what.target, Target::Customer(_));
    to_customer && matches!(row.what.op, RowOp::Post { .. } | RowOp::React { .. })
}

fn is_open(ticket: &Ticket, window: Duration, now: Timestamp) -> bool {
    let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
    ticket.heard_at.is_some_and(|heard| now.duration_since(heard) < window)
}

fn until(ticket: &Ticket, now: Timestamp) -> Timestamp {
    ticket.row.what.give_up_at.unwrap_or_else(|| after(now, EVERY))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use frontdesk_core::{Content, Style};

    use super::*;
    use crate::{
        outbox::{Standing, lanes::Lanes},
        store::{IdentityId, NewRow, RowNumber},
    };

    const ANNA: Target = Target::Customer(IdentityId(1));

    fn row(number: u64, op: RowOp) -> Row {
        let what = NewRow {
            target: ANNA,
            purpose: Purpose::Answer,
            op,
            conversation: None,
            message: None,
            sender: None,
            expires_at: None,
            unless_answered: None,
            give_up_at: None,
            piece: false,
            hold: None,
        };
        Row {
            number: RowNumber(number),
            order: number,
            written_at: Timestamp::UNIX_EPOCH,
            what,
            state: RowState::Queued,
            attempts: 0,
            not_before: None,
            prepared: Default::default(),
            possibly_repeated: false,
            reopened: 0,
            delay_told: false,
            file_failures: 0,
            without_file: false,
        }
    }

    fn post(number: u64) -> Row {
        let op = RowOp::Post { content: Content::text("x"), style: Style::Words, reply_to: None, mentions: Vec::new() };
        row(number, op)
    }

    fn template(number: u64) -> Row {
        row(number, RowOp::Template { name: "a".into(), language: "en".into(), arguments: Vec::new() })
    }

    fn next(lanes: &mut Lanes) -> Option<u64> {
        lanes.take(Timestamp::UNIX_EPOCH).map(|(_, number)| number.0)
    }

    /// Two answers, of which the first was looked at and is held.
    fn held() -> Lanes {
        let mut lanes = Lanes::default();
        lanes.insert(&post(1), false);
        lanes.insert(&post(2), false);
        assert_eq!(next(&mut lanes), Some(1));
        lanes.hold(&ANNA, RowNumber(1), Timestamp::MAX);
        assert_eq!(next(&mut lanes), None);
        lanes
    }

    #[test]
    fn only_a_template_passes_what_is_held_and_only_once() {
        let mut lanes = held();
        lanes.insert(&post(3), false);
        assert_eq!(next(&mut lanes), None);
        lanes.insert(&template(4), false);
        assert_eq!(next(&mut lanes), Some(4));
        lanes.done(&ANNA, RowNumber(4));
        assert_eq!(next(&mut lanes), None);
        lanes.wake(&ANNA);
        for number in 1..=3 {
            assert_eq!(next(&mut lanes), Some(number));
            lanes.done(&ANNA, RowNumber(number));
        }
        assert_eq!(lanes.standing(&ANNA, RowNumber(1)), None);
    }

    #[test]
    fn what_is_held_keeps_its_time_when_a_template_has_passed_it_or_another_was_taken_out() {
        let until = Timestamp::UNIX_EPOCH + Duration::from_secs(60);
        let mut lanes = Lanes::default();
        (1..=3).for_each(|number| lanes.insert(&post(number), false));
        assert_eq!(next(&mut lanes), Some(1));
        lanes.hold(&ANNA, RowNumber(1), until);
        lanes.insert(&template(4), false);
        assert_eq!(next(&mut lanes), Some(4));
        lanes.done(&ANNA, RowNumber(4));
        assert_eq!((next(&mut lanes), lanes.next_due()), (None, Some(until)));
        assert!(lanes.withdraw(&ANNA, RowNumber(2)));
        assert_eq!((next(&mut lanes), lanes.next_due()), (None, Some(until)));
        assert_eq!(lanes.take(until), Some((ANNA, RowNumber(1))));
    }

    #[test]
    fn a_lane_that_is_woken_while_it_is_looked_at_is_looked_at_again() {
        let mut lanes = held();
        lanes.wake(&ANNA);
        assert_eq!(next(&mut lanes), Some(1));
        lanes.wake(&ANNA);
        lanes.hold(&ANNA, RowNumber(1), Timestamp::MAX);
        assert_eq!(next(&mut lanes), Some(1), "they wrote between the look and the hold");
        lanes.hold(&ANNA, RowNumber(1), Timestamp::MAX);
        assert_eq!(next(&mut lanes), None);
    }

    #[test]
    fn what_is_held_is_looked_at_when_its_time_is_over_and_can_be_taken_out() {
        let mut lanes = Lanes::default();
        lanes.insert(&post(1), false);
        lanes.insert(&post(2), false);
        assert_eq!(next(&mut lanes), Some(1));
        lanes.hold(&ANNA, RowNumber(1), Timestamp::UNIX_EPOCH);
        assert_eq!(next(&mut lanes), Some(1));
        lanes.hold(&ANNA, RowNumber(1), Timestamp::MAX);
        assert_eq!(lanes.standing(&ANNA, RowNumber(1)), Some(Standing::Until(Timestamp::MAX)));
        assert!(lanes.withdraw(&ANNA, RowNumber(1)));
        assert_eq!(next(&mut lanes), Some(2));
    }
}
