use frontdesk_core::{Event, Op, Post, SendError};
use serde_json::json;

use super::bench::{Bench, PATIENCE, Run, outbound};
use crate::operator::NewRoom;

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_room_is_made_encrypted_and_private_and_only_once() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let state = bench.ann.state(&room).await;
    let content = |kind: &str| {
        let found = state.iter().find(|event| event["type"] == kind);
        found.map(|event| event["content"].clone()).unwrap_or_default()
    };
    assert_eq!(content("m.room.join_rules")["join_rule"], "invite");
    assert_eq!(content("m.room.encryption")["algorithm"], "m.megolm.v1.aes-sha2");
    assert_eq!(content("m.room.power_levels")["users"][bench.ann.user_id()], 50);
    run.stop().await;

    // All that we know is lost but the account: the room is found again, not made again.
    std::fs::remove_dir_all(bench.disk.path().join("matrix")).unwrap();
    let run = bench.start(&bench.desk(), None);
    run.caught_up().await;
    assert_eq!(bench.ann.resolve(&bench.alias()).await, Some(room));
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_nobody_could_enter_is_not_made() {
    let bench = Bench::new().await;
    let run = bench.start(&json!({ "room": bench.alias() }), None);
    let problem = run.problem().await;
    assert!(problem.contains("set `operators`"), "{problem}");
    let refused = run.try_send(&outbound(1, None, Op::OpenThread(Post::words("Anna")))).await;
    assert!(matches!(&refused, Err(SendError::Transient(why)) if why.contains("set `operators`")), "{refused:?}");
    assert_eq!(bench.ann.resolve(&bench.alias()).await, None);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_room_is_not_entered_without_an_invitation() {
    let bench = Bench::new().await;
    let local = bench.alias()[1..].split(':').next().unwrap().to_owned();
    let room = bench.ann.create_room(NewRoom { alias: Some(local), ..NewRoom::default() }).await;
    let run = bench.start(&bench.desk(), None);
    let problem = run.problem().await;
    assert!(problem.contains("invite it there"), "{problem}");
    bench.ann.invite(&room, &bench.bot.user_id).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_room_is_refused_until_it_is_closed() {
    let bench = Bench::new().await;
    let invite = vec![bench.bot.user_id.clone()];
    let room = bench.ann.create_room(NewRoom { join_rule: "public".into(), invite, ..NewRoom::default() }).await;
    let run = bench.start(&json!({ "room": room }), None);
    let problem = run.problem().await;
    assert!(problem.contains("is public"), "{problem}");
    for text in ["an answer from anybody", "and one more"] {
        bench.ann.say(&room, text).await;
    }
    run.stored("that nobody reads it", |inbound| matches!(inbound.event, Event::Unread { .. })).await;
    bench.ann.set_state(&room, "m.room.join_rules", "", json!({ "join_rule": "invite" })).await;
    run.caught_up().await;
    bench.ann.say(&room, "from a member").await;
    run.said("from a member").await;
    let stored = run.inbox.stored();
    assert_eq!(stored.iter().filter_map(super::bench::words).collect::<Vec<_>>(), ["from a member"]);
    let told = stored.iter().filter(|inbound| matches!(inbound.event, Event::Unread { .. })).count();
    assert_eq!(told, 1, "once for each time");
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_may_not_write_is_read_and_says_so() {
    let bench = Bench::new().await;
    let room = bench.ann.create_room(NewRoom { invite: vec![bench.bot.user_id.clone()], ..NewRoom::default() }).await;
    let run = bench.start(&json!({ "room": room }), None);
    run.caught_up().await;
    let state = bench.ann.state(&room).await;
    let levels = state.iter().find(|event| event["type"] == "m.room.power_levels").unwrap()["content"].clone();
    let mut quiet = levels.clone();
    quiet["events_default"] = json!(50);
    bench.ann.set_state(&room, "m.room.power_levels", "", quiet).await;
    let problem = run.problem().await;
    assert!(problem.contains("a power level of at least 50"), "{problem}");
    let refused = run.try_send(&outbound(1, None, Op::OpenThread(Post::words("Anna")))).await;
    assert!(matches!(&refused, Err(SendError::Transient(why)) if why.contains("may not write")), "{refused:?}");
    bench.ann.say(&room, "still read").await;
    run.said("still read").await;
    bench.ann.set_state(&room, "m.room.power_levels", "", levels).await;
    run.caught_up().await;
    run.open(2, "Anna, new").await;
    bench.ann.wait_for_text(&room, "Anna, new", PATIENCE).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_desk_reads_from_its_invitation_on() {
    let bench = Bench::new().await;
    let room = bench.ann.create_room(NewRoom { encrypted: false, ..NewRoom::default() }).await;
    bench.ann.say(&room, "before the invitation").await;
    bench.ann.invite(&room, &bench.bot.user_id).await;
    bench.ann.say(&room, "after the invitation").await;
    let run = bench.start(&json!({ "room": room }), None);
    run.said("after the invitation").await;
    run.caught_up().await;
    let texts: Vec<_> = run.inbox.stored().iter().filter_map(super::bench::words).collect();
    assert_eq!(texts, ["after the invitation"]);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_threw_us_out_is_told_and_comes_back_with_an_invitation() {
    let bench = Bench::new().await;
    let room = bench.ann.create_room(NewRoom { invite: vec![bench.bot.user_id.clone()], ..NewRoom::default() }).await;
    let run = bench.start(&json!({ "room": room }), None);
    run.caught_up().await;
    bench.ann.kick(&room, &bench.bot.user_id).await;
    let problem = run.problem().await;
    assert!(problem.contains("invite it again"), "{problem}");
    bench.ann.invite(&room, &bench.bot.user_id).await;
    run.caught_up().await;
    bench.ann.wait_for_member(&room, &bench.bot.user_id, "join", PATIENCE).await;
    bench.ann.say(&room, "welcome back").await;
    run.said("welcome back").await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_stays_in_its_room_when_the_alias_is_gone() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let cursor = run.stop().await;
    let token = bench.synapse.access_token(&bench.bot).await;
    let path = format!("/_matrix/client/v3/directory/room/{}", bench.alias().replace('#', "%23"));
    let (status, answer) = bench.synapse.request("DELETE", &path, Some(&token), None).await;
    assert_eq!(status, 200, "{answer}");

    let run = bench.start(&bench.desk(), cursor);
    run.caught_up().await;
    run.open(1, "Anna, new").await;
    bench.ann.wait_for_text(&room, "Anna, new", PATIENCE).await;
    assert_eq!(bench.ann.resolve(&bench.alias()).await, None);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_desks_in_one_room_the_second_is_refused_and_the_first_works() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let cursor = run.stop().await;
    let desks = [bench.desk(), json!({ "room": room })];
    let run = Run::start(bench.adapter(&bench.password(), &desks), cursor);
    let problem = run.problem().await;
    assert!(problem.contains("is the room of the desk main already"), "{problem}");
    run.open(1, "Anna, new").await;
    bench.ann.wait_for_text(&room, "Anna, new", PATIENCE).await;
    run.stop().await;
}
