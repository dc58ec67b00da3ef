//! Everything in one file, made while the program runs.

use std::{
    fs, io,
    ops::ControlFlow,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::spawn_blocking;

use super::{Answer, Answers, Done, ToolError, Tools};
use crate::store::{Copied, Take};

mod format;
mod part;

use format::Writer;
pub use format::{Backup, BackupError, Frame};
use part::Part;

/// Progress is told this often.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// What lies beside the store and cannot be made again: a key that opens the account's encrypted history, and which
/// room is whose desk. The keys of the device stay out: used twice they would do harm.
const KEPT: [&str; 2] = ["recovery-key", "rooms.json"];
/// On the disk of the store a backup ends while so much is left, in bytes: well above what makes the store refuse.
const SPARED: u64 = 192 * 1024 * 1024;
/// A file that is longer than this is none of those.
const LONGEST: u64 = 1024 * 1024;

impl Tools {
    pub(super) async fn backup(&self, file: &Path, answers: &Answers) -> Result<Done, ToolError> {
        let at = self.clock.now();
        let part = Part::create(file)?;
        let unwritten = |error: io::Error| BackupError::write(file, &error);
        let mut output = Writer::begin(part.file()?, at).map_err(unwritten)?;
        for (name, bytes) in beside(&self.data)? {
            output.file(&name, &bytes).map_err(unwritten)?;
        }
        let beside_store = shared_disk(file, &self.data).map_err(unwritten)?;
        let writing = Arc::new(Mutex::new(Writing { output, told: Instant::now(), failed: None, beside_store }));
        let copied = self.archive.copy(take(Arc::clone(&writing), answers.clone())).await?;
        if let Some(error) = lock(&writing).failed.take() {
            return Err(unwritten(error).into());
        }
        match copied {
            Copied::Whole { records } => {
                let end = move || -> Result<u64, BackupError> {
                    let bytes = lock(&writing).output.end(records).map_err(|error| part.unwritten(&error))?;
                    part.keep().map(|()| bytes)
                };
                let ended = spawn_blocking(end).await.map_err(io::Error::other).map_err(unwritten)?;
                Ok(Done::Saved { records, bytes: ended?, at })
            }
            Copied::BrokenOff => Err(ToolError::Gone),
            Copied::Another => {
                Err(ToolError::Refused("another backup is being made; wait until it has ended".to_owned()))
            }
            Copied::Overrun => Err(ToolError::Refused(
                "so much came in that the backup could not keep up, and nothing is kept of it; write it to a faster \
                 disk, or when less is going on"
                    .to_owned(),
            )),
        }
    }
}

struct Writing {
    output: Writer,
    told: Instant,
    failed: Option<io::Error>,
    /// The file's folder, where it is on the disk of the store.
    beside_store: Option<PathBuf>,
}

impl Writing {
    fn piece(&mut self, piece: &[u8]) -> io::Result<()> {
        let full = |folder: &PathBuf| fs4::available_space(folder).is_ok_and(|free| free < SPARED);
        if self.beside_store.as_ref().is_some_and(full) {
            let text = "it would fill the disk that frontdesk itself writes to; write it to another one";
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        self.output.records(piece)
    }
}

/// The file's folder, when it is on the disk of the data folder.
fn shared_disk(file: &Path, data: &Path) -> io::Result<Option<PathBuf>> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let same = folder.metadata()?.dev() == data.metadata()?.dev();
    Ok(same.then(|| folder.to_owned()))
}

/// Writes what is copied; stops when that fails, or when nobody waits for it any more.
fn take(writing: Arc<Mutex<Writing>>, answers: Answers) -> Take {
    Box::new(move |piece| {
        let mut writing = lock(&writing);
        if let Err(error) = writing.piece(piece) {
            writing.failed = Some(error);
            return ControlFlow::Break(());
        }
        if writing.told.elapsed() >= TOLD_EVERY {
            writing.told = Instant::now();
            // Who is slow to read misses a line.
            let _ = answers.0.try_send(Answer::Progress { bytes: writing.output.bytes() });
        }
        if answers.0.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

fn lock(writing: &Mutex<Writing>) -> MutexGuard<'_, Writing> {
    writing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files of [`KEPT`], each with its name in the data folder: `<kind>/<name>/<file>`.
fn beside(data: &Path) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
    let mut found = Vec::new();
    for kind in folders(data)? {
        for path in folders(&kind)?.iter().flat_map(|folder| KEPT.map(|name| folder.join(name))) {
            let whole = path.metadata().is_ok_and(|it| it.is_file() && it.len() <= LONGEST);
            let name = path.strip_prefix(data).ok().and_then(Path::to_str);
            if let (true, Some(name)) = (whole, name) {
                let bytes = fs::read(&path).map_err(|error| BackupError::read(&path, &error))?;
                found.push((name.to_owned(), bytes));
            }
        }
    }
    Ok(found)
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(BackupError::read(path, &error)),
    };
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir()));
    let mut folders: Vec<_> = folders.map(|entry| entry.path()).collect();
    folders.sort();
    Ok(folders)
}
