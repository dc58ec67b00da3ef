//! Kills, while both platforms refuse or spoil a fifth of what is sent.

use std::time::Duration;

use fastrand::Rng;

use super::{Customer, Run, Traffic, number, random::storm, report};
use crate::{
    botapi,
    fault::{Answer, Fault},
    program::Shop,
    proxy::{self, Proxy},
    synapse::Synapse,
};

/// An answer of 5xx takes ten seconds on the way through the Bot API's client.
const PATIENCE: Duration = Duration::from_secs(600);
const ROUNDS: u64 = 8;

const FAULTS: [Fault; 5] = [
    Fault::before(Answer::TooMany(Some(1))),
    Fault::before(Answer::TooMany(None)),
    Fault::before(Answer::Error(502)),
    Fault::after(Answer::Error(500)),
    Fault::before(Answer::Error(503)),
];

#[tokio::test]
async fn killed_while_a_fifth_of_the_sends_is_refused_or_carried_out_and_answered_with_500() {
    let seed = number("FRONTDESK_CRASH_SEED").unwrap_or(4);
    let proxy = Proxy::before(&Synapse::shared().await.url()).await;
    let shop = Shop::reaching(proxy.url(), "").await;
    Run::ready(&shop).await.kill();
    proxy.fail_share("PUT */send/*", 20, &FAULTS, seed);
    shop.telegram.fail_share("sendMessage", 20, &FAULTS, seed);

    let traffic = Traffic::new(&shop, &Customer::several(1..7));
    let mut rng = Rng::with_seed(seed);
    let run = storm(&shop, &traffic, ROUNDS, 8000, &mut rng).await;
    traffic.settled(PATIENCE).await;
    shop.telegram.heal();
    proxy.heal();
    let count = traffic.accounts(PATIENCE).await;
    let spoilt = |call: &proxy::Call| matches!(call.outcome, proxy::Outcome::Failed { .. });
    let at_desk = proxy.calls_of("PUT */send/*").iter().filter(|call| spoilt(call)).count();
    let spoilt = |call: &botapi::Call| matches!(call.outcome, botapi::Outcome::Failed { .. });
    let to_customers = shop.telegram.calls_of("sendMessage").iter().filter(|call| spoilt(call)).count();
    let scenario = format!("faults, seed {seed}: {ROUNDS} rounds, {to_customers} + {at_desk} sends spoilt");
    report(&scenario, &count);
    assert!(at_desk > 0 && !count.doubtful.is_empty(), "nothing went wrong");
    run.kill();
}
