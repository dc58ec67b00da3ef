//! Faults around the whole program: who suffers them, who goes on, and that each message is accounted for.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    botapi::{Answer, Fault},
    fault::EVERY,
    program::Shop,
    proxy::Proxy,
    synapse::Synapse,
};

/// Long: a failed call of Telegram takes ten seconds by itself, and here many fail.
const ENDURANCE: Duration = Duration::from_secs(300);

/// The shop, its homeserver behind a proxy, and its customers with their threads.
struct Street {
    shop: Shop,
    proxy: Proxy,
    room: String,
    threads: BTreeMap<i64, String>,
}

impl Street {
    /// Each of the guests, from 1 on, has asked something, and it stands in the room.
    async fn with_guests(guests: i64) -> Self {
        let proxy = Proxy::before(&Synapse::shared().await.url()).await;
        let mut shop = Shop::reaching(proxy.url(), "").await;
        shop.up().await;
        let room = shop.room().await;
        for guest in 1..=guests {
            shop.telegram.user(guest, &name(guest), Some("en"));
            shop.telegram.says(guest, &question(guest, 0));
        }
        let mut threads = BTreeMap::new();
        for guest in 1..=guests {
            threads.insert(guest, shop.thread(&room, &name(guest)).await);
        }
        let street = Self { shop, proxy, room, threads };
        for guest in 1..=guests {
            street.asked(guest, 0).await;
        }
        street
    }

    fn asks(&self, guest: i64, number: usize) {
        self.shop.telegram.says(guest, &question(guest, number));
    }

    async fn answers(&self, guest: i64, number: usize) -> String {
        self.shop.ann.say_in_thread(&self.room, &self.threads[&guest], &answer(guest, number)).await
    }

    /// Until the question is in the room.
    async fn asked(&self, guest: i64, number: usize) {
        self.shop.ann.wait_for_text(&self.room, &question(guest, number), ENDURANCE).await;
    }

    /// Until the guest has this many answers.
    async fn answered(&self, guest: i64, count: usize) {
        self.until(&format!("{count} answers for {}", name(guest)), || self.received(guest).len() >= count).await;
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + ENDURANCE;
        while !holds() {
            assert!(Instant::now() < deadline, "never: {what}\n{}", self.shop.ann.transcript(&self.room));
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// The answers that the guest sees, in order.
    fn received(&self, guest: i64) -> Vec<String> {
        let texts = self.shop.telegram.received(guest).into_iter().map(|sent| sent.text);
        texts.filter(|text| text.starts_with("For ")).collect()
    }

    /// The questions of the guest that are in the room, in order.
    fn in_the_room(&self, guest: i64) -> Vec<String> {
        let theirs = format!("{} asks ", name(guest));
        let timeline = self.shop.ann.timeline(&self.room);
        let there =
            timeline.iter().filter(|event| event.thread_root().is_some_and(|root| root == self.threads[&guest]));
        there.filter_map(|event| event.body().find(&theirs).map(|at| event.body()[at..].to_owned())).collect()
    }

    /// Whether the operator's message bears the mark of one that was, perhaps, not delivered.
    fn is_marked(&self, event: &str) -> bool {
        let timeline = self.shop.ann.timeline(&self.room);
        let marks = timeline.iter().filter(|it| it.kind == "m.reaction" && it.content["m.relates_to"]["key"] == "⚠️");
        marks.into_iter().any(|mark| mark.content["m.relates_to"]["event_id"] == event)
    }
}

fn name(guest: i64) -> String {
    format!("Guest {guest}")
}

fn question(guest: i64, number: usize) -> String {
    format!("{} asks {number};", name(guest))
}

fn answer(guest: i64, number: usize) -> String {
    format!("For {} {number};", name(guest))
}

/// Of 23 chats one is asked to wait, one only fails, and one meets silence, for the whole 30 seconds. All others are
/// served before any of the three gets a word, and then each of these has what it should.
#[tokio::test]
async fn chats_that_suffer_hold_up_nobody() {
    const WAITS: i64 = 1;
    const FAILS: i64 = 2;
    const SILENT: i64 = 3;
    let street = Street::with_guests(23).await;
    street.shop.telegram.fail_when(|method, params| {
        let answers = method == "sendMessage" && params["text"].as_str().is_some_and(|text| text.starts_with("For "));
        let answer = match params["chat_id"].as_i64().filter(|_| answers)? {
            WAITS => Answer::TooMany(Some(2)),
            FAILS => Answer::Error(500),
            SILENT => Answer::Silence(Duration::from_secs(30)),
            _ => return None,
        };
        Some(Fault::before(answer))
    });
    let mut said = BTreeMap::new();
    for number in 1..=2 {
        for guest in street.threads.keys() {
            said.insert((*guest, number), street.answers(*guest, number).await);
        }
    }
    // Also what the three ask themselves comes through.
    street.threads.keys().for_each(|guest| street.asks(*guest, 1));
    for guest in street.threads.keys() {
        street.asked(*guest, 1).await;
    }
    for guest in 4..=23 {
        street.answered(guest, 2).await;
        assert_eq!(street.received(guest), [answer(guest, 1), answer(guest, 2)]);
    }
    for guest in [WAITS, FAILS, SILENT] {
        assert_eq!(street.received(guest), [""; 0], "the others were served while this one still suffered");
    }
    street.shop.telegram.heal();

    street.answered(WAITS, 2).await;
    assert_eq!(street.received(WAITS), [answer(WAITS, 1), answer(WAITS, 2)]);
    for guest in [FAILS, SILENT] {
        let first = &said[&(guest, 1)];
        street.until("a mark under the first answer", || street.is_marked(first)).await;
        // The second one may have failed before the healing as well.
        let second = &said[&(guest, 2)];
        street.until("an end of the second", || street.is_marked(second) || street.received(guest).len() == 1).await;
        street.shop.ann.say_in_thread(&street.room, &street.threads[&guest], "!retry").await;
        street.answered(guest, 2).await;
        let mut received = street.received(guest);
        received.sort();
        assert_eq!(received, [answer(guest, 1), answer(guest, 2)], "each once");
    }
}

/// The same at the desk: the homeserver is silent about one thread and then takes nothing for it, and the other threads
/// go on.
#[tokio::test]
async fn a_thread_that_suffers_holds_up_no_other() {
    let street = Street::with_guests(21).await;
    let thread = street.threads[&1].clone();
    let mut faults =
        std::iter::once(Answer::Silence(Duration::from_secs(30))).chain(std::iter::repeat(Answer::Error(500)));
    street.proxy.fail_when(move |call, body| {
        let into_it = call.starts_with("PUT ") && body["m.relates_to"]["event_id"] == thread.as_str();
        if into_it { faults.next().map(Fault::before) } else { None }
    });
    for number in 1..=2 {
        street.threads.keys().for_each(|guest| street.asks(*guest, number));
    }
    for guest in 2..=21 {
        for number in 1..=2 {
            street.asked(guest, number).await;
        }
        street.answers(guest, 1).await;
        street.answered(guest, 1).await;
    }
    assert_eq!(street.in_the_room(1), [question(1, 0)], "the others were served while this one still suffered");
    // What the operator answers there is not held up either.
    street.answers(1, 1).await;
    street.answered(1, 1).await;
    street.proxy.heal();

    street.asked(1, 2).await;
    for guest in street.threads.keys() {
        assert_eq!(street.in_the_room(*guest), [question(*guest, 0), question(*guest, 1), question(*guest, 2)]);
        assert_eq!(street.received(*guest), [answer(*guest, 1)]);
    }
}

/// What one side says is taken and kept while nothing comes of the other, and goes out by itself afterwards.
#[tokio::test]
async fn each_side_goes_on_while_the_other_fails() {
    let street = Street::with_guests(2).await;
    street.proxy.fail_when(|_, _| Some(Fault::before(Answer::Html(502))));
    street.asks(1, 1);
    street.shop.telegram.wait_confirmed(ENDURANCE).await;
    street.proxy.heal();
    street.asked(1, 1).await;

    street.shop.telegram.fail_when(|_, _| Some(Fault::before(Answer::TooMany(Some(1)))));
    street.answers(1, 1).await;
    street.shop.ann.say_in_thread(&street.room, &street.threads[&2], "!help").await;
    street.shop.ann.wait_for_text(&street.room, "!retry", ENDURANCE).await;
    assert_eq!(street.received(1), [""; 0]);
    street.shop.telegram.heal();
    street.answered(1, 1).await;
    assert_eq!(street.in_the_room(1), [question(1, 0), question(1, 1)]);
    assert_eq!(street.received(1), [answer(1, 1)]);
}

/// A fifth of all calls fails, to the homeserver and to Telegram, whatever they are for and in every way. Each
/// question is in the room once, each answer arrives once or is put before the operator, and all keep their order.
#[tokio::test]
async fn everything_is_accounted_for_when_a_fifth_of_all_calls_fails() {
    const ROUNDS: usize = 5;
    let street = Street::with_guests(6).await;
    let mut faults: Vec<_> = EVERY.iter().map(|answer| Fault::before(*answer)).collect();
    // Who is refused in so many words and gets it all the same cannot know.
    let lies = |answer: &Answer| matches!(answer, Answer::TooMany(_));
    faults.extend(EVERY.iter().filter(|answer| !lies(answer)).map(|answer| Fault::after(*answer)));
    street.proxy.fail_share("*", 20, &faults, 7);
    street.shop.telegram.fail_share("*", 20, &faults, 7);
    let mut said = BTreeMap::new();
    for round in 1..=ROUNDS {
        for guest in street.threads.keys() {
            street.asks(*guest, round);
            said.insert((*guest, round), street.answers(*guest, round).await);
        }
        for guest in street.threads.keys() {
            street.asked(*guest, round).await;
        }
    }
    let settled = || {
        said.iter().all(|((guest, round), event)| {
            street.received(*guest).contains(&answer(*guest, *round)) || street.is_marked(event)
        })
    };
    street.until("each answer has arrived or is marked", settled).await;
    let failed = street.shop.telegram.calls().iter().filter(|call| !call.carried_out()).count();
    assert!(failed > 5, "only {failed} calls failed");
    street.shop.telegram.heal();
    street.proxy.heal();

    for guest in street.threads.keys() {
        let asked: Vec<_> = (0..=ROUNDS).map(|round| question(*guest, round)).collect();
        assert_eq!(street.in_the_room(*guest), asked);
        let received = street.received(*guest);
        let mut ordered = received.clone();
        ordered.sort();
        ordered.dedup();
        assert_eq!(received, ordered, "repeated, or not in order");
        assert!(received.iter().all(|text| text.starts_with(&format!("For {} ", name(*guest)))), "{received:?}");
    }
    street.shop.telegram.assert_official();
    // It is well again.
    street.asks(1, 9);
    street.asked(1, 9).await;
    let (status, _) = street.shop.get("/healthz").await.expect("it runs");
    assert_eq!(status, 200);
}
