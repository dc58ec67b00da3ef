//! Files that people sent: read in pieces, and what cannot be had.

use super::*;

/// The file of a message that just came.
async fn received(shop: &Shop) -> MediaRef {
    let events = shop.events().await;
    let file = events.into_iter().rev().find_map(|inbound| match inbound.event {
        Event::Message(message) => message.content.parts.into_iter().find_map(|part| match part {
            Part::Media { media, .. } => Some(media),
            _ => None,
        }),
        _ => None,
    });
    file.expect("a message with a file")
}

async fn bytes(stream: MediaStream) -> Vec<Vec<u8>> {
    stream.chunks.map(|chunk| chunk.unwrap().to_vec()).collect().await
}

#[tokio::test]
async fn a_file_is_read_in_pieces() {
    let shop = Shop::open().await;
    let all: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    shop.graph.sends_file(shop.anna, "document", "application/pdf", all.clone(), None);
    let stream = shop.receiving.adapter.fetch(&received(&shop).await).await.unwrap();
    assert_eq!((stream.size, stream.mime.as_deref()), (Some(3_000_000), Some("application/pdf")));
    let chunks = bytes(stream).await;
    assert!(chunks.len() > 1, "came in one piece");
    assert!(chunks.concat() == all, "other bytes");
}

/// Its address is good for five minutes: each time it is asked for anew.
#[tokio::test]
async fn an_address_that_is_too_old_is_asked_for_again() {
    let shop = Shop::open().await;
    shop.graph.sends_file(shop.anna, "image", "image/jpeg", b"picture".to_vec(), None);
    let file = received(&shop).await;
    for _ in 0..2 {
        let stream = shop.receiving.adapter.fetch(&file).await.unwrap();
        assert_eq!(bytes(stream).await.concat(), b"picture");
        shop.graph.age_links();
    }
    let page = Fault::before(Answer::Html(404));
    shop.graph.fail_next("download", 1, page);
    let stream = shop.receiving.adapter.fetch(&file).await.unwrap();
    assert_eq!(bytes(stream).await.concat(), b"picture");
}

/// Who asks again and again is shut out for an hour.
#[tokio::test]
async fn a_file_that_is_gone_is_refused_and_not_asked_for_in_a_loop() {
    let shop = Shop::open().await;
    shop.graph.sends_file(shop.anna, "image", "image/jpeg", b"picture".to_vec(), None);
    let file = received(&shop).await;
    shop.graph.lose_file(&file.reference);
    for _ in 0..10 {
        let outcome = shop.receiving.adapter.fetch(&file).await.map(|_| ());
        let Err(SendError::Refused { scope: RefusedScope::Content, reason }) = outcome else { panic!("{outcome:?}") };
        assert!(reason.len() > 20, "{reason:?} is no sentence");
    }
    let asked = shop.graph.calls_of("media").len();
    assert!(asked < 5, "asked {asked} times");
}

#[tokio::test]
async fn the_token_goes_to_nobody_else() {
    let shop = Shop::open().await;
    shop.graph.sends_file(shop.anna, "image", "image/jpeg", b"picture".to_vec(), None);
    let file = received(&shop).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://localhost:{}/picture", listener.local_addr().unwrap().port());
    let answer = json!({ "messaging_product": "whatsapp", "id": file.reference, "mime_type": "image/jpeg",
        "sha256": "00", "file_size": 7, "url": elsewhere });
    shop.graph.fail_next("media", 10, Fault::before(Answer::Says(200, answer.to_string().leak())));
    let fetching = tokio::time::timeout(Duration::from_secs(5), shop.receiving.adapter.fetch(&file));
    let asked = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await.unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    };
    tokio::select! {
        head = asked => assert!(!head.contains(shop.graph.token()), "the token went out: {head}"),
        outcome = fetching => drop(outcome),
    }
}

#[tokio::test]
async fn an_unknown_file_is_refused() {
    let shop = Shop::open().await;
    let media = MediaRef {
        kind: MediaKind::File,
        reference: "1".into(),
        name: None,
        mime: None,
        size: None,
        duration_secs: None,
    };
    let outcome = shop.receiving.adapter.fetch(&media).await.map(|_| Sent::default());
    assert_eq!(verdict(&outcome), "refused: Content");
}
