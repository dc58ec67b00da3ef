use std::time::Duration;

use frontdesk_core::{RefusedScope, SendError};
use insta::assert_snapshot;

use super::{MONDAY, asked, greeted};
use crate::{
    fake::Fault,
    world::{OTHER, World},
};

#[tokio::test(start_paused = true)]
async fn a_platform_that_asks_for_patience_gets_it_and_the_order_stays() {
    let world = asked().await;
    for secs in [3, 7] {
        let after = Duration::from_secs(secs);
        world.shop.fail_next(Fault::Before(SendError::RetryAfter { after, bucket: None }));
    }
    for text in ["One", "Two", "Three"] {
        world.answers("ann", "Anna", text).await;
    }
    world.secs(1).await;
    assert!(!world.chat("Anna").contains("frontdesk"));
    world.secs(15).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: One
    frontdesk: Two
    frontdesk: Three
    ");
}

#[tokio::test(start_paused = true)]
async fn a_long_outage_is_told_and_the_answer_goes_out_by_itself() {
    let world = asked().await;
    for _ in 0..12 {
        world.shop.fail_next(Fault::Before(SendError::Transient("no route".into())));
    }
    world.answers("ann", "Anna", "Hi").await;
    world.hours(2).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: Hi
        notice: frontdesk: Not delivered yet: telegram.shop cannot be reached. It goes out by itself as soon as that works. (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_told_at_once_and_nothing_is_lost() {
    let world = asked().await;
    world.secs(30).await;
    for _ in 0..3 {
        let reason = "Telegram does not know the bot's token any more: get a new one from @BotFather.";
        world.shop.fail_next(Fault::Before(SendError::refused(RefusedScope::Account, reason)));
    }
    world.answers("ann", "Anna", "Hi").await;
    world.secs(600).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Hi
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Hi
        notice: frontdesk: Not delivered yet: Telegram does not know the bot's token any more: get a new one from @BotFather. It goes out by itself as soon as that works. (to @ann:example.org)
    notice: frontdesk: telegram.shop does not work: Telegram does not know the bot's token any more: get a new one from @BotFather. What you answer its customers waits and goes out by itself when it does.
    notice: frontdesk: telegram.shop works again; what waited goes out now.
    ");
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_use_up_the_attempts_to_open_a_thread_again() {
    let world = asked().await;
    world.desk.lose_thread(&world.thread("Anna"));
    for _ in 0..6 {
        world.desk.fail_next(Fault::Before(SendError::Transient("no route".into())));
    }
    world.says("Anna", "Still there?").await;
    world.secs(300).await;
    assert_eq!(world.room().matches("Anna: Still there?").count(), 1, "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn what_the_desk_refuses_is_never_given_up() {
    let world = World::at(MONDAY).await;
    for _ in 0..4 {
        world.desk.fail_next(Fault::Before(SendError::refused(RefusedScope::Recipient, "no such room")));
    }
    world.says("Anna", "Hello").await;
    world.secs(300).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
}

#[tokio::test(start_paused = true)]
async fn the_desk_is_down_for_an_hour_and_everything_is_there_afterwards() {
    let world = greeted().await;
    world.desk.goes_down();
    world.secs(1).await;
    assert!(!world.health.ready());
    for number in 1..=3 {
        world.says("Anna", &format!("Question {number}")).await;
        world.says("Ben", &format!("Order {number}")).await;
        world.secs(20 * 60).await;
    }
    // Customers are greeted all the same, and no thread has suffered when it is over.
    world.desk.comes_back();
    world.secs(120).await;
    assert!(world.health.ready());
    world.answers("ann", "Ben", "Here we are again").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Question 1
    Anna: Question 2
    Anna: Question 3
    ");
    assert_snapshot!(world.chat("Ben"), @"
    Ben: Order 1
    frontdesk: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Ben: Order 2
    Ben: Order 3
    frontdesk: Here we are again
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: Question 1
        frontdesk: Anna: Question 2
        frontdesk: Anna: Question 3
    notice: frontdesk: Ben · telegram.shop · new
      Answered Mon 23 Nov, 11:02
        frontdesk: Ben: Order 1
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Ben: Order 2
        frontdesk: Ben: Order 3
        ann: Here we are again
    ");
}

#[tokio::test(start_paused = true)]
async fn what_holds_up_one_customer_holds_up_nobody_else() {
    let world = asked().await;
    world.says("Ben", "Hello").await;
    for _ in 0..3 {
        world.shop.fail_next_to("Anna", Fault::Silence);
        world.answers("ann", "Anna", "One moment").await;
    }
    for number in 1..=3 {
        world.answers("bob", "Ben", &format!("Answer {number}")).await;
        assert!(world.chat("Ben").contains(&format!("Answer {number}")), "{}", world.chat("Ben"));
    }
    assert_snapshot!(world.chat("Anna"), @"Anna: Hello");
    assert_snapshot!(world.chat("Ben"), @"
    Ben: Hello
    frontdesk: Answer 1
    frontdesk: Answer 2
    frontdesk: Answer 3
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: One moment
        ann: One moment
        ann: One moment
    notice: frontdesk: Ben · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Ben: Hello
        bob: Answer 1
        bob: Answer 2
        bob: Answer 3
    ");
}

/// A desk of two, the second on a messenger of its own.
async fn two_desks() -> World {
    let mut world = World::with(MONDAY, |policy| {
        let second =
            frontdesk::dispatcher::Desk { name: "second".into(), channel: OTHER.into(), ..policy.desks[0].clone() };
        policy.desks.push(second);
    })
    .await;
    world.restart().await;
    world.secs(5).await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_desk_whose_account_is_refused_holds_its_lanes_turns_readiness_and_is_told_at_the_others() {
    let world = two_desks().await;
    assert!(world.health.ready());
    for _ in 0..3 {
        let reason = "the homeserver has closed our account.";
        world.desk.fail_next(Fault::Before(SendError::refused(RefusedScope::Account, reason)));
    }
    world.says("Anna", "Hello").await;
    world.says("Ben", "Hello").await;
    assert!(!world.health.ready());
    assert_eq!(world.health.report()["channels"]["matrix.desk"], "the homeserver has closed our account.");
    assert_eq!(world.room(), "");
    world.secs(600).await;
    assert!(world.health.ready());
    assert_snapshot!(World::chat_on(&world.other, "second"), @"notice: frontdesk: The desk main cannot be reached: the homeserver has closed our account. What customers write to it waits until it can.");
    assert_snapshot!(by_card(&world.room()), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    notice: frontdesk: Ben · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Ben: Hello
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_is_out_of_reach_is_told_at_the_others_once_for_each_time() {
    let world = two_desks().await;
    for name in ["Anna", "Ben"] {
        world.desk.goes_down();
        world.says(name, "Hello").await;
        world.says(name, "Anybody?").await;
        world.secs(60).await;
        let told = World::chat_on(&world.other, "second").matches("cannot be reached").count();
        assert_eq!(told, usize::from(name == "Ben"), "not before it is late");
        world.secs(600).await;
        world.desk.comes_back();
        world.secs(120).await;
    }
    assert_snapshot!(World::chat_on(&world.other, "second"), @"
    notice: frontdesk: The desk main cannot be reached: no connection. What customers write to it waits until it can.
    notice: frontdesk: The desk main cannot be reached: no connection. What customers write to it waits until it can.
    ");
}

#[tokio::test(start_paused = true)]
async fn when_all_desks_are_out_of_reach_nothing_stale_is_told_afterwards() {
    let world = two_desks().await;
    world.desk.goes_down();
    world.other.goes_down();
    world.says("Anna", "Hello").await;
    world.hours(2).await;
    world.desk.comes_back();
    world.other.comes_back();
    world.secs(180).await;
    assert_eq!(World::chat_on(&world.other, "second"), "");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
}

/// The threads in the order of their cards: what waits at a desk goes out side by side.
fn by_card(room: &str) -> String {
    let mut threads: Vec<String> = Vec::new();
    for line in room.lines() {
        match threads.last_mut().filter(|_| line.starts_with(' ')) {
            Some(thread) => thread.push_str(&format!("{line}\n")),
            None => threads.push(format!("{line}\n")),
        }
    }
    threads.sort();
    threads.concat()
}
