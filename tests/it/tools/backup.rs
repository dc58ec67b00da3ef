//! A backup under traffic, and the program on what was restored from it.

use std::{path::PathBuf, time::Duration};

use frontdesk::tools::{Answer, Done, Request};
use frontdesk_core::{Event, Message, SendError};
use insta::assert_snapshot;
use tokio::time::sleep;

use crate::{
    fake::Fault,
    world::{MONDAY, World},
};

async fn back_up(world: &World, name: &str) -> PathBuf {
    let file = world.folder().join(name);
    let answers = world.tool(Request::Backup { file: file.clone() }).await;
    assert!(matches!(answers.last(), Some(Answer::Done(Done::Saved { .. }))), "{answers:?}");
    file
}

#[tokio::test(start_paused = true)]
async fn what_waited_when_the_backup_was_made_is_never_sent_twice() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    world.says("Ben", "Hello").await;
    // An answer waits for the messenger, a customer's words for the desk, and Ben's greeting for his silence.
    for platform in [&world.shop, &world.desk] {
        (0..100).for_each(|_| platform.fail_next(Fault::Before(SendError::Transient("away".into()))));
    }
    world.answers("ann", "Anna", "Rye is ready.").await;
    world.says("Anna", "When?").await;
    let file = back_up(&world, "saved").await;

    // It goes on, and all of it arrives; then the machine is lost.
    world.shop.heal();
    world.desk.heal();
    world.secs(60).await;
    assert_eq!(world.chat("Anna").matches("frontdesk: Rye is ready.").count(), 1);
    assert_eq!(world.chat("Ben").matches("frontdesk: ").count(), 1);
    world.answers("ann", "Ben", "Yes?").await;

    world.restore(&file).await;
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Anna: When?
    frontdesk: Rye is ready.
    ");
    assert_snapshot!(world.chat("Ben"), @"
    Ben: Hello
    frontdesk: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Yes?
    ");
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Rye is ready. {⚠️}
        frontdesk: Anna: When?
        frontdesk: (possibly repeated)
          Anna: When?
        notice: frontdesk: Perhaps not delivered: it waited when the backup was made from which frontdesk was restored. If the customer does not react, !retry sends it again; it may then reach them twice. (to @ann:example.org)
    notice: frontdesk: Ben · telegram.shop · new
      Answered Mon 23 Nov, 10:01
        frontdesk: Ben: Hello
        notice: frontdesk: Sent automatically: Hi Ben, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes?
    notice: frontdesk: frontdesk was restored from a backup of Mon 23 Nov 2026, 10:00. What was written after that is not known here: answers given since may have reached the customers or not, and threads begun since are not connected any more. What the backup had still to send comes again, marked "possibly repeated", or is put before you in its thread.
    "#);

    // Both sides go on as before.
    world.says("Anna", "Thank you").await;
    world.answers("ann", "Anna", "You are welcome.").await;
    assert!(world.chat("Anna").ends_with("Anna: Thank you\nfrontdesk: You are welcome.\n"), "{}", world.chat("Anna"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_messages_flow_and_stops_nobody() {
    let mut world = World::at(MONDAY).await;
    let names: Vec<String> = (0..20).map(|n| format!("Customer{n:02}")).collect();
    for name in &names {
        world.shop.arrives(world.customer(&world.shop, name, message(&world, "before")));
    }
    world.settle().await;
    let writing = async {
        for round in 0..15 {
            for name in &names {
                world.shop.arrives(world.customer(&world.shop, name, message(&world, &format!("during {round}"))));
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let (file, ()) = tokio::join!(back_up(&world, "saved"), writing);
    let all_there = || {
        let room = world.room();
        names.iter().all(|name| room.matches(&format!("frontdesk: {name}: during")).count() == 15)
    };
    for _ in 0..240 {
        if all_there() {
            break;
        }
        world.settle().await;
    }
    assert!(all_there(), "{}", world.room());

    world.restore(&file).await;
    let restored = world.tool(Request::Export).await;
    let before = restored.iter().filter(|it| matches!(it, Answer::Message(line) if line.text == "before")).count();
    assert_eq!(before, names.len(), "everything from before the backup is there");
    world.answers("ann", &names[3], "Hello again").await;
    for _ in 0..120 {
        if world.chat(&names[3]).contains("frontdesk: Hello again\n") {
            return;
        }
        world.settle().await;
    }
    panic!("not answered: {}", world.chat(&names[3]));
}

fn message(world: &World, text: &str) -> Event {
    Event::Message(Message::text(world.shop.next("c"), text))
}
