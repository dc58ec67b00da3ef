//! Files of both sides, in an encrypted room and in a plain one, read by a client of another make.

use std::io;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_core::{
    Adapter, Content, Event, Media, MediaKind, MediaRef, MediaStream, Op, Outbound, Part, Post, Prepared, RefusedScope,
    SendError, Sent, ThreadId,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::bench::{Bench, NoMedia, PATIENCE, Run, adapter, outbound};
use crate::{
    fault::{Answer, EVERY, Fault},
    operator::{Attachment, NewRoom},
    proxy::Proxy,
};

/// A file that lies elsewhere.
struct Elsewhere {
    bytes: Vec<u8>,
    /// Nobody tells its size.
    unmeasured: bool,
}

#[async_trait]
impl Media for Elsewhere {
    async fn open(&self, _: &MediaRef) -> Result<MediaStream, SendError> {
        let pieces: Vec<_> = self.bytes.chunks(50_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let size = (!self.unmeasured).then_some(self.bytes.len() as u64);
        Ok(MediaStream { size, mime: None, chunks: Box::pin(stream::iter(pieces)) })
    }
}

fn cake() -> Elsewhere {
    Elsewhere { bytes: (0..1_000_000_u32).map(|at| at.to_le_bytes()[0]).collect(), unmeasured: false }
}

fn picture(number: u64, thread: &ThreadId, caption: Option<&str>) -> Outbound {
    let (name, mime) = (Some("../Kuchen 1.jpg".into()), Some("image/jpeg".into()));
    let media = MediaRef { name, mime, ..MediaRef::new(MediaKind::Image, "elsewhere") };
    let parts = vec![Part::Media { media, caption: caption.map(Into::into) }];
    outbound(number, Some(thread), Op::Post(Post { content: Content { parts }, ..Post::words("") }))
}

async fn bring(run: &Run, message: &Outbound, media: &Elsewhere) -> Result<Sent, SendError> {
    let prepared = run.adapter.prepare(message, media).await?;
    run.adapter.send(message, &prepared, &NoMedia).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_encrypted_in_the_room_and_whole_at_the_operators() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    for unmeasured in [false, true] {
        let (number, words) = if unmeasured { (3, "Anna: And this?") } else { (2, "Anna: This one?") };
        let (media, message) = (Elsewhere { unmeasured, ..cake() }, picture(number, &thread, Some(words)));
        let prepared = run.adapter.prepare(&message, &media).await.unwrap();
        // The same row is the same event, however often it is sent.
        let first = run.adapter.send(&message, &prepared, &NoMedia).await.unwrap();
        assert_eq!(run.adapter.send(&message, &prepared, &NoMedia).await.unwrap(), first);
        let event = bench.ann.wait_for_text(&room, words, PATIENCE).await;
        assert_eq!((event.msgtype(), event.thread_root()), ("m.image", Some(thread.as_str())));
        assert!(event.encrypted && event.content["url"].is_null(), "{}", event.content);
        assert_eq!(event.content["filename"], "Kuchen 1.jpg");
        assert_eq!(event.content["info"], json!({ "mimetype": "image/jpeg", "size": media.bytes.len() }));
        assert!(bench.ann.file(&event).await == media.bytes, "other bytes");
    }
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_in_a_plain_room_is_plain() {
    let bench = Bench::new().await;
    let invite = vec![bench.bot.user_id.clone()];
    let room = bench.ann.create_room(NewRoom { encrypted: false, invite, ..NewRoom::default() }).await;
    let run = bench.start(&json!({ "room": room }), None);
    run.caught_up().await;
    let thread = run.open(1, "Anna, new").await;
    bring(&run, &picture(2, &thread, None), &cake()).await.unwrap();
    let event = bench.ann.wait_for_text(&room, "Kuchen 1.jpg", PATIENCE).await;
    assert!(event.content["url"].is_string() && event.content["file"].is_null(), "{}", event.content);
    assert!(bench.ann.file(&event).await == cake().bytes, "other bytes");
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_encrypted_file_is_read_and_a_changed_one_never_ends_well() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    let bytes = cake().bytes;
    let file = Attachment {
        msgtype: "m.file",
        name: "plan.pdf",
        mime: "application/pdf",
        bytes: &bytes,
        caption: Some("The plan"),
    };
    bench.ann.send_file(&room, thread.as_str(), file).await;
    let Event::Message(message) = run.said("The plan").await.event else { panic!() };
    let (media, caption) = message.content.file().unwrap();
    assert_eq!((media.kind, media.name.as_deref(), media.size), (MediaKind::File, Some("plan.pdf"), Some(1_000_000)));
    assert_eq!((media.mime.as_deref(), caption), (Some("application/pdf"), Some("The plan")));
    let stream = run.adapter.fetch(media).await.unwrap();
    assert_eq!(stream.size, Some(1_000_000));
    let pieces: Vec<Bytes> = stream.chunks.try_collect().await.unwrap();
    assert!(pieces.len() > 1 && pieces.concat() == bytes, "other bytes");

    let mut reference: Value = serde_json::from_str(&media.reference).unwrap();
    reference["file"]["hashes"]["sha256"] = json!("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
    let changed = MediaRef { reference: reference.to_string(), ..media.clone() };
    let read: io::Result<Vec<Bytes>> = run.adapter.fetch(&changed).await.unwrap().chunks.try_collect().await;
    assert!(read.is_err(), "its checksum is another's");
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_refused_in_plain_words() {
    let bench = Bench::new().await;
    let (run, _) = bench.start_new().await;
    let place = json!({ "url": format!("mxc://{}/nothing", bench.synapse.server_name()) });
    let outcome = run.adapter.fetch(&MediaRef::new(MediaKind::File, place.to_string())).await.map(|_| ());
    let gone = |reason: &str| reason.contains("does not have the file any more");
    assert!(
        matches!(&outcome, Err(SendError::Refused { scope: RefusedScope::Content, reason }) if gone(reason)),
        "{outcome:?}"
    );
    run.stop().await;
}

fn expected(fault: Fault) -> &'static str {
    match fault.answer {
        // The answer is so short that it is there before it is cut.
        Answer::Cut if fault.carried_out => "prepared",
        Answer::TooMany(Some(1)) => "wait 1 s",
        Answer::TooMany(_) => "wait 5 s",
        Answer::Late(_) => "prepared",
        Answer::Error(_) | Answer::Html(_) | Answer::Nonsense | Answer::Reset | Answer::Cut | Answer::Silence(_) => {
            "Transient"
        }
        Answer::Says(..) => "refused",
    }
}

fn verdict(outcome: &Result<Prepared, SendError>) -> String {
    match outcome {
        Ok(_) => "prepared".into(),
        Err(SendError::RetryAfter { after, .. }) => format!("wait {} s", after.as_secs()),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// Nobody sees an upload: whatever becomes of it, it is done again.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_an_upload_is_certain_and_the_picture_is_seen_once() {
    const UPLOADS: &str = "POST */media/v3/upload*";
    let bench = Bench::new().await;
    let proxy = Proxy::before(&bench.synapse.url()).await;
    let login = bench.password();
    let run = Run::start(adapter(proxy.url(), &bench.bot.user_id, &login, &[bench.desk()], bench.disk.path()), None);
    run.caught_up().await;
    let room = bench.ann.resolve(&bench.alias()).await.unwrap();
    bench.ann.in_room(&room).await;
    let thread = run.open(1, "Anna, new").await;
    let message = picture(2, &thread, Some("Anna: This one?"));
    for fault in EVERY.iter().flat_map(|answer| [Fault::before(*answer), Fault::after(*answer)]) {
        proxy.fail_next(UPLOADS, 1, fault);
        let outcome = run.adapter.prepare(&message, &cake()).await;
        assert_eq!(verdict(&outcome), expected(fault), "{fault:?}: {outcome:?}");
    }
    bring(&run, &message, &cake()).await.unwrap();
    run.open(3, "the last").await;
    bench.ann.wait_for_text(&room, "the last", PATIENCE).await;
    let timeline = bench.ann.timeline(&room);
    let seen: Vec<_> = timeline.iter().filter(|event| event.body() == "Anna: This one?").collect();
    assert_eq!(seen.len(), 1);
    assert!(bench.ann.file(seen[0]).await == cake().bytes);
    run.stop().await;
}

/// A piece at a time in both directions: the reader decides how fast.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_in_pieces_however_large_it_is() {
    let bench = Bench::new().await;
    let (run, room) = bench.start_new().await;
    let thread = run.open(1, "Anna, new").await;
    let media = Elsewhere { bytes: vec![5; 8 << 20], unmeasured: false };
    bring(&run, &picture(2, &thread, Some("Anna: large")), &media).await.unwrap();
    let event = bench.ann.wait_for_text(&room, "Anna: large", PATIENCE).await;
    let reference = json!({ "file": event.content["file"] }).to_string();
    let mut stream = run.adapter.fetch(&MediaRef::new(MediaKind::File, reference)).await.unwrap();
    let (mut largest, mut size) = (0, 0);
    while let Some(piece) = stream.chunks.next().await {
        let piece = piece.unwrap();
        assert!(piece.iter().all(|byte| *byte == 5));
        (largest, size) = (largest.max(piece.len()), size + piece.len());
    }
    assert_eq!(size, 8 << 20);
    assert!(largest <= 1 << 20, "a piece of {largest} bytes");
    run.stop().await;
}
