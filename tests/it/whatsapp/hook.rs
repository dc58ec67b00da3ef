//! The hook itself: who may call it, what it takes, and what it answers.

use super::*;
use crate::graph::{VERIFY_TOKEN, post, signature};

/// A message of Anna's as Meta would bring it, under this id.
fn payload(graph: &Graph, id: &str) -> Value {
    entry(graph, &graph.number(), id)
}

fn entry(graph: &Graph, number: &str, id: &str) -> Value {
    let message = json!({ "from": PHONE, "id": id, "timestamp": "1749416383", "type": "text",
        "text": { "body": format!("the words of {id}") } });
    let value = json!({ "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": number },
        "contacts": [{ "profile": { "name": "Anna" }, "wa_id": PHONE }], "messages": [message] });
    json!({ "object": "whatsapp_business_account",
        "entry": [{ "id": graph.account(), "changes": [{ "field": "messages", "value": value }] }] })
}

#[tokio::test]
async fn only_what_meta_signed_is_taken() {
    let shop = Shop::open().await;
    let body = payload(&shop.graph, "wamid.1").to_string().into_bytes();
    let right = signature(shop.graph.app_secret(), &body);
    let of_other_app = signature("00000000000000000000000000000000", &body);
    let of_other_bytes = signature(shop.graph.app_secret(), b"{}");
    let cut = &right[..right.len() - 2];
    let sha1 = right.replace("sha256=", "sha1=");
    let digest = right.trim_start_matches("sha256=");
    let cases = [
        (None, 401),
        (Some(of_other_app.as_str()), 403),
        (Some(&of_other_bytes), 403),
        (Some(cut), 403),
        // Not in this way: as good as not at all.
        (Some(&sha1), 401),
        (Some(digest), 401),
        (Some("sha256="), 403),
        (Some("sha256=zz"), 403),
    ];
    for (signature, expected) in cases {
        let (status, said) = shop.graph.post_raw(&body, signature).await;
        assert_eq!(status, expected, "{signature:?}: {said}");
        assert!(!said.contains(shop.graph.app_secret()) && !said.contains(digest), "{said}");
    }
    assert_eq!(shop.receiving.inbox.offered(), [], "something was taken");
    assert_eq!(shop.graph.post_raw(&body, Some(&right)).await.0, 200);
    assert_eq!(lines(&shop.receiving.inbox.stored()), ["the words of wamid.1"]);
}

/// The signature is over the bytes: whatever they look like, and however JSON could be written otherwise.
#[tokio::test]
async fn the_bytes_are_signed_and_not_what_they_mean() {
    let shop = Shop::open().await;
    let plain = payload(&shop.graph, "wamid.ü").to_string();
    let spaced = plain.replace("\":", "\" :\n\t");
    let escaped: String =
        plain.chars().map(|c| if c.is_ascii() { c.into() } else { format!("\\u{:04x}", u32::from(c)) }).collect();
    assert_ne!(plain, escaped);
    for body in [&plain, &spaced, &escaped] {
        let right = signature(shop.graph.app_secret(), body.as_bytes());
        assert_eq!(shop.graph.post_raw(body.as_bytes(), Some(&right)).await.0, 200);
        let changed = body.replacen("words", "wards", 1);
        assert_eq!(shop.graph.post_raw(changed.as_bytes(), Some(&right)).await.0, 403);
    }
    let keys: std::collections::BTreeSet<_> = shop.receiving.inbox.stored().into_iter().map(|it| it.key).collect();
    assert_eq!((shop.receiving.inbox.stored().len(), keys.len()), (3, 1), "one message under one key");
}

#[tokio::test]
async fn the_handshake_answers_who_knows_the_word() {
    let shop = Shop::open().await;
    let ask = async |query: &str| post::get(&format!("{}?{query}", shop.graph.hook())).await.unwrap();
    let right = format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1158201444");
    assert_eq!(ask(&right).await, (200, "1158201444".into()));
    for wrong in [
        right.replace(VERIFY_TOKEN, "other"),
        right.replace("subscribe", "unsubscribe"),
        right.replace("hub.mode=subscribe&", ""),
        "hub.mode=subscribe&hub.verify_token=&hub.challenge=1".into(),
        "hub.mode=subscribe&hub.challenge=1".into(),
    ] {
        let (status, said) = ask(&wrong).await;
        assert_eq!(status, 403, "{wrong}");
        assert!(!said.contains(VERIFY_TOKEN), "{said}");
    }
}

/// Signed, but no webhook.
#[tokio::test]
async fn nonsense_is_refused_and_harms_nothing() {
    let shop = Shop::open().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let other = r#"{"object":"page","entry":[]}"#;
    for body in ["", "{", "[]", "null", "7", "\u{0}", "{\"object\":", other, &deep] {
        let (status, _) = shop.graph.post_signed(shop.graph.app_secret(), body.as_bytes()).await;
        assert_eq!(status, 400, "{:.40}", body);
    }
    let not_utf8 = [b"{\"object\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
    assert_eq!(shop.graph.post_signed(shop.graph.app_secret(), &not_utf8).await.0, 400);
    assert_eq!(shop.receiving.inbox.offered(), []);
    shop.graph.says(shop.anna, "Hello?");
    assert_eq!(lines(&shop.events().await), ["Hello?"]);
}

#[tokio::test]
async fn three_megabytes_are_read_and_more_are_refused() {
    let shop = Shop::open().await;
    let long = |bytes: usize| {
        let mut payload = payload(&shop.graph, &format!("wamid.{bytes}"));
        payload["padding"] = "".into();
        let missing = bytes - payload.to_string().len();
        payload["padding"] = "x".repeat(missing).into();
        payload.to_string().into_bytes()
    };
    let most = 3 << 20;
    assert_eq!(shop.graph.post_signed(shop.graph.app_secret(), &long(most)).await.0, 200);
    assert_eq!(shop.graph.post_signed(shop.graph.app_secret(), &long(most + 1)).await.0, 413);
    assert_eq!(lines(&shop.events().await), [format!("the words of wamid.{most}")]);
}

/// 503, so that Meta brings it again; then it is there once.
#[tokio::test]
async fn what_the_store_cannot_take_is_asked_for_again() {
    struct Refusing(TestInbox, AtomicUsize);
    #[async_trait]
    impl Inbox for Refusing {
        async fn connected(&self, account: AccountId) -> Result<(), InboxError> {
            self.0.connected(account).await
        }
        async fn accept(&self, events: Vec<Inbound>, cursor: Option<frontdesk_core::Cursor>) -> Result<(), InboxError> {
            match self.1.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
                Ok(_) => Err(InboxError::Store("no space left".into())),
                Err(_) => self.0.accept(events, cursor).await,
            }
        }
        fn health(&self, state: ChannelHealth) {
            self.0.health(state);
        }
    }
    let graph = Graph::start().await;
    let (anna, line) = (graph.person("Anna", PHONE), Line::new(&graph));
    let inbox = Arc::new(Refusing(TestInbox::new(), AtomicUsize::new(2)));
    let (adapter, stop) = (line.adapter(&graph), CancellationToken::new());
    let task = tokio::spawn({
        let (inbox, stop) = (inbox.clone(), stop.clone());
        async move { adapter.receive(inbox, None, stop).await }
    });
    inbox
        .0
        .wait(PATIENCE, |inbox| (inbox.healths().last() == Some(&ChannelHealth::CaughtUp)).then_some(()))
        .await
        .unwrap();
    graph.says(anna, "Do you hear me?");
    graph.wait_confirmed(PATIENCE).await;
    // Before the program is there, nobody answers at all.
    let answered: Vec<_> = graph.deliveries().iter().filter_map(|delivery| delivery.status).collect();
    assert_eq!(answered, [503, 503, 200]);
    assert_eq!(lines(&inbox.0.stored()), ["Do you hear me?"]);
    stop.cancel();
    task.await.unwrap().unwrap();
}

/// Meta sends the webhooks of all numbers of one app to one address.
#[tokio::test]
async fn each_number_has_its_channel_whichever_hook_is_called() {
    let graph = Graph::start().await;
    let (anna, numbers) = (graph.person("Anna", PHONE), Arc::new(Numbers::default()));
    let second = graph.another_number("206540352242922", "15550783882");
    let port = hooked::free_port();
    let shop = channel("shop", graph.table(&graph.number()), &numbers);
    let cafe = channel("cafe", graph.table(&second), &numbers);
    let shop = Receiving::with(Arc::new(Hooked::new(shop, port)), Arc::new(TestInbox::new()));
    shop.healthy().await;
    let cafe = Receiving::with(Arc::new(Hooked::new(cafe, hooked::free_port())), Arc::new(TestInbox::new()));
    cafe.healthy().await;
    graph.calls_hook(&format!("http://127.0.0.1:{port}/hooks/whatsapp/shop"));
    graph.says(anna, "To the shop");
    graph.says_to(&second, anna, "To the cafe");
    graph.brings(Manner::InOrder { batch: 10 });
    graph.says(anna, "To the shop again");
    graph.says_to(&second, anna, "To the cafe again");
    graph.wait_confirmed(PATIENCE).await;
    assert_eq!(lines(&shop.inbox.stored()), ["To the shop", "To the shop again"]);
    assert_eq!(lines(&cafe.inbox.stored()), ["To the cafe", "To the cafe again"]);
    assert_eq!(cafe.inbox.account(), Some(AccountId::from(second)));
}

/// A number of another app: the signature of the one that was called says nothing about it.
#[tokio::test]
async fn a_number_of_another_app_is_not_reached_through_this_one() {
    let graph = Graph::start().await;
    let numbers = Arc::new(Numbers::default());
    let second = graph.another_number("206540352242922", "15550783882");
    let mut table = graph.table(&second);
    table["app_secret"] = "00000000000000000000000000000000".into();
    let port = hooked::free_port();
    let shop = channel("shop", graph.table(&graph.number()), &numbers);
    let other = channel("other", table, &numbers);
    let shop = Receiving::with(Arc::new(Hooked::new(shop, port)), Arc::new(TestInbox::new()));
    let other = Receiving::with(Arc::new(Hooked::new(other, hooked::free_port())), Arc::new(TestInbox::new()));
    shop.healthy().await;
    other.healthy().await;
    graph.calls_hook(&format!("http://127.0.0.1:{port}/hooks/whatsapp/shop"));
    let body = entry(&graph, &second, "wamid.1").to_string();
    let (status, _) = graph.post_signed(graph.app_secret(), body.as_bytes()).await;
    assert!((400..500).contains(&status), "{status}");
    assert_eq!((other.inbox.offered(), shop.inbox.offered()), (vec![], vec![]));
}

#[tokio::test]
async fn a_number_that_nobody_has_is_refused_and_told() {
    let shop = Shop::open().await;
    shop.graph.another_number("999999999999999", "15550783889");
    let stranger = entry(&shop.graph, "999999999999999", "wamid.1");
    let (status, _) = shop.graph.post_signed(shop.graph.app_secret(), stranger.to_string().as_bytes()).await;
    assert_eq!(status, 404);
    let mut mixed = payload(&shop.graph, "wamid.2");
    let theirs = stranger["entry"][0].clone();
    mixed["entry"].as_array_mut().unwrap().insert(0, theirs);
    let (status, _) = shop.graph.post_signed(shop.graph.app_secret(), mixed.to_string().as_bytes()).await;
    // What is known is there, and Meta brings the rest again.
    assert_eq!(status, 404);
    assert_eq!(lines(&shop.receiving.inbox.stored()), ["the words of wamid.2"]);
    let findings = shop.receiving.adapter.probe().await;
    let told = findings.iter().any(|finding| finding.text.contains("999999999999999"));
    assert!(told, "{findings:?}");
}

/// One broken entry spoils none of the others, and is kept.
#[tokio::test]
async fn a_broken_entry_spoils_no_other() {
    let shop = Shop::open().await;
    let mut payload = payload(&shop.graph, "wamid.1");
    let good = payload["entry"][0]["changes"][0].clone();
    let broken = [
        json!({ "field": "messages", "value": { "metadata": good["value"]["metadata"], "messages": "none" } }),
        json!({ "field": "messages", "value": { "metadata": good["value"]["metadata"], "messages": [7, null,
            { "id": "wamid.2", "from": PHONE, "type": "text" }, { "id": "wamid.3", "from": PHONE, "type": "hologram",
            "timestamp": "soon", "hologram": { "x": 1 } }] } }),
        json!({ "field": "messages", "value": 7 }),
        json!({ "field": 7, "value": good["value"] }),
        json!(null),
    ];
    let mut changes: Vec<Value> = broken.to_vec();
    let mut last = good.clone();
    last["value"]["messages"][0]["id"] = "wamid.4".into();
    changes.push(last);
    payload["entry"][0]["changes"].as_array_mut().unwrap().extend(changes);
    let (status, _) = shop.graph.post_signed(shop.graph.app_secret(), payload.to_string().as_bytes()).await;
    assert_eq!(status, 200);
    let stored = shop.receiving.inbox.stored();
    let words: Vec<_> = lines(&stored).into_iter().filter(|line| line.starts_with("the words of")).collect();
    assert!(words.len() >= 2, "{stored:#?}");
    let keys: std::collections::HashSet<_> = stored.iter().map(|inbound| &inbound.key).collect();
    assert_eq!(keys.len(), stored.len(), "two things under one key: {stored:#?}");
    // What is unknown is there as well, in whatever form.
    for id in ["wamid.2", "wamid.3"] {
        assert!(stored.iter().any(|inbound| format!("{inbound:?}").contains(id)), "{id} is lost: {stored:#?}");
    }
}

#[tokio::test]
async fn a_thousand_updates_in_one_webhook_are_taken_at_once() {
    let shop = Shop::open().await;
    shop.graph.brings(Manner::InOrder { batch: 1000 });
    shop.graph.calls_hook("http://127.0.0.1:9/");
    let texts: Vec<_> = (0..1000).map(|n| format!("Message {n}")).collect();
    texts.iter().for_each(|text| drop(shop.graph.says(shop.anna, text)));
    shop.graph.calls_hook(&Line { port: shop.receiving.adapter.port() }.hook("shop"));
    let began = std::time::Instant::now();
    assert_eq!(lines(&shop.events().await), texts);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let taken: Vec<_> = shop.graph.deliveries().into_iter().filter(|delivery| delivery.status == Some(200)).collect();
    assert_eq!(taken.iter().map(|delivery| delivery.changes).collect::<Vec<_>>(), [1000]);
}

/// Whoever sends only half of a body is not waited for, for ever, and keeps nobody else out.
#[tokio::test]
async fn half_a_webhook_holds_up_nobody() {
    let shop = Shop::open().await;
    let body = payload(&shop.graph, "wamid.1").to_string().into_bytes();
    let (hook, wrong) = (shop.graph.hook(), format!("sha256={}", "0".repeat(64)));
    let halves: Vec<_> = (0..20)
        .map(|_| {
            let (hook, body, wrong) = (hook.clone(), body.clone(), wrong.clone());
            tokio::spawn(async move { post::post(&hook, &body, Some(&wrong), Some(Snag::Hangs)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (status, _) = shop.graph.post_signed(shop.graph.app_secret(), &body).await;
    assert_eq!(status, 200);
    halves.iter().for_each(tokio::task::JoinHandle::abort);
}
