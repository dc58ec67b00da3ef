use std::fs;

use super::*;

/// A database with something in it, closed.
async fn filled() -> Home {
    let home = Home::new();
    let store = home.open();
    for n in 0..200 {
        take_in(&store, vec![writes("anna", &n.to_string())]).await;
    }
    run(&store, judge(front_desk)).await;
    drop(store);
    home
}

/// Opens and reads everything: it may be refused, never a panic.
async fn open_and_read(home: &Home) -> Result<(), StoreError> {
    let store = SledStore::open(home.path())?;
    store.rows(None, 1000).await?;
    store.cursor(&shop()).await?;
    store.dispatch(at(1), true, 1000, judge(front_desk)).await?;
    store.probe().await
}

fn assert_in_words(place: &str, outcome: Result<(), StoreError>) {
    match outcome {
        Ok(()) | Err(StoreError::Damaged { .. }) => {}
        Err(error) => panic!("{place}: {error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flipped_bytes_are_damage_in_words_or_harmless() {
    let whole = filled().await;
    let bytes = fs::read(whole.path().join("db")).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let mut damaged = 0;
    for n in 0..24 {
        let home = copy(&whole);
        let mut bytes = bytes.clone();
        let place = n * used / 24;
        for byte in bytes.iter_mut().skip(place).take(16) {
            *byte = !*byte;
        }
        fs::write(home.path().join("db"), bytes).unwrap();
        let outcome = open_and_read(&home).await;
        damaged += usize::from(outcome.is_err());
        assert_in_words(&format!("byte {place}"), outcome);
    }
    println!("{damaged} of 24 refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_cut_short_is_damage_in_words_or_harmless() {
    let whole = filled().await;
    let bytes = fs::read(whole.path().join("db")).unwrap();
    for n in 0..8 {
        let home = copy(&whole);
        fs::write(home.path().join("db"), &bytes[..n * bytes.len() / 8]).unwrap();
        assert_in_words(&format!("cut at {n}/8"), open_and_read(&home).await);
    }
}

#[tokio::test]
async fn another_programs_database_is_refused() {
    let home = Home::new();
    let db = ::sled::open(home.path()).unwrap();
    db.insert("somebody", "else").unwrap();
    drop(db);
    let error = SledStore::open(home.path()).err().unwrap();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("restore a backup"));
}

/// sled gives its snapshot its name only when it is whole, and takes what it finds for whole.
#[tokio::test]
async fn the_beginning_of_a_snapshot_that_an_interrupted_start_left_is_no_damage() {
    let home = filled().await;
    fs::write(home.path().join("snap.00000000FFFFFFFF.generating"), "the beginning").unwrap();
    open_and_read(&home).await.unwrap();
    assert_eq!(home.open().rows(None, 1000).await.unwrap().len(), 201, "the card and the messages");
}

fn copy(home: &Home) -> Home {
    let copy = Home::new();
    fs::create_dir_all(copy.path().join("blobs")).unwrap();
    for entry in fs::read_dir(home.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() && entry.file_name() != "reserve" {
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    copy
}
