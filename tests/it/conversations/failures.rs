use std::time::Duration;

use frontdesk_core::{Event, Message, RefusedScope, SendError};
use insta::assert_snapshot;

use crate::{fake::Fault, world::World};

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

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_deleted_whole_and_its_missing_piece_alone_is_sent_again() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Tell me everything").await;
    world.shop.fail_next(Fault::Before(SendError::refused(RefusedScope::Content, "too many cakes")));
    let long = format!("{} {}", "First we bake. ".repeat(12).trim_end(), "Then we sell. ".repeat(5).trim_end());
    let answer = world.answers("ann", "Anna", &long).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Tell me everything
    frontdesk: Then we sell. Then we sell. Then we sell. Then we sell.
    ");
    world.answers("ann", "Anna", "!retry").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Tell me everything
    frontdesk: Then we sell. Then we sell. Then we sell. Then we sell.
    frontdesk: First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. Then we sell.
    ");
    world.at_desk("ann", Some(world.thread("Anna")), Event::Deleted { ids: vec![answer] }).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Tell me everything
    frontdesk: Then we sell. Then we sell. Then we sell. Then we sell. (deleted)
    frontdesk: First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. First we bake. Then we sell. (deleted)
    ");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_taken_back_during_an_outage_never_arrives() {
    let world = asked().await;
    for _ in 0..3 {
        world.shop.fail_next(Fault::Before(SendError::Transient("no route".into())));
    }
    let wrong = world.answers("ann", "Anna", "This was meant for Ben").await;
    world.answers("ann", "Anna", "Your cake is ready").await;
    world.at_desk("ann", Some(world.thread("Anna")), Event::Deleted { ids: vec![wrong] }).await;
    world.secs(120).await;
    assert_eq!(world.chat("Anna"), "Anna: Hello\nfrontdesk: Your cake is ready\n");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_can_be_read_at_once_goes_out_and_one_that_is_read_too_late_does_not() {
    let world = asked().await;
    let thread = Some(world.thread("Anna"));
    let hidden = |id: &str| Event::Undecryptable { id: id.into(), raw: serde_json::json!({}).into() };
    world.at_desk("ann", thread.clone(), hidden("o-1")).await;
    world.secs(20).await;
    world.writes("ann", thread.clone(), Message::text("o-1", "Soon readable")).await;
    world.at_desk("ann", thread.clone(), hidden("o-2")).await;
    world.secs(600).await;
    world.answers("ann", "Anna", "I wrote it again").await;
    world.writes("ann", thread, Message::text("o-2", "Readable too late")).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Soon readable
    frontdesk: I wrote it again
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:10
        frontdesk: Anna: Hello
        notice: frontdesk: A message of yours could not be decrypted and was not sent. If it does not go out within a minute, please write it again. (to @ann:example.org)
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Soon readable
        notice: frontdesk: A message of yours could not be decrypted and was not sent. If it does not go out within a minute, please write it again. (to @ann:example.org)
        ann: I wrote it again
        ann: Readable too late
        notice: frontdesk: A message of yours can be read only now and was not sent, because you may have written it again. It says: Readable too late (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_an_answer_overtook_makes_nobody_a_stranger() {
    let world = asked().await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(60), bucket: None }));
    world.secs(20).await;
    world.answers("ann", "Anna", "Good morning").await;
    world.secs(120).await;
    world.says("Anna", "Thanks! And one more thing").await;
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Good morning
    Anna: Thanks! And one more thing
    ");
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_is_renamed_gets_the_open_conversations_anew() {
    let mut world = asked().await;
    world.policy.desks[0].name = "shop".into();
    world.restart().await;
    world.says("Anna", "Anybody there?").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
    notice: frontdesk: Anna · telegram.shop · has written before
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Anybody there?
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
async fn talk_among_colleagues_holds_no_acknowledgement_up_for_long() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    // Replies to messages that we know nothing of wait for a minute each: they might be answers.
    for number in 0..8 {
        let mut talk = Message::text(format!("o-talk-{number}"), "Lunch?");
        talk.reply_to = Some(format!("o-unknown-{number}").into());
        world.writes("bob", None, talk).await;
        world.secs(15).await;
    }
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1, "{}", world.chat("Anna"));
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_reply_outside_the_threads_is_told() {
    let world = asked().await;
    let hidden = |id: &str| Event::Undecryptable { id: id.into(), raw: serde_json::json!({}).into() };
    world.at_desk("ann", None, hidden("o-1")).await;
    world.at_desk("ann", None, hidden("o-2")).await;
    assert_eq!(world.room().matches("could not be decrypted").count(), 1, "{}", world.room());
}
