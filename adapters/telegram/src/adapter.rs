use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use frontdesk_core::{
    Adapter, Address, Bucket, Capabilities, ChatId, Cursor, Finding, Inbox, Limit, Media, MediaKind, MediaLimit,
    MediaRef, MediaStream, Op, Outbound, Pace, Prepared, Rate, ReceiveError, SendError, Sent, Signal, TextUnit,
};
use tokio_util::sync::CancellationToken;

use crate::{Config, api::Api, files, probe, receive, send};

/// One bot. People who write to it in a private chat are customers; groups and channels are ignored.
pub struct TelegramAdapter {
    api: Api,
}

/// The longest text of one message.
pub(crate) const TEXT: Limit = Limit { max: 4096, unit: TextUnit::Utf16 };

/// The longest text beside a file.
const CAPTION: Limit = Limit { max: 1024, unit: TextUnit::Utf16 };

const MB: u64 = 1 << 20;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Bots may edit their own messages without a limit of time.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * DAY.as_secs());

impl TelegramAdapter {
    /// Opens no connection. Fails only where the system has no usable TLS.
    pub fn new(config: &Config) -> Result<Self, String> {
        let api = Api::new(config)
            .map_err(|error| format!("cannot prepare connections to Telegram: {}", error.without_url()))?;
        Ok(Self { api })
    }
}

#[async_trait]
impl Adapter for TelegramAdapter {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TEXT,
            media: media(),
            edit: Some(FOR_EVER),
            delete: Some(2 * DAY),
            replies: true,
            reactions: true,
            threads: false,
            slash_commands: true,
            typing: true,
            receipts: false,
            reply_window: None,
        }
    }

    /// Needs no cursor: Telegram itself keeps what was not confirmed, for 24 hours.
    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        _: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        stop.run_until_cancelled(receive::receive(&self.api, inbox)).await.unwrap_or(Ok(()))
    }

    /// A file is passed on as it comes: Telegram has no uploads beforehand.
    async fn send(&self, message: &Outbound, _: &Prepared, media: &dyn Media) -> Result<Sent, SendError> {
        send::send(&self.api, message, media).await
    }

    async fn fetch(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        files::fetch(&self.api, media, account_bucket()).await
    }

    /// Telegram has no key against repetition; what sets a state can be set again.
    fn repeatable(&self, message: &Outbound) -> bool {
        match message.op {
            Op::Edit { .. } | Op::Delete { .. } | Op::React { .. } => true,
            Op::Post(_) | Op::OpenThread(_) | Op::Template { .. } => false,
        }
    }

    /// From Telegram's FAQ for bots ("My bot is hitting limits"): one message a second in a chat with short bursts
    /// beyond it, 20 a minute in a group, about 30 a second in all.
    fn paces(&self, to: &Address) -> Vec<Pace> {
        let account = Pace { bucket: account_bucket(), rate: Rate { burst: 5, every: Duration::from_millis(34) } };
        let Address::Chat { chat, .. } = to else {
            return vec![account];
        };
        let is_group = chat.as_str().starts_with('-');
        let rate = match is_group {
            true => Rate { burst: 1, every: Duration::from_secs(3) },
            false => Rate { burst: 3, every: Duration::from_secs(1) },
        };
        vec![Pace { bucket: chat_bucket(chat), rate }, account]
    }

    async fn signal(&self, to: &Address, signal: Signal) {
        match signal {
            Signal::Typing => send::typing(&self.api, to).await,
            // Bots have no read receipts.
            Signal::Seen(_) => {}
        }
    }

    async fn probe(&self) -> Vec<Finding> {
        probe::probe(&self.api).await
    }
}

/// What bots may upload. A larger picture goes as a plain file.
fn media() -> Vec<MediaLimit> {
    let limit = |kind, max_bytes| MediaLimit { kind, max_bytes, caption: Some(CAPTION) };
    vec![
        limit(MediaKind::Image, 10 * MB),
        limit(MediaKind::Video, 50 * MB),
        limit(MediaKind::Animation, 50 * MB),
        limit(MediaKind::Audio, 50 * MB),
        limit(MediaKind::Voice, 50 * MB),
        limit(MediaKind::File, 50 * MB),
        MediaLimit { caption: None, ..limit(MediaKind::Sticker, MB / 2) },
    ]
}

pub(crate) fn chat_bucket(chat: &ChatId) -> Bucket {
    Bucket::from(format!("chat:{chat}"))
}

fn account_bucket() -> Bucket {
    Bucket::from("account")
}
