//! What lies between our cursor and a timeline that does not reach back to it.

use matrix_sdk::{
    Room,
    deserialized_responses::TimelineEvent,
    room::MessagesOptions,
    ruma::{
        OwnedEventId, UserId,
        api::{Direction, client::message::get_message_events},
        events::AnyTimelineEvent,
        serde::Raw,
        uint,
    },
    sync::Timeline,
};
use serde_json::Value;
use tracing::warn;

/// 100 events each: more than anybody writes while we are away.
const MAX_PAGES: usize = 2_000;

/// The pages of a gap, by where each begins: the newest first, none of them kept in memory.
pub(crate) struct Gap {
    pages: Vec<Page>,
    /// Our invitation, where the gap reaches back to it: nothing up to it is ours to read.
    cut: Option<OwnedEventId>,
}

struct Page {
    from: String,
    to: Option<String>,
}

impl Gap {
    /// Looks back from the timeline to `since` or, in a room that we joined after it, to our invitation.
    pub(crate) async fn measure(room: &Room, timeline: &Timeline, since: &str) -> matrix_sdk::Result<Self> {
        let mut gap = Self { pages: Vec::new(), cut: None };
        let mut bound = Some(since.to_owned());
        for event in timeline.events.iter().rev() {
            let Ok(raw) = event.raw().deserialize_as_unchecked::<Value>() else { continue };
            if gap.look(&raw, room.own_user_id(), &mut bound) {
                return Ok(gap);
            }
        }
        if !timeline.limited && bound.is_some() {
            return Ok(gap);
        }
        let Some(mut from) = timeline.prev_batch.clone() else { return Ok(gap) };
        loop {
            if gap.pages.len() == MAX_PAGES {
                warn!("more was written while we were away than can be read: the oldest of it is left out");
                return Ok(gap);
            }
            let page = Page { from: from.clone(), to: bound.clone() };
            let mut request = get_message_events::v3::Request::new(room.room_id().to_owned(), Direction::Backward);
            request.from = Some(from);
            request.to.clone_from(&page.to);
            request.limit = uint!(100);
            let response = room.client().send(request).await?;
            if !response.chunk.is_empty() {
                gap.pages.push(page);
            }
            let done = response.chunk.iter().any(|event| gap.look_raw(event, room.own_user_id(), &mut bound));
            match response.end {
                Some(end) if !done => from = end,
                // The bound that ended it may have been lifted by the last event of the page.
                Some(_) | None => return Ok(gap),
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    pub(crate) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// The events of a page, the oldest first, decrypted where that is possible.
    pub(crate) async fn read(&self, room: &Room, page: usize) -> matrix_sdk::Result<Vec<TimelineEvent>> {
        let Some(page) = self.pages.get(page) else { return Ok(Vec::new()) };
        let mut options = MessagesOptions::backward().from(page.from.as_str());
        options.to.clone_from(&page.to);
        options.limit = uint!(100);
        let mut events = Box::pin(room.messages(options)).await?.chunk;
        events.reverse();
        Ok(self.after_cut(events))
    }

    /// What of the timeline is ours to read.
    pub(crate) fn rest(&self, timeline: &Timeline) -> Vec<TimelineEvent> {
        self.after_cut(timeline.events.clone())
    }

    fn after_cut(&self, mut events: Vec<TimelineEvent>) -> Vec<TimelineEvent> {
        let Some(cut) = &self.cut else { return events };
        if let Some(at) = events.iter().position(|event| event.event_id().as_ref() == Some(cut)) {
            events.drain(..=at);
        }
        events
    }

    fn look_raw(&mut self, event: &Raw<AnyTimelineEvent>, own: &UserId, bound: &mut Option<String>) -> bool {
        event.deserialize_as_unchecked::<Value>().is_ok_and(|raw| self.look(&raw, own, bound))
    }

    /// Whether this is where our reading begins.
    fn look(&mut self, raw: &Value, own: &UserId, bound: &mut Option<String>) -> bool {
        if raw["type"] != "m.room.member" || raw["state_key"] != own.as_str() {
            return false;
        }
        let before = raw["unsigned"]["prev_content"]["membership"].as_str();
        match (raw["content"]["membership"].as_str(), before) {
            (Some("join"), Some("join")) => false,
            // We were invited before, perhaps before `since`: what was written between is meant for us.
            (Some("join"), Some("invite")) => {
                *bound = None;
                false
            }
            (Some("join" | "invite"), _) => {
                self.cut = raw["event_id"].as_str().and_then(|id| OwnedEventId::try_from(id).ok());
                true
            }
            _ => false,
        }
    }
}
