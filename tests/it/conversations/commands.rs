use insta::assert_snapshot;

use crate::world::World;
use frontdesk_core::Message;

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

#[tokio::test(start_paused = true)]
async fn help_in_a_thread_and_outside() {
    let world = World::at(MONDAY).await;
    world.writes("ann", None, Message::text("o-1", "!help")).await;
    world.writes("ann", None, Message::text("o-2", "!close")).await;
    assert_snapshot!(world.room(), @"
    ann: !help
    notice: frontdesk: What you write in a thread goes to the customer. These stay here:
      !note TEXT: a note for colleagues
      !close: end the conversation (a new message opens it again)
    notice: frontdesk: !why: what was sent automatically, and why not
      !retry: send again what was not delivered
      !waiting: who waits for an answer, longest first
      !hours: the coming opening hours
    notice: frontdesk: !hours closed until 15:00, !hours open until 20:00: other hours for the moment; !hours reset ends them
    notice: frontdesk: !block: show nothing more of this customer, and send them nothing automatically; !unblock ends it
      !lang de: write to this customer automatically in German
    notice: frontdesk: !write CUSTOMER TEXT, outside the threads: begin a conversation with a customer
      !help: this list
      Whatever begins with / stays here too.
    ann: !close
    notice: frontdesk: !close is about one conversation: write it in that customer's thread.
    ");
}

#[tokio::test(start_paused = true)]
async fn hours_shows_the_coming_days() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "!hours").await;
    world.answers("ann", "Anna", "!hours closed until 15:00").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: !hours
        notice: frontdesk: open now, until 18:00
          Mon 2026-11-23  09:00-18:00  today
          Tue 2026-11-24  09:00-18:00
          Wed 2026-11-25  09:00-18:00
          Thu 2026-11-26  09:00-18:00
          Fri 2026-11-27  09:00-18:00
          Sat 2026-11-28  closed
        notice: frontdesk: Sun 2026-11-29  closed
        ann: !hours closed until 15:00
        notice: frontdesk: For the whole business: closed now (set with !hours until 15:00), opens today at 15:00. !hours reset ends it.
    ");
}

#[tokio::test(start_paused = true)]
async fn why_tells_the_story_of_the_automatic_texts() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: sent
    ");
}

#[tokio::test(start_paused = true)]
async fn retry_without_anything_undelivered_says_so() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "!retry").await;
    world.answers("ann", "Anna", "!note").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: !retry
        notice: frontdesk: Nothing waits to be sent again here.
        ann: !note
        notice: frontdesk: A note needs a text: !note the cake is paid.
    ");
    assert!(!world.chat("Anna").contains("frontdesk"));
}
