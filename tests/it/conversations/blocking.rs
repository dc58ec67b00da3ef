use std::time::Duration;

use frontdesk_core::{Content, Event, Message, SendError};
use insta::assert_snapshot;

use crate::{fake::Fault, world::World};

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

#[tokio::test(start_paused = true)]
async fn a_blocked_customer_is_kept_counted_and_not_shown_until_they_are_unblocked() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Buy my watches").await;
    world.secs(2).await;
    world.answers("ann", "Anna", "!block").await;
    world.says("Anna", "Cheap watches").await;
    world.restart().await;
    world.says("Anna", "Very cheap watches").await;
    world.hours(10).await;
    world.says("Anna", "Last chance").await;
    world.secs(120).await;
    // Nothing at all, neither the acknowledgement that was due nor the notice of the evening.
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Buy my watches
    Anna: Cheap watches
    Anna: Very cheap watches
    Anna: Last chance
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Blocked Mon 23 Nov, 10:00 by ann
      3 messages since then
        frontdesk: Anna: Buy my watches
        ann: !block
        notice: frontdesk: Anna is blocked: what they write is kept but not shown, and nothing is sent to them automatically. They are not told. !unblock ends it.
    ");

    world.answers("ben", "Anna", "!why").await;
    world.answers("ben", "Anna", "!unblock").await;
    world.says("Anna", "It was a joke: do you have rye bread?").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Buy my watches
        ann: !block
        notice: frontdesk: Anna is blocked: what they write is kept but not shown, and nothing is sent to them automatically. They are not told. !unblock ends it.
        ben: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: not sent: blocked
        ben: !unblock
        notice: frontdesk: Unblocked. 3 messages came meanwhile, the first Mon 23 Nov, 10:00:
        frontdesk: Anna: Cheap watches
        frontdesk: Anna: Very cheap watches
        frontdesk: Anna: Last chance
        frontdesk: Anna: It was a joke: do you have rye bread?
    ");
    // From now on they are a customer like any other.
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Buy my watches
    Anna: Cheap watches
    Anna: Very cheap watches
    Anna: Last chance
    Anna: It was a joke: do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment and open again tomorrow at 09:00; one of us will answer you here after that.
    ");
}

#[tokio::test(start_paused = true)]
async fn nothing_of_the_desk_reaches_a_blocked_customer() {
    let world = World::at(MONDAY).await;
    let question = world.says("Anna", "Hello").await;
    let answer = world.answers("ann", "Anna", "Hi").await;
    world.shop.fail_next(Fault::Before(SendError::refused(
        frontdesk_core::RefusedScope::Content,
        "the shop's messenger did not like it.",
    )));
    world.answers("ann", "Anna", "Bye").await;
    world.answers("ann", "Anna", "!block").await;
    let refused = world.answers("ben", "Anna", "What is it?").await;
    world.answers("ben", "Anna", "!retry").await;
    let thread = world.thread("Anna");
    let edit = |id, text| Event::Edited { id, content: Content::text(text), notice: false };
    world.at_desk("ann", Some(thread.clone()), edit(answer, "Hi there")).await;
    world.at_desk("ben", Some(thread.clone()), edit(refused, "What is it??")).await;
    let relayed = world.desk.posts().iter().find(|post| post.text == "Anna: Hello").unwrap().id.clone();
    world.at_desk("ann", Some(thread), Event::Reaction { id: relayed, emoji: Some("👍".into()) }).await;
    // Nor does what they change or like show at the desk.
    world.does("Anna", edit(question.clone(), "HELLO")).await;
    world.does("Anna", Event::Reaction { id: question, emoji: Some("🤡".into()) }).await;
    world.answers("ann", "Anna", "!block").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Blocked Mon 23 Nov, 10:00 by ann
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        ann: Hi
        ann: Bye {⚠️}
        notice: frontdesk: Not delivered: the shop's messenger did not like it. (!retry sends it again.) (to @ann:example.org)
        ann: !block
        notice: frontdesk: Anna is blocked: what they write is kept but not shown, and nothing is sent to them automatically. They are not told. !unblock ends it.
        ben: What is it?
        notice: frontdesk: Not sent: this customer is blocked. !unblock first, then write it again. (to @ben:example.org)
        ben: !retry
        notice: frontdesk: Not sent: this customer is blocked. !unblock first, then !retry.
        notice: frontdesk: Not sent: this customer is blocked. !unblock first, then write it again. (to @ann:example.org)
        notice: frontdesk: That edit sends nothing: the message was not sent before. Write it as a new message. (to @ben:example.org)
        notice: frontdesk: Not sent: this customer is blocked. !unblock first, then write it again.
        ann: !block
        notice: frontdesk: This customer is blocked already by ann. !unblock ends it.
    ");
}

#[tokio::test(start_paused = true)]
async fn an_automatic_text_that_waits_to_be_sent_is_dropped() {
    let mut world = World::at(MONDAY).await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(120), bucket: None }));
    world.says("Anna", "Hello").await;
    // It was decided on, and the platform asks for patience.
    world.secs(20).await;
    world.answers("ann", "Anna", "!block").await;
    world.restart().await;
    world.secs(200).await;
    world.answers("ann", "Anna", "!why").await;
    assert_eq!(world.chat("Anna"), "Anna: Hello\n");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Blocked Mon 23 Nov, 10:00 by ann
        frontdesk: Anna: Hello
        ann: !block
        notice: frontdesk: Anna is blocked: what they write is kept but not shown, and nothing is sent to them automatically. They are not told. !unblock ends it.
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:02: first acknowledgement: not sent: blocked
          Mon 23 Nov, 10:00: first acknowledgement: sent
    ");
    // It was never said: unblocked they are a stranger again, and get it for their next message.
    world.answers("ann", "Anna", "!unblock").await;
    world.says("Anna", "Anybody?").await;
    world.secs(30).await;
    assert_eq!(world.chat("Anna").matches("frontdesk: Hi Anna, thank you").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_flood_the_latest_are_shown() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "!unblock").await;
    world.answers("ann", "Anna", "!block").await;
    let mut last = None;
    for number in 1..=25 {
        last = Some(world.says("Anna", &format!("flood {number}")).await);
    }
    world.does("Anna", Event::Deleted { ids: last.into_iter().collect() }).await;
    assert!(world.room().contains("25 messages since then"));
    assert!(!world.room().contains("flood"));
    world.answers("ann", "Anna", "!unblock").await;
    let room = world.room();
    assert!(
        room.contains("Unblocked. 25 messages came meanwhile, the first Mon 23 Nov, 10:00. The latest 20:"),
        "{room}"
    );
    assert_eq!(room.matches("Anna: flood").count(), 19);
    assert!(!room.contains("flood 5\n") && room.contains("Anna: flood 6\n"), "{room}");
    assert!(room.contains("Anna: (deleted by the customer)"), "{room}");
}

#[tokio::test(start_paused = true)]
async fn blocked_in_an_old_thread_they_are_blocked_in_the_new_one_too() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    let old = world.thread("Anna");
    world.answers("ann", "Anna", "!close").await;
    world.hours(48).await;
    world.says("Anna", "Me again").await;
    world.writes("ann", Some(old), Message::text("o-block", "!block")).await;
    world.says("Anna", "And again").await;
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · telegram.shop · new
      Blocked Wed 25 Nov, 10:00 by ann
      1 message since then
        frontdesk: Anna: Hello
        ann: !close
        ann: !block
        notice: frontdesk: Anna is blocked: what they write is kept but not shown, and nothing is sent to them automatically. They are not told. !unblock ends it.
    notice: frontdesk: (reply to "Anna · telegram.shop · new") Anna · telegram.shop · has written before
      Closed Wed 25 Nov, 10:00 by ann
        frontdesk: Anna: Me again
    "#);
    // Wherever it is ended, what was kept is shown where it was kept.
    world.answers("ann", "Anna", "!unblock").await;
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Wed 25 Nov, 10:00
        frontdesk: Anna: Hello
        ann: !close
        ann: !block
        notice: frontdesk: Anna is blocked: what they write is kept but not shown, and nothing is sent to them automatically. They are not told. !unblock ends it.
        notice: frontdesk: Unblocked. One message came meanwhile, Wed 25 Nov, 10:00:
        frontdesk: Anna: And again
    notice: frontdesk: (reply to "Anna · telegram.shop · new") Anna · telegram.shop · has written before
      Closed Wed 25 Nov, 10:00 by ann
        frontdesk: Anna: Me again
        ann: !unblock
        notice: frontdesk: Unblocked. What they wrote meanwhile is in the thread in which they were blocked.
    "#);
}
