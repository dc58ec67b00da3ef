//! Builds the parts, keeps them running, and stops them.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use frontdesk_core::{Adapter, ChannelHealth, ChannelId, Inbox, ReceiveError};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    alarm::Alarm,
    clock::{Clock, SystemClock},
    config::{Config, Retention},
    dispatcher::Policy,
    health::Health,
    http,
    inbox::{ChannelInbox, Dispatch},
    metrics::{self, Metrics, Scrape},
    outbox::Outbox,
    reload::Reload,
    store::{Archive, Store, sled::SledStore},
    templates::{Refresh, Wishes},
    tools::{Tools, UNFINISHED},
};

pub(crate) mod build;

/// Everything under way gets this long to end.
const STOPPING: Duration = Duration::from_millis(4500);
/// A channel that stopped receiving is started again after this, longer each time.
const RESTART: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// Runs the product as the config of this file says, until `stop`.
pub async fn run(file: PathBuf, config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let path = config.data.join("store");
    create_private_folder(&config.data)
        .with_context(|| format!("the data folder {} cannot be made; check [store] url", config.data.display()))?;
    anyhow::ensure!(
        !config.data.join(UNFINISHED).exists(),
        "a restore into {} did not finish; move that folder away and restore again",
        config.data.display()
    );
    let store = Arc::new(SledStore::open(&path)?);
    let adapters = build::adapters(&config)?;
    let policy = build::policy(&config, &adapters);
    let health = Arc::new(Health::new(adapters.keys().cloned()));
    let owner = Owner { archive: store.clone(), data: config.data.clone(), retention: config.retention };
    let mut app = App::new(store, Arc::new(SystemClock), health, policy, adapters).with_owner(owner);
    info!(data = %config.data.display(), "frontdesk {} is starting", env!("CARGO_PKG_VERSION"));
    let routes = [app.routes(), vec![metrics::router(Arc::new(app.scrape()))]].concat();
    let serving = http::serve(config.http.listen, Arc::clone(&app.health), routes, stop.clone());
    app.watch(file, config);
    let serving = tokio::spawn(serving);
    let running = app.run(stop.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => ended?,
        ended = serving => {
            stop.cancel();
            running.await?;
            ended.context("the HTTP listener failed")??;
        }
    }
    info!("frontdesk has stopped; nothing is half-done");
    Ok(())
}

/// Messages and keys lie in it: a folder that we make is for this user only. Of one that was there its owner decides.
pub(crate) fn create_private_folder(path: &std::path::Path) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path)?.permissions()) & 0o007 != 0 {
        warn!(folder = %path.display(), "everybody on this machine can read the data folder; chmod 700 makes it private");
    }
    Ok(())
}

/// The parts, wired. Tests build it on fake adapters and a fake clock.
pub struct App {
    pub store: Arc<dyn Store>,
    pub health: Arc<Health>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    policy: Arc<watch::Sender<Arc<Policy>>>,
    adapters: BTreeMap<ChannelId, Arc<dyn Adapter>>,
    outbox: Arc<Outbox>,
    arrived: Arc<Notify>,
    owner: Option<Owner>,
    reload: Option<Reload>,
}

/// What the owner's tools need, and what is cleared up for the owner.
pub struct Owner {
    pub archive: Arc<dyn Archive>,
    pub data: PathBuf,
    pub retention: Retention,
}

impl App {
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        health: Arc<Health>,
        policy: Policy,
        adapters: BTreeMap<ChannelId, Arc<dyn Adapter>>,
    ) -> Self {
        let (metrics, arrived): (Arc<Metrics>, Arc<Notify>) = Default::default();
        let outbox = Arc::new(Outbox::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            Arc::clone(&health),
            Arc::clone(&metrics),
            adapters.clone(),
            policy.desks.iter().map(|desk| (desk.name.clone(), desk.channel.clone())).collect(),
            Arc::clone(&arrived),
        ));
        let policy = Arc::new(watch::Sender::new(Arc::new(policy)));
        Self { store, health, clock, metrics, policy, adapters, outbox, arrived, owner: None, reload: None }
    }

    #[must_use]
    pub fn with_owner(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// What the owner can ask of the running program.
    #[must_use]
    pub fn tools(&self) -> Option<Arc<Tools>> {
        let owner = self.owner.as_ref()?;
        Some(Arc::new(Tools {
            archive: Arc::clone(&owner.archive),
            outbox: Some(Arc::clone(&self.outbox)),
            clock: Arc::clone(&self.clock),
            data: owner.data.clone(),
        }))
    }

    /// Lets the hours and the wording of this file be read again when it changes; `config` is what it said before.
    pub fn watch(&mut self, file: PathBuf, config: Config) {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let (policy, arrived) = (Arc::clone(&self.policy), Arc::clone(&self.arrived));
        self.reload = Some(Reload::new(file, config, policy, store, clock, arrived));
    }

    /// For `/metrics`.
    #[must_use]
    pub fn scrape(&self) -> Scrape {
        Scrape {
            metrics: Arc::clone(&self.metrics),
            store: Arc::clone(&self.store),
            outbox: Arc::clone(&self.outbox),
            health: Arc::clone(&self.health),
            clock: Arc::clone(&self.clock),
        }
    }

    fn inbox(&self, channel: &ChannelId) -> Arc<dyn Inbox> {
        Arc::new(ChannelInbox {
            channel: channel.clone(),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            health: Arc::clone(&self.health),
            metrics: Arc::clone(&self.metrics),
            arrived: Arc::clone(&self.arrived),
        })
    }

    /// What the channels that are fed by webhooks bring.
    #[must_use]
    pub fn routes(&self) -> Vec<axum::Router> {
        self.adapters.iter().filter_map(|(channel, adapter)| adapter.routes(self.inbox(channel))).collect()
    }

    fn refresh(&self, wishes: Arc<Wishes>) -> Refresh {
        let with_window = |adapter: &Arc<dyn Adapter>| adapter.capabilities().reply_window.is_some();
        let adapters = self.adapters.iter().filter(|(_, adapter)| with_window(adapter));
        Refresh {
            adapters: adapters.map(|(channel, adapter)| (channel.clone(), Arc::clone(adapter))).collect(),
            policy: Arc::clone(&self.policy),
            clock: Arc::clone(&self.clock),
            wishes,
            arrived: Arc::clone(&self.arrived),
        }
    }

    fn alarm(&self) -> Alarm {
        Alarm {
            health: Arc::clone(&self.health),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            policy: self.policy.subscribe(),
            arrived: Arc::clone(&self.arrived),
        }
    }

    /// Receives, decides and sends until `stop`.
    pub async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let outbox = Arc::clone(&self.outbox);
        outbox.load().await?;
        let wishes = Arc::new(Wishes::default());
        let dispatch = Dispatch {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            health: Arc::clone(&self.health),
            metrics: Arc::clone(&self.metrics),
            policy: self.policy.subscribe(),
            outbox: Arc::clone(&outbox),
            templates: Arc::clone(&wishes),
            arrived: Arc::clone(&self.arrived),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(self.refresh(wishes).run(stop.clone()));
        tasks.spawn(self.alarm().run(stop.clone()));
        tasks.spawn(outbox.run(stop.clone()));
        tasks.spawn(dispatch.run(stop.clone()));
        tasks.spawn(tidy(Arc::clone(&self.store), Arc::clone(&self.clock), Arc::clone(&self.health), stop.clone()));
        if let Some(owner) = &self.owner {
            tasks.spawn(retire(Arc::clone(&owner.archive), Arc::clone(&self.clock), owner.retention, stop.clone()));
        }
        #[cfg(unix)]
        if let (Some(tools), Some(owner)) = (self.tools(), &self.owner) {
            tasks.spawn(crate::control::serve(owner.data.clone(), tools, stop.clone()));
        }
        for (channel, adapter) in &self.adapters {
            let receiver = Receiver {
                channel: channel.clone(),
                adapter: Arc::clone(adapter),
                inbox: self.inbox(channel),
                store: Arc::clone(&self.store),
                health: Arc::clone(&self.health),
            };
            tasks.spawn(receiver.run(stop.clone()));
        }
        if let Some(reload) = self.reload.take() {
            tasks.spawn(reload.run(stop.clone()));
        }
        drop(self);
        let mut failed = false;
        while let Some(ended) = tasks.join_next().await {
            if stop.is_cancelled() {
                break;
            }
            // Before the program stops a task ends only when it cannot go on.
            match ended {
                Ok(()) => error!("a part of the program cannot go on; stopping, so that it is started again whole"),
                Err(problem) => error!(%problem, "a part of the program failed; stopping, to be started again whole"),
            }
            failed = true;
            stop.cancel();
        }
        let rest = async { while tasks.join_next().await.is_some() {} };
        if timeout(STOPPING, rest).await.is_err() {
            warn!("some work did not end in time and was cut off; it goes on at the next start");
            tasks.shutdown().await;
        }
        anyhow::ensure!(!failed, "a part of the program failed; the log says which");
        Ok(())
    }
}

/// Keeps one channel receiving.
struct Receiver {
    channel: ChannelId,
    adapter: Arc<dyn Adapter>,
    inbox: Arc<dyn Inbox>,
    store: Arc<dyn Store>,
    health: Arc<Health>,
}

impl Receiver {
    async fn run(self, stop: CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            self.inbox.health(ChannelHealth::Connecting);
            let began = tokio::time::Instant::now();
            let ended = self.receive(&stop).await;
            if stop.is_cancelled() {
                return;
            }
            let Err(problem) = ended else {
                sleep(RESTART[0]).await;
                continue;
            };
            if began.elapsed() > Duration::from_secs(120) {
                failures = 0;
            }
            let pause = RESTART[RESTART.len().min(failures + 1) - 1];
            failures += 1;
            self.inbox.health(ChannelHealth::Failing { problem: problem.to_string() });
            if let ReceiveError::Account(problem) = &problem {
                self.health.refuses(&self.channel, problem.clone());
            }
            warn!(channel = %self.channel, %problem, secs = pause.as_secs(), "stopped receiving; trying again");
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn receive(&self, stop: &CancellationToken) -> Result<(), ReceiveError> {
        let cursor = self
            .store
            .cursor(&self.channel)
            .await
            .map_err(|error| ReceiveError::Inbox(frontdesk_core::InboxError::Store(error.to_string())))?;
        self.adapter.receive(Arc::clone(&self.inbox), cursor, stop.child_token()).await
    }
}

/// Sees now and then whether the disk still takes writes, and removes what is past its time, a piece at a time.
async fn tidy(store: Arc<dyn Store>, clock: Arc<dyn Clock>, health: Arc<Health>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        health.set_store(store.probe().await.err().map(|problem| problem.to_string()));
        let more = store.tidy(clock.now()).await.unwrap_or(false);
        let pause = if more { Duration::from_secs(1) } else { Duration::from_secs(600) };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(pause) => {}
        }
    }
}

/// Deletes what the owner does not want to be kept any longer, a piece at a time.
async fn retire(archive: Arc<dyn Archive>, clock: Arc<dyn Clock>, keep: Retention, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match archive.retire(clock.now(), keep.messages).await {
            Ok(true) => Duration::from_secs(1),
            Ok(false) => Duration::from_secs(3600),
            Err(problem) => {
                warn!(%problem, "what is past its time could not be deleted; trying again later");
                Duration::from_secs(3600)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(pause) => {}
        }
    }
}
