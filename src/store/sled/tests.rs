#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex};

use frontdesk_core::{Address, Content, Event, Inbound, Message, Person, PlatformId, Sent, Side};
use tempfile::TempDir;

use super::super::*;
use super::SledStore;

mod archive;
mod asked;
mod backlog;
mod damage;
mod dispatch;
mod durability;
mod held;
mod inbox;
mod model;
mod outbox;
mod records;
mod retire;

/// A judge made of a closure.
struct Judge<F>(F);

impl<F: Fn(Case, &InboxRow) -> Decision + Send + Sync> Decide for Judge<F> {
    fn decide(&self, case: Case, row: &InboxRow, _: Timestamp) -> Decision {
        (self.0)(case, row)
    }
}

fn judge(f: impl Fn(Case, &InboxRow) -> Decision + Send + Sync + 'static) -> Arc<dyn Decide> {
    Arc::new(Judge(f))
}

struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn open(&self) -> SledStore {
        SledStore::open(self.path()).unwrap()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn shop() -> ChannelId {
    "telegram.shop".into()
}

fn desk() -> DeskName {
    "main".into()
}

/// Anna, or whoever, writes in her own chat.
fn writes(who: &str, id: &str) -> Inbound {
    from_customer(who, id, Event::Message(Message::text(id, format!("words of {id}"))))
}

fn from_customer(who: &str, key: &str, event: Event) -> Inbound {
    Inbound {
        key: key.into(),
        side: Side::Customer,
        from: Person::human(who, who),
        at: Address::chat(who),
        sent_at: None,
        event,
    }
}

fn from_desk(thread: Option<&str>, key: &str, event: Event) -> Inbound {
    let thread = thread.map(ThreadId::from);
    Inbound {
        key: key.into(),
        side: Side::Desk { desk: desk(), thread: thread.clone() },
        from: Person::human("@ann:example.org", "Ann"),
        at: Address::Desk { desk: desk(), thread },
        sent_at: None,
        event,
    }
}

fn chat_ref(who: &str, id: &str) -> MessageRef {
    MessageRef { place: Place::of(&shop(), &Address::chat(who)), id: id.into() }
}

fn new_row(target: Target, op: RowOp, message: Option<MessageKey>) -> NewRow {
    NewRow {
        target,
        purpose: Purpose::Relay,
        op,
        conversation: None,
        message,
        sender: None,
        expires_at: None,
        unless_answered: None,
        give_up_at: None,
        piece: false,
        hold: None,
    }
}

fn post(text: &str) -> RowOp {
    RowOp::Post {
        content: Content::text(text),
        style: frontdesk_core::Style::Words,
        reply_to: None,
        mentions: Vec::new(),
    }
}

fn contact(id: u64) -> Contact {
    Contact {
        id: ContactId(id),
        identities: vec![IdentityId(id)],
        first_heard_at: at(0),
        acknowledged_at: None,
        human_at: None,
        notice_at: None,
        automatic: Vec::new(),
        language: None,
        detected: None,
        blocked: false,
    }
}

fn identity(id: u64, who: &str) -> Identity {
    Identity {
        id: IdentityId(id),
        contact: ContactId(id),
        channel: shop(),
        user: who.into(),
        address: Address::chat(who),
        name: who.to_owned(),
        first_name: None,
        username: None,
        language: None,
        unreachable: false,
        conversation: Some(ConversationId(id)),
        origin: None,
        heard_at: None,
        former: Vec::new(),
    }
}

fn conversation(id: u64) -> Conversation {
    Conversation {
        id: ConversationId(id),
        identity: IdentityId(id),
        contact: ContactId(id),
        desk: desk(),
        state: ConversationState::Open,
        opened_at: at(0),
        previous: None,
        waiting_since: Some(at(0)),
        last_customer_at: at(0),
        last_human_at: None,
        card: MessageKey(0),
        card_text: "Anna waits".to_owned(),
        pending: None,
        idle: None,
        undelivered: Vec::new(),
        taken_by: None,
        origin: None,
        tags: Vec::new(),
        last_words: None,
        blocked: None,
        thread_lost: false,
        unshown: Vec::new(),
        last_sent_at: None,
        held: Vec::new(),
        reminder: None,
        read_at: None,
    }
}

fn record(key: u64, conversation: ConversationId, source: Option<MessageRef>) -> MessageRecord {
    MessageRecord {
        key: MessageKey(key),
        conversation,
        author: Author::Customer,
        at: at(0),
        sent_at: None,
        content: Content::text("words"),
        reply_to: None,
        source,
        changes: Vec::new(),
        template: None,
    }
}

/// A small dispatcher: a new customer gets an identity and a conversation (all under one number) with a thread; each
/// message is kept under the next key and relayed.
fn front_desk(case: Case, row: &InboxRow) -> Decision {
    let Fact::Inbound { inbound, .. } = &row.fact else { return Decision::default() };
    let Event::Message(message) = &inbound.event else { return Decision::default() };
    if inbound.side != Side::Customer {
        return Decision { park: case.conversation.is_none() && case.unrecorded, ..Decision::default() };
    }
    let mut ids = case.ids;
    let mut decision = Decision::default();
    let conversation = case.conversation.unwrap_or_else(|| {
        ids.identity.0 += 1;
        ids.contact.0 += 1;
        ids.conversation.0 += 1;
        ids.message.0 += 1;
        let card = ids.message;
        let made = Conversation { card, ..conversation(ids.conversation.0) };
        decision.identity = Some(identity(ids.identity.0, inbound.from.id.as_str()));
        decision.contact = Some(contact(ids.contact.0));
        decision.messages.push(record(card.0, made.id, None));
        let op = RowOp::OpenThread { content: Content::text("card"), reply_to: None };
        decision
            .rows
            .push(NewRow { purpose: Purpose::Card, ..new_row(Target::Thread(made.id, desk()), op, Some(card)) });
        made
    });
    ids.message.0 += 1;
    let source = chat_ref(inbound.from.id.as_str(), message.id.as_str());
    decision.messages.push(record(ids.message.0, conversation.id, Some(source)));
    let target = Target::Thread(conversation.id, desk());
    decision.rows.push(new_row(target, post(&message.content.words()), Some(ids.message)));
    decision.conversations.push(conversation);
    decision.ids = ids;
    decision
}

async fn take_in(store: &SledStore, events: Vec<Inbound>) -> usize {
    store.accept(&shop(), at(0), events, None).await.unwrap()
}

async fn run(store: &SledStore, decide: Arc<dyn Decide>) -> Dispatched {
    store.dispatch(at(1), true, 64, decide).await.unwrap()
}

/// What the judge was shown, fact by fact, while everything is taken and nothing is written.
async fn look(store: &SledStore) -> Vec<(InboxRow, Case)> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let decide = judge(move |case, row| {
        notes.lock().unwrap().push((row.clone(), case));
        Decision::default()
    });
    run(store, decide).await;
    std::mem::take(&mut *seen.lock().unwrap())
}

/// The case of one more event.
async fn case_of(store: &SledStore, inbound: Inbound) -> Case {
    // After what was decided before.
    store.accept(&shop(), at(1), vec![inbound], None).await.unwrap();
    look(store).await.pop().unwrap().1
}

/// Writes a decision, as if a message had caused it. The inbox must be empty.
async fn write(store: &SledStore, decision: Decision) -> Vec<Row> {
    take_in(store, vec![from_customer("nobody", &format!("write-{}", unique()), Event::Blocked)]).await;
    let done = run(store, judge(move |_, _| decision.clone())).await;
    assert_eq!(done.handled, 1, "the inbox was not empty");
    done.rows
}

fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
