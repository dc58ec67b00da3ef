//! The same with customers on WhatsApp, whose webhooks come twice and in disorder: beside others on Telegram, at each
//! named point, and while sends are spoilt.

use std::time::Duration;

use fastrand::Rng;

use super::{Count, Customer, Run, Traffic, number, random::storm, report};
use crate::{
    fault::{Answer, Fault},
    graph::{self, Manner},
    program::Shop,
};

const ROUNDS: u64 = 10;
/// After so many rounds everything is counted, and other customers come.
const CHAPTER: u64 = 10;
/// On each messenger.
const CUSTOMERS: i64 = 4;
const PATIENCE: Duration = Duration::from_secs(900);

/// What is not carried out and says so, and what is carried out and does not.
const FAULTS: [Fault; 5] = [
    Fault::before(Answer::TooMany(Some(1))),
    Fault::after(Answer::Error(500)),
    Fault::after(Answer::Reset),
    Fault::after(Answer::Html(502)),
    Fault::before(Answer::Error(503)),
];

async fn stormy_shop(rng: &mut Rng) -> Shop {
    let shop = Shop::with_whatsapp().await;
    shop.graph().brings(Manner::Stormy(rng.fork()));
    shop
}

fn seed(usual: u64) -> u64 {
    number("FRONTDESK_CRASH_SEED").unwrap_or(usual)
}

#[tokio::test]
async fn killed_at_random_moments_while_webhooks_come_twice_and_in_disorder() {
    let (seed, rounds) = (seed(fastrand::u64(..1_000_000)), number("FRONTDESK_CRASHES").unwrap_or(ROUNDS));
    println!("crash whatsapp: FRONTDESK_CRASH_SEED={seed} draws the same moments");
    let mut rng = Rng::with_seed(seed);
    let shop = stormy_shop(&mut rng).await;
    let (mut all, mut done, mut chapter) = (Count::default(), 0, 0);
    while done < rounds {
        let now = CHAPTER.min(rounds - done);
        let ids = chapter * CUSTOMERS + 1..(chapter + 1) * CUSTOMERS + 1;
        let customers = [Customer::several(ids.clone()), Customer::on_whatsapp(ids)].concat();
        let traffic = Traffic::new(&shop, &customers);
        let run = storm(&shop, &traffic, now, 2000, &mut rng).await;
        let count = traffic.accounts(PATIENCE).await;
        run.kill();
        report(&format!("whatsapp, seed {seed}, rounds {} to {}", done + 1, done + now), &count);
        all.add(count);
        (done, chapter) = (done + now, chapter + 1);
    }
    report(&format!("whatsapp: {rounds} rounds"), &all);
    assert!(all.delivered > 0);
    assert_eq!(shop.graph().mistakes(), [], "the stand-in was asked something that Meta would refuse");
}

#[tokio::test]
async fn killed_while_a_fifth_of_the_sends_to_whatsapp_is_spoilt() {
    let mut rng = Rng::with_seed(seed(5));
    let shop = stormy_shop(&mut rng).await;
    Run::ready(&shop).await.kill();
    shop.graph().fail_share("messages", 20, &FAULTS, rng.u64(..));
    let traffic = Traffic::new(&shop, &Customer::on_whatsapp(1..7));
    let run = storm(&shop, &traffic, 6, 8000, &mut rng).await;
    traffic.settled(PATIENCE).await;
    shop.graph().heal();
    let count = traffic.accounts(PATIENCE).await;
    let spoilt = |call: &graph::Call| matches!(call.outcome, graph::Outcome::Failed { .. });
    let spoilt = shop.graph().calls_of("messages").iter().filter(|call| spoilt(call)).count();
    report(&format!("whatsapp, {spoilt} sends spoilt"), &count);
    assert!(spoilt > 0, "nothing went wrong");
    run.kill();
}
