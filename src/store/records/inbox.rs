//! What waits to be decided.

use frontdesk_core::{ChannelId, DeskName, Inbound};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConversationId, InboxSeq, Settled, TimerId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub id: TimerId,
    pub due: Timestamp,
    pub kind: TimerKind,
    pub conversation: ConversationId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// An automatic text after the customer's silence.
    Automatic,
    /// Close a conversation in which we spoke last.
    Idle,
    /// Remind the operators before the platform's reply window closes.
    Window,
}

/// What the inbox holds until it is dispatched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRow {
    pub seq: InboxSeq,
    /// The stamp: our time when it was stored. It decides open or closed.
    pub at: Timestamp,
    #[serde(flatten)]
    pub fact: Fact,
    /// Set while it is parked: it names something that is not known yet.
    #[serde(default)]
    pub parked_since: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)]
pub enum Fact {
    Inbound {
        channel: ChannelId,
        inbound: Inbound,
    },
    Settled {
        settled: Settled,
    },
    Due {
        timer: Timer,
    },
    /// Something that the program itself has to say to a desk, outside of all threads.
    Notice {
        desk: DeskName,
        text: String,
    },
}
