use std::time::Duration;

use frontdesk::store::{RowNumber, Verb};
use frontdesk::tools::{Answer, Done, Request, RowLine, Waits};
use frontdesk_core::SendError;
use insta::assert_snapshot;

use crate::{
    fake::Fault,
    world::{MONDAY, World},
};

fn rows(answers: &[Answer]) -> Vec<RowLine> {
    let row = |answer: &Answer| match answer {
        Answer::Row(row) => Some(row.clone()),
        Answer::Done(Done::Listed { more: false }) => None,
        other => panic!("{other:?}"),
    };
    answers.iter().filter_map(row).collect()
}

async fn waiting(world: &World) -> Vec<RowLine> {
    rows(&world.tool(Request::Rows { limit: 100 }).await)
}

/// Anna's answer waits, because the messenger is away.
async fn stuck(world: &World) -> RowNumber {
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    for _ in 0..8 {
        world.shop.fail_next(Fault::Before(SendError::Transient("away".into())));
    }
    world.answers("ann", "Anna", "Rye is ready.").await;
    world.secs(60).await;
    waiting(world).await.first().expect("an answer waits").row
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_listed_with_the_reason_and_goes_out_at_once_when_asked_to() {
    let world = World::at(MONDAY).await;
    let row = stuck(&world).await;
    world.answers("ann", "Anna", "And so is the cake.").await;
    let lines = waiting(&world).await;
    let told: Vec<_> = lines.iter().map(|it| (it.to.as_str(), it.verb, it.text.as_str())).collect();
    let to = "Anna on telegram.shop";
    assert_eq!(told, [(to, Verb::Post, "Rye is ready."), (to, Verb::Post, "And so is the cake.")]);
    assert!(lines[0].attempts >= 4, "{lines:?}");
    assert!(matches!(lines[0].waits, Waits::Until { at } if at > world.now()), "{lines:?}");
    assert_eq!(lines[1].waits, Waits::Behind { row });

    world.shop.heal();
    // The later one is asked for: what stands before it goes first.
    let answers = world.tool(Request::Retry { row: Some(lines[1].row), again: false }).await;
    assert_eq!(answers, [Answer::Done(Done::Retried { rows: 1 })]);
    world.settle().await;
    assert_snapshot!(world.chat("Anna").lines().skip(2).collect::<Vec<_>>().join("\n"), @"
    frontdesk: Rye is ready.
    frontdesk: And so is the cake.
    ");
    assert_eq!(waiting(&world).await, []);
    let again = world.tool(Request::Retry { row: Some(row), again: false }).await;
    assert!(matches!(&again[..], [Answer::Failed(text)] if text.contains("does not wait")), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_never_sent_and_the_thread_says_so() {
    let world = World::at(MONDAY).await;
    let row = stuck(&world).await;
    world.answers("ann", "Anna", "And so is the cake.").await;
    assert_eq!(world.tool(Request::Drop { row }).await, [Answer::Done(Done::Dropped)]);
    world.shop.heal();
    world.secs(120).await;
    assert_snapshot!(world.chat("Anna").lines().skip(2).collect::<Vec<_>>().join("\n"), @"frontdesk: And so is the cake.");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
      An answer was not delivered: see the thread
        frontdesk: Anna: Hello
        notice: frontdesk: Sent automatically: Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
        ann: Rye is ready. {⚠️}
        ann: And so is the cake.
        notice: frontdesk: Not delivered: the owner took it out of the queue. (!retry sends it again.) (to @ann:example.org)
    ");

    // It is not lost: the operator can think better of it.
    world.answers("ann", "Anna", "!retry").await;
    assert!(world.chat("Anna").ends_with("frontdesk: Rye is ready.\n"), "{}", world.chat("Anna"));
}

#[tokio::test(start_paused = true)]
async fn an_automatic_text_and_a_customers_message_can_be_dropped_too() {
    let world = World::at(MONDAY).await;
    for _ in 0..20 {
        world.desk.fail_next(Fault::Before(SendError::Transient("away".into())));
        world.shop.fail_next(Fault::Before(SendError::Transient("away".into())));
    }
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    let lines = waiting(&world).await;
    for line in lines.iter().filter(|line| line.to == "Anna on telegram.shop" || line.text.starts_with("Anna: ")) {
        assert_eq!(world.tool(Request::Drop { row: line.row }).await, [Answer::Done(Done::Dropped)]);
    }
    world.desk.heal();
    world.shop.heal();
    world.secs(120).await;
    world.answers("ann", "Anna", "!why").await;
    assert_snapshot!(world.chat("Anna"), @"Anna: Hello");
    assert_snapshot!(world.room(), @"
    notice: frontdesk: Anna · telegram.shop · new
      Waiting since Mon 23 Nov, 10:00
        notice: frontdesk: Not shown here: the owner took it out of the queue. It began: Hello
        notice: frontdesk: Not sent automatically: the owner took it out of the queue.
        ann: !why
        notice: frontdesk: Mon 23 Nov, 10:00: first acknowledgement: not sent: the owner took it out of the queue
          Mon 23 Nov, 10:00: first acknowledgement: sent
    ");
}

#[tokio::test(start_paused = true)]
async fn what_a_kill_interrupted_is_sent_again_only_with_a_clear_word() {
    let mut world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    world.shop.fail_next(Fault::Silence);
    world.answers("ann", "Anna", "Rye is ready.").await;
    world.kill().await;

    let lines = rows(&world.tool_alone(Request::Rows { limit: 100 }).await);
    let row = lines[0].row;
    assert_eq!(lines[0].waits, Waits::Interrupted);
    let refused = world.tool_alone(Request::Retry { row: Some(row), again: false }).await;
    assert!(matches!(&refused[..], [Answer::Failed(text)] if text.contains("add --again")), "{refused:?}");
    let done = world.tool_alone(Request::Retry { row: Some(row), again: true }).await;
    assert_eq!(done, [Answer::Done(Done::Retried { rows: 1 })]);
    world.start().await;
    world.secs(10).await;
    assert_eq!(world.chat("Anna").matches("frontdesk: Rye is ready.").count(), 1);

    world.shop.fail_next(Fault::Silence);
    world.answers("ann", "Anna", "The cake too.").await;
    world.kill().await;
    let row = rows(&world.tool_alone(Request::Rows { limit: 100 }).await)[0].row;
    assert_eq!(world.tool_alone(Request::Drop { row }).await, [Answer::Done(Done::Dropped)]);
    world.start().await;
    world.secs(10).await;
    // Nobody can say that it did not arrive.
    let said = "Perhaps not delivered: the program was stopped in the middle of sending, and the owner took it out";
    assert!(world.room().contains(said), "{}", world.room());
}

#[tokio::test(start_paused = true)]
async fn a_wish_about_a_row_that_is_being_sent_comes_too_late() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    world.shop.fail_next(Fault::Silence);
    world.answers("ann", "Anna", "Rye is ready.").await;
    let lines = waiting(&world).await;
    assert_eq!(lines[0].waits, Waits::Sending);
    let row = lines[0].row;
    for request in [Request::Drop { row }, Request::Retry { row: Some(row), again: true }] {
        let refused = world.tool(request).await;
        assert!(matches!(&refused[..], [Answer::Failed(text)] if text.contains("being sent")), "{refused:?}");
    }
    // What stands behind it can be dropped meanwhile.
    world.answers("ann", "Anna", "The cake too.").await;
    let behind = waiting(&world).await[1].row;
    assert_eq!(world.tool(Request::Drop { row: behind }).await, [Answer::Done(Done::Dropped)]);
    world.passes(Duration::from_secs(200)).await;
    assert!(!world.chat("Anna").contains("cake"), "{}", world.chat("Anna"));
    world.answers("ann", "Anna", "Anything else?").await;
    assert!(world.chat("Anna").ends_with("frontdesk: Anything else?\n"), "{}", world.chat("Anna"));
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_asked_for_patience_gets_it_even_when_the_owner_has_none() {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world.secs(30).await;
    world.shop.fail_next(Fault::Before(SendError::RetryAfter { after: Duration::from_secs(300), bucket: None }));
    world.answers("ann", "Anna", "Rye is ready.").await;
    let done = world.tool(Request::Retry { row: None, again: false }).await;
    assert_eq!(done, [Answer::Done(Done::Retried { rows: 1 })]);
    world.secs(60).await;
    assert!(!world.chat("Anna").contains("Rye"));
    world.secs(300).await;
    assert_eq!(world.chat("Anna").matches("frontdesk: Rye is ready.").count(), 1);
}
