//! What the owner's tools read and bring along, and the copy of everything.

use std::ops::ControlFlow;

use ::sled::IVec;

use super::*;
use crate::store::sled::{Restore, copy, keys::Key};

/// Everything that lies in the database.
fn dump(store: &SledStore) -> BTreeMap<Key, IVec> {
    let disk = store.committer.disk();
    let all = disk.range((std::ops::Bound::Unbounded, std::ops::Bound::Unbounded));
    all.map(|pair| pair.map(|(key, value)| (key.to_vec(), value)).unwrap()).collect()
}

/// What is left when the pieces are repeated in order.
fn repeated(pieces: &[Vec<u8>]) -> BTreeMap<Key, IVec> {
    let mut all = BTreeMap::new();
    for (key, value) in pieces.iter().flat_map(|piece| copy::read(piece).unwrap()) {
        match value {
            Some(value) => drop(all.insert(key, value)),
            None => drop(all.remove(&key)),
        }
    }
    all
}

async fn pieces(store: &SledStore) -> (Copied, Vec<Vec<u8>>) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&taken);
    let take = move |piece: &[u8]| {
        notes.lock().unwrap().push(piece.to_vec());
        ControlFlow::Continue(())
    };
    let copied = store.copy(Box::new(take)).await.unwrap();
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    (copied, taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_under_traffic_is_the_state_at_its_end() {
    let home = Home::new();
    let store = Arc::new(home.open());
    // Enough for many pages; some of it in long values, which lie in pieces.
    for batch in 0..30 {
        let long = "x".repeat(if batch % 3 == 0 { 9000 } else { 10 });
        let events = (0..20).map(|n| {
            let key = format!("{batch}-{n}");
            from_customer(&format!("c{n}"), &key, Event::Message(Message::text(key.as_str(), long.as_str())))
        });
        take_in(&store, events.collect()).await;
        while run(&store, judge(front_desk)).await.more {}
    }
    let (state, taken) = (Arc::new(Mutex::new(BTreeMap::new())), Arc::new(Mutex::new(Vec::new())));
    let take = {
        let (store, state, taken) = (Arc::clone(&store), Arc::clone(&state), Arc::clone(&taken));
        let runtime = tokio::runtime::Handle::current();
        move |piece: &[u8]| {
            taken.lock().unwrap().push(piece.to_vec());
            *state.lock().unwrap() = dump(&store);
            // Between two pieces the work goes on: messages come, rows go, before and behind what was read.
            let step = taken.lock().unwrap().len();
            runtime.block_on(async {
                take_in(&store, vec![writes("anna", &format!("during-{step}")), writes("zoe", &format!("z-{step}"))])
                    .await;
                run(&store, judge(front_desk)).await;
                for row in store.rows(Some(RowNumber(step as u64 * 31 % 500)), 3).await.unwrap() {
                    let sent = Sent { thread: Some("t".into()), ids: vec![format!("m{}", row.number).into()] };
                    store.settle(row.number, at(2), Outcome::Sent { sent }).await.unwrap();
                }
            });
            ControlFlow::Continue(())
        }
    };
    let copied = store.copy(Box::new(take)).await.unwrap();
    let pieces = std::mem::take(&mut *taken.lock().unwrap());
    assert!(pieces.len() > 5, "only {} pieces", pieces.len());
    assert!(matches!(copied, Copied::Whole { records } if records > 2500), "{copied:?}");
    let (copy, state) = (repeated(&pieces), state.lock().unwrap().clone());
    let differs: Vec<_> = copy.keys().chain(state.keys()).filter(|key| copy.get(*key) != state.get(*key)).collect();
    assert_eq!(differs, Vec::<&Key>::new());
}

#[tokio::test]
async fn a_copy_can_be_broken_off_and_made_again() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    assert_eq!(store.copy(Box::new(|_| ControlFlow::Break(()))).await.unwrap(), Copied::BrokenOff);
    take_in(&store, vec![writes("anna", "2")]).await;
    let (copied, pieces) = pieces(&store).await;
    let state = dump(&store);
    assert_eq!(copied, Copied::Whole { records: state.len() as u64 });
    assert_eq!(repeated(&pieces), state);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_is_told_of_the_first() {
    let home = Home::new();
    let store = Arc::new(home.open());
    take_in(&store, vec![writes("anna", "1")]).await;
    let (other, runtime) = (Arc::clone(&store), tokio::runtime::Handle::current());
    let second = Arc::new(Mutex::new(None));
    let take = {
        let second = Arc::clone(&second);
        move |_: &[u8]| {
            let copied = runtime.block_on(other.copy(Box::new(|_| panic!("nothing is read"))));
            *second.lock().unwrap() = Some(copied.unwrap());
            ControlFlow::Continue(())
        }
    };
    assert!(matches!(store.copy(Box::new(take)).await.unwrap(), Copied::Whole { .. }));
    assert_eq!(*second.lock().unwrap(), Some(Copied::Another));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_keep_up_is_given_up_and_the_work_goes_on() {
    let home = Home::new();
    let store = Arc::new(home.open());
    take_in(&store, (0..600).map(|n| writes("anna", &n.to_string())).collect()).await;
    let (busy, runtime) = (Arc::clone(&store), tokio::runtime::Handle::current());
    let take = move |_: &[u8]| {
        for round in 0..20 {
            let long = Event::Message(Message::text("long", "x".repeat(1_000_000)));
            runtime.block_on(take_in(&busy, vec![from_customer("ben", &format!("long-{round}"), long)]));
        }
        ControlFlow::Continue(())
    };
    assert_eq!(store.copy(Box::new(take)).await.unwrap(), Copied::Overrun);
    assert_eq!(take_in(&store, vec![writes("anna", "after")]).await, 1);
}

#[tokio::test]
async fn a_restored_store_is_another_one_and_doubts_what_was_under_way() {
    let home = Home::new();
    let store = home.open();
    // Anna's message is decided and waits to be shown; an operator's answer has come in and is not decided yet.
    take_in(&store, vec![writes("anna", "1")]).await;
    run(&store, judge(front_desk)).await;
    let answer = NewRow {
        purpose: Purpose::Answer,
        conversation: Some(ConversationId(1)),
        ..new_row(Target::Customer(IdentityId(1)), post("Hi"), Some(MessageKey(2)))
    };
    let timer = Timer { id: TimerId(1), due: at(10), kind: TimerKind::Automatic, conversation: ConversationId(1) };
    let pending = Pending { timer: timer.id, kind: crate::notices::Kind::FirstContact, since: at(0) };
    let waits = Conversation { pending: Some(pending), ..conversation(1) };
    let decision =
        Decision { rows: vec![answer], timers: vec![timer], conversations: vec![waits], ..Decision::default() };
    write(&store, decision).await;
    let cursor = |channel: &str| frontdesk_core::Cursor::from(format!("cursor of {channel}"));
    store.accept(&shop(), at(1), Vec::new(), Some(cursor("shop"))).await.unwrap();
    let words = Event::Message(Message::text("o1", "I answer"));
    let event = from_desk(Some("t"), "o1", words);
    store.accept(&"matrix.desk".into(), at(1), vec![event], Some(cursor("desk"))).await.unwrap();
    let (_, pieces) = pieces(&store).await;

    let other = Home::new();
    let restore = Restore::begin(&other.path()).unwrap();
    pieces.iter().for_each(|piece| restore.apply(piece).unwrap());
    let restored = restore.finish(at(5), at(100), &[(desk(), "matrix.desk".into())], "restored").unwrap();
    assert_eq!((restored.uncertain, restored.repeated), (1, 2));

    let new = other.open();
    assert_ne!(new.instance(), store.instance());
    let rows = new.rows(None, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.what.purpose, row.possibly_repeated)).collect();
    assert_eq!(told, [(Purpose::Card, true), (Purpose::Relay, true), (Purpose::Reply, false)]);
    assert_eq!(new.cursor(&shop()).await.unwrap(), Some(cursor("shop")));
    assert_eq!(new.cursor(&"matrix.desk".into()).await.unwrap(), None);
    // What was seen is not taken for new.
    assert_eq!(take_in(&new, vec![writes("anna", "1")]).await, 0);

    let facts = look(&new).await;
    let [(operators, case), (settled, _)] = &facts[..] else { panic!("{facts:?}") };
    assert!(matches!(&operators.fact, Fact::Inbound { .. }));
    assert_eq!(case.mark.as_ref().map(|mark| &mark.what), Some(&ChangeKind::Uncertain));
    let Fact::Settled { settled } = &settled.fact else { panic!("{settled:?}") };
    assert!(matches!(settled.outcome, Outcome::Uncertain { .. }));
    assert_eq!(new.conversation(ConversationId(1)).await.unwrap().unwrap().0.pending, None);
    let greeted = case_of(&new, writes("anna", "2")).await.contact.unwrap();
    assert_eq!(greeted.acknowledged_at, Some(at(5)));
}

#[tokio::test]
async fn conversations_and_their_history_are_read_in_pages() {
    let home = Home::new();
    let store = home.open();
    for who in ["anna", "ben", "cleo"] {
        take_in(&store, vec![writes(who, &format!("{who}-1")), writes(who, &format!("{who}-2"))]).await;
    }
    run(&store, judge(front_desk)).await;
    let numbers = |found: &[(Conversation, Identity)]| found.iter().map(|(it, _)| it.id.0).collect::<Vec<_>>();
    let page = store.conversations(None, 2).await.unwrap();
    assert_eq!((numbers(&page.found), page.before), (vec![3, 2], Some(ConversationId(2))));
    let page = store.conversations(page.before, 2).await.unwrap();
    assert_eq!((numbers(&page.found), page.before), (vec![1], None));
    assert_eq!(numbers(&store.waiting_longest(2).await.unwrap()), [1, 2]);

    let ben = ConversationId(2);
    let first = store.history(ben, None, 2).await.unwrap();
    let rest = store.history(ben, Some(first[1].key), 2).await.unwrap();
    let keys: Vec<_> = first.iter().chain(&rest).map(|message| message.key.0).collect();
    assert_eq!(keys, [4, 5, 6]);
    assert!(store.conversation(ConversationId(9)).await.unwrap().is_none());
}

#[tokio::test]
async fn whom_the_owner_knows_is_found_under_each_name_until_they_are_met() {
    let home = Home::new();
    let store = home.open();
    let known = |n| Known { at: at(n), name: Some("Anna".to_owned()), language: None };
    let named = |name: &str| KnownAs { channel: shop(), name: name.to_owned() };
    assert_eq!(store.know(vec![(named("anna"), known(1)), (named("@ben"), known(1))]).await.unwrap(), 2);
    assert_eq!(store.know(vec![(named("anna"), known(2)), (named("cleo"), known(2))]).await.unwrap(), 1);
    assert_eq!(case_of(&store, writes("anna", "1")).await.known, Some(known(1)), "the first time counts");
    let mut ben = writes("77", "2");
    ben.from.username = Some("Ben".to_owned());
    assert_eq!(case_of(&store, ben).await.known, Some(known(1)));
    assert_eq!(case_of(&store, writes("dora", "3")).await.known, None);

    // Whom we have met counts as greeted from now on.
    take_in(&store, vec![writes("emil", "4")]).await;
    run(&store, judge(front_desk)).await;
    store.know(vec![(named("emil"), known(5))]).await.unwrap();
    let case = case_of(&store, writes("emil", "5")).await;
    assert_eq!((case.known, case.contact.unwrap().acknowledged_at), (None, Some(at(5))));
}
