//! Each fault of the vocabulary, in each direction, and each code of Meta's.

use super::*;
use crate::fault::EVERY;

/// What is certain of a send after the fault, and how often it then is in the chat.
fn expected(fault: Fault) -> (&'static str, usize) {
    let there = usize::from(fault.carried_out);
    match fault.answer {
        Answer::TooMany(_) => ("wait", there),
        Answer::Late(_) => ("sent", 1),
        Answer::Error(_) | Answer::Html(_) | Answer::Nonsense | Answer::Reset | Answer::Cut | Answer::Silence(_) => {
            ("uncertain", there)
        }
        Answer::Says(..) => panic!("a refusal in so many words is the next test's"),
    }
}

/// Only what was refused in so many words is certain. Nothing below us asks twice: each send is one call.
#[tokio::test]
async fn each_fault_of_a_send_says_what_is_certain() {
    let faults = EVERY.iter().flat_map(|answer| [Fault::before(*answer), Fault::after(*answer)]);
    let checks = faults.map(|fault| async move {
        let (shop, _) = Shop::asked().await;
        shop.graph.fail_next("messages", 1, fault);
        let outcome = shop.send(post("Yes, we do.")).await;
        let there = shop.graph.received(shop.anna).len();
        assert_eq!((verdict(&outcome).as_str(), there), expected(fault), "{fault:?}: {outcome:?}");
        assert_eq!(shop.graph.calls_of("messages").len(), 1, "{fault:?}");
        assert!(!format!("{outcome:?}").contains(shop.graph.token()), "{fault:?}: {outcome:?}");
    });
    futures::future::join_all(checks).await;
}

/// What was carried out and lost its answer is found by the status that brings its key back.
#[tokio::test]
async fn a_send_that_lost_its_answer_is_settled_by_its_status() {
    for answer in [Answer::Reset, Answer::Error(500), Answer::Html(502), Answer::Nonsense] {
        let (shop, _) = Shop::asked().await;
        shop.graph.fail_next("messages", 1, Fault::after(answer));
        let message = outbound(post("Did this arrive?"));
        assert_eq!(verdict(&send(&*shop.receiving.adapter, &message).await), "uncertain");
        let found = shop.receiving.adapter.find(&message).await.unwrap();
        let there = shop.graph.received(shop.anna);
        assert_eq!(found, Found::Sent(Sent::one(there[0].id.as_str())), "{answer:?}");
    }
}

/// The codes that the design lists, each with its meaning.
const CODES: [(u16, u32, &str); 27] = [
    (429, 4, "wait"),
    (429, 80_007, "wait"),
    (429, 130_429, "wait"),
    (400, 131_056, "wait"),
    (400, 131_048, "wait"),
    (400, 131_057, "wait"),
    (400, 131_026, "refused: Recipient"),
    (400, 131_047, "window closed"),
    (400, 131_051, "refused: Content"),
    (400, 131_053, "refused: Content"),
    (400, 131_049, "refused: Recipient"),
    (400, 131_050, "refused: Recipient"),
    (400, 130_472, "refused: Recipient"),
    (400, 131_062, "refused: Recipient"),
    (400, 132_000, "refused: Content"),
    (404, 132_001, "refused: Content"),
    (400, 132_015, "refused: Content"),
    (401, 0, "refused: Account"),
    (401, 190, "refused: Account"),
    (403, 3, "refused: Account"),
    (403, 10, "refused: Account"),
    (403, 200, "refused: Account"),
    (403, 299, "refused: Account"),
    (403, 131_031, "refused: Account"),
    (403, 368, "refused: Account"),
    (400, 131_042, "refused: Account"),
    (500, 131_000, "uncertain"),
];

#[tokio::test]
async fn each_code_has_its_meaning() {
    let (shop, _) = Shop::asked().await;
    for (status, code, expected) in
        CODES.into_iter().chain([(400, 133_010, "refused: Account"), (500, 131_016, "uncertain")])
    {
        let body = json!({ "error": { "message": format!("(#{code}) Of no importance"), "type": "OAuthException",
            "code": code, "error_data": { "messaging_product": "whatsapp", "details": "Of no importance" },
            "fbtrace_id": "A" } });
        let body: &'static str = body.to_string().leak();
        shop.graph.fail_next("messages", 1, Fault::before(Answer::Says(status, body)));
        let outcome = shop.send(post("Yes, we do.")).await;
        assert_eq!(verdict(&outcome), expected, "{status} with {code}: {outcome:?}");
        if let Err(SendError::Refused { reason, .. }) = &outcome {
            assert!(reason.contains(' ') && reason.len() > 30, "{code}: {reason:?} is no sentence with a cure");
        }
        if let Err(SendError::RetryAfter { after, bucket }) = &outcome {
            assert!(!after.is_zero() && *after < Duration::from_secs(24 * 3600), "{code}: {after:?}");
            assert!(bucket.is_some(), "{code}");
        }
    }
    assert_eq!(shop.graph.ever_sent(shop.anna).len(), 0);
}

/// The webhooks are taken while the API is of no use, on the first calls already.
#[tokio::test]
async fn webhooks_are_taken_while_the_api_fails() {
    let checks = EVERY.iter().map(|answer| async move {
        let graph = Graph::start().await;
        let anna = graph.person("Anna", PHONE);
        graph.fail_next("number", 2, Fault::before(*answer));
        graph.says(anna, "Hello?");
        let receiving = Receiving::with(Line::new(&graph).adapter(&graph), Arc::new(TestInbox::new()));
        assert_eq!(lines(&receiving.events(1).await), ["Hello?"], "{answer:?}");
        graph.says(anna, "And now?");
        receiving.events(2).await;
        receiving.healthy().await;
        graph.wait_confirmed(PATIENCE).await;
        assert_eq!(lines(&receiving.inbox.stored()), ["Hello?", "And now?"], "{answer:?}");
        receiving.stop().await;
    });
    futures::future::join_all(checks).await;
}

/// Before it was stored, and after: Meta brings it again, under the same key.
#[tokio::test]
async fn each_snag_of_a_delivery_is_outlasted() {
    for (snag, times) in [(Snag::Breaks, 1), (Snag::Unheard, 2)] {
        let shop = Shop::open().await;
        shop.graph.snags(snag);
        shop.graph.says(shop.anna, "Hello?");
        shop.graph.says(shop.anna, "And now?");
        let mut events = shop.events().await;
        assert_eq!(shop.graph.snags_met(), 1);
        assert_eq!(events.iter().filter(|inbound| line(&inbound.event) == "Hello?").count(), times, "{snag:?}");
        events.dedup_by(|one, other| one == other);
        assert_eq!(lines(&events), ["Hello?", "And now?"], "{snag:?}");
    }
}

/// An account that turns out to be of no use only when it comes to a message is told as the channel's health, and heals
/// with the next that gets through. (What is refused at once is told by whoever sends.)
#[tokio::test]
async fn a_refused_account_turns_the_health_and_heals() {
    let (shop, _) = Shop::asked().await;
    let healthy = shop.receiving.inbox.healths().len();
    shop.graph.fail_later(&[131_042]);
    shop.send(post("Hi")).await.unwrap();
    let problem = shop.receiving.inbox.wait(PATIENCE, |inbox| {
        inbox.healths()[healthy..].iter().find_map(|health| match health {
            ChannelHealth::Failing { problem } => Some(problem.clone()),
            ChannelHealth::Connecting | ChannelHealth::Connected | ChannelHealth::CaughtUp => None,
        })
    });
    let problem = problem.await.unwrap_or_else(|| panic!("{:?}", shop.receiving.inbox.healths()));
    assert!(problem.contains("payment"), "{problem}");
    // Meta's times are whole seconds, and only what was sent after the failure shows that it is over.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    shop.send(post("Hi again")).await.unwrap();
    shop.receiving.healthy().await;
}
