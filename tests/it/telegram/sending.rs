use super::*;

#[tokio::test]
async fn what_never_left_is_certain_and_shows_no_token() {
    let api = anna().await;
    let token = api.token().to_owned();
    let adapter = adapter_with("http://127.0.0.1:9", &token);
    let outcome = adapter.send(&outbound(post("Hi")), &Prepared::default(), &NoMedia).await;
    let Err(SendError::Transient(what)) = outcome else { panic!("{outcome:?}") };
    assert!(!what.contains("AAE") && what.contains("no connection"), "{what}");
    let findings = format!("{:?}", adapter.probe().await);
    assert!(!findings.contains("AAE"), "{findings}");
}

#[tokio::test]
async fn people_who_cannot_be_reached_are_refused_in_plain_words() {
    type Happens = fn(&BotApi);
    let cases: [(Happens, &str); 2] = [
        (|api| api.blocks(ANNA), "The customer has blocked the bot"),
        (|api| api.deactivates(ANNA), "no longer exists"),
    ];
    for (happens, expected) in cases {
        let api = anna().await;
        happens(&api);
        let outcome = send(&api, post("Hi")).await;
        let Err(SendError::Refused { scope: RefusedScope::Recipient, reason }) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains(expected), "{reason}");
    }
    let stranger = BotApi::start().await;
    stranger.user(ANNA, "Anna", None);
    assert_eq!(verdict(&send(&stranger, post("Hi")).await), "refused: Recipient");
}

#[tokio::test]
async fn a_group_that_moved_has_a_new_address() {
    let api = anna().await;
    api.group(-5, "group", "Bakers");
    api.migrates(-5, -1005);
    let message = Outbound { to: Address::chat("-5"), ..outbound(post("Hi")) };
    let outcome = adapter(&api).send(&message, &Prepared::default(), &NoMedia).await;
    assert!(matches!(&outcome, Err(SendError::Moved(to)) if *to == Address::chat("-1005")), "{outcome:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_without_a_call() {
    let api = anna().await;
    let elsewhere = Address::Chat { chat: "42".into(), scope: Some("B1".into()), thread: None };
    let business = Outbound { to: elsewhere, ..outbound(post("Hi")) };
    let cases = [
        (outbound(post(&"x".repeat(4097))), "refused: Content"),
        (outbound(post("  \n ")), "refused: Content"),
        (outbound(Op::OpenThread(Post::words("card"))), "refused: Content"),
        (outbound(Op::Edit { id: "$matrix".into(), post: Post::words("Hi") }), "refused: Content"),
        (business, "refused: Recipient"),
    ];
    for (message, expected) in cases {
        let outcome = adapter(&api).send(&message, &Prepared::default(), &NoMedia).await;
        assert_eq!(verdict(&outcome), expected, "{message:?}");
    }
    assert!(api.calls().iter().all(|call| call.method == "getUpdates"), "{:?}", api.calls());
}

#[tokio::test]
async fn a_reply_is_shown_as_one_also_where_the_original_is_gone() {
    let api = anna().await;
    let (kept, gone) = (api.says(ANNA, "When?"), api.says(ANNA, "And where?"));
    api.deletes(ANNA, gone);
    for id in [kept, gone] {
        let reply = Post { reply_to: Some(id.to_string().into()), ..Post::words("At nine.") };
        send(&api, Op::Post(reply)).await.unwrap();
    }
    let replies: Vec<_> = api.received(ANNA).into_iter().map(|sent| sent.reply_to).collect();
    assert_eq!(replies, [Some(kept), None]);
}

#[tokio::test]
async fn what_the_program_says_does_not_ring() {
    let api = anna().await;
    send(&api, Op::Post(Post { style: Style::Notice, ..Post::words("We are closed.") })).await.unwrap();
    send(&api, post("We are open.")).await.unwrap();
    let quiet: Vec<_> =
        api.calls_of("sendMessage").iter().map(|call| call.params["disable_notification"] == true).collect();
    assert_eq!(quiet, [true, false]);
}

#[tokio::test]
async fn a_topic_that_is_not_found_is_left_out() {
    let api = anna().await;
    let to = Address::Chat { chat: "42".into(), scope: None, thread: Some("77".into()) };
    let message = Outbound { to, ..outbound(post("Here it is")) };
    adapter(&api).send(&message, &Prepared::default(), &NoMedia).await.unwrap();
    let received = api.received(ANNA);
    assert_eq!((received.len(), received[0].thread), (1, None));
}

#[tokio::test]
async fn edits_deletes_and_reactions_may_be_repeated() {
    let api = anna().await;
    let question = api.says(ANNA, "When?");
    let id = send(&api, post("At ten.")).await.unwrap().ids.remove(0);
    let ops = [
        Op::React { id: question.to_string().into(), emoji: Some("❤\u{fe0f}".into()) },
        Op::Edit { id: id.clone(), post: Post::words("At nine.") },
    ];
    for op in &ops {
        for _ in 0..2 {
            assert!(adapter(&api).repeatable(&outbound(op.clone())));
            send(&api, op.clone()).await.unwrap();
        }
    }
    assert_eq!(api.received(ANNA)[0].text, "At nine.");
    assert_eq!(api.reactions(ANNA, question), ["❤"]);
    send(&api, Op::React { id: question.to_string().into(), emoji: None }).await.unwrap();
    assert!(api.reactions(ANNA, question).is_empty());
    for _ in 0..2 {
        send(&api, Op::Delete { id: id.clone() }).await.unwrap();
    }
    assert!(api.received(ANNA).is_empty());
    assert!(!adapter(&api).repeatable(&outbound(post("Hi"))));
    let vanished = send(&api, Op::Edit { id, post: Post::words("At eight.") }).await;
    assert_eq!(verdict(&vanished), "refused: Content");
}

#[tokio::test]
async fn typing_is_shown_and_its_failure_harms_nobody() {
    let api = anna().await;
    let to = Address::chat(ANNA.to_string());
    adapter(&api).signal(&to, Signal::Typing).await;
    api.fail_next("sendChatAction", 1, Fault::before(Answer::Reset));
    adapter(&api).signal(&to, Signal::Typing).await;
    adapter(&api).signal(&to, Signal::Seen("1".into())).await;
    let actions: Vec<_> =
        api.calls_of("send*").into_iter().map(|call| (call.method, call.params["action"].clone())).collect();
    assert_eq!(actions, vec![("sendChatAction".to_owned(), json!("typing")); 2]);
}
