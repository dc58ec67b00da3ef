//! Who somebody is, where phone numbers come and go.

use frontdesk_core::{Address, Event, Inbound, Message, Person};
use insta::assert_snapshot;

use super::windowed;
use crate::world::World;

/// Somebody with this user id, name and number; without a number there is nothing to call them by but the id.
fn from(world: &World, id: &str, name: &str, number: Option<&str>, event: Event) -> Inbound {
    let mut inbound = world.customer(&world.other, name, event);
    let aliases = number.iter().flat_map(|number| [format!("+{number}"), (*number).to_owned()]);
    inbound.from = Person { aliases: aliases.filter(|alias| alias != id).collect(), ..Person::human(id, name) };
    inbound.at = Address::chat(id);
    inbound
}

async fn says(world: &World, id: &str, name: &str, number: Option<&str>, text: &str) {
    let message = Message::text(world.other.next("n"), text);
    world.other.note_from(id, &message);
    world.other.arrives(from(world, id, name, number, Event::Message(message)));
    world.settle().await;
}

const NUMBER: &str = "4930111111";

#[tokio::test(start_paused = true)]
async fn who_was_known_by_number_alone_is_found_by_user_id_alone_from_then_on() {
    let mut world = windowed().await;
    says(&world, NUMBER, "Anna", Some(NUMBER), "Hello").await;
    says(&world, "DE.1", "Anna", Some(NUMBER), "It is me").await;
    says(&world, "DE.1", "Anna", None, "Now without my number").await;
    world.restart().await;
    // A report that knows only the number still means her.
    says(&world, NUMBER, "Anna", Some(NUMBER), "And once more").await;
    world.answers("ann", "Anna", "Good morning").await;
    world.secs(30).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: Hello
        frontdesk: Anna: It is me
        frontdesk: Anna: Now without my number
        frontdesk: Anna: And once more
        ann: Good morning
    ");
}

#[tokio::test(start_paused = true)]
async fn a_number_that_goes_to_somebody_else_takes_nobody_along() {
    let mut world = windowed().await;
    says(&world, NUMBER, "Anna", Some(NUMBER), "Hello").await;
    says(&world, "DE.1", "Anna", Some(NUMBER), "It is me").await;
    // The chat is still called by the number in what the platform says of her.
    let mut inbound = from(&world, "DE.1", "Anna", Some(NUMBER), Event::Message(Message::text("n-at", "And again")));
    inbound.at = Address::chat(NUMBER);
    world.other.arrives(inbound);
    world.secs(60).await;
    says(&world, "DE.2", "Ben", Some(NUMBER), "My new number").await;
    world.restart().await;
    world.answers("ann", "Anna", "For Anna only").await;
    world.answers("ann", "Ben", "For Ben only").await;
    assert!(!World::chat_on(&world.other, NUMBER).contains("For Anna only"), "it is Ben's number now");
    assert!(World::chat_on(&world.other, "DE.1").contains("For Anna only"));
    assert!(World::chat_on(&world.other, "DE.2").contains("For Ben only"));
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Mon 23 Nov, 10:01
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: Hello
        frontdesk: Anna: It is me
        frontdesk: Anna: And again
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: For Anna only
    notice: frontdesk: Ben · whatsapp.shop · new
      Answered Mon 23 Nov, 10:01
      Answer until Tue 24 Nov, 10:01
        frontdesk: Ben: My new number
        ann: For Ben only
    ");
}

#[tokio::test(start_paused = true)]
async fn a_number_that_was_given_up_is_theirs_only_for_what_came_before() {
    const NEW: &str = "4930222222";
    let world = windowed().await;
    says(&world, NUMBER, "Anna", Some(NUMBER), "Hello").await;
    let late = Event::Message(Message::text("n-late", "Written before I moved"));
    let late = from(&world, NUMBER, "Anna", Some(NUMBER), late);
    world.secs(60).await;
    let moved = Event::IdentityMoved { from: NUMBER.into(), to: NEW.into() };
    world.other.arrives(from(&world, NUMBER, "", None, moved));
    world.settle().await;
    says(&world, NEW, "Anna", Some(NEW), "From my new number").await;
    // Nobody could take it when it was written; her address book's old entry comes after it.
    world.other.arrives(late);
    world.other.arrives(from(&world, NUMBER, "Anna", Some(NUMBER), Event::Known));
    world.secs(60).await;
    says(&world, NUMBER, "Ben", Some(NUMBER), "My number now").await;
    world.answers("ann", "Anna", "For Anna only").await;
    world.answers("ann", "Ben", "For Ben only").await;
    assert!(World::chat_on(&world.other, NEW).contains("For Anna only"), "{}", world.room());
    assert!(!World::chat_on(&world.other, NUMBER).contains("For Anna only"), "it is Ben's number now");
    assert!(World::chat_on(&world.other, NUMBER).contains("For Ben only"));
}

#[tokio::test(start_paused = true)]
async fn who_moves_to_another_number_keeps_the_thread() {
    let world = windowed().await;
    says(&world, NUMBER, "Anna", Some(NUMBER), "Hello").await;
    let moved = Event::IdentityMoved { from: NUMBER.into(), to: "4930222222".into() };
    world.other.arrives(from(&world, NUMBER, "", None, moved));
    world.settle().await;
    says(&world, "4930222222", "Anna", Some("4930222222"), "My new number").await;
    world.answers("ann", "Anna", "Thank you").await;
    assert!(World::chat_on(&world.other, "4930222222").contains("frontdesk: Thank you"));
    assert!(!World::chat_on(&world.other, NUMBER).contains("Thank you,"));
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: Hello
        frontdesk: Anna: My new number
        ann: Thank you
    ");
}
