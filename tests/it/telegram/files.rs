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
    let media = MediaRef {
        kind: MediaKind::File,
        reference: "nothing".into(),
        name: None,
        mime: None,
        size: None,
        duration_secs: None,
    };
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
