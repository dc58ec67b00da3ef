//! A shop whose program reaches both platforms through a road with a clock.

use std::{fs, time::Duration};

use crate::{
    bench::tap::Tap,
    program::{PATIENCE, Shop},
    synapse::Synapse,
};

/// More than the pace of one chat (one message a second) needs at 20 messages/s.
pub const CUSTOMERS: usize = 50;

pub struct Rig {
    pub shop: Shop,
    pub telegram: Tap,
    pub matrix: Tap,
    pub room: String,
    /// The cards of the customers, whose ids count from 1.
    pub threads: Vec<String>,
}

impl Rig {
    /// Running, with the operator in the room.
    pub async fn new() -> Self {
        let mut shop = Shop::new().await;
        let telegram = Tap::before(shop.telegram.url()).await;
        let matrix = Tap::before(&Synapse::shared().await.url()).await;
        let config = shop.folder.path().join("frontdesk.toml");
        let text = fs::read_to_string(&config).unwrap();
        let text = text.replace(shop.telegram.url(), telegram.url());
        fs::write(&config, text.replace(&Synapse::shared().await.url(), matrix.url())).unwrap();
        shop.up().await;
        let room = shop.room().await;
        Self { shop, telegram, matrix, room, threads: Vec::new() }
    }

    /// With customers that have written before and have been greeted; all is quiet.
    pub async fn with_customers() -> Self {
        let mut rig = Self::new().await;
        for id in 1..=CUSTOMERS {
            rig.shop.telegram.user(customer(id), &name(id), Some("en"));
            rig.shop.telegram.says(customer(id), "Hello");
        }
        for id in 1..=CUSTOMERS {
            rig.threads.push(rig.shop.thread(&rig.room, &name(id)).await);
            rig.shop.telegram.wait_received(customer(id), 1, PATIENCE).await;
        }
        rig.quiet().await;
        rig
    }

    /// Until nothing has been sent for two seconds.
    pub async fn quiet(&self) {
        let sends = || self.matrix.count("PUT ") + self.telegram.count("POST ");
        let mut before = sends();
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let now = sends();
            if now == before {
                return;
            }
            before = now;
        }
    }
}

pub fn customer(id: usize) -> i64 {
    i64::try_from(id).unwrap() + 1000
}

/// Of letters, so that no name begins as another.
pub fn name(id: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("Customer{}{}", letter(id / 26), letter(id))
}
