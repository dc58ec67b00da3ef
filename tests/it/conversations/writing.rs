//! `!write`: the business writes first.

use frontdesk_core::{Event, Message};
use insta::assert_snapshot;

use super::windowed;
use crate::world::World;

async fn asks(world: &World, text: &str) {
    world.writes("ann", None, Message::text(world.desk.next("o"), text)).await;
    world.secs(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_known_customer_is_written_to_at_once_where_that_is_taken() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna Berger", "A cake for twelve, please").await;
    world.answers("ann", "Anna Berger", "With pleasure").await;
    world.answers("ann", "Anna Berger", "!close").await;
    world.hours(3).await;
    asks(&world, "!write \"anna berger\" Your cake is ready!\nSee you soon").await;
    world.says_on(&world.other, "Anna Berger", "Great").await;
    world.answers("ann", "Anna Berger", "Until six").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna Berger"), @"
    Anna Berger: A cake for twelve, please
    frontdesk: With pleasure
    frontdesk: Your cake is ready!
      See you soon
    Anna Berger: Great
    frontdesk: Until six
    ");
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna Berger · whatsapp.shop · new
      Answered Mon 23 Nov, 13:00
      Answer until Tue 24 Nov, 13:00
        frontdesk: Anna Berger: A cake for twelve, please
        ann: With pleasure
        ann: !close
        notice: frontdesk: ann writes to Anna Berger, and it goes out now: Your cake is ready!
          See you soon
        frontdesk: Anna Berger: Great
        ann: Until six
    ann: !write "anna berger" Your cake is ready!
      See you soon
    "#);
}

#[tokio::test(start_paused = true)]
async fn after_days_it_is_a_new_conversation_and_by_template_only() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "A cake for twelve, please").await;
    world.answers("ann", "Anna", "With pleasure").await;
    world.hours(24 * 5).await;
    asks(&world, "!write Anna your cake is ready").await;
    world.answers("ann", "Anna", "!template cake_ready Anna cake").await;
    world.says_on(&world.other, "Anna", "Great").await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: A cake for twelve, please
    frontdesk: With pleasure
    frontdesk: Dear Anna, your cake is ready.
    Anna: Great
    ");
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · whatsapp.shop · new
      Closed Thu 26 Nov, 10:00: nothing more was said
        frontdesk: Anna: A cake for twelve, please
        ann: With pleasure
    ann: !write Anna your cake is ready
    notice: frontdesk: (reply to "Anna · whatsapp.shop · new") Anna · whatsapp.shop · has written before
      Waiting since Sat 28 Nov, 10:00
      Answer until Sun 29 Nov, 10:00
        notice: frontdesk: ann wants to write to Anna. Nothing was sent: their messenger takes only an approved message before they write themselves. !template lists them, !template NAME sends one. (to @ann:example.org)
        notice: frontdesk: Your words were: your cake is ready (to @ann:example.org)
        ann: !template cake_ready Anna cake
        notice: frontdesk: Sent as `cake_ready` (en): Dear Anna, your cake is ready.
        frontdesk: Anna: Great
    "#);
    assert_eq!(world.other.too_late(), 0);
}

#[tokio::test(start_paused = true)]
async fn never_another_customer_than_meant() {
    let world = windowed().await;
    for name in ["Anna", "Anna Berger", "Ben"] {
        world.says(name, "Hello").await;
        world.says_on(&world.other, name, "Hello").await;
    }
    world.says("Clara Maria", "Hello").await;
    world.secs(30).await;
    let said =
        || [world.shop.posts(), world.other.posts()].concat().iter().filter(|it| it.text.contains("cake")).count();
    for words in [
        "",
        "Anna your cake is ready",
        "\"Anna Berger\" your cake is ready",
        "Clara your cake is ready",
        "Dora your cake is ready",
        "telegram.shop:Dora your cake is ready",
        "telegram.shop:+4930123456 your cake is ready",
    ] {
        asks(&world, &format!("!write {words}")).await;
        assert_eq!(said(), 0, "{words}");
    }
    assert_snapshot!(world.room().lines().skip_while(|line| !line.starts_with("ann")).collect::<Vec<_>>().join("\n"), @r#"
    ann: !write 
    notice: frontdesk: Write it like one of these, outside the threads:
      !write Anna your cake is ready
      !write "Anna Berger" your cake is ready
      !write +4930123456 your cake is ready
    ann: !write Anna your cake is ready
    notice: frontdesk: Nothing was sent. Which `Anna`? One of these:
      Anna · telegram.shop · last wrote Mon 23 Nov, 10:00: !write telegram.shop:Anna TEXT
    notice: frontdesk: Anna · whatsapp.shop · last wrote Mon 23 Nov, 10:00: !write whatsapp.shop:Anna TEXT
      Anna Berger · telegram.shop · last wrote Mon 23 Nov, 10:00: !write "telegram.shop:Anna Berger" TEXT
    notice: frontdesk: Anna Berger · whatsapp.shop · last wrote Mon 23 Nov, 10:00: !write "whatsapp.shop:Anna Berger" TEXT
    ann: !write "Anna Berger" your cake is ready
    notice: frontdesk: Nothing was sent. Which `Anna Berger`? One of these:
      Anna Berger · telegram.shop · last wrote Mon 23 Nov, 10:00: !write "telegram.shop:Anna Berger" TEXT
    notice: frontdesk: Anna Berger · whatsapp.shop · last wrote Mon 23 Nov, 10:00: !write "whatsapp.shop:Anna Berger" TEXT
    ann: !write Clara your cake is ready
    notice: frontdesk: Nothing was sent. Which `Clara`? One of these:
      Clara Maria · telegram.shop · last wrote Mon 23 Nov, 10:00: !write "telegram.shop:Clara Maria" TEXT
    ann: !write Dora your cake is ready
    notice: frontdesk: Nothing was sent. There is no customer called `Dora`. Write it like one of these, outside the threads:
      !write Anna your cake is ready
      !write "Anna Berger" your cake is ready
    notice: frontdesk: !write +4930123456 your cake is ready
    ann: !write telegram.shop:Dora your cake is ready
    notice: frontdesk: Nothing was sent. Nobody is known as `telegram.shop:Dora`.
    ann: !write telegram.shop:+4930123456 your cake is ready
    notice: frontdesk: Nothing was sent. Nobody is known under +4930123456, and a number that is not known can be written to only on a channel with approved messages.
    "#);
    asks(&world, "!write telegram.shop:Ben your cake is ready").await;
    assert!(world.chat("Ben").contains("frontdesk: your cake is ready"));
    assert_eq!(said(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_nobody_knows_is_begun_with_a_template() {
    let world = windowed().await;
    asks(&world, "!write +4930123456 your cake is ready").await;
    world.answers("ann", "+4930123456", "Your cake is ready").await;
    world.answers("ann", "+4930123456", "!template cake_ready Dora cake").await;
    // The same number is the same person, and no stranger.
    asks(&world, "!write +4930123456").await;
    let mut inbound = world.customer(&world.other, "Dora", Event::Message(Message::text("c-dora", "Thanks!")));
    inbound.from.id = "DE.77".into();
    inbound.from.aliases = vec!["+4930123456".into(), "4930123456".into()];
    inbound.at = frontdesk_core::Address::chat("4930123456");
    world.other.note_from("4930123456", &Message::text("c-dora", "Thanks!"));
    world.other.arrives(inbound);
    world.secs(60).await;
    assert_snapshot!(World::chat_on(&world.other, "4930123456"), @"
    frontdesk: Dear Dora, your cake is ready.
    4930123456: Thanks!
    frontdesk: Your cake is ready
    ");
    assert_snapshot!(world.room(), @"
    ann: !write +4930123456 your cake is ready
    notice: frontdesk: Dora · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
        notice: frontdesk: ann wants to write to +4930123456. Nothing was sent: their messenger takes only an approved message before they write themselves. !template lists them, !template NAME sends one. (to @ann:example.org)
        notice: frontdesk: Your words were: your cake is ready (to @ann:example.org)
        ann: Your cake is ready
        notice: frontdesk: Not sent yet: +4930123456's messenger takes an answer only in the 24 hours after their last message. This one waits and goes out by itself when they write again (for 72 hours at most). (to @ann:example.org)
        notice: frontdesk: !template sends them an approved message now, !drop takes the answer back. (to @ann:example.org)
        ann: !template cake_ready Dora cake
        notice: frontdesk: Sent as `cake_ready` (en): Dear Dora, your cake is ready.
        notice: frontdesk: ann wants to write to +4930123456. Nothing was sent: their messenger takes only an approved message before they write themselves. !template lists them, !template NAME sends one. (to @ann:example.org)
        frontdesk: Dora: Thanks!
        notice: frontdesk: They have written again, so this was sent now: Your cake is ready
    ann: !write +4930123456
    ");
}

#[tokio::test(start_paused = true)]
async fn whom_an_operator_blocked_is_not_written_to() {
    let world = windowed().await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "!block").await;
    asks(&world, "!write Anna your cake is ready").await;
    assert!(world.room().contains("Nothing was sent: this customer is blocked"), "{}", world.room());
    assert!(!world.chat("Anna").contains("cake"));
}

#[tokio::test(start_paused = true)]
async fn in_a_thread_it_writes_to_nobody() {
    let world = windowed().await;
    world.says("Anna", "Hello").await;
    world.says("Ben", "Hello").await;
    world.answers("ann", "Anna", "!write Ben your cake is ready").await;
    assert!(world.room().contains("Write it in the room, outside the threads."), "{}", world.room());
    assert!(!world.chat("Ben").contains("cake") && !world.chat("Anna").contains("cake"));
}
