use frontdesk_core::{Event, Message, PersonKind};
use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{OTHER, SHOP, World};

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";
const MONDAY_NIGHT: &str = "2026-11-23T20:00[Europe/Berlin]";

#[tokio::test(start_paused = true)]
async fn a_first_burst_gets_one_acknowledgement_after_it() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(6).await;
    world.says("Anna", "Do you have rye bread?").await;
    world.secs(6).await;
    assert!(!world.chat("Anna").contains("frontdesk"), "still writing");
    world.secs(5).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
    // Never again.
    world.hours(4).await;
    world.says("Anna", "Are you there?").await;
    world.secs(60).await;
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_waited_for_no_longer_than_45_seconds() {
    let world = World::at(MONDAY).await;
    for _ in 0..8 {
        world.says("Anna", "and").await;
        world.secs(6).await;
    }
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_makes_the_acknowledgement_needless() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(5).await;
    world.answers("ann", "Anna", "Good morning").await;
    world.secs(60).await;
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Good morning
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: Good morning
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: not sent: a person answered first
    ");
}

#[tokio::test(start_paused = true)]
async fn a_first_contact_at_night_gets_one_message_that_does_both() {
    let world = World::at(MONDAY_NIGHT).await;
    world.says("Anna", "Hello").await;
    world.secs(60).await;
    world.says("Anna", "Anybody?").await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment and open again tomorrow at 09:00; one of us will answer you here after that.
    Anna: Anybody?
    ");
}

#[tokio::test(start_paused = true)]
async fn a_closed_period_is_told_once_and_the_same_words_never_twice() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi").await;
    world.hours(10).await;
    world.says("Anna", "Monday evening: is my cake ready?").await;
    world.secs(60).await;
    world.says("Anna", "Hello?").await;
    world.secs(60).await;
    // On Tuesday evening the notice would read the same.
    world.hours(24).await;
    world.says("Anna", "Tuesday evening: and now?").await;
    world.secs(60).await;
    // On Friday evening "on Monday" is news.
    world.hours(72).await;
    world.says("Anna", "Friday evening: hello?").await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi
    Anna: Monday evening: is my cake ready?
    frontdesk: Hi Anna, we are closed at the moment and open again tomorrow at 09:00. Your message is waiting for us here.
    Anna: Hello?
    Anna: Tuesday evening: and now?
    Anna: Friday evening: hello?
    frontdesk: Hi Anna, we are closed at the moment and open again on Monday at 09:00. Your message is waiting for us here.
    ");
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 20:00
        frontdesk: Anna: Hello
        ann: Hi
        frontdesk: Anna: Monday evening: is my cake ready?
        notice: frontdesk: Sent automatically: Hi Anna, we are closed at the moment and open again tomorrow at 09:00. Your message is waiting for us here.
        frontdesk: Anna: Hello?
        frontdesk: Anna: Tuesday evening: and now?
        frontdesk: Anna: Friday evening: hello?
        notice: frontdesk: Sent automatically: Hi Anna, we are closed at the moment and open again on Monday at 09:00. Your message is waiting for us here.
        ann: !why
        notice: frontdesk: Fri 27 Nov, 20:03: notice outside the opening hours: sent
          Tue 24 Nov, 20:02: notice outside the opening hours: not sent: they have read the same words in the last days
        notice: frontdesk: Mon 23 Nov, 20:01: notice outside the opening hours: not sent: they were told since we closed
          Mon 23 Nov, 20:00: notice outside the opening hours: sent
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: not sent: a person answered first
    ");
}

#[tokio::test(start_paused = true)]
async fn no_notice_while_a_person_is_there() {
    let world = World::at("2026-11-23T17:55[Europe/Berlin]").await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi, one moment").await;
    world.secs(600).await;
    world.says("Anna", "Still there?").await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi, one moment
    Anna: Still there?
    ");
}

#[tokio::test(start_paused = true)]
async fn thanks_need_no_notice() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi").await;
    world.hours(10).await;
    for text in ["Thank you!", "👍", "ok"] {
        world.says("Anna", text).await;
        world.secs(60).await;
    }
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1, "{}", world.chat("Anna"));
}

#[tokio::test(start_paused = true)]
async fn old_messages_and_programs_get_nothing_automatic() {
    let world = World::at(MONDAY).await;
    let mut old = world.customer(&world.shop, "Anna", Event::Message(Message::text("c-old", "From yesterday")));
    old.sent_at = Some(world.now() - SignedDuration::from_hours(1));
    world.shop.arrives(old);
    let mut bot = world.customer(&world.shop, "Bot", Event::Message(Message::text("c-bot", "Beep")));
    bot.from.kind = PersonKind::Bot;
    world.shop.arrives(bot);
    world.secs(60).await;
    assert!(!world.chat("Anna").contains("frontdesk") && !world.chat("Bot").contains("frontdesk"));
    // The operators see them all the same.
    assert!(world.room().contains("Anna: From yesterday") && world.room().contains("Bot: Beep"));
}

#[tokio::test(start_paused = true)]
async fn start_without_a_question_gets_an_invitation_and_no_thread() {
    let world = World::at(MONDAY).await;
    world.does("Anna", Event::Started { payload: Some("flyer".into()) }).await;
    world.does("Anna", Event::Started { payload: None }).await;
    world.secs(60).await;
    assert_eq!(world.room(), "");
    assert_snapshot!(world.chat("Anna"), @"frontdesk: Hi Anna, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message. Today we are open 09:00–18:00.");
    world.says("Anna", "Do you have rye bread?").await;
    world.secs(60).await;
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1, "the invitation was the acknowledgement");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:01
      Came from: flyer
        frontdesk: Anna: Do you have rye bread?
    ");
}

#[tokio::test(start_paused = true)]
async fn each_messenger_greets_its_own_people_once() {
    let world = World::at(MONDAY).await;
    assert_ne!(SHOP, OTHER);
    world.says_on(&world.shop, "Anna", "Hello").await;
    world.says_on(&world.other, "Anna", "Hello").await;
    world.secs(60).await;
    // The same id on two messengers is not the same person.
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 1);
    assert_eq!(World::chat_on(&world.other, "Anna").matches("frontdesk:").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_the_phone_counts_as_an_answer() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.does("Anna", Event::Echo(Message::text("c-echo", "Hi, this is the owner"))).await;
    world.secs(60).await;
    assert!(!world.chat("Anna").contains("frontdesk"));
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Answered on the phone: Hi, this is the owner
    ");
}

#[tokio::test(start_paused = true)]
async fn three_automatic_texts_a_day_are_enough() {
    // Open for a minute of each hour: every message is in a closed period of its own.
    let world = World::with(MONDAY, |policy| {
        let spans: Vec<_> = (0..24).map(|hour| format!("{hour:02}:00-{hour:02}:01").parse().unwrap()).collect();
        let week = std::array::from_fn(|_| spans.clone());
        policy.hours = frontdesk::hours::Hours::new(policy.timezone().clone(), week, Vec::new()).unwrap();
        policy.replies.repeat_after = SignedDuration::from_secs(1);
    })
    .await;
    world.secs(600).await;
    for _ in 0..6 {
        world.says("Anna", "Are you open?").await;
        world.hours(1).await;
    }
    assert_eq!(world.chat("Anna").matches("frontdesk:").count(), 3);
}
