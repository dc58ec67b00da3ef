//! Conversations, and what was said in them.

use frontdesk_core::{ChannelId, DeliveryState, DeskName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, Answers, Done, ToolError, Tools};
use crate::{
    desk,
    store::{
        Author, Change, ChangeKind, Conversation, ConversationId, ConversationState, Identity, MessageKey,
        MessageRecord,
    },
};

/// Messages, or conversations, that are read at once.
const PAGE: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationLine {
    pub conversation: ConversationId,
    pub customer: String,
    pub channel: ChannelId,
    pub desk: DeskName,
    pub state: Standing,
    pub opened_at: Timestamp,
    pub last_customer_at: Timestamp,
    /// Answers that did not arrive.
    pub undelivered: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    WaitingSince(Timestamp),
    AnsweredAt(Timestamp),
    Open,
    ClosedAt(Timestamp),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageLine {
    pub message: MessageKey,
    pub at: Timestamp,
    pub by: By,
    /// Whose words these are, where it is a person.
    pub name: Option<String>,
    /// As it was written first.
    pub text: String,
    pub changes: Vec<ChangeLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Customer,
    Operator,
    /// An operator, to colleagues only.
    Note,
    /// The business, not through us.
    Business,
    Automatic,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLine {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum What {
    Edited { text: String },
    Deleted,
    Sent,
    Delivered,
    Read,
    Failed { reason: String },
    Uncertain,
}

impl Tools {
    pub(super) async fn conversations(&self, closed: bool, limit: usize, answers: &Answers) -> Result<Done, ToolError> {
        let waiting = self.archive.waiting_longest(limit.saturating_add(1)).await?;
        for (conversation, identity) in waiting.iter().take(limit) {
            answers.say(Answer::Conversation(line(conversation, identity))).await?;
        }
        let Some(mut left) = limit.checked_sub(waiting.len()) else { return Ok(Done::Listed { more: true }) };
        let wanted = |it: &Conversation| match it.state {
            ConversationState::Open => it.waiting_since.is_none(),
            ConversationState::Closed { .. } => closed,
        };
        let mut before = None;
        loop {
            let page = self.archive.conversations(before, PAGE).await?;
            for (conversation, identity) in page.found.iter().filter(|(it, _)| wanted(it)) {
                if left == 0 {
                    return Ok(Done::Listed { more: true });
                }
                answers.say(Answer::Conversation(line(conversation, identity))).await?;
                left -= 1;
            }
            before = page.before;
            if before.is_none() {
                return Ok(Done::Listed { more: false });
            }
        }
    }

    pub(super) async fn export(&self, answers: &Answers) -> Result<Done, ToolError> {
        let mut before = None;
        loop {
            let page = self.archive.conversations(before, PAGE).await?;
            for (conversation, _) in &page.found {
                match self.messages(conversation.id, answers).await {
                    // Its time was over meanwhile.
                    Ok(_) | Err(ToolError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            before = page.before;
            if before.is_none() {
                return Ok(Done::Listed { more: false });
            }
        }
    }

    pub(super) async fn messages(&self, id: ConversationId, answers: &Answers) -> Result<Done, ToolError> {
        let Some((conversation, identity)) = self.archive.conversation(id).await? else {
            let text = format!("there is no conversation {id}; `frontdesk inbox list --all` shows their numbers");
            return Err(ToolError::Refused(text));
        };
        answers.say(Answer::Conversation(line(&conversation, &identity))).await?;
        let mut after = None;
        loop {
            let page = self.archive.history(id, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(Done::Listed { more: false }) };
            after = Some(last.key);
            for message in page.iter().filter_map(|record| message(record, &identity)) {
                answers.say(Answer::Message(message)).await?;
            }
        }
    }
}

fn line(conversation: &Conversation, identity: &Identity) -> ConversationLine {
    let state = match (&conversation.state, conversation.waiting_since, conversation.last_human_at) {
        (ConversationState::Closed { at, .. }, _, _) => Standing::ClosedAt(*at),
        (ConversationState::Open, Some(since), _) => Standing::WaitingSince(since),
        (ConversationState::Open, None, Some(at)) => Standing::AnsweredAt(at),
        (ConversationState::Open, None, None) => Standing::Open,
    };
    ConversationLine {
        conversation: conversation.id,
        customer: desk::name(identity),
        channel: identity.channel.clone(),
        desk: conversation.desk.clone(),
        state,
        opened_at: conversation.opened_at,
        last_customer_at: conversation.last_customer_at,
        undelivered: conversation.undelivered.len(),
    }
}

/// `None` for cards and the like, which nobody said.
fn message(record: &MessageRecord, identity: &Identity) -> Option<MessageLine> {
    let (by, name) = match &record.author {
        Author::Customer => (By::Customer, Some(desk::name(identity))),
        Author::Operator { name, .. } => (By::Operator, Some(name.clone())),
        Author::Note { name, .. } => (By::Note, Some(name.clone())),
        Author::Business => (By::Business, None),
        Author::Automatic { .. } => (By::Automatic, None),
        Author::Program => return None,
    };
    let text = record.content.readable();
    let changes = record.changes.iter().map(change).collect();
    Some(MessageLine { message: record.key, at: record.at, by, name, text, changes })
}

fn change(change: &Change) -> ChangeLine {
    let what = match &change.what {
        ChangeKind::Edited { content } => What::Edited { text: content.readable() },
        ChangeKind::Deleted => What::Deleted,
        ChangeKind::Delivery { delivery } => match delivery {
            DeliveryState::Sent => What::Sent,
            DeliveryState::Delivered => What::Delivered,
            DeliveryState::Read => What::Read,
            DeliveryState::Failed { reason } => What::Failed { reason: reason.clone() },
            DeliveryState::WindowClosed => What::Failed { reason: desk::WINDOW_CLOSED.to_owned() },
        },
        ChangeKind::Uncertain => What::Uncertain,
    };
    ChangeLine { at: change.at, what }
}
