use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use frontdesk_core::{
    Adapter, Address, ChannelHealth, Cursor, Event, Inbound, Media, MediaRef, MediaStream, Op, Outbound, OutboxKey,
    Post, Prepared, ReceiveError, RefusedScope, SendError, Sent, ThreadId, contract::TestInbox,
};
use frontdesk_matrix::{MatrixAdapter, RawConfig, RawDesk};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    operator::Operator,
    synapse::{Account, Synapse},
};

pub const PATIENCE: Duration = Duration::from_secs(30);

/// A bot's account, an operator, and what the program keeps on its disk.
pub struct Bench {
    pub synapse: &'static Synapse,
    pub bot: Account,
    pub ann: Operator,
    pub disk: TempDir,
}

/// One life of the program.
pub struct Run {
    pub adapter: Arc<MatrixAdapter>,
    pub inbox: Arc<TestInbox>,
    from: Option<Cursor>,
    stop: CancellationToken,
    receiving: JoinHandle<Result<(), ReceiveError>>,
}

impl Bench {
    pub async fn new() -> Self {
        let synapse = Synapse::shared().await;
        let (bot, ann) = (synapse.register("frontdesk").await, synapse.register("ann").await);
        let ann = Operator::login(synapse, &ann).await;
        Self { synapse, bot, ann, disk: tempfile::tempdir().unwrap() }
    }

    /// An alias that no other test has.
    pub fn alias(&self) -> String {
        format!("#desk-{}:{}", self.bot.localpart, self.synapse.server_name())
    }

    /// A desk that is made by us, with Ann as its operator.
    pub fn desk(&self) -> Value {
        json!({ "room": self.alias(), "operators": [self.ann.user_id()] })
    }

    pub fn password(&self) -> Value {
        json!({ "password": self.bot.password })
    }

    pub fn adapter(&self, login: &Value, desks: &[Value]) -> MatrixAdapter {
        adapter(&self.synapse.url(), &self.bot.user_id, login, desks, self.disk.path())
    }

    pub fn start(&self, desk: &Value, from: Option<Cursor>) -> Run {
        Run::start(self.adapter(&self.password(), std::slice::from_ref(desk)), from)
    }

    /// Waits until so many keys are in the account's backup.
    pub async fn backed_up(&self, keys: u64) {
        let token = self.synapse.access_token(&self.bot).await;
        let path = "/_matrix/client/v3/room_keys/version";
        for _ in 0..100 {
            let (_, backup) = self.synapse.request("GET", path, Some(&token), None).await;
            if backup["count"].as_u64().unwrap_or_default() >= keys {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the keys were not backed up");
    }

    /// Runs until the desk is ready and Ann is in its room, whose id it gives.
    pub async fn start_new(&self) -> (Run, String) {
        let run = self.start(&self.desk(), None);
        run.caught_up().await;
        let room = self.ann.resolve(&self.alias()).await.expect("the room has its alias");
        self.ann.in_room(&room).await;
        (run, room)
    }
}

pub fn adapter(homeserver: &str, user: &str, login: &Value, desks: &[Value], disk: &Path) -> MatrixAdapter {
    let mut table = json!({ "homeserver": homeserver, "user": user });
    table.as_object_mut().unwrap().extend(login.as_object().unwrap().clone());
    let config: RawConfig = serde_json::from_value(table).unwrap();
    let desks = desks.iter().zip(["main", "second"]).map(|(desk, name)| {
        let desk: RawDesk = serde_json::from_value(desk.clone()).unwrap();
        desk.validate(name.into()).unwrap()
    });
    MatrixAdapter::new(config.validate().unwrap(), desks.collect(), disk.join("matrix"))
}

impl Run {
    pub fn start(adapter: MatrixAdapter, from: Option<Cursor>) -> Self {
        let (adapter, inbox) = (Arc::new(adapter), Arc::new(TestInbox::new()));
        let stop = CancellationToken::new();
        let receiving = tokio::spawn({
            let (adapter, inbox, from, stop) = (adapter.clone(), inbox.clone(), from.clone(), stop.clone());
            async move { adapter.receive(inbox, from, stop).await }
        });
        Self { adapter, inbox, from, stop, receiving }
    }

    /// Stops within three seconds; gives how far it read.
    pub async fn stop(self) -> Option<Cursor> {
        self.stop.cancel();
        let stopped = tokio::time::timeout(Duration::from_secs(3), self.receiving).await;
        stopped.expect("stops in time").unwrap().unwrap();
        self.inbox.cursor().or(self.from)
    }

    /// How it ended by itself.
    pub async fn failed(self) -> String {
        let ended = tokio::time::timeout(PATIENCE, self.receiving).await.expect("it ends by itself").unwrap();
        ended.expect_err("it fails").to_string()
    }

    pub async fn health(&self, fits: impl Fn(&ChannelHealth) -> bool) -> ChannelHealth {
        let found = self.inbox.wait(PATIENCE, |inbox| inbox.healths().last().filter(|last| fits(last)).cloned()).await;
        found.unwrap_or_else(|| panic!("the health was {:?}", self.inbox.healths()))
    }

    pub async fn caught_up(&self) {
        self.health(|health| *health == ChannelHealth::CaughtUp).await;
    }

    /// There was trouble; it may be over by now.
    pub async fn had_a_problem(&self) {
        let failing = |health: &ChannelHealth| matches!(health, ChannelHealth::Failing { .. });
        let found = self.inbox.wait(PATIENCE, |inbox| inbox.healths().iter().any(failing).then_some(())).await;
        found.unwrap_or_else(|| panic!("the health was {:?}", self.inbox.healths()));
    }

    pub async fn problem(&self) -> String {
        match self.health(|health| matches!(health, ChannelHealth::Failing { .. })).await {
            ChannelHealth::Failing { problem } => problem,
            other => panic!("{other:?}"),
        }
    }

    pub async fn stored(&self, what: &str, fits: impl Fn(&Inbound) -> bool) -> Inbound {
        let found = self.inbox.wait(PATIENCE, |inbox| inbox.stored().into_iter().find(&fits)).await;
        found.unwrap_or_else(|| panic!("{what} did not arrive, but {:#?}", self.inbox.stored()))
    }

    pub async fn said(&self, text: &str) -> Inbound {
        self.stored(text, |inbound| words(inbound).as_deref() == Some(text)).await
    }

    pub async fn send(&self, number: u64, thread: Option<&ThreadId>, op: Op) -> Sent {
        self.try_send(&outbound(number, thread, op)).await.unwrap()
    }

    pub async fn try_send(&self, message: &Outbound) -> Result<Sent, SendError> {
        self.adapter.send(message, &Prepared::default(), &NoMedia).await
    }

    pub async fn open(&self, number: u64, card: &str) -> ThreadId {
        let sent = self.send(number, None, Op::OpenThread(Post::words(card))).await;
        let thread = sent.thread.expect("a thread");
        assert_eq!(sent.ids[0].as_str(), thread.as_str());
        thread
    }
}

pub fn words(inbound: &Inbound) -> Option<String> {
    match &inbound.event {
        Event::Message(message) => Some(message.content.words()),
        _ => None,
    }
}

pub fn outbound(number: u64, thread: Option<&ThreadId>, op: Op) -> Outbound {
    Outbound {
        key: OutboxKey { instance: 7, number },
        to: Address::Desk { desk: "main".into(), thread: thread.cloned() },
        op,
        written_at: jiff::Timestamp::now(),
    }
}

pub struct NoMedia;

#[async_trait]
impl Media for NoMedia {
    async fn open(&self, _: &MediaRef) -> Result<MediaStream, SendError> {
        Err(SendError::refused(RefusedScope::Content, "no files here"))
    }
}
