#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod botapi;
mod cli;
mod conversations;
mod end_to_end;
mod fake;
mod matrix;
mod operator;
mod playground;
mod program;
mod synapse;
mod telegram;
mod world;
