//! Each fault of the vocabulary between us and the homeserver, in each direction.

use std::time::Duration;

use frontdesk_core::{Op, Outbound, Post, SendError, Sent};
use serde_json::json;

use super::bench::{Bench, PATIENCE, Run, adapter, outbound, words};
use crate::{
    fault::{Answer, EVERY, Fault},
    proxy::{Outcome, Proxy},
};

const SENDS: &str = "PUT */rooms/*/send/*";

/// A desk whose homeserver is behind the proxy.
struct Edge {
    bench: Bench,
    proxy: Proxy,
}

impl Edge {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let proxy = Proxy::before(&bench.synapse.url()).await;
        Self { bench, proxy }
    }

    fn run(&self, login: &serde_json::Value) -> Run {
        let bench = &self.bench;
        let desks = [bench.desk()];
        Run::start(adapter(self.proxy.url(), &bench.bot.user_id, login, &desks, bench.disk.path()), None)
    }

    /// Runs, with Ann in the room.
    async fn ready(&self) -> (Run, String) {
        let run = self.run(&self.bench.password());
        run.caught_up().await;
        let room = self.bench.ann.resolve(&self.bench.alias()).await.unwrap();
        self.bench.ann.in_room(&room).await;
        (run, room)
    }
}

fn verdict(outcome: &Result<Sent, SendError>) -> String {
    match outcome {
        Ok(_) => "sent".into(),
        Err(SendError::RetryAfter { after, .. }) => format!("wait {} s", after.as_secs()),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn expected(answer: Answer) -> &'static str {
    match answer {
        Answer::TooMany(Some(1)) => "wait 1 s",
        Answer::TooMany(_) => "wait 5 s",
        Answer::Late(_) => "sent",
        Answer::Error(_) | Answer::Html(_) | Answer::Nonsense | Answer::Reset | Answer::Cut | Answer::Silence(_) => {
            "Uncertain"
        }
        Answer::Says(..) => panic!("a refusal in so many words is the contract's"),
    }
}

fn says(number: u64) -> Outbound {
    outbound(number, None, Op::Post(Post::words(format!("Message {number};"))))
}

/// Nothing below us asks twice, and the same row is the same event, whatever became of the first attempt.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_send_says_what_is_certain_and_its_repetition_is_seen_once() {
    let edge = Edge::new().await;
    let (run, room) = edge.ready().await;
    let faults: Vec<_> = EVERY.iter().flat_map(|answer| [Fault::before(*answer), Fault::after(*answer)]).collect();
    for (number, fault) in (1..).zip(&faults) {
        let before = edge.proxy.calls_of(SENDS).len();
        edge.proxy.fail_next(SENDS, 1, *fault);
        let outcome = run.try_send(&says(number)).await;
        assert_eq!(verdict(&outcome), expected(fault.answer), "{fault:?}: {outcome:?}");
        assert_eq!(edge.proxy.calls_of(SENDS).len() - before, 1, "{fault:?}");
        run.try_send(&says(number)).await.unwrap_or_else(|error| panic!("after {fault:?}: {error}"));
    }
    let last = format!("Message {};", faults.len());
    edge.bench.ann.wait_for_text(&room, &last, PATIENCE).await;
    let timeline = edge.bench.ann.timeline(&room);
    let seen: Vec<_> = timeline.iter().map(|event| event.body()).filter(|body| body.starts_with("Message ")).collect();
    let once: Vec<_> = (1..=faults.len()).map(|number| format!("Message {number};")).collect();
    assert_eq!(seen, once, "each once and in order");
    run.stop().await;
}

/// Before the first message its key goes to the operators' devices: a fault there must leave nothing unreadable.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_while_keys_are_given_out_leaves_nothing_unreadable() {
    let edge = Edge::new().await;
    let (run, room) = edge.ready().await;
    let sharing = ["POST */keys/claim*", "PUT */sendToDevice/*"];
    for answer in [Answer::Html(404), Answer::Error(500), Answer::Reset, Answer::TooMany(Some(1))] {
        sharing.iter().for_each(|calls| edge.proxy.fail_next(calls, 1, Fault::before(answer)));
    }
    let mut failures = 0;
    while let Err(error) = run.try_send(&says(1)).await {
        let again = match error {
            SendError::RetryAfter { .. } | SendError::Transient(_) | SendError::Uncertain(_) => failures < 20,
            SendError::WindowClosed | SendError::Moved(_) | SendError::Refused { .. } => false,
        };
        assert!(again, "after {failures} failures: {error:?}");
        failures += 1;
    }
    assert!(edge.bench.ann.wait_for_text(&room, "Message 1;", PATIENCE).await.encrypted);
    for calls in sharing {
        let failed = edge.proxy.calls_of(calls).iter().filter(|call| !call.carried_out()).count();
        assert!(failed > 0, "no fault hit {calls}");
    }
    run.stop().await;
}

/// The first message ends the poll that is open; the next poll fails, and what is written meanwhile comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_delivery_is_outlasted() {
    let edge = Edge::new().await;
    let (run, room) = edge.ready().await;
    for answer in EVERY {
        edge.proxy.fail_next("GET */sync*", 2, Fault::after(answer));
        for text in ["before", "during"] {
            let text = format!("{text} {answer:?}");
            edge.bench.ann.say(&room, &text).await;
            run.said(&text).await;
        }
    }
    run.caught_up().await;
    let arrived: Vec<_> = run.inbox.stored().iter().filter_map(words).collect();
    let once: Vec<_> = EVERY.iter().flat_map(|it| [format!("before {it:?}"), format!("during {it:?}")]).collect();
    assert_eq!(arrived, once, "each once and in order");
    run.stop().await;
}

/// A page of a proxy on the way says nothing of our account.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_the_homeservers_decides_nothing() {
    let edge = Edge::new().await;
    let token = json!({ "token": edge.bench.synapse.access_token(&edge.bench.bot).await });
    edge.proxy.fail_next("GET */whoami*", 1, Fault::before(Answer::Html(403)));
    let problem = edge.run(&token).failed().await;
    assert!(problem.contains("does not answer like a Matrix homeserver (403"), "{problem}");
    let run = edge.run(&token);
    run.caught_up().await;
    run.stop().await;

    // Whether the device has keys that are lost is not known, so it is not given others.
    std::fs::remove_dir_all(edge.bench.disk.path().join("matrix/store")).unwrap();
    edge.proxy.fail_next("POST */keys/query*", 1, Fault::before(Answer::Nonsense));
    let problem = edge.run(&token).failed().await;
    assert!(problem.contains("cannot ask for the keys of our device"), "{problem}");
    let problem = edge.run(&token).failed().await;
    assert!(problem.contains("make a new token"), "{problem}");
}

/// The homeserver says how long, so it is not asked again before.
#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_is_asked_to_wait_waits() {
    let edge = Edge::new().await;
    let (run, room) = edge.ready().await;
    edge.proxy.fail_next("GET */sync*", 1, Fault::before(Answer::TooMany(Some(4))));
    edge.bench.ann.say(&room, "before").await;
    run.said("before").await;
    run.had_a_problem().await;
    run.caught_up().await;
    let polls = edge.proxy.calls_of("GET */sync*");
    let failed = polls.iter().position(|call| matches!(call.outcome, Outcome::Failed { .. })).unwrap();
    let pause = polls[failed + 1].at - polls[failed].at;
    assert!(pause >= Duration::from_secs(4), "asked again after {pause:?}");
    run.stop().await;
}
