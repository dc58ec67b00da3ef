//! The desks' rooms: found, joined, made, and looked at again after each sync.

use std::collections::HashMap;

use frontdesk_core::DeskName;
use matrix_sdk::{
    Client, Room, RoomState,
    ruma::{
        OwnedRoomId, OwnedUserId, RoomAliasId, RoomOrAliasId, UserId,
        api::{
            client::{
                alias::get_alias,
                room::create_room::v3::{Request as CreateRoom, RoomPreset},
                state::get_state_event_for_key,
            },
            error::ErrorKind,
        },
        events::{MessageLikeEventType, StateEventType, room::member::MembershipState},
        room::JoinRule,
        serde::Raw,
    },
};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::{
    config::DeskConfig,
    error,
    link::{DeskState, Link},
    rooms::Rooms,
};

/// What is known of the desks' rooms while `receive` runs.
pub(crate) struct Desks<'a> {
    client: Client,
    link: &'a Link,
    configs: &'a [DeskConfig],
    rooms: HashMap<DeskName, Place>,
    before: Rooms,
}

#[derive(Clone)]
struct Place {
    id: OwnedRoomId,
    /// Made a moment ago: its first state has not come yet.
    new: bool,
    invited: bool,
}

impl<'a> Desks<'a> {
    pub(crate) fn new(link: &'a Link, configs: &'a [DeskConfig], before: Rooms) -> Self {
        Self { client: link.client.clone(), link, configs, rooms: HashMap::new(), before }
    }

    /// Learns which rooms there are already. Changes nothing.
    pub(crate) async fn find(&mut self) -> matrix_sdk::Result<()> {
        for desk in self.configs {
            let named = resolve(&self.client, &desk.room).await?;
            let kept = self.kept(desk);
            if let Some(kept) = &kept
                && named.as_ref() != Some(kept)
            {
                warn!(
                    desk = %desk.name,
                    "{} does not lead to the desk's room any more; the desk stays in {kept}: write the id of the room \
                     that you want as `room`",
                    desk.room
                );
            }
            if let Some(id) = kept.or(named) {
                self.rooms.insert(desk.name.clone(), Place { id, new: false, invited: false });
            }
        }
        Ok(())
    }

    /// The room that the desk had the last time, where it can still be worked in.
    fn kept(&self, desk: &DeskConfig) -> Option<OwnedRoomId> {
        let room = self.client.get_room(self.before.of(&desk.name, &desk.room)?)?;
        (room.state() == RoomState::Joined && !room.is_tombstoned()).then(|| room.room_id().to_owned())
    }

    pub(crate) fn ids(&self) -> Vec<OwnedRoomId> {
        self.rooms.values().map(|place| place.id.clone()).collect()
    }

    /// The desk of a room, where the room is safe to work in.
    pub(crate) fn of(&self, room: &matrix_sdk::ruma::RoomId) -> Option<&'a DeskConfig> {
        self.configs.iter().find(|desk| self.link.state(&desk.name).room().is_some_and(|id| id == room))
    }

    /// The desk of a room that we are in and that is not safe to read.
    pub(crate) fn refused(&self, room: &matrix_sdk::ruma::RoomId) -> Option<&'a DeskConfig> {
        let place = self.rooms.iter().find(|(_, place)| place.id == room);
        let desk = place.and_then(|(name, _)| self.configs.iter().find(|desk| desk.name == *name))?;
        matches!(self.link.state(&desk.name), DeskState::Refused(_)).then_some(desk)
    }

    pub(crate) fn is_refused(&self, desk: &DeskName) -> bool {
        matches!(self.link.state(desk), DeskState::Refused(_))
    }

    /// Looks at every desk again, and does what can be done to make it ready.
    pub(crate) async fn refresh(&mut self) {
        let configs = self.configs;
        for desk in configs {
            let state = match Box::pin(self.ensure(desk)).await {
                Ok(state) => state,
                Err(problem) => DeskState::Refused(format!("the desk {}: {problem}", desk.name)),
            };
            if state != self.link.state(&desk.name) {
                match &state {
                    DeskState::Refused(problem) | DeskState::Mute(_, problem) => warn!("{problem}"),
                    DeskState::Ready(id) => {
                        info!(desk = %desk.name, "the desk's room is ready");
                        if let Err(error) = self.before.remember(&desk.name, &desk.room, id) {
                            warn!(desk = %desk.name, "cannot note which room the desk has: {error}");
                        }
                    }
                    DeskState::Waiting => {}
                }
                self.link.set(&desk.name, state);
            }
        }
    }

    /// An answer in a room of two desks would belong to either.
    fn check_alone(&self, desk: &DeskConfig, room: &Room) -> Result<(), String> {
        let here = room.room_id();
        let there = |other: &&DeskConfig| {
            other.name != desk.name && self.link.state(&other.name).room().is_some_and(|id| id == here)
        };
        match self.configs.iter().find(there) {
            Some(other) => Err(format!("{} is the room of the desk {} already; name another", desk.room, other.name)),
            None => Ok(()),
        }
    }

    pub(crate) fn all_ready(&self) -> bool {
        self.configs.iter().all(|desk| matches!(self.link.state(&desk.name), DeskState::Ready(_)))
    }

    pub(crate) fn waiting(&self) -> bool {
        self.configs.iter().any(|desk| self.link.state(&desk.name) == DeskState::Waiting)
    }

    pub(crate) fn problem(&self) -> Option<String> {
        self.configs.iter().find_map(|desk| self.link.state(&desk.name).problem().map(str::to_owned))
    }

    async fn ensure(&mut self, desk: &DeskConfig) -> Result<DeskState, String> {
        let place = match self.rooms.get(&desk.name) {
            Some(place) => place.clone(),
            None => {
                let place = self.find_or_make(desk).await?;
                self.rooms.insert(desk.name.clone(), place.clone());
                place
            }
        };
        let room = self.client.get_room(&place.id);
        match room.as_ref().map(|room| room.state()) {
            Some(RoomState::Joined) => {}
            Some(RoomState::Invited) => {
                let joined = self.client.join_room_by_id(&place.id).await;
                joined.map_err(|error| format!("cannot accept the invitation: {}", error::describe(&error)))?;
                return Ok(DeskState::Waiting);
            }
            Some(RoomState::Left | RoomState::Banned) => {
                return Err(format!(
                    "{} is not in {} any more; an operator has to invite it again",
                    self.me(),
                    desk.room
                ));
            }
            Some(RoomState::Knocked) | None => return self.stranger(desk, &place).await,
        }
        let Some(room) = room else { return Ok(DeskState::Waiting) };
        if place.new && room.join_rule().is_none() {
            return Ok(DeskState::Waiting);
        }
        check(&room, desk)?;
        self.check_alone(desk, &room)?;
        if !place.invited {
            self.invite(desk, &room, place.new).await;
            self.rooms.insert(desk.name.clone(), Place { invited: true, new: false, ..place });
        }
        let id = room.room_id().to_owned();
        Ok(match self.muted(desk, &room).await {
            Some(problem) => DeskState::Mute(id, problem),
            None => DeskState::Ready(id),
        })
    }

    /// Why we may not write in the room, where that is so.
    async fn muted(&self, desk: &DeskConfig, room: &Room) -> Option<String> {
        let encrypted = room.encryption_state().is_encrypted();
        let kind = if encrypted { MessageLikeEventType::RoomEncrypted } else { MessageLikeEventType::RoomMessage };
        let levels = room.power_levels_or_default().await;
        if levels.user_can_send_message(self.me(), kind.clone()) {
            return None;
        }
        let needed = levels.for_message(kind);
        Some(format!(
            "the desk {}: {} may not write in {}; an operator has to give it a power level of at least {needed}",
            desk.name,
            self.me(),
            desk.room
        ))
    }

    fn me(&self) -> &UserId {
        self.client.user_id().unwrap_or_else(|| matrix_sdk::ruma::user_id!("@us:localhost"))
    }

    /// A room that exists, and that we know nothing of. Ours is one that we made in a run that was stopped.
    async fn stranger(&self, desk: &DeskConfig, place: &Place) -> Result<DeskState, String> {
        if place.new {
            return Ok(DeskState::Waiting);
        }
        Err(format!("{} exists, but {} is not in it; invite it there, or name another room", desk.room, self.me()))
    }

    async fn find_or_make(&self, desk: &DeskConfig) -> Result<Place, String> {
        let found = |id| Place { id, new: false, invited: false };
        let failed = |error: matrix_sdk::Error| format!("cannot look for {}: {}", desk.room, error::describe(&error));
        if let Some(id) = resolve(&self.client, &desk.room).await.map_err(failed)? {
            return Ok(found(id));
        }
        let Some(alias) = <&RoomAliasId>::try_from(&*desk.room).ok() else {
            return Err(format!("there is no room {}; name another, or an alias for a room to be made", desk.room));
        };
        check_makeable(desk, alias, self.me())?;
        match self.client.create_room(request(desk, alias)).await {
            Ok(room) => {
                info!(desk = %desk.name, "made the desk's room");
                Ok(Place { id: room.room_id().to_owned(), new: true, invited: false })
            }
            // Somebody was quicker, perhaps we ourselves before the answer was lost: it is judged like any other room.
            Err(error) if error.client_api_error_kind() == Some(&ErrorKind::RoomInUse) => {
                match resolve(&self.client, &desk.room).await.map_err(failed)? {
                    Some(id) => Ok(found(id)),
                    None => Err(format!("{} is taken and leads nowhere; name another alias", desk.room)),
                }
            }
            Err(error) => Err(format!("cannot make the room {}: {}", desk.room, error::describe(&error))),
        }
    }

    /// Asks the operators in who are not there; once, so that who left is not pestered.
    async fn invite(&self, desk: &DeskConfig, room: &Room, new: bool) {
        let operators = desk.operators.as_deref().unwrap_or_default();
        if new && let Err(error) = promote(room, operators).await {
            warn!("cannot make the operators moderators of the desk's room: {}", error::describe(&error));
        }
        for operator in operators {
            let member = room.get_member(operator).await.ok().flatten();
            let absent = member.is_none_or(|member| *member.membership() == MembershipState::Leave);
            if absent && let Err(error) = room.invite_user_by_id(operator).await {
                warn!(desk = %desk.name, "cannot invite an operator: {}; invite them yourself", error::describe(&error));
            }
        }
    }
}

/// Whether we could make the room; the error is a sentence with the cure.
pub(crate) fn check_makeable(desk: &DeskConfig, alias: &RoomAliasId, me: &UserId) -> Result<(), String> {
    if desk.operators.is_none() {
        return Err(format!(
            "there is no room {alias}, and one that we make could be entered by nobody; set `operators`, or make the \
             room and invite {me}"
        ));
    }
    if alias.server_name() != me.server_name() {
        return Err(format!(
            "there is no room {alias}, and only {} could make it; name a room on {}",
            alias.server_name(),
            me.server_name()
        ));
    }
    Ok(())
}

/// The operators may change the room, and invite and remove each other. What the homeserver made is what is changed:
/// which rights a room begins with depends on its version.
async fn promote(room: &Room, operators: &[OwnedUserId]) -> matrix_sdk::Result<()> {
    const KIND: StateEventType = StateEventType::RoomPowerLevels;
    let request = get_state_event_for_key::v3::Request::new(room.room_id().to_owned(), KIND, String::new());
    let response = room.client().send(request).await?;
    let mut levels: Value = response.into_content().deserialize_as_unchecked()?;
    for operator in operators {
        levels["users"][operator.as_str()] = json!(50);
    }
    room.send_state_event_raw(&KIND.to_string(), "", levels).await?;
    Ok(())
}

/// Whether a room is fit to be a desk; the error is a sentence with the cure.
fn check(room: &Room, desk: &DeskConfig) -> Result<(), String> {
    if room.is_tombstoned() {
        let successor = room.successor_room().map(|next| next.room_id.to_string());
        let next = successor.unwrap_or_else(|| "its successor".into());
        return Err(format!(
            "{} has been replaced by a new room; invite us to {next} and write it as `room`",
            desk.room
        ));
    }
    check_closed(desk, room.join_rule().as_ref())
}

/// Whether only those can be in the room who may answer there.
pub(crate) fn check_closed(desk: &DeskConfig, rule: Option<&JoinRule>) -> Result<(), String> {
    let open = match rule {
        Some(JoinRule::Invite | JoinRule::Private) => None,
        Some(JoinRule::Public) => Some("public"),
        Some(JoinRule::Knock) => Some("open to knocking"),
        Some(JoinRule::Restricted(_) | JoinRule::KnockRestricted(_)) => Some("open to the members of another room"),
        Some(_) | None => Some("open in a way that we do not know"),
    };
    match open {
        Some(how) if desk.operators.is_none() => Err(format!(
            "{} is {how}, so anybody could answer customers; make it invite-only, or set `operators`",
            desk.room
        )),
        Some(_) | None => Ok(()),
    }
}

fn request(desk: &DeskConfig, alias: &RoomAliasId) -> CreateRoom {
    let mut state = vec![
        json!({ "type": "m.room.history_visibility", "state_key": "", "content": { "history_visibility": "shared" } }),
        json!({ "type": "m.room.guest_access", "state_key": "", "content": { "guest_access": "forbidden" } }),
    ];
    if desk.encrypted {
        let content = json!({ "algorithm": "m.megolm.v1.aes-sha2" });
        state.push(json!({ "type": "m.room.encryption", "state_key": "", "content": content }));
    }
    let mut request = CreateRoom::new();
    request.preset = Some(RoomPreset::PrivateChat);
    request.room_alias_name = Some(alias.alias().to_owned());
    request.name = Some(alias.alias().to_owned());
    request.invite = desk.operators.clone().unwrap_or_default();
    request.initial_state = state.iter().filter_map(|event| Raw::new(event).ok()).map(Raw::cast_unchecked).collect();
    request
}

/// `None` where there is no such alias.
async fn resolve(client: &Client, room: &RoomOrAliasId) -> matrix_sdk::Result<Option<OwnedRoomId>> {
    let alias = match <&RoomAliasId>::try_from(room) {
        Ok(alias) => alias,
        Err(_) => return Ok(OwnedRoomId::try_from(room.as_str()).ok()),
    };
    match client.send(get_alias::v3::Request::new(alias.to_owned())).await {
        Ok(response) => Ok(Some(response.room_id)),
        Err(problem) if problem.client_api_error_kind() == Some(&ErrorKind::NotFound) => Ok(None),
        Err(problem) => Err(problem.into()),
    }
}
