use frontdesk_core::{DeliveryState, OutboxKey};

use super::*;

fn thread_target() -> Target {
    Target::Thread(ConversationId(1), desk())
}

/// Anna has written "1": row 1 opens the thread with the card (message 1), row 2 relays her words (message 2).
async fn anna(home: &Home) -> SledStore {
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    assert_eq!(run(&store, judge(front_desk)).await.rows.len(), 2);
    store
}

async fn sent(store: &SledStore, row: u64, sent: Sent) {
    store.settle(RowNumber(row), at(2), Outcome::Sent { sent }).await.unwrap();
}

async fn open_thread(store: &SledStore, row: u64, thread: &str, card: &str) {
    sent(store, row, Sent { thread: Some(thread.into()), ids: vec![card.into()] }).await;
}

fn says(thread: Option<&str>, key: &str, reply_to: Option<&str>) -> Inbound {
    let message = Message { reply_to: reply_to.map(PlatformId::from), ..Message::text(key, "hello") };
    from_desk(thread, key, Event::Message(message))
}

async fn ticket(store: &SledStore, row: u64) -> Ticket {
    store.ticket(RowNumber(row)).await.unwrap().unwrap()
}

async fn append(store: &SledStore, row: NewRow) -> Row {
    write(store, Decision { rows: vec![row], ..Decision::default() }).await.pop().unwrap()
}

#[tokio::test]
async fn an_opened_thread_is_found_from_both_sides() {
    let home = Home::new();
    let store = anna(&home).await;
    let before = ticket(&store, 2).await;
    assert_eq!(before.address, Address::Desk { desk: desk(), thread: None });
    open_thread(&store, 1, "t1", "card").await;

    let after = ticket(&store, 2).await;
    assert_eq!(after.thread, Some("t1".into()));
    assert_eq!(after.address, Address::Desk { desk: desk(), thread: Some("t1".into()) });
    assert_eq!((after.channel, store.ticket(RowNumber(1)).await.unwrap()), (None, None));
    let in_thread = case_of(&store, says(Some("t1"), "o1", None)).await;
    assert_eq!(in_thread.conversation.unwrap().id, ConversationId(1));
    assert_eq!(in_thread.identity.unwrap().id, IdentityId(1));
    assert_eq!(in_thread.contact.unwrap().id, ContactId(1));
    let by_reply = case_of(&store, says(None, "o2", Some("card"))).await;
    assert_eq!(by_reply.message.unwrap().key, MessageKey(1));
    assert_eq!(by_reply.conversation.unwrap().id, ConversationId(1));
    let gone = from_desk(None, "o3", Event::ThreadGone { thread: "t1".into() });
    assert_eq!(case_of(&store, gone).await.conversation.unwrap().id, ConversationId(1));
}

#[tokio::test]
async fn tickets_name_messages_as_the_target_does() {
    let home = Home::new();
    let store = anna(&home).await;
    sent(&store, 2, Sent { thread: None, ids: vec!["m2a".into(), "m2b".into()] }).await;

    let edit = |target| {
        let op = RowOp::Delete { message: MessageKey(2), piece: 0 };
        new_row(target, op, None)
    };
    let at_desk = append(&store, edit(thread_target())).await;
    assert_eq!(ticket(&store, at_desk.number.0).await.subject, [PlatformId::from("m2a"), "m2b".into()]);

    let at_customer = append(&store, edit(Target::Customer(IdentityId(1)))).await;
    let found = ticket(&store, at_customer.number.0).await;
    assert_eq!(found.subject, [PlatformId::from("1")], "where it was written it has its own name");
    assert_eq!((found.channel, found.address), (Some(shop()), Address::chat("anna")));

    let RowOp::Post { content, style, mentions, .. } = post("answer") else { panic!("a post") };
    let op = RowOp::Post { content, style, mentions, reply_to: Some(MessageKey(2)) };
    let answer = append(&store, new_row(Target::Customer(IdentityId(1)), op, None)).await;
    assert_eq!(ticket(&store, answer.number.0).await.reply_to, Some("1".into()));
    store.moved(IdentityId(1), Address::chat("anna-2")).await.unwrap();
    let found = ticket(&store, answer.number.0).await;
    assert_eq!((found.address, found.reply_to), (Address::chat("anna-2"), None));
}

#[tokio::test]
async fn a_ticket_says_when_a_human_last_answered() {
    let home = Home::new();
    let store = anna(&home).await;
    assert_eq!(ticket(&store, 2).await.human_at, None);
    let answered = Contact { human_at: Some(at(5)), ..contact(1) };
    write(&store, Decision { contact: Some(answered), ..Decision::default() }).await;
    assert_eq!(ticket(&store, 2).await.human_at, Some(at(5)));
}

#[tokio::test]
async fn outcomes_that_somebody_asks_about_enter_the_inbox_once() {
    let home = Home::new();
    let store = anna(&home).await;
    open_thread(&store, 1, "t1", "card").await;
    assert_eq!(look(&store).await, [], "a card that was sent");
    let answer = NewRow {
        purpose: Purpose::Answer,
        conversation: Some(ConversationId(1)),
        ..new_row(Target::Customer(IdentityId(1)), RowOp::Delete { message: MessageKey(2), piece: 0 }, None)
    };
    let answer = append(&store, answer).await;
    let failed = Outcome::Failed { reason: "too long".to_owned() };
    for _ in 0..2 {
        store.settle(RowNumber(2), at(2), failed.clone()).await.unwrap();
    }
    sent(&store, answer.number.0, Sent::default()).await;

    let facts = look(&store).await;
    let settled = facts.iter().filter_map(|(row, case)| match &row.fact {
        Fact::Settled { settled } => Some((settled, row.at, case)),
        Fact::Inbound { .. } | Fact::Due { .. } | Fact::Notice { .. } => None,
    });
    let settled: Vec<_> = settled.collect();
    let [(first, stamp, case), (second, _, other)] = settled.as_slice() else { panic!("{settled:?}") };
    assert_eq!((first.key, *stamp), (OutboxKey { instance: store.instance(), number: 2 }, at(2)));
    assert_eq!((&first.outcome, first.verb, first.message), (&failed, Verb::Post, Some(MessageKey(2))));
    assert_eq!(case.message.as_ref().map(|message| message.key), Some(MessageKey(2)));
    assert_eq!(case.conversation.as_ref().map(|conversation| conversation.id), Some(ConversationId(1)));
    assert_eq!((second.verb, second.message), (Verb::Delete, Some(MessageKey(2))));
    assert_eq!(other.identity.as_ref().map(|identity| identity.id), Some(IdentityId(1)));
}

#[tokio::test]
async fn an_edit_that_was_sent_binds_nothing() {
    let home = Home::new();
    let store = anna(&home).await;
    sent(&store, 2, Sent::one("m2")).await;
    let op = RowOp::Edit { message: MessageKey(2), content: Content::text("new"), style: frontdesk_core::Style::Words };
    let row = append(&store, new_row(thread_target(), op, Some(MessageKey(2)))).await;
    sent(&store, row.number.0, Sent::one("edit-event")).await;
    assert_eq!(case_of(&store, says(None, "o1", Some("edit-event"))).await.message, None);
    assert!(case_of(&store, says(None, "o2", Some("m2"))).await.message.is_some());
}

#[tokio::test]
async fn a_delivery_state_finds_its_message_by_our_key_for_thirty_days() {
    let home = Home::new();
    let store = anna(&home).await;
    sent(&store, 2, Sent::one("m2")).await;
    let status = |key: &str, instance| {
        let key_of_row = OutboxKey { instance, number: 2 };
        from_customer("anna", key, Event::Status { key: Some(key_of_row), id: None, state: DeliveryState::Read })
    };
    let ours = store.instance();
    assert_eq!(case_of(&store, status("s1", ours)).await.message.unwrap().key, MessageKey(2));
    assert_eq!(case_of(&store, status("s2", ours.wrapping_add(1))).await.message, None, "another store's row");
    store.tidy(at(31 * 24 * 3600)).await.unwrap();
    assert_eq!(case_of(&store, status("s3", ours)).await.message, None);
}

#[tokio::test]
async fn a_send_is_unrecorded_until_its_row_is_settled() {
    let home = Home::new();
    let store = anna(&home).await;
    assert!(case_of(&store, says(None, "o1", None)).await.unrecorded);
    assert!(!case_of(&store, writes("anna", "2")).await.unrecorded, "nothing goes to the customer");
    open_thread(&store, 1, "t1", "card").await;
    sent(&store, 2, Sent::one("m2")).await;
    assert!(!case_of(&store, says(None, "o2", None)).await.unrecorded);

    let mut row = append(&store, new_row(Target::Customer(IdentityId(1)), post("answer"), None)).await;
    assert!(case_of(&store, writes("anna", "3")).await.unrecorded);
    row.state = RowState::Held { reason: HoldReason::WindowClosed };
    store.update(row.clone()).await.unwrap();
    assert!(!case_of(&store, writes("anna", "4")).await.unrecorded, "held, and never tried");
    row.attempts = 1;
    store.update(row).await.unwrap();
    assert!(case_of(&store, writes("anna", "5")).await.unrecorded);

    append(&store, new_row(thread_target(), RowOp::Delete { message: MessageKey(2), piece: 0 }, None)).await;
    assert!(!case_of(&store, says(None, "o3", None)).await.unrecorded, "a deletion makes no message");
}

#[tokio::test]
async fn a_row_is_changed_and_folded_only_while_it_is_there() {
    let home = Home::new();
    let store = anna(&home).await;
    let mut rows = store.rows(None, 9).await.unwrap();
    rows[1].attempts = 3;
    store.update(rows[1].clone()).await.unwrap();
    assert_eq!(store.rows(None, 9).await.unwrap(), rows);

    let later =
        append(&store, new_row(thread_target(), RowOp::Delete { message: MessageKey(2), piece: 0 }, None)).await;
    store.fold(rows[1].clone(), vec![later.number]).await.unwrap();
    assert_eq!(store.rows(None, 9).await.unwrap(), rows);

    sent(&store, 2, Sent::one("m2")).await;
    let later =
        append(&store, new_row(thread_target(), RowOp::Delete { message: MessageKey(2), piece: 0 }, None)).await;
    store.update(rows[1].clone()).await.unwrap();
    store.fold(rows[1].clone(), vec![later.number]).await.unwrap();
    assert_eq!(store.rows(None, 9).await.unwrap(), [rows[0].clone(), later]);
}

#[tokio::test]
async fn a_late_row_is_told_once_whatever_copies_of_it_say() {
    let home = Home::new();
    let store = anna(&home).await;
    let copy = store.rows(Some(RowNumber(1)), 1).await.unwrap().remove(0);
    for _ in 0..2 {
        store.delayed(RowNumber(2), at(3), "the desk is not reached".to_owned()).await.unwrap();
        store.update(copy.clone()).await.unwrap();
    }
    let facts = look(&store).await;
    let [(InboxRow { fact: Fact::Settled { settled }, .. }, _)] = facts.as_slice() else { panic!("{facts:?}") };
    assert_eq!(settled.outcome, Outcome::Delayed { reason: "the desk is not reached".to_owned() });
    assert!(ticket(&store, 2).await.row.delay_told);
}

#[tokio::test]
async fn a_thread_that_is_gone_is_opened_again_before_the_row_that_found_it() {
    let home = Home::new();
    let store = anna(&home).await;
    open_thread(&store, 1, "t1", "card").await;
    take_in(&store, vec![writes("anna", "2")]).await;
    run(&store, judge(front_desk)).await;

    let opening = store.reopen_thread(RowNumber(2), at(3)).await.unwrap().unwrap();
    assert_eq!((opening.order, opening.number), (2, RowNumber(4)));
    assert_eq!((opening.what.message, opening.what.purpose), (Some(MessageKey(1)), Purpose::Card));
    let RowOp::OpenThread { content, .. } = &opening.what.op else { panic!("{opening:?}") };
    assert_eq!(content.words(), "Anna waits");
    assert_eq!(ticket(&store, 2).await.thread, None);
    // Asked again, for whatever row of the lane: the same.
    for row in [2, 3] {
        assert_eq!(store.reopen_thread(RowNumber(row), at(4)).await.unwrap().as_ref(), Some(&opening));
    }
    assert_eq!(store.rows(None, 9).await.unwrap().len(), 3);

    open_thread(&store, 4, "t2", "card2").await;
    assert_eq!(ticket(&store, 2).await.thread, Some("t2".into()));
    for thread in ["t1", "t2"] {
        let case = case_of(&store, says(Some(thread), thread, None)).await;
        assert_eq!(case.conversation.unwrap().id, ConversationId(1), "{thread}");
    }
    assert_eq!(store.reopen_thread(RowNumber(2), at(5)).await.unwrap().unwrap().number, RowNumber(5));
    let row = append(&store, new_row(Target::Desk(desk()), post("hint"), None)).await;
    assert_eq!(store.reopen_thread(row.number, at(5)).await.unwrap(), None, "no thread");
    assert_eq!(store.reopen_thread(RowNumber(99), at(5)).await.unwrap(), None, "no row");
}

#[tokio::test]
async fn the_numbers_of_rows_are_never_used_again() {
    let home = Home::new();
    let store = anna(&home).await;
    open_thread(&store, 1, "t1", "card").await;
    sent(&store, 2, Sent::one("m2")).await;
    drop(store);
    let store = home.open();
    assert_eq!(append(&store, new_row(thread_target(), post("more"), None)).await.number, RowNumber(3));
}
