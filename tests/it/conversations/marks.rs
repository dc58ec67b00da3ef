use frontdesk_core::{Content, Event, Message, PlatformId};
use insta::assert_snapshot;

use super::greeted;
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_customers_changes_that_come_before_their_messages_are_applied_to_them() {
    let mut world = greeted().await;
    let edit = Event::Edited { id: "c-order".into(), content: Content::text("Twenty rolls"), notice: false };
    world.does("Anna", edit).await;
    world.does("Anna", Event::Deleted { ids: vec!["c-wrong".into()] }).await;
    world.restart().await;
    world.hours(3).await;
    world.customer_sends(&world.shop, "Anna", Message::text("c-order", "Ten rolls")).await;
    world.customer_sends(&world.shop, "Anna", Message::text("c-wrong", "I love you")).await;
    world.says("Anna", "For Saturday").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: Twenty rolls
        frontdesk: Anna: (deleted by the customer)
        frontdesk: Anna: For Saturday
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Ten rolls
    Anna: I love you
    Anna: For Saturday
    ");
}

/// An operator's message that nobody can read yet.
async fn hidden(world: &World, id: &str) {
    let raw = serde_json::json!({}).into();
    world.at_desk("ann", Some(world.thread("Anna")), Event::Undecryptable { id: id.into(), raw }).await;
}

#[tokio::test(start_paused = true)]
async fn an_operators_changes_of_what_cannot_be_read_yet_are_applied_when_it_can() {
    let world = greeted().await;
    hidden(&world, "o-edited").await;
    hidden(&world, "o-deleted").await;
    let edit = |text: &str| Event::Edited { id: "o-edited".into(), content: Content::text(text), notice: false };
    world.at_desk("ann", None, edit("Yes, until six")).await;
    // Nobody edits the words of others.
    world.at_desk("eve", None, edit("Pay to my account")).await;
    world.at_desk("ann", None, edit("Yes, until seven")).await;
    world.at_desk("ann", None, Event::Deleted { ids: vec!["o-deleted".into()] }).await;
    world.secs(20).await;
    let thread = Some(world.thread("Anna"));
    world.writes("ann", thread.clone(), Message::text("o-edited", "Yes, untl six")).await;
    world.writes("ann", thread.clone(), Message::text("o-deleted", "This was meant for Ben")).await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Yes, until seven
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        notice: frontdesk: A message of yours could not be decrypted and was not sent. If it does not go out within a minute, please write it again. (to @ann:example.org)
        notice: frontdesk: A message of yours could not be decrypted and was not sent. If it does not go out within a minute, please write it again. (to @ann:example.org)
        ann: Yes, untl six
        ann: This was meant for Ben
    ");
}

#[tokio::test(start_paused = true)]
async fn what_becomes_readable_too_late_is_not_sent_because_it_was_edited() {
    let world = greeted().await;
    hidden(&world, "o-1").await;
    world.secs(300).await;
    let edit = Event::Edited { id: PlatformId::from("o-1"), content: Content::text("Yes, until six"), notice: false };
    world.at_desk("ann", None, edit).await;
    world.writes("ann", Some(world.thread("Anna")), Message::text("o-1", "Yes, untl six")).await;
    assert!(!world.chat("Anna").contains("until six"), "{}", world.chat("Anna"));
    assert!(world.room().contains("can be read only now and was not sent"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn a_note_that_is_edited_before_it_can_be_read_is_not_sent() {
    let world = greeted().await;
    hidden(&world, "o-note").await;
    let edit = Event::Edited { id: "o-note".into(), content: Content::text("he never pays"), notice: false };
    world.at_desk("ann", None, edit).await;
    world.secs(20).await;
    world.writes("ann", Some(world.thread("Anna")), Message::text("o-note", "!note he never pays")).await;
    world.secs(60).await;
    assert!(!world.chat("Anna").contains("pays"), "{}", world.chat("Anna"));
    assert!(world.room().contains("That edit sends nothing"), "{}", world.room());
}
