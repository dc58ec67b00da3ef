//! The road of a file: opened where it lies, passed on in pieces, watched over. Nothing of it is kept.

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::{Adapter, ChannelId, Media, MediaRef, MediaStream, Prepared, SendError};
use futures::{Stream, StreamExt, stream};
use tokio::{
    sync::SemaphorePermit,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    Channel, Next, Outbox,
    pace::{after, backoff},
};
use crate::{
    desk,
    store::{Outcome, Place, Row, RowOp, StoreError, Target, Ticket},
};

/// Files that are on their way to a channel at once, counted in steps of [`STEP`] bytes, at least one for each. It is
/// less than the channel's slots, so that words always find one.
pub(super) const ROOM: u32 = 6;
const STEP: u64 = 10 << 20;
/// One whose size nobody told.
const UNTOLD: u32 = 2;
/// Until the first bytes of a file come.
const OPENING: Duration = Duration::from_secs(45);
/// Between two pieces of it.
const SOURCE_STALLS: Duration = Duration::from_secs(30);
/// Until the next piece is taken, or what was taken in the end is answered.
const TARGET_STALLS: Duration = Duration::from_secs(60);
/// For the whole of it.
const TOTAL: Duration = Duration::from_secs(10 * 60);
/// What a file takes that is whole before its upload begins.
const UPLOAD: Duration = Duration::from_secs(5 * 60);
/// So often a file is asked for before its message goes without it.
const TRIES: u32 = 3;
/// A platform that asks for more patience than this gets it with the next `!retry`.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens the file of one row, for one attempt.
pub(super) struct Road {
    from: Option<(ChannelId, Arc<dyn Adapter>)>,
    /// More than this the other side does not take.
    most: u64,
    progress: Arc<Mutex<Progress>>,
}

struct Progress {
    stage: Stage,
    /// When something last happened.
    moved: Instant,
    trouble: Option<Trouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Untouched,
    Opening,
    /// Open, and nobody has taken anything of it.
    Open,
    Moving,
    /// Its end has been seen.
    Whole,
}

/// Why a file did not come through. In every case the other side has seen nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Trying again may help.
    Later {
        reason: String,
        after: Option<Duration>,
    },
    Final {
        reason: String,
    },
}

impl Outbox {
    pub(super) fn road(&self, channel: &Channel, ticket: &Ticket) -> Road {
        let from = match &ticket.source {
            Some(Place::Chat { channel, .. }) => Some(channel),
            Some(Place::Desk { desk }) => self.desks.get(desk),
            None => None,
        };
        let from = from.and_then(|id| Some((id.clone(), Arc::clone(&self.channels.get(id)?.adapter))));
        let media = ticket.row.what.op.file();
        let most = media.and_then(|media| channel.adapter.capabilities().most(media)).unwrap_or(u64::MAX);
        let progress = Progress { stage: Stage::Untouched, moved: Instant::now(), trouble: None };
        Road { from, most, progress: Arc::new(Mutex::new(progress)) }
    }

    /// A file waits until there is room for it; words never do. `None` when the program stops.
    pub(super) async fn room<'a>(
        &self,
        channel: &'a Channel,
        row: &Row,
        stop: &CancellationToken,
    ) -> Option<Option<SemaphorePermit<'a>>> {
        let Some(media) = row.what.op.file().filter(|_| row.prepared == Prepared::default()) else { return Some(None) };
        let steps = |size: u64| u32::try_from(size / STEP + 1).unwrap_or(ROOM).min(ROOM);
        let room = channel.files.acquire_many(media.size.map_or(UNTOLD, steps));
        tokio::select! {
            room = room => Some(room.ok()),
            () = stop.cancelled() => None,
        }
    }

    /// A row's file did not come through: once more in a moment, and in the end its message goes without it.
    pub(super) async fn file_failed(
        &self,
        id: &ChannelId,
        mut ticket: Ticket,
        trouble: Trouble,
    ) -> Result<Next, StoreError> {
        ticket.row.file_failures = ticket.row.file_failures.saturating_add(1);
        let failures = ticket.row.file_failures;
        warn!(channel = %id, row = %ticket.row.number, failures, ?trouble, "a file did not come through");
        match trouble {
            Trouble::Later { after: pause, .. } if failures < TRIES => {
                let pause = pause.unwrap_or_else(|| backoff(2 * failures)).min(PATIENCE);
                self.again(ticket, after(self.clock.now(), pause), None).await
            }
            Trouble::Later { reason, .. } | Trouble::Final { reason } => self.without_file(ticket, &reason).await,
        }
    }

    /// To a desk the message goes in words, in its place; of an answer its author decides.
    pub(super) async fn without_file(&self, mut ticket: Ticket, reason: &str) -> Result<Next, StoreError> {
        match ticket.row.what.target {
            Target::Customer(_) => self.end(ticket.row.number, Outcome::Failed { reason: reason.to_owned() }).await,
            Target::Thread(..) | Target::Desk(_) => {
                put_in_words(&mut ticket.row, reason);
                let soon = after(self.clock.now(), Duration::from_secs(1));
                self.again(ticket, soon, None).await
            }
        }
    }
}

fn put_in_words(row: &mut Row, reason: &str) {
    if let RowOp::Post { content, .. } = &mut row.what.op
        && let Some((media, caption)) = content.file()
    {
        *content = desk::without_file(media, caption, reason);
        row.prepared = Prepared::default();
        row.without_file = true;
    }
}

impl Road {
    /// Carries out something that may pass the file on. `patience`: for an answer once all of it has been passed on, or
    /// where there is no file.
    pub(super) async fn watch<T>(
        &self,
        patience: Duration,
        work: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, SendError> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.stuck(patience) => Err(SendError::Uncertain("no answer came in time".to_owned())),
        }
    }

    /// The upload beforehand; see [`Road::watch`].
    pub(super) async fn prepare<T>(&self, work: impl Future<Output = Result<T, SendError>>) -> Result<T, SendError> {
        self.watch(UPLOAD, work).await
    }

    /// What the file has to do with a failure. Of what was not passed on whole the other side has seen nothing.
    pub(super) fn trouble(&self, error: &SendError) -> Option<Trouble> {
        let progress = self.progress();
        if progress.trouble.is_some() {
            return progress.trouble.clone();
        }
        let (SendError::Transient(why) | SendError::Uncertain(why)) = error else { return None };
        let reason = format!("the upload broke off ({why}).");
        (progress.stage == Stage::Moving).then_some(Trouble::Later { reason, after: None })
    }

    /// The same of an upload that nobody sees: also when it was whole.
    pub(super) fn trouble_of_upload(&self, error: &SendError) -> Option<Trouble> {
        let known = self.trouble(error);
        let (SendError::Transient(reason) | SendError::Uncertain(reason)) = error else { return known };
        let whole = self.progress().stage == Stage::Whole;
        known.or_else(|| {
            let reason = format!("the upload failed ({reason}).");
            whole.then_some(Trouble::Later { reason, after: None })
        })
    }

    async fn stuck(&self, patience: Duration) {
        let began = Instant::now();
        loop {
            let until = self.deadline(began, patience);
            if until <= Instant::now() {
                break;
            }
            sleep_until(until).await;
        }
        if self.progress().stage == Stage::Moving && began.elapsed() >= TOTAL {
            self.note(Trouble::Final { reason: "the file took longer than ten minutes.".to_owned() });
        }
    }

    fn deadline(&self, began: Instant, patience: Duration) -> Instant {
        let Progress { stage, moved, .. } = *self.progress();
        match stage {
            Stage::Untouched => began + patience,
            // Opening has a time-out of its own.
            Stage::Opening => moved + OPENING + patience,
            Stage::Open => moved + patience.max(TARGET_STALLS),
            Stage::Moving => (moved + TARGET_STALLS).min(began + TOTAL),
            Stage::Whole => moved + patience,
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }

    fn note(&self, trouble: Trouble) {
        self.progress().trouble.get_or_insert(trouble);
    }

    fn moves(&self, stage: Stage) {
        moves(&self.progress, stage);
    }

    async fn fetch(&self, media: &MediaRef) -> Result<MediaStream, Trouble> {
        let gone = || final_trouble("the channel that it came by is no longer in the config.");
        let (id, from) = self.from.as_ref().ok_or_else(gone)?;
        self.allows(media, media.size)?;
        match timeout(OPENING, from.fetch(media)).await {
            Ok(Ok(stream)) => self.allows(media, stream.size).map(|()| stream),
            Ok(Err(error)) => Err(Trouble::of_source(id, error)),
            Err(_) => Err(Trouble::of_source(id, SendError::Transient("no answer in time".to_owned()))),
        }
    }

    fn allows(&self, media: &MediaRef, size: Option<u64>) -> Result<(), Trouble> {
        match size.filter(|size| *size > self.most) {
            Some(bytes) => Err(Trouble::Final { reason: desk::too_large(media, bytes, self.most) }),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Media for Road {
    async fn open(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        self.moves(Stage::Opening);
        let MediaStream { size, mime, chunks } = self.fetch(media).await.map_err(|trouble| {
            self.note(trouble);
            SendError::Transient("the file cannot be had".to_owned())
        })?;
        self.moves(Stage::Open);
        let too_large = Trouble::Final { reason: desk::too_large(media, self.most.saturating_add(1), self.most) };
        let watched = Watched {
            progress: Arc::clone(&self.progress),
            from: self.from.as_ref().map(|(id, _)| id.clone()).unwrap_or_else(|| "nowhere".into()),
            size,
            most: self.most,
            too_large,
            seen: 0,
        };
        Ok(MediaStream { size, mime, chunks: Box::pin(watched.pass_on(chunks)) })
    }
}

/// A file that is being passed on. What ends without an error has as many bytes as were told.
struct Watched {
    progress: Arc<Mutex<Progress>>,
    from: ChannelId,
    size: Option<u64>,
    most: u64,
    too_large: Trouble,
    seen: u64,
}

impl Watched {
    fn pass_on<S>(self, chunks: S) -> impl Stream<Item = io::Result<Bytes>> + Send
    where
        S: Stream<Item = io::Result<Bytes>> + Send + Unpin,
    {
        stream::unfold(Some((self, chunks)), |state| async move {
            let (mut watched, mut chunks) = state?;
            moves(&watched.progress, Stage::Moving);
            let next = timeout(SOURCE_STALLS, chunks.next()).await;
            match watched.look_at(next.ok()) {
                Ok(Some(chunk)) => Some((Ok(chunk), Some((watched, chunks)))),
                Ok(None) => None,
                Err(trouble) => {
                    lock(&watched.progress).trouble.get_or_insert(trouble);
                    Some((Err(io::Error::other("the file broke off")), None))
                }
            }
        })
    }

    /// `None`: nothing came in time. `Some(None)`: that was all.
    fn look_at(&mut self, next: Option<Option<io::Result<Bytes>>>) -> Result<Option<Bytes>, Trouble> {
        let broken = |why: &str| Trouble::of_source(&self.from, SendError::Transient(why.to_owned()));
        let chunk = match next {
            Some(Some(Ok(chunk))) => chunk,
            Some(Some(Err(error))) => return Err(broken(&error.to_string())),
            Some(None) if self.size.is_some_and(|size| size != self.seen) => return Err(broken("a part is missing")),
            Some(None) => {
                moves(&self.progress, Stage::Whole);
                return Ok(None);
            }
            None => return Err(broken("it stands still")),
        };
        self.seen += chunk.len() as u64;
        if self.seen > self.most {
            return Err(self.too_large.clone());
        }
        if self.size.is_some_and(|size| self.seen > size) {
            return Err(broken("it is longer than was told"));
        }
        moves(&self.progress, Stage::Moving);
        Ok(Some(chunk))
    }
}

impl Trouble {
    /// What the channel says where the file lies. Its account and its patience are no matter of the row's own channel.
    fn of_source(id: &ChannelId, error: SendError) -> Self {
        let later = |why: &str, after| Self::Later { reason: format!("{id} cannot give the file now ({why})."), after };
        match error {
            SendError::RetryAfter { after, .. } => later("it asks for patience", Some(after)),
            SendError::Transient(why) | SendError::Uncertain(why) => later(&why, None),
            SendError::WindowClosed | SendError::Moved(_) => later("it is not where it was", None),
            SendError::Refused { reason, .. } => Self::Final { reason },
        }
    }
}

fn final_trouble(reason: &str) -> Trouble {
    Trouble::Final { reason: reason.to_owned() }
}

fn moves(progress: &Mutex<Progress>, stage: Stage) {
    let mut progress = lock(progress);
    (progress.stage, progress.moved) = (stage, Instant::now());
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
