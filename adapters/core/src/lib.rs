//! What every channel of frontdesk has in common.
//!
//! A channel is one configured account on one messenger; its [`Adapter`] turns what arrives into [`Inbound`]
//! events, hands them to an [`Inbox`] that returns once they are on disk, and carries out [`Outbound`] messages,
//! each with at most one call that the other side can see. A desk, where the operators work, is an adapter whose
//! [`Capabilities`] include threads.
//!
//! Adapters know neither each other nor the program that runs them.

mod adapter;
mod capabilities;
mod config;
mod content;
pub mod contract;
mod error;
mod event;
mod file_name;
mod health;
mod id;
mod outbound;
mod secret;

pub use adapter::{Adapter, Inbox, Media, MediaStream};
pub use capabilities::{Capabilities, Limit, MediaLimit, NotCarried, Pace, Rate, TextUnit};
pub use config::{ConfigProblem, SecretSource};
pub use content::{Content, MediaKind, MediaRef, Part};
pub use error::{InboxError, ReceiveError, RefusedScope, SendError, SendErrorKind};
pub use event::{DeliveryState, Event, Inbound, MemberChange, Message, Person, PersonKind, RawJson, Side};
pub use health::{ChannelHealth, Finding, Severity};
pub use id::{
    AccountId, Address, Bucket, ChannelId, ChatId, Cursor, DeskName, EventKey, OutboxKey, PlatformId, PlatformUser,
    ThreadId,
};
pub use outbound::{Argument, Found, Op, Outbound, Post, Prepared, Sent, Signal, Style, Template};
pub use secret::Secret;
