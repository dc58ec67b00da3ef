use frontdesk_core::{Adapter, Op, Post, SendError, Severity};
use serde_json::json;

use super::bench::{Bench, PATIENCE, Run, outbound};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_with_its_cure() {
    let bench = Bench::new().await;
    let run = Run::start(bench.adapter(&json!({ "password": "wrong" }), &[bench.desk()]), None);
    let problem = run.failed().await;
    assert!(problem.contains("check `user` and `password`"), "{problem}");
    assert!(!problem.contains("wrong"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_enough() {
    let bench = Bench::new().await;
    let token = bench.synapse.access_token(&bench.bot).await;
    let run = Run::start(bench.adapter(&json!({ "token": token }), &[bench.desk()]), None);
    run.caught_up().await;
    let room = bench.ann.resolve(&bench.alias()).await.unwrap();
    bench.ann.in_room(&room).await;
    run.open(1, "Anna, new").await;
    assert!(bench.ann.wait_for_text(&room, "Anna, new", PATIENCE).await.encrypted);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_access_token_is_told_with_its_cure() {
    let bench = Bench::new().await;
    let run = Run::start(bench.adapter(&json!({ "token": "syt_nonsense" }), &[bench.desk()]), None);
    let problem = run.failed().await;
    assert!(problem.contains("make a new one for `token`"), "{problem}");
    assert!(!problem.contains("syt_nonsense"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_logged_out_logs_in_again_with_the_password() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let cursor = run.stop().await;
    let token = bench.synapse.access_token(&bench.bot).await;
    let (status, _) =
        bench.synapse.request("POST", "/_matrix/client/v3/logout/all", Some(&token), Some(json!({}))).await;
    assert_eq!(status, 200);

    let run = bench.start(&bench.desk(), cursor);
    run.caught_up().await;
    bench.ann.say(&room, "welcome back").await;
    run.said("welcome back").await;
    run.open(1, "Anna, new").await;
    bench.ann.wait_for_text(&room, "Anna, new", PATIENCE).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_keeps_is_private_and_holds_a_recovery_key() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new().await;
    let (run, _) = bench.start_new().await;
    run.stop().await;
    for name in ["session.json", "store-key", "recovery-key"] {
        let path = bench.disk.path().join("matrix").join(name);
        let mode = std::fs::metadata(&path).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_before_it_is_connected() {
    let bench = Bench::new().await;
    let adapter = bench.adapter(&bench.password(), &[bench.desk()]);
    let message = outbound(1, None, Op::OpenThread(Post::words("Anna")));
    let sent = adapter.send(&message, &frontdesk_core::Prepared::default(), &super::bench::NoMedia).await;
    assert!(matches!(sent, Err(SendError::Transient(_))), "{sent:?}");
    assert!(adapter.probe().await.iter().all(|finding| finding.severity == Severity::Ok));
}
