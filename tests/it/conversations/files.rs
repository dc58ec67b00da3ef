//! Files both ways. In the views a file is its readable line; its bytes are looked at one by one.

use std::time::Duration;

use frontdesk_core::{Content, Event, MediaKind, MediaRef, Part, RefusedScope, SendError};
use insta::assert_snapshot;

use super::MONDAY;
use crate::{
    fake::{FakePlatform, Fault, FileFault},
    world::World,
};

const CAKE: &[u8] = b"a picture of a cake";

/// Both messengers take files.
async fn world() -> World {
    let mut world = World::at(MONDAY).await;
    world.shop.takes_files();
    world.desk.takes_files();
    world.restart().await;
    world
}

fn cake(platform: &FakePlatform) -> MediaRef {
    platform.keeps(MediaKind::Image, "cake.jpg", CAKE)
}

/// The files that we brought there, in order.
fn brought(platform: &FakePlatform) -> Vec<Vec<u8>> {
    platform.posts().into_iter().filter_map(|post| post.file).collect()
}

#[tokio::test(start_paused = true)]
async fn pictures_go_both_ways_with_their_words() {
    let world = world().await;
    world.sends("Anna", cake(&world.shop), Some("Like this one?")).await;
    world.sends("Anna", cake(&world.shop), None).await;
    let plan = world.desk.keeps(MediaKind::File, "plan.pdf", b"the plan");
    world.answers_with("ann", "Anna", plan, Some("Here it is")).await;
    world.answers_with("ann", "Anna", cake(&world.desk), None).await;
    world.answers_with("ann", "Anna", cake(&world.desk), Some("!note for us only")).await;
    assert_eq!(brought(&world.desk), [CAKE, CAKE]);
    assert_eq!(brought(&world.shop), [b"the plan".as_slice(), CAKE]);
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: [picture: cake.jpg] Anna: Like this one?
        frontdesk: [picture: cake.jpg] Anna
        ann: [file: plan.pdf] Here it is
        ann: [picture: cake.jpg]
        ann: [picture: cake.jpg] !note for us only
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: [picture: cake.jpg] Like this one?
    Anna: [picture: cake.jpg]
    frontdesk: [file: plan.pdf] Here it is
    frontdesk: [picture: cake.jpg]
    ");
}

/// A large picture goes as a plain file, a video where there are none too, and what is larger still is told.
#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_told_before_anything_is_sent() {
    let world = world().await;
    world.sends("Anna", world.shop.keeps(MediaKind::Image, "wall.jpg", &[1; 1_001]), Some("Our wall")).await;
    world.sends("Anna", world.shop.keeps(MediaKind::Video, "wall.mp4", &[2; 5_000]), None).await;
    world.sends("Anna", world.shop.keeps(MediaKind::Video, "house.mp4", &[3; 5_001]), Some("And the house")).await;
    world.answers_with("ann", "Anna", world.desk.keeps(MediaKind::File, "all.zip", &[4; 5_001]), Some("All")).await;
    assert_eq!(brought(&world.desk), [vec![1; 1_001], vec![2; 5_000]]);
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: [file: wall.jpg] Anna: Our wall
        frontdesk: [file: wall.mp4] Anna
        frontdesk: Anna: [video: house.mp4] And the house
          (This video cannot be shown here: it has 5 KB, and 4 KB is the most.)
        ann: [file: all.zip] All
        notice: frontdesk: Not sent: this file has 5 KB, and the customer's app takes 4 KB at most. Send a smaller one, or a link. (to @ann:example.org)
    ");
    assert!(!world.chat("Anna").contains("frontdesk"));
}

#[tokio::test(start_paused = true)]
async fn words_that_do_not_fit_beside_a_file_follow_it_and_go_with_it() {
    let world = world().await;
    let long = "We would like this cake for Saturday, but with blue flowers instead of the red ones.";
    world.sends("Anna", cake(&world.shop), Some(long)).await;
    world.sends("Anna", world.shop.keeps(MediaKind::Sticker, "thumb.webp", b"thumb"), None).await;
    let answer = world.answers_with("ann", "Anna", cake(&world.desk), Some(long)).await;
    world.deletes("ann", &answer).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: [picture: cake.jpg] Anna
        frontdesk: Anna: We would like this cake for Saturday, but with blue flowers instead of the red ones.
        frontdesk: [sticker: thumb.webp]
        frontdesk: Anna: [sticker: thumb.webp]
        ann: [picture: cake.jpg] We would like this cake for Saturday, but with blue flowers instead of the red ones. (deleted)
    ");
    assert_snapshot!(world.chat("Anna"), @"
    Anna: [picture: cake.jpg] We would like this cake for Saturday, but with blue flowers instead of the red ones.
    Anna: [sticker: thumb.webp]
    frontdesk: [picture: cake.jpg] (deleted)
    frontdesk: We would like this cake for Saturday, but with blue flowers instead of the red ones. (deleted)
    ");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_had_leaves_its_words_in_its_place_and_is_had_with_retry() {
    let mut world = world().await;
    let gone =
        SendError::refused(RefusedScope::Content, "The file is larger than the 20 MB that Telegram hands to bots.");
    world.shop.fail_next_file(FileFault::Refused(gone));
    world.sends("Anna", cake(&world.shop), Some("For Saturday?")).await;
    world.says("Anna", "And plum cake?").await;
    world.secs(5).await;
    world.restart().await;
    world.answers("ann", "Anna", "!retry").await;
    world.answers("ann", "Anna", "!retry").await;
    assert_eq!(brought(&world.desk), [CAKE]);
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: For Saturday?
          [picture: cake.jpg] (not shown: The file is larger than the 20 MB that Telegram hands to bots. !retry tries again.)
        frontdesk: Anna: And plum cake?
        ann: !retry
        frontdesk: [picture: cake.jpg] Anna: For Saturday?
        ann: !retry
        notice: frontdesk: Nothing waits to be sent again here.
    ");
}

/// Whatever the channel says where the file lies: the desk's own channel goes on, its account is not blamed.
#[tokio::test(start_paused = true)]
async fn what_breaks_off_is_tried_again_and_comes_whole_once() {
    let world = world().await;
    let busy = || SendError::RetryAfter { after: Duration::from_secs(7), bucket: None };
    for fault in [FileFault::BreaksOff, FileFault::Refused(busy()), FileFault::Unmeasured] {
        world.shop.fail_next_file(fault);
    }
    world.sends("Anna", cake(&world.shop), Some("For Saturday?")).await;
    world.says("Ben", "Hello").await;
    assert!(world.room().contains("Ben: Hello"), "another lane does not wait");
    world.secs(30).await;
    for fault in [FileFault::BreaksOff, FileFault::BreaksOff] {
        world.desk.fail_next_file(fault);
    }
    world.answers_with("ann", "Anna", cake(&world.desk), Some("This one?")).await;
    world.secs(30).await;
    assert_eq!((brought(&world.desk), brought(&world.shop)), (vec![CAKE.to_vec()], vec![CAKE.to_vec()]));
    assert!(!world.room().contains("not shown"), "{}", world.room());
    assert!(!world.room().contains("elivered"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_stands_still_holds_its_own_chat_for_a_while_and_no_other() {
    let world = world().await;
    world.says("Anna", "Hello").await;
    for _ in 0..3 {
        world.shop.fail_next_file(FileFault::Stalls);
    }
    world.sends("Anna", cake(&world.shop), Some("For Saturday?")).await;
    world.says("Anna", "And plum cake?").await;
    for name in ["Ben", "Cleo", "Dora", "Emil"] {
        world.says(name, "Hello").await;
        assert!(world.room().contains(&format!("{name}: Hello")), "{}", world.room());
    }
    assert!(!world.room().contains("plum cake"), "in order");
    world.secs(120).await;
    let room = world.room();
    assert!(
        room.contains("(not shown: telegram.shop cannot give the file now (it stands still). !retry tries again.)"),
        "{room}"
    );
    assert!(room.find("For Saturday?").unwrap() < room.find("plum cake").unwrap(), "{room}");
}

/// More than there is room for: each comes in the end, and words never wait for them.
#[tokio::test(start_paused = true)]
async fn many_files_at_once_leave_room_for_words() {
    let world = world().await;
    let names: Vec<String> = (0..40).map(|number| format!("Customer {number}")).collect();
    for name in &names {
        world.shop.fail_next_file(FileFault::Stalls);
        world.shop.arrives(world.customer(&world.shop, name, picture(cake(&world.shop), &world.shop.next("c"))));
    }
    world.settle().await;
    world.says("Anna", "Hello").await;
    assert!(world.room().contains("Anna: Hello"), "{}", world.room());
    world.secs(600).await;
    assert_eq!(brought(&world.desk).len(), names.len());
}

fn picture(media: MediaRef, id: &str) -> Event {
    let mut message = frontdesk_core::Message::text(id, "");
    message.content = Content { parts: vec![Part::Media { media, caption: None }] };
    Event::Message(message)
}

#[tokio::test(start_paused = true)]
async fn what_is_brought_to_the_desk_is_brought_once_however_often_it_is_sent() {
    let mut world = world().await;
    world.says("Anna", "Hello").await;
    let thread = world.thread("Anna");
    for _ in 0..3 {
        world.desk.fail_next_to(thread.as_str(), Fault::Before(SendError::Transient("no connection".into())));
    }
    world.sends("Anna", cake(&world.shop), None).await;
    world.restart().await;
    world.secs(60).await;
    assert_eq!((world.desk.uploads(), brought(&world.desk)), ((1, 1), vec![CAKE.to_vec()]));
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_refuses_a_file_gets_its_words() {
    let world = world().await;
    world.says("Anna", "Hello").await;
    let refused = SendError::refused(RefusedScope::Content, "the homeserver takes no such files.");
    world.desk.fail_next_to(world.thread("Anna").as_str(), Fault::Before(refused));
    world.sends("Anna", cake(&world.shop), Some("For Saturday?")).await;
    world.secs(5).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        frontdesk: Anna: For Saturday?
          [picture: cake.jpg] (not shown: the homeserver takes no such files. !retry tries again.)
    ");
}

/// Only the file goes again: its words have arrived.
#[tokio::test(start_paused = true)]
async fn an_answer_whose_file_failed_is_told_and_only_the_file_goes_again() {
    let world = world().await;
    world.says("Anna", "Hello").await;
    let long = "This is the one that we had last year, with the blue flowers that you liked.";
    let gone = SendError::refused(RefusedScope::Content, "the homeserver does not have the file any more.");
    world.desk.fail_next_file(FileFault::Refused(gone));
    world.answers_with("ann", "Anna", cake(&world.desk), Some(long)).await;
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: This is the one that we had last year, with the blue flowers that you liked.
    ");
    world.answers("ann", "Anna", "!retry").await;
    assert_eq!(brought(&world.shop), [CAKE]);
    assert_snapshot!(world.chat("Anna"), @"
    Anna: Hello
    frontdesk: This is the one that we had last year, with the blue flowers that you liked.
    frontdesk: [picture: cake.jpg]
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: Anna: Hello
        ann: [picture: cake.jpg] This is the one that we had last year, with the blue flowers that you liked.
        notice: frontdesk: Not delivered: the homeserver does not have the file any more. (!retry sends it again.) (to @ann:example.org)
        ann: !retry
    ");
}

/// The send of a customer's platform is not repeatable: after a kill in the middle the operator decides.
#[tokio::test(start_paused = true)]
async fn killed_in_the_middle_of_a_file() {
    let mut world = world().await;
    world.shop.fail_next_file(FileFault::Stalls);
    world.sends("Anna", cake(&world.shop), Some("For Saturday?")).await;
    world.restart().await;
    assert_eq!((world.desk.uploads(), brought(&world.desk)), ((2, 1), vec![CAKE.to_vec()]));
    world.desk.fail_next_file(FileFault::Stalls);
    world.answers_with("ann", "Anna", cake(&world.desk), Some("This one")).await;
    world.restart().await;
    assert!(world.room().contains("Perhaps not delivered"), "{}", world.room());
    world.answers("ann", "Anna", "!retry").await;
    assert_eq!(brought(&world.shop), [CAKE]);
}

#[tokio::test(start_paused = true)]
async fn changed_words_beside_a_file_are_told_in_a_line() {
    let world = world().await;
    let id = world.sends("Anna", cake(&world.shop), Some("For Saturday?")).await;
    let media = cake(&world.shop);
    let content = Content { parts: vec![Part::Media { media, caption: Some("For Sunday?".into()) }] };
    world.does("Anna", Event::Edited { id, content, notice: false }).await;
    let answer = world.answers_with("ann", "Anna", cake(&world.desk), Some("Yes")).await;
    world.edits("ann", &answer, "No").await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Answered Mon 23 Nov, 10:00
        frontdesk: [picture: cake.jpg] Anna: For Saturday?
        notice: frontdesk: Changed a message to: Anna: [picture: cake.jpg] For Sunday?
        ann: No (edited)
        notice: frontdesk: The customer's app cannot show that edit: they keep the words you sent before. (to @ann:example.org)
    ");
}

/// What a blocked customer sent comes with `!unblock`.
#[tokio::test(start_paused = true)]
async fn files_that_were_held_back_are_shown_in_the_end() {
    let world = world().await;
    world.says("Anna", "Hello").await;
    world.answers("ann", "Anna", "!block").await;
    world.sends("Anna", cake(&world.shop), Some("Look!")).await;
    assert!(brought(&world.desk).is_empty());
    world.answers("ann", "Anna", "!unblock").await;
    assert_eq!(brought(&world.desk), [CAKE]);
}
