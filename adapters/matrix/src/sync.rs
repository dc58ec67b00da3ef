//! Our own loop of syncs: nothing is asked for anew before what came is on disk.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use frontdesk_core::{ChannelHealth, Cursor, DeskName, Inbound, Inbox, InboxError, ReceiveError};
use futures::{FutureExt, Stream, StreamExt};
use jiff::Timestamp;
use matrix_sdk::{
    Room,
    config::{SyncSettings, SyncToken},
    deserialized_responses::{TimelineEvent, TimelineEventKind},
    ruma::{
        RoomId, UInt, UserId,
        api::client::{
            filter::{FilterDefinition, RoomEventFilter, RoomFilter},
            sync::sync_events::v3::Filter,
        },
    },
    sync::{SyncResponse, Timeline},
};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::{
    config::DeskConfig,
    convert::{self, Decryption, Reactions, Source},
    desk::Desks,
    error,
    gap::Gap,
    link::Link,
    pending::{Item, Pending},
};

const LONG_POLL: Duration = Duration::from_secs(30);
/// While keys are likely to come: what they open is tried between two polls.
const KEYS_POLL: Duration = Duration::from_secs(5);
/// While a room is on its way.
const SHORT_POLL: Duration = Duration::from_secs(1);
const TIMELINE: u32 = 100;
/// A disk that is full for a moment is waited for; then `receive` ends and begins again from what is stored.
const ACCEPT_TRIES: u32 = 5;
const LATE_TIMEOUT: Duration = Duration::from_secs(20);
/// How often, and how much at once, is tried again although no key is known to have come.
const LATE_PAUSE: Duration = Duration::from_secs(60);
const LATE_ITEMS: usize = 20;
/// More than this at once counts as all.
const ARRIVED: usize = 1_000;

pub(crate) struct Intake<'a> {
    link: &'a Link,
    desks: Desks<'a>,
    inbox: Arc<dyn Inbox>,
    /// Up to here everything is stored.
    cursor: Option<String>,
    pending: Pending,
    arrived: Arrived,
    late_turn: Instant,
    reactions: Reactions,
    /// Desks whose people have written what is not read, and will be told so.
    unread: BTreeSet<DeskName>,
    health: Option<ChannelHealth>,
}

/// Which keys came during a poll.
#[derive(Default)]
struct Arrived {
    sessions: Vec<String>,
    /// So many that it is not known which.
    all: bool,
}

impl Arrived {
    fn note(&mut self, sessions: Option<Vec<String>>) {
        match sessions {
            Some(sessions) if self.sessions.len() + sessions.len() <= ARRIVED => self.sessions.extend(sessions),
            Some(_) | None => self.all = true,
        }
    }
}

impl<'a> Intake<'a> {
    pub(crate) fn new(
        link: &'a Link,
        desks: Desks<'a>,
        inbox: Arc<dyn Inbox>,
        from: Option<Cursor>,
        pending: Pending,
    ) -> Self {
        Self {
            link,
            desks,
            inbox,
            cursor: from.map(|cursor| cursor.as_str().to_owned()),
            pending,
            arrived: Arrived::default(),
            late_turn: Instant::now(),
            reactions: Reactions::default(),
            unread: BTreeSet::new(),
            health: None,
        }
    }

    /// Never returns but with an error.
    pub(crate) async fn run(mut self) -> Result<Infallible, ReceiveError> {
        self.desks.find().await.map_err(|error| error::receiving("look for the desk's room", &error))?;
        let keys = self.link.client.encryption().room_keys_received_stream().await;
        let keys = keys.ok_or_else(|| ReceiveError::Transient("the keys of the account are not open".into()))?;
        let keys = keys
            .map(|update| update.ok().map(|keys| keys.into_iter().map(|key| key.session_id).collect::<Vec<String>>()));
        let mut keys = std::pin::pin!(keys);
        let mut first = true;
        loop {
            let wait = self.wait(first);
            let response = self.sync(first, wait, &mut keys).await?;
            self.desks.refresh().await;
            self.unread.retain(|desk| self.desks.is_refused(desk));
            self.take(&response).await?;
            self.late().await?;
            first = false;
            let health = match self.desks.problem() {
                Some(problem) => ChannelHealth::Failing { problem },
                None if self.desks.all_ready() => ChannelHealth::CaughtUp,
                None => ChannelHealth::Connected,
            };
            self.say(health);
        }
    }

    fn wait(&self, first: bool) -> Duration {
        match (first, self.desks.waiting()) {
            (true, _) => Duration::ZERO,
            (false, true) => SHORT_POLL,
            (false, false) if self.pending.is_empty() => LONG_POLL,
            (false, false) => {
                let poll = if self.pending.fresh(Timestamp::now()) { KEYS_POLL } else { LONG_POLL };
                self.late_turn.saturating_duration_since(Instant::now()).min(poll)
            }
        }
    }

    fn say(&mut self, health: ChannelHealth) {
        if self.health.as_ref() != Some(&health) {
            self.inbox.health(health.clone());
            self.health = Some(health);
        }
    }

    /// One answer of the homeserver. Keys that come meanwhile are only noted: whatever is done beside a poll may wait
    /// for a lock that the poll holds.
    async fn sync(
        &mut self,
        first: bool,
        wait: Duration,
        keys: &mut (impl Stream<Item = Option<Vec<String>>> + Unpin),
    ) -> Result<SyncResponse, ReceiveError> {
        let mut pause = Duration::from_secs(1);
        loop {
            let settings = self.settings(first, wait);
            let client = self.link.client.clone();
            let mut sync = std::pin::pin!(client.sync_once(settings));
            let result = loop {
                tokio::select! {
                    result = &mut sync => break result,
                    Some(sessions) = keys.next() => self.arrived.note(sessions),
                }
            };
            while let Some(Some(sessions)) = keys.next().now_or_never() {
                self.arrived.note(sessions);
            }
            match result {
                Ok(response) => return Ok(response),
                // The SDK has not seen an answer, so the same question can be asked again.
                Err(problem) if error::http(&problem).is_some_and(|http| error::logged_out(http).is_none()) => {
                    let patience = error::http(&problem).and_then(error::patience).unwrap_or_default();
                    let problem = format!("cannot read from the homeserver: {}; is it up?", error::describe(&problem));
                    self.say(ChannelHealth::Failing { problem });
                    tokio::time::sleep(pause.max(patience)).await;
                    pause = (pause * 2).min(LONG_POLL);
                }
                Err(problem) => return Err(error::receiving("read from the homeserver", &problem)),
            }
        }
    }

    fn settings(&self, first: bool, wait: Duration) -> SyncSettings {
        let token = self.cursor.clone().map_or(SyncToken::NoToken, SyncToken::Specific);
        // Without a cursor only state is read. With one, the rooms' whole state is asked for once: the SDK's store may
        // be newer than the cursor, or a room may have become a desk since.
        let limit = if self.cursor.is_some() { TIMELINE } else { 1 };
        let full = first && self.cursor.is_some();
        let filter = filter(self.desks.ids(), limit);
        SyncSettings::new().token(token).timeout(wait).full_state(full).filter(filter)
    }

    /// Stores what came, and only then moves on.
    async fn take(&mut self, response: &SyncResponse) -> Result<(), ReceiveError> {
        let mut events = Vec::new();
        if let Some(since) = self.cursor.clone() {
            for (id, update) in &response.rooms.joined {
                let (Some(desk), Some(room)) = (self.desks.of(id), self.link.client.get_room(id)) else {
                    events.extend(self.unread(id, &update.timeline));
                    continue;
                };
                let timeline = self.bridge(desk, &room, &update.timeline, &since).await?;
                events.extend(self.convert(desk, &room, &timeline).await);
            }
        }
        let moved = self.cursor.as_deref() != Some(&response.next_batch);
        if moved || !events.is_empty() {
            self.accept(events, Some(Cursor::from(response.next_batch.as_str()))).await?;
        }
        self.cursor = Some(response.next_batch.clone());
        Ok(())
    }

    /// What people write in a room that anybody may enter is no answer, then or later; they are told, once each time.
    fn unread(&mut self, room: &RoomId, timeline: &Timeline) -> Option<Inbound> {
        let desk = self.desks.refused(room)?;
        let me = self.link.client.user_id()?;
        let raws = timeline.events.iter().filter_map(|event| event.raw().deserialize_as_unchecked::<Value>().ok());
        let inbound = raws.into_iter().find_map(|raw| convert::unread(&raw, &desk.name, me.as_str()))?;
        self.unread.insert(desk.name.clone()).then_some(inbound)
    }

    /// Reads and stores what lies between our cursor and a timeline that does not reach back to it; what is left of
    /// the timeline itself is returned.
    async fn bridge(
        &mut self,
        desk: &'a DeskConfig,
        room: &Room,
        timeline: &Timeline,
        since: &str,
    ) -> Result<Vec<TimelineEvent>, ReceiveError> {
        let doing = "read what was written meanwhile";
        let gap = Gap::measure(room, timeline, since).await.map_err(|error| error::receiving(doing, &error))?;
        if !gap.is_empty() {
            debug!(pages = gap.pages(), "reading what was written while we were away");
            self.say(ChannelHealth::Connected);
        }
        for page in (0..gap.pages()).rev() {
            let events = gap.read(room, page).await.map_err(|error| error::receiving(doing, &error))?;
            let events = self.convert(desk, room, &events).await;
            self.accept(events, None).await?;
        }
        Ok(gap.rest(timeline))
    }

    async fn convert(&mut self, desk: &DeskConfig, room: &Room, events: &[TimelineEvent]) -> Vec<Inbound> {
        let own = room.own_user_id();
        let mut names = HashMap::new();
        let mut inbound = Vec::new();
        for event in events {
            let Some(sender) = event.sender().filter(|sender| sender != own) else { continue };
            let Ok(raw) = event.raw().deserialize_as_unchecked::<Value>() else { continue };
            if !names.contains_key(&sender) {
                names.insert(sender.clone(), name(room, &sender).await);
            }
            let source = Source {
                raw: &raw,
                desk: &desk.name,
                name: names.get(&sender).cloned().unwrap_or_default(),
                operator: desk.may_answer(sender.as_str()),
                state: self.decryption(room, event),
            };
            inbound.extend(convert::inbound(source, &mut self.reactions));
        }
        inbound
    }

    fn decryption(&mut self, room: &Room, event: &TimelineEvent) -> Decryption {
        let Some(id) = event.event_id() else { return Decryption::Readable };
        match &event.kind {
            TimelineEventKind::UnableToDecrypt { utd_info, .. } => {
                let session = utd_info.session_id.clone();
                self.pending.add(Item { room: room.room_id().to_owned(), event: id, session, noted: Timestamp::now() });
                Decryption::Failed
            }
            TimelineEventKind::Decrypted(_) | TimelineEventKind::PlainText { .. } => {
                if self.pending.contains(id.as_str()) { Decryption::Late } else { Decryption::Readable }
            }
        }
    }

    async fn accept(&mut self, events: Vec<Inbound>, cursor: Option<Cursor>) -> Result<(), ReceiveError> {
        if events.is_empty() && cursor.is_none() {
            return Ok(());
        }
        self.save_pending()?;
        let late: Vec<String> =
            events.iter().filter_map(|event| event.key.as_str().strip_suffix("#1")).map(str::to_owned).collect();
        let mut pause = Duration::from_millis(200);
        for attempt in 1.. {
            match self.inbox.accept(events.clone(), cursor.clone()).await {
                Ok(()) => break,
                Err(InboxError::Store(text)) if attempt < ACCEPT_TRIES => {
                    warn!("what came cannot be stored yet: {text}");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        for id in &late {
            self.pending.remove(id);
        }
        self.save_pending()
    }

    fn save_pending(&mut self) -> Result<(), ReceiveError> {
        let saved = self.pending.save();
        saved.map_err(|error| ReceiveError::Transient(format!("cannot note what could not be decrypted: {error}")))
    }

    /// Tries again what waits for keys: at once for those that came, and all in turns now and then.
    async fn late(&mut self) -> Result<(), ReceiveError> {
        let Arrived { sessions, all } = std::mem::take(&mut self.arrived);
        if !all && !sessions.is_empty() {
            self.try_again(self.pending.waiting_for(&sessions)).await?;
        }
        if !all && Instant::now() < self.late_turn {
            return Ok(());
        }
        self.pending.expire(Timestamp::now());
        self.save_pending()?;
        let read = self.try_again(self.pending.turn(LATE_ITEMS)).await?;
        let pause = if read { Duration::ZERO } else { LATE_PAUSE };
        self.late_turn = Instant::now() + pause;
        Ok(())
    }

    /// Whether any of it can be read now. Stops where the homeserver does not answer.
    async fn try_again(&mut self, items: Vec<Item>) -> Result<bool, ReceiveError> {
        let mut read = false;
        for item in items {
            self.pending.tried(item.event.as_str());
            let (Some(desk), Some(room)) = (self.desks.of(&item.room), self.link.client.get_room(&item.room)) else {
                continue;
            };
            let event = match tokio::time::timeout(LATE_TIMEOUT, Box::pin(room.event(&item.event, None))).await {
                Ok(Ok(event)) => event,
                Ok(Err(problem)) if error::is_about_the_event(&problem) => continue,
                Ok(Err(_)) | Err(_) => break,
            };
            if event.kind.is_utd() {
                continue;
            }
            let events = self.convert(desk, &room, &[event]).await;
            if events.is_empty() {
                self.pending.remove(item.event.as_str());
                self.save_pending()?;
            }
            self.accept(events, None).await?;
            read = true;
        }
        Ok(read)
    }
}

async fn name(room: &Room, user: &UserId) -> String {
    let member = room.get_member_no_sync(user).await.ok().flatten();
    member.map_or_else(|| user.localpart().to_owned(), |member| member.name().to_owned())
}

/// Only the desks' rooms, and in them only what people do. Members are not loaded lazily: who is there decides who
/// gets the keys.
fn filter(rooms: Vec<matrix_sdk::ruma::OwnedRoomId>, limit: u32) -> Filter {
    let mut timeline = RoomEventFilter::empty();
    timeline.limit = Some(UInt::from(limit));
    let mut room = RoomFilter::empty();
    room.rooms = Some(rooms);
    room.timeline = timeline;
    room.ephemeral = RoomEventFilter::ignore_all();
    room.account_data = RoomEventFilter::ignore_all();
    room.include_leave = true;
    let mut filter = FilterDefinition::empty();
    filter.presence = matrix_sdk::ruma::api::client::filter::Filter::ignore_all();
    filter.room = room;
    Filter::FilterDefinition(filter)
}
