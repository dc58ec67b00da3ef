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
    world.answers("ann", "Anna", "!template cake_ready Anna “apple  pie”").await;
    assert_eq!(World::chat_on(&world.other, "Anna").matches("apple pie").count(), 1);
    world.says_on(&world.other, "Anna", "Great").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: When is my cake ready?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Dear Anna, your apple pie is ready.
    Anna: Great
    frontdesk: It is ready now.
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Tue 24 Nov, 16:00
      Answer until Wed 25 Nov, 16:00
        frontdesk: Anna: When is my cake ready?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        notice: frontdesk: Anna still waits. Their messenger lets us answer until Tue 24 Nov, 10:00; after that only with !template, or when they write again.
        ann: It is ready now.
        notice: frontdesk: Not sent yet: Anna's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        ann: !template
        notice: frontdesk: Approved messages; !template NAME sends one:
          cake_ready 1 2 (en, de): Dear {{1}}, your {{2}} is ready.
          holidays (en_US): We are back on Monday.
        ann: !template cake_ready Anna “apple  pie”
        notice: frontdesk: Sent as `cake_ready` (en): Dear Anna, your apple pie is ready.
        frontdesk: Anna: Great
        notice: frontdesk: They have written again, so this was sent now: It is ready now.
    ");
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
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: When is my cake ready?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: !template cake_redy Anna cake
        notice: frontdesk: Not sent: There is no approved message `cake_redy`; nearest: cake_ready, holidays. !template lists them.
        ann: !template cake_ready
        notice: frontdesk: Not sent: `cake_ready` has 2 gaps to fill, and you wrote 0. It reads: Dear {{1}}, your {{2}} is ready.
        ann: !template cake_ready Anna ""
        notice: frontdesk: Not sent: nothing in `cake_ready` may stay empty.
        ann: !template cake_ready "Anna
        notice: frontdesk: Not sent: a quote has no end. Words that belong together are written in "quotes".
        ann: !template cake_ready:fr A b
        notice: frontdesk: Not sent: `cake_ready` is not there in fr, only in en, de. Say which: !template cake_ready:en
    "#);
}

#[tokio::test(start_paused = true)]
async fn the_language_is_the_customers() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Guten Tag, ich hätte gerne am Samstag eine Torte für zwölf Personen.").await;
    world.answers("ann", "Anna", "!template cake_ready Anna Apfelkuchen").await;
    world.answers("ann", "Anna", "!template cake_ready:en Anna pie").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Guten Tag, ich hätte gerne am Samstag eine Torte für zwölf Personen.
    frontdesk: Guten Tag Anna, Apfelkuchen ist fertig.
    frontdesk: Dear Anna, your pie is ready.
    ");
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
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Mon 23 Nov, 10:12
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: When is my cake ready?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: !template opening
        notice: frontdesk: Sent as `opening` (en): We are open again.
        ann: !template closing
        notice: frontdesk: Not sent: There is no approved message `closing`; nearest: opening. !template lists them.
        ann: !template closing
        notice: frontdesk: Not sent: There is no approved message `closing`; nearest: opening. !template lists them.
        ann: !template closing
        notice: frontdesk: Not sent: There is no approved message `closing`; nearest: opening. !template lists them.
        ann: !template closing
        notice: frontdesk: Not sent: There is no approved message `closing`; nearest: opening. !template lists them.
        ann: !template closing
        notice: frontdesk: Not sent: There is no approved message `closing`; nearest: opening. !template lists them.
        ann: !template closing
        notice: frontdesk: Not sent: There is no approved message `closing`; nearest: opening. !template lists them. The list could not be read again: The token has expired: make a new one.
        ann: !template opening
        notice: frontdesk: Sent as `opening` (en): We are open again.
    ");
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
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Tue 24 Nov, 16:00
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: When is my cake ready?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        notice: frontdesk: Anna still waits. Their messenger lets us answer until Tue 24 Nov, 10:00; after that only with !template, or when they write again.
        ann: !template cake_ready Anna cake
        notice: frontdesk: Sent as `cake_ready` (en): Dear Anna, your cake is ready.
        notice: frontdesk: Not delivered: The customer is not there. (!retry sends it again.) (to @ann:example.org)
        ann: !retry
    ");
}
