use frontdesk_core::{Address, Event, Message, SendError};
use insta::assert_snapshot;

use super::greeted;
use crate::fake::Fault;

#[tokio::test(start_paused = true)]
async fn a_chat_whose_id_migrates_is_followed_in_order_and_what_cannot_follow_is_told() {
    let world = greeted().await;
    let old = world.answers("ann", "Anna", "We open at nin").await;
    world.shop.fail_next_to("Anna", Fault::Before(SendError::Moved(Address::chat("-1001"))));
    world.answers("ann", "Anna", "One").await;
    world.answers("ann", "Anna", "Two").await;
    world.secs(10).await;
    // Its messages have no names under the new id.
    world.edits("ann", &old, "We open at nine").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: We open at nin
    ");
    assert_snapshot!(world.chat("-1001"), @"
    frontdesk: One
    frontdesk: Two
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: We open at nine (edited)
        ann: One
        ann: Two
        notice: frontdesk: The change did not reach the customer: the message itself cannot be found there. (to @ann:example.org)
    ");
    // What she writes there belongs to the same conversation.
    let mut there = world.customer(&world.shop, "Anna", Event::Message(Message::text("c-there", "Thanks")));
    there.at = Address::chat("-1001");
    world.shop.arrives(there);
    world.settle().await;
    world.answers("ann", "Anna", "You are welcome").await;
    assert!(world.chat("-1001").contains("frontdesk: You are welcome"), "{}", world.chat("-1001"));
    assert!(world.room().contains("frontdesk: Anna: Thanks"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_says_that_it_moves_is_written_to_at_its_new_place() {
    let world = greeted().await;
    let moved = Event::ChatMoved { from: Address::chat("Anna"), to: Address::chat("-1001") };
    world.does("Anna", moved).await;
    world.answers("ann", "Anna", "Hi").await;
    assert_snapshot!(world.chat("-1001"), @"frontdesk: Hi");
    assert_eq!(world.chat("Anna").matches("frontdesk: Hi\n").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_person_under_a_new_id_is_the_same_customer() {
    let world = greeted().await;
    world.does("Anna", Event::IdentityMoved { from: "Anna".into(), to: "Anna-2".into() }).await;
    let mut again = world.customer(&world.shop, "Anna", Event::Message(Message::text("c-new", "It is me")));
    again.from.id = "Anna-2".into();
    world.shop.arrives(again);
    world.secs(60).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: It is me
    ");
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1, "she is no stranger");
}
