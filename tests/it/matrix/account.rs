use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use frontdesk_core::{Adapter, Op, Post, SendError, Severity};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::bench::{Bench, PATIENCE, Run, adapter, outbound};

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
    let folder = bench.disk.path().join("matrix");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (run, _) = bench.start_new().await;
    run.stop().await;
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "a folder that was there before");
    for name in ["session.json", "store-key", "recovery-key"] {
        let path = folder.join(name);
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

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_its_keys_logs_in_as_a_new_device_with_the_password() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let cursor = run.stop().await;
    std::fs::remove_dir_all(bench.disk.path().join("matrix/store")).unwrap();

    let run = bench.start(&bench.desk(), cursor);
    run.caught_up().await;
    run.open(1, "Anna, new").await;
    assert!(bench.ann.wait_for_text(&room, "Anna, new", PATIENCE).await.encrypted);
    bench.ann.say(&room, "welcome back").await;
    run.said("welcome back").await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_keys_are_lost_is_told_with_its_cure_and_a_new_one_is_enough() {
    let bench = Bench::new().await;
    let start = |token: &str| Run::start(bench.adapter(&json!({ "token": token }), &[bench.desk()]), None);
    let token = bench.synapse.access_token(&bench.bot).await;
    let run = start(&token);
    run.caught_up().await;
    run.stop().await;
    std::fs::remove_dir_all(bench.disk.path().join("matrix/store")).unwrap();

    for _ in 0..2 {
        let problem = start(&token).failed().await;
        assert!(problem.contains("make a new token"), "{problem}");
    }
    let run = start(&bench.synapse.access_token(&bench.bot).await);
    run.caught_up().await;
    run.stop().await;
}

/// The homeserver does not know the former device's transactions as ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_former_device_is_not_sent_again_by_the_new_one() {
    for encrypted in [false, true] {
        let bench = Bench::new().await;
        let mut desk = bench.desk();
        desk["encrypted"] = json!(encrypted);
        let run = bench.start(&desk, None);
        run.caught_up().await;
        let row = outbound(1, None, Op::OpenThread(Post::words("Anna, new")));
        let first = run.try_send(&row).await.unwrap();
        let cursor = run.stop().await;
        if encrypted {
            // What the first run could not back up any more, the second does.
            let run = bench.start(&desk, cursor.clone());
            run.caught_up().await;
            bench.backed_up(1).await;
            run.stop().await;
        }
        std::fs::remove_dir_all(bench.disk.path().join("matrix/store")).unwrap();

        let run = bench.start(&desk, cursor);
        run.caught_up().await;
        assert_eq!(run.try_send(&row).await.unwrap(), first, "encrypted: {encrypted}");
        run.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_key_that_is_kept_elsewhere_stays_the_right_one() {
    let bench = Bench::new().await;
    let (run, _) = bench.start_new().await;
    let cursor = run.stop().await;
    let folder = bench.disk.path().join("matrix");
    let (key, unfinished) = (folder.join("recovery-key"), folder.join("recovery-key.pending"));
    assert!(!unfinished.exists());
    let kept = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let run = bench.start(&bench.desk(), cursor);
    run.caught_up().await;
    let cursor = run.stop().await;
    assert!(!key.exists(), "no other key was made");

    // Stopped before the key was on disk: nobody has it, so there is a new one.
    std::fs::write(&unfinished, "").unwrap();
    let run = bench.start(&bench.desk(), cursor);
    run.caught_up().await;
    run.stop().await;
    assert_ne!(std::fs::read_to_string(&key).unwrap(), kept);
    assert!(!unfinished.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_key_that_is_made_by_hand_after_ours_was_refused_stays_the_right_one() {
    let bench = Bench::new().await;
    let refuses = Arc::new(AtomicBool::new(true));
    let homeserver = without_account_data(bench.synapse.url(), refuses.clone()).await;
    let start = || {
        let (login, desks) = (bench.password(), [bench.desk()]);
        Run::start(adapter(&homeserver, &bench.bot.user_id, &login, &desks, bench.disk.path()), None)
    };
    let run = start();
    run.caught_up().await;
    run.stop().await;
    let folder = bench.disk.path().join("matrix");
    assert!(!folder.join("recovery-key").exists(), "it could not be made");
    refuses.store(false, Ordering::SeqCst);

    let token = bench.synapse.access_token(&bench.bot).await;
    let place = |kind: &str| {
        let user = bench.bot.user_id.replace('@', "%40").replace(':', "%3A");
        format!("/_matrix/client/v3/user/{user}/account_data/{kind}")
    };
    let key = json!({ "algorithm": "m.secret_storage.v1.aes-hmac-sha2" });
    for (kind, content) in
        [("m.secret_storage.key.hand", key), ("m.secret_storage.default_key", json!({ "key": "hand" }))]
    {
        let (status, answer) = bench.synapse.request("PUT", &place(kind), Some(&token), Some(content)).await;
        assert_eq!(status, 200, "{answer}");
    }
    let run = start();
    run.caught_up().await;
    run.stop().await;
    let default = place("m.secret_storage.default_key");
    let (_, answer) = bench.synapse.request("GET", &default, Some(&token), None).await;
    assert_eq!(answer, json!({ "key": "hand" }));
    assert!(!folder.join("recovery-key").exists(), "no other key was made");
}

/// The homeserver, which keeps no account data while `refuses` is set.
async fn without_account_data(homeserver: String, refuses: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let target = homeserver.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // Who is cut off notices it at the other end.
            tokio::spawn(pass(client, target.clone(), refuses.clone()));
        }
    });
    place
}

/// One request for each connection, so that each can be looked at.
async fn pass(mut client: TcpStream, target: String, refuses: Arc<AtomicBool>) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let end = head.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (line, rest) = head.split_at(end);
    let line = String::from_utf8_lossy(line);
    let keeps = line.starts_with("PUT ") && line.contains("/account_data/");
    if keeps && refuses.load(Ordering::SeqCst) {
        let body = r#"{"errcode":"M_FORBIDDEN","error":"not here"}"#;
        let length = body.len();
        let answer = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        client.write_all(answer.as_bytes()).await?;
        return client.shutdown().await;
    }
    let mut server = TcpStream::connect(target).await?;
    for part in [line.as_bytes(), b"Connection: close\r\n", rest] {
        server.write_all(part).await?;
    }
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
