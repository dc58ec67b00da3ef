//! When a row may go: its desk ready, its pace kept, a slot free.

use std::time::Duration;

use frontdesk_core::{ChannelId, Pace};
use tokio::{sync::SemaphorePermit, time::sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Channel, Outbox};

/// What is for a desk waits so long for its room to be ready, instead of failing and backing off at every start.
const CONNECTING: Duration = Duration::from_secs(10);
/// A wait for one's turn that is worth a second look at the row.
pub(super) const A_MOMENT: Duration = Duration::from_millis(100);

impl Outbox {
    /// Waits for a desk that is getting ready, for the pace, and for a free slot of the channel. `None` when the program
    /// stops.
    pub(super) async fn my_turn<'a>(
        &self,
        id: &ChannelId,
        channel: &'a Channel,
        paces: &[Pace],
        at_desk: bool,
        stop: &CancellationToken,
    ) -> Option<SemaphorePermit<'a>> {
        let turn = async {
            if at_desk {
                self.health.settled(id, CONNECTING).await;
            }
            sleep_until(self.pacer.reserve(id, paces)).await;
            loop {
                while let Some(until) = self.pacer.blocked(id, paces) {
                    sleep_until(until).await;
                }
                let slot = channel.slots.acquire().await.ok()?;
                if self.pacer.blocked(id, paces).is_none() {
                    return Some(slot);
                }
            }
        };
        tokio::select! {
            slot = turn => slot,
            () = stop.cancelled() => None,
        }
    }
}
