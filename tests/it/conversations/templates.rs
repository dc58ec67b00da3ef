//! Approved messages: chosen, filled in, sent when nothing else is taken.

use frontdesk_core::{RefusedScope, SendError};
use insta::assert_snapshot;

use super::{asked, windowed};
use crate::{fake::Fault, world::World};

#[tokio::test(start_paused = true)]
async fn a_template_goes_out_when_nothing_else_does_and_before_what_waits() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "When is my cake ready?").await;
    world.hours(30).await;
    world.answers("ann", "Anna", "It is ready now.").await;
    world.answers("ann", "Anna", "!template").await;
    world.answers("ann", "Anna", "!template cake_ready Anna “the apple  cake”").await;
    assert_eq!(World::chat_on(&world.other, "Anna").matches("the apple cake").count(), 1);
    world.says_on(&world.other, "Anna", "Great").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"");
    assert_snapshot!(world.room(), @"");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_it_is_told_before_anything_is_sent() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "When is my cake ready?").await;
    world.secs(30).await;
    for words in ["cake_redy Anna cake", "cake_ready", "cake_ready Anna \"\"", "cake_ready \"Anna", "cake_ready:fr A b"]
    {
        world.answers("ann", "Anna", &format!("!template {words}")).await;
        world.secs(61).await;
    }
    assert_eq!(World::chat_on(&world.other, "Anna").matches("frontdesk").count(), 1, "the greeting");
    assert_snapshot!(world.room(), @"");
}

#[tokio::test(start_paused = true)]
async fn the_language_is_the_customers() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Guten Tag, ich hätte gerne am Samstag eine Torte für zwölf Personen.").await;
    world.answers("ann", "Anna", "!template cake_ready Anna Apfelkuchen").await;
    world.answers("ann", "Anna", "!template cake_ready:en Anna pie").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"");
}

#[tokio::test(start_paused = true)]
async fn the_list_is_read_now_and_then_and_for_a_name_that_is_not_in_it() {
    let world = windowed().await;
    assert_eq!(world.other.templates_read(), 1);
    world.says_on(&world.other, "Anna", "When is my cake ready?").await;
    world.secs(601).await;
    assert_eq!(world.other.templates_read(), 2, "every ten minutes");
    world.secs(90).await;
    world.other.has_window(std::time::Duration::from_secs(24 * 3600), &[("opening", "en", "We are open again.")]);
    world.answers("ann", "Anna", "!template opening").await;
    assert_eq!(world.other.templates_read(), 3, "the name was not known");
    assert!(World::chat_on(&world.other, "Anna").contains("frontdesk: We are open again."), "{}", world.room());
    for _ in 0..5 {
        world.answers("ann", "Anna", "!template closing").await;
    }
    assert_eq!(world.other.templates_read(), 3, "no oftener than once a minute");
    world.secs(61).await;
    world.other.templates_fail(Some("The token has expired: make a new one."));
    world.answers("ann", "Anna", "!template closing").await;
    assert_eq!(world.other.templates_read(), 4);
    world.answers("ann", "Anna", "!template opening").await;
    assert_eq!(World::chat_on(&world.other, "Anna").matches("We are open again.").count(), 2, "the old list holds");
    assert_snapshot!(world.room(), @"");
}

#[tokio::test(start_paused = true)]
async fn where_none_are_needed_there_are_none() {
    let world = asked().await;
    world.answers("ann", "Anna", "!template cake_ready").await;
    assert!(world.room().contains("needs no approved messages: write to them as usual"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn a_template_that_was_refused_is_sent_again_as_a_template() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "When is my cake ready?").await;
    world.hours(30).await;
    world.other.fail_next(Fault::Before(SendError::refused(RefusedScope::Recipient, "The customer is not there.")));
    world.answers("ann", "Anna", "!template cake_ready Anna cake").await;
    world.answers("ann", "Anna", "!retry").await;
    assert_eq!(world.other.carried_out().iter().filter(|it| *it == "template: cake_ready").count(), 1);
    assert_snapshot!(world.room(), @"");
}
