//! Conversations as tests: what is written on one side, and what both sides see of it.

mod alarms;
mod answering;
mod automatic;
mod blocking;
mod commands;
mod deliveries;
mod echoes;
mod expiry;
mod failures;
mod folding;
mod greeting;
mod hours;
mod languages;
mod marks;
mod moving;
mod numbers;
mod outages;
mod parked;
mod restarts;
mod slashes;
mod storm;
mod templates;
mod threads;
mod timers;
mod uncertain;
mod unreadable;
mod waiting;
mod window;
mod writing;

use crate::world::World;

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

/// Anna has asked, on a Monday at ten.
async fn asked() -> World {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world
}

const TEMPLATES: [(&str, &str, &str); 3] = [
    ("cake_ready", "en", "Dear {{1}}, your {{2}} is ready."),
    ("cake_ready", "de", "Guten Tag {{1}}, {{2}} ist fertig."),
    ("holidays", "en_US", "We are back on Monday."),
];

/// A Monday at ten; the second messenger takes answers for a day after the customer's last message.
async fn windowed() -> World {
    let mut world = World::at(MONDAY).await;
    world.other.has_window(std::time::Duration::from_secs(24 * 3600), &TEMPLATES);
    world.restart().await;
    world
}

/// She has asked, and got her acknowledgement.
async fn greeted() -> World {
    let world = asked().await;
    world.secs(30).await;
    world
}
