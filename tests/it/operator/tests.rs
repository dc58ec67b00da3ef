//! The operators themselves, against the real server.

use std::time::Duration;

use serde_json::json;

use super::{NewRoom, Operator};
use crate::synapse::Synapse;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn two_operators_talk_in_an_encrypted_thread() {
    let synapse = Synapse::shared().await;
    let (ann, bob) = (synapse.register("ann").await, synapse.register("bob").await);
    let (ann, bob) = tokio::join!(Operator::login(synapse, &ann), Operator::login(synapse, &bob));
    let room = ann.create_room(NewRoom { invite: vec![bob.user_id().into()], ..NewRoom::default() }).await;
    bob.in_room(&room).await;
    ann.wait_for_member(&room, bob.user_id(), "join", SOON).await;

    let root = ann.say(&room, "Anna, new customer").await;
    let question = ann.say_in_thread(&room, &root, "Do you have rye bread?").await;
    bob.wait_for_text(&room, "rye bread", SOON).await;
    let answer = bob.say_in_thread(&room, &root, "Yes").await;
    bob.edit(&room, &answer, &format!("Yes, {}\nfrom ten", ann.user_id())).await;
    bob.say_in_thread_as(&room, &root, "m.notice", "only a notice").await;
    bob.reply_in_thread(&room, &root, &question, "to you").await;
    bob.reply(&room, &root, "outside").await;
    let slip = bob.say(&room, "a slip").await;
    bob.redact(&room, &slip).await;
    bob.send_undecryptable(&room, Some(&root)).await;
    bob.react(&room, &question, "✅").await;
    bob.say(&room, "last").await;

    ann.wait_for_text(&room, "last", SOON).await;
    assert_eq!(
        ann.transcript(&room),
        "[1] ann: Anna, new customer\n\
        \x20   [2] ann: Do you have rye bread? {✅ bob}\n\
        \x20   [3] bob: Yes, @ann\n\
        \x20       from ten (edited)\n\
        \x20   [4] notice: bob: only a notice\n\
        \x20   [5] bob: (reply to 2) to you\n\
        \x20   [6] bob: (cannot be decrypted)\n\
        [7] bob: (reply to 1) outside\n\
        [8] bob: (deleted)\n\
        [9] bob: last\n"
    );
    let seen = ann.wait_for_text(&room, "only a notice", SOON).await;
    assert!(seen.encrypted, "the room is encrypted");
    assert_eq!(seen.thread_root(), Some(root.as_str()));
}

#[tokio::test]
async fn rooms_and_their_members_can_be_changed() {
    let synapse = Synapse::shared().await;
    let (ann, bob) = (synapse.register("ann").await, synapse.register("bob").await);
    let alias = format!("desk-{}", ann.localpart);
    let (ann, bob) = tokio::join!(Operator::login(synapse, &ann), Operator::login(synapse, &bob));
    let new =
        NewRoom { alias: Some(alias.clone()), encrypted: false, join_rule: "public".into(), ..NewRoom::default() };
    let room = ann.create_room(new).await;
    let alias = format!("#{alias}:{}", synapse.server_name());
    assert_eq!(bob.resolve(&alias).await, Some(room.clone()));
    assert_eq!(bob.join(&alias).await, room);
    ann.say(&room, "in the clear").await;
    assert!(!bob.wait_for_text(&room, "in the clear", SOON).await.encrypted);
    ann.kick(&room, bob.user_id()).await;
    assert_eq!(ann.members(&room).await[bob.user_id()], "leave");

    bob.accept_invites(false).await;
    ann.set_state(&room, "m.room.join_rules", "", json!({ "join_rule": "invite" })).await;
    assert!(ann.state(&room).await.iter().any(|event| event["content"]["join_rule"] == "invite"));
    let refused = bob.ask("join", json!({ "room": room })).await.unwrap_err();
    assert!(refused.contains("M_FORBIDDEN"), "{refused}");
}

#[tokio::test]
async fn a_server_that_was_away_comes_back_with_its_rooms() {
    let synapse = Synapse::start_own().await;
    let account = synapse.register("ann").await;
    let ann = Operator::login(&synapse, &account).await;
    let room = ann.create_room(NewRoom::default()).await;
    ann.say(&room, "before").await;
    synapse.stop().await;
    assert!(ann.ask("members", json!({ "room": room })).await.is_err());
    synapse.start_again().await;
    ann.say(&room, "after").await;
    ann.wait_for_text(&room, "after", SOON).await;
    assert_eq!(ann.transcript(&room), "[1] ann: before\n[2] ann: after\n");
}
