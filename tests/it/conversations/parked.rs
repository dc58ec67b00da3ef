use frontdesk_core::{Event, Message, PlatformId, SendError, ThreadId};
use insta::assert_snapshot;

use super::{MONDAY, greeted};
use crate::{fake::Fault, world::World};

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
async fn a_card_that_is_answered_before_its_name_is_recorded_is_waited_for_also_over_a_restart() {
    let mut world = World::at(MONDAY).await;
    // The card stands there, but its answer is lost, and for a while nothing more reaches the desk.
    world.desk.fail_next(Fault::AnswerLost);
    for _ in 0..200 {
        world.desk.fail_next(Fault::Before(SendError::Transient("no route".into())));
    }
    world.says("Anna", "Do you have rye bread?").await;
    let thread = Some(world.thread("Anna"));
    for (id, text) in [("o-1", "Yes."), ("o-2", "Until six.")] {
        world.writes("ann", thread.clone(), Message::text(id, text)).await;
    }
    world.secs(150).await;
    world.restart().await;
    world.secs(150).await;
    assert!(!world.chat("Anna").contains("Yes."), "it is not known yet whom this is for");
    assert!(!world.room().contains("sent to nobody"), "{}", world.room());
    world.desk.heal();
    world.secs(90).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Yes.
    frontdesk: Until six.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        ann: Yes.
        ann: Until six.
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
}

#[tokio::test(start_paused = true)]
async fn a_thread_of_nobody_is_told_when_it_cannot_become_known_any_more() {
    let world = greeted().await;
    world.writes("ann", Some("o-foreign".into()), Message::text("o-1", "Yes, until six")).await;
    world.secs(50).await;
    assert!(!world.room().contains("sent to nobody"), "{}", world.room());
    world.secs(20).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    notice: frontdesk: This was sent to nobody: the thread belongs to no conversation. Please answer in the thread under a customer's card. (to @ann:example.org)
    ");
    assert!(!world.chat("Anna").contains("until six"));
}

/// The line stands at the desk, and we do not know its name yet.
async fn unrecorded_line() -> (World, PlatformId, ThreadId) {
    let world = greeted().await;
    world.desk.fail_next(Fault::AnswerLost);
    for _ in 0..4 {
        world.desk.fail_next(Fault::Before(SendError::Transient("no route".into())));
    }
    world.says("Anna", "Do you have rye bread?").await;
    let line = world.desk.posts().iter().find(|post| post.text.contains("rye")).unwrap().clone();
    (world, line.id, line.thread.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_reaction_and_a_reply_to_words_whose_name_is_not_recorded_reach_the_customer() {
    let (world, line, _) = unrecorded_line().await;
    world.at_desk("ann", None, Event::Reaction { id: line.clone(), emoji: Some("👍".into()) }).await;
    let mut reply = Message::text("o-1", "Until six.");
    reply.reply_to = Some(line);
    world.writes("ann", None, reply).await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @r#"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Do you have rye bread? {👍}
    frontdesk: (reply to "Do you have rye bread?") Until six.
    "#);
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: Do you have rye bread?
    ann: (reply to "Anna: Do you have rye bread?") Until six.
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_name_holds_up_no_other_thread() {
    let world = greeted().await;
    world.says("Ben", "Hello").await;
    world.writes("ann", Some("o-foreign".into()), Message::text("o-1", "Hm?")).await;
    world.answers("ann", "Ben", "Good morning").await;
    assert!(world.chat("Ben").contains("frontdesk: Good morning"), "{}", world.chat("Ben"));
}
