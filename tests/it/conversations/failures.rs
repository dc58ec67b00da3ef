use std::time::Duration;

use frontdesk_core::{Event, RefusedScope, SendError};
use insta::assert_snapshot;

use super::{MONDAY, asked, greeted};
use crate::{fake::Fault, world::World};

#[tokio::test(start_paused = true)]
async fn a_refused_answer_is_told_to_who_wrote_it_and_can_be_sent_again() {
    let world = asked().await;
    let reason = "The customer has blocked the bot.";
    world.shop.fail_next(Fault::Before(SendError::refused(RefusedScope::Recipient, reason)));
    world.answers("ann", "Anna", "Hi").await;
    world.answers("ann", "Anna", "!retry").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: Hi
        notice: frontdesk: Not delivered: The customer has blocked the bot. (!retry sends it again.) (to @ann:example.org)
        ann: !retry
    ");
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_blocks_us_and_comes_back() {
    let world = asked().await;
    world.does("Anna", Event::Blocked).await;
    world.secs(60).await;
    world.does("Anna", Event::Unblocked).await;
    assert!(!world.chat("Anna").contains("frontdesk"));
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Anna has blocked us: answers cannot reach them for now.
        notice: frontdesk: Anna can be reached again.
    ");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_desk_cannot_show_in_its_place_is_a_line_of_its_own() {
    let world = World::at(MONDAY).await;
    let order = world.says("Anna", "Ten rolls").await;
    world.desk.fail_next(Fault::Before(SendError::refused(RefusedScope::Content, "that message is gone")));
    let content = frontdesk_core::Content::text("Twenty rolls");
    world.does("Anna", Event::Edited { id: order, content, notice: false }).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Ten rolls
        notice: frontdesk: A message was changed to: Twenty rolls
    ");
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_blocks_us_between_two_answers() {
    let world = greeted().await;
    let patience = SendError::RetryAfter { after: Duration::from_secs(60), bucket: None };
    world.answers("ann", "Anna", "We are open until six.").await;
    world.shop.fail_next(Fault::Before(patience));
    world.answers("ann", "Anna", "Shall I keep one for you?").await;
    world.does("Anna", Event::Blocked).await;
    let blocked = SendError::refused(RefusedScope::Recipient, "The customer has blocked the bot.");
    world.shop.fail_next(Fault::Before(blocked));
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: We are open until six.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: We are open until six.
        ann: Shall I keep one for you? {⚠️}
        notice: frontdesk: Anna has blocked us: answers cannot reach them for now.
        notice: frontdesk: Not delivered: The customer has blocked the bot. (!retry sends it again.) (to @ann:example.org)
    ");
    world.does("Anna", Event::Unblocked).await;
    world.answers("ann", "Anna", "!retry").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: We are open until six.
    frontdesk: Shall I keep one for you?
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:02
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: We are open until six.
        ann: Shall I keep one for you?
        notice: frontdesk: Anna has blocked us: answers cannot reach them for now.
        notice: frontdesk: Not delivered: The customer has blocked the bot. (!retry sends it again.) (to @ann:example.org)
        notice: frontdesk: Anna can be reached again.
        ann: !retry
    ");
}

#[tokio::test(start_paused = true)]
async fn what_the_desk_does_not_take_as_it_is_is_shown_as_plain_text_or_as_a_line_that_says_so() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    for _ in 0..2 {
        world.desk.fail_next(Fault::Before(SendError::refused(RefusedScope::Content, "the message is too long.")));
    }
    world.says("Anna", "\u{7}A very long story\u{1b}[31m").await;
    world.secs(5).await;
    world.desk.fail_next(Fault::Before(SendError::refused(RefusedScope::Content, "the message is too long.")));
    world.says("Anna", "\u{7}With a bell").await;
    world.secs(5).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        frontdesk: (A message of the customer cannot be shown here: the message is too long.)
        frontdesk: Anna: With a bell
    ");
    assert!(!world.chat("Anna").contains("frontdesk: ("));
}

#[tokio::test(start_paused = true)]
async fn a_failure_notice_never_causes_one() {
    let world = greeted().await;
    let thread = world.thread("Anna");
    world
        .shop
        .fail_next(Fault::Before(SendError::refused(RefusedScope::Recipient, "The customer has blocked the bot.")));
    // The change of the card, the warning under the answer, and the line that says why are refused as well.
    for _ in 0..3 {
        let refused = SendError::refused(RefusedScope::Content, "the message is too long.");
        world.desk.fail_next_to(thread.as_str(), Fault::Before(refused));
    }
    world.answers("ann", "Anna", "Hi").await;
    world.hours(1).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Hi
        notice: frontdesk: (A line of the program cannot be shown here: the message is too long.) (to @ann:example.org)
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
}

#[tokio::test(start_paused = true)]
async fn what_was_written_where_nobody_read_it_is_told() {
    let world = greeted().await;
    let why = "this room could not be used as a desk (the log says why)".to_owned();
    let mut unread = world.customer(&world.desk, "frontdesk", Event::Unread { why });
    unread.side = frontdesk_core::Side::Desk { desk: "main".into(), thread: None };
    unread.at = frontdesk_core::Address::Desk { desk: "main".into(), thread: None };
    unread.from.kind = frontdesk_core::PersonKind::Service;
    world.desk.arrives(unread);
    world.settle().await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    notice: frontdesk: What was written here while this room could not be used as a desk (the log says why) was not read: nothing of it went to a customer. Please write it again.
    ");
    assert!(!world.chat("Anna").contains("not read"));
}
