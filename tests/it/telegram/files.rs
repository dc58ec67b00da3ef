use super::*;

#[tokio::test]
async fn a_file_is_read_in_pieces() {
    let api = anna().await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    api.sends_file(ANNA, "document", bytes.clone(), None);
    let stream = adapter(&api).fetch(&received_file(&api).await).await.unwrap();
    assert_eq!(stream.size, Some(3_000_000));
    let chunks: Vec<_> = stream.chunks.map(Result::unwrap).collect().await;
    assert!(chunks.len() > 1, "came in one piece");
    assert!(chunks.concat() == bytes, "other bytes");
}

#[tokio::test]
async fn a_file_beyond_20_mb_is_refused_in_plain_words() {
    let api = anna().await;
    api.sends_file(ANNA, "video", vec![0; (20 << 20) + 1], None);
    let outcome = adapter(&api).fetch(&received_file(&api).await).await.map(|_| ());
    assert!(matches!(&outcome, Err(SendError::Refused { reason, .. }) if reason.contains("20 MB")), "{outcome:?}");
}

#[tokio::test]
async fn an_unknown_file_is_refused() {
    let api = anna().await;
    let media = MediaRef::new(MediaKind::File, "nothing");
    assert_eq!(verdict(&adapter(&api).fetch(&media).await.map(|_| Sent::default())), "refused: Content");
}

async fn received_file(api: &BotApi) -> MediaRef {
    let receiving = Receiving::start(api);
    let event = receiving.events(1).await.remove(0).event;
    receiving.stop().await;
    let Event::Message(message) = event else { panic!("{event:?}") };
    match message.content.parts.into_iter().next() {
        Some(Part::Media { media, .. }) => media,
        other => panic!("{other:?}"),
    }
}

/// A file that lies elsewhere, and can be opened again and again.
pub struct Elsewhere {
    pub bytes: Vec<u8>,
    /// Nobody tells its size.
    pub unmeasured: bool,
    /// Only so many pieces come, and then an error.
    pub pieces: usize,
}

impl Elsewhere {
    pub fn whole(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), unmeasured: false, pieces: usize::MAX }
    }
}

#[async_trait]
impl Media for Elsewhere {
    async fn open(&self, _: &MediaRef) -> Result<MediaStream, SendError> {
        let pieces = self.bytes.chunks(64 << 10).map(|piece| Ok(bytes::Bytes::copy_from_slice(piece)));
        let mut pieces: Vec<_> = pieces.take(self.pieces).collect();
        if self.pieces != usize::MAX {
            pieces.push(Err(std::io::Error::other("it broke off")));
        }
        let size = (!self.unmeasured).then_some(self.bytes.len() as u64);
        Ok(MediaStream { size, mime: None, chunks: Box::pin(futures::stream::iter(pieces)) })
    }
}

pub fn file(kind: MediaKind, name: &str, mime: &str, caption: Option<&str>) -> Op {
    let media = MediaRef { name: Some(name.into()), mime: Some(mime.into()), ..MediaRef::new(kind, "elsewhere") };
    let parts = vec![Part::Media { media, caption: caption.map(Into::into) }];
    Op::Post(Post { content: Content { parts }, ..Post::words("") })
}

pub async fn bring(api: &BotApi, op: Op, media: &Elsewhere) -> Result<Sent, SendError> {
    adapter(api).send(&outbound(op), &Prepared::default(), media).await
}

/// What each kind is sent as, with the type that it is told to have.
const SHAPES: [(MediaKind, &str, &str); 9] = [
    (MediaKind::Image, "image/jpeg", "photo"),
    (MediaKind::Image, "image/heic", "document"),
    (MediaKind::Video, "video/mp4", "video"),
    (MediaKind::Animation, "image/gif", "animation"),
    (MediaKind::Audio, "audio/mpeg", "audio"),
    (MediaKind::Voice, "audio/ogg", "voice"),
    (MediaKind::File, "application/pdf", "document"),
    (MediaKind::Sticker, "image/webp", "sticker"),
    (MediaKind::Sticker, "image/png", "photo"),
];

#[tokio::test]
async fn each_kind_of_file_arrives_as_what_it_is_with_its_bytes_and_words() {
    let api = anna().await;
    for (number, (kind, mime, shape)) in (1_u8..).zip(SHAPES) {
        let bytes = vec![number; 200_000];
        let caption = (kind != MediaKind::Sticker).then_some("For you: <b>Größe</b>");
        bring(&api, file(kind, "Größe 12.bin", mime, caption), &Elsewhere::whole(&bytes)).await.unwrap();
        let sent = api.received(ANNA).pop().unwrap();
        assert_eq!((sent.kind.as_str(), sent.text.as_str()), (shape, caption.unwrap_or_default()), "{kind:?} {mime}");
        assert!(api.file(&sent) == bytes, "{kind:?}: other bytes");
        if shape == "document" {
            let named = (&sent.raw["document"]["file_name"], &sent.raw["document"]["mime_type"]);
            assert_eq!(named, (&json!("Größe 12.bin"), &json!(mime)));
        }
    }
    api.assert_official();
}

#[tokio::test]
async fn a_picture_that_telegram_does_not_take_as_one_arrives_as_a_file() {
    let api = anna().await;
    let picture = || file(MediaKind::Image, "plan.png", "image/png", Some("The plan"));
    for bytes in [b"not a picture".to_vec(), vec![7; (10 << 20) + 1]] {
        bring(&api, picture(), &Elsewhere::whole(&bytes)).await.unwrap();
        let sent = api.received(ANNA).pop().unwrap();
        assert_eq!((sent.kind.as_str(), sent.text.as_str()), ("document", "The plan"));
        assert!(api.file(&sent) == bytes);
    }
    assert_eq!((api.received(ANNA).len(), api.calls_of("sendPhoto").len()), (2, 1));
}

/// Also one whose size nobody told.
#[tokio::test]
async fn a_file_that_breaks_off_on_its_way_is_not_sent_at_all() {
    let api = anna().await;
    for unmeasured in [false, true] {
        let media = Elsewhere { bytes: vec![1; 1 << 20], unmeasured, pieces: 5 };
        let outcome = bring(&api, file(MediaKind::File, "a.pdf", "application/pdf", None), &media).await;
        assert_eq!(verdict(&outcome), "uncertain", "the outbox knows that the file was not whole");
        let whole = Elsewhere { pieces: usize::MAX, ..media };
        bring(&api, file(MediaKind::File, "a.pdf", "application/pdf", None), &whole).await.unwrap();
    }
    assert_eq!(api.ever_sent(ANNA).len(), 2);
}

#[tokio::test]
async fn a_file_answers_a_message_and_does_not_need_its_topic() {
    let api = anna().await;
    let question = api.says(ANNA, "Where is it?");
    let Op::Post(post) = file(MediaKind::Image, "map.png", "image/png", None) else { panic!() };
    let post = Post { reply_to: Some(question.to_string().into()), style: Style::Notice, ..post };
    let to = Address::Chat { chat: "42".into(), scope: None, thread: Some("77".into()) };
    let message = Outbound { to, ..outbound(Op::Post(post)) };
    adapter(&api).send(&message, &Prepared::default(), &Elsewhere::whole(b"a map")).await.unwrap();
    let sent = api.received(ANNA).pop().unwrap();
    assert_eq!((sent.reply_to, sent.thread), (Some(question), None));
    assert_eq!(api.calls_of("sendPhoto").last().unwrap().params["disable_notification"], true);
}
