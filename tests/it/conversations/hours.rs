use std::time::Duration;

use frontdesk_core::{Event, Message, SendError, Side};
use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::{fake::Fault, world::World};

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";
const MONDAY_NIGHT: &str = "2026-11-23T20:00[Europe/Berlin]";

async fn outside(world: &World, operator: &str, text: &str) {
    world.writes(operator, None, Message::text(world.desk.next("o"), text)).await;
}

#[tokio::test(start_paused = true)]
async fn closed_for_the_moment_is_told_and_ends_by_itself() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi").await;
    world.hours(1).await;
    outside(&world, "ann", "!hours closed until 15:00").await;
    world.restart().await;
    world.says("Anna", "Are you open?").await;
    world.secs(60).await;
    world.says("Anna", "Hello?").await;
    world.secs(60).await;
    outside(&world, "ben", "!hours").await;
    // From three on the shop is open as always.
    world.hours(4).await;
    world.says("Anna", "And now?").await;
    world.says("Ben", "Hello").await;
    world.secs(60).await;
    outside(&world, "ben", "!hours").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi
    Anna: Are you open?
    frontdesk: Hi Anna, we are closed at the moment and open again today at 15:00. Your message is waiting for us here.
    Anna: Hello?
    Anna: And now?
    ");
    assert_snapshot!(world.chat("Ben"), @"
    Ben: Hello
    frontdesk: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 11:00
        frontdesk: Anna: Hello
        ann: Hi
        frontdesk: Anna: Are you open?
        notice: frontdesk: Sent automatically: Hi Anna, we are closed at the moment and open again today at 15:00. Your message is waiting for us here.
        frontdesk: Anna: Hello?
        frontdesk: Anna: And now?
    ann: !hours closed until 15:00
    notice: frontdesk: For the whole business: closed now (set with !hours until 15:00), opens today at 15:00. !hours reset ends it.
    ben: !hours
    notice: frontdesk: closed now (set with !hours until 15:00), opens today at 15:00
      Mon 2026-11-23  09:00-18:00  today, set to closed until 15:00
      Tue 2026-11-24  09:00-18:00
      Wed 2026-11-25  09:00-18:00
    notice: frontdesk: Thu 2026-11-26  09:00-18:00
      Fri 2026-11-27  09:00-18:00
      Sat 2026-11-28  closed
      Sun 2026-11-29  closed
      Set by ann Mon 23 Nov, 11:00; !hours reset ends it.
    notice: frontdesk: Ben · telegram.shop · new
      Waiting since Mon 23 Nov, 15:02
        frontdesk: Ben: Hello
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    ben: !hours
    notice: frontdesk: open now, until 18:00
      Mon 2026-11-23  09:00-18:00  today
      Tue 2026-11-24  09:00-18:00
      Wed 2026-11-25  09:00-18:00
      Thu 2026-11-26  09:00-18:00
      Fri 2026-11-27  09:00-18:00
      Sat 2026-11-28  closed
    notice: frontdesk: Sun 2026-11-29  closed
    ");
}

#[tokio::test(start_paused = true)]
async fn open_for_longer_ends_by_itself_and_may_run_past_midnight() {
    let mut world = World::at(MONDAY_NIGHT).await;
    outside(&world, "ann", "!hours open until 01:30").await;
    world.says("Anna", "Hello").await;
    world.secs(60).await;
    world.hours(5).await;
    world.restart().await;
    // One o'clock: still open.
    world.says("Anna", "Still there?").await;
    world.secs(60).await;
    world.hours(1).await;
    world.says("Anna", "And now?").await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Still there?
    Anna: And now?
    frontdesk: Hi Anna, we are closed at the moment and open again today at 09:00. Your message is waiting for us here.
    ");
    assert_snapshot!(world.room(), @"
    ann: !hours open until 01:30
    notice: frontdesk: For the whole business: open now (set with !hours until tomorrow at 01:30), until tomorrow at 01:30. !hours reset ends it.
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 20:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: Still there?
        frontdesk: Anna: And now?
        notice: frontdesk: Sent automatically: Hi Anna, we are closed at the moment and open again today at 09:00. Your message is waiting for us here.
    ");
}

#[tokio::test(start_paused = true)]
async fn another_notice_is_due_only_when_it_was_open_meanwhile_overrides_included() {
    let mut world =
        World::with(MONDAY_NIGHT, |policy| policy.replies.repeat_after = SignedDuration::from_secs(1)).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi").await;
    world.hours(1).await;
    world.says("Anna", "Monday night").await;
    world.secs(60).await;
    // Closed all of Tuesday: no moment was open, so it is the same closed period.
    outside(&world, "ann", "!hours closed until wednesday").await;
    world.hours(16).await;
    world.says("Anna", "Tuesday noon").await;
    world.secs(60).await;
    assert_eq!(world.chat("Anna").matches("frontdesk: Hi Anna").count(), 1);
    // Open for an hour, and closed again.
    outside(&world, "ben", "!hours open until 14:00").await;
    world.restart().await;
    world.hours(2).await;
    outside(&world, "ben", "!hours closed until wednesday").await;
    world.says("Anna", "Tuesday afternoon").await;
    world.secs(60).await;
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi
    Anna: Monday night
    frontdesk: Hi Anna, we are closed at the moment and open again tomorrow at 09:00. Your message is waiting for us here.
    Anna: Tuesday noon
    Anna: Tuesday afternoon
    frontdesk: Hi Anna, we are closed at the moment and open again tomorrow at 09:00. Your message is waiting for us here.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 21:00
        frontdesk: Anna: Hello
        ann: Hi
        frontdesk: Anna: Monday night
        notice: frontdesk: Sent automatically: Hi Anna, we are closed at the moment and open again tomorrow at 09:00. Your message is waiting for us here.
        frontdesk: Anna: Tuesday noon
        frontdesk: Anna: Tuesday afternoon
        notice: frontdesk: Sent automatically: Hi Anna, we are closed at the moment and open again tomorrow at 09:00. Your message is waiting for us here.
        ann: !why
        notice: frontdesk: Tue 24 Nov, 15:02: notice outside the opening hours: sent
          Tue 24 Nov, 13:01: notice outside the opening hours: not sent: they were told since we closed
        notice: frontdesk: Mon 23 Nov, 21:00: notice outside the opening hours: sent
          Mon 23 Nov, 20:00: first acknowledgement, outside the opening hours: not sent: a person answered first
    ann: !hours closed until wednesday
    notice: frontdesk: For the whole business: closed now (set with !hours until Wed 2026-11-25 at 00:00), opens on Wed 2026-11-25 at 09:00. !hours reset ends it.
    ben: !hours open until 14:00
    notice: frontdesk: For the whole business: open now (set with !hours until 14:00), until 18:00. !hours reset ends it.
    ben: !hours closed until wednesday
    notice: frontdesk: For the whole business: closed now (set with !hours until midnight), opens tomorrow at 09:00. !hours reset ends it.
    ");
}

#[tokio::test(start_paused = true)]
async fn it_is_ended_and_every_other_desk_is_told() {
    let world = World::with(MONDAY, |policy| {
        let main = policy.desks[0].clone();
        policy.desks.push(frontdesk::dispatcher::Desk { name: "night".into(), ..main });
    })
    .await;
    outside(&world, "ann", "!hours reset").await;
    outside(&world, "ann", "!hours closed until tomorrow").await;
    outside(&world, "ann", "!hours reset").await;
    let mut posts = world.desk.posts();
    posts.sort_by(|a, b| a.chat.cmp(&b.chat));
    let posts = posts.iter().map(|post| format!("in {}: {}: {}\n", post.chat, post.author, post.text));
    assert_snapshot!(posts.collect::<String>(), @"
    in main: ann: !hours reset
    in main: frontdesk: Nothing was set; the usual hours count: open now, until 18:00.
    in main: ann: !hours closed until tomorrow
    in main: frontdesk: For the whole business: closed now (set with !hours until midnight), opens tomorrow at 09:00. !hours reset ends it.
    in main: ann: !hours reset
    in main: frontdesk: The usual hours count again: open now, until 18:00.
    in night: frontdesk: ann has changed the hours: closed now (set with !hours until midnight), opens tomorrow at 09:00.
    in night: frontdesk: ann has ended the changed hours; the usual ones count: open now, until 18:00.
    ");
    // Asked there, it is said whose word it is.
    outside(&world, "ann", "!hours closed until tomorrow").await;
    let asked = Event::Message(Message::text("o-night", "!hours"));
    world.at_another_desk("night", "ben", None, asked).await;
    let said = world.desk.posts().pop().unwrap();
    assert_eq!(said.chat, "night");
    assert!(
        said.text.ends_with("Set by ann at the desk main Mon 23 Nov, 10:00; !hours reset ends it."),
        "{}",
        said.text
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_understood_changes_nothing_and_shows_the_form() {
    let world = World::at(MONDAY).await;
    let wrong = [
        "closed",
        "closed until",
        "closed until 3pm",
        "shut until 15:00",
        "open until 2026-11-20 10:00",
        "closed until 2062-11-24 10:00",
        "open until 25:00",
    ];
    let mut answers = String::new();
    for words in wrong {
        let before = world.desk.posts().len();
        outside(&world, "ann", &format!("!hours {words}")).await;
        let said = world.desk.posts().split_off(before + 1);
        let said: Vec<_> = said.iter().map(|post| post.text.as_str()).collect();
        let said = said.join("\n");
        let (problem, forms) = said.split_once(" Write it like").unwrap();
        assert!(forms.contains("!hours closed until 15:00") && forms.contains("!hours reset"), "{forms}");
        answers.push_str(&format!("{words}: {problem}\n"));
    }
    outside(&world, "ann", "!hours").await;
    assert_snapshot!(answers, @"
    closed: Nothing was changed: I do not understand `closed`.
    closed until: Nothing was changed. Until when?
    closed until 3pm: Nothing was changed. `3pm` is not a time.
    shut until 15:00: Nothing was changed: I do not understand `shut until 15:00`.
    open until 2026-11-20 10:00: Nothing was changed. `2026-11-20 10:00` has passed.
    closed until 2062-11-24 10:00: Nothing was changed. `2062-11-24 10:00` is more than a year away.
    open until 25:00: Nothing was changed. `25:00` is not a time.
    ");
    assert!(world.room().contains("open now, until 18:00"));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_lay_on_the_platform_means_the_day_on_which_it_was_written() {
    let mut world = World::at(MONDAY).await;
    let written = world.now();
    world.kill().await;
    world.hours(24).await;
    let message = Message::text("o-late", "!hours closed until 15:00");
    world.desk.arrives(frontdesk_core::Inbound {
        key: "k-late".into(),
        side: Side::Desk { desk: "main".into(), thread: None },
        from: frontdesk_core::Person::human("@ann:example.org", "ann"),
        at: frontdesk_core::Address::Desk { desk: "main".into(), thread: None },
        sent_at: Some(written),
        event: Event::Message(message),
    });
    world.start().await;
    assert!(world.room().contains("Nothing was changed: `15:00` has passed."), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_waits_to_be_sent_never_tells_hours_that_were_changed_meanwhile() {
    let mut world = World::at(MONDAY_NIGHT).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Hi").await;
    world.hours(1).await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(300), bucket: None }));
    world.says("Anna", "Are you open?").await;
    world.secs(60).await;
    world.answers("ann", "Anna", "!hours open until 23:00").await;
    world.restart().await;
    world.secs(600).await;
    world.answers("ann", "Anna", "!why").await;
    assert!(!world.chat("Anna").contains("closed"), "{}", world.chat("Anna"));
    let why =
        "Mon 23 Nov, 21:05: notice outside the opening hours: not sent: the hours were changed before it went out";
    assert!(world.room().contains(why), "{}", world.room());
    // It was never told, so at midnight it is.
    world.hours(3).await;
    world.says("Anna", "And now?").await;
    world.secs(60).await;
    assert_eq!(world.chat("Anna").matches("we are closed at the moment").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_decrypted_late_changes_nothing() {
    let world = World::at(MONDAY).await;
    let hidden = Event::Undecryptable { id: "o-hidden".into(), raw: serde_json::json!({}).into() };
    world.at_desk("ann", None, hidden).await;
    world.secs(120).await;
    world.at_desk("ann", None, Event::Message(Message::text("o-hidden", "!hours closed until 15:00"))).await;
    outside(&world, "ben", "!hours").await;
    let room = world.room();
    assert!(
        room.contains("was not sent, because you may have written it again. It says: !hours closed until"),
        "{room}"
    );
    assert!(room.contains("open now, until 18:00"), "{room}");
}
