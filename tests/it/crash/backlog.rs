//! Much at once: a backlog, a crowd of strangers, and what was written while the program was down.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Customer, Run, Traffic, report};
use crate::program::Shop;

/// A thousand messages at the pace of a test's homeserver, on a machine that is busy otherwise.
const PATIENCE: Duration = Duration::from_secs(900);
const SOON: Duration = Duration::from_millis(5);
const NOW_AND_THEN: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_thousand_messages_of_fifty_chats_arrive_in_order_though_it_is_killed_in_the_middle() {
    let shop = Shop::new().await;
    let customers = Customer::several(1..51);
    let traffic = Traffic::new(&shop, &customers);
    // Let it make its room: what is measured here is the backlog.
    Run::ready(&shop).await.kill();
    for _ in 0..20 {
        customers.iter().for_each(|customer| traffic.asks(customer));
    }
    let waiting = shop.telegram.unconfirmed().len();
    assert_eq!(waiting, 1000);

    let run = Run::start(&shop);
    until("the inbox is half full", SOON, || shop.telegram.unconfirmed().len() <= 700).await;
    let left = shop.telegram.unconfirmed().len();
    run.kill();
    assert!(left > 0, "it was too quick to be caught in the middle");
    let run = Run::start(&shop);
    traffic.room().await;
    until("a third has gone out", NOW_AND_THEN, || traffic.count().delivered >= 333).await;
    let out = traffic.count().delivered;
    run.kill();
    let run = Run::start(&shop);
    let began = Instant::now();
    let count = traffic.accounts(PATIENCE).await;
    report(&format!("backlog, killed with {left} unread and again with {out} sent"), &count);
    println!("crash backlog: the rest took {:?}", began.elapsed());
    assert_eq!((count.questions, count.threads), (1000, 50));
    run.kill();
}

#[tokio::test]
async fn fifty_new_customers_in_the_same_second_get_a_thread_and_an_acknowledgement_each() {
    let shop = Shop::new().await;
    let run = Run::ready(&shop).await;
    let calm = Traffic::new(&shop, &Customer::several(1..51));
    calm.customers().iter().for_each(|customer| calm.asks(customer));
    let count = calm.settled_with(PATIENCE, |count| count.acknowledged == 50).await;
    count.assert_right();
    report("crowd of 50", &count);
    assert_eq!((count.threads, count.delivered, count.acknowledged), (50, 50, 50), "{count}");

    let stormy = Traffic::new(&shop, &Customer::several(51..101));
    stormy.customers().iter().for_each(|customer| stormy.asks(customer));
    stormy.room().await;
    until("some threads are open", NOW_AND_THEN, || stormy.count().threads >= 10).await;
    run.kill();
    let run = Run::start(&shop);
    until("some are acknowledged", NOW_AND_THEN, || stormy.count().acknowledged >= 10).await;
    run.kill();
    let run = Run::start(&shop);
    stormy.settled_with(PATIENCE, |count| count.acknowledged >= 45).await;
    let count = stormy.accounts(PATIENCE).await;
    report("crowd of 50, killed while threads are opened and while they are acknowledged", &count);
    assert_eq!((count.threads, count.delivered, count.acknowledged + count.silent.len()), (50, 50, 50), "{count}");
    run.kill();
}

#[tokio::test]
async fn what_both_sides_write_while_it_is_down_arrives_in_order() {
    let shop = Shop::new().await;
    let traffic = Traffic::new(&shop, &Customer::several(1..7));
    let run = Run::ready(&shop).await;
    let customers = traffic.customers();
    for customer in &customers {
        traffic.asks(customer);
        traffic.answers(customer).await;
    }
    run.kill();
    // More than one answer of the homeserver holds: the rest has to be fetched backwards.
    for _ in 0..25 {
        for customer in &customers {
            traffic.asks(customer);
            traffic.answers(customer).await;
        }
    }
    let run = Run::start(&shop);
    until("some answers have gone out", NOW_AND_THEN, || shop.telegram.calls_of("sendMessage").len() >= 20).await;
    run.kill();
    let run = Run::start(&shop);
    let count = traffic.accounts(PATIENCE).await;
    report("written while down, and killed while catching up", &count);
    assert_eq!((count.questions, count.answers), (156, 156));
    run.kill();
}

async fn until(what: &str, every: Duration, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(every).await;
    }
}
