use std::{collections::HashMap, future::Future, sync::RwLock};

use frontdesk_core::{DeskName, SendError};
use jiff::Timestamp;
use matrix_sdk::{Client, Room, ruma::OwnedRoomId};
use tokio_util::sync::CancellationToken;

use crate::{media::Files, room_keys::RoomKeys};

/// The connected account, from the login until `receive` ends.
pub(crate) struct Link {
    pub(crate) client: Client,
    pub(crate) keys: RoomKeys,
    pub(crate) files: Files,
    desks: RwLock<HashMap<DeskName, DeskState>>,
    /// Cancelled before the client is dropped: two clients on one crypto store would spoil its keys.
    closing: CancellationToken,
    /// When our device first logged in: the homeserver knows no transaction ids of it from before.
    pub(crate) since: Option<Timestamp>,
}

/// How a desk's room is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeskState {
    /// It will be ready shortly.
    Waiting,
    Ready(OwnedRoomId),
    /// It can be read, but not written in: why, and the cure.
    Mute(OwnedRoomId, String),
    /// What is wrong and the cure.
    Refused(String),
}

impl DeskState {
    /// The room, where it is safe to read.
    pub(crate) fn room(&self) -> Option<&OwnedRoomId> {
        match self {
            Self::Ready(id) | Self::Mute(id, _) => Some(id),
            Self::Waiting | Self::Refused(_) => None,
        }
    }

    /// What is wrong and the cure.
    pub(crate) fn problem(&self) -> Option<&str> {
        match self {
            Self::Mute(_, problem) | Self::Refused(problem) => Some(problem),
            Self::Waiting | Self::Ready(_) => None,
        }
    }
}

impl Link {
    pub(crate) fn new(client: Client, files: Files, since: Option<Timestamp>) -> Self {
        let (keys, desks) = (RoomKeys::default(), RwLock::default());
        Self { client, keys, files, desks, closing: CancellationToken::new(), since }
    }

    pub(crate) fn close(&self) {
        self.closing.cancel();
    }

    pub(crate) fn set(&self, desk: &DeskName, state: DeskState) {
        let mut desks = self.desks.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        desks.insert(desk.clone(), state);
    }

    pub(crate) fn state(&self, desk: &DeskName) -> DeskState {
        let desks = self.desks.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        desks.get(desk).cloned().unwrap_or(DeskState::Waiting)
    }

    /// The room of a desk, where it is ready. Never an error of the account: its other desks go on.
    pub(crate) fn room(&self, desk: &DeskName) -> Result<Room, SendError> {
        match self.state(desk) {
            DeskState::Waiting => Err(SendError::Transient(format!("the room of the desk {desk} is not ready yet"))),
            DeskState::Mute(_, problem) | DeskState::Refused(problem) => Err(SendError::Transient(problem)),
            DeskState::Ready(id) => self
                .client
                .get_room(&id)
                .ok_or_else(|| SendError::Transient("the desk's room is gone; invite us again or name another".into())),
        }
    }

    /// Runs something that may have an effect on the other side; gives up when the link closes.
    pub(crate) async fn while_open<T>(&self, work: impl Future<Output = Result<T, SendError>>) -> Result<T, SendError> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(SendError::Uncertain("the connection was closed meanwhile".into())),
            result = work => result,
        }
    }
}
