use std::{fs, fs::File};

use super::*;
use crate::store::sled::{codec, committer::Committer, disk::Disk, disk::Header, keys};

fn with_disk(mut disk: Disk, change: impl FnOnce(&mut Disk)) -> SledStore {
    change(&mut disk);
    SledStore { instance: disk.instance(), committer: Committer::new(Arc::new(disk)) }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    run(&store, judge(front_desk)).await;
    take_in(&store, vec![writes("anna", "2")]).await;
    let (instance, rows) = (store.instance(), store.rows(None, 10).await.unwrap());
    drop(store);

    let store = home.open();
    assert_eq!(store.instance(), instance);
    assert_eq!(store.rows(None, 10).await.unwrap(), rows);
    assert_eq!(rows.len(), 2);
    let (row, case) = look(&store).await.pop().unwrap();
    assert_eq!(row.seq, InboxSeq(2));
    assert_eq!(case.conversation.unwrap().id, ConversationId(1));
    assert_eq!(case.ids.message, MessageKey(2));
}

#[tokio::test]
async fn two_stores_have_two_instances() {
    assert_ne!(Home::new().open().instance(), Home::new().open().instance());
}

#[tokio::test]
async fn a_folder_in_use_is_said_in_words() {
    let home = Home::new();
    let _store = home.open();
    let error = SledStore::open(home.path()).err().unwrap();
    assert!(matches!(error, StoreError::Locked(_)), "{error:?}");
    assert!(error.to_string().contains("is in use by another frontdesk"));
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let home = Home::new();
    drop(home.open());
    let disk = Disk::open(&home.path()).unwrap();
    let header = codec::encode(&Header { schema: 2, instance: 1 }).unwrap();
    disk.commit(BTreeMap::from([(keys::meta("header"), Some(header.into()))])).unwrap();
    drop(disk);
    let error = SledStore::open(home.path()).err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn a_disk_that_does_not_sync_fails_all_of_a_group_and_stops_the_store() {
    let home = Home::new();
    drop(home.open());
    // What cannot be synced fails as a full or broken disk does.
    let disk = Disk::open(&home.path()).unwrap();
    let store = Arc::new(with_disk(disk, |disk| disk.file = File::open("/dev/null").unwrap()));

    let tasks: Vec<_> = (0..10)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.accept(&shop(), at(0), vec![writes("anna", &n.to_string())], None).await })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Err(StoreError::Disk { .. })));
    }
    assert!(matches!(store.probe().await, Err(StoreError::Disk { .. })));
    // What is in memory but may not be on disk is not shown either.
    assert!(matches!(store.rows(None, 1).await, Err(StoreError::Disk { .. })));
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing_and_its_group_goes_on() {
    let home = Home::new();
    let store = home.open();
    let failing = store.committer.step(|txn| {
        txn.put(keys::meta("x"), &1)?;
        txn.put(keys::meta("x"), &2)?;
        Err::<(), _>(StoreError::Stopped)
    });
    let panicking = store.committer.step(|txn| -> Result<(), StoreError> {
        txn.put(keys::meta("y"), &1)?;
        panic!("on purpose")
    });
    let (failed, panicked, fine) = tokio::join!(failing, panicking, take_in(&store, vec![writes("anna", "1")]));
    assert!(matches!(failed, Err(StoreError::Stopped)));
    assert!(matches!(panicked, Err(StoreError::Damaged { .. })));
    assert_eq!(fine, 1);
    let found = store.committer.read(|txn| Ok((txn.has(&keys::meta("x"))?, txn.has(&keys::meta("y"))?))).await;
    assert_eq!(found.unwrap(), (false, false));
}

#[tokio::test]
async fn a_step_sees_the_steps_before_it_in_order() {
    let home = Home::new();
    let store = home.open();
    store.committer.step(|txn| (1..=4).try_for_each(|n| txn.put(keys::inbox(InboxSeq(n)), &n))).await.unwrap();
    let change = store.committer.step(|txn| {
        txn.remove(keys::inbox(InboxSeq(2)))?;
        txn.put(keys::inbox(InboxSeq(3)), &30_u64)?;
        txn.put(keys::inbox(InboxSeq(5)), &5_u64)
    });
    let scan = store.committer.step(|txn| txn.scan::<u64>(&keys::all(keys::Table::Inbox), None, 3));
    let rest =
        store.committer.step(|txn| txn.scan::<u64>(&keys::all(keys::Table::Inbox), Some(keys::inbox(InboxSeq(3))), 9));
    let (_, scan, rest) = tokio::join!(change, scan, rest);
    let values = |found: Result<Vec<(Vec<u8>, u64)>, StoreError>| {
        found.unwrap().into_iter().map(|(_, value)| value).collect::<Vec<_>>()
    };
    assert_eq!(values(scan), [1, 30, 4]);
    assert_eq!(values(rest), [4, 5]);
}

#[tokio::test]
async fn long_values_come_back_whole_and_never_become_blobs() {
    let home = Home::new();
    let store = home.open();
    let text = |n: usize| "x".repeat(n * 1_999 % 60_000);
    for n in 0..60 {
        let mut event = writes("anna", &n.to_string());
        event.event = Event::Message(Message::text(n.to_string(), text(n)));
        take_in(&store, vec![event]).await;
    }
    let long_name = "y".repeat(10_000);
    take_in(&store, (0..200).map(|n| writes("anna", &format!("{long_name}{n}"))).collect()).await;
    drop(store);
    assert_eq!(fs::read_dir(home.path().join("blobs")).unwrap().count(), 0);

    let store = home.open();
    let mut seen = Vec::new();
    while let facts = look(&store).await
        && !facts.is_empty()
    {
        seen.extend(facts);
    }
    assert_eq!(seen.len(), 260);
    for (n, (row, _)) in seen.into_iter().take(60).enumerate() {
        let Fact::Inbound { inbound, .. } = row.fact else { panic!("not an event") };
        let Event::Message(message) = inbound.event else { panic!("not a message") };
        assert_eq!(message.content.words(), text(n));
    }
}

#[tokio::test]
async fn pieces_go_when_a_value_becomes_short_or_goes() {
    let home = Home::new();
    let store = home.open();
    for length in [40_000, 9_000, 10] {
        store.committer.step(move |txn| txn.put(keys::meta("x"), &"x".repeat(length))).await.unwrap();
        let pieces =
            store.committer.read(|txn| Ok(txn.keys(&keys::all(keys::Table::Pieces), 99)?.len())).await.unwrap();
        assert_eq!(pieces, if length > codec::PIECE { length.div_ceil(codec::PIECE) } else { 0 });
    }
    store.committer.step(|txn| txn.put(keys::meta("x"), &"x".repeat(9_000))).await.unwrap();
    store.committer.step(|txn| txn.remove(keys::meta("x"))).await.unwrap();
    let pieces = store.committer.read(|txn| txn.keys(&keys::all(keys::Table::Pieces), 99)).await.unwrap();
    assert!(pieces.is_empty());
}

/// Prints messages/s with 1, 8 and 64 producers: `cargo test --lib accepts_a_second -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn accepts_a_second() {
    for producers in [1_u64, 8, 64] {
        let home = Home::new();
        let store = Arc::new(home.open());
        let each = if producers == 1 { 1000 } else { 8000 / producers };
        let begin = std::time::Instant::now();
        let tasks: Vec<_> = (0..producers)
            .map(|producer| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    for n in 0..each {
                        take_in(&store, vec![writes("anna", &format!("{producer}-{n}"))]).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let rate = (producers * each) as f64 / begin.elapsed().as_secs_f64();
        let begin = std::time::Instant::now();
        let mut handled = 0;
        while handled < producers * each {
            handled += run(&store, judge(front_desk)).await.handled as u64;
        }
        let dispatched = handled as f64 / begin.elapsed().as_secs_f64();
        println!("{producers} producers: {rate:.0} messages/s accepted, then {dispatched:.0}/s dispatched");
    }
}
