//! Decides what follows from each fact: whom to relay it to, what to say automatically, what an operator meant.
//! Pure: no clock, no randomness, nothing of a platform. A replay decides the same.

use std::collections::BTreeMap;

use frontdesk_core::{Capabilities, ChannelId, DeskName, PlatformUser, Side};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    config::{Conversations, Replies},
    hours::Hours,
    notices::Lang,
    store::{Case, Decide, Decision, Fact, InboxRow, TimerKind},
};

mod automatic;
mod command;
mod customer;
mod draft;
mod operator;
mod settled;

use draft::Draft;

/// What the owner wrote, as far as decisions need it.
#[derive(Clone, Debug)]
pub struct Policy {
    pub business: String,
    /// The first is the default.
    pub languages: Vec<Lang>,
    pub hours: Hours,
    pub replies: Replies,
    pub conversations: Conversations,
    /// The first is the default. Never empty.
    pub desks: Vec<Desk>,
    pub channels: BTreeMap<ChannelId, Capabilities>,
}

#[derive(Clone, Debug)]
pub struct Desk {
    pub name: DeskName,
    pub channel: ChannelId,
    /// Who may answer; empty: every member.
    pub operators: Vec<PlatformUser>,
    /// Appended to answers; `{{ operator }}` is the operator's name.
    pub sign: Option<String>,
}

impl Policy {
    #[must_use]
    pub fn timezone(&self) -> &TimeZone {
        self.hours.timezone()
    }

    fn desk(&self, name: &DeskName) -> Option<&Desk> {
        self.desks.iter().find(|desk| desk.name == *name)
    }
}

impl Decide for Policy {
    fn decide(&self, case: Case, row: &InboxRow, now: Timestamp) -> Decision {
        decide(self, case, row, now)
    }
}

/// How long something that names an unknown message or thread waits for the name at least.
pub const PARKED: SignedDuration = SignedDuration::from_secs(60);

#[must_use]
pub fn decide(policy: &Policy, case: Case, row: &InboxRow, now: Timestamp) -> Decision {
    let draft = Draft::new(policy, case, row, now);
    match &row.fact {
        Fact::Inbound { channel, inbound } => match &inbound.side {
            Side::Customer => customer::decide(draft, channel, inbound),
            Side::Desk { desk, thread } => operator::decide(draft, desk, thread.as_ref(), inbound),
        },
        Fact::Settled { settled } => settled::decide(draft, settled),
        Fact::Due { timer } => match timer.kind {
            TimerKind::Automatic => automatic::due(draft, timer),
            TimerKind::Idle => idle(draft, timer),
        },
    }
}

/// A conversation in which we spoke last closes silently.
fn idle(mut draft: Draft<'_>, timer: &crate::store::Timer) -> Decision {
    if let Some(conversation) = &draft.case.conversation
        && conversation.idle == Some(timer.id)
        && conversation.waiting_since.is_none()
    {
        draft.close(None);
    }
    draft.finish()
}

/// An instant some time later; the end of time where there is no such instant.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
