//! Keeps the list of each channel's approved messages fresh, in the background: nobody waits for it but who asks for a
//! name that is not in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use frontdesk_core::{Adapter, ChannelId, SendError, Template};
use futures::future::join_all;
use jiff::SignedDuration;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    clock::Clock,
    dispatcher::{Policy, Templates},
};

const EVERY: Duration = Duration::from_secs(600);
/// No oftener than this, however often it is asked for.
const AT_MOST: SignedDuration = SignedDuration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(20);

/// Channels whose list somebody wants to be read again.
#[derive(Default)]
pub struct Wishes {
    channels: Mutex<BTreeSet<ChannelId>>,
    asked: Notify,
}

impl Wishes {
    pub fn ask(&self, channels: Vec<ChannelId>) {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).extend(channels);
        self.asked.notify_one();
    }

    async fn next(&self) -> BTreeSet<ChannelId> {
        self.asked.notified().await;
        std::mem::take(&mut *self.channels.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub struct Refresh {
    /// Only channels with a reply window have such messages.
    pub adapters: BTreeMap<ChannelId, Arc<dyn Adapter>>,
    pub policy: Arc<watch::Sender<Arc<Policy>>>,
    pub clock: Arc<dyn Clock>,
    pub wishes: Arc<Wishes>,
    /// Wakes the dispatch task: a command may wait for the list.
    pub arrived: Arc<Notify>,
}

impl Refresh {
    /// Until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let all: BTreeSet<ChannelId> = self.adapters.keys().cloned().collect();
        let mut wanted = all.clone();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = join_all(wanted.iter().map(|channel| self.read(channel))) => {}
            }
            wanted = tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(EVERY) => all.clone(),
                asked = self.wishes.next() => asked.into_iter().filter(|channel| self.is_due(channel)).collect(),
            };
        }
    }

    fn is_due(&self, channel: &ChannelId) -> bool {
        let tried = self.policy.borrow().templates.get(channel).and_then(|templates| templates.tried_at);
        tried.is_none_or(|tried| self.clock.now().duration_since(tried) >= AT_MOST)
    }

    async fn read(&self, channel: &ChannelId) {
        let Some(adapter) = self.adapters.get(channel) else { return };
        let read = timeout(PATIENCE, adapter.templates()).await;
        let read = read.unwrap_or_else(|_| Err(SendError::Transient("no answer came in time".to_owned())));
        self.keep(channel, read);
        self.arrived.notify_one();
    }

    /// What could not be read leaves what was known before.
    fn keep(&self, channel: &ChannelId, read: Result<Vec<Template>, SendError>) {
        let tried_at = Some(self.clock.now());
        self.policy.send_modify(|policy| {
            let known = &mut Arc::make_mut(policy).templates;
            let before = known.get(channel).map(|templates| templates.all.clone()).unwrap_or_default();
            let templates = match read {
                Ok(all) => Templates { all, problem: None, tried_at },
                Err(error) => {
                    warn!(%channel, %error, "the approved messages could not be read");
                    Templates { all: before, problem: Some(sentence(error)), tried_at }
                }
            };
            known.insert(channel.clone(), Arc::new(templates));
        });
    }
}

fn sentence(error: SendError) -> String {
    match error {
        SendError::Refused { reason, .. } => reason,
        SendError::RetryAfter { .. }
        | SendError::Transient(_)
        | SendError::Uncertain(_)
        | SendError::WindowClosed
        | SendError::Moved(_) => "the platform cannot be reached; it is tried again by itself.".to_owned(),
    }
}
