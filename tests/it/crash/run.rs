//! The program as a process that dies.

use std::{
    os::unix::process::ExitStatusExt,
    process::Child,
    time::{Duration, Instant},
};

use frontdesk::kill::Point;
use tokio::time::sleep;

use crate::program::Shop;

/// Killed at the latest when it is dropped.
pub struct Run(Child);

impl Run {
    pub fn start(shop: &Shop) -> Self {
        Self(shop.command().spawn().unwrap())
    }

    /// Dies when it passes the point for the n-th time.
    pub fn doomed(shop: &Shop, point: Point, n: u32) -> Self {
        Self(shop.command().env("FRONTDESK_KILL", format!("{}:{n}", point.name())).spawn().unwrap())
    }

    pub async fn ready(shop: &Shop) -> Self {
        let run = Self::start(shop);
        shop.ready().await;
        run
    }

    /// With SIGKILL, wherever it is.
    pub fn kill(self) {
        drop(self);
    }

    pub fn has_died(&mut self) -> bool {
        let Some(status) = self.0.try_wait().unwrap() else { return false };
        assert_eq!(status.code(), None, "it ended by itself: {status}");
        assert!(status.signal().is_some());
        true
    }

    pub async fn dies(&mut self, point: Point, limit: Duration) {
        let deadline = Instant::now() + limit;
        while !self.has_died() {
            assert!(Instant::now() < deadline, "{} was not reached within {limit:?}", point.name());
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
