use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::BackupError;

/// A file under another name until it is whole: what stands under the wanted name always is. Removed if it never is.
pub(super) struct Part {
    path: PathBuf,
    wanted: PathBuf,
    file: File,
    whole: bool,
}

impl Part {
    /// For this user only: messages and names lie in it.
    pub(super) fn create(wanted: &Path) -> Result<Self, BackupError> {
        if wanted.exists() {
            return Err(BackupError::Exists(wanted.to_owned()));
        }
        let mut path = wanted.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Unfinished(path.clone()),
            _ => BackupError::write(&path, &error),
        })?;
        Ok(Self { path, wanted: wanted.to_owned(), file, whole: false })
    }

    pub(super) fn file(&self) -> Result<File, BackupError> {
        self.file.try_clone().map_err(|error| BackupError::write(&self.path, &error))
    }

    pub(super) fn unwritten(&self, error: &io::Error) -> BackupError {
        BackupError::write(&self.path, error)
    }

    /// On disk, under its own name, when this returns.
    pub(super) fn keep(mut self) -> Result<(), BackupError> {
        if self.wanted.exists() {
            return Err(BackupError::Exists(self.wanted.clone()));
        }
        let kept = self.file.sync_all().and_then(|()| fs::rename(&self.path, &self.wanted));
        kept.map_err(|error| BackupError::write(&self.wanted, &error))?;
        self.whole = true;
        let folder = self.wanted.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| BackupError::write(folder, &error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.whole {
            // What cannot be removed is found, and named, by the next backup.
            let _ = fs::remove_file(&self.path);
        }
    }
}
