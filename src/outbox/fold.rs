use frontdesk_core::Prepared;

use crate::kill::{self, Point};
use crate::store::{Purpose, Row, RowNumber, RowOp, StoreError, Target, Verb};

use super::{Outbox, lanes::Entry};

/// What later rows of the lane make of a row that nobody can have seen.
pub(super) enum Folded {
    /// Send it; perhaps with newer content.
    Send,
    /// A later row says it all, or takes it back.
    Needless,
}

impl Outbox {
    /// Folds later edits and deletions of what this row says into it, so that nobody reads an old wording first.
    ///
    /// `repeatable`: whether the platform recognises a repetition of this row, and then keeps the wording it had.
    pub(super) async fn fold(&self, target: &Target, row: &mut Row, repeatable: bool) -> Result<Folded, StoreError> {
        let Some(message) = row.what.message else { return Ok(Folded::Send) };
        let perhaps_seen = row.possibly_repeated || (repeatable && self.lanes().is_tried(target, row.number));
        let later = self.lanes().later(target, row.number);
        let same: Vec<Entry> = later.into_iter().filter(|entry| entry.message == Some(message)).collect();
        match super::lanes::verb(&row.what.op) {
            Verb::Post if perhaps_seen => Ok(Folded::Send),
            Verb::Post => self.fold_post(target, row, &same).await,
            // Seen or not: the later one says it all.
            verb @ (Verb::Edit | Verb::React) => {
                let needless = same.iter().any(|entry| entry.verb == verb || entry.verb == Verb::Delete);
                Ok(if needless { Folded::Needless } else { Folded::Send })
            }
            Verb::Delete => Ok(Folded::Send),
        }
    }

    async fn fold_post(&self, target: &Target, row: &mut Row, same: &[Entry]) -> Result<Folded, StoreError> {
        if row.what.purpose == Purpose::Card {
            return Ok(Folded::Send);
        }
        // Who deletes a message deletes all of its pieces.
        if same.iter().any(|entry| entry.verb == Verb::Delete) {
            return Ok(Folded::Needless);
        }
        if row.what.piece {
            return Ok(Folded::Send);
        }
        let edits: Vec<RowNumber> =
            same.iter().filter(|entry| entry.verb == Verb::Edit).map(|entry| entry.number).collect();
        let Some(last) = edits.last() else { return Ok(Folded::Send) };
        let Some(ticket) = self.store.ticket(*last).await? else { return Ok(Folded::Send) };
        if let (RowOp::Post { content, .. }, RowOp::Edit { content: newer, .. }) =
            (&mut row.what.op, ticket.row.what.op)
        {
            *content = newer;
            row.prepared = Prepared::default();
            kill::point(Point::FoldBefore);
            self.store.fold(row.clone(), edits.clone()).await?;
            kill::point(Point::FoldAfter);
            self.lanes().forget(target, &edits);
        }
        Ok(Folded::Send)
    }
}
