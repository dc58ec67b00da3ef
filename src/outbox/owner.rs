//! What the owner asks of rows that wait, while the program runs. Rows belong to the outbox: nobody else may change one
//! that is perhaps being sent.

use super::{Outbox, Standing};
use crate::store::{Outcome, Row, RowNumber, RowState, StoreError, Target};

/// What became of the owner's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Done,
    /// It is being sent at this moment.
    Sending,
    /// It was sent, or taken back, before.
    Gone,
}

impl Outbox {
    /// What a row waits for; `None` when it is not in any lane.
    #[must_use]
    pub fn standing(&self, row: &Row) -> Option<Standing> {
        self.lanes().standing(&row.what.target, row.number)
    }

    /// Tries a row now instead of at its back-off; what stands before it in its lane goes first. A platform that asked
    /// for patience still gets it.
    pub async fn hurry(&self, number: RowNumber) -> Result<Told, StoreError> {
        let Some(ticket) = self.store.ticket(number).await? else { return Ok(Told::Gone) };
        let target = ticket.row.what.target;
        let Some(head) = self.lanes().claim(&target) else { return Ok(Told::Sending) };
        let claimed = Claimed { outbox: self, target };
        if let Some(ticket) = self.store.ticket(head).await?
            && ticket.row.not_before.is_some()
        {
            self.store.update(Row { not_before: None, ..ticket.row }).await?;
        }
        drop(claimed);
        Ok(Told::Done)
    }

    /// Takes a row out for good. The conversation is told.
    pub async fn discard(&self, number: RowNumber) -> Result<Told, StoreError> {
        let Some(ticket) = self.store.ticket(number).await? else { return Ok(Told::Gone) };
        if !self.lanes().withdraw(&ticket.row.what.target, number) {
            let there = self.store.ticket(number).await?.is_some();
            return Ok(if there { Told::Sending } else { Told::Gone });
        }
        // As it is now: it may have been tried meanwhile.
        let row = match self.store.ticket(number).await {
            Ok(Some(ticket)) => ticket.row,
            Ok(None) => return Ok(Told::Gone),
            Err(error) => {
                self.insert(&[ticket.row], true);
                return Err(error);
            }
        };
        let outcome = taken_out(&row);
        if let Err(error) = self.settle(number, outcome).await {
            self.insert(&[ticket.row], true);
            return Err(error);
        }
        self.wake.notify_one();
        self.recorded.notify_one();
        Ok(Told::Done)
    }
}

/// How a row ends that the owner takes out: of one whose send was interrupted nobody can say that it did not arrive.
#[must_use]
pub fn taken_out(row: &Row) -> Outcome {
    match row.state {
        RowState::InFlight => Outcome::Uncertain {
            reason: "the program was stopped in the middle of sending, and the owner took it out of the queue"
                .to_owned(),
        },
        RowState::Queued | RowState::Held { .. } => Outcome::Dropped,
    }
}

/// Lets a lane go on, also when whoever asked has gone away.
struct Claimed<'a> {
    outbox: &'a Outbox,
    target: Target,
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        self.outbox.lanes().release(&self.target);
        self.outbox.wake.notify_one();
    }
}
