//! A messenger that refuses the account itself.

use frontdesk::dispatcher::Desk;
use frontdesk_core::{RefusedScope, SendError};
use insta::assert_snapshot;

use super::MONDAY;
use crate::{
    fake::Fault,
    world::{DESK, World},
};

#[tokio::test(start_paused = true)]
async fn every_desk_is_told_once_what_to_do_and_once_that_it_works_again() {
    let second = Desk { name: "second".into(), channel: DESK.into(), operators: Vec::new(), sign: None };
    let world = World::with(MONDAY, |policy| policy.desks.push(second)).await;
    world.says("Anna", "Hello").await;
    world.says("Ben", "Hello").await;
    world.secs(30).await;
    let refused = || SendError::refused(RefusedScope::Account, "The token has expired: make a new one.");
    for _ in 0..4 {
        world.shop.fail_next(Fault::Before(refused()));
    }
    world.answers("ann", "Anna", "Good morning").await;
    world.answers("ann", "Ben", "Good morning").await;
    world.secs(70).await;
    assert!(!world.health.ready());
    let told = |text: &str| world.desk.posts().iter().filter(|post| post.text.contains(text)).count();
    assert_eq!(told("telegram.shop does not work: The token has expired: make a new one."), 2, "{}", world.room());
    assert_eq!(told("telegram.shop works again"), 0);
    world.secs(300).await;
    assert!(world.health.ready());
    assert_eq!((told("does not work"), told("telegram.shop works again")), (2, 2), "{}", world.room());
    assert!(world.chat("Anna").contains("frontdesk: Good morning"));
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Good morning
        notice: frontdesk: Not delivered yet: The token has expired: make a new one. It goes out by itself as soon as that works. (to @ann:example.org)
    notice: frontdesk: Ben · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Ben: Hello
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Good morning
        notice: frontdesk: Not delivered yet: The token has expired: make a new one. It goes out by itself as soon as that works. (to @ann:example.org)
    notice: frontdesk: telegram.shop does not work: The token has expired: make a new one. What you answer its customers waits and goes out by itself when it does.
    notice: frontdesk: telegram.shop does not work: The token has expired: make a new one. What you answer its customers waits and goes out by itself when it does.
    notice: frontdesk: telegram.shop works again; what waited goes out now.
    notice: frontdesk: telegram.shop works again; what waited goes out now.
    ");
}
