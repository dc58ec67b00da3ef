//! Tells the desks when a customers' channel needs a person, and when it works again: its account is refused, or its
//! adapter says for a while that something is wrong. Until then what customers write or are answered may not get through.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use frontdesk_core::{ChannelId, DeskName};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    clock::Clock,
    dispatcher::Policy,
    health::Health,
    store::{Store, StoreError},
};

/// Between two tries to note it.
const PAUSE: Duration = Duration::from_secs(5);
/// What passes by itself within this is no alarm.
const PATIENCE: Duration = Duration::from_secs(60);
/// What ails is looked at this often.
const LOOK: Duration = Duration::from_secs(15);

pub struct Alarm {
    pub health: Arc<Health>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub policy: watch::Receiver<Arc<Policy>>,
    /// Wakes the dispatch task.
    pub arrived: Arc<Notify>,
}

impl Alarm {
    /// Until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut told: BTreeSet<ChannelId> = BTreeSet::new();
        let mut changes = self.health.changes();
        while !stop.is_cancelled() {
            let again = async {
                if let Err(error) = self.look(&mut told).await {
                    warn!(%error, "the desks cannot be told about a channel; trying again");
                    return sleep(PAUSE).await;
                }
                let look = if self.health.ails() { LOOK } else { Duration::from_secs(3600) };
                let _ = timeout(look, changes.changed()).await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = again => {}
            }
        }
    }

    async fn look(&self, told: &mut BTreeSet<ChannelId>) -> Result<(), StoreError> {
        let ill = self.ill();
        for (channel, problem) in &ill {
            if !told.contains(channel) {
                self.tell(&alarm(channel, problem)).await?;
                told.insert(channel.clone());
            }
        }
        // One that only begins to connect is not well yet.
        let is_well =
            |channel: &ChannelId| !ill.contains_key(channel) && self.health.caught_up(std::slice::from_ref(channel));
        let mended: Vec<ChannelId> = told.iter().filter(|channel| is_well(channel)).cloned().collect();
        for channel in mended {
            self.tell(&format!("{channel} works again; what waited goes out now.")).await?;
            told.remove(&channel);
        }
        Ok(())
    }

    /// Of a desk's own channel the other desks are told by what does not reach it.
    fn ill(&self) -> BTreeMap<ChannelId, String> {
        let policy = Arc::clone(&self.policy.borrow());
        let mut ill = self.health.ill(PATIENCE);
        ill.retain(|channel, _| policy.desks.iter().all(|desk| desk.channel != *channel));
        ill
    }

    async fn tell(&self, text: &str) -> Result<(), StoreError> {
        let desks: Vec<DeskName> = self.policy.borrow().desks.iter().map(|desk| desk.name.clone()).collect();
        for desk in desks {
            self.store.notice(self.clock.now(), &desk, text.to_owned()).await?;
        }
        self.arrived.notify_one();
        Ok(())
    }
}

fn alarm(channel: &ChannelId, problem: &str) -> String {
    let problem = problem.trim_end_matches('.');
    format!(
        "{channel} does not work: {problem}. What you answer its customers waits and goes out by itself when it does."
    )
}
