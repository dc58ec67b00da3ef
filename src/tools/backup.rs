//! Everything in one file, made while the program runs.

use std::{
    fs, io,
    ops::ControlFlow,
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
        let writing = Arc::new(Mutex::new(Writing { output, told: Instant::now(), failed: None }));
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
}

/// Writes what is copied; stops when that fails, or when nobody waits for it any more.
fn take(writing: Arc<Mutex<Writing>>, answers: Answers) -> Take {
    Box::new(move |piece| {
        let mut writing = lock(&writing);
        if let Err(error) = writing.output.records(piece) {
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
