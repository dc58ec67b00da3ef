//! Kills at random moments, before the program is ready and after, from its very first start on.

use std::{
    cell::Cell,
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use futures::future::join_all;
use tokio::time::sleep;

use super::{Count, Customer, Run, Traffic, number, report};
use crate::program::Shop;

const ROUNDS: u64 = 30;
/// After so many rounds everything is counted, and other customers come.
const CHAPTER: u64 = 30;
const CUSTOMERS: i64 = 8;
/// Of each customer in a round, and as many answers.
const MESSAGES: usize = 3;
/// For a backlog of a chapter, on a machine that is busy otherwise.
const PATIENCE: Duration = Duration::from_secs(900);

#[tokio::test]
async fn killed_at_random_moments_under_traffic_in_both_directions() {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = number("FRONTDESK_CRASH_SEED").unwrap_or(clock.as_millis() as u64 % 1_000_000);
    let rounds = number("FRONTDESK_CRASHES").unwrap_or(ROUNDS);
    println!("crash random: FRONTDESK_CRASH_SEED={seed} draws the same moments");
    let mut rng = Rng::with_seed(seed);
    let shop = Shop::new().await;
    let (mut all, mut done, mut chapter) = (Count::default(), 0, 0);
    while done < rounds {
        let now = CHAPTER.min(rounds - done);
        let customers = Customer::several(chapter * CUSTOMERS + 1..(chapter + 1) * CUSTOMERS + 1);
        let count = killed(&shop, &customers, now, &mut rng).await;
        report(&format!("random, seed {seed}, rounds {} to {}", done + 1, done + now), &count);
        all.add(count);
        (done, chapter) = (done + now, chapter + 1);
    }
    report(&format!("random: {rounds} rounds"), &all);
    assert!(all.delivered > 0);
}

async fn killed(shop: &Shop, customers: &[Customer], rounds: u64, rng: &mut Rng) -> Count {
    let traffic = Traffic::new(shop, customers);
    let run = storm(shop, &traffic, rounds, 2000, rng).await;
    let count = traffic.accounts(PATIENCE).await;
    run.kill();
    count
}

/// Everybody talks while the program is killed again and again, each time at most so many milliseconds after it was
/// ready. It runs when this is over, with what is left to do.
pub async fn storm(shop: &Shop, traffic: &Traffic<'_>, rounds: u64, longest: u64, rng: &mut Rng) -> Run {
    let (customers, messages) = (traffic.customers(), Cell::new(0));
    let (enough, seen_ready) = (Cell::new(false), Cell::new(false));
    let dice: Vec<Rng> = customers.iter().map(|_| rng.fork()).collect();
    let talks = customers.iter().zip(dice);
    let talk = join_all(talks.map(|(customer, rng)| traffic.talk(customer, rng, &messages, &enough)));
    let kills = async {
        for _ in 0..rounds {
            messages.set(messages.get() + MESSAGES);
            let run = Run::start(shop);
            if rng.u8(..4) == 0 {
                sleep(Duration::from_millis(rng.u64(10..1000))).await;
            } else {
                shop.ready().await;
                seen_ready.set(true);
                sleep(Duration::from_millis(rng.u64(..longest))).await;
            }
            run.kill();
            sleep(Duration::from_millis(rng.u64(..200))).await;
        }
        let run = Run::ready(shop).await;
        seen_ready.set(true);
        // Were the program ready for the first time only now, nobody would have a thread yet.
        traffic.room().await;
        enough.set(true);
        run
    };
    let room = async {
        while !seen_ready.get() {
            sleep(Duration::from_millis(50)).await;
        }
        traffic.room().await
    };
    let (_, run, _) = tokio::join!(talk, kills, room);
    // The last words of everybody: whatever came before in their lanes has been looked after when these have.
    for customer in &customers {
        traffic.asks(customer);
        traffic.answers(customer).await;
    }
    run
}
