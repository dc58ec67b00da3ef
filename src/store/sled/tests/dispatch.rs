use super::*;

fn keys(facts: &[(InboxRow, Case)]) -> Vec<String> {
    let key = |row: &InboxRow| match &row.fact {
        Fact::Inbound { inbound, .. } => inbound.key.to_string(),
        Fact::Settled { settled } => format!("settled {}", settled.key.number),
        Fact::Due { timer } => format!("due {}", timer.id),
        Fact::Notice { desk, .. } => format!("notice to {desk}"),
    };
    facts.iter().map(|(row, _)| key(row)).collect()
}

/// Judges as `look` does, but parks what `park` says.
async fn look_and_park(store: &SledStore, park: &'static [&'static str]) -> (Vec<String>, Dispatched) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let decide = judge(move |case, row| {
        notes.lock().unwrap().push((row.clone(), case));
        let Fact::Inbound { inbound, .. } = &row.fact else { return Decision::default() };
        Decision { park: park.contains(&inbound.key.as_str()), ..Decision::default() }
    });
    let done = run(store, decide).await;
    let seen = keys(&seen.lock().unwrap());
    (seen, done)
}

fn timer(id: u64, due: i64) -> Timer {
    Timer { id: TimerId(id), due: at(due), kind: TimerKind::Idle, conversation: ConversationId(1) }
}

#[tokio::test]
async fn facts_of_one_call_see_each_other() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "1"), writes("anna", "2"), writes("ben", "3")]).await;
    let done = run(&store, judge(front_desk)).await;
    assert_eq!((done.handled, done.more, done.parked), (3, false, 0));
    let targets: Vec<_> = done.rows.iter().map(|row| (row.number.0, row.order, row.what.target.clone())).collect();
    let thread = |id| Target::Thread(ConversationId(id), desk());
    assert_eq!(
        targets,
        [(1, 1, thread(1)), (2, 2, thread(1)), (3, 3, thread(1)), (4, 4, thread(2)), (5, 5, thread(2))]
    );
    assert_eq!(store.rows(None, 10).await.unwrap(), done.rows);
    assert_eq!(store.rows(Some(RowNumber(2)), 2).await.unwrap(), done.rows[2..4]);
    assert_eq!(run(&store, judge(front_desk)).await, Dispatched::default());
}

#[tokio::test]
async fn no_more_than_the_limit_are_taken() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, (0..5).map(|n| writes("anna", &n.to_string())).collect()).await;
    let done = store.dispatch(at(1), true, 2, judge(front_desk)).await.unwrap();
    assert_eq!((done.handled, done.more), (2, true));
    let done = store.dispatch(at(1), true, 3, judge(front_desk)).await.unwrap();
    assert_eq!((done.handled, done.more), (3, false));
}

#[tokio::test]
async fn what_is_parked_keeps_back_its_own_chat_and_nobody_else() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "a1"), writes("anna", "a2"), writes("ben", "b1")]).await;
    let (seen, done) = look_and_park(&store, &["a1"]).await;
    assert_eq!(seen, ["a1", "b1"]);
    assert_eq!((done.handled, done.parked, done.more), (1, 2, false));

    take_in(&store, vec![writes("anna", "a3"), writes("ben", "b2")]).await;
    let (seen, done) = look_and_park(&store, &["a1"]).await;
    assert_eq!(seen, ["a1", "b2"]);
    assert_eq!(done.parked, 3);
    drop(store);

    let store = home.open();
    let facts = look(&store).await;
    assert_eq!(keys(&facts), ["a1", "a2", "a3"]);
    assert!(facts.iter().all(|(row, _)| row.parked_since == Some(at(1)) && row.at == at(0)));
    assert_eq!(run(&store, judge(front_desk)).await.parked, 0);
}

#[tokio::test]
async fn a_thread_and_the_room_around_it_do_not_keep_each_other_back() {
    let home = Home::new();
    let store = home.open();
    let says = |thread, key: &str| from_desk(thread, key, Event::Message(Message::text(key, "hello")));
    take_in(&store, vec![says(None, "room"), says(Some("t"), "t1"), says(Some("t"), "t2")]).await;
    assert_eq!(look_and_park(&store, &["room"]).await.0, ["room", "t1", "t2"]);
    take_in(&store, vec![says(Some("t"), "t3"), says(None, "room2")]).await;
    assert_eq!(look_and_park(&store, &["room", "t3"]).await.0, ["room", "t3"]);
}

#[tokio::test]
async fn a_parked_fact_does_not_use_up_the_limit() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "a1")]).await;
    look_and_park(&store, &["a1"]).await;
    take_in(&store, vec![writes("ben", "b1")]).await;
    let park = judge(|case, row| Decision { park: row.parked_since.is_some(), ..front_desk(case, row) });
    let done = store.dispatch(at(1), true, 1, park).await.unwrap();
    assert_eq!((done.handled, done.parked), (1, 1));
}

#[tokio::test]
async fn of_a_parked_decision_nothing_is_written() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    let done = run(&store, judge(|case, row| Decision { park: true, ..front_desk(case, row) })).await;
    assert_eq!((done.rows, store.rows(None, 9).await.unwrap()), (Vec::new(), Vec::new()));
    assert_eq!(look(&store).await[0].1.ids, Ids::default());
}

#[tokio::test]
async fn timers_speak_in_order_when_due_and_only_after_the_inbox() {
    let home = Home::new();
    let store = home.open();
    let timers = vec![timer(1, 30), timer(2, 10), timer(3, 20)];
    write(&store, Decision { timers, ..Decision::default() }).await;
    take_in(&store, vec![writes("anna", "1"), writes("anna", "2")]).await;

    let quiet = || judge(|_, _| Decision::default());
    let done = store.dispatch(at(25), true, 1, quiet()).await.unwrap();
    assert_eq!((done.handled, done.more, done.next_timer), (1, true, Some(at(10))));
    let done = store.dispatch(at(25), false, 64, quiet()).await.unwrap();
    assert_eq!((done.handled, done.more, done.next_timer), (1, false, Some(at(10))));

    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let note = judge(move |case, row| {
        notes.lock().unwrap().push((row.clone(), case));
        Decision::default()
    });
    let done = store.dispatch(at(25), true, 64, note).await.unwrap();
    assert_eq!(keys(&seen.lock().unwrap()), ["due 2", "due 3"]);
    assert_eq!((done.handled, done.next_timer), (2, Some(at(30))));
}

#[tokio::test]
async fn a_judge_that_panics_changes_nothing_and_the_store_goes_on() {
    let home = Home::new();
    let store = Arc::new(home.open());
    take_in(&store, vec![writes("anna", "1"), writes("anna", "2")]).await;
    let task = {
        let store = Arc::clone(&store);
        let decide = judge(|case, row| if row.seq.0 == 2 { panic!("on purpose") } else { front_desk(case, row) });
        tokio::spawn(async move { store.dispatch(at(1), true, 64, decide).await })
    };
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(run(&store, judge(front_desk)).await.handled, 2);
}

#[tokio::test]
async fn a_customer_is_known_by_id_alias_and_former_id() {
    let home = Home::new();
    let store = home.open();
    let mut first = writes("anna", "1");
    first.from.aliases = vec!["+49 1".to_owned()];
    take_in(&store, vec![first]).await;
    run(&store, judge(front_desk)).await;

    let mut by_alias = writes("+49 1", "2");
    by_alias.at = Address::chat("anna");
    let case = case_of(&store, by_alias).await;
    assert_eq!(case.identity.as_ref().map(|identity| identity.id), Some(IdentityId(1)));
    assert_eq!(case.contact.map(|contact| contact.id), Some(ContactId(1)));
    assert_eq!(case.conversation.map(|conversation| conversation.id), Some(ConversationId(1)));

    let renamed = Identity { user: "anna2".into(), ..case.identity.unwrap() };
    write(&store, Decision { identity: Some(renamed), ..Decision::default() }).await;
    for who in ["anna", "anna2"] {
        let case = case_of(&store, writes(who, &format!("by {who}"))).await;
        assert_eq!(case.identity.map(|identity| identity.id), Some(IdentityId(1)), "{who}");
    }
    let moved = Event::IdentityMoved { from: "anna".into(), to: "anna3".into() };
    let case = case_of(&store, from_customer("anna3", "moved", moved)).await;
    assert_eq!(case.identity.map(|identity| identity.id), Some(IdentityId(1)));
    assert_eq!(case_of(&store, writes("ben", "4")).await.identity, None);
}

#[tokio::test]
async fn a_case_holds_the_message_that_an_event_names() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    run(&store, judge(front_desk)).await;
    let reply = Message { reply_to: Some("1".into()), ..Message::text("2", "and?") };
    let events = [
        Event::Message(reply),
        Event::Edited { id: "1".into(), content: Content::text("new"), notice: false },
        Event::Deleted { ids: vec!["1".into(), "9".into()] },
        Event::Reaction { id: "1".into(), emoji: None },
        Event::Status { key: None, id: Some("1".into()), state: frontdesk_core::DeliveryState::Read },
    ];
    for (n, event) in events.into_iter().enumerate() {
        let case = case_of(&store, from_customer("anna", &format!("e{n}"), event)).await;
        assert_eq!(case.message.map(|message| message.key), Some(MessageKey(2)), "event {n}");
    }
    // The same id in another chat is another message.
    let other = from_customer("ben", "x", Event::Deleted { ids: vec!["1".into()] });
    assert_eq!(case_of(&store, other).await.message, None);
}

#[tokio::test]
async fn a_mark_waits_thirty_days_for_its_message_and_is_used_up_by_it() {
    let home = Home::new();
    let store = home.open();
    let mark = Mark::new(at(0), ChangeKind::Deleted);
    for id in ["1", "2"] {
        write(&store, Decision { mark: Some((chat_ref("anna", id), mark.clone())), ..Decision::default() }).await;
    }
    take_in(&store, vec![writes("anna", "1")]).await;
    let case = Arc::new(Mutex::new(None));
    let note = Arc::clone(&case);
    let decide = judge(move |case, row| {
        *note.lock().unwrap() = case.mark.clone();
        front_desk(case, row)
    });
    run(&store, decide).await;
    assert_eq!(case.lock().unwrap().take(), Some(mark.clone()));
    let mut again = writes("anna", "1");
    again.key = "again".into();
    assert_eq!(case_of(&store, again).await.mark, None, "used up");

    store.tidy(at(30 * 86400 - 60)).await.unwrap();
    assert_eq!(case_of(&store, writes("anna", "2")).await.mark, Some(mark));
    store.tidy(at(30 * 86400 + 60)).await.unwrap();
    let mut again = writes("anna", "2");
    again.key = "again2".into();
    assert_eq!(case_of(&store, again).await.mark, None, "past its time");
}

#[tokio::test]
async fn a_case_holds_the_newest_eight_of_the_ledger_and_what_was_not_delivered() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    run(&store, judge(front_desk)).await;
    let entry = |n| LedgerEntry {
        contact: ContactId(1),
        conversation: None,
        at: at(n),
        kind: crate::notices::Kind::AfterHours,
        verdict: Verdict::Said,
    };
    for batch in [0..4, 4..10] {
        let ledger = batch.map(entry).collect();
        let conversation = Conversation {
            undelivered: [2, 99].map(|key| Undelivered { message: MessageKey(key), piece: None }).to_vec(),
            ..conversation(1)
        };
        write(&store, Decision { ledger, conversations: vec![conversation], ..Decision::default() }).await;
    }
    let case = case_of(&store, writes("anna", "2")).await;
    assert_eq!(case.ledger, (2..10).rev().map(entry).collect::<Vec<_>>());
    let undelivered: Vec<_> = case.undelivered.iter().map(|message| message.key).collect();
    assert_eq!(undelivered, [MessageKey(2)]);
}

#[tokio::test]
async fn those_who_wait_are_counted_at_their_desk_up_to_twenty() {
    let home = Home::new();
    let store = home.open();
    let conversations = |conversations: Vec<Conversation>| Decision { conversations, ..Decision::default() };
    write(&store, conversations((1..=25).map(conversation).collect())).await;
    let says = |key: &str| from_desk(None, key, Event::Message(Message::text(key, "hello")));
    assert_eq!(case_of(&store, says("1")).await.waiting, 20);

    let closed = ConversationState::Closed { at: at(1), by: None };
    let quiet = (1..=8).map(|id| Conversation { waiting_since: None, ..conversation(id) });
    let closed = (9..=16).map(|id| Conversation { state: closed.clone(), ..conversation(id) });
    let elsewhere = (17..=20).map(|id| Conversation { desk: "other".into(), ..conversation(id) });
    write(&store, conversations(quiet.chain(closed).chain(elsewhere).collect())).await;
    assert_eq!(case_of(&store, says("2")).await.waiting, 5);
}

#[tokio::test]
async fn a_hint_is_remembered_for_its_operator() {
    let home = Home::new();
    let store = home.open();
    write(&store, Decision { hinted: Some((desk(), "@ann:example.org".into())), ..Decision::default() }).await;
    let says = |key: &str| from_desk(None, key, Event::Message(Message::text(key, "hello")));
    assert_eq!(case_of(&store, says("1")).await.hinted_at, Some(at(1)));
    let mut other = says("2");
    other.from.id = "@bob:example.org".into();
    assert_eq!(case_of(&store, other).await.hinted_at, None);
}

#[tokio::test]
async fn counters_never_go_back() {
    let home = Home::new();
    let store = home.open();
    let ids = Ids { message: MessageKey(7), ..Ids::default() };
    write(&store, Decision { ids, ..Decision::default() }).await;
    write(&store, Decision::default()).await;
    assert_eq!(case_of(&store, writes("anna", "1")).await.ids, ids);
}
