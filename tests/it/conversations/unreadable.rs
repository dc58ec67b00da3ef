use frontdesk_core::{Event, Message};
use insta::assert_snapshot;

use super::asked;

#[tokio::test(start_paused = true)]
async fn a_message_that_can_be_read_at_once_goes_out_and_one_that_is_read_too_late_does_not() {
    let world = asked().await;
    let thread = Some(world.thread("Anna"));
    let hidden = |id: &str| Event::Undecryptable { id: id.into(), raw: serde_json::json!({}).into() };
    world.at_desk("ann", thread.clone(), hidden("o-1")).await;
    world.secs(20).await;
    world.writes("ann", thread.clone(), Message::text("o-1", "Soon readable")).await;
    world.at_desk("ann", thread.clone(), hidden("o-2")).await;
    world.secs(600).await;
    world.answers("ann", "Anna", "I wrote it again").await;
    world.writes("ann", thread, Message::text("o-2", "Readable too late")).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Soon readable
    frontdesk: I wrote it again
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:10
        frontdesk: Anna: Hello
        notice: frontdesk: A message of yours could not be decrypted and was not sent. If it does not go out within a minute, please write it again. (to @ann:example.org)
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Soon readable
        notice: frontdesk: A message of yours could not be decrypted and was not sent. If it does not go out within a minute, please write it again. (to @ann:example.org)
        ann: I wrote it again
        ann: Readable too late
        notice: frontdesk: A message of yours can be read only now and was not sent, because you may have written it again. It says: Readable too late (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_reply_outside_the_threads_is_told() {
    let world = asked().await;
    let hidden = |id: &str| Event::Undecryptable { id: id.into(), raw: serde_json::json!({}).into() };
    world.at_desk("ann", None, hidden("o-1")).await;
    world.at_desk("ann", None, hidden("o-2")).await;
    assert_eq!(world.room().matches("could not be decrypted").count(), 1, "{}", world.room());
}
