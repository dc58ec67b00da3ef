//! The Matrix adapter against a real Synapse and an operator with a client of another make.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod account;
mod bench;
mod contract;
mod conversation;
mod desk_life;
mod faults;
mod files;
mod keys;
mod room;
