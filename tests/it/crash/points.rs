//! A kill at each named point of the code.
#![cfg(debug_assertions)]

use std::{cell::Cell, time::Duration};

use fastrand::Rng;
use frontdesk::kill::Point;
use futures::future::join_all;

use super::{Count, Customer, Run, Traffic, number, report, traffic::NOT_THESE};
use crate::{
    fault::{Answer, Fault},
    graph::Manner,
    operator::NewRoom,
    program::Shop,
};

/// Of each customer, and as many answers.
const MESSAGES: usize = 8;
const REACHED: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(300);

/// What has to happen for the program to pass a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Play {
    /// Questions and answers.
    Talk,
    /// An answer that is edited before it has gone out.
    SecondThoughts,
    /// The platform asks for patience.
    Patience,
    /// The platform does not know the account for a while.
    Refused,
    /// The desk moves to another room.
    OtherRoom,
    /// The customer's chat gets another id.
    OtherChat,
}

fn play(point: Point) -> Play {
    match point {
        Point::AcceptCustomerBefore
        | Point::AcceptCustomerAfter
        | Point::AcceptDeskBefore
        | Point::AcceptDeskAfter
        | Point::DispatchBefore
        | Point::DispatchAfter
        | Point::InFlightBefore
        | Point::InFlightAfter
        | Point::SendDeskBefore
        | Point::SendDeskAfter
        | Point::SendCustomerAfter
        | Point::SettleBefore
        | Point::SettleAfter => Play::Talk,
        Point::FoldBefore | Point::FoldAfter => Play::SecondThoughts,
        Point::RequeueBefore | Point::RequeueAfter => Play::Patience,
        Point::DelayedBefore | Point::DelayedAfter => Play::Refused,
        Point::ReopenBefore | Point::ReopenAfter => Play::OtherRoom,
        Point::MovedBefore | Point::MovedAfter => Play::OtherChat,
    }
}

#[tokio::test]
async fn a_kill_at_each_point_of_a_talk_loses_and_repeats_nothing() {
    // How often a point is passed before: the more often, the more is under way.
    let times = match number("FRONTDESK_CRASHES") {
        Some(_) => 1..=4,
        None => 2..=2,
    };
    let shop = shop_with_a_room().await;
    let mut all = Count::default();
    for n in times {
        for point in Point::ALL.into_iter().filter(|point| play(*point) == Play::Talk) {
            all.add(killed(&shop, point, n).await);
        }
    }
    report("named points of a talk", &all);
}

#[tokio::test]
async fn a_kill_at_each_point_that_only_trouble_reaches_loses_and_repeats_nothing() {
    let shop = shop_with_a_room().await;
    let mut all = Count::default();
    for point in Point::ALL.into_iter().filter(|point| play(*point) != Play::Talk) {
        let count = match play(point) {
            // It changes the shop for good.
            Play::OtherRoom => killed(&shop_with_a_room().await, point, 1).await,
            Play::Talk | Play::SecondThoughts | Play::Patience | Play::Refused | Play::OtherChat => {
                killed(&shop, point, 1).await
            }
        };
        all.add(count);
    }
    report("named points in trouble", &all);
}

/// The same for customers on WhatsApp, whose webhooks come twice and in disorder.
#[tokio::test]
async fn a_kill_at_each_point_of_a_talk_on_whatsapp_loses_and_repeats_nothing() {
    let shop = Shop::with_whatsapp().await;
    shop.graph().brings(Manner::Stormy(Rng::with_seed(3)));
    Run::ready(&shop).await.kill();
    let mut all = Count::default();
    for point in Point::ALL.into_iter().filter(|point| play(*point) == Play::Talk) {
        let first = point as i64 * 3;
        all.add(killed_among(&shop, point, 2, &Customer::on_whatsapp(first..first + 3)).await);
    }
    report("named points of a talk on WhatsApp", &all);
}

async fn shop_with_a_room() -> Shop {
    let shop = Shop::new().await;
    Run::ready(&shop).await.kill();
    shop
}

/// Customers who have not been in the shop for another point.
fn crowd(point: Point, n: u32) -> Vec<Customer> {
    let first = (i64::from(n) * 100 + point as i64) * 3;
    Customer::several(first..first + 3)
}

async fn killed(shop: &Shop, point: Point, n: u32) -> Count {
    killed_among(shop, point, n, &crowd(point, n)).await
}

/// Plays until the program dies at the point, starts it again, and counts.
async fn killed_among(shop: &Shop, point: Point, n: u32, customers: &[Customer]) -> Count {
    let traffic = Traffic::new(shop, customers);
    let play = play(point);
    traffic.room().await;
    // Before the trouble begins, everybody has a thread and an answer.
    if play != Play::Talk {
        let run = Run::ready(shop).await;
        for customer in customers {
            traffic.asks(customer);
            traffic.answers(customer).await;
        }
        traffic.settled(PATIENCE).await.assert_right();
        run.kill();
        trouble(shop, &traffic, play).await;
    }
    let (mut run, dead) = (Run::doomed(shop, point, n), Cell::new(play != Play::Talk));
    let messages = Cell::new(MESSAGES);
    let talks = customers.iter().map(|customer| traffic.talk(customer, Rng::with_seed(1), &messages, &dead));
    let dies = async {
        run.dies(point, REACHED).await;
        dead.set(true);
    };
    tokio::join!(join_all(talks), dies);
    shop.telegram.heal();
    let run = Run::start(shop);
    let count = traffic.accounts(PATIENCE).await;
    let sent = shop.telegram.calls_of("sendMessage");
    assert!(sent.iter().all(|call| call.words().1 != NOT_THESE), "an old wording went out first");
    report(&format!("{}, time {n}", point.name()), &count);
    run.kill();
    count
}

/// What waits for the program when it starts.
async fn trouble(shop: &Shop, traffic: &Traffic<'_>, play: Play) {
    let fault = |answer| shop.telegram.fail_share("sendMessage", 100, &[Fault::before(answer)], 1);
    for customer in &traffic.customers() {
        match play {
            Play::Talk => {}
            Play::SecondThoughts => traffic.answers_and_edits(customer).await,
            Play::Patience | Play::Refused => drop(traffic.answers(customer).await),
            Play::OtherRoom => traffic.asks(customer),
            Play::OtherChat => {
                let chat = -1000 - customer.id;
                shop.telegram.migrates(customer.id, chat);
                traffic.chat_moved(customer, chat);
                traffic.answers(customer).await;
            }
        }
    }
    match play {
        Play::Patience => fault(Answer::TooMany(Some(1))),
        Play::Refused => fault(Answer::Error(401)),
        Play::OtherRoom => other_room(shop, traffic).await,
        Play::Talk | Play::SecondThoughts | Play::OtherChat => {}
    }
}

/// The owner writes another room into the config.
async fn other_room(shop: &Shop, traffic: &Traffic<'_>) {
    let old = traffic.room().await;
    let members = shop.ann.members(&old).await;
    let bot = members.keys().find(|user| *user != shop.ann.user_id()).expect("the program is in its room");
    let room = shop.ann.create_room(NewRoom { invite: vec![bot.clone()], ..NewRoom::default() }).await;
    let file = shop.folder.path().join("frontdesk.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let lines = config.lines().map(|line| match line.trim_start().starts_with("room = ") {
        true => format!("room = \"{room}\"\n"),
        false => format!("{line}\n"),
    });
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    traffic.moves_to(&room);
}
