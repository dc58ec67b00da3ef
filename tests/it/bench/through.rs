//! Messages through accept, dispatch and outbox between messengers that cost nothing, beside what the disk takes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use frontdesk::{
    app::App,
    clock::SystemClock,
    health::Health,
    store::{Store, sled::SledStore},
};
use frontdesk_core::{
    AccountId, Adapter, Address, Capabilities, ChannelHealth, ChannelId, Cursor, Event, Found, Inbound, Inbox, Media,
    Message, Op, Outbound, Pace, Person, Prepared, ReceiveError, SendError, Sent, Side, Signal, Style,
};
use jiff::{Timestamp, tz::TimeZone};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{count, disk};
use crate::{
    fake::{FakeAdapter, FakePlatform},
    world,
};

/// As many as the store commits at once.
const GROUP: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn messages_through_the_store() {
    let messages = count("FRONTDESK_BENCH_MESSAGES", 20_000);
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SledStore::open(folder.path().join("store")).unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let adapters: BTreeMap<ChannelId, Arc<dyn Adapter>> = BTreeMap::from([
        (world::SHOP.into(), Arc::new(Flood { messages, sent: Arc::clone(&sent) }) as _),
        (world::DESK.into(), Arc::new(Sink { sent: Arc::clone(&sent) }) as _),
    ]);
    let mut policy = world::policy(&TimeZone::UTC);
    policy.channels = adapters.iter().map(|(id, adapter)| (id.clone(), adapter.capabilities())).collect();
    let health = Arc::new(Health::new(adapters.keys().cloned()));
    let app = App::new(store, Arc::new(SystemClock), health, policy, adapters);
    let stop = CancellationToken::new();
    let began = Instant::now();
    let running = tokio::spawn(app.run(stop.clone()));
    while sent.load(Ordering::Relaxed) < messages {
        assert!(began.elapsed() < Duration::from_secs(600), "only {} were sent", sent.load(Ordering::Relaxed));
        sleep(Duration::from_millis(5)).await;
    }
    let ours = messages as f64 / began.elapsed().as_secs_f64();
    stop.cancel();
    running.await.unwrap().unwrap();

    // In, decided, sent: each message is in three groups.
    let bytes = serde_json::to_vec(&message(0)).unwrap().len();
    let began = Instant::now();
    disk::appends(3 * messages / GROUP, GROUP * bytes);
    let bare = messages as f64 / began.elapsed().as_secs_f64();
    println!("\n{messages} messages through accept, dispatch and outbox");
    println!("  ours                                      {ours:8.0}/s");
    println!("  bare appends with fdatasync, groups of {GROUP} {bare:8.0}/s   ours is {:.3} of it", ours / bare);
}

fn message(n: usize) -> Inbound {
    let who = format!("customer-{}", n % 200);
    Inbound {
        key: n.to_string().into(),
        side: Side::Customer,
        from: Person::human(who.as_str(), who.as_str()),
        at: Address::chat(who.as_str()),
        sent_at: Some(Timestamp::now()),
        event: Event::Message(Message::text(n.to_string(), format!("Do you still have some of number {n}, please?"))),
    }
}

/// Customers who write as fast as they are stored.
struct Flood {
    messages: usize,
    sent: Arc<AtomicUsize>,
}

/// A desk that takes everything at once.
struct Sink {
    sent: Arc<AtomicUsize>,
}

fn capabilities(threads: bool) -> Capabilities {
    FakeAdapter(FakePlatform::new(threads, threads)).capabilities()
}

#[async_trait]
impl Adapter for Flood {
    fn capabilities(&self) -> Capabilities {
        capabilities(false)
    }

    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        _: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        inbox.connected(AccountId::from("us")).await?;
        inbox.health(ChannelHealth::CaughtUp);
        for piece in (0..self.messages).collect::<Vec<_>>().chunks(GROUP) {
            inbox.accept(piece.iter().map(|n| message(*n)).collect(), None).await?;
            // Only so far ahead as a platform's backlog would be.
            while piece[0] > self.sent.load(Ordering::Relaxed) + 4000 {
                sleep(Duration::from_millis(1)).await;
            }
        }
        stop.cancelled().await;
        Ok(())
    }

    async fn send(&self, _: &Outbound, _: &Prepared, _: &dyn Media) -> Result<Sent, SendError> {
        Ok(Sent::one("automatic"))
    }

    fn repeatable(&self, _: &Outbound) -> bool {
        false
    }

    fn paces(&self, _: &Address) -> Vec<Pace> {
        Vec::new()
    }

    async fn find(&self, _: &Outbound) -> Result<Found, SendError> {
        Ok(Found::Unknown)
    }

    async fn signal(&self, _: &Address, _: Signal) {}
}

#[async_trait]
impl Adapter for Sink {
    fn capabilities(&self) -> Capabilities {
        capabilities(true)
    }

    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        _: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        inbox.connected(AccountId::from("us")).await?;
        inbox.health(ChannelHealth::CaughtUp);
        stop.cancelled().await;
        Ok(())
    }

    async fn send(&self, message: &Outbound, _: &Prepared, _: &dyn Media) -> Result<Sent, SendError> {
        let id = message.key.number.to_string();
        match &message.op {
            Op::OpenThread(_) => Ok(Sent { thread: Some(id.as_str().into()), ids: vec![id.into()] }),
            Op::Post(post) => {
                let words = post.style == Style::Words;
                self.sent.fetch_add(usize::from(words), Ordering::Relaxed);
                Ok(Sent::one(id))
            }
            Op::Edit { .. } | Op::Delete { .. } | Op::React { .. } | Op::Template { .. } => Ok(Sent::default()),
        }
    }

    fn repeatable(&self, _: &Outbound) -> bool {
        true
    }

    fn paces(&self, _: &Address) -> Vec<Pace> {
        Vec::new()
    }

    async fn find(&self, _: &Outbound) -> Result<Found, SendError> {
        Ok(Found::Unknown)
    }

    async fn signal(&self, _: &Address, _: Signal) {}
}
