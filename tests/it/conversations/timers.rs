use frontdesk_core::{Event, Inbound, Message};
use insta::assert_snapshot;

use super::{MONDAY, asked};
use crate::world::World;

/// What an operator wrote in a thread while the program was down.
fn waiting_answer(world: &World, customer: &str, text: &str) -> Inbound {
    let thread = Some(world.thread(customer));
    Inbound {
        key: world.desk.next("k").into(),
        side: frontdesk_core::Side::Desk { desk: "main".into(), thread: thread.clone() },
        from: frontdesk_core::Person::human("@ann:example.org", "ann"),
        at: frontdesk_core::Address::Desk { desk: "main".into(), thread },
        sent_at: Some(world.now()),
        event: Event::Message(Message::text(world.desk.next("o"), text)),
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_break_an_answer_that_waits_is_read_before_a_timer_speaks() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.says("Ben", "Hello").await;
    world.kill().await;
    world.desk.arrives(waiting_answer(&world, "Anna", "Good morning"));
    world.secs(60).await;
    // The shop is quick to connect, and the desk is not.
    world.desk.holds_back();
    world.start().await;
    world.secs(20).await;
    assert!(!world.chat("Ben").contains("frontdesk"), "the desk has not been read yet");
    world.desk.lets_go();
    world.secs(30).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Good morning
    ");
    assert_snapshot!(world.chat("Ben"), @"
    Ben: Hello
    frontdesk: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:01
        frontdesk: Anna: Hello
    notice: frontdesk: Ben · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Ben: Hello
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_does_not_come_back_holds_timers_up_for_a_minute_at_most() {
    let mut world = asked().await;
    world.kill().await;
    world.desk.holds_back();
    world.start().await;
    world.secs(50).await;
    assert!(!world.chat("Anna").contains("frontdesk"));
    world.secs(15).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_of_days_overdue_timers_say_nothing_stale_and_close_nothing_that_waits() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi").await;
    world.says("Ben", "Hello").await;
    world.answers("ann", "Ben", "Hi").await;
    world.says("Cleo", "Hello").await;
    world.kill().await;
    world.hours(100).await;
    // Anna has written again meanwhile: her conversation is no longer one in which we spoke last.
    let mut question = world.customer(&world.shop, "Anna", Event::Message(Message::text("c-down", "Still open?")));
    question.sent_at = Some(world.now());
    world.shop.arrives(question);
    world.start().await;
    world.secs(180).await;
    world.answers("ann", "Cleo", "!why").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Fri 27 Nov, 14:00
        frontdesk: Anna: Hello
        ann: Hi
        frontdesk: Anna: Still open?
    notice: frontdesk: Ben · telegram.shop · new
      Closed Fri 27 Nov, 14:00: nothing more was said
        frontdesk: Ben: Hello
        ann: Hi
    notice: frontdesk: Cleo · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Cleo: Hello
        ann: !why
        notice: frontdesk: Fri 27 Nov, 14:00: first acknowledgement: not sent: it would have been too late
    ");
    assert!(!world.chat("Cleo").contains("frontdesk"), "{}", world.chat("Cleo"));
}
