use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::Router;
use frontdesk_core::{
    Adapter, Address, Bucket, Capabilities, Cursor, Finding, Found, Inbox, Limit, Media, MediaRef, MediaStream, Op,
    Outbound, OutboxKey, Pace, Prepared, Rate, ReceiveError, RefusedScope, SendError, Sent, Signal, Template, TextUnit,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Numbers,
    api::Api,
    failure::Buckets,
    files::Files,
    hook::{self, Hook},
    media,
    numbers::Line,
    probe, receive,
    recent::Recent,
    send, templates,
};

/// One phone number of a business on the Cloud API. Groups are ignored.
pub struct WhatsAppAdapter {
    /// The owner's name for it.
    name: String,
    config: Config,
    api: Api,
    line: Arc<Line>,
    numbers: Arc<Numbers>,
    files: Files,
    /// What `prepare` has uploaded, so that a send that has to wait does not upload again.
    uploads: Recent<(OutboxKey, String), Prepared>,
    /// The owner uses the number on a phone as well.
    coexists: AtomicBool,
}

/// The longest text of one message, and of the words with a file. How Meta counts is not said: this is never too long.
pub(crate) const TEXT: Limit = Limit { max: 4096, unit: TextUnit::Utf16 };
pub(crate) const CAPTION: Limit = Limit { max: 1024, unit: TextUnit::Utf16 };

const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Meta keeps uploads for 30 days.
const UPLOADS: usize = 500;
const UPLOADS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

impl WhatsAppAdapter {
    /// Opens no connection. Fails only where the system has no usable TLS. `numbers` is that of all WhatsApp channels.
    pub fn new(name: &str, config: Config, numbers: Arc<Numbers>) -> Result<Self, String> {
        let api = Api::new(&config)
            .map_err(|error| format!("cannot prepare connections to WhatsApp: {}", error.without_url()))?;
        let line = numbers.add(&config);
        Ok(Self {
            name: name.to_owned(),
            config,
            api,
            line,
            numbers,
            files: Files::new(),
            uploads: Recent::new(UPLOADS, UPLOADS_KEPT),
            coexists: AtomicBool::new(false),
        })
    }

    #[cfg(test)]
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }
}

#[async_trait]
impl Adapter for WhatsAppAdapter {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TEXT,
            media: media::LIMITS.to_vec(),
            edit: None,
            delete: None,
            replies: true,
            reactions: true,
            threads: false,
            slash_commands: false,
            typing: true,
            receipts: true,
            reply_window: Some(WINDOW),
        }
    }

    /// Needs no cursor: Meta itself keeps what was not answered with 200, for seven days.
    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        _: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        let receiving = receive::receive(&self.api, &self.line, &self.coexists, inbox);
        stop.run_until_cancelled(receiving).await.unwrap_or(Ok(()))
    }

    async fn send(&self, message: &Outbound, prepared: &Prepared, _: &dyn Media) -> Result<Sent, SendError> {
        let sent = send::send(&self.api, &self.line.memory, message, prepared).await;
        if let Err(SendError::Refused { scope: RefusedScope::Account, .. }) = sent {
            self.line.look();
        }
        sent
    }

    async fn fetch(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        self.files.fetch(&self.api, media, &account_buckets()).await
    }

    fn routes(&self, inbox: Arc<dyn Inbox>) -> Option<Router> {
        self.line.serve(inbox);
        let hook = Hook::new(Arc::clone(&self.line), Arc::clone(&self.numbers), self.config.verify_token.clone());
        Some(hook::router(&self.name, hook))
    }

    /// WhatsApp has no key against repetition; what sets a state can be set again.
    fn repeatable(&self, message: &Outbound) -> bool {
        match message.op {
            Op::React { .. } => true,
            Op::Post(_) | Op::OpenThread(_) | Op::Edit { .. } | Op::Delete { .. } | Op::Template { .. } => false,
        }
    }

    /// Meta's documentation: 80 messages a second for each number, 20 where a phone uses it too; to one customer one in
    /// six seconds, and up to 45 at once that count against what follows. Twenty leave no wait longer than two minutes.
    fn paces(&self, to: &Address) -> Vec<Pace> {
        let Buckets { pair, account } = buckets(to);
        let every = if self.coexists.load(Ordering::Relaxed) { 50 } else { 13 };
        vec![
            Pace { bucket: pair, rate: Rate { burst: 20, every: Duration::from_secs(6) } },
            Pace { bucket: account, rate: Rate { burst: 10, every: Duration::from_millis(every) } },
        ]
    }

    async fn prepare(&self, message: &Outbound, files: &dyn Media) -> Result<Prepared, SendError> {
        let Some(upload) = media::Upload::of(message) else { return Ok(Prepared::default()) };
        let key = (message.key, upload.name());
        if let Some(prepared) = self.uploads.get(&key) {
            return Ok(prepared);
        }
        let prepared = upload.carry_out(&self.api, files).await?;
        self.uploads.note(key, prepared.clone());
        Ok(prepared)
    }

    async fn find(&self, message: &Outbound) -> Result<Found, SendError> {
        Ok(send::find(&self.line.memory, message).await)
    }

    async fn signal(&self, to: &Address, signal: Signal) {
        send::signal(&self.api, &self.line.memory, to, signal).await;
    }

    async fn templates(&self) -> Result<Vec<Template>, SendError> {
        let account = self.config.business_account_id.as_deref();
        templates::templates(&self.api, account, &account_buckets()).await
    }

    async fn probe(&self) -> Vec<Finding> {
        probe::probe(&self.api, &self.config, &self.name, &self.numbers).await
    }
}

/// What waits together with a send to this address.
pub(crate) fn buckets(to: &Address) -> Buckets {
    let pair = match to {
        Address::Chat { chat, .. } => Bucket::from(format!("pair:{chat}")),
        Address::Desk { desk, .. } => Bucket::from(format!("desk:{desk}")),
    };
    Buckets { pair, account: Bucket::from("account") }
}

/// For what is sent to nobody.
fn account_buckets() -> Buckets {
    Buckets { pair: Bucket::from("account"), account: Bucket::from("account") }
}
