use std::{collections::BTreeMap, io, path::PathBuf};

use frontdesk_core::DeskName;
use matrix_sdk::ruma::{OwnedRoomId, OwnedRoomOrAliasId, RoomId, RoomOrAliasId};
use serde::{Deserialize, Serialize};

use crate::files;

/// Which rooms the desks had, durably: an alias can be moved or lost, and its desk stays where it is.
pub(crate) struct Rooms {
    path: PathBuf,
    known: BTreeMap<DeskName, Known>,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// As the config named it then.
    room: OwnedRoomOrAliasId,
    id: OwnedRoomId,
}

impl Rooms {
    pub(crate) fn load(path: PathBuf) -> io::Result<Self> {
        let known = match files::read(&path)? {
            Some(bytes) => serde_json::from_slice(&bytes)?,
            None => BTreeMap::new(),
        };
        Ok(Self { path, known })
    }

    /// The room that a desk had under the name that it has in the config now.
    pub(crate) fn of(&self, desk: &DeskName, room: &RoomOrAliasId) -> Option<&RoomId> {
        self.known.get(desk).filter(|known| known.room == room).map(|known| &*known.id)
    }

    pub(crate) fn remember(&mut self, desk: &DeskName, room: &RoomOrAliasId, id: &RoomId) -> io::Result<()> {
        if self.of(desk, room) == Some(id) {
            return Ok(());
        }
        self.known.insert(desk.clone(), Known { room: room.to_owned(), id: id.to_owned() });
        files::write_private(&self.path, &serde_json::to_vec(&self.known)?)
    }
}
