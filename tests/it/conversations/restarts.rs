use std::time::Duration;

use frontdesk_core::{Event, Message, SendError};
use insta::assert_snapshot;

use crate::{fake::Fault, world::World};

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

#[tokio::test(start_paused = true)]
async fn after_a_kill_everything_goes_on_where_it_was() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.kill().await;
    // Both sides write while it is down; the platforms keep it.
    let message = Message::text("c-down", "Are you there?");
    world.shop.arrives(world.customer(&world.shop, "Anna", Event::Message(message)));
    let thread = world.thread("Anna");
    world.desk.arrives(frontdesk_core::Inbound {
        key: "o-down".into(),
        side: frontdesk_core::Side::Desk { desk: "main".into(), thread: Some(thread.clone()) },
        from: frontdesk_core::Person::human("@ann:example.org", "ann"),
        at: frontdesk_core::Address::Desk { desk: "main".into(), thread: Some(thread) },
        sent_at: None,
        event: Event::Message(Message::text("o-down", "Yes")),
    });
    world.start().await;
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Yes
    ");
    assert_eq!(world.room().matches("Anna: Hello").count(), 1);
    assert_eq!(world.room().matches("Anna: Are you there?").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_delivery_is_seen_once() {
    let mut world = World::at(MONDAY).await;
    let event = world.customer(&world.shop, "Anna", Event::Message(Message::text("c-1", "Hello")));
    for _ in 0..3 {
        world.shop.arrives(event.clone());
        world.restart().await;
    }
    assert_eq!(world.room().matches("Anna: Hello").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_is_due_after_a_restart_too_but_not_when_it_is_late() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.kill().await;
    world.secs(60).await;
    world.start().await;
    world.secs(5).await;
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1);

    world.says("Ben", "Hello").await;
    world.kill().await;
    world.hours(2).await;
    world.start().await;
    world.secs(120).await;
    assert!(!world.chat("Ben").contains("frontdesk"));
}

#[tokio::test(start_paused = true)]
async fn a_send_that_a_kill_interrupted_is_put_before_the_operator() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    world.shop.fail_next(Fault::Silence);
    world.answers("ann", "Anna", "Rye is ready.").await;
    world.restart().await;
    world.secs(10).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Rye is ready. {⚠️}
        notice: frontdesk: Perhaps not delivered: the program was stopped in the middle of sending. If the customer does not react, !retry sends it again; it may then reach them twice. (to @ann:example.org)
    ");
    world.answers("ann", "Anna", "!retry").await;
    assert_eq!(world.chat("Anna").matches("frontdesk: Rye is ready.").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn patience_outlives_a_restart() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(300), bucket: None }));
    world.answers("ann", "Anna", "Hi").await;
    world.restart().await;
    world.secs(60).await;
    assert!(!world.chat("Anna").contains("frontdesk"));
    world.secs(300).await;
    assert_eq!(world.chat("Anna").matches("frontdesk: Hi").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_is_faster_than_our_record_of_the_card_is_heard() {
    let world = World::at(MONDAY).await;
    // The card is there, but its answer is lost: its name becomes known only when the send is repeated.
    world.desk.fail_next(Fault::AnswerLost);
    let message = Message::text("c-1", "Hello");
    world.shop.arrives(world.customer(&world.shop, "Anna", Event::Message(message)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.answers("ann", "Anna", "I am fast").await;
    world.secs(30).await;
    assert_eq!(world.chat("Anna"), "frontdesk: I am fast\n");
}
