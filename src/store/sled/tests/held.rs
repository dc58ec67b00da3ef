//! Rows that wait until the customer writes, and whom a name belongs to.

use frontdesk_core::{DeliveryState, OutboxKey};

use super::*;

/// Anna has written "1" and was heard then; row 3 is an answer to her.
async fn answered(home: &Home) -> SledStore {
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    run(&store, judge(front_desk)).await;
    let heard = Identity { heard_at: Some(at(0)), ..identity(1, "anna") };
    let answer = NewRow {
        purpose: Purpose::Answer,
        conversation: Some(ConversationId(1)),
        ..new_row(Target::Customer(IdentityId(1)), post("answer"), Some(MessageKey(2)))
    };
    write(&store, Decision { identity: Some(heard), rows: vec![answer], ..Decision::default() }).await;
    store
}

async fn state(store: &SledStore) -> Option<RowState> {
    store.ticket(RowNumber(3)).await.unwrap().map(|ticket| ticket.row.state)
}

const HELD: RowState = RowState::Held { reason: HoldReason::WindowClosed };

#[tokio::test]
async fn what_is_held_closes_the_window_and_enters_the_inbox() {
    let home = Home::new();
    let store = answered(&home).await;
    assert_eq!(store.hold(RowNumber(3), at(2), Some(at(0))).await.unwrap(), Some(true));
    assert_eq!(state(&store).await, Some(HELD));
    assert_eq!(store.ticket(RowNumber(3)).await.unwrap().unwrap().heard_at, None);
    let facts = look(&store).await;
    let [(InboxRow { fact: Fact::Settled { settled }, .. }, _)] = facts.as_slice() else { panic!("{facts:?}") };
    assert_eq!(settled.outcome, Outcome::Held { reason: HoldReason::WindowClosed });
    drop(store);
    let store = home.open();
    assert_eq!(state(&store).await, Some(HELD));
    assert!(store.release(RowNumber(3)).await.unwrap());
    assert_eq!(state(&store).await, Some(RowState::Queued));
    assert!(!store.release(RowNumber(3)).await.unwrap(), "it is not held any more");
    assert_eq!(store.hold(RowNumber(9), at(2), None).await.unwrap(), None, "there is no such row");
}

#[tokio::test]
async fn what_is_about_to_be_held_is_not_when_they_have_just_written() {
    let home = Home::new();
    let store = answered(&home).await;
    assert_eq!(store.hold(RowNumber(3), at(2), Some(at(-9))).await.unwrap(), Some(false));
    assert_eq!(state(&store).await, Some(RowState::Queued));
    assert_eq!(store.ticket(RowNumber(3)).await.unwrap().unwrap().heard_at, Some(at(0)));
    assert!(look(&store).await.is_empty());
}

#[tokio::test]
async fn only_what_waits_is_taken_back() {
    let home = Home::new();
    let store = answered(&home).await;
    let back = || Decision { take_back: Some(ConversationId(1)), ..Decision::default() };
    write(&store, back()).await;
    assert_eq!(state(&store).await, Some(RowState::Queued), "it may be being sent");
    store.hold(RowNumber(3), at(2), Some(at(0))).await.unwrap();
    look(&store).await;
    take_in(&store, vec![from_customer("nobody", "back", Event::Blocked)]).await;
    let done = run(&store, judge(move |_, _| back())).await;
    assert_eq!(done.woken, [Target::Customer(IdentityId(1))]);
    assert_eq!((done.ended.len(), &done.ended[0].1), (1, &Outcome::TakenBack));
    assert_eq!(state(&store).await, None);
}

#[tokio::test]
async fn what_had_waited_is_taken_back_until_it_is_being_sent() {
    let home = Home::new();
    let store = answered(&home).await;
    let back = || Decision { take_back: Some(ConversationId(1)), ..Decision::default() };
    let waited = Conversation { held: vec![MessageKey(2)], ..conversation(1) };
    write(&store, Decision { conversations: vec![waited], ..Decision::default() }).await;
    let row = store.ticket(RowNumber(3)).await.unwrap().unwrap().row;
    let sending = Row { state: RowState::InFlight, ..row.clone() };
    assert!(store.update(sending.clone()).await.unwrap());
    write(&store, back()).await;
    assert_eq!(state(&store).await, Some(RowState::InFlight));
    assert!(store.update(row).await.unwrap());
    write(&store, back()).await;
    assert_eq!(state(&store).await, None);
    assert!(!store.update(sending).await.unwrap(), "whoever is about to send it learns that it is gone");
}

#[tokio::test]
async fn a_report_finds_its_message_before_and_after_the_row_has_ended() {
    let home = Home::new();
    let store = answered(&home).await;
    let key = Some(OutboxKey { instance: store.instance(), number: 3 });
    let report = |name: &str| {
        from_customer("anna", name, Event::Status { key, id: Some("w".into()), state: DeliveryState::Sent })
    };
    let case = case_of(&store, report("s1")).await;
    assert_eq!((case.message.unwrap().key, case.row.unwrap().number), (MessageKey(2), RowNumber(3)));
    store.settle(RowNumber(3), at(2), Outcome::Uncertain { reason: "no answer".into() }).await.unwrap();
    look(&store).await;
    let case = case_of(&store, report("s2")).await;
    assert_eq!((case.message.unwrap().key, case.row), (MessageKey(2), None));
}

#[tokio::test]
async fn a_report_of_a_failure_tells_whether_our_own_outcome_comes_after_it() {
    let home = Home::new();
    let store = answered(&home).await;
    let key = Some(OutboxKey { instance: store.instance(), number: 3 });
    let report = |name: &str, state: DeliveryState| {
        from_customer("anna", name, Event::Status { key, id: Some("w".into()), state })
    };
    let bounced = || DeliveryState::WindowClosed;
    assert!(!case_of(&store, report("s1", bounced())).await.outcome_follows, "the row is there");
    let failed = DeliveryState::Failed { reason: "no".into() };
    take_in(&store, vec![report("s2", bounced()), report("s3", failed), report("s4", DeliveryState::Read)]).await;
    store.settle(RowNumber(3), at(2), Outcome::Sent { sent: Sent::one("w") }).await.unwrap();
    let follows: Vec<_> = look(&store).await.iter().map(|(_, case)| case.outcome_follows).collect();
    assert_eq!(follows, [true, true, false, false]);
    assert!(!case_of(&store, report("s5", bounced())).await.outcome_follows, "it was judged");
}

#[tokio::test]
async fn a_number_belongs_to_whoever_has_it_now() {
    let home = Home::new();
    let store = answered(&home).await;
    let with_number = |who: &str, key: &str| {
        let mut inbound = writes(who, key);
        inbound.from.aliases = vec!["+49301".into(), "49301".into()];
        inbound
    };
    // Anna is known under an id of her own: who has her number under another id is somebody else.
    take_in(&store, vec![with_number("anna", "2")]).await;
    run(&store, judge(front_desk)).await;
    assert_eq!(case_of(&store, writes("49301", "3")).await.identity.unwrap().id, IdentityId(1));
    assert_eq!(case_of(&store, with_number("ben", "4")).await.identity, None);
    let mut moved = with_number("ben", "5");
    moved.event = Event::IdentityMoved { from: "anna".into(), to: "ben".into() };
    assert_eq!(case_of(&store, moved).await.identity.unwrap().id, IdentityId(1), "unless the platform says so");
}
