use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Bench, TestInbox, inbox::Manner};
use crate::{Adapter, ChannelHealth, Content, Cursor, Event, Inbound, Message, ReceiveError};

/// One life of the program: an adapter that receives into an inbox of its own.
pub(super) struct Session {
    pub adapter: Arc<dyn Adapter>,
    pub inbox: Arc<TestInbox>,
    stop: CancellationToken,
    receiving: JoinHandle<Result<(), ReceiveError>>,
}

/// A message that arrived.
pub(super) struct Arrival {
    pub inbound: Inbound,
    pub message: Message,
}

const STOP_LIMIT: Duration = Duration::from_secs(5);
const ARRIVAL_LIMIT: Duration = Duration::from_secs(30);

impl Bench<'_> {
    /// Starts and waits until the backlog of the cases before is read.
    pub async fn session(&self) -> Result<Session, String> {
        let session = self.session_with(Manner::Stores).await;
        session.caught_up().await?;
        Ok(session)
    }

    /// Starts with an inbox of this manner, at the place where the life before stopped.
    pub async fn session_with(&self, manner: Manner) -> Session {
        let adapter = self.far.adapter().await;
        let from = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let inbox = Arc::new(TestInbox::starting_at(from.clone(), manner));
        let stop = CancellationToken::new();
        let receiving = tokio::spawn({
            let (adapter, inbox, stop) = (adapter.clone(), inbox.clone(), stop.clone());
            async move { adapter.receive(inbox, from, stop).await }
        });
        Session { adapter, inbox, stop, receiving }
    }

    fn remember(&self, place: Option<Cursor>) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}

impl Session {
    /// Waits for a message with these words that was stored.
    pub async fn stored(&self, words: &str) -> Result<Arrival, String> {
        self.arrived(words, TestInbox::stored).await
    }

    /// Waits for a message with these words that was handed over, stored or not.
    pub async fn offered(&self, words: &str) -> Result<Arrival, String> {
        self.arrived(words, TestInbox::offered).await
    }

    /// As the program does when it is asked to: within five seconds, without an error.
    pub async fn stop(mut self, bench: &Bench<'_>) -> Result<(), String> {
        self.stop.cancel();
        let outcome = tokio::time::timeout(STOP_LIMIT, &mut self.receiving).await;
        bench.remember(self.inbox.cursor());
        match outcome {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(format!("stopped with an error: {error}")),
            Ok(Err(panicked)) => Err(format!("stopped with a panic: {panicked}")),
            Err(_) => Err(format!("did not stop within {STOP_LIMIT:?}")),
        }
    }

    /// Until it ends by itself, and how.
    pub async fn ended(mut self, bench: &Bench<'_>) -> Result<Result<(), ReceiveError>, String> {
        let ended = tokio::time::timeout(ARRIVAL_LIMIT, &mut self.receiving).await;
        bench.remember(self.inbox.cursor());
        let ended = ended.map_err(|_| format!("did not end by itself within {ARRIVAL_LIMIT:?}"))?;
        ended.map_err(|panicked| format!("ended with a panic: {panicked}"))
    }

    pub fn has_ended(&self) -> bool {
        self.receiving.is_finished()
    }

    /// As a crash: nothing of the adapter runs any more, and what it had not confirmed is not.
    pub async fn kill(mut self, bench: &Bench<'_>) {
        self.receiving.abort();
        let _ = (&mut self.receiving).await;
        bench.remember(self.inbox.cursor());
    }

    async fn caught_up(&self) -> Result<(), String> {
        let caught_up = |inbox: &TestInbox| inbox.healths().contains(&ChannelHealth::CaughtUp).then_some(());
        let found = self.inbox.wait(ARRIVAL_LIMIT, caught_up).await;
        found.ok_or_else(|| format!("has not caught up; it reported {:?}", self.inbox.healths()))
    }

    async fn arrived(&self, words: &str, of: fn(&TestInbox) -> Vec<Inbound>) -> Result<Arrival, String> {
        let found = self.inbox.wait(ARRIVAL_LIMIT, |inbox| find(&of(inbox), words)).await;
        found.ok_or_else(|| {
            let (events, healths) = (self.inbox.offered(), self.inbox.healths());
            format!("{words:?} did not arrive; there were {events:#?}, and the health was {healths:?}")
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

/// The messages with exactly these words.
pub(super) fn all(events: &[Inbound], words: &str) -> Vec<Arrival> {
    let said = Content::text(words);
    let arrival = |inbound: &Inbound| {
        let Event::Message(message) = &inbound.event else { return None };
        (message.content == said).then(|| Arrival { inbound: inbound.clone(), message: message.clone() })
    };
    events.iter().filter_map(arrival).collect()
}

fn find(events: &[Inbound], words: &str) -> Option<Arrival> {
    all(events, words).into_iter().next()
}
