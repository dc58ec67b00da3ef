use frontdesk_core::{Event, Side};
use insta::assert_snapshot;

use super::{asked, greeted};
use crate::world::World;

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

/// The card as it stands there now.
fn card(world: &World) -> frontdesk_core::PlatformId {
    world.thread("Anna").as_str().into()
}

#[tokio::test(start_paused = true)]
async fn a_conversation_whose_card_was_deleted_gets_a_new_one_and_its_old_thread_is_still_understood() {
    let world = greeted().await;
    let (old, thread) = (card(&world), world.thread("Anna"));
    world.deletes("ann", &old).await;
    world.says("Anna", "Are you there?").await;
    // One operator has the old thread open still.
    let message = frontdesk_core::Message::text("o-late", "Yes");
    world.writes("ann", Some(thread), message).await;
    world.answers("bob", "Anna", "What can we do for you?").await;
    // Tidying up what is left of the old one changes nothing.
    world.at_desk("ann", None, Event::Deleted { ids: vec![old] }).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00 (deleted)
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Are you there?
        bob: What can we do for you?
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Are you there?
    frontdesk: Yes
    frontdesk: What can we do for you?
    ");
}

#[tokio::test(start_paused = true)]
async fn a_card_that_is_deleted_after_its_conversation_comes_back_with_the_next_message() {
    let mut world = greeted().await;
    world.answers("ann", "Anna", "Hi").await;
    world.answers("ann", "Anna", "!close").await;
    world.deletes("ann", &card(&world)).await;
    world.restart().await;
    assert_eq!(world.room().matches("notice: frontdesk: Anna · ").count(), 1, "nobody waits");
    world.says("Anna", "One more thing").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Closed Mon 23 Nov, 10:00 by ann (deleted)
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Hi
        ann: !close
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: One more thing
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Hi
    Anna: One more thing
    ");
}

#[tokio::test(start_paused = true)]
async fn a_thread_that_the_platform_says_is_gone_is_opened_again_at_once() {
    let world = greeted().await;
    let thread = world.thread("Anna");
    world.desk.lose_thread(&thread);
    let mut gone = world.customer(&world.desk, "service", Event::ThreadGone { thread });
    gone.side = Side::Desk { desk: "main".into(), thread: None };
    gone.at = frontdesk_core::Address::Desk { desk: "main".into(), thread: None };
    gone.from.kind = frontdesk_core::PersonKind::Service;
    world.desk.arrives(gone);
    world.secs(5).await;
    world.answers("ann", "Anna", "Hi").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Hi
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Hi
    ");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_somebody_else_deletes_is_taken_back_and_its_author_is_told() {
    let world = greeted().await;
    let answer = world.answers("ann", "Anna", "It is free").await;
    world.deletes("bob", &answer).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: It is free (deleted)
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: It is free (deleted)
        notice: frontdesk: bob deleted an answer of yours: it is taken back. (to @ann:example.org)
    ");
}
