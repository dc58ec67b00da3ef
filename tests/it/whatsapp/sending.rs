//! What is sent, as the stand-in took it: it refuses what Meta would refuse.

use super::*;

fn media(kind: MediaKind, reference: &str, name: Option<&str>, mime: &str, size: usize) -> MediaRef {
    MediaRef {
        kind,
        reference: reference.into(),
        name: name.map(str::to_owned),
        mime: Some(mime.into()),
        size: Some(size as u64),
        duration_secs: None,
    }
}

fn file_post(media: MediaRef, caption: Option<&str>) -> Op {
    let part = Part::Media { media, caption: caption.map(str::to_owned) };
    Op::Post(Post { content: Content { parts: vec![part] }, ..Post::words("") })
}

#[tokio::test]
async fn an_answer_carries_its_key_and_quotes_what_it_answers() {
    let (shop, asked) = Shop::asked().await;
    let reply = Post { reply_to: Some(asked.as_str().into()), ..Post::words("Yes, every day.") };
    let sent = shop.send(Op::Post(reply)).await.unwrap();
    let received = shop.graph.received(shop.anna);
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].id.as_str(), received[0].text.as_str()), (sent.ids[0].as_str(), "Yes, every day."));
    assert_eq!(received[0].reply_to, Some(asked));
    assert_eq!(received[0].key, Some(OutboxKey { instance: 1, number: 1 }.to_string()));
    assert_eq!(shop.graph.mistakes(), []);
}

/// A link in an answer is not turned into a picture that nobody chose.
#[tokio::test]
async fn links_are_not_shown_as_previews() {
    let (shop, _) = Shop::asked().await;
    shop.send(post("See https://bluedoor.example")).await.unwrap();
    assert_ne!(shop.graph.received(shop.anna)[0].raw["text"]["preview_url"], true);
}

#[tokio::test]
async fn files_go_out_as_the_kind_that_fits() {
    let cases = [
        (MediaKind::Image, "image/jpeg", 1000, "image"),
        (MediaKind::Image, "image/png", 1000, "image"),
        (MediaKind::Video, "video/mp4", 300_000, "video"),
        (MediaKind::Audio, "audio/mpeg", 1000, "audio"),
        (MediaKind::Voice, "audio/ogg", 1000, "audio"),
        (MediaKind::File, "application/pdf", 1000, "document"),
        (MediaKind::Sticker, "image/webp", 1000, "sticker"),
    ];
    for (kind, mime, size, expected) in cases {
        let (shop, _) = Shop::asked().await;
        let files = Files::with("file", vec![7; size], mime);
        let caption = matches!(kind, MediaKind::Image | MediaKind::Video | MediaKind::File).then_some("Like this?");
        let message = outbound(file_post(media(kind, "file", Some("order.pdf"), mime, size), caption));
        let outcome = send_with(&*shop.receiving.adapter, &message, &files).await;
        assert_eq!(verdict(&outcome), "sent", "{kind:?} {mime}: {outcome:?}");
        let received = shop.graph.received(shop.anna);
        assert_eq!((received.len(), received[0].kind.as_str()), (1, expected), "{kind:?} {mime}");
        assert_eq!(received[0].text, caption.unwrap_or_default());
        assert_eq!(shop.graph.mistakes(), []);
        let uploads = shop.graph.calls_of("upload");
        let file = &uploads[0].params.as_array().unwrap().iter().find(|part| part["name"] == "file").unwrap()["bytes"];
        assert_eq!((uploads.len(), file), (1, &json!(size)));
    }
}

/// Said before anything is sent, and what is left out is said as well.
#[tokio::test]
async fn what_does_not_fit_goes_as_a_document_or_is_refused_in_words() {
    let cases = [
        (MediaKind::Image, "image/jpeg", (5 << 20) + 1),
        (MediaKind::Video, "video/mp4", (16 << 20) + 1),
        (MediaKind::Image, "image/tiff", 1000),
        (MediaKind::File, "application/x-unknown", 1000),
        (MediaKind::File, "application/pdf", (100 << 20) + 1),
    ];
    for (kind, mime, size) in cases {
        let (shop, _) = Shop::asked().await;
        let files = Files::with("file", vec![7; size], mime);
        let message = outbound(file_post(media(kind, "file", Some("file"), mime, size), None));
        match send_with(&*shop.receiving.adapter, &message, &files).await {
            Ok(_) => assert_eq!(shop.graph.received(shop.anna)[0].kind, "document", "{kind:?} {mime} {size}"),
            Err(SendError::Refused { scope: RefusedScope::Content, reason }) => {
                assert!(reason.len() > 20, "{reason:?} is no sentence");
                assert_eq!(shop.graph.ever_sent(shop.anna).len(), 0);
            }
            Err(other) => panic!("{kind:?} {mime} {size}: {other:?}"),
        }
    }
}

/// What was uploaded for a row is not uploaded again when its send is repeated.
#[tokio::test]
async fn an_upload_is_kept_for_the_next_try() {
    let (shop, _) = Shop::asked().await;
    let files = Files::with("file", vec![7; 1000], "image/png");
    let message = outbound(file_post(media(MediaKind::Image, "file", None, "image/png", 1000), None));
    let adapter = &*shop.receiving.adapter;
    let prepared = adapter.prepare(&message, &files).await.unwrap();
    let limit = r#"{ "error": { "code": 131056, "message": "(#131056) pair rate limit hit" } }"#;
    shop.graph.fail_next("messages", 1, Fault::before(Answer::Says(400, limit)));
    assert_eq!(verdict(&adapter.send(&message, &prepared, &files).await), "wait");
    let kept: Prepared = serde_json::from_str(&serde_json::to_string(&prepared).unwrap()).unwrap();
    adapter.send(&message, &kept, &files).await.unwrap();
    assert_eq!((shop.graph.calls_of("upload").len(), shop.graph.received(shop.anna).len()), (1, 1));
}

#[tokio::test]
async fn a_reaction_is_put_and_taken_back_and_may_be_repeated() {
    let (shop, asked) = Shop::asked().await;
    let react = |emoji: Option<&str>| Op::React { id: asked.as_str().into(), emoji: emoji.map(str::to_owned) };
    for _ in 0..2 {
        assert!(shop.receiving.adapter.repeatable(&outbound(react(Some("👍")))));
        shop.send(react(Some("👍"))).await.unwrap();
    }
    assert_eq!(shop.graph.reaction(&asked).as_deref(), Some("👍"));
    shop.send(react(None)).await.unwrap();
    assert_eq!((shop.graph.reaction(&asked), shop.graph.mistakes().len()), (None, 0));
    assert!(!shop.receiving.adapter.repeatable(&outbound(post("Hi"))));
}

#[tokio::test]
async fn places_and_cards_are_sent_as_such() {
    let (shop, _) = Shop::asked().await;
    let parts = [
        Part::Location { latitude: "52.52".into(), longitude: "13.405".into(), name: Some("The bakery".into()) },
        Part::Contact { name: "Ben Baker".into(), phones: vec!["+49 30 123456".into()] },
    ];
    for part in parts {
        shop.send(Op::Post(Post { content: Content { parts: vec![part] }, ..Post::words("") })).await.unwrap();
    }
    let kinds: Vec<_> = shop.graph.received(shop.anna).into_iter().map(|sent| sent.kind).collect();
    assert_eq!((kinds, shop.graph.mistakes().len()), (vec!["location".to_owned(), "contacts".into()], 0));
}

#[tokio::test]
async fn templates_are_read_page_by_page_and_sent_with_their_parameters() {
    let (shop, _) = Shop::asked().await;
    shop.graph.set_page(2);
    shop.graph.add_text_template("ready", "en", "Hi {{1}}, your {{2}} is ready");
    shop.graph.add_text_template("ready", "de", "Hallo {{name}}, fertig!");
    shop.graph.add_text_template("thanks", "en_US", "Thank you");
    shop.graph.add_template(json!({ "name": "paused", "language": "en", "status": "PAUSED", "category": "UTILITY",
        "id": "4", "components": [{ "type": "BODY", "text": "Hi" }] }));
    shop.graph
        .add_template(json!({ "name": "picture", "language": "en", "status": "APPROVED", "category": "MARKETING",
        "id": "5", "components": [{ "type": "HEADER", "format": "IMAGE" }, { "type": "BODY", "text": "Look" }] }));
    let templates = shop.receiving.adapter.templates().await.unwrap();
    let told: Vec<_> = templates
        .iter()
        .map(|it| (it.name.as_str(), it.language.as_str(), it.parameters.join(" "), it.problem.is_some()))
        .collect();
    let expected = [
        ("ready", "en", "1 2", false),
        ("ready", "de", "name", false),
        ("thanks", "en_US", "", false),
        ("paused", "en", "", true),
        ("picture", "en", "", true),
    ];
    assert_eq!(
        told,
        expected.map(|(name, language, parameters, wrong)| (name, language, parameters.to_owned(), wrong))
    );

    shop.graph.set_time(Some(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30)));
    let argument = |name: Option<&str>, text: &str| Argument { name: name.map(str::to_owned), text: text.into() };
    let template = |name: &str, language: &str, arguments: Vec<Argument>| Op::Template {
        name: name.into(),
        language: language.into(),
        arguments,
    };
    shop.send(template("ready", "en", vec![argument(None, "Anna"), argument(None, "cake")])).await.unwrap();
    shop.send(template("ready", "de", vec![argument(Some("name"), "Anna")])).await.unwrap();
    shop.send(template("thanks", "en_US", vec![])).await.unwrap();
    let read: Vec<_> = shop.graph.received(shop.anna).into_iter().map(|sent| sent.text).collect();
    assert_eq!(read, ["Hi Anna, your cake is ready", "Hallo Anna, fertig!", "Thank you"]);
    assert_eq!(shop.graph.mistakes(), []);
    for (name, language) in [("gone", "en"), ("paused", "en"), ("ready", "fr")] {
        let outcome = shop.send(template(name, language, vec![])).await;
        assert_eq!(verdict(&outcome), "refused: Content", "{name} {language}: {outcome:?}");
    }
}

#[tokio::test]
async fn reading_and_typing_are_shown_and_their_failure_harms_nobody() {
    let (shop, asked) = Shop::asked().await;
    let (to, adapter) = (Address::chat(USER), &*shop.receiving.adapter);
    adapter.signal(&to, Signal::Seen(asked.as_str().into())).await;
    adapter.signal(&to, Signal::Typing).await;
    assert_eq!(shop.graph.reads_seen(), [(asked.clone(), false), (asked.clone(), true)]);
    shop.graph.fail_next("read", 1, Fault::before(Answer::Reset));
    adapter.signal(&to, Signal::Seen(asked.as_str().into())).await;
    adapter.signal(&Address::chat("DE.nobody"), Signal::Typing).await;
    assert_eq!(shop.graph.ever_sent(shop.anna).len(), 0);
}

#[tokio::test]
async fn what_never_left_is_certain_and_shows_no_token() {
    let graph = Graph::start().await;
    let mut table = graph.table(&graph.number());
    table["api_url"] = "http://127.0.0.1:9".into();
    let outcome = send(&*adapter_with(table), &outbound(post("Hi"))).await;
    let Err(SendError::Transient(what)) = outcome else { panic!("{outcome:?}") };
    assert!(!what.contains(graph.token()), "{what}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_without_a_call() {
    let (shop, _) = Shop::asked().await;
    let cases = [
        outbound(post(&"x".repeat(4097))),
        outbound(post("  \n ")),
        outbound(Op::OpenThread(Post::words("card"))),
        outbound(Op::Edit { id: "wamid.x".into(), post: Post::words("Hi") }),
        outbound(Op::Delete { id: "wamid.x".into() }),
    ];
    for message in cases {
        let outcome = send(&*shop.receiving.adapter, &message).await;
        assert_eq!(verdict(&outcome), "refused: Content", "{message:?}");
    }
    assert_eq!(shop.graph.calls_of("messages").len(), 0);
}

#[tokio::test]
async fn people_who_cannot_be_reached_are_refused_in_plain_words() {
    let shop = Shop::open().await;
    let never_wrote = shop.send(post("Hi")).await;
    assert_eq!(verdict(&never_wrote), "window closed");
    for nobody in ["49301234567", "DE.1234567"] {
        let message = Outbound { to: Address::chat(nobody), ..outbound(post("Hi")) };
        // Meta takes it, and says later that there is nobody.
        send(&*shop.receiving.adapter, &message).await.unwrap();
    }
    let told = lines(&shop.events().await);
    assert_eq!(told, ["status: failed", "status: failed"]);
}
