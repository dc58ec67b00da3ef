//! From the start of the process to the first work done.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{
    Spread, count,
    rig::{Rig, customer},
};
use crate::program::PATIENCE;

/// To the waiting message relayed, at most.
const AIM: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn from_start_to_ready_and_to_the_waiting_message() {
    let mut rig = Rig::with_customers().await;
    let (mut ready, mut relayed) = (Vec::new(), Vec::new());
    for n in 0..count("FRONTDESK_BENCH_STARTS", 10) {
        rig.shop.kill();
        let text = format!("waiting {n};");
        rig.shop.telegram.says(customer(1 + n), &text);
        rig.matrix.clear();
        let began = Instant::now();
        rig.shop.start();
        while rig.shop.get("/readyz").await.is_none_or(|(status, _)| status != 200) {
            assert!(began.elapsed() < PATIENCE, "not ready\n{}", rig.shop.log());
            sleep(Duration::from_millis(2)).await;
        }
        ready.push(began.elapsed());
        let event = rig.shop.ann.wait_for_text(&rig.room, &text, PATIENCE).await.event_id;
        let arrived = rig.matrix.requests_answered_with("PUT ", &[event.as_str()]);
        relayed.push(arrived[event.as_str()].duration_since(began));
        rig.quiet().await;
    }
    let (ready, relayed) = (Spread::of(&ready), Spread::of(&relayed));
    println!("\nFrom the start of the process, {} customers known", super::rig::CUSTOMERS);
    println!("  to /readyz                               {ready}");
    let ratio = relayed.p50 / (AIM.as_secs_f64() * 1000.0);
    println!("  to the waiting message at the homeserver {relayed}   {ratio:.2} of half a second");
}
