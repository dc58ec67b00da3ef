use std::time::Duration;

use frontdesk_core::{Event, RefusedScope, SendError};
use insta::assert_snapshot;

use crate::fake::{Fault, World};

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

async fn asked() -> World {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world
}

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
async fn an_uncertain_answer_is_never_repeated_by_itself() {
    let world = asked().await;
    world.shop.fail_next(Fault::AnswerLost);
    world.answers("ann", "Anna", "Hi").await;
    world.hours(1).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        ann: Hi {⚠️}
        notice: frontdesk: Perhaps not delivered: the answer was lost. If the customer does not react, !retry sends it again; it may then reach them twice. (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_an_end_does_not_hold_the_next_ones_for_ever() {
    let world = asked().await;
    world.shop.fail_next(Fault::Silence);
    world.answers("ann", "Anna", "One").await;
    world.answers("ann", "Anna", "Two").await;
    world.secs(180).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Two
    ");
}

#[tokio::test(start_paused = true)]
async fn an_uncertain_automatic_text_is_dropped_and_noted() {
    let world = asked().await;
    world.shop.fail_next(Fault::AnswerLost);
    world.secs(60).await;
    world.answers("ann", "Anna", "!why").await;
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1);
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: perhaps sent, and not repeated
          Mon 23 Nov, 10:00: first acknowledgement: sent
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: waits until the customer has finished writing
    ");
}

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
async fn an_answer_is_given_up_after_days_and_that_is_told() {
    let world = asked().await;
    for _ in 0..20_000 {
        world.shop.fail_next(Fault::Before(SendError::Transient("no route".into())));
    }
    world.answers("ann", "Anna", "Hi").await;
    world.hours(73).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        ann: Hi {⚠️}
        notice: frontdesk: Not delivered yet: telegram.shop cannot be reached. It goes out by itself as soon as that works. (to @ann:example.org)
        notice: frontdesk: Not delivered: it could not be delivered for 72 hours. (!retry sends it again.) (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_comes_too_late_is_not_sent() {
    let world = asked().await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(1200), bucket: None }));
    world.hours(1).await;
    assert!(!world.chat("Anna").contains("frontdesk"), "{}", world.chat("Anna"));
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
    ");
}

#[tokio::test(start_paused = true)]
async fn a_thread_that_is_gone_is_opened_again() {
    let world = asked().await;
    world.desk.lose_thread(&world.thread("Anna"));
    world.says("Anna", "Still there?").await;
    world.says("Anna", "Hello?").await;
    world.answers("ann", "Anna", "Yes").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Still there?
        frontdesk: Anna: Hello?
        ann: Yes
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    Anna: Still there?
    Anna: Hello?
    frontdesk: Yes
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
async fn what_waits_is_edited_and_deleted_before_anybody_sees_it() {
    let world = asked().await;
    world.secs(30).await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(60), bucket: None }));
    world.answers("ann", "Anna", "Wait").await;
    let wrong = world.answers("ann", "Anna", "Yes, untl six").await;
    let taken_back = world.answers("ann", "Anna", "You again?").await;
    let thread = Some(world.thread("Anna"));
    let content = frontdesk_core::Content::text("Yes, until six");
    world.at_desk("ann", thread.clone(), Event::Edited { id: wrong, content, notice: false }).await;
    world.at_desk("ann", thread, Event::Deleted { ids: vec![taken_back] }).await;
    world.secs(90).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Wait
    frontdesk: Yes, until six
    ");
}
