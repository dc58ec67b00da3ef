//! The Matrix channel: the operators' desk is an encrypted room, and each conversation is a thread in it.
//!
//! Everything that the SDK keeps (session, keys, what it knows of the rooms) lies in the folder that
//! [`MatrixAdapter::new`] is given. What has been read is kept by the program, as the cursor of its inbox.

mod adapter;
mod attachment;
mod config;
mod convert;
mod desk;
mod error;
mod files;
mod gap;
mod link;
mod media;
mod pending;
mod probe;
mod recovery;
mod room_keys;
mod rooms;
mod send;
mod session;
mod sync;

pub use adapter::MatrixAdapter;
pub use config::{Config, DeskConfig, RawConfig, RawDesk};
