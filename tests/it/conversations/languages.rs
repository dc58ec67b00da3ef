use frontdesk_core::{Event, Message};
use insta::assert_snapshot;

use crate::world::World;

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";
const MONDAY_NIGHT: &str = "2026-11-23T20:00[Europe/Berlin]";

const GERMAN: &str = "Guten Tag, haben Sie heute noch Roggenbrot und ein paar Brötchen für mich?";
const ENGLISH: &str = "Sorry, could you please tell me when you are open on the weekend?";

#[tokio::test(start_paused = true)]
async fn who_writes_german_is_answered_in_german_although_their_app_is_english() {
    let world = World::at(MONDAY).await;
    world.says("Anna", GERMAN).await;
    world.secs(30).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Guten Tag, haben Sie heute noch Roggenbrot und ein paar Brötchen für mich?
    frontdesk: Hallo Anna, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen, und wir antworten Ihnen hier.
    ");
    // What is not sure is no language: the app's counts.
    world.says("Ben", "Termin?").await;
    world.secs(30).await;
    assert!(world.chat("Ben").contains("frontdesk: Hi Ben, thank you"), "{}", world.chat("Ben"));
}

#[tokio::test(start_paused = true)]
async fn a_language_is_kept_until_another_one_is_sure() {
    let mut world = World::with(MONDAY_NIGHT, |policy| policy.replies.human_present = jiff::SignedDuration::ZERO).await;
    world.says("Anna", GERMAN).await;
    world.secs(30).await;
    world.restart().await;
    // Short words say nothing about a language, and forwarded ones are somebody else's.
    world.hours(24).await;
    world.says("Anna", "ok?").await;
    let mut forwarded = Message::text("c-forwarded", ENGLISH);
    forwarded.forwarded = true;
    world.customer_sends(&world.shop, "Anna", forwarded).await;
    world.secs(60).await;
    world.hours(24).await;
    world.says("Anna", ENGLISH).await;
    world.secs(60).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Guten Tag, haben Sie heute noch Roggenbrot und ein paar Brötchen für mich?
    frontdesk: Hallo Anna, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen. Im Moment haben wir geschlossen und sind morgen um 09:00 Uhr wieder da; danach antworten wir Ihnen hier.
    Anna: ok?
    Anna: Sorry, could you please tell me when you are open on the weekend?
    frontdesk: Hallo Anna, im Moment haben wir geschlossen und sind morgen um 09:00 Uhr wieder da. Ihre Nachricht wartet hier auf uns.
    Anna: Sorry, could you please tell me when you are open on the weekend?
    frontdesk: Hi Anna, we are closed at the moment and open again tomorrow at 09:00. Your message is waiting for us here.
    ");
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_sets_comes_before_everything() {
    let mut world = World::at(MONDAY_NIGHT).await;
    world.says("Anna", GERMAN).await;
    world.answers("ann", "Anna", "!lang").await;
    world.answers("ann", "Anna", "!lang EN").await;
    world.restart().await;
    world.secs(30).await;
    assert!(world.chat("Anna").contains("frontdesk: Hi Anna, thank you"), "{}", world.chat("Anna"));
    for rest in ["", "fr", "german please", "auto"] {
        world.answers("ann", "Anna", format!("!lang {rest}").trim()).await;
    }
    world.does("Ben", Event::Started { payload: None }).await;
    world.says("Ben", "Hi").await;
    world.answers("ann", "Ben", "!lang").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 20:00
        frontdesk: Anna: Guten Tag, haben Sie heute noch Roggenbrot und ein paar Brötchen für mich?
        ann: !lang
        notice: frontdesk: Anna is written to automatically in `de` (as they write). Possible: en, de; !lang auto chooses by itself.
        ann: !lang EN
        notice: frontdesk: Anna is written to automatically in `en` (as set with !lang).
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment and open again tomorrow at 09:00; one of us will answer you here after
        notice: frontdesk: that.
        ann: !lang
        notice: frontdesk: Anna is written to automatically in `en` (as set with !lang). Possible: en, de; !lang auto chooses by itself.
        ann: !lang fr
        notice: frontdesk: Nothing was changed: there is no wording for `fr`. Possible: en, de; !lang auto chooses by itself.
        ann: !lang german please
        notice: frontdesk: Nothing was changed: there is no wording for `german please`. Possible: en, de; !lang auto chooses by itself.
        ann: !lang auto
        notice: frontdesk: Anna is written to automatically in `de` (as they write).
    notice: frontdesk: Ben · telegram.shop · new
      Waiting since Mon 23 Nov, 20:00
        frontdesk: Ben: Hi
        ann: !lang
        notice: frontdesk: Ben is written to automatically in `en` (as their app is set). Possible: en, de; !lang auto chooses by itself.
    ");
}
