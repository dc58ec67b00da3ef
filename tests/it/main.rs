#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod botapi;
mod cli;
mod conversations;
mod crash;
mod cuttable;
mod end_to_end;
mod fake;
mod fault;
mod faults;
mod files;
mod matrix;
mod metrics;
mod online;
mod operator;
mod playground;
mod power;
mod program;
mod proxy;
mod python;
mod reload;
mod schema;
mod synapse;
mod telegram;
mod tools;
mod world;
