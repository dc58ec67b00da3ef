//! The main job for real: customers on WhatsApp, an operator in Matrix, and the program as a process between them.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{PHONE, USER};
use crate::{
    end_to_end::without_clocks,
    graph::{Manner, official},
    program::{PATIENCE, Shop},
};

#[tokio::test]
async fn a_customer_asks_on_whatsapp_and_reads_the_answer_of_an_operator_in_matrix() {
    let mut shop = Shop::with_whatsapp().await;
    shop.graph().brings(Manner::Stormy(fastrand::Rng::with_seed(1)));
    let anna = shop.graph().known_as("Anna", Some(PHONE), Some(USER));
    shop.up().await;
    let room = shop.room().await;
    shop.graph().says(anna, "Do you have rye bread?");
    let thread = shop.thread(&room, "Anna").await;
    shop.ann.wait_for_text(&room, "Sent automatically", PATIENCE).await;
    shop.ann.wait_for_text(&room, "rye bread", PATIENCE).await;
    let answer = shop.ann.say_in_thread(&room, &thread, "Yes, until six.").await;
    shop.graph().wait_received(anna, 2, PATIENCE).await;
    shop.receipt(&room, &answer).await;
    shop.graph().wait_confirmed(PATIENCE).await;

    // What both write while it is down arrives.
    shop.kill();
    shop.graph().says(anna, "Please keep one for me");
    shop.ann.say_in_thread(&room, &thread, "Seven euros").await;
    shop.up().await;
    shop.ann.wait_for_text(&room, "keep one", PATIENCE).await;
    shop.graph().wait_received(anna, 3, PATIENCE).await;
    shop.graph().wait_confirmed(PATIENCE).await;
    let chat: String = shop.graph().ever_sent(anna).iter().map(|sent| format!("{}\n", sent.text)).collect();
    assert_snapshot!(chat, @"
    Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Yes, until six.
    Seven euros
    ");
    let transcript = without_clocks(&shop.ann.transcript(&room), shop.ann.user_id());
    for line in ["Anna: Do you have rye bread?", "Anna: Please keep one for me", "ann: Seven euros"] {
        assert_eq!(transcript.matches(line).count(), 1, "{line}\n{transcript}");
    }
    assert_eq!(shop.graph().mistakes(), [], "the stand-in was asked something that Meta would refuse");
    let log = shop.log();
    for secret in [PHONE, USER, shop.graph().token(), shop.graph().app_secret(), "rye bread", "Anna"] {
        assert!(!log.contains(secret), "the log shows {secret}");
    }
}

/// The owner answers on the phone: shown in the thread, never sent again, and no machine speaks any more.
#[tokio::test]
async fn what_the_owner_writes_on_the_phone_is_an_answer() {
    let mut shop = Shop::with_whatsapp().await;
    let anna = shop.graph().known_as("Anna", Some(PHONE), Some(USER));
    shop.up().await;
    let room = shop.room().await;
    shop.graph().says(anna, "Do you have rye bread?");
    shop.graph().owner_says(anna, "Yes, until six.");
    shop.thread(&room, "Anna").await;
    shop.ann.wait_for_text(&room, "Yes, until six.", PATIENCE).await;
    shop.graph().wait_confirmed(PATIENCE).await;
    // Longer than an acknowledgement waits.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(shop.graph().ever_sent(anna), []);
    assert_eq!(shop.ann.transcript(&room).matches("Yes, until six.").count(), 1);
}

/// Meta's own examples at the desk: each as the message of its own that it is, twice and in disorder.
#[tokio::test]
async fn every_official_message_is_at_the_desk_once() {
    let Some(examples) = official("meta-webhook-examples.json") else { return };
    let mut shop = Shop::with_whatsapp().await;
    shop.graph().brings(Manner::Stormy(fastrand::Rng::with_seed(2)));
    shop.up().await;
    let room = shop.room().await;
    // In the examples some messages share their id.
    for (n, (name, example)) in examples.iter().enumerate() {
        let mut change = example["entry"][0]["changes"][0].clone();
        if change["value"]["messages"][0]["id"].is_string() {
            change["value"]["messages"][0]["id"] = format!("wamid.example.{n}").into();
        }
        // Who changed the number is nobody yet, and a reaction is to a message that nobody has.
        if !["System Message", "Reaction Message"].contains(&name.as_str()) {
            shop.graph().raw_change(change["field"].as_str().unwrap(), change["value"].clone());
        }
    }
    let shown: BTreeMap<&str, &str> = [
        ("Text Message", "Does it come in another color?"),
        ("Text Message with Context (Product Inquiry)", "Is this still available?"),
        ("Text Message from Click to WhatsApp Ad", "Can I get more info on this?"),
        ("Image Message", "Taj Mahal"),
        ("Location Message", "Philz Coffee"),
        ("Contact Sharing Message", "Lucía Gómez"),
        ("Unsupported Message", "Message type is currently not supported"),
        ("Button Message", "Unsubscribe"),
        ("Interactive List Reply Message", "Priority Mail Express"),
        ("Interactive Button Reply Message", "Cancel"),
        ("Order Message", "nqryix03ez"),
    ]
    .into();
    for words in shown.values() {
        shop.ann.wait_for_text(&room, words, PATIENCE).await;
    }
    shop.graph().wait_confirmed(PATIENCE).await;
    let transcript = shop.ann.transcript(&room);
    for (name, words) in &shown {
        assert_eq!(transcript.matches(words).count(), 1, "{name}\n{transcript}");
    }
    assert_eq!(transcript.matches("Sheena Nelson · whatsapp.shop").count(), 1, "one person, one thread\n{transcript}");
}

/// Whoever guesses the address learns and changes nothing.
#[tokio::test]
async fn the_hook_of_the_program_takes_nothing_unsigned() {
    let mut shop = Shop::with_whatsapp().await;
    shop.up().await;
    let message = json!({ "from": PHONE, "id": "wamid.1", "timestamp": "1749416383", "type": "text",
        "text": { "body": "a forged question" } });
    let number = shop.graph().number();
    let payload: Value = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{
        "field": "messages", "value": { "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": number },
            "messages": [message] } }] }] });
    let body = payload.to_string();
    assert_eq!(shop.graph().post_raw(body.as_bytes(), None).await.0, 401);
    assert_eq!(shop.graph().post_signed("00000000000000000000000000000000", body.as_bytes()).await.0, 403);
    assert_eq!(shop.graph().post_signed(shop.graph().app_secret(), b"{}").await.0, 400);
    let long = vec![b' '; (3 << 20) + 1];
    assert_eq!(shop.graph().post_signed(shop.graph().app_secret(), &long).await.0, 413);
    assert_eq!(shop.graph().post_signed(shop.graph().app_secret(), body.as_bytes()).await.0, 200);
    let room = shop.room().await;
    shop.ann.wait_for_text(&room, "a forged question", PATIENCE).await;
    assert_eq!(shop.ann.transcript(&room).matches("a forged question").count(), 1);
}
