//! What is deleted after its time, beside a model: whatever the history, all that is past goes and nothing else.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::store::sled::keys;

const KEEP: SignedDuration = SignedDuration::from_hours(100 * 24);
const NOW: i64 = 200;

/// A conversation of one of three customers, in days.
#[derive(Clone, Debug)]
struct Past {
    customer: u64,
    opened: i64,
    /// Days until it was closed.
    closed: Option<i64>,
    messages: u64,
    named: Named,
}

/// What still names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    No,
    /// A row to its thread.
    Row,
    /// A row that quotes its first message.
    Quote,
    /// How a row ended, not decided yet.
    Fact,
}

fn past() -> impl Strategy<Value = Past> {
    let named =
        prop_oneof![5 => Just(Named::No), 1 => Just(Named::Row), 1 => Just(Named::Quote), 1 => Just(Named::Fact)];
    (1..=3_u64, 0..NOW, prop::option::weighted(0.8, 0..120_i64), 0..4_u64, named)
        .prop_map(|(customer, opened, closed, messages, named)| Past { customer, opened, closed, messages, named })
}

fn day(day: i64) -> Timestamp {
    at(day * 24 * 3600)
}

fn name_of(conversation: u64, message: u64) -> MessageRef {
    chat_ref("anna", &format!("{conversation}-{message}"))
}

fn key_of(conversation: u64, message: u64) -> MessageKey {
    MessageKey(conversation * 10_000 + message)
}

fn conversation_of(number: u64, past: &Past) -> Conversation {
    let state = match past.closed {
        None => ConversationState::Open,
        Some(after) => ConversationState::Closed { at: day(past.opened + after), by: None },
    };
    Conversation {
        identity: IdentityId(past.customer),
        contact: ContactId(past.customer),
        opened_at: day(past.opened),
        state,
        waiting_since: None,
        ..conversation(number)
    }
}

async fn write_all(store: &SledStore, all: &[Past]) {
    for (number, past) in (1..).zip(all) {
        let messages = (0..past.messages).map(|n| MessageRecord {
            key: key_of(number, n),
            ..record(0, ConversationId(number), Some(name_of(number, n)))
        });
        let ledger = LedgerEntry {
            contact: ContactId(past.customer),
            conversation: Some(ConversationId(number)),
            at: day(past.opened),
            kind: crate::notices::Kind::FirstContact,
            verdict: Verdict::Said,
        };
        let decision = Decision {
            ids: Ids { conversation: ConversationId(number), ..Ids::default() },
            identity: Some(Identity {
                conversation: Some(ConversationId(number)),
                ..identity(past.customer, &format!("customer-{}", past.customer))
            }),
            contact: Some(Contact { acknowledged_at: Some(day(0)), ..contact(past.customer) }),
            conversations: vec![conversation_of(number, past)],
            messages: messages.collect(),
            ledger: vec![ledger],
            ..Decision::default()
        };
        write(store, decision).await;
    }
    // What names them comes last: deciding it would take it away.
    for (number, past) in (1..).zip(all) {
        name_it(store, number, past).await;
    }
}

async fn name_it(store: &SledStore, number: u64, past: &Past) {
    let target = Target::Thread(ConversationId(number), desk());
    let row = match past.named {
        Named::No => return,
        Named::Row => new_row(target, post("still to come"), None),
        Named::Quote => {
            let RowOp::Post { content, style, mentions, .. } = post("about that") else { panic!("a post") };
            let op = RowOp::Post { content, style, mentions, reply_to: Some(key_of(number, 0)) };
            new_row(Target::Customer(IdentityId(past.customer)), op, None)
        }
        Named::Fact => NewRow {
            conversation: Some(ConversationId(number)),
            ..new_row(Target::Customer(IdentityId(past.customer)), post("failed"), None)
        },
    };
    let step = store.committer.step(move |txn| crate::store::sled::outbox::append(txn, day(NOW), row));
    let row = step.await.unwrap();
    if past.named == Named::Fact {
        store.settle(row.number, day(NOW), Outcome::Failed { reason: "no".to_owned() }).await.unwrap();
    }
}

/// What the model says is left of a conversation.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    All,
    /// That it was.
    Bare,
    Nothing,
}

fn expected(number: u64, all: &[Past]) -> Left {
    let past = &all[usize::try_from(number).unwrap() - 1];
    let latest = (1..).zip(all).filter(|(_, it)| it.customer == past.customer).last().unwrap();
    let before = NOW - KEEP.as_hours() / 24;
    let named = match past.named {
        Named::No => false,
        Named::Quote => past.messages > 0,
        Named::Row | Named::Fact => true,
    };
    let is_past = past.closed.is_some_and(|after| past.opened + after < before);
    match (is_past && !named && latest.1.closed.is_some(), latest.0 == number) {
        (false, _) => Left::All,
        (true, true) => Left::Bare,
        (true, false) => Left::Nothing,
    }
}

async fn found(store: &SledStore, number: u64, past: &Past) -> Left {
    let id = ConversationId(number);
    let conversation = store.conversation(id).await.unwrap().map(|(conversation, _)| conversation);
    let history = store.history(id, None, 10).await.unwrap().len() as u64;
    let messages = past.messages;
    let bound = store.committer.read(move |txn| {
        let names = (0..messages).map(|n| Ok(u64::from(txn.has(&keys::binding(&name_of(number, n)))?)));
        names.sum::<Result<u64, StoreError>>()
    });
    let bound = bound.await.unwrap();
    assert_eq!(history, bound, "messages and their names go together");
    match conversation {
        Some(it) if it == as_written(&it, number, past) && history == messages => Left::All,
        Some(it) if it.card_text.is_empty() && history == 0 => Left::Bare,
        None if history == 0 => Left::Nothing,
        other => panic!("{other:?} with {history} of {messages} messages"),
    }
}

/// What was written, whatever a blocked customer has done since.
fn as_written(found: &Conversation, number: u64, past: &Past) -> Conversation {
    let (last_customer_at, blocked) = (found.last_customer_at, found.blocked.clone());
    Conversation { last_customer_at, blocked, ..conversation_of(number, past) }
}

async fn compare(mut all: Vec<Past>) {
    // Numbers are given out as time passes.
    all.sort_by_key(|past| past.opened);
    let home = Home::new();
    let store = home.open();
    write_all(&store, &all).await;
    while store.retire(day(NOW), KEEP).await.unwrap() {}
    for (number, past) in (1..).zip(&all) {
        assert_eq!(found(&store, number, past).await, expected(number, &all), "conversation {number} of {all:#?}");
    }
    for customer in all.iter().map(|past| past.customer) {
        let case = case_of(&store, writes(&format!("customer-{customer}"), &format!("after-{}", unique()))).await;
        assert_eq!(case.contact.unwrap().acknowledged_at, Some(day(0)), "nobody is greeted twice");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_that_is_past_goes_and_nothing_else(all in prop::collection::vec(past(), 1..9)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(all));
    }
}

#[tokio::test]
async fn a_long_past_goes_in_pieces_and_then_there_is_rest() {
    let home = Home::new();
    let store = home.open();
    let long = Past { customer: 1, opened: 1, closed: Some(1), messages: 1200, named: Named::No };
    let short = Past { messages: 1, ..long.clone() };
    let mut all = vec![long; 1];
    all.extend(vec![short; 150]);
    write_all(&store, &all).await;
    let mut calls = 1;
    while store.retire(day(NOW), KEEP).await.unwrap() {
        calls += 1;
    }
    assert!(calls >= 4, "{calls} calls");
    let page = store.conversations(None, 1000).await.unwrap();
    assert_eq!(page.found.len(), 1, "the latest tells that they have written before");
    let left = store.committer.read(|txn| txn.keys(&keys::all(keys::Table::Messages), 10));
    assert_eq!(left.await.unwrap(), Vec::<Vec<u8>>::new());
    assert!(!store.retire(day(NOW), KEEP).await.unwrap());
}

#[tokio::test]
async fn what_a_blocked_customer_wrote_lately_stays_and_what_they_wrote_before_goes() {
    let home = Home::new();
    let store = home.open();
    let past = Past { customer: 1, opened: 1, closed: Some(1), messages: 2, named: Named::No };
    write_all(&store, std::slice::from_ref(&past)).await;
    let binding = ThreadBinding { conversation: ConversationId(1), desk: desk(), thread: "thread".into() };
    let owner = keys::thread_owner(&binding.desk, &binding.thread);
    let step = store.committer.step({
        let owner = owner.clone();
        move |txn| {
            txn.put(keys::thread(binding.conversation, &binding.desk), &binding)?;
            txn.put(owner, &binding)
        }
    });
    step.await.unwrap();
    let wrote = async |on| {
        let blocked = Blocked { at: day(2), by: "Ann".into(), messages: 1, first_at: Some(on), latest: vec![] };
        let conversation = Conversation { last_customer_at: on, blocked: Some(blocked), ..conversation_of(1, &past) };
        let message = MessageRecord { key: key_of(1, 7), at: on, ..record(0, ConversationId(1), Some(name_of(1, 7))) };
        let decision = Decision { conversations: vec![conversation], messages: vec![message], ..Decision::default() };
        write(&store, decision).await;
    };
    wrote(day(150)).await;
    while store.retire(day(NOW), KEEP).await.unwrap() {}
    let left = store.history(ConversationId(1), None, 10).await.unwrap();
    assert_eq!(left.iter().map(|message| message.key).collect::<Vec<_>>(), [key_of(1, 7)]);
    let (conversation, _) = store.conversation(ConversationId(1)).await.unwrap().unwrap();
    assert_eq!(conversation.card_text, conversation_of(1, &past).card_text);
    wrote(day(50)).await;
    while store.retire(day(NOW + 1), KEEP).await.unwrap() {}
    assert_eq!(found(&store, 1, &past).await, Left::Bare);
    let (bare, _) = store.conversation(ConversationId(1)).await.unwrap().unwrap();
    assert_eq!(bare.blocked.map(|blocked| (blocked.by, blocked.messages)), Some(("Ann".to_owned(), 0)));
    let bound = store.committer.read(move |txn| txn.has(&owner)).await.unwrap();
    assert!(bound, "they can only be unblocked in the thread");
}
