use std::time::Duration;

use frontdesk_core::SendError;
use insta::assert_snapshot;

use super::{asked, greeted};
use crate::{fake::Fault, world::World};

#[tokio::test(start_paused = true)]
async fn an_answer_is_given_up_after_days_and_that_is_told() {
    let world = greeted().await;
    for _ in 0..20_000 {
        world.shop.fail_next(Fault::Before(SendError::Transient("no route".into())));
    }
    world.answers("ann", "Anna", "Hi").await;
    world.hours(71).await;
    assert!(!world.room().contains("could not be delivered"), "{}", world.room());
    world.hours(2).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Hi {⚠️}
        notice: frontdesk: Not delivered yet: telegram.shop cannot be reached. It goes out by itself as soon as that works. (to @ann:example.org)
        notice: frontdesk: Not delivered: it could not be delivered for 72 hours. (!retry sends it again.) (to @ann:example.org)
    ");
    world.shop.heal();
    world.hours(1).await;
    assert_eq!(world.chat("Anna").matches("frontdesk: Hi\n").count(), 0, "given up is given up");
    world.answers("ann", "Anna", "!retry").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Hi
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Thu 26 Nov, 12:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Hi
        notice: frontdesk: Not delivered yet: telegram.shop cannot be reached. It goes out by itself as soon as that works. (to @ann:example.org)
        notice: frontdesk: Not delivered: it could not be delivered for 72 hours. (!retry sends it again.) (to @ann:example.org)
        ann: !retry
    ");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_comes_too_late_is_not_sent() {
    let world = asked().await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(1200), bucket: None }));
    world.hours(1).await;
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.chat("Anna"), @"Anna: Hello");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:20: first acknowledgement: not sent: it would have been too late
          Mon 23 Nov, 10:00: first acknowledgement: sent
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
async fn a_notice_is_not_sent_when_the_shop_has_opened_meanwhile() {
    let world = World::at("2026-11-23T20:00[Europe/Berlin]").await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "Good evening").await;
    world.hours(4).await;
    world.says("Anna", "Are you there?").await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(36_000), bucket: None }));
    world.hours(11).await;
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Good evening
    Anna: Are you there?
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Tue 24 Nov, 00:00
        frontdesk: Anna: Hello
        ann: Good evening
        frontdesk: Anna: Are you there?
        ann: !why
        notice: frontdesk: Tue 24 Nov, 10:00: notice outside the opening hours: not sent: it would have been too late
          Tue 24 Nov, 00:00: notice outside the opening hours: sent
        notice: frontdesk: Mon 23 Nov, 20:00: first acknowledgement, outside the opening hours: not sent: a person answered first
    ");
}

#[tokio::test(start_paused = true)]
async fn what_is_for_the_desk_never_expires() {
    let world = greeted().await;
    world.desk.goes_down();
    world.says("Anna", "Are you there?").await;
    world.hours(24 * 14).await;
    world.desk.comes_back();
    world.secs(180).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        frontdesk: Anna: Are you there?
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: Are you there?
    ");
}
