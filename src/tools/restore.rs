//! A new data folder from a backup.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

use frontdesk_core::{ChannelId, DeskName};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    Frame,
    backup::{Backup, BackupError},
};
use crate::store::{
    StoreError,
    sled::{Restore, Restored},
};

/// Inside the data folder while a restore is under way, or after it was broken off.
pub const UNFINISHED: &str = "restoring";

/// Where to, and for whom.
pub struct Wanted<'a> {
    pub data: &'a Path,
    /// Those of the config, with their channels.
    pub desks: Vec<(DeskName, ChannelId)>,
    pub timezone: TimeZone,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    pub made_at: Timestamp,
    pub bytes: u64,
    pub restored: Restored,
}

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(
        "the data folder {} is not empty, and what is in it must not mix with a backup: stop frontdesk and move the \
         folder away, or name another one in [store] url",
        .0.display()
    )]
    NotEmpty(PathBuf),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{} cannot be written: {detail}", path.display())]
    Write { path: PathBuf, detail: String },
}

/// Makes a data folder from a backup, or leaves nothing behind. `progress` is told how many bytes were read, and of how
/// many. Blocks.
pub fn restore(file: &Path, wanted: &Wanted, mut progress: impl FnMut(u64, u64)) -> Result<Summary, RestoreError> {
    let all = 2 * file.metadata().map_or(0, |it| it.len());
    // Read to its end before anything is written.
    let mut backup = Backup::open(file)?;
    while backup.next_frame()?.is_some() {
        progress(backup.bytes(), all);
    }
    let half = backup.bytes();
    let made = clear(wanted.data)?;
    let unfinished = wanted.data.join(UNFINISHED);
    let outcome = fill(file, &unfinished, wanted, |bytes| progress(half + bytes, all))
        .and_then(|summary| settle(&unfinished, wanted.data).map(|()| summary));
    if outcome.is_err() {
        let _ = fs::remove_dir_all(if made { wanted.data } else { &unfinished });
    }
    outcome
}

/// Makes sure that the folder is there and empty. Returns whether it was made.
fn clear(data: &Path) -> Result<bool, RestoreError> {
    let entries = match fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            private_folder(data)?;
            return Ok(true);
        }
        Err(error) => return Err(unwritten(data, &error)),
    };
    let others = entries.filter_map(Result::ok).any(|entry| entry.file_name() != UNFINISHED);
    if others {
        return Err(RestoreError::NotEmpty(data.to_owned()));
    }
    let unfinished = data.join(UNFINISHED);
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritten(&unfinished, &error)),
        Ok(()) | Err(_) => Ok(false),
    }
}

fn fill(file: &Path, folder: &Path, wanted: &Wanted, mut progress: impl FnMut(u64)) -> Result<Summary, RestoreError> {
    private_folder(folder)?;
    let mut backup = Backup::open(file)?;
    let store = Restore::begin(&folder.join("store"))?;
    while let Some(frame) = backup.next_frame()? {
        match frame {
            Frame::Records(piece) => store.apply(&piece)?,
            Frame::File { name, bytes } => put_file(folder, &name, &bytes)?,
        }
        progress(backup.bytes());
    }
    let made_at = backup.made_at();
    let notice = notice(made_at, &wanted.timezone);
    let restored = store.finish(made_at, wanted.at, &wanted.desks, &notice)?;
    Ok(Summary { made_at, bytes: backup.bytes(), restored })
}

/// What the operators read first.
fn notice(made_at: Timestamp, timezone: &TimeZone) -> String {
    let made_at = made_at.to_zoned(timezone.clone()).strftime("%a %-d %b %Y, %H:%M");
    format!(
        "frontdesk was restored from a backup of {made_at}. What was written after that is not known here: answers \
         given since may have reached the customers or not, and threads begun since are not connected any more. What \
         the backup had still to send comes again, marked \"possibly repeated\", or is put before you in its thread."
    )
}

fn put_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RestoreError> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(part) if part != "store");
    let path = folder.join(name);
    if !Path::new(name).components().all(plain) {
        return Err(unwritten(&path, &io::Error::other("a file of the backup has a name that it must not have")));
    }
    let parents: Vec<_> = path.ancestors().skip(1).take_while(|parent| *parent != folder).collect();
    parents.into_iter().rev().try_for_each(private_folder)?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| unwritten(&path, &error))
}

/// Gives everything its place; the store comes last. Until the unfinished folder is gone, nothing starts on it.
fn settle(unfinished: &Path, data: &Path) -> Result<(), RestoreError> {
    let failed = |error: io::Error| unwritten(data, &error);
    let mut names: Vec<_> = fs::read_dir(unfinished)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<_>>())
        .map_err(failed)?;
    names.sort_by_key(|name| name == "store");
    for name in names {
        fs::rename(unfinished.join(&name), data.join(&name)).map_err(failed)?;
    }
    let sync = || File::open(data)?.sync_all();
    sync().map_err(failed)?;
    fs::remove_dir(unfinished).map_err(failed)?;
    sync().map_err(failed)
}

fn private_folder(path: &Path) -> Result<(), RestoreError> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> RestoreError {
    RestoreError::Write { path: path.to_owned(), detail: error.to_string() }
}
