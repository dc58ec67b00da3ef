//! The disk is full: nothing new is taken in before that, nothing is torn, and the database opens again.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk::store::{Outcome, RowNumber, Store, StoreError, sled::SledStore};
use frontdesk_core::Sent;
use tempfile::TempDir;

use super::{
    program,
    trace::Trace,
    workload::{self, Confirmed, Desk},
};
use crate::program::{PATIENCE, Shop};

const MIB: u64 = 1 << 20;

/// A disk of its own, in memory.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// `None` where that is not allowed.
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self { folder });
        }
        eprintln!("skipped: only root may mount a small disk");
        None
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Somebody else writes, until only so much is left.
    fn fill(&self, left: u64) {
        let free = fs4::available_space(self.folder.path()).unwrap();
        let file = File::create(self.folder.path().join(format!("filler-{left}"))).unwrap();
        fs4::FileExt::allocate(&file, free - left).unwrap();
    }

    fn make_room(&self) {
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::remove_file(path).unwrap();
            }
        }
    }

    fn has_reserve(&self) -> bool {
        self.store().join("reserve").exists()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

async fn accept(store: &SledStore, key: &str) -> Result<usize, StoreError> {
    store.accept(&"telegram.shop".into(), workload::at(), vec![workload::event(key)], None).await
}

async fn dispatch(store: &SledStore) -> Result<usize, StoreError> {
    store.dispatch(workload::at(), true, 64, Arc::new(Desk)).await.map(|done| done.handled)
}

async fn settle(store: &SledStore, row: u64) -> Result<(), StoreError> {
    let outcome = Outcome::Sent { sent: Sent::one(row.to_string()) };
    store.settle(RowNumber(row), workload::at(), outcome).await.map(drop)
}

fn is_full<T>(outcome: Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Full { .. }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_the_disk_is_full_nothing_new_is_taken_in_and_what_is_there_goes_on() {
    let Some(disk) = SmallDisk::mount("256m") else { return };
    let store = SledStore::open(disk.store()).unwrap();
    assert!(disk.has_reserve());
    for key in ["a7", "b7", "c3"] {
        accept(&store, key).await.unwrap();
    }

    disk.fill(50 * MIB);
    let refused = accept(&store, "d3").await.unwrap_err();
    let words = refused.to_string().replace(&disk.store().display().to_string(), "DATA");
    insta::assert_snapshot!(
        words,
        @"the disk under DATA is almost full: make room (at least 64 MiB are needed); until then nothing new is taken in, and nothing is lost"
    );
    assert!(is_full(store.room()) && is_full(store.probe().await));
    assert_eq!(dispatch(&store).await.unwrap(), 3, "what was taken in goes on");
    assert!(disk.has_reserve());

    disk.fill(12 * MIB);
    settle(&store, 1).await.unwrap();
    assert!(!disk.has_reserve(), "for this moment it was put aside");
    assert!(is_full(accept(&store, "d3").await));

    disk.fill(4 * MIB);
    assert!(is_full(dispatch(&store).await));
    settle(&store, 2).await.unwrap();
    disk.fill(MIB);
    assert!(is_full(settle(&store, 3).await));
    assert_eq!(store.rows(None, 9).await.unwrap().len(), 1);
    drop(store);
    assert!(is_full(SledStore::open(disk.store())));

    disk.make_room();
    let store = SledStore::open(disk.store()).unwrap();
    assert!(disk.has_reserve());
    assert_eq!(store.rows(None, 9).await.unwrap().len(), 1);
    assert_eq!(accept(&store, "d3").await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reserve_is_there_when_the_program_starts_on_a_full_disk_and_comes_back_with_the_room() {
    let Some(disk) = SmallDisk::mount("256m") else { return };
    let store = SledStore::open(disk.store()).unwrap();
    accept(&store, "a7").await.unwrap();
    drop(store);
    disk.fill(0);

    let store = SledStore::open(disk.store()).unwrap();
    assert!(!disk.has_reserve());
    assert!(is_full(accept(&store, "b7").await));
    assert_eq!(dispatch(&store).await.unwrap(), 1);
    disk.make_room();
    assert_eq!(accept(&store, "b7").await.unwrap(), 1);
    store.probe().await.unwrap();
    assert!(disk.has_reserve());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_larger_than_the_room_is_refused_whole() {
    let Some(disk) = SmallDisk::mount("256m") else { return };
    let store = SledStore::open(disk.store()).unwrap();
    disk.fill(70 * MIB);
    let events = (0..400).map(|n| workload::event(&format!("{n}-7"))).collect();
    assert!(is_full(store.accept(&"telegram.shop".into(), workload::at(), events, None).await));
    assert_eq!(accept(&store, "a3").await.unwrap(), 1);
    assert_eq!(dispatch(&store).await.unwrap(), 1);
}

#[tokio::test]
async fn the_program_says_that_the_disk_is_full_and_goes_on_by_itself_when_there_is_room() {
    const ANNA: i64 = 4711;
    let Some(disk) = SmallDisk::mount("256m") else { return };
    let data = disk.folder.path().join("data");
    let mut shop = Shop::with(&format!("[store]\nurl = \"sled:{}\"", data.display())).await;
    shop.up().await;
    let room = shop.room().await;
    shop.telegram.user(ANNA, "Anna", Some("en"));
    shop.telegram.says(ANNA, "Do you have rye bread?");
    shop.ann.wait_for_text(&room, "rye bread", PATIENCE).await;

    disk.fill(50 * MIB);
    shop.telegram.says(ANNA, "And rolls?");
    let began = Instant::now();
    let report = loop {
        match shop.get("/readyz").await {
            Some((503, report)) => break report,
            other => assert!(began.elapsed() < PATIENCE, "ready on a full disk: {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(report.contains("is almost full: make room"), "{report}");
    assert!(!shop.ann.transcript(&room).contains("rolls"));

    disk.make_room();
    shop.ann.wait_for_text(&room, "And rolls?", PATIENCE).await;
    shop.ready().await;
    shop.stop().await;
}

/// Whatever else takes the room away between the look and the write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_finds_no_room_takes_back_nothing_that_was_confirmed() {
    if !Trace::POSSIBLE {
        eprintln!("skipped: a full disk is only imagined on Linux with glibc");
        return;
    }
    let tools = tempfile::tempdir().unwrap();
    let recorder = Trace::recorder(tools.path());
    let mut bad = Vec::new();
    let mut events = 0;
    for n in 0..24 {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("disk")).unwrap();
        let room = 600_000 + n * 397_123;
        let output = program(folder.path(), &recorder, 0).env("FRONTDESK_ROOM", room.to_string()).output().unwrap();
        let mut confirmed = Confirmed::default();
        let notes = fs::read_to_string(folder.path().join("notes")).unwrap();
        notes.lines().for_each(|line| confirmed.note(line));
        events += confirmed.events();
        if let Err(problem) = workload::examine(&folder.path().join("disk/store"), &confirmed).await {
            bad.push(format!("{room} bytes ({}): {problem}", output.status));
        }
    }
    println!("24 disks that became full, {events} confirmed events: {} bad", bad.len());
    assert!(bad.is_empty(), "{bad:#?}");
}
