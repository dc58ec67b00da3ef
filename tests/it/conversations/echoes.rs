//! What the business answers past us, on its own phone.

use frontdesk_core::{Event, Message};
use insta::assert_snapshot;

use super::windowed;
use crate::{fake::Fault, world::World};

async fn echoes(world: &World, name: &str, message: Message) {
    world.other.arrives(world.customer(&world.other, name, Event::Echo(message)));
    world.settle().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_on_the_phone_is_an_answer() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.secs(5).await;
    echoes(&world, "Anna", Message::text("phone-1", "Yes, until six")).await;
    world.hours(25).await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Answered on the phone: Yes, until six
    ");
}

#[tokio::test(start_paused = true)]
async fn what_went_out_through_us_is_not_shown_as_answered_on_the_phone() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.answers("ann", "Anna", "Yes, until six").await;
    let (id, _) = world.other.sent("Yes, until six");
    echoes(&world, "Anna", Message::text(id, "Yes, until six")).await;
    assert!(!world.room().contains("on the phone"), "{}", world.room());
    // The echo is faster than the answer of the send, which is looked for and found.
    world.other.finds(crate::fake::Finds::Truth);
    world.other.fail_next(Fault::AnswerLost);
    world.other.holds_back();
    let before = world.other.posts().len();
    world.answers("ann", "Anna", "Shall I keep one?").await;
    let id = world.other.posts()[before].id.clone();
    world.other.lets_go();
    echoes(&world, "Anna", Message::text(id, "Shall I keep one?")).await;
    world.secs(30).await;
    assert!(!world.room().contains("on the phone"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn an_echo_that_cannot_be_told_apart_keeps_nobody_waiting() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.secs(30).await;
    world.other.finds(crate::fake::Finds::Truth);
    // Carried out, and no answer: for ninety seconds nobody knows what it is called.
    world.other.fail_next(Fault::DoneInSilence);
    let before = world.other.posts().len();
    world.answers("ann", "Anna", "Yes").await;
    let id = world.other.posts()[before].id.clone();
    world.other.arrives(world.customer(&world.other, "Anna", Event::Echo(Message::text(id, "Yes"))));
    world.says_on(&world.other, "Anna", "Hello?").await;
    world.secs(20).await;
    // It cannot be told apart then, and is shown rather than lost; and the customer was not kept waiting for it.
    assert!(world.room().contains("Anna: Hello?"), "{}", world.room());
    world.secs(200).await;
    assert_eq!(World::chat_on(&world.other, "Anna").matches("frontdesk: Yes").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_echo_that_comes_late_answers_nothing_that_was_written_after_it() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Hello").await;
    let late = world.customer(&world.other, "Anna", Event::Echo(Message::text("phone-late", "Good morning")));
    world.secs(60).await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.other.arrives(late);
    world.secs(60).await;
    assert!(world.room().contains("Answered on the phone: Good morning"), "{}", world.room());
    assert!(world.room().contains("Waiting since"), "{}", world.room());
    echoes(&world, "Anna", Message::text("phone-now", "Yes, until six")).await;
    world.secs(60).await;
    assert!(!world.room().contains("Waiting since"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn whom_the_business_knew_is_not_greeted_as_a_stranger() {
    let world = windowed().await;
    world.other.arrives(world.customer(&world.other, "Anna", Event::Known));
    world.settle().await;
    assert_eq!(world.room(), "", "it opens nothing");
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.secs(60).await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    ");
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: Do you have rye bread?
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: not sent: the business knew them before
    ");
}
