//! frontdesk's adapter for the WhatsApp Cloud API.
//!
//! Meta sends what happens to a webhook ([`hook`]): the signature is checked over the bytes as they came, the batch is
//! stored, and only then it is answered with 200. Payloads are read leniently, entry by entry ([`convert`]): what
//! cannot be read is kept raw and spoils nothing else. Sends are plain calls of the Graph API ([`api`]) that carry the
//! outbox key, because Meta has no key against repetition: a send without an answer is settled by the status webhook
//! that brings the key back.

mod adapter;
mod api;
#[cfg(test)]
mod calls_tests;
mod coexistence;
mod config;
mod content;
mod convert;
mod failure;
mod files;
#[cfg(test)]
mod graph;
mod hook;
mod interactive;
mod media;
mod memory;
mod message;
mod numbers;
#[cfg(test)]
mod payloads;
mod person;
mod probe;
mod receive;
mod recent;
mod send;
mod signature;
mod status;
mod templates;
mod wire;

pub use adapter::WhatsAppAdapter;
pub use config::{Config, RawConfig};
pub use numbers::Numbers;
