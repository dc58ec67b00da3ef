//! An answer that comes too late, by the whole program: held, sent as a template, and sent by itself.

use jiff::{SignedDuration, Timestamp};

use super::{PHONE, USER};
use crate::{
    fault::{Answer, Fault},
    graph::Person,
    program::{PATIENCE, Shop},
};

#[tokio::test]
async fn a_late_answer_waits_a_template_goes_out_and_then_the_answer() {
    let mut shop = Shop::with_whatsapp().await;
    shop.graph().add_text_template("cake_ready", "en", "Dear {{1}}, your {{2}} is ready.");
    let anna = shop.graph().known_as("Anna", Some(PHONE), Some(USER));
    shop.up().await;
    let room = shop.room().await;
    // Written yesterday; Meta brings it only now.
    shop.graph().set_time(Some(Timestamp::now() - SignedDuration::from_hours(25)));
    shop.graph().says(anna, "When is my cake ready?");
    shop.graph().set_time(None);
    let thread = shop.thread(&room, "Anna").await;
    shop.ann.wait_for_text(&room, "my cake ready", PATIENCE).await;

    shop.ann.say_in_thread(&room, &thread, "It is ready now.").await;
    shop.ann.wait_for_text(&room, "Not sent yet", PATIENCE).await;
    shop.ann.say_in_thread(&room, &thread, "!template cake_ready Anna \"apple pie\"").await;
    shop.graph().wait_received(anna, 1, PATIENCE).await;
    assert_eq!(read(&shop, anna), ["Dear Anna, your apple pie is ready."]);

    shop.kill();
    shop.up().await;
    shop.graph().says(anna, "Great, I am coming");
    shop.graph().wait_received(anna, 2, PATIENCE).await;
    assert_eq!(read(&shop, anna), ["Dear Anna, your apple pie is ready.", "It is ready now."]);
    let late = shop.graph().calls_of("messages").iter().filter(|call| !call.carried_out()).count();
    assert_eq!((late, shop.graph().mistakes().len()), (0, 0), "something was tried that Meta would refuse");
}

/// What the customer sees of us.
fn read(shop: &Shop, person: Person) -> Vec<String> {
    shop.graph().received(person).into_iter().map(|sent| sent.text).collect()
}

/// The platform takes it, and says a moment later that it did not: it waits like any other, and is not lost.
#[tokio::test]
async fn a_window_that_turns_out_to_be_closed_makes_the_answer_wait() {
    let mut shop = Shop::with_whatsapp().await;
    let anna = shop.graph().known_as("Anna", Some(PHONE), Some(USER));
    shop.up().await;
    let room = shop.room().await;
    shop.graph().says(anna, "Do you have rye bread?");
    let thread = shop.thread(&room, "Anna").await;
    shop.graph().wait_received(anna, 1, PATIENCE).await;
    shop.graph().fail_later(&[131_047]);
    shop.ann.say_in_thread(&room, &thread, "Yes, until six.").await;
    shop.ann.wait_for_text(&room, "Not sent yet", PATIENCE).await;
    shop.graph().says(anna, "Hello?");
    let sent = shop.graph().wait_received(anna, 2, PATIENCE).await;
    assert_eq!(sent[1].text, "Yes, until six.");
}

/// Meta cannot charge: every desk is told once, and once that it works again.
#[tokio::test]
async fn a_payment_that_failed_is_told_at_the_desk_and_turns_readiness() {
    let mut shop = Shop::with_whatsapp().await;
    let anna = shop.graph().known_as("Anna", Some(PHONE), Some(USER));
    shop.up().await;
    let room = shop.room().await;
    shop.graph().says(anna, "Do you have rye bread?");
    let thread = shop.thread(&room, "Anna").await;
    shop.graph().wait_received(anna, 1, PATIENCE).await;
    let payment = r#"{ "error": { "code": 131042, "message": "(#131042) Business eligibility payment issue" } }"#;
    let fault = Fault::before(Answer::Says(400, payment));
    shop.graph().fail_when(move |method, _| (method == "messages").then_some(fault));
    shop.ann.say_in_thread(&room, &thread, "Yes, until six.").await;
    shop.ann.wait_for_text(&room, "payment", PATIENCE).await;
    let status = async || shop.get("/readyz").await.map(|(status, _)| status);
    assert_eq!(status().await, Some(503));
    shop.graph().heal();
    shop.graph().wait_received(anna, 2, PATIENCE).await;
    shop.ready().await;
}
