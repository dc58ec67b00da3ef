//! Decides what follows from each fact: whom to relay it to, what to say automatically, what an operator meant.
//! Pure: no clock, no randomness, nothing of a platform. A replay decides the same.

use std::{collections::BTreeMap, sync::Arc};

use frontdesk_core::{Capabilities, ChannelId, DeskName, Event, PlatformUser, Side};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    config::{Conversations, Replies},
    desk::{self, Command, Said},
    hours::Hours,
    notices::Lang,
    store::{Asks, Case, Decide, Decision, Fact, InboxRow, Purpose, Target, TimerKind},
};

mod automatic;
mod carry;
mod command;
mod customer;
mod delivery;
mod draft;
mod marks;
mod operator;
mod settled;
mod templates;
mod thread;
mod window;

use draft::Draft;
pub use templates::Templates;

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
    /// The messages that each channel's platform approved beforehand, as they were last read.
    pub templates: BTreeMap<ChannelId, Arc<Templates>>,
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

    /// What an operator's words are, at this desk.
    fn read(&self, name: &DeskName, words: &str) -> Said {
        if self.has_slashes(name) { desk::read_with_slashes(words) } else { desk::read(words) }
    }

    /// A channel's customers can be answered only for some time after their last message.
    fn has_windows(&self) -> bool {
        self.channels.values().any(|can| can.reply_window.is_some())
    }

    fn has_slashes(&self, name: &DeskName) -> bool {
        let channel = self.desk(name).and_then(|desk| self.channels.get(&desk.channel));
        channel.is_some_and(|can| can.slash_commands)
    }
}

impl Decide for Policy {
    fn decide(&self, case: Case, row: &InboxRow, now: Timestamp) -> Decision {
        decide(self, case, row, now)
    }

    fn asks(&self, row: &InboxRow) -> Asks {
        let Fact::Inbound { inbound, .. } = &row.fact else { return Asks::default() };
        let (Side::Desk { desk, .. }, Event::Message(message)) = (&inbound.side, &inbound.event) else {
            return Asks::default();
        };
        match self.read(desk, &message.content.words()) {
            Said::Command { name, rest } => self.asks_of(Command::named(&name), &rest),
            Said::Note(_) | Said::EmptyNote | Said::Slash | Said::Words => Asks::default(),
        }
    }
}

impl Policy {
    fn asks_of(&self, command: Option<Command>, rest: &str) -> Asks {
        match command {
            Some(Command::Waiting) => Asks { queue: true, ..Asks::default() },
            Some(Command::Block | Command::Unblock) => Asks { block: true, ..Asks::default() },
            Some(Command::Drop) => Asks { sending: true, ..Asks::default() },
            Some(Command::Write) => Asks { people: command::wanted(self, rest), ..Asks::default() },
            Some(
                Command::Help
                | Command::Close
                | Command::Why
                | Command::Retry
                | Command::Hours
                | Command::Lang
                | Command::Template,
            )
            | None => Asks::default(),
        }
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
            TimerKind::Window => window::due(draft, timer),
        },
        Fact::Notice { desk, text } => notice(draft, desk, text),
    }
}

/// What the program itself has to say; where the desk has left the config, to the first one.
fn notice(mut draft: Draft<'_>, desk: &DeskName, text: &str) -> Decision {
    let desk = draft.desk(desk).name.clone();
    draft.tell_at(Target::Desk(desk), text, Purpose::Reply, None);
    draft.finish()
}

/// A conversation in which we spoke last closes silently.
fn idle(mut draft: Draft<'_>, timer: &crate::store::Timer) -> Decision {
    if let Some(conversation) = &draft.case.conversation
        && conversation.idle == Some(timer.id)
        && conversation.waiting_since.is_none()
        && conversation.held.is_empty()
    {
        draft.close(None);
    }
    draft.finish()
}

/// An instant some time later; the end of time where there is no such instant.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
