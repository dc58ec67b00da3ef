//! frontdesk's adapter for Telegram bots.
//!
//! Updates come from a `getUpdates` loop of our own: a batch is stored before the next one is asked for, which is
//! what confirms it. The calls are teloxide's, but their answers and the updates are read by lenient types of our own
//! ([`wire`]): teloxide 0.17 drops the text of a message in which it does not know one formatting entity, and takes a
//! send for failed when it cannot read all of the message in the answer.

mod adapter;
mod api;
mod config;
mod content;
mod convert;
mod failure;
mod files;
mod probe;
mod receive;
mod send;
mod wire;

pub use adapter::TelegramAdapter;
pub use config::{Config, RawConfig};
