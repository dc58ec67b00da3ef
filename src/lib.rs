//! frontdesk: one durable inbox for every messenger your customers use, one place for your people to answer.
//!
//! The library exists for the tests; the program is in `main.rs`.

pub mod alarm;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
#[cfg(unix)]
pub mod control;
pub mod desk;
pub mod dispatcher;
pub mod health;
pub mod hours;
pub mod http;
pub mod inbox;
pub mod kill;
pub mod metrics;
pub mod notices;
pub mod outbox;
pub mod reload;
pub mod store;
pub mod templates;
pub mod tools;
