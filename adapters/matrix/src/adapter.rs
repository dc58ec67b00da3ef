use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use frontdesk_core::{
    AccountId, Adapter, Address, Capabilities, ChannelHealth, Cursor, Finding, Found, Inbox, Limit, Media, MediaKind,
    MediaLimit, MediaRef, MediaStream, Op, Outbound, PlatformId, Prepared, ReceiveError, SendError, Sent, Signal,
    TextUnit, ThreadId,
};
use matrix_sdk::ruma::{
    EventId, api::client::receipt::create_receipt::v3::ReceiptType, events::receipt::ReceiptThread,
};
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::{
    config::{Config, DeskConfig},
    desk::Desks,
    link::Link,
    media::{self, Files},
    pending::Pending,
    probe,
    rooms::Rooms,
    send,
    session::{self, Home},
    sync::Intake,
};

/// An event holds 64 KiB in all. Encryption adds a third, and JSON may double what has to be escaped.
const TEXT_BYTES: usize = 20_000;
/// As much as a customer's platform hands out.
const MEDIA_BYTES: u64 = 100 << 20;
const SIGNAL_TIMEOUT: Duration = Duration::from_secs(5);
/// For writing back what the stores still hold when `receive` ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// One Matrix account, with the desks whose rooms it works in.
pub struct MatrixAdapter {
    config: Config,
    desks: Vec<DeskConfig>,
    data: PathBuf,
    /// Set while `receive` runs. Whoever uses the client holds the lock for so long: there is one client at a time.
    link: RwLock<Option<Arc<Link>>>,
}

impl MatrixAdapter {
    /// `data`: a folder of its own for this account, made where it is missing.
    #[must_use]
    pub fn new(config: Config, desks: Vec<DeskConfig>, data: PathBuf) -> Self {
        Self { config, desks, data, link: RwLock::new(None) }
    }

    async fn run(&self, inbox: Arc<dyn Inbox>, from: Option<Cursor>) -> Result<(), ReceiveError> {
        let home = Home::new(&self.data)?;
        let (client, since) = Box::pin(session::open(&self.config, &home)).await?;
        inbox.connected(AccountId::from(self.config.user.as_str())).await?;
        inbox.health(ChannelHealth::Connected);
        let broken = |path: PathBuf, error: &dyn std::fmt::Display| {
            ReceiveError::Account(format!("{}: {error}; delete the file", path.display()))
        };
        let pending = Pending::load(home.pending()).map_err(|error| broken(home.pending(), &error))?;
        let rooms = Rooms::load(home.rooms()).map_err(|error| broken(home.rooms(), &error))?;
        let files = Files::new()
            .map_err(|_| ReceiveError::Account("cannot prepare connections: this system has no usable TLS".into()))?;
        let link = Arc::new(Link::new(client, files, since));
        *self.link.write().await = Some(link.clone());
        match Box::pin(Intake::new(&link, Desks::new(&link, &self.desks, rooms), inbox, from, pending).run()).await {
            Err(error) => Err(error),
        }
    }

    /// Waits until nobody uses the client, and closes its stores: the next one must find them alone.
    async fn close(&self) {
        if let Some(link) = self.link.read().await.as_ref() {
            link.close();
        }
        let Some(link) = self.link.write().await.take() else { return };
        match tokio::time::timeout(CLOSE_TIMEOUT, link.client.pause()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!("the stores did not close: {error}"),
            Err(_) => debug!("the stores did not close in time"),
        }
    }
}

#[async_trait]
impl Adapter for MatrixAdapter {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: Limit { max: TEXT_BYTES, unit: TextUnit::Bytes },
            media: media_limits(),
            edit: Some(Duration::MAX),
            delete: Some(Duration::MAX),
            replies: true,
            reactions: true,
            threads: true,
            slash_commands: false,
            typing: true,
            receipts: true,
            reply_window: None,
        }
    }

    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        from: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        inbox.health(ChannelHealth::Connecting);
        let result = tokio::select! {
            biased;
            () = stop.cancelled() => Ok(()),
            result = self.run(inbox, from) => result,
        };
        self.close().await;
        result
    }

    async fn send(&self, message: &Outbound, prepared: &Prepared, _: &dyn Media) -> Result<Sent, SendError> {
        let guard = self.link.read().await;
        let link = guard.as_ref().ok_or_else(not_connected)?;
        Box::pin(send::send(link, message, prepared)).await
    }

    /// Brings the file to the homeserver.
    async fn prepare(&self, message: &Outbound, media: &dyn Media) -> Result<Prepared, SendError> {
        let (Op::Post(post), Address::Desk { desk, .. }) = (&message.op, &message.to) else {
            return Ok(Prepared::default());
        };
        let Some((file, _)) = post.content.file() else { return Ok(Prepared::default()) };
        // Not while we hold the connection: the file may lie on this homeserver as well.
        let stream = media.open(file).await?;
        let guard = self.link.read().await;
        let link = guard.as_ref().ok_or_else(not_connected)?;
        let encrypted = link.room(desk)?.encryption_settings().is_some();
        Box::pin(link.while_open(media::upload(&link.client, &link.files, encrypted, file, stream))).await
    }

    async fn fetch(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        let guard = self.link.read().await;
        let link = guard.as_ref().ok_or_else(not_connected)?;
        link.while_open(media::fetch(&link.client, &link.files, media)).await
    }

    /// Always: the homeserver knows a row by its transaction id, and after a day the room is searched for it.
    fn repeatable(&self, _: &Outbound) -> bool {
        true
    }

    async fn find(&self, message: &Outbound) -> Result<Found, SendError> {
        let guard = self.link.read().await;
        let link = guard.as_ref().ok_or_else(not_connected)?;
        Box::pin(send::find(link, message)).await
    }

    async fn signal(&self, to: &Address, signal: Signal) {
        let guard = self.link.read().await;
        let (Some(link), Address::Desk { desk, thread }) = (guard.as_ref(), to) else { return };
        let Ok(room) = link.room(desk) else { return };
        let work = async {
            let result = match signal {
                Signal::Typing => room.typing_notice(true).await,
                Signal::Seen(id) => seen(&room, thread.as_ref(), &id).await,
            };
            result.map_err(|error| crate::error::sending(&error))
        };
        match tokio::time::timeout(SIGNAL_TIMEOUT, link.while_open(work)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!("could not signal: {error}"),
            Err(_) => debug!("could not signal in time"),
        }
    }

    async fn probe(&self) -> Vec<Finding> {
        Box::pin(probe::probe(&self.config, &self.desks, &self.data)).await
    }
}

async fn seen(room: &matrix_sdk::Room, thread: Option<&ThreadId>, id: &PlatformId) -> matrix_sdk::Result<()> {
    let Ok(event) = EventId::parse(id.as_str()) else { return Ok(()) };
    let thread = match thread.map(|root| EventId::parse(root.as_str())) {
        Some(Ok(root)) if root != event => ReceiptThread::Thread(root),
        Some(_) => ReceiptThread::Main,
        None => ReceiptThread::Unthreaded,
    };
    room.send_single_receipt(ReceiptType::Read, thread, event).await
}

/// Every kind, up to what homeservers commonly take; one that takes less says so.
fn media_limits() -> Vec<MediaLimit> {
    let caption = Some(Limit { max: TEXT_BYTES, unit: TextUnit::Bytes });
    let kinds = [
        MediaKind::Image,
        MediaKind::Video,
        MediaKind::Animation,
        MediaKind::Audio,
        MediaKind::Voice,
        MediaKind::File,
        MediaKind::Sticker,
    ];
    kinds.map(|kind| MediaLimit { kind, max_bytes: MEDIA_BYTES, caption }).to_vec()
}

fn not_connected() -> SendError {
    SendError::Transient("not connected yet".into())
}
