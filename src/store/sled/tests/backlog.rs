//! What waits, what ended, and what the program itself has to say.

use super::*;

#[tokio::test]
async fn what_waits_is_counted_with_its_age() {
    let home = Home::new();
    let store = home.open();
    assert_eq!(store.backlog().await.unwrap(), Backlog::default());
    take_in(&store, vec![writes("anna", "1"), writes("ben", "2")]).await;
    run(&store, judge(front_desk)).await;
    take_in(&store, vec![writes("cleo", "3")]).await;
    let expected = Backlog { inbox: 1, parked: 0, oldest_row: Some(at(1)), waiting: 2, waiting_since: Some(at(0)) };
    assert_eq!(store.backlog().await.unwrap(), expected);
}

#[tokio::test]
async fn a_row_that_ends_is_named_once() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    run(&store, judge(front_desk)).await;
    let answer = new_row(Target::Customer(IdentityId(1)), post("Hello"), None);
    let rows = write(&store, Decision { rows: vec![answer], ..Decision::default() }).await;
    let ended = store.settle(rows[0].number, at(2), Outcome::Expired).await.unwrap().unwrap();
    assert_eq!((ended.channel, ended.target, ended.written_at), (Some(shop()), rows[0].what.target.clone(), at(1)));
    assert_eq!(store.settle(rows[0].number, at(2), Outcome::Expired).await.unwrap(), None);
}

#[tokio::test]
async fn a_notice_is_a_fact_that_outlives_a_restart() {
    let home = Home::new();
    let store = home.open();
    store.notice(at(0), &desk(), "The config has a mistake.".into()).await.unwrap();
    drop(store);
    let facts = look(&home.open()).await;
    let [(InboxRow { fact, .. }, case)] = facts.as_slice() else { panic!("{facts:?}") };
    assert_eq!(*fact, Fact::Notice { desk: desk(), text: "The config has a mistake.".into() });
    assert_eq!((&case.conversation, &case.identity), (&None, &None));
}
