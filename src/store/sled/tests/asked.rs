use super::*;

/// Asks for everything, and notes the case.
struct Curious(Mutex<Option<Case>>);

impl Decide for Curious {
    fn decide(&self, case: Case, _: &InboxRow, _: Timestamp) -> Decision {
        *self.0.lock().unwrap() = Some(case);
        Decision::default()
    }

    fn asks(&self, _: &InboxRow) -> Asks {
        Asks { queue: true, block: true, sending: true, people: None }
    }
}

/// The case of a command in this thread, or outside.
async fn asked(store: &SledStore, thread: Option<&str>) -> Case {
    let key = format!("asked-{}", unique());
    let command = Event::Message(Message::text(key.as_str(), "!waiting"));
    store.accept(&shop(), at(1), vec![from_desk(thread, &key, command)], None).await.unwrap();
    let curious = Arc::new(Curious(Mutex::default()));
    run(store, curious.clone()).await;
    let case = curious.0.lock().unwrap().take();
    case.unwrap()
}

/// A customer of this number who has waited since then.
fn waits(number: u64, since: i64) -> Decision {
    let id = ConversationId(number);
    let words = record(number, id, None);
    let conversation =
        Conversation { waiting_since: Some(at(since)), last_words: Some(words.key), ..conversation(number) };
    Decision {
        identity: Some(identity(number, &format!("customer {number}"))),
        contact: Some(contact(number)),
        conversations: vec![conversation],
        messages: vec![words],
        ..Decision::default()
    }
}

#[tokio::test]
async fn the_queue_begins_with_those_who_wait_longest_and_counts_the_rest() {
    let home = Home::new();
    let store = home.open();
    assert_eq!(asked(&store, None).await.queue, Queue::default());
    // The younger the conversation, the longer it waits; and one that waits at another desk.
    for number in 1..=30 {
        write(&store, waits(number, -i64::try_from(number).unwrap())).await;
    }
    let mut elsewhere = waits(31, -99);
    elsewhere.conversations[0].desk = "night".into();
    write(&store, elsewhere).await;
    drop(store);
    let queue = asked(&home.open(), None).await.queue;
    assert_eq!((queue.total, queue.first.len()), (30, Queue::SHOWN));
    let names: Vec<_> = queue.first.iter().map(|waiter| waiter.identity.name.as_str()).collect();
    assert_eq!((names[0], names[1], names[19]), ("customer 30", "customer 29", "customer 11"));
    assert_eq!(queue.first[0].words.as_ref().map(|words| words.key), Some(MessageKey(30)));
}

#[tokio::test]
async fn a_queue_that_is_longer_than_one_piece_is_seen_whole() {
    let home = Home::new();
    let store = home.open();
    for number in 1..=1001 {
        write(&store, waits(number, -i64::try_from(number).unwrap())).await;
    }
    let queue = asked(&store, None).await.queue;
    assert_eq!(queue.total, 1001);
    assert_eq!(queue.first[0].identity.name, "customer 1001");
}

#[tokio::test]
async fn what_was_held_back_comes_with_the_conversation_where_it_was_kept() {
    let home = Home::new();
    let store = home.open();
    let mut old = waits(1, 0);
    let thread = ThreadBinding { conversation: ConversationId(1), desk: desk(), thread: "t".into() };
    let op = RowOp::OpenThread { content: Content::text("card"), reply_to: None };
    old.rows = vec![new_row(Target::Thread(thread.conversation, desk()), op, Some(MessageKey(7)))];
    let row = write(&store, old).await.remove(0).number;
    let sent = Sent { thread: Some("t".into()), ids: vec!["t".into()] };
    store.settle(row, at(1), Outcome::Sent { sent }).await.unwrap();
    assert_eq!(asked(&store, Some("t")).await.latest, None, "it is the latest itself");

    let held = Blocked { at: at(1), by: "Ann".into(), messages: 1, first_at: Some(at(2)), latest: vec![MessageKey(9)] };
    let latest = Conversation { blocked: Some(held), identity: IdentityId(1), ..conversation(2) };
    write(
        &store,
        Decision {
            identity: Some(Identity { conversation: Some(latest.id), ..identity(1, "anna") }),
            conversations: vec![latest.clone()],
            messages: vec![record(9, latest.id, None)],
            ..Decision::default()
        },
    )
    .await;
    let case = asked(&store, Some("t")).await;
    assert_eq!(case.conversation.map(|it| it.id), Some(ConversationId(1)));
    assert_eq!(case.latest, Some(latest));
    assert_eq!(case.held.iter().map(|message| message.key).collect::<Vec<_>>(), [MessageKey(9)]);
    // Nobody else pays for it.
    let usual = case_of(&store, from_desk(Some("t"), "usual", Event::Blocked)).await;
    assert_eq!((usual.latest, usual.held, usual.queue), (None, Vec::new(), Queue::default()));
}

#[tokio::test]
async fn the_hours_that_were_set_are_in_every_case_and_outlive_a_restart() {
    let home = Home::new();
    let store = home.open();
    let set = crate::hours::Override { open: true, from: at(1), until: at(100) };
    let mut hours = HoursSet::default();
    hours.set(SetHours { set, by: "Ann".into(), desk: desk() }, at(1));
    write(&store, Decision { hours: Some(hours.clone()), ..Decision::default() }).await;
    write(&store, Decision::default()).await;
    drop(store);
    let store = home.open();
    assert_eq!(case_of(&store, writes("anna", "1")).await.hours, hours);
    assert_eq!(case_of(&store, from_desk(None, "2", Event::Blocked)).await.hours, hours);
}
