//! What waits to be sent.

use frontdesk_core::Content;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, Answers, Done, ToolError, Tools};
use crate::{
    desk,
    outbox::{Standing, Told, taken_out, verb},
    store::{HoldReason, Purpose, Row, RowNumber, RowOp, RowState, Target, Verb},
};

/// Rows that are read at once.
const PAGE: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowLine {
    pub row: RowNumber,
    /// The customer, or the desk.
    pub to: String,
    pub purpose: Purpose,
    pub verb: Verb,
    /// The beginning of what it says.
    pub text: String,
    pub attempts: u32,
    pub written_at: Timestamp,
    pub waits: Waits,
}

/// Why a row is not sent yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Waits {
    Sending,
    Next,
    /// Another row to the same place goes first.
    Behind {
        row: RowNumber,
    },
    /// An attempt failed; it is tried again then.
    Until {
        at: Timestamp,
    },
    /// The send was interrupted: it may have arrived.
    Interrupted,
    /// The customer has to write first.
    WindowClosed,
    /// A person should look first.
    Guard,
    NotRunning,
}

impl Tools {
    pub(super) async fn rows(&self, limit: usize, answers: &Answers) -> Result<Done, ToolError> {
        let (mut after, mut left) = (None, limit);
        loop {
            let rows = self.archive.rows(after, PAGE.min(left.saturating_add(1))).await?;
            let Some(last) = rows.last() else { return Ok(Done::Listed { more: false }) };
            after = Some(last.number);
            for row in &rows {
                if left == 0 {
                    return Ok(Done::Listed { more: true });
                }
                left -= 1;
                let line = RowLine {
                    row: row.number,
                    to: self.addressee(row).await?,
                    purpose: row.what.purpose,
                    verb: verb(&row.what.op),
                    text: text(&row.what.op),
                    attempts: row.attempts,
                    written_at: row.written_at,
                    waits: self.waits(row),
                };
                answers.say(Answer::Row(line)).await?;
            }
        }
    }

    pub(super) async fn retry(&self, number: RowNumber, again: bool) -> Result<Done, ToolError> {
        let row = self.row(number).await?;
        if row.is_held() {
            return Err(ToolError::Refused(format!(
                "{number} waits until the customer writes again: their messenger takes it only then. In their thread, \
                 !template reaches them now, and !drop takes it back"
            )));
        }
        let told = match &self.outbox {
            Some(outbox) => outbox.hurry(number).await?,
            None => self.release(row, again).await?,
        };
        match told {
            Told::Done => Ok(Done::Retried { rows: 1 }),
            Told::Sending => Err(ToolError::Refused(format!("{number} is being sent at this moment; look again soon"))),
            Told::Gone => Err(gone(number)),
        }
    }

    /// Everything that pauses; what may have arrived is left alone, unless `again`.
    pub(super) async fn retry_all(&self, again: bool) -> Result<Done, ToolError> {
        let (mut after, mut count) = (None, 0);
        loop {
            let rows = self.archive.rows(after, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(Done::Retried { rows: count }) };
            after = Some(last.number);
            for row in rows {
                let waits = row.not_before.is_some() || matches!(self.waits(&row), Waits::Until { .. });
                let interrupted = row.state == RowState::InFlight && self.outbox.is_none();
                let wanted = if interrupted { again } else { waits };
                if !wanted {
                    continue;
                }
                let told = match &self.outbox {
                    Some(outbox) => outbox.hurry(row.number).await?,
                    None => self.release_one(row).await?,
                };
                count += usize::from(told == Told::Done);
            }
        }
    }

    pub(super) async fn discard(&self, number: RowNumber) -> Result<Done, ToolError> {
        let row = self.row(number).await?;
        let told = match &self.outbox {
            Some(outbox) => outbox.discard(number).await?,
            None => {
                self.archive.settle(number, self.clock.now(), taken_out(&row)).await?;
                Told::Done
            }
        };
        match told {
            Told::Done => Ok(Done::Dropped),
            Told::Sending => {
                Err(ToolError::Refused(format!("{number} is being sent at this moment: too late to drop it")))
            }
            Told::Gone => Err(gone(number)),
        }
    }

    async fn row(&self, number: RowNumber) -> Result<Row, ToolError> {
        let ticket = self.archive.ticket(number).await?;
        ticket.map(|ticket| ticket.row).ok_or_else(|| gone(number))
    }

    /// Lets a row, and what goes before it, be tried as soon as the program runs again.
    async fn release(&self, row: Row, again: bool) -> Result<Told, ToolError> {
        if row.state == RowState::InFlight {
            if !again {
                return Err(ToolError::Refused(format!(
                    "the program was stopped while it sent {}, which may have arrived: at the next start it is looked \
                     for, and an answer is put before the operator. To send it again in any case, add --again",
                    row.number
                )));
            }
            return self.release_one(row).await;
        }
        let mut after = None;
        loop {
            let page = self.archive.rows(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(Told::Done) };
            after = Some(last.number);
            let before = page.into_iter().filter(|it| it.what.target == row.what.target && it.order <= row.order);
            for waiting in before.filter(|it| it.not_before.is_some()) {
                self.archive.update(Row { not_before: None, ..waiting }).await?;
            }
        }
    }

    async fn release_one(&self, row: Row) -> Result<Told, ToolError> {
        // Operators are told that something may come twice; a customer is not.
        let possibly_repeated = match (&row.state, &row.what.target) {
            (RowState::InFlight, Target::Thread(..) | Target::Desk(_)) => true,
            (RowState::InFlight, Target::Customer(_)) | (RowState::Queued | RowState::Held { .. }, _) => {
                row.possibly_repeated
            }
        };
        self.archive.update(Row { state: RowState::Queued, not_before: None, possibly_repeated, ..row }).await?;
        Ok(Told::Done)
    }

    fn waits(&self, row: &Row) -> Waits {
        match (&row.state, &self.outbox) {
            (RowState::Held { reason: HoldReason::WindowClosed }, _) => Waits::WindowClosed,
            (RowState::Held { reason: HoldReason::Guard }, _) => Waits::Guard,
            (RowState::InFlight, None) => Waits::Interrupted,
            (RowState::Queued, None) => row.not_before.map_or(Waits::NotRunning, |at| Waits::Until { at }),
            (RowState::Queued | RowState::InFlight, Some(outbox)) => match outbox.standing(row) {
                Some(Standing::Sending) | None => Waits::Sending,
                Some(Standing::Next) => Waits::Next,
                Some(Standing::Behind(row)) => Waits::Behind { row },
                Some(Standing::Until(at)) => Waits::Until { at },
            },
        }
    }

    async fn addressee(&self, row: &Row) -> Result<String, ToolError> {
        let conversation = match &row.what.target {
            Target::Desk(desk) => return Ok(format!("the desk {desk}")),
            Target::Thread(conversation, _) => Some(*conversation),
            Target::Customer(_) => row.what.conversation,
        };
        let with = match conversation {
            Some(id) => self.archive.conversation(id).await?.map(|(_, identity)| identity),
            None => None,
        };
        Ok(match (&row.what.target, with) {
            (Target::Thread(_, desk), Some(identity)) => format!("{}'s thread at {desk}", desk::name(&identity)),
            (Target::Thread(conversation, desk), None) => format!("thread {conversation} at {desk}"),
            (Target::Customer(_), Some(identity)) => format!("{} on {}", desk::name(&identity), identity.channel),
            (Target::Customer(id), None) => format!("customer {id}"),
            (Target::Desk(desk), _) => format!("the desk {desk}"),
        })
    }
}

fn gone(number: RowNumber) -> ToolError {
    ToolError::Refused(format!("{number} does not wait (any more); `frontdesk outbox list` shows what does"))
}

fn text(op: &RowOp) -> String {
    let said = |content: &Content| desk::excerpt(&content.readable());
    match op {
        RowOp::OpenThread { content, .. } | RowOp::Post { content, .. } | RowOp::Edit { content, .. } => said(content),
        RowOp::Delete { .. } => String::new(),
        RowOp::React { emoji, .. } => emoji.clone().unwrap_or_default(),
        RowOp::Template { name, .. } => name.clone(),
    }
}
