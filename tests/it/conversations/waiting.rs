use std::time::Duration;

use frontdesk_core::{Event, Message};
use insta::assert_snapshot;

use crate::world::World;

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

async fn asks(world: &World) -> String {
    let before = world.desk.posts().len();
    world.writes("ann", None, Message::text(world.desk.next("o"), "!waiting")).await;
    let said = world.desk.posts().split_off(before + 1);
    said.iter().map(|post| post.text.clone()).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_longest_come_first() {
    let mut world = World::at(MONDAY).await;
    assert_eq!(asks(&world).await, "Nobody waits for an answer.");
    world.says("Anna", "Do you have rye bread?").await;
    world.secs(60).await;
    world.says("Ben", "Is my cake ready?").await;
    world.secs(60).await;
    world.says_on(&world.other, "Cleo", "Hello\nis somebody there?").await;
    assert_snapshot!(asks(&world).await, @"
    3 customers wait for an answer, longest first:
    Anna · telegram.shop · since Mon 23 Nov, 10:00: Do you have rye bread?
    Ben · telegram.shop · since Mon 23 Nov, 10:01: Is my cake ready?
    Cleo · whatsapp.shop · since Mon 23 Nov, 10:02: Hello is somebody there?
    ");
    // Who was answered waits from their next message on, and what they said last is what is shown.
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.secs(60).await;
    world.says("Anna", "And plum cake?").await;
    world.says("Ben", "Hello?").await;
    world.answers("ann", "Cleo", "!close").await;
    world.restart().await;
    assert_snapshot!(asks(&world).await, @"
    2 customers wait for an answer, longest first:
    Ben · telegram.shop · since Mon 23 Nov, 10:01: Hello?
    Anna · telegram.shop · since Mon 23 Nov, 10:03: And plum cake?
    ");
    world.answers("ann", "Ben", "Yes").await;
    world.answers("ann", "Anna", "!waiting").await;
    assert_snapshot!(world.room(), @"
    ann: !waiting
    notice: frontdesk: Nobody waits for an answer.
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:03
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes, until six.
        frontdesk: Anna: And plum cake?
        ann: !waiting
        notice: frontdesk: One customer waits for an answer:
          Anna · telegram.shop · since Mon 23 Nov, 10:03: And plum cake?
    notice: frontdesk: Ben · telegram.shop · new
      Answered Mon 23 Nov, 10:03
        frontdesk: Ben: Is my cake ready?
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Ben: Hello?
        ann: Yes
    notice: frontdesk: Cleo · whatsapp.shop · new
      Closed Mon 23 Nov, 10:03 by ann
        frontdesk: Cleo: Hello
          is somebody there?
        notice: frontdesk: Sent automatically: Hi Cleo, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: !close
    ann: !waiting
    notice: frontdesk: 3 customers wait for an answer, longest first:
      Anna · telegram.shop · since Mon 23 Nov, 10:00: Do you have rye bread?
      Ben · telegram.shop · since Mon 23 Nov, 10:01: Is my cake ready?
    notice: frontdesk: Cleo · whatsapp.shop · since Mon 23 Nov, 10:02: Hello is somebody there?
    ann: !waiting
    notice: frontdesk: 2 customers wait for an answer, longest first:
      Ben · telegram.shop · since Mon 23 Nov, 10:01: Hello?
      Anna · telegram.shop · since Mon 23 Nov, 10:03: And plum cake?
    ");
}

#[tokio::test(start_paused = true)]
async fn the_list_is_bounded_and_says_how_many_more_wait() {
    let world = World::at(MONDAY).await;
    for number in 1..=23 {
        world.says(&format!("Customer {number:02}"), "Hello").await;
        world.passes(Duration::from_secs(1)).await;
    }
    let said = asks(&world).await;
    assert!(said.starts_with("23 customers wait for an answer, longest first:\nCustomer 01 · "), "{said}");
    assert_eq!(said.matches("Customer ").count(), 20);
    assert!(said.contains("Customer 20 ") && said.ends_with("\nand 3 more"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn each_desk_sees_who_waits_there() {
    let world = World::with(MONDAY, |policy| {
        let main = policy.desks[0].clone();
        policy.desks.push(frontdesk::dispatcher::Desk { name: "night".into(), ..main });
    })
    .await;
    world.says("Anna", "Hello").await;
    world.at_another_desk("night", "ben", None, Event::Message(Message::text("o-night", "!waiting"))).await;
    let said = world.desk.posts().pop().unwrap();
    assert_eq!((said.chat.as_str(), said.text.as_str()), ("night", "Nobody waits for an answer."));
}
