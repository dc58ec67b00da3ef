//! What a platform says later about what we sent.

use frontdesk::{
    dispatcher,
    store::{Case, Fact, InboxRow, InboxSeq},
};
use frontdesk_core::{DeliveryState, Event, OutboxKey};
use insta::assert_snapshot;

use super::windowed;
use crate::{
    fake::{Fault, Finds},
    world::{OTHER, World},
};

const ALL: [DeliveryState; 3] = [DeliveryState::Sent, DeliveryState::Delivered, DeliveryState::Read];

async fn answered() -> World {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.secs(30).await;
    world.answers("ann", "Anna", "Yes").await;
    world
}

#[tokio::test(start_paused = true)]
async fn the_card_shows_what_was_read_in_whatever_order_it_is_told() {
    let orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]];
    for order in orders {
        let world = answered().await;
        for _ in 0..2 {
            for state in order {
                world.secs(60).await;
                world.status("Anna", "Yes", ALL[state].clone()).await;
            }
        }
        let first = order.iter().position(|state| *state == 2).unwrap() + 1;
        let read = format!("Answered Mon 23 Nov, 10:00, read Mon 23 Nov, 10:0{first}");
        assert!(world.room().contains(&read), "{order:?}: {}", world.room());
        assert_eq!(world.room().matches("notice").count(), 2, "{order:?}: {}", world.room());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_latest_answer_says_nothing_about_it() {
    let world = answered().await;
    world.secs(60).await;
    world.answers("ann", "Anna", "Shall I keep one?").await;
    world.status("Anna", "Yes", DeliveryState::Read).await;
    assert!(!world.room().contains("read Mon"), "{}", world.room());
    world.status("Anna", "Shall I keep one?", DeliveryState::Read).await;
    assert!(world.room().contains("Answered Mon 23 Nov, 10:01, read Mon 23 Nov, 10:01"), "{}", world.room());
    world.answers("ann", "Anna", "Then not.").await;
    assert!(!world.room().contains("read Mon"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_once_and_not_when_it_did_arrive() {
    let world = answered().await;
    let failed = || DeliveryState::Failed { reason: "The number is not on WhatsApp any more.".into() };
    world.status("Anna", "Yes", failed()).await;
    world.status("Anna", "Yes", DeliveryState::Sent).await;
    world.status("Anna", "Yes", failed()).await;
    world.answers("ann", "Anna", "Until six").await;
    world.status("Anna", "Until six", DeliveryState::Delivered).await;
    world.status("Anna", "Until six", failed()).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes {⚠️}
        notice: frontdesk: Not delivered: The number is not on WhatsApp any more. (!retry sends it again.) (to @ann:example.org)
        ann: Until six
    ");
    world.status("Anna", "Yes", DeliveryState::Delivered).await;
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Mon 23 Nov, 10:00
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes
        notice: frontdesk: Not delivered: The number is not on WhatsApp any more. (!retry sends it again.) (to @ann:example.org)
        ann: Until six
        notice: frontdesk: It did arrive: Yes (to @ann:example.org)
    ");
}

#[tokio::test(start_paused = true)]
async fn an_uncertain_answer_that_is_proven_is_uncertain_no_more() {
    let world = answered().await;
    world.other.fail_next(Fault::AnswerLost);
    let answer = world.answers("ann", "Anna", "Until six").await;
    world.secs(60).await;
    assert!(world.room().contains("Perhaps not delivered"), "{}", world.room());
    for state in [DeliveryState::Delivered, DeliveryState::Sent, DeliveryState::Delivered] {
        world.status("Anna", "Until six", state).await;
    }
    world.answers("ann", "Anna", "!retry").await;
    // What it is called is known now: the customer can quote it.
    let (id, _) = world.other.sent("Until six");
    let quote = frontdesk_core::Message { reply_to: Some(id), ..frontdesk_core::Message::text("q-1", "Fine") };
    world.customer_sends(&world.other, "Anna", quote).await;
    let posts = world.desk.posts();
    let fine = posts.iter().find(|post| post.text == "Anna: Fine").unwrap();
    assert_eq!(fine.reply_to, Some(answer));
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @r#"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Yes
    frontdesk: Until six
    Anna: (reply to "Until six") Fine
    "#);
    assert_snapshot!(world.room(), @r#"
    notice: frontdesk: Anna · whatsapp.shop · new
      Waiting since Mon 23 Nov, 10:01
      Answer until Tue 24 Nov, 10:01
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes
        ann: Until six
        notice: frontdesk: Perhaps not delivered: the answer was lost. If the customer does not react, !retry sends it again; it may then reach them twice. (to @ann:example.org)
        notice: frontdesk: It did arrive: Until six (to @ann:example.org)
        ann: !retry
        notice: frontdesk: Nothing waits to be sent again here.
        frontdesk: (reply to "Until six") Anna: Fine
    "#);
}

/// The key of the row that is being sent: rows are numbered from 1, and the desk's are among them.
async fn key_in_flight(world: &World) -> OutboxKey {
    let (_, earlier) = world.other.sent("Yes");
    let answers = world.tool(frontdesk::tools::Request::Rows { limit: 10 }).await;
    let mut rows = answers.iter().filter_map(|answer| match answer {
        frontdesk::tools::Answer::Row(row) if row.text == "Until six" => Some(row.row.0),
        _ => None,
    });
    OutboxKey { instance: earlier.instance, number: rows.next_back().expect("it is being sent") }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_faster_than_the_answer_of_the_send_settles_it() {
    let world = answered().await;
    world.other.fail_next(Fault::DoneInSilence);
    world.answers("ann", "Anna", "Until six").await;
    let key = Some(key_in_flight(&world).await);
    for state in [DeliveryState::Read, DeliveryState::Sent] {
        world.other.arrives(world.customer(&world.other, "Anna", Event::Status { key, id: Some("w-1".into()), state }));
    }
    world.secs(200).await;
    world.answers("ann", "Anna", "Anything else?").await;
    world.secs(1).await;
    assert_snapshot!(World::chat_on(&world.other, "Anna"), @"
    Anna: Do you have rye bread?
    frontdesk: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    frontdesk: Yes
    frontdesk: Until six
    frontdesk: Anything else?
    ");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · whatsapp.shop · new
      Answered Mon 23 Nov, 10:03
      Answer until Tue 24 Nov, 10:00
        frontdesk: Anna: Do you have rye bread?
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Yes
        ann: Until six
        ann: Anything else?
    ");
}

#[tokio::test(start_paused = true)]
async fn what_a_kill_interrupted_is_not_in_doubt_when_its_report_is_in_the_inbox() {
    // One platform can be waited for, as WhatsApp for its report; of the other one nothing can be found.
    for (state, finds) in [(DeliveryState::Sent, Finds::Silence), (DeliveryState::Read, Finds::Nothing)] {
        let mut world = answered().await;
        world.other.finds(finds);
        world.other.fail_next(Fault::DoneInSilence);
        world.answers("ann", "Anna", "Until six").await;
        let key = Some(key_in_flight(&world).await);
        world.kill().await;
        world.other.arrives(world.customer(&world.other, "Anna", Event::Status { key, id: Some("w-1".into()), state }));
        world.start().await;
        world.secs(120).await;
        assert_eq!(World::chat_on(&world.other, "Anna").matches("frontdesk: Until six").count(), 1);
        let [doubted, proven] =
            ["Perhaps not delivered", "It did arrive: Until six"].map(|it| world.room().matches(it).count());
        // Whichever comes first, the look that finds nothing or the report: what was doubted is then proven.
        assert_eq!(doubted, proven, "{}", world.room());
        assert!(doubted == 0 || matches!(finds, Finds::Nothing), "{}", world.room());
        assert!(!world.room().contains("An answer was not delivered"), "{}", world.room());
    }
}

/// What waited is being sent since Anna wrote again, and the answer of that call does not come.
async fn released_in_silence() -> World {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    world.hours(25).await;
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.other.fail_next(Fault::DoneInSilence);
    world.says_on(&world.other, "Anna", "Hello?").await;
    assert!(World::chat_on(&world.other, "Anna").contains("until six"));
    world
}

#[tokio::test(start_paused = true)]
async fn what_waited_does_so_no_more_when_only_the_platforms_report_shows_that_it_went_out() {
    let world = released_in_silence().await;
    world.status("Anna", "Yes, until six.", DeliveryState::Delivered).await;
    let room = world.room();
    assert!(!room.contains("An answer waits"), "{room}");
    assert_eq!(room.matches("They have written again, so this was sent now: Yes, until six.").count(), 1, "{room}");
    assert_eq!(World::chat_on(&world.other, "Anna").matches("until six").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_waited_and_bounced_while_it_was_being_sent_is_not_lost() {
    let world = released_in_silence().await;
    world.status("Anna", "Yes, until six.", DeliveryState::WindowClosed).await;
    // The call that has no end ends some time.
    world.secs(200).await;
    assert_eq!(World::chat_on(&world.other, "Anna").matches("until six").count(), 2, "{}", world.room());
    assert!(!world.room().contains("An answer waits"), "{}", world.room());
    assert!(!world.room().contains("so this was sent now"), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn what_goes_out_again_by_itself_is_nothing_to_retry() {
    let world = answered().await;
    world.other.fail_next(Fault::AnswerLost);
    world.answers("ann", "Anna", "Yes, until six.").await;
    world.secs(60).await;
    assert!(world.room().contains("Perhaps not delivered"), "{}", world.room());
    world.status("Anna", "Yes, until six.", DeliveryState::WindowClosed).await;
    assert!(!world.room().contains("⚠️"), "{}", world.room());
    assert!(!world.room().contains("An answer was not delivered"), "{}", world.room());
    world.answers("ann", "Anna", "!retry").await;
    world.says_on(&world.other, "Anna", "Hello?").await;
    let chat = World::chat_on(&world.other, "Anna");
    assert_eq!(chat.matches("until six").count(), 2, "{chat}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_told_before_our_own_outcome_is_judged_after_it() {
    let world = windowed().await;
    let event = Event::Status { key: None, id: Some("w-1".into()), state: DeliveryState::WindowClosed };
    let fact = Fact::Inbound { channel: OTHER.into(), inbound: world.customer(&world.other, "Anna", event) };
    let row = InboxRow { seq: InboxSeq(1), at: world.now(), fact, parked_since: None };
    let parks = |outcome_follows| {
        let case = Case { outcome_follows, ..Case::default() };
        dispatcher::decide(&world.policy, case, &row, world.now()).park
    };
    assert_eq!([true, false].map(parks), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn of_a_long_answer_each_piece_is_known_by_itself() {
    let world = answered().await;
    let [first, second] = ["Rye, wheat, spelt and rolls. ".repeat(6), "Also cakes, pies and tarts. ".repeat(5)];
    let [first, second] = [first.trim(), second.trim()];
    world.other.fail_next(Fault::AnswerLost);
    world.answers("ann", "Anna", &format!("{first} {second}")).await;
    world.secs(60).await;
    world.status("Anna", second, DeliveryState::Read).await;
    assert!(world.room().contains("An answer was not delivered"), "{}", world.room());
    world.status("Anna", first, DeliveryState::Delivered).await;
    assert!(!world.room().contains("An answer was not delivered"), "{}", world.room());
    world.status("Anna", second, DeliveryState::Failed { reason: "Their phone is full.".into() }).await;
    world.answers("ann", "Anna", "!retry").await;
    let chat = World::chat_on(&world.other, "Anna");
    assert_eq!((chat.matches(first).count(), chat.matches(second).count()), (1, 2), "{chat}");
}

#[tokio::test(start_paused = true)]
async fn the_customer_sees_that_we_have_read_when_the_first_answer_has_gone_out() {
    let world = windowed().await;
    world.says_on(&world.other, "Anna", "Do you have rye bread?").await;
    let last = world.says_on(&world.other, "Anna", "Or wheat?").await;
    world.secs(600).await;
    assert!(world.other.signals().is_empty(), "nobody has read it");
    world.answers("ann", "Anna", "Yes").await;
    world.answers("ann", "Anna", "Both").await;
    assert_eq!(world.other.signals(), [format!("{:?}", frontdesk_core::Signal::Seen(last))]);
}
