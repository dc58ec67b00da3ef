//! What can happen to a desk's room, as the customer and the operator see it: the whole program, Telegram on one side
//! and the real homeserver on the other.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    end_to_end::without_clocks,
    operator::NewRoom,
    program::{PATIENCE, Shop},
};

const ANNA: i64 = 4711;

/// A shop whose room the operator made: there she has all rights.
async fn in_her_own_room() -> (Shop, String) {
    let mut shop = Shop::new().await;
    let local = shop.alias[1..].split(':').next().unwrap().to_owned();
    let room = NewRoom { alias: Some(local), invite: vec![bot(&shop)], ..NewRoom::default() };
    let room = shop.ann.create_room(room).await;
    shop.up().await;
    shop.telegram.user(ANNA, "Anna", Some("en"));
    (shop, room)
}

/// A shop whose room frontdesk made.
async fn in_a_room_of_its_own() -> (Shop, String) {
    let mut shop = Shop::new().await;
    shop.up().await;
    let room = shop.room().await;
    shop.telegram.user(ANNA, "Anna", Some("en"));
    (shop, room)
}

fn bot(shop: &Shop) -> String {
    shop.alias.replacen("#desk-", "@", 1)
}

/// What Anna has read, without what was sent automatically.
fn chat(shop: &Shop) -> String {
    let received = shop.telegram.received(ANNA);
    let words = received.iter().filter(|sent| !sent.text.starts_with("Hi Anna, thank you"));
    words.map(|sent| format!("{}\n", sent.text)).collect()
}

async fn reads(shop: &Shop, text: &str) {
    let arrived = shop.telegram.wait(PATIENCE, || chat(shop).contains(text).then_some(())).await;
    assert!(arrived.is_some(), "{text} did not arrive\n{}", chat(shop));
}

fn room_view(shop: &Shop, room: &str) -> String {
    without_clocks(&shop.ann.transcript(room), shop.ann.user_id())
}

async fn not_ready(shop: &Shop, words: &str) {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some((503, report)) = shop.get("/readyz").await
            && report.contains(words)
        {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{:?}\n{}", shop.get("/readyz").await, shop.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Until her question stands at the desk, and her acknowledgement has been told there.
async fn asked(shop: &Shop, room: &str) -> String {
    shop.telegram.says(ANNA, "Do you have rye bread?");
    let thread = shop.thread(room, "Anna").await;
    shop.ann.wait_for_text(room, "rye bread", PATIENCE).await;
    shop.ann.wait_for_text(room, "Sent automatically", PATIENCE).await;
    thread
}

#[tokio::test]
async fn the_bot_is_thrown_out_and_invited_again() {
    let (shop, room) = in_her_own_room().await;
    let thread = asked(&shop, &room).await;
    shop.ann.kick(&room, &bot(&shop)).await;
    not_ready(&shop, "has to invite it again").await;
    shop.telegram.says(ANNA, "Are you there?");
    shop.ann.invite(&room, &bot(&shop)).await;
    shop.ann.wait_for_text(&room, "Are you there?", PATIENCE).await;
    shop.ready().await;
    shop.ann.say_in_thread(&room, &thread, "Yes, until six.").await;
    reads(&shop, "until six").await;
    shop.ann.wait_for_transcript(&room, PATIENCE, |text| text.contains("Answered")).await;
    assert_snapshot!(chat(&shop), @"Yes, until six.");
    assert_snapshot!(room_view(&shop, &room), @"
    [1] notice: frontdesk: Anna · telegram.shop · new
        Answered TIME (edited)
        [2] frontdesk: Anna: Do you have rye bread?
        [3] notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        [4] frontdesk: Anna: Are you there?
        [5] ann: Yes, until six.
    ");
}

#[tokio::test]
async fn a_room_where_the_bot_may_not_write_is_told_by_readyz_and_its_answers_are_read_all_the_same() {
    let (shop, room) = in_her_own_room().await;
    let thread = asked(&shop, &room).await;
    let state = shop.ann.state(&room).await;
    let levels = state.iter().find(|event| event["type"] == "m.room.power_levels").unwrap()["content"].clone();
    let quiet = |level: i64| {
        let mut levels: Value = levels.clone();
        levels["events_default"] = json!(level);
        levels
    };
    shop.ann.set_state(&room, "m.room.power_levels", "", quiet(50)).await;
    not_ready(&shop, "a power level of at least 50").await;
    shop.telegram.says(ANNA, "Are you there?");
    shop.ann.say_in_thread(&room, &thread, "Yes, until six.").await;
    reads(&shop, "until six").await;
    shop.ann.set_state(&room, "m.room.power_levels", "", quiet(0)).await;
    shop.ready().await;
    shop.ann.wait_for_text(&room, "Are you there?", PATIENCE).await;
    assert_snapshot!(chat(&shop), @"Yes, until six.");
    let transcript = room_view(&shop, &room);
    let lines: Vec<_> = transcript.lines().filter(|line| !line.contains("TIME")).collect();
    assert_snapshot!(lines.join("\n"), @"
    [1] notice: frontdesk: Anna · telegram.shop · new
        [2] frontdesk: Anna: Do you have rye bread?
        [3] notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        [4] ann: Yes, until six.
        [5] frontdesk: Anna: Are you there?
    ");
}

#[tokio::test]
async fn a_thread_whose_card_was_deleted_goes_on_under_a_new_one() {
    let (shop, room) = in_a_room_of_its_own().await;
    let thread = asked(&shop, &room).await;
    shop.ann.redact(&room, &thread).await;
    let new = |event: &crate::operator::TimelineEvent| {
        event.body().starts_with("Anna · ") && event.thread_root().is_none() && event.event_id != thread
    };
    let card = shop.ann.wait_for(&room, "a new card", PATIENCE, new).await.event_id;
    shop.telegram.says(ANNA, "Are you there?");
    let question = shop.ann.wait_for_text(&room, "Are you there?", PATIENCE).await;
    assert_eq!(question.thread_root(), Some(card.as_str()));
    shop.ann.say_in_thread(&room, &card, "Yes, until six.").await;
    reads(&shop, "until six").await;
    shop.ann.say_in_thread(&room, &thread, "And tomorrow from nine.").await;
    reads(&shop, "from nine").await;
    shop.ann.wait_for_transcript(&room, PATIENCE, |text| text.contains("Answered")).await;
    assert_snapshot!(chat(&shop), @"
    Yes, until six.
    And tomorrow from nine.
    ");
    assert_snapshot!(room_view(&shop, &room), @"
    [1] notice: frontdesk: (deleted)
        [2] frontdesk: Anna: Do you have rye bread?
        [3] notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        [4] ann: And tomorrow from nine.
    [5] notice: frontdesk: Anna · telegram.shop · new
        Answered TIME (edited)
        [6] frontdesk: Anna: Are you there?
        [7] ann: Yes, until six.
    ");
}

/// More than one timeline of a sync holds (100), so that what lies between has to be asked for.
#[tokio::test]
async fn answers_on_both_sides_of_a_long_talk_that_was_missed_arrive_in_order() {
    let (mut shop, room) = in_a_room_of_its_own().await;
    let thread = asked(&shop, &room).await;
    shop.kill();
    shop.ann.say_in_thread(&room, &thread, "Yes, we do.").await;
    for number in 0..120 {
        shop.ann.say_in_thread(&room, &thread, &format!("!note {number}")).await;
    }
    shop.telegram.says(ANNA, "Hello?");
    shop.ann.say_in_thread(&room, &thread, "Until six.").await;
    shop.up().await;
    reads(&shop, "Until six").await;
    shop.ann.wait_for_text(&room, "Hello?", PATIENCE).await;
    assert_snapshot!(chat(&shop), @"
    Yes, we do.
    Until six.
    ");
    let transcript = room_view(&shop, &room);
    assert_eq!(transcript.matches("!note").count(), 120);
    assert!(!transcript.contains("sent to nobody"), "{transcript}");
    assert_eq!(transcript.matches("Hello?").count(), 1, "{transcript}");
}

/// The operator's words were encrypted for a device that is lost; the recovery key opens the backup with their key.
#[tokio::test]
async fn with_the_recovery_key_a_new_device_reads_what_was_written_to_the_lost_one() {
    let (mut shop, room) = in_a_room_of_its_own().await;
    let thread = asked(&shop, &room).await;
    shop.ann.say_in_thread(&room, &thread, "Yes, we do.").await;
    reads(&shop, "Yes, we do").await;
    shop.backed_up().await;
    shop.kill();
    // In the same session of keys, so that the backup has it.
    shop.ann.say_in_thread(&room, &thread, "Until six.").await;
    let account = shop.folder.path().join("data/matrix/desk");
    std::fs::remove_dir_all(account.join("store")).unwrap();
    shop.up().await;
    reads(&shop, "Until six").await;
    shop.telegram.says(ANNA, "Great");
    shop.ann.wait_for_text(&room, "Great", PATIENCE).await;
    assert_snapshot!(chat(&shop), @"
    Yes, we do.
    Until six.
    ");
    // Whether it was told first that it cannot be read yet depends on how quick the backup is.
    let transcript = room_view(&shop, &room);
    for words in ["ann: Until six.", "frontdesk: Anna: Great"] {
        assert_eq!(transcript.matches(words).count(), 1, "{transcript}");
    }
}

#[tokio::test]
async fn what_cannot_be_decrypted_is_told_to_who_wrote_it_and_is_no_answer() {
    let (shop, room) = in_a_room_of_its_own().await;
    let thread = asked(&shop, &room).await;
    shop.ann.send_undecryptable(&room, Some(&thread)).await;
    shop.ann.wait_for_text(&room, "could not be decrypted", PATIENCE).await;
    shop.ann.say_in_thread(&room, &thread, "Yes, until six.").await;
    reads(&shop, "until six").await;
    shop.ann.wait_for_transcript(&room, PATIENCE, |text| text.contains("Answered")).await;
    assert_snapshot!(chat(&shop), @"Yes, until six.");
    assert_snapshot!(room_view(&shop, &room), @"
    [1] notice: frontdesk: Anna · telegram.shop · new
        Answered TIME (edited)
        [2] frontdesk: Anna: Do you have rye bread?
        [3] notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        [4] ann: (cannot be decrypted)
        [5] notice: frontdesk: A message of yours could not be decrypted and was not sent. If it does not go out within a minute, please write it again.
        [6] ann: Yes, until six.
    ");
}
