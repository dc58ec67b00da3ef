#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod botapi;
mod cli;
mod conversations;
mod crash;
mod cuttable;
mod end_to_end;
mod fake;
mod fault;
mod faults;
mod matrix;
mod operator;
mod playground;
mod power;
mod program;
mod proxy;
mod synapse;
mod telegram;
mod tools;
mod world;
