//! A room's key is changed now and then, also under load.

use std::time::Duration;

use frontdesk_core::{Op, Post};
use futures::{StreamExt, stream};

use super::bench::{Bench, outbound};

/// A key serves for a hundred messages.
const MESSAGES: u64 = 230;

#[tokio::test(flavor = "multi_thread")]
async fn many_sends_side_by_side_outlast_the_key_of_the_room() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    let sends = (2..MESSAGES).map(|number| {
        let message = outbound(number, Some(&thread), Op::Post(Post::words(format!("Anna: {number}."))));
        let run = &run;
        async move { run.try_send(&message).await }
    });
    let sent: Vec<_> = stream::iter(sends).buffer_unordered(16).collect().await;
    let failed: Vec<_> = sent.iter().filter_map(|sent| sent.as_ref().err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let bodies = || -> Vec<_> {
        let timeline = bench.ann.timeline(&room);
        timeline.iter().filter(|event| event.body().starts_with("Anna: ")).map(|it| it.body().to_owned()).collect()
    };
    let all = usize::try_from(MESSAGES).unwrap() - 2;
    let read = bench.ann.wait(Duration::from_secs(120), || Some(bodies()).filter(|read| read.len() >= all)).await;
    let mut read = read.unwrap_or_else(|| panic!("{} of {all} could be read", bodies().len()));
    read.sort_unstable();
    read.dedup();
    assert_eq!(read.len(), all);
    run.stop().await;
}
