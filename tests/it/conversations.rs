//! Conversations as tests: what is written on one side, and what both sides see of it.

mod answering;
mod automatic;
mod blocking;
mod commands;
mod failures;
mod hours;
mod languages;
mod restarts;
mod slashes;
mod storm;
mod waiting;
