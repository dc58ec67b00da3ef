use frontdesk_core::SendError;
use insta::assert_snapshot;

use super::{MONDAY, asked, greeted};
use crate::{
    fake::{FakePlatform, Fault, Finds},
    world::World,
};

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
async fn an_uncertain_answer_that_is_found_was_sent_and_one_that_is_not_is_sent_now() {
    let world = greeted().await;
    world.shop.finds(Finds::Truth);
    world.shop.fail_next(Fault::AnswerLost);
    let found = world.answers("ann", "Anna", "Yes, untl six").await;
    world.shop.fail_next(Fault::Before(SendError::Uncertain("the line broke".into())));
    world.answers("ann", "Anna", "Shall I keep one?").await;
    world.secs(10).await;
    // What was found has its name: it can be changed.
    world.edits("ann", &found, "Yes, until six").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Yes, until six (edited)
    frontdesk: Shall I keep one?
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes, until six (edited)
        ann: Shall I keep one?
    ");
}

#[tokio::test(start_paused = true)]
async fn what_a_kill_interrupted_is_looked_for_first() {
    for (fault, name) in [(Fault::DoneInSilence, "done"), (Fault::Silence, "not done")] {
        let mut world = greeted().await;
        world.shop.finds(Finds::Truth);
        world.shop.fail_next(fault);
        world.answers("ann", "Anna", "Rye is ready.").await;
        world.restart().await;
        world.secs(60).await;
        assert_eq!(world.chat("Anna").matches("frontdesk: Rye is ready.").count(), 1, "{name}");
        assert!(!world.room().contains("Perhaps"), "{name}: {}", world.room());
    }
}

#[tokio::test(start_paused = true)]
async fn an_uncertain_answer_holds_the_next_one_for_a_minute_at_most() {
    let world = greeted().await;
    world.shop.finds(Finds::Silence);
    world.shop.fail_next(Fault::AnswerLost);
    world.answers("ann", "Anna", "One").await;
    world.answers("ann", "Anna", "Two").await;
    world.secs(50).await;
    assert!(!world.chat("Anna").contains("Two"), "{}", world.chat("Anna"));
    world.secs(12).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: One
    frontdesk: Two
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: One {⚠️}
        ann: Two
        notice: frontdesk: Perhaps not delivered: the answer was lost. If the customer does not react, !retry sends it again; it may then reach them twice. (to @ann:example.org)
    ");
    world.answers("ann", "Anna", "!retry").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: One
    frontdesk: Two
    frontdesk: One
    ");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_found_again_and_again_is_tried_with_patience_and_told() {
    let world = greeted().await;
    world.shop.finds(Finds::Truth);
    for _ in 0..1000 {
        world.shop.fail_next(Fault::Before(SendError::Uncertain("the line broke".into())));
    }
    world.answers("ann", "Anna", "Hi").await;
    world.secs(300).await;
    assert!(world.shop.faults_left() > 970, "{} left", world.shop.faults_left());
    world.shop.heal();
    world.secs(60).await;
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
        notice: frontdesk: Not delivered yet: telegram.shop cannot be reached. It goes out by itself as soon as that works. (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn what_may_stand_at_the_desk_twice_says_so() {
    let world = World::at_desk_on(FakePlatform::new(true, false), MONDAY, |_| {}).await;
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    // A line, a card, and the change of a card that nobody can tell from its repetition.
    world.desk.fail_next(Fault::AnswerLost);
    world.says("Anna", "Do you have rye bread?").await;
    world.secs(5).await;
    world.desk.fail_next(Fault::AnswerLost);
    world.says("Ben", "Good morning").await;
    world.secs(5).await;
    world.answers("ann", "Ben", "Good morning").await;
    world.secs(5).await;
    world.desk.fail_next(Fault::AnswerLost);
    world.answers("ann", "Anna", "Yes").await;
    // Of two cards only the one that we know leads to the customer; who answered under the other is told.
    world.secs(90).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: Do you have rye bread?
        frontdesk: (possibly repeated)
          Anna: Do you have rye bread?
        ann: Yes
    notice: frontdesk: Ben · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        ann: Good morning
    notice: frontdesk: (possibly repeated)
      Ben · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Ben: Good morning
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    notice: frontdesk: This was sent to nobody: the thread belongs to no conversation. Please answer in the thread under a customer's card. (to @ann:example.org)
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Do you have rye bread?
    frontdesk: Yes
    ");
}

#[tokio::test(start_paused = true)]
async fn who_deletes_or_edits_an_answer_that_may_have_arrived_is_told_that_this_cannot_be_done() {
    let world = greeted().await;
    for (text, id) in [("Seven euros", 0), ("Ten euros", 1)] {
        world.shop.fail_next(Fault::AnswerLost);
        let answer = world.answers("ann", "Anna", text).await;
        match id {
            0 => world.deletes("ann", &answer).await,
            _ => world.edits("ann", &answer, "Nine euros").await,
        }
    }
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Seven euros
    frontdesk: Ten euros
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Seven euros (deleted) {⚠️}
        notice: frontdesk: Perhaps not delivered: the answer was lost. If the customer does not react, !retry sends it again; it may then reach them twice. (to @ann:example.org)
        notice: frontdesk: The deletion did not reach the customer: the message itself cannot be found there. (to @ann:example.org)
        ann: Nine euros (edited) {⚠️}
        notice: frontdesk: Perhaps not delivered: the answer was lost. If the customer does not react, !retry sends it again; it may then reach them twice. (to @ann:example.org)
        notice: frontdesk: The change did not reach the customer: the message itself cannot be found there. (to @ann:example.org)
    ");
    // What was deleted is not sent again, and what was changed as it is now.
    world.answers("ann", "Anna", "!retry").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Seven euros
    frontdesk: Ten euros
    frontdesk: Nine euros
    ");
}
