//! Resident memory of the program.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk::{
    dispatcher::Policy,
    store::{Outcome, RowOp, Store, sled::SledStore},
};
use frontdesk_core::{Address, ChannelId, Event, Inbound, Message, Person, Sent, Side};
use futures::future::join_all;
use jiff::{Timestamp, tz::TimeZone};
use tokio::time::sleep;

use super::{
    count,
    rig::{CUSTOMERS, Rig, customer},
};
use crate::{
    fake::{FakeAdapter, FakePlatform},
    program::Shop,
    world,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn memory_idle_and_after_ten_thousand_messages() {
    let rig = Rig::new().await;
    sleep(Duration::from_secs(5)).await;
    println!("\nResident memory");
    line("idle", &rig.shop, 40.0);
    for id in 1..=CUSTOMERS {
        rig.shop.telegram.user(customer(id), "Customer", Some("en"));
    }
    let messages = count("FRONTDESK_BENCH_MESSAGES", 10_000);
    let began = Instant::now();
    for n in 0..messages {
        rig.shop.telegram.says(customer(1 + n % CUSTOMERS), &format!("message {n};"));
        if n % 500 == 499 {
            rig.quiet().await;
            rig.matrix.clear();
            rig.telegram.clear();
        }
    }
    rig.quiet().await;
    println!("  ({messages} messages in {:.0} s)", began.elapsed().as_secs_f64());
    line(&format!("after {messages} messages"), &rig.shop, 60.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn memory_with_a_million_messages() {
    let mut shop = Shop::new().await;
    let messages = count("FRONTDESK_BENCH_MESSAGES", 1_000_000);
    let began = Instant::now();
    preload(&shop.folder.path().join("data/store"), messages).await;
    println!("\nWith {messages} messages in the store (written in {:.0} s)", began.elapsed().as_secs_f64());
    for time in ["the first time", "again"] {
        let began = Instant::now();
        shop.up().await;
        println!("  ready, {time:14} {:6.1} s", began.elapsed().as_secs_f64());
        sleep(Duration::from_secs(5)).await;
        line("resident, idle", &shop, 200.0);
        shop.stop().await;
    }
    println!("  on disk        {:6.0} MB", size(&shop.folder.path().join("data/store")) as f64 / 1e6);
}

/// The heap apart: in a debug build the program's own code is most of the rest.
fn line(what: &str, shop: &Shop, aim: f64) {
    let status = fs::read_to_string(format!("/proc/{}/status", shop.pid())).unwrap();
    let field = |name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok());
        let kib: f64 = found.unwrap_or_else(|| panic!("no {name} of the process"));
        kib * 1024.0 / 1e6
    };
    let (all, heap) = (field("VmRSS:"), field("RssAnon:"));
    println!("  {what:24} {all:6.1} MB ({heap:.1} of it heap)   {:.2} of {aim} MB", all / aim);
}

fn size(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

/// What a hundred customers wrote over and over, decided and sent as the program does it.
async fn preload(path: &Path, messages: usize) {
    let store = Arc::new(SledStore::open(path).unwrap());
    let policy = Arc::new(policy());
    let at = |n: usize| Timestamp::from_second(1_750_000_000 + n as i64).unwrap();
    for piece in (0..messages).collect::<Vec<_>>().chunks(500) {
        let events = piece.iter().map(|n| message(*n, at(*n))).collect();
        let now = at(piece[piece.len() - 1]);
        store.accept(&world::SHOP.into(), now, events, None).await.unwrap();
        let done = store.dispatch(now, true, 2000, Arc::clone(&policy) as _).await.unwrap();
        assert!(!done.more);
        join_all(done.rows.iter().map(|row| {
            let id = row.number.to_string();
            let opens = matches!(row.what.op, RowOp::OpenThread { .. });
            let sent = Sent { thread: opens.then(|| id.as_str().into()), ids: vec![id.into()] };
            store.settle(row.number, now, Outcome::Sent { sent })
        }))
        .await;
    }
}

fn message(n: usize, at: Timestamp) -> Inbound {
    let who = format!("customer-{}", n % 10_000);
    Inbound {
        key: n.to_string().into(),
        side: Side::Customer,
        from: Person::human(who.as_str(), who.as_str()),
        at: Address::chat(who.as_str()),
        sent_at: Some(at),
        event: Event::Message(Message::text(n.to_string(), format!("Do you still have some of number {n}, please?"))),
    }
}

fn policy() -> Policy {
    let mut policy = world::policy(&TimeZone::UTC);
    let adapters: BTreeMap<ChannelId, FakeAdapter> = BTreeMap::from([
        (world::SHOP.into(), FakeAdapter(FakePlatform::new(false, false))),
        (world::DESK.into(), FakeAdapter(FakePlatform::new(true, true))),
    ]);
    let capabilities =
        |(id, adapter): (&ChannelId, &FakeAdapter)| (id.clone(), frontdesk_core::Adapter::capabilities(adapter));
    policy.channels = adapters.iter().map(capabilities).collect();
    policy
}
