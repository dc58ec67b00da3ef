//! One attempt at one row, and what follows from how it went.

use std::time::Duration;

use frontdesk_core::{ChannelId, Found, Outbound, Prepared, RefusedScope, SendError, Sent};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    Channel, Next, Outbox,
    files::Road,
    fold::Folded,
    outbound::simplify,
    pace::{after, backoff},
    turn::A_MOMENT,
};
use crate::{
    desk,
    kill::{self, Point},
    metrics::{self, Step},
    notices::Kind,
    store::{Outcome, Purpose, Row, RowNumber, RowOp, RowState, StoreError, Target, Ticket, Verb},
};

/// No adapter takes longer; should one, its send is uncertain.
const SEND_TIMEOUT: Duration = Duration::from_secs(90);
/// An uncertain row holds its lane no longer than this.
const FIND_TIMEOUT: Duration = Duration::from_secs(60);
/// A message opens its thread anew so often; then it waits until the desk's room is well.
const REOPENED: u32 = 3;
/// A channel whose account is refused is tried again this often.
const ACCOUNT_PAUSE: Duration = Duration::from_secs(60);
/// Between two tries to note a send while the disk is full.
const NO_ROOM: Duration = Duration::from_secs(2);
/// People are told of what has not gone out after this.
const LATE: Duration = Duration::from_secs(120);

impl Outbox {
    pub(super) async fn deliver(
        &self,
        target: &Target,
        number: RowNumber,
        stop: &CancellationToken,
    ) -> Result<Next, StoreError> {
        let Some(mut ticket) = self.store.ticket(number).await? else { return Ok(Next::Done) };
        let Some((id, channel)) = self.channel(target, &ticket) else { return self.no_channel(target, number).await };
        if ticket.row.state == RowState::InFlight {
            let reason = "the program was stopped in the middle of sending".to_owned();
            return self.uncertain(id, channel, ticket, reason).await;
        }
        if let Some(next) = self.overtaken(&ticket).await? {
            return Ok(next);
        }
        if let Some(next) = self.kept_back(channel, &mut ticket).await? {
            return Ok(next);
        }
        let paces = channel.adapter.paces(&ticket.address);
        let at_desk = target.desk().is_some();
        let turn = async {
            let room = self.room(channel, &ticket.row, stop).await?;
            Some((room, self.my_turn(id, channel, &paces, at_desk, stop).await?))
        };
        let began = Instant::now();
        let Some((_room, _slot)) = turn.await else {
            return Ok(Next::Wait(after(self.clock.now(), Duration::from_secs(1))));
        };
        let waited = began.elapsed() > A_MOMENT;
        if waited {
            // Time has passed: a person may have been faster, or have thought better of it.
            let Some(now) = self.store.ticket(number).await? else { return Ok(Next::Done) };
            ticket = now;
            if let Some(next) = self.overtaken(&ticket).await? {
                return Ok(next);
            }
        }
        if ticket.thread_is_missing() {
            return self.reopen(&ticket).await;
        }
        let Some(message) = self.outbound(&ticket) else {
            if is_of_an_unsent_piece(&ticket) {
                return self.needless(number).await;
            }
            let reason = "the message itself cannot be found there.".to_owned();
            return self.end(number, Outcome::Failed { reason }).await;
        };
        let repeatable = channel.adapter.repeatable(&message);
        let message = match self.fold(target, &mut ticket.row, repeatable).await? {
            Folded::Needless => return self.needless(number).await,
            Folded::Send => self.outbound(&ticket).unwrap_or(message),
        };
        self.attempt(id, channel, ticket, message, repeatable).await
    }

    /// What was taken out of the config. An answer is told; what is for a desk waits until there is one again.
    async fn no_channel(&self, target: &Target, number: RowNumber) -> Result<Next, StoreError> {
        if let Target::Customer(_) = target {
            let reason = "its channel is no longer in the config.".to_owned();
            return self.end(number, Outcome::Failed { reason }).await;
        }
        warn!(row = %number, "a message waits for a desk that is not in the config");
        Ok(Next::Wait(after(self.clock.now(), Duration::from_secs(3600))))
    }

    fn channel(&self, target: &Target, ticket: &Ticket) -> Option<(&ChannelId, &Channel)> {
        let id = match target {
            Target::Customer(_) => ticket.channel.as_ref()?,
            Target::Thread(_, desk) | Target::Desk(desk) => self.desks.get(desk)?,
        };
        self.channels.get_key_value(id)
    }

    async fn attempt(
        &self,
        id: &ChannelId,
        channel: &Channel,
        mut ticket: Ticket,
        message: Outbound,
        repeatable: bool,
    ) -> Result<Next, StoreError> {
        let road = self.road(channel, &ticket);
        if ticket.row.prepared == Prepared::default() {
            ticket.row.prepared = match road.prepare(channel.adapter.prepare(&message, &road)).await {
                Ok(prepared) => prepared,
                Err(error) => return self.not_prepared(id, ticket, error, &road).await,
            };
            if repeatable && ticket.row.prepared != Prepared::default() {
                // Else an upload would be made again after a restart.
                self.store.update(ticket.row.clone()).await?;
            }
        }
        if repeatable {
            self.lanes().tried(&ticket.row.what.target, ticket.row.number);
        } else {
            ticket.row.state = RowState::InFlight;
            kill::point(Point::InFlightBefore);
            if !self.store.update(ticket.row.clone()).await? {
                // Somebody took it back just now.
                return Ok(Next::Done);
            }
            kill::point(Point::InFlightAfter);
        }
        let [leaving, back] = kill::sending(&ticket.row.what.target);
        kill::point(leaving);
        let began = Instant::now();
        let sent = road.watch(SEND_TIMEOUT, channel.adapter.send(&message, &ticket.row.prepared, &road)).await;
        kill::point(back);
        self.metrics.attempted(id, began.elapsed(), sent.as_ref().err());
        if let Some(trouble) = sent.as_ref().err().and_then(|error| road.trouble(error)) {
            return self.file_failed(id, ticket, trouble).await;
        }
        match sent {
            Ok(sent) => {
                self.health.sends(id);
                self.sent(&ticket, sent).await
            }
            Err(SendError::Uncertain(reason)) if repeatable => {
                self.not_carried_out(id, ticket, SendError::Transient(reason)).await
            }
            Err(SendError::Uncertain(reason)) => self.uncertain(id, channel, ticket, reason).await,
            Err(error) => self.not_carried_out(id, ticket, error).await,
        }
    }

    async fn not_prepared(
        &self,
        id: &ChannelId,
        ticket: Ticket,
        error: SendError,
        road: &Road,
    ) -> Result<Next, StoreError> {
        match road.trouble_of_upload(&error) {
            Some(trouble) => self.file_failed(id, ticket, trouble).await,
            None => self.not_carried_out(id, ticket, unseen(error)).await,
        }
    }

    /// The platform has it. That is not forgotten while the disk has no room to note it: it would be called uncertain.
    async fn sent(&self, ticket: &Ticket, sent: Sent) -> Result<Next, StoreError> {
        if let Target::Thread(_, desk) | Target::Desk(desk) = &ticket.row.what.target {
            self.late_desks().remove(desk);
        }
        loop {
            match self.end(ticket.row.number, Outcome::Sent { sent: sent.clone() }).await {
                Err(StoreError::Full { .. }) => sleep(NO_ROOM).await,
                noted => return noted,
            }
        }
    }

    /// Certain: the other side saw nothing of it.
    async fn not_carried_out(&self, id: &ChannelId, ticket: Ticket, error: SendError) -> Result<Next, StoreError> {
        let number = ticket.row.number;
        match error {
            SendError::RetryAfter { after: patience, bucket } => {
                info!(channel = %id, row = %number, secs = patience.as_secs(), "the platform asks for patience");
                self.pacer.block(id, bucket, patience);
                let until = after(self.clock.now(), patience);
                let why = match &ticket.row.what.target {
                    Target::Customer(_) => Some("the platform asks us to write more slowly.".to_owned()),
                    // Slow is not out of reach.
                    Target::Thread(..) | Target::Desk(_) => None,
                };
                self.again(ticket, until, why).await
            }
            SendError::Transient(reason) | SendError::Uncertain(reason) => {
                let failures = self.lanes().failed(&ticket.row.what.target);
                warn!(channel = %id, row = %number, failures, %reason, "not sent; trying again");
                let until = after(self.clock.now(), backoff(failures));
                let why = match &ticket.row.what.target {
                    Target::Customer(_) => format!("{id} cannot be reached."),
                    Target::Thread(..) | Target::Desk(_) => reason,
                };
                self.again(ticket, until, Some(why)).await
            }
            SendError::WindowClosed => self.keep_back(&ticket).await,
            SendError::Moved(to) => {
                let Target::Customer(identity) = ticket.row.what.target else { return self.reopen(&ticket).await };
                kill::point(Point::MovedBefore);
                self.store.moved(identity, to).await?;
                kill::point(Point::MovedAfter);
                let until = after(self.clock.now(), Duration::from_secs(1));
                self.again(ticket, until, None).await
            }
            SendError::Refused { scope: RefusedScope::Account, reason } => {
                self.health.cannot_send(id, reason.clone());
                self.pacer.block(id, None, ACCOUNT_PAUSE);
                let until = after(self.clock.now(), ACCOUNT_PAUSE);
                self.tell_late(&ticket.row, &reason).await?;
                self.again(ticket, until, None).await
            }
            SendError::Refused { scope, reason } => {
                warn!(channel = %id, row = %number, ?scope, %reason, "the platform refused a message");
                match ticket.row.what.target {
                    Target::Customer(_) => self.end(number, Outcome::Failed { reason }).await,
                    Target::Thread(..) | Target::Desk(_) => self.refused_at_desk(ticket, scope, reason).await,
                }
            }
        }
    }

    /// What is for the operators is never given up: it is shown in another form, or in a new thread, or it waits.
    async fn refused_at_desk(
        &self,
        mut ticket: Ticket,
        scope: RefusedScope,
        reason: String,
    ) -> Result<Next, StoreError> {
        match (scope, super::lanes::verb(&ticket.row.what.op)) {
            // The message that was to be changed is not there any more.
            (RefusedScope::Content | RefusedScope::Recipient, Verb::Edit | Verb::Delete | Verb::React) => {
                self.end(ticket.row.number, Outcome::Failed { reason }).await
            }
            (RefusedScope::Content, Verb::Post) if ticket.row.what.op.file().is_some() => {
                self.without_file(ticket, &reason).await
            }
            (RefusedScope::Content, Verb::Post) if simplify(&mut ticket.row, &reason) => {
                let soon = after(self.clock.now(), Duration::from_secs(1));
                self.again(ticket, soon, None).await
            }
            (RefusedScope::Recipient, Verb::Post) if ticket.row.reopened < REOPENED => {
                ticket.row.reopened += 1;
                ticket.row.state = RowState::Queued;
                self.store.update(ticket.row.clone()).await?;
                self.reopen(&ticket).await
            }
            (RefusedScope::Content | RefusedScope::Recipient | RefusedScope::Account, _) => {
                let failures = self.lanes().failed(&ticket.row.what.target);
                self.again(ticket, after(self.clock.now(), backoff(failures)), Some(reason)).await
            }
        }
    }

    /// Tries the row again later; `why` is told to the operators when it is late.
    pub(super) async fn again(
        &self,
        ticket: Ticket,
        until: Timestamp,
        why: Option<String>,
    ) -> Result<Next, StoreError> {
        let mut row = ticket.row;
        row.state = RowState::Queued;
        row.attempts = row.attempts.saturating_add(1);
        let now = self.clock.now();
        row.not_before = (until > after(now, Duration::from_secs(5))).then_some(until);
        kill::point(Point::RequeueBefore);
        self.store.update(row.clone()).await?;
        kill::point(Point::RequeueAfter);
        if let Some(why) = why
            && after(row.written_at, LATE) < now
        {
            self.tell_late(&row, &why).await?;
        }
        Ok(Next::Wait(until))
    }

    /// Who wrote an answer is told once of each; the other desks are told once of a desk that cannot be reached.
    async fn tell_late(&self, row: &Row, why: &str) -> Result<(), StoreError> {
        if row.delay_told {
            return Ok(());
        }
        let purpose = row.what.purpose;
        let tell = match &row.what.target {
            Target::Customer(_) => purpose == Purpose::Answer,
            // A failure notice never causes one.
            Target::Thread(_, desk) | Target::Desk(desk) => {
                purpose != Purpose::Failure && self.late_desks().insert(desk.clone())
            }
        };
        if !tell {
            return Ok(());
        }
        kill::point(Point::DelayedBefore);
        let told = self.store.delayed(row.number, self.clock.now(), why.to_owned()).await;
        if let (Err(_), Some(desk)) = (&told, row.what.target.desk()) {
            self.late_desks().remove(desk);
        }
        told?;
        kill::point(Point::DelayedAfter);
        self.recorded.notify_one();
        Ok(())
    }

    /// The thread, topic or room is gone: a new one is opened first.
    async fn reopen(&self, ticket: &Ticket) -> Result<Next, StoreError> {
        kill::point(Point::ReopenBefore);
        let opening = self.store.reopen_thread(ticket.row.number, self.clock.now()).await?;
        kill::point(Point::ReopenAfter);
        match opening {
            Some(row) if row.number != ticket.row.number => Ok(Next::Before(Box::new(row))),
            // The room itself: its adapter says so, and finds or makes it again.
            Some(_) | None => {
                let failures = self.lanes().failed(&ticket.row.what.target);
                Ok(Next::Wait(after(self.clock.now(), backoff(failures))))
            }
        }
    }

    /// Perhaps the other side saw it: looks, and else decides by whom it was for.
    async fn uncertain(
        &self,
        id: &ChannelId,
        channel: &Channel,
        mut ticket: Ticket,
        reason: String,
    ) -> Result<Next, StoreError> {
        let found = match self.outbound(&ticket) {
            Some(message) => timeout(FIND_TIMEOUT, channel.adapter.find(&message)).await,
            None => Ok(Ok(Found::Unknown)),
        };
        let row = &mut ticket.row;
        // The platform's name of a message may hold the customer's number.
        let looked = match &found {
            Ok(Ok(Found::Sent(_))) => "it was sent",
            Ok(Ok(Found::Absent)) => "it was not sent",
            Ok(Ok(Found::Unknown)) => "unknown",
            Ok(Err(_)) | Err(_) => "could not be looked for",
        };
        warn!(row = %row.number, looked, %reason, "it is uncertain whether a message was sent");
        match (found, row.what.purpose) {
            (Ok(Ok(Found::Sent(sent))), _) => self.sent(&ticket, sent).await,
            (Ok(Ok(Found::Absent)), _) => self.not_carried_out(id, ticket, SendError::Transient(reason)).await,
            (_, Purpose::Relay | Purpose::Card | Purpose::Failure | Purpose::Reply) => {
                row.possibly_repeated = true;
                let failures = self.lanes().failed(&row.what.target);
                self.again(ticket, after(self.clock.now(), backoff(failures)), Some(reason)).await
            }
            (_, Purpose::Answer | Purpose::Automatic(_)) => self.end(row.number, Outcome::Uncertain { reason }).await,
        }
    }

    /// Ends or delays a row for which it is too late or too early.
    async fn overtaken(&self, ticket: &Ticket) -> Result<Option<Next>, StoreError> {
        let now = self.clock.now();
        if let Some(until) = ticket.row.not_before.filter(|until| *until > now) {
            return Ok(Some(Next::Wait(until)));
        }
        match outrun(ticket, now) {
            Some(outcome) => self.end(ticket.row.number, outcome).await.map(Some),
            None => Ok(None),
        }
    }

    async fn needless(&self, number: RowNumber) -> Result<Next, StoreError> {
        self.end(number, Outcome::Superseded).await
    }

    pub(super) async fn end(&self, number: RowNumber, outcome: Outcome) -> Result<Next, StoreError> {
        self.settle(number, outcome).await?;
        self.recorded.notify_one();
        Ok(Next::Done)
    }

    /// Ends a row and counts it.
    pub(super) async fn settle(&self, number: RowNumber, outcome: Outcome) -> Result<(), StoreError> {
        let (now, label) = (self.clock.now(), metrics::outcome(&outcome));
        kill::point(Point::SettleBefore);
        let ended = self.metrics.timed(Step::Settle, self.store.settle(number, now, outcome)).await?;
        kill::point(Point::SettleAfter);
        if let Some(ended) = ended {
            let channel = ended.channel.as_ref().or_else(|| self.desks.get(ended.target.desk()?));
            self.metrics.ended(channel, &ended, label, now);
        }
        Ok(())
    }
}

/// Whether time or a person was faster than the row.
fn outrun(ticket: &Ticket, now: Timestamp) -> Option<Outcome> {
    let row = &ticket.row;
    if let Purpose::Automatic(kind) = row.what.purpose {
        if ticket.blocked {
            return Some(Outcome::Blocked);
        }
        if tells_hours(kind) && ticket.hours_changed_at.is_some_and(|changed| changed > row.written_at) {
            return Some(Outcome::HoursChanged);
        }
    }
    if row.what.unless_answered.is_some_and(|since| ticket.human_at.is_some_and(|human| human >= since)) {
        return Some(Outcome::Answered);
    }
    if row.what.expires_at.is_some_and(|expires| expires <= now) {
        return Some(Outcome::Expired);
    }
    if row.what.give_up_at.is_some_and(|limit| limit <= now) {
        let hours = now.duration_since(row.written_at).as_hours();
        let reason = if row.is_held() { desk::not_heard_for(hours) } else { desk::not_delivered_for(hours) };
        return Some(Outcome::Failed { reason });
    }
    None
}

fn tells_hours(kind: Kind) -> bool {
    match kind {
        Kind::FirstContactClosed | Kind::AfterHours | Kind::Invitation => true,
        Kind::FirstContact => false,
    }
}

/// The deletion of a piece that was taken back before it was sent: other pieces have names.
fn is_of_an_unsent_piece(ticket: &Ticket) -> bool {
    matches!(ticket.row.what.op, RowOp::Delete { piece, .. } if piece > 0) && !ticket.subject.is_empty()
}

/// Before the send nothing is visible, so nothing is uncertain.
fn unseen(error: SendError) -> SendError {
    match error {
        SendError::Uncertain(reason) => SendError::Transient(reason),
        other => other,
    }
}
