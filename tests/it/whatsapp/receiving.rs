//! What people do, and what becomes of it.

use super::*;

/// What came in of one thing that was done.
async fn came(act: impl FnOnce(&Graph, Person)) -> Vec<Inbound> {
    let shop = Shop::open().await;
    act(&shop.graph, shop.anna);
    shop.events().await
}

#[tokio::test]
async fn each_kind_of_message_is_shown() {
    let file = b"some bytes".to_vec();
    let shop = Shop::open().await;
    let (graph, anna) = (&shop.graph, shop.anna);
    graph.says(anna, "Do you have bread without nuts?");
    graph.sends_file(anna, "image", "image/jpeg", file.clone(), Some("For Saturday?"));
    graph.sends_file(anna, "video", "video/mp4", file.clone(), None);
    graph.sends_file(anna, "audio", "audio/mpeg", file.clone(), None);
    graph.sends_file(anna, "voice", "audio/ogg; codecs=opus", file.clone(), None);
    graph.sends_file(anna, "document", "application/pdf", file.clone(), Some("The order"));
    graph.sends_file(anna, "sticker", "image/webp", file, None);
    graph.message(anna, "location", json!({ "latitude": 52.5, "longitude": 13.4, "name": "At home" }));
    graph.message(
        anna,
        "contacts",
        json!([{ "name": { "formatted_name": "Lucía Gómez", "first_name": "Lucía" },
        "phones": [{ "phone": "+1 (983) 555-2319", "wa_id": "19835552319", "type": "MOBILE" }] }]),
    );
    graph.message(anna, "button", json!({ "payload": "stop", "text": "Stop it" }));
    graph.message(
        anna,
        "interactive",
        json!({ "type": "button_reply", "button_reply": { "id": "b1", "title": "Cancel" } }),
    );
    let row = json!({ "id": "express", "title": "Express", "description": "Next day" });
    graph.message(anna, "interactive", json!({ "type": "list_reply", "list_reply": row }));
    graph.message(
        anna,
        "interactive",
        json!({ "type": "nfm_reply",
        "nfm_reply": { "name": "flow", "body": "Sent", "response_json": "{\"cake\":\"two tiers\"}" } }),
    );
    let item = json!({ "product_retailer_id": "cake-7", "quantity": 2, "item_price": 30, "currency": "EUR" });
    graph.message(anna, "order", json!({ "catalog_id": "1", "text": "For Sunday", "product_items": [item] }));
    graph.message_with(
        anna,
        json!({ "type": "unsupported", "errors": [{ "code": 131_051, "title": "Message type unknown" }] }),
    );
    graph.message(anna, "hologram", json!({ "beam": 1 }));
    let events = shop.events().await;
    let shown = lines(&events);
    let words = [
        "Do you have bread without nuts?",
        "[picture] For Saturday?",
        "[video]",
        "[audio file]",
        "[voice message]",
        "[file: order.pdf] The order",
        "[sticker]",
        "At home",
        "Lucía Gómez",
        "Stop it",
        "Cancel",
        "Express",
        "two tiers",
        "cake-7",
        "",
        "",
    ];
    assert_eq!(shown.len(), words.len(), "{shown:#?}");
    for (shown, words) in shown.iter().zip(words) {
        assert!(shown.contains(words), "{words:?} is not in {shown:?}");
        assert!(!shown.is_empty());
    }
    assert!(shown[7].contains("52.5") && shown[8].contains("555-2319") && shown[13].contains('2'), "{shown:#?}");
    for inbound in &events {
        assert_eq!((inbound.from.id.as_str(), inbound.from.name.as_str()), (USER, "Anna"));
        assert!(inbound.from.aliases.iter().any(|alias| alias == PHONE), "{:?}", inbound.from);
        assert_eq!((&inbound.side, inbound.sent_at.is_some()), (&Side::Customer, true));
    }
}

#[tokio::test]
async fn replies_reactions_edits_and_deletions_name_their_message() {
    let shop = Shop::open().await;
    let (graph, anna) = (&shop.graph, shop.anna);
    let first = graph.says(anna, "Hello");
    graph.says_reply(anna, &first, "Are you there?");
    graph.reacts(anna, &first, Some("👍"));
    graph.reacts(anna, &first, None);
    graph.edits(anna, &first, "Hello!");
    graph.revokes(anna, &first);
    let events: Vec<Event> = shop.events().await.into_iter().map(|inbound| inbound.event).collect();
    let first = PlatformId::from(first);
    assert!(matches!(&events[1], Event::Message(message) if message.reply_to == Some(first.clone())), "{events:?}");
    assert_eq!(events[2], Event::Reaction { id: first.clone(), emoji: Some("👍".into()) });
    assert_eq!(events[3], Event::Reaction { id: first.clone(), emoji: None });
    assert_eq!(events[4], Event::Edited { id: first.clone(), content: Content::text("Hello!"), notice: false });
    assert_eq!(events[5], Event::Deleted { ids: vec![first] });
}

#[tokio::test]
async fn who_comes_from_an_ad_or_a_product_says_so() {
    let referral = json!({ "source_url": "https://fb.me/3cr4Wqqkv", "source_type": "ad", "headline": "Fresh rolls" });
    let ad = came(|graph, anna| {
        graph.message_with(anna, json!({ "type": "text", "text": { "body": "Hi" }, "referral": referral }));
    });
    let ad = lines(&ad.await);
    assert!(ad[0].starts_with("Hi") && ad[0].contains("Fresh rolls") && ad[0].contains("fb.me/3cr4Wqqkv"), "{ad:?}");
    let product = json!({ "catalog_id": "194", "product_retailer_id": "rye-7" });
    let context = json!({ "from": "15550783881", "id": "wamid.x", "referred_product": product });
    let asked = came(|graph, anna| {
        graph.message_with(anna, json!({ "type": "text", "text": { "body": "Still there?" }, "context": context }));
    });
    let asked = lines(&asked.await);
    assert!(asked[0].starts_with("Still there?") && asked[0].contains("rye-7"), "{asked:?}");
    for mark in ["forwarded", "frequently_forwarded"] {
        let events = came(|graph, anna| {
            let context = json!({ mark: true });
            graph.message_with(anna, json!({ "type": "text", "text": { "body": "Read this" }, "context": context }));
        });
        let events = events.await;
        assert!(matches!(&events[0].event, Event::Message(message) if message.forwarded), "{mark}: {events:?}");
    }
}

#[tokio::test]
async fn people_are_known_by_their_user_id_and_else_by_their_number() {
    let shop = Shop::open().await;
    let ben = shop.graph.person("Ben", "16505550000");
    let cleo = shop.graph.known_as("Cleo", None, Some("DE.99887766"));
    for person in [shop.anna, ben, cleo] {
        shop.graph.says(person, "Hello");
    }
    let events = shop.events().await;
    let ids: Vec<_> = events.iter().map(|inbound| inbound.from.id.as_str()).collect();
    assert_eq!(ids, [USER, "16505550000", "DE.99887766"]);
    assert_eq!(events[2].from.username.as_deref(), Some("cleo"));
    // An answer to where each wrote from reaches that one.
    for (inbound, person) in events.iter().zip([shop.anna, ben, cleo]) {
        let message = Outbound { to: inbound.at.clone(), ..outbound(post("Hello yourself")) };
        send(&*shop.receiving.adapter, &message).await.unwrap();
        assert_eq!(shop.graph.received(person).len(), 1, "{:?}", inbound.at);
    }
}

#[tokio::test]
async fn a_person_moves_on_to_a_new_number_and_a_new_user_id() {
    let shop = Shop::open().await;
    let ben = shop.graph.person("Ben", "16505550000");
    shop.graph.says(ben, "Hello");
    shop.graph.changes_number(ben, "12195555358", None);
    shop.graph.says(ben, "It is me");
    shop.graph.changes_user_id(shop.anna, "US.2222");
    let events = shop.events().await;
    let moved = |from: &str, to: &str| {
        let identity = Event::IdentityMoved { from: from.into(), to: to.into() };
        let chat = Event::ChatMoved { from: Address::chat(from), to: Address::chat(to) };
        [identity, chat].map(|event| events.iter().filter(|inbound| inbound.event == event).count())
    };
    assert_eq!(moved("16505550000", "12195555358"), [1, 1], "{events:#?}");
    assert_eq!(moved(USER, "US.2222"), [1, 1], "{events:#?}");
    let again = events.iter().find(|inbound| line(&inbound.event) == "It is me").unwrap();
    assert_eq!(again.from.id.as_str(), "12195555358");
}

#[tokio::test]
async fn the_owner_on_the_phone_is_an_echo() {
    let shop = Shop::open().await;
    shop.graph.says(shop.anna, "Hello?");
    let said = shop.graph.owner_says(shop.anna, "Yes, how can I help?");
    let revoked = shop.graph.owner_revokes(shop.anna, &said);
    let events = shop.events().await;
    assert_eq!(lines(&events)[..2], ["Hello?", "echo: Yes, how can I help?"]);
    // It belongs to the customer's chat, whoever wrote it.
    assert_eq!(events[0].at, events[1].at);
    // What the owner takes back is told as what was done.
    let Event::Echo(message) = &events[2].event else { panic!("{events:?}") };
    assert_eq!((message.id.as_str(), &message.reply_to), (revoked.as_str(), &Some(PlatformId::from(said))));
}

/// Old chats and the address book say who is no stranger, and nothing else.
#[tokio::test]
async fn what_was_on_the_phone_before_only_makes_people_known() {
    let shop = Shop::open().await;
    let ben = shop.graph.person("Ben", "16505550000");
    shop.graph.history(&[shop.anna, ben]);
    shop.graph.address_book(&[ben]);
    let events = shop.events().await;
    assert_eq!(lines(&events), ["known"; 3]);
    let who: Vec<_> = events.iter().map(|inbound| inbound.from.id.as_str()).collect();
    assert_eq!(who[1..], ["16505550000"; 2]);
    assert!([PHONE, USER].contains(&who[0]), "{who:?}");
}

#[tokio::test]
async fn what_becomes_of_a_send_is_told_with_its_key() {
    let (shop, _) = Shop::asked().await;
    let sent = shop.send(post("Yes, we do.")).await.unwrap();
    shop.graph.reads(shop.anna);
    shop.graph.fails(sent.ids[0].as_str(), 131_026);
    let events = shop.events().await;
    assert_eq!(lines(&events)[1..], ["status: sent", "status: delivered", "status: read", "status: failed"]);
    for inbound in &events[1..] {
        let Event::Status { key, id, state } = &inbound.event else { panic!("{inbound:?}") };
        assert_eq!((key.map(|key| key.number), id.as_ref()), (Some(1), sent.ids.first()));
        if let DeliveryState::Failed { reason } = state {
            assert!(reason.contains(' ') && reason.ends_with('.'), "{reason:?} is no sentence");
        }
    }
}

#[tokio::test]
async fn a_window_that_turns_out_to_be_closed_is_told_as_one() {
    let (shop, _) = Shop::asked().await;
    shop.graph.set_late(Late::FailsLater);
    shop.graph.set_time(Some(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(25)));
    shop.send(post("Sorry to be late.")).await.unwrap();
    assert_eq!(lines(&shop.events().await)[1..], ["status: window closed"]);
}

/// Each comes twice and in disorder, and is there once by its key.
#[tokio::test]
async fn a_storm_of_webhooks_gives_each_thing_once() {
    let shop = Shop::open().await;
    shop.graph.brings(Manner::Stormy(fastrand::Rng::with_seed(11)));
    let texts: Vec<_> = (0..40).map(|n| format!("Message {n:02}")).collect();
    texts.iter().for_each(|text| drop(shop.graph.says(shop.anna, text)));
    shop.graph.wait_confirmed(PATIENCE).await;
    for n in 0..10 {
        shop.send(post(&format!("Answer {n}"))).await.unwrap();
    }
    let mut once: std::collections::BTreeMap<_, Inbound> = std::collections::BTreeMap::new();
    for inbound in shop.events().await {
        match once.get(&inbound.key) {
            Some(before) => assert_eq!(*before, inbound, "the same key for something else"),
            None => drop(once.insert(inbound.key.clone(), inbound)),
        }
    }
    let mut said: Vec<_> = lines(&once.into_values().collect::<Vec<_>>());
    said.sort();
    let statuses = said.iter().filter(|line| line.starts_with("status: ")).count();
    assert_eq!(said[..40], texts);
    assert_eq!((statuses, said.len()), (20, 60));
}

#[tokio::test]
async fn a_wrong_token_is_told_with_its_cure_and_heals() {
    let graph = Graph::start().await;
    let refused =
        r#"{ "error": { "code": 190, "type": "OAuthException", "message": "Error validating access token" } }"#;
    graph.fail_next("number", 1, Fault::before(Answer::Says(401, refused)));
    let receiving = Receiving::with(Line::new(&graph).adapter(&graph), Arc::new(TestInbox::new()));
    let problem = receiving.problem().await;
    assert!(problem.contains("token"), "{problem}");
    assert!(!problem.contains(graph.token()), "{problem}");
}

/// Meta's own word about something else than people is kept and harms nothing.
#[tokio::test]
async fn other_fields_are_kept_or_told() {
    let shop = Shop::open().await;
    let about = json!({ "messaging_product": "whatsapp", "metadata": { "display_phone_number": "15550783881",
        "phone_number_id": shop.graph.number() } });
    shop.graph.raw_change(
        "message_template_status_update",
        json!({ "event": "REJECTED", "message_template_id": 7,
        "message_template_name": "ready", "message_template_language": "en" }),
    );
    shop.graph.raw_change("hologram_update", about.clone());
    let mut error = about;
    error["errors"] = json!([{ "code": 130_429, "title": "Rate limit hit", "message": "Rate limit hit" }]);
    shop.graph.raw_change("messages", error);
    shop.graph.says(shop.anna, "Hello?");
    let shown = lines(&shop.events().await);
    assert_eq!(shown.last().map(String::as_str), Some("Hello?"), "{shown:?}");
    assert!(shown[..shown.len() - 1].iter().all(|line| line.starts_with("unsupported: ")), "{shown:?}");
}
