//! Conversations as tests: what is written on one side, and what both sides see of it.

mod answering;
mod automatic;
mod commands;
mod failures;
mod restarts;
mod storm;
