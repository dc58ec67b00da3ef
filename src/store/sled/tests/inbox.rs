use frontdesk_core::AccountId;

use super::*;

#[tokio::test]
async fn what_was_seen_is_dropped_in_the_batch_in_the_next_and_after_a_restart() {
    let home = Home::new();
    let store = home.open();
    assert_eq!(take_in(&store, vec![writes("anna", "1"), writes("anna", "1"), writes("anna", "2")]).await, 2);
    assert_eq!(take_in(&store, vec![writes("anna", "2"), writes("anna", "3")]).await, 1);
    drop(store);

    let store = home.open();
    assert_eq!(take_in(&store, vec![writes("anna", "1"), writes("anna", "3")]).await, 0);
    let keys: Vec<_> = look(&store).await.into_iter().map(|(row, _)| row.seq.0).collect();
    assert_eq!(keys, [1, 2, 3]);
}

#[tokio::test]
async fn the_same_key_on_another_channel_is_another_event() {
    let home = Home::new();
    let store = home.open();
    take_in(&store, vec![writes("anna", "1")]).await;
    let other = ChannelId::from("telegram.club");
    assert_eq!(store.accept(&other, at(0), vec![writes("anna", "1")], None).await.unwrap(), 1);
}

#[tokio::test]
async fn the_cursor_is_stored_even_when_all_was_seen() {
    let home = Home::new();
    let store = home.open();
    assert_eq!(store.cursor(&shop()).await.unwrap(), None);
    store.accept(&shop(), at(0), vec![writes("anna", "1")], Some("one".into())).await.unwrap();
    store.accept(&shop(), at(0), vec![writes("anna", "1")], Some("two".into())).await.unwrap();
    drop(store);
    assert_eq!(home.open().cursor(&shop()).await.unwrap(), Some("two".into()));
}

#[tokio::test]
async fn the_first_account_of_a_channel_is_kept() {
    let home = Home::new();
    let store = home.open();
    let account = |id: &str| AccountId::from(id);
    assert_eq!(store.account(&shop(), &account("100")).await.unwrap(), account("100"));
    assert_eq!(store.account(&shop(), &account("200")).await.unwrap(), account("100"));
    drop(store);
    assert_eq!(home.open().account(&shop(), &account("300")).await.unwrap(), account("100"));
}

#[tokio::test]
async fn a_key_is_known_for_thirty_days_and_forgotten_after_that() {
    const DAY: i64 = 24 * 3600;
    let home = Home::new();
    let store = home.open();
    let events = (0..1500).map(|n| writes("anna", &n.to_string())).collect();
    take_in(&store, events).await;

    assert!(!store.tidy(at(29 * DAY)).await.unwrap());
    assert_eq!(take_in(&store, vec![writes("anna", "7")]).await, 0);
    assert!(store.tidy(at(30 * DAY)).await.unwrap(), "a call is bounded");
    assert!(!store.tidy(at(30 * DAY)).await.unwrap());
    assert_eq!(take_in(&store, vec![writes("anna", "7")]).await, 1);
}

#[tokio::test]
async fn many_at_once_are_all_stored_and_each_counted_once() {
    let home = Home::new();
    let store = Arc::new(home.open());
    let tasks: Vec<_> = (0..300)
        .map(|n| {
            let store = Arc::clone(&store);
            // Every event comes twice.
            tokio::spawn(async move { take_in(&store, vec![writes("anna", &(n / 2).to_string())]).await })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += task.await.unwrap();
    }
    assert_eq!(new, 150);
}

#[tokio::test]
async fn an_accept_whose_caller_went_away_does_not_block_the_next() {
    let home = Home::new();
    let store = Arc::new(home.open());
    for n in 0..20 {
        let task = {
            let store = Arc::clone(&store);
            tokio::spawn(async move { take_in(&store, vec![writes("anna", &n.to_string())]).await })
        };
        tokio::task::yield_now().await;
        task.abort();
    }
    assert_eq!(take_in(&store, vec![writes("anna", "last")]).await, 1);
}

#[tokio::test]
async fn a_caller_that_waits_without_being_polled_does_not_block_the_next() {
    let home = Home::new();
    let store = home.open();
    let mut idle: Vec<_> = (0..10).map(|n| Box::pin(take_in_key(&store, n))).collect();
    for future in &mut idle {
        assert!(poll_once(future.as_mut()).is_pending());
    }
    assert_eq!(take_in(&store, vec![writes("anna", "last")]).await, 1);
    for future in idle {
        assert_eq!(future.await, 1);
    }
}

async fn take_in_key(store: &SledStore, key: u64) -> usize {
    take_in(store, vec![writes("anna", &key.to_string())]).await
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn a_commit_takes_no_time_on_a_paused_clock() {
    let home = Home::new();
    let store = home.open();
    let begin = tokio::time::Instant::now();
    let all = async {
        for n in 0..20 {
            take_in(&store, vec![writes("anna", &n.to_string())]).await;
            store.rows(None, 1).await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_millis(1), all).await.expect("the clock ran ahead");
    assert_eq!(begin.elapsed(), std::time::Duration::ZERO);
}
