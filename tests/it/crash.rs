//! The program, killed at any moment between a real Matrix server and stand-ins of the customers' messengers, against
//! the account of every message: nothing is lost, nothing comes twice unless it says so, nothing reaches anybody else, what is
//! uncertain stands before the operator, and the rest keeps its order.
//!
//! `FRONTDESK_CRASHES=200 cargo test --test it crash::random -- --nocapture` kills that often; `FRONTDESK_CRASH_SEED=17`
//! draws the same moments again.

mod account;
mod backlog;
mod faults;
mod points;
mod random;
mod run;
mod street;
mod traffic;
mod whatsapp;

use account::{Count, Customer};
use run::Run;
use traffic::Traffic;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// One line of the table that the tests print.
fn report(scenario: &str, count: &Count) {
    println!("crash {scenario}: {count}");
}
