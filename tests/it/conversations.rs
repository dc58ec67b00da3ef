//! Conversations as tests: what is written on one side, and what both sides see of it.

mod answering;
mod automatic;
mod blocking;
mod commands;
mod expiry;
mod failures;
mod files;
mod folding;
mod greeting;
mod hours;
mod languages;
mod marks;
mod moving;
mod outages;
mod parked;
mod restarts;
mod slashes;
mod storm;
mod threads;
mod timers;
mod uncertain;
mod unreadable;
mod waiting;

use crate::world::World;

const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";

/// Anna has asked, on a Monday at ten.
async fn asked() -> World {
    let world = World::at(MONDAY).await;
    world.says("Anna", "Hello").await;
    world
}

/// She has asked, and got her acknowledgement.
async fn greeted() -> World {
    let world = asked().await;
    world.secs(30).await;
    world
}
