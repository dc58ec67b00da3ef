//! A messenger that takes an answer only for some time after the customer's last message.

use std::time::Duration;

use frontdesk::tools::{Answer, Request, Waits};
use frontdesk_core::{DeliveryState, Event, Message, SendError};
use insta::assert_snapshot;

use super::windowed;
use crate::{
    fake::{Fault, Finds},
    world::World,
};

const DAY: u64 = 24;

/// Anna asked on Monday at ten, and it is Tuesday, a minute too late for an answer.
async fn too_late() -> World {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.hours(DAY).await;
    world.secs(60).await;
    world
}

#[tokio::test(start_paused = true)]
async fn the_card_says_until_when_and_one_reminder_comes_an_hour_before() {
    let mut world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.hours(DAY - 2).await;
    assert!(!world.room().contains("still waits"), "{}", world.room());
    world.hours(1).await;
    world.restart().await;
    world.hours(3).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        notice: frontdesk: Anna still waits. Their messenger lets us answer until Tue 24 Nov, 10:00; after that only with !template, or when they write again.
    ");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_reminded_of_who_was_answered_and_of_who_wrote_again_in_time() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.answers("ann", "Anna", "Yes").await;
    world.says_on(&world.other, "Ben", "Hello").await;
    world.hours(20).await;
    world.says_on(&world.other, "Ben", "Hello?").await;
    world.hours(22).await;
    assert!(!world.room().contains("still waits"), "{}", world.room());
    world.hours(2).await;
    assert_eq!(world.room().matches("still waits").count(), 1, "{}", world.room());
    assert!(world.room().contains("Ben still waits. Their messenger lets us answer until Wed 25 Nov, 06:00"));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_waits_until_they_write_and_goes_out_before_what_comes_later() {
    let mut world = too_late().await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.answers("ben", "Anna", "Shall I keep one?").await;
    world.restart().await;
    world.hours(5).await;
    assert!(!World::chat_on(&world.other, "Anna").contains("until six"));
    world.says_on(&world.other, "Anna", "Hello?").await;
    world.answers("ann", "Anna", "Sorry for the delay.").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Hello?
    frontdesk: Yes, until six.
    frontdesk: Shall I keep one?
    frontdesk: Sorry for the delay.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Tue 24 Nov, 15:01
      Answer until Wed 25 Nov, 15:01
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        notice: frontdesk: Anna still waits. Their messenger lets us answer until Tue 24 Nov, 10:00; after that only with !template, or when they write again.
        ann: Yes, until six.
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        ben: Shall I keep one?
        notice: frontdesk: Not sent yet: this one waits too, until Anna writes again. (to @ben:example.org)
        frontdesk: Anna: Hello?
        notice: frontdesk: They have written again, so this was sent now: Yes, until six.
        notice: frontdesk: They have written again, so this was sent now: Shall I keep one?
        ann: Sorry for the delay.
    ");
    assert_eq!(world.other.too_late(), 0, "nothing was tried that is not taken");
}

#[tokio::test(start_paused = true)]
async fn what_waits_keeps_nobody_else_waiting_and_is_listed() {
    let world = too_late().await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.says_on(&world.other, "Ben", "Hello").await;
    world.answers("ann", "Ben", "Good morning").await;
    assert!(World::chat_on(&world.other, "Ben").contains("frontdesk: Good morning"));
    let answers = world.tool(Request::Rows { limit: 10 }).await;
    let [Answer::Row(row), Answer::Done(_)] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!((row.text.as_str(), &row.waits), ("Yes, until six.", &Waits::WindowClosed));
    let refused = world.tool(Request::Retry { row: Some(row.row), again: false }).await;
    assert!(format!("{refused:?}").contains("waits until the customer writes again"), "{refused:?}");
    world.tool(Request::Drop { row: row.row }).await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    assert!(!World::chat_on(&world.other, "Anna").contains("until six"));
}

#[tokio::test(start_paused = true)]
async fn what_waits_can_be_changed_and_taken_back_without_a_trace() {
    let world = too_late().await;
    let first = world.answers("ann", "Anna", "Yes, untl six.").await;
    let second = world.answers("ann", "Anna", "Or seven.").await;
    world.edits("ann", &first, "Yes, until six.").await;
    world.deletes("ann", &second).await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Hello?
    frontdesk: Yes, until six.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Tue 24 Nov, 10:01
      Answer until Wed 25 Nov, 10:01
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        notice: frontdesk: Anna still waits. Their messenger lets us answer until Tue 24 Nov, 10:00; after that only with !template, or when they write again.
        ann: Yes, until six. (edited)
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        ann: Or seven. (deleted)
        notice: frontdesk: Not sent yet: this one waits too, until Anna writes again. (to @ann:example.org)
        frontdesk: Anna: Hello?
        notice: frontdesk: They have written again, so this was sent now: Yes, until six.
    ");
}

#[tokio::test(start_paused = true)]
async fn drop_takes_back_what_waits() {
    let mut world = too_late().await;
    world.answers("ann", "Anna", "!drop").await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.answers("ann", "Anna", "Or seven.").await;
    world.answers("ann", "Anna", "!drop").await;
    world.restart().await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    world.answers("ann", "Anna", "Good morning").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Hello?
    frontdesk: Good morning
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Tue 24 Nov, 10:01
      Answer until Wed 25 Nov, 10:01
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        notice: frontdesk: Anna still waits. Their messenger lets us answer until Tue 24 Nov, 10:00; after that only with !template, or when they write again.
        ann: !drop
        notice: frontdesk: Nothing waits here until the customer writes.
        ann: Yes, until six.
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        ann: Or seven.
        notice: frontdesk: Not sent yet: this one waits too, until Anna writes again. (to @ann:example.org)
        ann: !drop
        notice: frontdesk: Taken back: the 2 answers that waited are not sent.
        frontdesk: Anna: Hello?
        ann: Good morning
    ");
}

#[tokio::test(start_paused = true)]
async fn drop_takes_back_what_the_platform_does_not_take_yet() {
    let world = too_late().await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.answers("ann", "Anna", "Or seven.").await;
    let patience = SendError::RetryAfter { after: Duration::from_secs(30), bucket: None };
    world.other.fail_next_to("Anna", Fault::Before(patience));
    world.says_on(&world.other, "Anna", "Hello?").await;
    world.answers("ann", "Anna", "!drop").await;
    world.secs(600).await;
    let chat = World::chat_on(&world.other, "Anna");
    assert!(chat.trim_end().ends_with("Anna: Hello?"), "{chat}");
    assert!(world.room().contains("Taken back: the 2 answers that waited are not sent."), "{}", world.room());
    assert!(!world.room().contains("so this was sent now"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn drop_takes_back_what_is_about_to_be_sent() {
    let world = too_late().await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.other.prepares_for(Duration::from_secs(20));
    world.says_on(&world.other, "Anna", "Hello?").await;
    world.answers("ann", "Anna", "!drop").await;
    world.secs(600).await;
    assert!(world.room().contains("Taken back: the answer that waited is not sent."), "{}", world.room());
    assert!(!World::chat_on(&world.other, "Anna").contains("until six"));
}

#[tokio::test(start_paused = true)]
async fn drop_does_not_say_so_of_what_is_being_sent() {
    let world = too_late().await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.answers("ann", "Anna", "Or seven.").await;
    world.other.finds(Finds::Truth);
    world.other.fail_next_to("Anna", Fault::Silence);
    world.says_on(&world.other, "Anna", "Hello?").await;
    world.answers("ann", "Anna", "!drop").await;
    world.secs(600).await;
    let chat = World::chat_on(&world.other, "Anna");
    assert!(chat.trim_end().ends_with("Hello?\nfrontdesk: Yes, until six."), "{chat}");
    let room = world.room();
    let (_, after) = room.split_once("ann: !drop\n").unwrap();
    assert!(after.contains("Taken back: the answer that waited is not sent."), "{after}");
    assert!(after.contains("an answer that waited is being sent at this moment: it cannot be taken back"), "{after}");
    assert!(after.contains("so this was sent now: Yes, until six."), "{after}");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_asked_for_again_is_given_up_with_a_word() {
    let world = too_late().await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.hours(73).await;
    world.answers("ann", "Anna", "!retry").await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Hello?
    frontdesk: Yes, until six.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Fri 27 Nov, 11:01
      Answer until Sat 28 Nov, 11:01
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        notice: frontdesk: Anna still waits. Their messenger lets us answer until Tue 24 Nov, 10:00; after that only with !template, or when they write again.
        ann: Yes, until six.
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        notice: frontdesk: Not delivered: the customer has not written for the 72 hours that it waited. (!retry sends it again.) (to @ann:example.org)
        ann: !retry
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        frontdesk: Anna: Hello?
        notice: frontdesk: They have written again, so this was sent now: Yes, until six.
    ");
}

#[tokio::test(start_paused = true)]
async fn the_platform_knows_better() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.secs(30).await;
    world.other.fail_next(Fault::Before(SendError::WindowClosed));
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.answers("ann", "Anna", "Shall I keep one?").await;
    world.secs(600).await;
    assert!(!World::chat_on(&world.other, "Anna").contains("until six"));
    world.says_on(&world.other, "Anna", "Hello?").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Hello?
    frontdesk: Yes, until six.
    frontdesk: Shall I keep one?
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:10
      Answer until Tue 24 Nov, 10:10
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes, until six.
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        ann: Shall I keep one?
        notice: frontdesk: Not sent yet: this one waits too, until Anna writes again. (to @ann:example.org)
        frontdesk: Anna: Hello?
        notice: frontdesk: They have written again, so this was sent now: Yes, until six.
        notice: frontdesk: They have written again, so this was sent now: Shall I keep one?
    ");
}

#[tokio::test(start_paused = true)]
async fn what_the_platform_took_and_did_not_deliver_waits_again() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.secs(30).await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.status("Anna", "Yes, until six.", DeliveryState::Sent).await;
    world.status("Anna", "Yes, until six.", DeliveryState::WindowClosed).await;
    world.status("Anna", "Yes, until six.", DeliveryState::WindowClosed).await;
    world.hours(2).await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    // Of what came before they wrote the platform may speak later.
    world.status("Anna", "Yes, until six.", DeliveryState::Delivered).await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Yes, until six.
    Anna: Hello?
    frontdesk: Yes, until six.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 12:00
      Answer until Tue 24 Nov, 12:00
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes, until six.
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        frontdesk: Anna: Hello?
        notice: frontdesk: They have written again, so this was sent now: Yes, until six.
    ");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_delivered_goes_out_at_once_when_they_have_written_since() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.secs(60).await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    world.status("Anna", "Yes, until six.", DeliveryState::WindowClosed).await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Yes, until six.
    Anna: Hello?
    frontdesk: Yes, until six.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:01
      Answer until Tue 24 Nov, 10:01
        frontdesk: Anna: Do you have rye bread?
        ann: Yes, until six.
        frontdesk: Anna: Hello?
        notice: frontdesk: This answer was not delivered at first, because too much time had passed. They have written since: it goes out again. (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn of_a_long_answer_only_the_piece_that_is_missing_goes_out_again() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "What do you have?").await;
    world.secs(30).await;
    let [first, second] = ["Rye, wheat, spelt and rolls. ".repeat(6), "Also cakes, pies and tarts. ".repeat(5)];
    let [first, second] = [first.trim(), second.trim()];
    world.answers("ann", "Anna", &format!("{first} {second}")).await;
    world.status("Anna", first, DeliveryState::Delivered).await;
    world.status("Anna", second, DeliveryState::Sent).await;
    world.status("Anna", second, DeliveryState::WindowClosed).await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    let chat = World::chat_on(&world.other, "Anna");
    assert_eq!((chat.matches(first).count(), chat.matches(second).count()), (1, 2), "{chat}");
    assert!(chat.trim_end().ends_with(second), "{chat}");
}

#[tokio::test(start_paused = true)]
async fn whom_an_operator_blocked_gets_nothing_until_that_ends() {
    let mut world = too_late().await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.answers("ann", "Anna", "!block").await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    world.secs(60).await;
    assert!(!World::chat_on(&world.other, "Anna").contains("until six"));
    world.restart().await;
    world.secs(60).await;
    assert!(!World::chat_on(&world.other, "Anna").contains("until six"));
    world.answers("ann", "Anna", "!unblock").await;
    assert!(World::chat_on(&world.other, "Anna").contains("until six"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn only_a_message_of_theirs_opens_it_at_the_platforms_time() {
    let world = too_late().await;
    let answer = world.answers("ann", "Anna", "Yes, until six.").await;
    let known = world.customer(&world.other, "Anna", Event::Known);
    let echo = world.customer(&world.other, "Anna", Event::Echo(Message::text("phone-1", "We are here")));
    let reaction = world.customer(&world.other, "Anna", Event::Reaction { id: answer, emoji: Some("👍".into()) });
    for event in [known, echo, reaction] {
        world.other.arrives(event);
    }
    world.secs(60).await;
    assert!(!World::chat_on(&world.other, "Anna").contains("until six"));
    // It lay on the platform for two days: what it opened has closed again.
    let mut late = world.customer(&world.other, "Anna", Event::Message(Message::text("late-1", "Hello?")));
    late.sent_at = Some(world.now() - Duration::from_secs(2 * 24 * 3600));
    world.other.arrives(late);
    world.secs(60).await;
    assert!(!World::chat_on(&world.other, "Anna").contains("until six"), "{}", world.room());
    world.says_on(&world.other, "Anna", "Hello again").await;
    assert!(World::chat_on(&world.other, "Anna").contains("until six"), "{}", world.room());
    assert_eq!(world.other.too_late(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_not_forgotten_by_a_conversation_that_ends() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.answers("ann", "Anna", "I shall ask").await;
    world.hours(DAY + 1).await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.answers("ann", "Anna", "!close").await;
    world.hours(3).await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Tue 24 Nov, 14:00
      Answer until Wed 25 Nov, 14:00
        frontdesk: Anna: Do you have rye bread?
        ann: I shall ask
        ann: Yes, until six.
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        ann: !close
        notice: frontdesk: An answer still waits until they write again, and then goes out; !drop takes it back.
        frontdesk: Anna: Hello?
        notice: frontdesk: They have written again, so this was sent now: Yes, until six.
    ");
}
