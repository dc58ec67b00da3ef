use std::sync::atomic::Ordering;

use insta::assert_snapshot;

use crate::world::World;

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

#[tokio::test(start_paused = true)]
async fn where_the_platform_has_commands_a_slash_begins_one_and_is_never_sent() {
    let mut world = World::at(MONDAY).await;
    world.desk.slashes.store(true, Ordering::Relaxed);
    world.restart().await;
    world.says("Anna", "Hello").await;
    for text in ["/why", "/Waiting@frontdesk_bot", "/note paid", "/note", "//close", "/shrug", "/close"] {
        world.answers("ann", "Anna", text).await;
    }
    assert!(!world.chat("Anna").contains("frontdesk"));
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Closed Mon 23 Nov, 10:00 by ann
        frontdesk: Anna: Hello
        ann: /why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: waits until the customer has finished writing
        ann: /Waiting@frontdesk_bot
        notice: frontdesk: One customer waits for an answer:
          Anna · telegram.shop · since Mon 23 Nov, 10:00: Hello
        ann: /note paid
        ann: /note
        notice: frontdesk: A note needs a text: !note the cake is paid.
        ann: //close
        notice: frontdesk: Not sent: what begins with / stays here, because some apps take it for a command. !help lists the commands.
        ann: /shrug
        notice: frontdesk: Not sent: what begins with / stays here, because some apps take it for a command. !help lists the commands.
        ann: /close
    ");
    let help = frontdesk::desk::help(true, false);
    assert!(help.ends_with("Each can be written with / as well. Whatever else begins with / stays here too."));
}
