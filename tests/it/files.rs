//! Files through the whole program: a Telegram customer, an encrypted Matrix room, the program as a process between.

use std::{fs, time::Duration};

use tokio::time::sleep;

use crate::{
    fault::{Answer, Fault},
    operator::{Attachment, TimelineEvent},
    program::{PATIENCE, Shop},
    proxy::Proxy,
    synapse::Synapse,
};

const ANNA: i64 = 4711;
const UPLOADS: &str = "POST */media/v3/upload*";

/// Not the same anywhere, so that nothing can be in the wrong place.
fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut random = seed;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random.to_le_bytes()[7]
    };
    (0..size).map(|_| next()).collect()
}

async fn file_of(shop: &Shop, room: &str, words: &str) -> TimelineEvent {
    shop.ann
        .wait_for(room, words, PATIENCE, |event| event.body() == words && event.content["filename"].is_string())
        .await
}

/// The most memory that the program has held so far, in MiB.
fn peak(shop: &Shop) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", shop.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn large_files_go_both_ways_whole_and_are_never_held_whole() {
    const MB: usize = 1 << 20;
    let mut shop = Shop::new().await;
    shop.up().await;
    let room = shop.room().await;
    shop.telegram.user(ANNA, "Anna", Some("en"));
    // Warm: the first send in a room and the first file take memory of their own.
    shop.telegram.sends_file(ANNA, "photo", bytes(1_000, 1), Some("A small one"));
    let small = file_of(&shop, &room, "Anna: A small one").await;
    assert!(small.encrypted && small.msgtype() == "m.image", "{}", small.content);
    assert!(shop.ann.file(&small).await == bytes(1_000, 1));
    let thread = shop.thread(&room, "Anna").await;
    assert_eq!(small.thread_root(), Some(thread.as_str()));
    let before = peak(&shop);

    let sent = bytes(20 * MB, 2);
    shop.telegram.sends_file(ANNA, "document", sent.clone(), Some("The plan"));
    let event = file_of(&shop, &room, "Anna: The plan").await;
    assert_eq!((event.msgtype(), event.content["filename"].as_str()), ("m.file", Some("file.pdf")));
    assert!(shop.ann.file(&event).await == sent, "other bytes at the desk");
    let there = peak(&shop);

    let answer = bytes(45 * MB, 3);
    let file = Attachment {
        msgtype: "m.video",
        name: "our wall.mov",
        mime: "video/quicktime",
        bytes: &answer,
        caption: Some("And ours"),
    };
    shop.ann.send_file(&room, &thread, file).await;
    let received =
        shop.telegram.wait(PATIENCE, || shop.telegram.received(ANNA).into_iter().find(|it| it.kind == "document"));
    let received = received.await.expect("the video arrives");
    assert_eq!((received.text.as_str(), &received.raw["document"]["file_name"]), ("And ours", &"our wall.mov".into()));
    assert!(shop.telegram.file(&received) == answer, "other bytes at the customer");
    let back = peak(&shop);
    println!(
        "peak memory: {before} MiB before, {there} MiB after 20 MiB to the desk, {back} MiB after 45 MiB to the customer"
    );
    assert!(there - before < 10, "{before} MiB, then {there} MiB");
    assert!(back - before < 15, "{before} MiB, then {back} MiB");
    shop.telegram.assert_official();
}

#[tokio::test]
async fn killed_while_a_file_is_on_its_way_it_is_there_once() {
    let proxy = Proxy::before(&Synapse::shared().await.url()).await;
    let mut shop = Shop::reaching(proxy.url(), "").await;
    shop.up().await;
    let room = shop.room().await;
    shop.telegram.user(ANNA, "Anna", Some("en"));
    shop.telegram.says(ANNA, "Hello");
    shop.ann.wait_for_text(&room, "Anna: Hello", PATIENCE).await;
    proxy.fail_next(UPLOADS, 1, Fault::before(Answer::Silence(Duration::from_secs(120))));
    shop.telegram.sends_file(ANNA, "photo", bytes(300_000, 4), Some("Look"));
    shop.telegram.says(ANNA, "Do you see it?");
    proxy.wait_calls(UPLOADS, 1, PATIENCE).await;
    shop.kill();
    proxy.heal();
    shop.up().await;
    let event = file_of(&shop, &room, "Anna: Look").await;
    assert!(shop.ann.file(&event).await == bytes(300_000, 4));
    shop.ann.wait_for_text(&room, "Do you see it?", PATIENCE).await;
    sleep(Duration::from_secs(1)).await;
    let timeline = shop.ann.timeline(&room);
    let at = |words: &str| timeline.iter().position(|event| event.body() == words).unwrap();
    assert_eq!(timeline.iter().filter(|event| event.body() == "Anna: Look").count(), 1);
    assert!(at("Anna: Look") < at("Anna: Do you see it?"), "in order");
}

#[tokio::test]
async fn a_file_that_telegram_does_not_hand_out_is_told_and_holds_nothing_up() {
    let mut shop = Shop::new().await;
    shop.up().await;
    let room = shop.room().await;
    shop.telegram.user(ANNA, "Anna", Some("en"));
    shop.telegram.sends_file(ANNA, "video", vec![0; (20 << 20) + 1], Some("Our party"));
    shop.telegram.says(ANNA, "Did it come?");
    shop.ann.wait_for_text(&room, "Did it come?", PATIENCE).await;
    let told = shop.ann.wait_for_text(&room, "Our party", PATIENCE).await;
    assert_eq!(
        told.body(),
        "Anna: Our party\n[video] (not shown: The file is larger than the 20 MB that Telegram hands to bots. !retry \
         tries again.)"
    );
}
