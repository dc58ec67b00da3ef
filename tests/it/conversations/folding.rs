use std::time::Duration;

use frontdesk_core::{Content, Event, RefusedScope, SendError};
use insta::assert_snapshot;

use super::{MONDAY, asked, greeted};
use crate::{fake::Fault, world::World};

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
async fn who_deletes_a_long_answer_of_which_a_piece_may_have_arrived_is_told() {
    let world = asked().await;
    world.shop.fail_next(Fault::AnswerLost);
    let long = format!("{} {}", "First we bake. ".repeat(12).trim_end(), "Then we sell. ".repeat(5).trim_end());
    let answer = world.answers("ann", "Anna", &long).await;
    world.secs(120).await;
    world.at_desk("ann", Some(world.thread("Anna")), Event::Deleted { ids: vec![answer] }).await;
    world.secs(60).await;
    let (chat, room) = (world.chat("Anna"), world.room());
    assert!(chat.contains("frontdesk: First we bake") && chat.matches("(deleted)").count() == 1, "{chat}");
    assert!(room.contains("The deletion did not reach the customer: a part of the answer may have arrived"), "{room}");
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

/// The shop's messenger asks for a minute of patience.
fn hold(world: &World) {
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(60), bucket: None }));
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_that_is_deleted_while_it_waits_never_arrives_and_the_customer_waits_on() {
    let world = greeted().await;
    hold(&world);
    let answer = world.answers("ann", "Anna", &"We bake at four every morning. ".repeat(10)).await;
    assert!(world.room().contains("Answered"), "{}", world.room());
    world.deletes("ann", &answer).await;
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning. We bake at four every morning.  (deleted)
    ");
}

#[tokio::test(start_paused = true)]
async fn who_has_another_answer_does_not_wait_when_one_is_taken_back() {
    let world = greeted().await;
    world.answers("ann", "Anna", "Good morning").await;
    hold(&world);
    let wrong = world.answers("ann", "Anna", "You again?").await;
    world.deletes("ann", &wrong).await;
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Good morning
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Good morning
        ann: You again? (deleted)
    ");
}

#[tokio::test(start_paused = true)]
async fn of_edits_and_reactions_that_wait_only_the_last_is_sent() {
    let world = greeted().await;
    let question = world.says("Anna", "Rye?").await;
    let relayed = world.desk.posts().iter().find(|post| post.text == "Anna: Rye?").unwrap().id.clone();
    let answer = world.answers("ann", "Anna", "At nine").await;
    hold(&world);
    world.answers("ann", "Anna", "Wait").await;
    for text in ["At ten", "At eleven"] {
        world.edits("ann", &answer, text).await;
    }
    for emoji in ["👀", "👍"] {
        let reaction = Event::Reaction { id: relayed.clone(), emoji: Some(emoji.into()) };
        world.at_desk("ann", None, reaction).await;
    }
    world.secs(120).await;
    let sent: Vec<_> = world.shop.carried_out().into_iter().filter(|it| !it.starts_with("post")).collect();
    assert_eq!(sent, ["edit: At eleven", "react: 👍"]);
    assert!(world.shop.posts().iter().any(|post| post.id == question && post.reactions == ["👍"]));
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Rye? {👍}
    frontdesk: At eleven (edited)
    frontdesk: Wait
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: Rye?
        ann: At eleven (edited)
        ann: Wait
    ");
}

#[tokio::test(start_paused = true)]
async fn what_a_customer_changes_before_the_desk_sees_it_is_seen_as_it_is_by_then() {
    let world = greeted().await;
    world.desk.goes_down();
    world.says("Anna", "One moment").await;
    let order = world.says("Anna", "Ten rlls").await;
    for text in ["Ten rolls", "Twenty rolls"] {
        let content = Content::text(text);
        world.does("Anna", Event::Edited { id: order.clone(), content, notice: false }).await;
    }
    world.desk.comes_back();
    world.secs(120).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: One moment
        frontdesk: Anna: Twenty rolls
    ");
    let edits = world.desk.carried_out().iter().filter(|it| it.contains("edit: Anna: ")).count();
    assert_eq!(edits, 0, "it was one message");
}

#[tokio::test(start_paused = true)]
async fn the_card_is_changed_once_and_after_the_messages() {
    let world = greeted().await;
    world.desk.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(60), bucket: None }));
    world.answers("ann", "Anna", "Good morning").await;
    world.says("Anna", "And plum cake?").await;
    world.answers("ann", "Anna", "Yes").await;
    world.says("Anna", "Great").await;
    world.answers("ann", "Anna", "!close").await;
    let before = world.desk.carried_out().len();
    world.secs(120).await;
    assert_eq!(
        world.desk.carried_out()[before..],
        [
            "post: Anna: And plum cake?",
            "post: Anna: Great",
            "edit: Anna · telegram.shop · new / Closed Mon 23 Nov, 10:00 by ann"
        ]
    );
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Closed Mon 23 Nov, 10:00 by ann
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Good morning
        ann: Yes
        ann: !close
        frontdesk: Anna: And plum cake?
        frontdesk: Anna: Great
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Good morning
    Anna: And plum cake?
    frontdesk: Yes
    Anna: Great
    ");
}
