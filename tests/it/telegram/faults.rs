//! Each fault of the vocabulary, in each direction.

use super::*;
use crate::fault::EVERY;

/// What is certain of a send after the fault, and how often it then is in the chat.
fn expected(fault: Fault) -> (&'static str, usize) {
    let there = usize::from(fault.carried_out);
    match fault.answer {
        Answer::TooMany(Some(1)) => ("wait 1 s for chat:42", there),
        Answer::TooMany(_) => ("wait 5 s for chat:42", there),
        Answer::Late(_) => ("sent", 1),
        Answer::Error(_) | Answer::Html(_) | Answer::Nonsense | Answer::Reset | Answer::Cut | Answer::Silence(_) => {
            ("uncertain", there)
        }
        Answer::Says(..) => panic!("a refusal in so many words is the contract's"),
    }
}

/// Only what was refused in so many words is certain. Nothing below us asks twice: each send is one call.
#[tokio::test]
async fn each_fault_of_a_send_says_what_is_certain() {
    let checks =
        EVERY.iter().flat_map(|answer| [Fault::before(*answer), Fault::after(*answer)]).map(|fault| async move {
            let api = anna().await;
            api.fail_next("sendMessage", 1, fault);
            let started = Instant::now();
            let outcome = send(&api, post("Yes, we do.")).await;
            assert_eq!(
                (verdict(&outcome).as_str(), api.received(ANNA).len()),
                expected(fault),
                "{fault:?}: {outcome:?}"
            );
            assert_eq!(api.calls_of("sendMessage").len(), 1, "{fault:?}");
            assert!(started.elapsed() < Duration::from_secs(60), "{fault:?}");
            assert!(!format!("{outcome:?}").contains(api.token()), "{fault:?}: {outcome:?}");
        });
    futures::future::join_all(checks).await;
}

/// The same of a send with a file: its whole body is out before the answer fails.
#[tokio::test]
async fn each_fault_of_a_file_says_what_is_certain() {
    let checks =
        EVERY.iter().flat_map(|answer| [Fault::before(*answer), Fault::after(*answer)]).map(|fault| async move {
            let api = anna().await;
            api.fail_next("sendDocument", 1, fault);
            let op = super::files::file(MediaKind::File, "a.pdf", "application/pdf", None);
            let outcome = super::files::bring(&api, op, &super::files::Elsewhere::whole(&[1; 300_000])).await;
            assert_eq!(
                (verdict(&outcome).as_str(), api.received(ANNA).len()),
                expected(fault),
                "{fault:?}: {outcome:?}"
            );
            assert_eq!(api.calls_of("sendDocument").len(), 1, "{fault:?}");
            assert!(!format!("{outcome:?}").contains(api.token()), "{fault:?}: {outcome:?}");
        });
    futures::future::join_all(checks).await;
}

/// Also on the first calls, and twice in a row.
#[tokio::test]
async fn each_fault_of_a_delivery_is_outlasted() {
    let checks = EVERY.iter().map(|answer| async move {
        let api = anna().await;
        for method in ["getMe", "getUpdates", "getUpdates"] {
            api.fail_next(method, 1, Fault::after(*answer));
        }
        api.says(ANNA, "Hello?");
        let receiving = Receiving::start(&api);
        receiving.events(1).await;
        api.says(ANNA, "And now?");
        receiving.events(2).await;
        receiving.healthy().await;
        api.wait_confirmed(PATIENCE).await;
        receiving.stop_at(&["Hello?", "And now?"], &format!("{answer:?}")).await;
    });
    futures::future::join_all(checks).await;
}

/// The whole stand-in of a bad day: a third of the polls fail, in each way, and everything arrives once and in order.
#[tokio::test]
async fn a_third_of_the_polls_may_fail() {
    let api = anna().await;
    let quick = [Answer::Reset, Answer::Cut, Answer::Nonsense, Answer::Html(404), Answer::TooMany(Some(1))];
    api.fail_share("getUpdates", 33, &quick.map(Fault::after), 7);
    let receiving = Receiving::start(&api);
    let texts: Vec<_> = (0..30).map(|n| format!("Message {n}")).collect();
    for (n, text) in texts.iter().enumerate() {
        api.says(ANNA, text);
        // So that it takes several polls.
        receiving.events(if n % 3 == 2 { n + 1 } else { 0 }).await;
    }
    receiving.events(30).await;
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    receiving.stop_at(&texts, "").await;
}
