//! The main job for real: a Telegram customer, a Matrix operator, and the program as a process between them.

use std::{collections::BTreeMap, time::Duration};

use insta::assert_snapshot;
use tokio::time::sleep;

use crate::program::{PATIENCE, Shop};

const ANNA: i64 = 4711;

#[tokio::test]
async fn a_customer_asks_in_telegram_and_reads_the_answer_of_an_operator_in_matrix() {
    let mut shop = Shop::new().await;
    shop.up().await;
    assert_eq!(shop.get("/healthz").await.unwrap().0, 200);
    let room = shop.room().await;
    shop.telegram.user(ANNA, "Anna", Some("en"));
    shop.telegram.says(ANNA, "Do you have rye bread?");
    let thread = shop.thread(&room, "Anna").await;
    shop.ann.wait_for_text(&room, "Sent automatically", PATIENCE).await;
    let question = shop.ann.wait_for_text(&room, "rye bread", PATIENCE).await;
    assert!(question.encrypted, "the desk's room is encrypted");
    let answer = shop.ann.say_in_thread(&room, &thread, "Yes, until six.").await;
    shop.telegram.wait_received(ANNA, 2, PATIENCE).await;
    shop.receipt(&room, &answer).await;
    // Otherwise the kill may fall between the send and its record: the next test is about that.
    shop.ann.wait_for_transcript(&room, PATIENCE, |text| text.contains("Answered")).await;
    sleep(Duration::from_secs(1)).await;

    shop.kill();
    shop.telegram.says(ANNA, "Please keep one for me");
    shop.ann.reply_in_thread(&room, &thread, &question.event_id, "Seven euros").await;
    shop.up().await;
    shop.ann.wait_for_text(&room, "keep one", PATIENCE).await;
    shop.telegram.wait_received(ANNA, 3, PATIENCE).await;
    shop.ann.say_in_thread(&room, &thread, "!close").await;
    shop.ann.wait_for_transcript(&room, PATIENCE, |text| text.contains("Closed")).await;

    let chat: String = shop.telegram.received(ANNA).iter().map(|sent| format!("{}\n", sent.text)).collect();
    assert_snapshot!(chat, @"
    Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Yes, until six.
    Seven euros
    ");
    assert_snapshot!(without_clocks(&shop.ann.transcript(&room), shop.ann.user_id()), @"
    [1] notice: frontdesk: Anna · telegram.shop · new
        Closed TIME by ann (edited)
        [2] frontdesk: Anna: Do you have rye bread?
        [3] notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        [4] ann: Yes, until six.
        [5] ann: (reply to 2) Seven euros
        [6] frontdesk: Anna: Please keep one for me
        [7] ann: !close
    ");
    shop.telegram.assert_official();
    let mode = std::fs::metadata(shop.folder.path().join("data")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700, "messages are private");
    let (status, took) = shop.stop().await;
    assert!(status.success(), "{status}\n{}", shop.log());
    assert!(took < Duration::from_secs(5), "stopping took {took:?}");
}

/// Days and times replaced: `Closed Mon 23 Nov, 10:00 by ann.7` is `Closed TIME by ann`.
pub fn without_clocks(text: &str, ann: &str) -> String {
    let name = ann.trim_start_matches('@').split(':').next().unwrap();
    let text = text.replace(name, "ann");
    let mut lines = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let time = words.iter().position(|word| word.len() == 5 && word.as_bytes()[2] == b':');
        match time.filter(|at| *at >= 3) {
            Some(at) => lines.push_str(&[&words[..at - 3], &["TIME"], &words[at + 1..]].concat().join(" ")),
            None => lines.push_str(line),
        }
        lines.push('\n');
    }
    lines
}

#[tokio::test]
async fn nothing_is_lost_or_repeated_when_it_is_killed_again_and_again() {
    let mut shop = Shop::new().await;
    shop.up().await;
    let room = shop.room().await;
    let customers: BTreeMap<i64, &str> = [(1, "Anna"), (2, "Ben"), (3, "Cleo")].into();
    for (id, name) in &customers {
        shop.telegram.user(*id, name, Some("en"));
        shop.telegram.says(*id, &format!("{name} asks 0;"));
    }
    let mut threads = BTreeMap::new();
    for name in customers.values() {
        threads.insert(*name, shop.thread(&room, name).await);
    }
    for round in 1..=6 {
        for (id, name) in &customers {
            shop.telegram.says(*id, &format!("{name} asks {round};"));
            shop.ann.say_in_thread(&room, &threads[name], &format!("for {name} {round};")).await;
        }
        // At another moment of the work each time.
        sleep(Duration::from_millis(37 * round)).await;
        shop.kill();
        shop.up().await;
    }
    for (id, name) in &customers {
        for round in 0..=6 {
            shop.ann.wait_for_text(&room, &format!("{name} asks {round};"), PATIENCE).await;
        }
        // An answer whose send the kill interrupted is put before the operator, and sent again.
        let settled = |text: &str| text.matches(&format!("for {name} ")).count();
        shop.telegram.wait(PATIENCE, || told(&shop, *id, name, &room)).await;
        let asked: Vec<_> = (0..=6).map(|round| format!("{name} asks {round};")).collect();
        let transcript = shop.ann.transcript(&room);
        for question in &asked {
            assert_eq!(transcript.matches(question.as_str()).count(), 1, "{question}\n{transcript}");
        }
        assert!(settled(&transcript) >= 6);
    }
    shop.telegram.assert_official();
}

/// Every answer of six rounds has arrived exactly once, or stands before the operator.
fn told(shop: &Shop, id: i64, name: &str, room: &str) -> Option<()> {
    let received = shop.telegram.received(id);
    let doubtful = shop.ann.transcript(room).matches("Perhaps not delivered").count();
    let mut missing = 0;
    for round in 1..=6 {
        let text = format!("for {name} {round};");
        let count = received.iter().filter(|sent| sent.text == text).count();
        assert!(count <= 1, "repeated: {text}");
        missing += 1 - count;
    }
    let others = received.iter().filter(|sent| sent.text.starts_with("for ") && !sent.text.contains(name));
    assert_eq!(others.count(), 0, "misdirected");
    (missing <= doubtful).then_some(())
}

#[tokio::test]
async fn a_second_program_on_the_same_folder_is_told_so() {
    let mut shop = Shop::new().await;
    shop.up().await;
    let (status, said) = shop.second().await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("is in use by another frontdesk"), "{said}");
    assert_eq!(shop.get("/readyz").await.unwrap().0, 200, "the first one goes on");
}

#[tokio::test]
async fn another_account_under_the_same_name_is_refused_in_words() {
    let mut shop = Shop::new().await;
    shop.up().await;
    shop.stop().await;
    let other = crate::botapi::BotApi::start_with_token("987654321:BBEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc").await;
    let file = shop.folder.path().join("frontdesk.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let config = config.replace(shop.telegram.token(), other.token()).replace(shop.telegram.url(), other.url());
    std::fs::write(&file, config).unwrap();
    shop.start();
    shop.logs("was first connected to the account").await;
    assert_eq!(shop.get("/readyz").await.unwrap().0, 503);
    assert!(!shop.log().contains("BBEhBO"), "a token in the log");
}
