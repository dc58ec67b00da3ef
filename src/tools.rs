//! The owner's tools: what `inbox`, `outbox`, `contacts` and `backup` do. The same functions serve a program that runs,
//! through its socket, and a store that was opened for the purpose.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Sender;

use crate::{
    clock::Clock,
    outbox::Outbox,
    store::{Archive, ConversationId, KnownAs, RowNumber, StoreError},
};

mod backup;
mod contacts;
mod inbox;
mod outbox;
mod restore;

pub use backup::{Backup, BackupError, Frame};
pub use inbox::{By, ChangeLine, ConversationLine, MessageLine, Standing, What};
pub use outbox::{RowLine, Waits};
pub use restore::{RestoreError, Summary, UNFINISHED, Wanted, restore};

/// One wish, one line on the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tool", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Those that wait first. `closed`: closed ones too.
    Conversations { closed: bool, limit: usize },
    /// What was said in a conversation, by both sides and inside.
    Messages { conversation: ConversationId },
    /// All conversations, newest first, each with what was said in it.
    Export,
    /// What waits to be sent.
    Rows { limit: usize },
    /// Try now; without a number, everything. `again`: even what may have arrived already.
    Retry { row: Option<RowNumber>, again: bool },
    /// Never send it.
    Drop { row: RowNumber },
    /// People the business knew before.
    Know { people: Vec<Acquaintance> },
    /// Everything into one file, which is not there yet.
    Backup { file: PathBuf },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acquaintance {
    #[serde(flatten)]
    pub known_as: KnownAs,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub language: Option<crate::notices::Lang>,
}

/// One line of the answer. The last one is [`Answer::Done`] or [`Answer::Failed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Conversation(ConversationLine),
    Message(MessageLine),
    Row(RowLine),
    /// So much is written so far.
    Progress {
        bytes: u64,
    },
    Done(Done),
    /// What is wrong, and what to do.
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// `more`: the limit left some out.
    Listed {
        more: bool,
    },
    Retried {
        rows: usize,
    },
    Dropped,
    Known {
        new: usize,
        already: usize,
    },
    Saved {
        records: u64,
        bytes: u64,
        at: Timestamp,
    },
}

/// Why a tool did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("{0}")]
    Refused(String),
    /// Whoever asked does not listen any more.
    #[error("nobody listens any more")]
    Gone,
}

pub struct Tools {
    pub archive: Arc<dyn Archive>,
    /// While the program runs, rows belong to it.
    pub outbox: Option<Arc<Outbox>>,
    pub clock: Arc<dyn Clock>,
    /// The folder of everything that is kept.
    pub data: PathBuf,
}

impl Tools {
    /// Does what was asked, and says so line by line.
    pub async fn carry_out(&self, request: Request, answers: &Answers) {
        let outcome = match request {
            Request::Conversations { closed, limit } => self.conversations(closed, limit, answers).await,
            Request::Messages { conversation } => self.messages(conversation, answers).await,
            Request::Export => self.export(answers).await,
            Request::Rows { limit } => self.rows(limit, answers).await,
            Request::Retry { row: Some(row), again } => self.retry(row, again).await,
            Request::Retry { row: None, again } => self.retry_all(again).await,
            Request::Drop { row } => self.discard(row).await,
            Request::Know { people } => self.know(people).await,
            Request::Backup { file } => self.backup(&file, answers).await,
        };
        let last = match outcome {
            Ok(done) => Answer::Done(done),
            Err(ToolError::Gone) => return,
            Err(error) => Answer::Failed(error.to_string()),
        };
        // Whoever asked may have gone away.
        let _ = answers.say(last).await;
    }
}

/// Where the lines of an answer go. Bounded: who reads slowly is waited for.
#[derive(Clone, Debug)]
pub struct Answers(pub Sender<Answer>);

impl Answers {
    pub async fn say(&self, answer: Answer) -> Result<(), ToolError> {
        self.0.send(answer).await.map_err(|_| ToolError::Gone)
    }
}
