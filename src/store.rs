//! What is kept, in domain steps: each is one durable transaction, on disk when it returns.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use frontdesk_core::{AccountId, Address, ChannelId, Cursor, DeskName, Inbound, PlatformId, Signal, ThreadId};
use jiff::Timestamp;

use crate::notices::Kind;

mod archive;
mod records;
pub mod sled;

pub use archive::*;
pub use records::*;

#[async_trait]
pub trait Store: Send + Sync {
    /// Random, made with the store: a store that was made anew never repeats the keys of the old one.
    fn instance(&self) -> u64;

    /// Records the account of a channel the first time, and returns the one that is recorded.
    async fn account(&self, channel: &ChannelId, account: &AccountId) -> Result<AccountId, StoreError>;

    async fn cursor(&self, channel: &ChannelId) -> Result<Option<Cursor>, StoreError>;

    /// Stores what is new of a batch, stamped, with the cursor. Returns how many were new.
    async fn accept(
        &self,
        channel: &ChannelId,
        at: Timestamp,
        events: Vec<Inbound>,
        cursor: Option<Cursor>,
    ) -> Result<usize, StoreError>;

    /// Takes up to `limit` facts in order (parked ones first, then the inbox, then due timers when `timers` says so
    /// and the inbox is drained), lets `decide` judge each with its case, and commits everything at once.
    async fn dispatch(
        &self,
        at: Timestamp,
        timers: bool,
        limit: usize,
        decide: Arc<dyn Decide>,
    ) -> Result<Dispatched, StoreError>;

    /// A page of the outbox, by number.
    async fn rows(&self, after: Option<RowNumber>, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// The row and what its names stand for now; `None` when it is gone.
    async fn ticket(&self, row: RowNumber) -> Result<Option<Ticket>, StoreError>;

    /// Writes a changed row (state, attempts, not_before, prepared). `false`, and nothing happens, when
    /// it is gone.
    async fn update(&self, row: Row) -> Result<bool, StoreError>;

    /// Writes `row` with what later rows wanted of it, and removes those, at once.
    async fn fold(&self, row: Row, folded: Vec<RowNumber>) -> Result<(), StoreError>;

    /// Removes a row, records what the platform called the message, and lets the outcome enter the inbox, at once.
    /// An outcome that nobody asks about (a relay or card that was sent) does not enter it.
    /// Returns what the row was; `None` when it was gone.
    async fn settle(&self, row: RowNumber, at: Timestamp, outcome: Outcome) -> Result<Option<Ended>, StoreError>;

    /// Lets the inbox know that a row is late ([`Outcome::Delayed`]), once for each row; the row stays.
    async fn delayed(&self, row: RowNumber, at: Timestamp, reason: String) -> Result<(), StoreError>;

    /// The platform does not take a row now: it waits, [`Outcome::Held`] enters the inbox, and the customer's reply window
    /// counts as closed. `heard_at` is the ticket's: when the customer has written meanwhile, nothing of that happens, and
    /// `Some(false)` is returned; `None` when the row is gone.
    async fn hold(
        &self,
        row: RowNumber,
        at: Timestamp,
        heard_at: Option<Timestamp>,
    ) -> Result<Option<bool>, StoreError>;

    /// A row that was held may be sent. `false` when it is gone, or was not held.
    async fn release(&self, row: RowNumber) -> Result<bool, StoreError>;

    /// A thread at a desk is gone: forgets its binding and puts a row that opens a new one, with the card, before `row`
    /// in its lane. Returns that row.
    async fn reopen_thread(&self, row: RowNumber, at: Timestamp) -> Result<Option<Row>, StoreError>;

    /// Lets the inbox know of something that the program has to say to a desk ([`Fact::Notice`]).
    async fn notice(&self, at: Timestamp, desk: &DeskName, text: String) -> Result<(), StoreError>;

    /// How far behind we are, for `/metrics`.
    async fn backlog(&self) -> Result<Backlog, StoreError>;

    /// A customer's chat has a new address.
    async fn moved(&self, identity: IdentityId, to: Address) -> Result<(), StoreError>;

    /// Removes what is past its time (keys seen more than 30 days ago), a bounded piece at a time. Returns whether
    /// there is more.
    async fn tidy(&self, at: Timestamp) -> Result<bool, StoreError>;

    /// Fails when the disk does not take writes.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Whether something new would be taken in. Asks the disk how much room there is, and writes nothing.
    fn room(&self) -> Result<(), StoreError>;
}

/// Judges one fact: the dispatcher. Pure, so that a replay decides the same.
pub trait Decide: Send + Sync {
    fn decide(&self, case: Case, row: &InboxRow, at: Timestamp) -> Decision;

    /// What the case has to hold for this fact beside what every case holds.
    fn asks(&self, _: &InboxRow) -> Asks {
        Asks::default()
    }
}

/// What only a command looks at, and so is loaded only for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// [`Case::queue`].
    pub queue: bool,
    /// [`Case::latest`] and [`Case::held`].
    pub block: bool,
    /// [`Case::sending`].
    pub sending: bool,
    /// [`Case::people`].
    pub people: Option<Wanted>,
}

/// Customers who are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Names that belong to one person on a channel: a user id, a phone number.
    pub names: Vec<KnownAs>,
    /// What people call them: everybody whose name is this, or begins with these words.
    pub called: Option<String>,
}

/// A customer who was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    pub identity: Identity,
    pub contact: Contact,
    /// Their latest.
    pub conversation: Option<Conversation>,
}

/// Everything that is known about a fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    pub ids: Ids,
    /// Of the customer who acted, or whom the thread, timer or outcome is about.
    pub identity: Option<Identity>,
    pub contact: Option<Contact>,
    /// The customer's latest; or the one of the thread, the reply, the timer, the outcome.
    pub conversation: Option<Conversation>,
    /// The message that the fact replies to, changes or is the outcome of.
    pub message: Option<MessageRecord>,
    /// A change of the fact's own message, or of the one that it changes, that came before it.
    pub mark: Option<Mark>,
    /// The fact names its message by a name that another one has replaced since.
    pub former_name: bool,
    /// The latest entries about the contact, newest first, at most 8: what `!why` shows.
    pub ledger: Vec<LedgerEntry>,
    /// The messages of [`Conversation::undelivered`] and [`Conversation::unshown`], for `!retry`.
    pub undelivered: Vec<MessageRecord>,
    /// Whether a send to the fact's place is not recorded yet, so that an unknown name may become known.
    pub unrecorded: bool,
    /// When a desk's operator last got a hint about a message outside a thread.
    pub hinted_at: Option<Timestamp>,
    /// How many conversations wait for an answer at the fact's desk (bounded: "20" means 20 or more).
    pub waiting: usize,
    /// What the owner's list says of a customer who is not met yet.
    pub known: Option<Known>,
    /// What operators set with `!hours`.
    pub hours: HoursSet,
    /// Who waits for an answer at the fact's desk; see [`Asks::queue`].
    pub queue: Queue,
    /// The customer's latest conversation, where it is another one; see [`Asks::block`].
    pub latest: Option<Conversation>,
    /// The messages of [`Blocked::latest`]; see [`Asks::block`].
    pub held: Vec<MessageRecord>,
    /// Which of [`Conversation::held`] are being sent; see [`Asks::sending`].
    pub sending: Vec<MessageKey>,
    /// Who was looked for, at most [`Case::PEOPLE`]; see [`Asks::people`].
    pub people: Vec<Met>,
    /// Somebody was looked for: that there is nobody in [`Case::people`] says something.
    pub looked_for: bool,
    /// The row that carries the fact's message and has not ended; known of delivery states that name it.
    pub row: Option<Row>,
    /// Of a row that carried only a piece of its message, which one; known of delivery states.
    pub piece: Option<PieceMark>,
    /// A delivery state says that a send failed, and our own outcome of that send is still to be judged.
    pub outcome_follows: bool,
    /// The fact is a message that went out through us.
    pub ours: bool,
    /// The customer's latest message; known of outcomes of sends.
    pub last_words: Option<MessageRecord>,
}

impl Case {
    pub const PEOPLE: usize = 10;
}

/// The conversations that wait for an answer at a desk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Those that wait longest, longest first, at most [`Queue::SHOWN`].
    pub first: Vec<Waiter>,
    /// How many wait in all.
    pub total: usize,
}

impl Queue {
    pub const SHOWN: usize = 20;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    pub since: Timestamp,
    pub identity: Identity,
    /// The customer's latest message.
    pub words: Option<MessageRecord>,
}

/// What follows from a fact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Comes back when a name becomes known, or later; nothing else of the decision is carried out.
    pub park: bool,
    /// Records to write: whole, each at most once.
    pub ids: Ids,
    pub identity: Option<Identity>,
    pub contact: Option<Contact>,
    /// The case's conversation, and a new one.
    pub conversations: Vec<Conversation>,
    /// New or changed messages. A new one's `source` becomes its binding.
    pub messages: Vec<MessageRecord>,
    /// Left for a message that has not arrived.
    pub mark: Option<(MessageRef, Mark)>,
    pub rows: Vec<NewRow>,
    pub timers: Vec<Timer>,
    pub ledger: Vec<LedgerEntry>,
    /// What operators set with `!hours`, when it has changed: whole.
    pub hours: Option<HoursSet>,
    /// A desk's operator got a hint now.
    pub hinted: Option<(DeskName, frontdesk_core::PlatformUser)>,
    /// Shown at once, if it can be; lost in a crash.
    pub signals: Vec<Shown>,
    /// [`Case::row`] was taken by the platform, under these names.
    pub taken: Option<(RowNumber, Vec<PlatformId>)>,
    /// Further names of a message of ours.
    pub names: Vec<(MessageKey, MessageRef)>,
    /// What waits in this conversation until the customer writes is taken back ([`Outcome::TakenBack`]).
    pub take_back: Option<ConversationId>,
    /// What waited for this customer may go now.
    pub opened: Option<IdentityId>,
    /// This channel's templates are to be read again. Carried out also of a decision to park.
    pub templates: Option<ChannelId>,
}

/// A receipt or typing, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub channel: ChannelId,
    pub to: Address,
    pub signal: Signal,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// How many facts were decided.
    pub handled: usize,
    /// The inbox holds more.
    pub more: bool,
    /// Facts that wait for a name.
    pub parked: usize,
    /// New rows of the outbox.
    pub rows: Vec<Row>,
    /// What was decided about automatic texts.
    pub verdicts: Vec<(Kind, Verdict)>,
    pub signals: Vec<Shown>,
    /// Lanes in which something waited that may go, or does not wait any more.
    pub woken: Vec<Target>,
    /// Rows that ended by a decision, and how.
    pub ended: Vec<(Ended, Outcome)>,
    /// Channels whose templates are to be read again.
    pub templates: Vec<ChannelId>,
    pub next_timer: Option<Timestamp>,
}

/// A row that has ended, as far as statistics go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub target: Target,
    /// `None` for a desk.
    pub channel: Option<ChannelId>,
    pub purpose: Purpose,
    pub written_at: Timestamp,
}

/// What waits. Counted up to [`Backlog::COUNTED`], so that looking costs little.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Facts that are not decided yet.
    pub inbox: usize,
    /// Facts that wait for a name.
    pub parked: usize,
    /// Since when the oldest row of the outbox is written.
    pub oldest_row: Option<Timestamp>,
    /// Conversations in which the customer waits for an answer.
    pub waiting: usize,
    /// Since when the customer who waits longest has waited.
    pub waiting_since: Option<Timestamp>,
}

impl Backlog {
    pub const COUNTED: usize = 1000;
}

/// A row, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub row: Row,
    /// `None` for a desk (its adapter knows it).
    pub channel: Option<ChannelId>,
    /// The customer's address; or the desk with the conversation's thread, where one is open.
    pub address: Address,
    pub thread: Option<ThreadId>,
    /// The platform's ids, at this target, of the message that the row edits, deletes or reacts to.
    pub subject: Vec<PlatformId>,
    /// The platform's id, at this target, of the message it replies to.
    pub reply_to: Option<PlatformId>,
    /// Where the row's file lies, where it carries one.
    pub source: Option<Place>,
    /// When a human of the business last answered the contact.
    pub human_at: Option<Timestamp>,
    /// An operator does not want to hear from the contact.
    pub blocked: bool,
    /// When operators last changed the hours; known of automatic texts.
    pub hours_changed_at: Option<Timestamp>,
    /// [`Identity::heard_at`] of the customer it goes to.
    pub heard_at: Option<Timestamp>,
}

/// What is wrong with the store, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the folder {} is in use by another frontdesk; stop that one first, or give this one another [store] url",
        .0.display()
    )]
    Locked(PathBuf),
    #[error("the database in {} is damaged ({detail}); restore a backup, or move the folder away to begin anew", path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error("the database in {} was written by a newer frontdesk (schema {found}, this one knows {known}); update frontdesk", path.display())]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("the disk under {} does not take writes: {detail}", path.display())]
    Disk { path: PathBuf, detail: String },
    /// Nothing was written, and it goes on by itself when there is room again.
    #[error(
        "the disk under {} is almost full: make room (at least {wanted} MiB are needed); until then nothing new is taken in, and nothing is lost",
        path.display()
    )]
    Full { path: PathBuf, wanted: u64 },
    #[error("the store has stopped")]
    Stopped,
}
