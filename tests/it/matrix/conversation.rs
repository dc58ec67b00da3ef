use frontdesk_core::{Adapter, Content, Event, Found, Op, Part, Post, RefusedScope, SendError, Side, Style};
use futures::StreamExt;
use serde_json::json;

use super::bench::{Bench, PATIENCE, outbound, words};

#[tokio::test(flavor = "multi_thread")]
async fn a_card_opens_an_encrypted_thread_and_the_answer_comes_back_with_it() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, Telegram, new").await;
    run.send(2, Some(&thread), Op::Post(Post::words("Anna: Do you have rolls?"))).await;

    let question = bench.ann.wait_for_text(&room, "Do you have rolls?", PATIENCE).await;
    assert_eq!(question.thread_root(), Some(thread.as_str()));
    assert!(question.encrypted);

    let answer = bench.ann.say_in_thread(&room, thread.as_str(), "Yes, until noon.").await;
    let inbound = run.said("Yes, until noon.").await;
    assert_eq!(inbound.side, Side::Desk { desk: "main".into(), thread: Some(thread) });
    assert_eq!(inbound.from.id.as_str(), bench.ann.user_id());
    assert_eq!(inbound.key.as_str(), answer);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_words_neither_mention_nor_format() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "@room <b>hi</b>").await;
    let notice = Post { style: Style::Notice, mentions: vec![bench.ann.user_id().into()], ..Post::words("Not sent.") };
    run.send(2, Some(&thread), Op::Post(notice)).await;

    let card = bench.ann.wait_for_text(&room, "<b>hi</b>", PATIENCE).await;
    assert_eq!((card.body(), card.formatted_body()), ("@room <b>hi</b>", None));
    assert_eq!(card.content["m.mentions"], json!({}));
    let notice = bench.ann.wait_for_text(&room, "Not sent.", PATIENCE).await;
    assert_eq!((notice.msgtype(), notice.mentions()), ("m.notice", vec![bench.ann.user_id().to_owned()]));
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_the_greatest_length_can_be_sent_and_edited_encrypted() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let limit = run.adapter.capabilities().text;
    let long = limit.split(&"🍞 \"brown\"\n".repeat(limit.max)).swap_remove(0);
    assert!(long.len() > limit.max / 2);
    let thread = run.open(1, &long).await;
    run.send(2, None, Op::Edit { id: thread.as_str().into(), post: Post::words(&long) }).await;
    let edit = bench.ann.wait_for(&room, "the edit", PATIENCE, |event| event.replaces().is_some()).await;
    assert_eq!(edit.new_body(), Some(long.as_str()));
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_whose_card_was_deleted_still_takes_posts_and_one_that_never_was_does_not() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    run.send(2, None, Op::Delete { id: thread.as_str().into() }).await;
    run.send(3, Some(&thread), Op::Post(Post::words("still here"))).await;
    bench.ann.wait_for_text(&room, "still here", PATIENCE).await;
    let unknown = frontdesk_core::ThreadId::from("$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let refused = run.try_send(&outbound(4, Some(&unknown), Op::Post(Post::words("nowhere")))).await;
    assert!(matches!(refused, Err(SendError::Refused { scope: RefusedScope::Recipient, .. })), "{refused:?}");
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_row_is_one_event_also_after_a_restart_and_is_found_in_the_room() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let row = outbound(1, None, Op::OpenThread(Post::words("Anna, new")));
    let first = run.try_send(&row).await.unwrap();
    assert_eq!(run.try_send(&row).await.unwrap(), first);
    let cursor = run.stop().await;

    let run = bench.start(&bench.desk(), cursor);
    run.caught_up().await;
    assert_eq!(run.try_send(&row).await.unwrap(), first);
    assert_eq!(run.adapter.find(&row).await.unwrap(), Found::Sent(first.clone()));
    assert_eq!(run.adapter.find(&outbound(2, None, row.op.clone())).await.unwrap(), Found::Absent);

    // So old that the homeserver has forgotten the transaction: the room is asked.
    let day = jiff::SignedDuration::from_hours(30);
    let old = frontdesk_core::Outbound { written_at: jiff::Timestamp::now() - day, ..row.clone() };
    assert_eq!(run.try_send(&old).await.unwrap(), first);
    run.open(3, "the last").await;
    bench.ann.wait_for_text(&room, "the last", PATIENCE).await;
    let cards = bench.ann.timeline(&room).iter().filter(|event| event.body() == "Anna, new").count();
    assert_eq!(cards, 1);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_and_repeats_nothing_however_much_was_written_meanwhile() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    bench.ann.say_in_thread(&room, thread.as_str(), "before").await;
    run.said("before").await;
    let cursor = run.stop().await;

    // More than one timeline of a sync, and more than one page.
    let texts: Vec<String> = (0..230).map(|number| format!("meanwhile {number}")).collect();
    for text in &texts {
        bench.ann.say_in_thread(&room, thread.as_str(), text).await;
    }
    let run = bench.start(&bench.desk(), cursor);
    run.said(texts.last().unwrap()).await;
    let arrived: Vec<String> = run.inbox.stored().iter().filter_map(words).collect();
    assert_eq!(arrived, texts);
    let cursor = run.stop().await;

    let run = bench.start(&bench.desk(), cursor);
    run.caught_up().await;
    bench.ann.say_in_thread(&room, thread.as_str(), "after").await;
    run.said("after").await;
    assert_eq!(run.inbox.stored().iter().filter_map(words).collect::<Vec<_>>(), ["after"]);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_deletes_and_reactions_go_both_ways() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    let card = frontdesk_core::PlatformId::from(thread.as_str());

    let answer = bench.ann.say_in_thread(&room, thread.as_str(), "At nine").await;
    bench.ann.edit(&room, &answer, "At ten").await;
    let reaction = bench.ann.react(&room, thread.as_str(), "👀").await;
    bench.ann.redact(&room, &reaction).await;
    bench.ann.redact(&room, &answer).await;
    let edited = Event::Edited { id: answer.as_str().into(), content: Content::text("At ten"), notice: false };
    run.stored("the edit", |inbound| inbound.event == edited).await;
    for emoji in [Some("👀".to_owned()), None] {
        let reaction = Event::Reaction { id: card.clone(), emoji };
        run.stored("the reaction", |inbound| inbound.event == reaction).await;
    }
    let deleted = Event::Deleted { ids: vec![answer.as_str().into()] };
    run.stored("the redaction", |inbound| inbound.event == deleted).await;

    run.send(2, None, Op::Edit { id: card.clone(), post: Post::words("Anna, answered") }).await;
    let edit = bench.ann.wait_for(&room, "our edit", PATIENCE, |event| event.replaces() == Some(card.as_str())).await;
    assert_eq!(edit.new_body(), Some("Anna, answered"));
    run.send(3, None, Op::React { id: card.clone(), emoji: Some("✅".into()) }).await;
    let ours = bench
        .ann
        .wait_for(&room, "our reaction", PATIENCE, |event| event.reaction().is_some_and(|(_, key)| key == "✅"))
        .await;
    // Another one takes its place, as it does for the customer.
    run.send(7, None, Op::React { id: card.clone(), emoji: Some("👍".into()) }).await;
    let replaced = |event: &crate::operator::TimelineEvent| event.redacts.as_deref() == Some(ours.event_id.as_str());
    bench.ann.wait_for(&room, "our first reaction taken back", PATIENCE, replaced).await;
    let ours = bench
        .ann
        .wait_for(&room, "our next reaction", PATIENCE, |event| event.reaction().is_some_and(|(_, key)| key == "👍"))
        .await;
    run.send(4, None, Op::React { id: card.clone(), emoji: None }).await;
    let gone = |event: &crate::operator::TimelineEvent| event.redacts.as_deref() == Some(ours.event_id.as_str());
    bench.ann.wait_for(&room, "our reaction taken back", PATIENCE, gone).await;
    let words = run.send(5, Some(&thread), Op::Post(Post::words("a mistake"))).await.ids[0].clone();
    run.send(6, None, Op::Delete { id: words.clone() }).await;
    let gone = |event: &crate::operator::TimelineEvent| event.redacts.as_deref() == Some(words.as_str());
    bench.ann.wait_for(&room, "our message deleted", PATIENCE, gone).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_notices_and_files_are_told_apart() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    bench.ann.reply(&room, thread.as_str(), "outside").await;
    bench.ann.reply_in_thread(&room, thread.as_str(), thread.as_str(), "inside").await;
    bench.ann.say_in_thread_as(&room, thread.as_str(), "m.notice", "beep").await;
    let token = bench.synapse.access_token(&bench.bot).await;
    let path = "/_matrix/media/v3/upload?filename=list.json";
    let (_, uploaded) = bench.synapse.request("POST", path, Some(&token), Some(json!({ "rolls": 12 }))).await;
    let file =
        json!({ "msgtype": "m.file", "body": "The list", "filename": "list.json", "url": uploaded["content_uri"] });
    bench.ann.send(&room, file).await;

    let outside = run.said("outside").await;
    assert_eq!(outside.side, Side::Desk { desk: "main".into(), thread: None });
    let Event::Message(message) = outside.event else { panic!() };
    assert_eq!(message.reply_to.as_ref().map(|id| id.as_str()), Some(thread.as_str()));
    let Event::Message(message) = run.said("inside").await.event else { panic!() };
    assert_eq!(message.reply_to.as_ref().map(|id| id.as_str()), Some(thread.as_str()));
    let Event::Message(message) = run.said("beep").await.event else { panic!() };
    assert!(message.notice);

    let Event::Message(message) = run.said("The list").await.event else { panic!() };
    let [Part::Media { media, .. }] = message.content.parts.as_slice() else { panic!("{message:?}") };
    let mut stream = run.adapter.fetch(media).await.unwrap();
    let bytes = stream.chunks.next().await.unwrap().unwrap();
    assert_eq!(&bytes[..], br#"{"rolls":12}"#);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decrypted_is_kept_raw_and_holds_nothing_up() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    let id = bench.ann.send_undecryptable(&room, Some(thread.as_str())).await;
    bench.ann.say_in_thread(&room, thread.as_str(), "after it").await;
    run.said("after it").await;
    let kept = run.stored("the raw event", |inbound| inbound.key.as_str() == id).await;
    assert!(matches!(kept.event, Event::Undecryptable { .. }), "{kept:?}");
    run.stop().await;
}

/// The crypto store is lost, the recovery key is not: what was read before can be read by the new device.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_recovered_and_late_keys_bring_the_message() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    let before = run.stop().await;
    let run = bench.start(&bench.desk(), before.clone());
    run.caught_up().await;
    let id = bench.ann.say_in_thread(&room, thread.as_str(), "Our secret").await;
    run.said("Our secret").await;
    bench.backed_up(2).await;
    run.stop().await;
    std::fs::remove_dir_all(bench.disk.path().join("matrix/store")).unwrap();
    std::fs::remove_file(bench.disk.path().join("matrix/session.json")).unwrap();

    let run = bench.start(&bench.desk(), before);
    let secret = run.said("Our secret").await;
    assert_eq!(secret.key.as_str().strip_suffix("#1").unwrap_or(secret.key.as_str()), id);
    run.stop().await;
}
