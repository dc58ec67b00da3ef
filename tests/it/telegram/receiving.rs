use super::*;

#[tokio::test]
async fn what_people_do_becomes_events_in_order() {
    let api = anna().await;
    let receiving = Receiving::start(&api);
    api.wait_polling(PATIENCE).await;
    api.start_cmd(ANNA, Some("flyer"));
    let first = api.says(ANNA, "Hello");
    api.edits(ANNA, first, "Hello!");
    api.says_reply(ANNA, first, "Are you there?");
    api.react(ANNA, ANNA, first, &[], &["👍"]);
    api.sends_photo(ANNA, Some("For Saturday?"));
    api.blocks(ANNA);
    api.unblocks(ANNA);

    let events: Vec<Event> = receiving.events(8).await.into_iter().map(|inbound| inbound.event).collect();
    let first = PlatformId::from(first.to_string());
    assert_eq!(events[0], Event::Started { payload: Some("flyer".into()) });
    assert_eq!(words(&events[1]), "Hello");
    assert_eq!(events[2], Event::Edited { id: first.clone(), content: Content::text("Hello!"), notice: false });
    assert!(matches!(&events[3], Event::Message(message) if message.reply_to == Some(first.clone())), "{events:?}");
    assert_eq!(events[4], Event::Reaction { id: first, emoji: Some("👍".into()) });
    assert_eq!(words(&events[5]), "[picture] For Saturday?");
    assert_eq!(events[6..], [Event::Blocked, Event::Unblocked]);
    receiving.stop().await;
}

#[tokio::test]
async fn a_long_backlog_arrives_whole_and_is_then_caught_up() {
    let api = anna().await;
    for number in 0..250 {
        api.says(ANNA, &format!("Message {number}"));
    }
    let receiving = Receiving::start(&api);
    let events = receiving.events(250).await;
    let texts: Vec<_> = events.iter().map(|inbound| words(&inbound.event)).collect();
    assert_eq!(texts, (0..250).map(|number| format!("Message {number}")).collect::<Vec<_>>());
    receiving.healthy().await;
    assert_eq!(
        receiving.inbox.healths(),
        [ChannelHealth::Connecting, ChannelHealth::Connected, ChannelHealth::CaughtUp]
    );
    api.wait_confirmed(PATIENCE).await;
    assert_eq!(receiving.inbox.account(), Some(AccountId::from(api.bot_id().to_string())));
    receiving.stop().await;
}

#[tokio::test]
async fn an_update_that_nobody_can_read_holds_up_nothing() {
    let api = anna().await;
    api.says(ANNA, "before");
    api.raw_update(json!({ "hologram_call": { "from": { "id": ANNA, "first_name": "Anna" } } }));
    api.raw_update(json!({ "message": { "message_id": "not a number" } }));
    api.says(ANNA, "after");
    let receiving = Receiving::start(&api);
    let kinds: Vec<_> = receiving.events(4).await.into_iter().map(|inbound| kind(&inbound.event)).collect();
    assert_eq!(kinds, ["before", "hologram_call, unsupported", "message, unsupported", "after"]);
    api.wait_confirmed(PATIENCE).await;
    receiving.stop().await;
}

#[tokio::test]
async fn groups_are_ignored() {
    let api = anna().await;
    api.group(-100, "supergroup", "Bakers");
    api.group_message(-100, ANNA, "Hello, bakers");
    api.says(ANNA, "Hello, bot");
    let receiving = Receiving::start(&api);
    let events = receiving.events(1).await;
    api.wait_confirmed(PATIENCE).await;
    assert_eq!(words(&events[0].event), "Hello, bot");
    assert_eq!(receiving.inbox.offered().len(), 1);
    receiving.stop().await;
}

#[tokio::test]
async fn what_the_inbox_refuses_is_never_confirmed() {
    let api = anna().await;
    api.says(ANNA, "Do you hear me?");
    let asked = api.calls_of("getUpdates").len();
    let (stop, inbox) = (CancellationToken::new(), Arc::new(FullDisk::default()));
    let task = tokio::spawn({
        let (adapter, inbox, stop) = (adapter(&api), inbox.clone(), stop.clone());
        async move { adapter.receive(inbox, None, stop).await }
    });
    while inbox.refused.load(SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(api.unconfirmed().len(), 1);
    assert_eq!(api.calls_of("getUpdates").len(), asked + 1, "asked again before the batch was stored");
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_webhook_is_an_error_that_names_who_has_it() {
    let api = anna().await;
    api.says(ANNA, "For whom?");
    call(&api, "setWebhook", json!({ "url": "https://other.example/hook?secret=1" })).await;
    let error = Receiving::start(&api).task.await.unwrap().unwrap_err();
    let ReceiveError::Account(problem) = error else { panic!("{error:?}") };
    assert!(problem.contains("other.example") && problem.contains("deleteWebhook"), "{problem}");
    assert!(!problem.contains("secret"), "{problem}");
    assert_eq!(api.unconfirmed().len(), 1);
}

#[tokio::test]
async fn another_program_with_the_same_token_is_told_and_outlasted() {
    let api = anna().await;
    let receiving = Receiving::start(&api);
    api.wait_polling(PATIENCE).await;
    call(&api, "getUpdates", json!({ "timeout": 0 })).await;
    let problem = receiving.problem().await;
    assert!(problem.contains("another program"), "{problem}");
    api.says(ANNA, "Still there?");
    assert_eq!(words(&receiving.events(1).await[0].event), "Still there?");
    receiving.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_an_error_with_the_cure() {
    let api = anna().await;
    let adapter = adapter_with(api.url(), "123456789:AAEanotherAnotherAnotherAnotherAnother");
    let outcome = adapter.receive(Arc::new(TestInbox::new()), None, CancellationToken::new()).await;
    assert!(matches!(outcome, Err(ReceiveError::Account(cure)) if cure.contains("@BotFather")));
}

#[tokio::test]
async fn it_recovers_when_the_network_does() {
    let api = anna().await;
    for answer in [Answer::Reset, Answer::Nonsense, Answer::TooMany(Some(1)), Answer::Cut] {
        api.fail_next("getUpdates", 1, Fault::before(answer));
    }
    api.says(ANNA, "Hello?");
    let receiving = Receiving::start(&api);
    assert_eq!(words(&receiving.events(1).await[0].event), "Hello?");
    receiving.healthy().await;
    assert!(receiving.problem().await.contains("trying again"));
    receiving.stop().await;
}
