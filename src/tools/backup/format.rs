//! The file of a backup: a line that says what it is, then frames. Each frame is followed by the checksum of everything
//! up to there, and the last one says how much there was: a file that was cut or changed anywhere is recognised.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use crc32fast::Hasher;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const MAGIC: &[u8] = b"frontdesk backup 1\n";
/// Nothing longer is ever written.
const LONGEST: usize = 64 * 1024 * 1024;

/// So much is written between two syncs.
const SYNCED: u64 = 16 * 1024 * 1024;

const HEAD: u8 = 1;
const RECORDS: u8 = 2;
const FILE: u8 = 3;
const END: u8 = 4;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    made_at: Timestamp,
    /// The program's version, for people.
    frontdesk: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    records: u64,
}

/// What is wrong with a backup, or with the place for it, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} is there already, and a backup overwrites nothing; choose another name", .0.display())]
    Exists(PathBuf),
    #[error("{} is there: another backup is being written, or one was broken off; if none is, delete it", .0.display())]
    Unfinished(PathBuf),
    #[error("{} cannot be written: {detail}; choose a folder that frontdesk can write to", path.display())]
    Write { path: PathBuf, detail: String },
    #[error("{} cannot be read: {detail}", path.display())]
    Read { path: PathBuf, detail: String },
    #[error("{} is not a backup that this frontdesk can read; is it the right file, and is frontdesk up to date?", .0.display())]
    Unknown(PathBuf),
    #[error(
        "{} is not whole: it is damaged, or cut off, after {good} bytes. Nothing was restored; take another backup",
        path.display()
    )]
    Damaged { path: PathBuf, good: u64 },
}

impl BackupError {
    pub(super) fn write(path: &Path, error: &io::Error) -> Self {
        Self::Write { path: path.to_owned(), detail: error.to_string() }
    }

    pub(super) fn read(path: &Path, error: &io::Error) -> Self {
        Self::Read { path: path.to_owned(), detail: error.to_string() }
    }
}

pub(super) struct Writer {
    output: BufWriter<File>,
    sum: Hasher,
    bytes: u64,
    /// How much was on disk the last time.
    synced: u64,
}

impl Writer {
    pub(super) fn begin(file: File, made_at: Timestamp) -> io::Result<Self> {
        let mut writer =
            Self { output: BufWriter::with_capacity(256 * 1024, file), sum: Hasher::new(), bytes: 0, synced: 0 };
        writer.write(MAGIC)?;
        let head = Head { made_at, frontdesk: env!("CARGO_PKG_VERSION").to_owned() };
        writer.frame(HEAD, &[&serde_json::to_vec(&head)?])?;
        Ok(writer)
    }

    /// Part of the store, as it is copied.
    pub(super) fn records(&mut self, piece: &[u8]) -> io::Result<()> {
        self.frame(RECORDS, &[piece])
    }

    /// A file beside the store, named as in the data folder.
    pub(super) fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(name.len()).map_err(io::Error::other)?;
        self.frame(FILE, &[&length.to_be_bytes(), name.as_bytes(), bytes])
    }

    /// Nothing comes after it. Returns how long the file is.
    pub(super) fn end(&mut self, records: u64) -> io::Result<u64> {
        self.frame(END, &[&serde_json::to_vec(&End { records })?])?;
        self.output.flush()?;
        Ok(self.bytes)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn frame(&mut self, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > LONGEST {
            return Err(io::Error::other("a piece of the store is too long"));
        }
        self.write(&[kind])?;
        self.write(&u32::try_from(length).map_err(io::Error::other)?.to_be_bytes())?;
        parts.iter().try_for_each(|part| self.write(part))?;
        let sum = self.sum.clone().finalize();
        self.write(&sum.to_be_bytes())?;
        // All of it at the end would keep the disk busy for as long as the store waits to write.
        if self.bytes - self.synced >= SYNCED {
            self.output.flush()?;
            self.output.get_ref().sync_data()?;
            self.synced = self.bytes;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        self.output.write_all(bytes)
    }
}

/// What a backup holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    Records(Vec<u8>),
    File { name: String, bytes: Vec<u8> },
}

/// A backup that is being read. Its frames can be trusted one by one; whether all are there is known at the end.
pub struct Backup {
    path: PathBuf,
    input: BufReader<File>,
    sum: Hasher,
    good: u64,
    read: u64,
    made_at: Timestamp,
    ended: bool,
}

impl Backup {
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(|error| BackupError::read(path, &error))?;
        let mut backup = Self {
            path: path.to_owned(),
            input: BufReader::with_capacity(256 * 1024, file),
            sum: Hasher::new(),
            good: 0,
            read: 0,
            made_at: Timestamp::UNIX_EPOCH,
            ended: false,
        };
        let mut magic = [0; MAGIC.len()];
        if backup.fill(&mut magic).is_err() || magic != MAGIC {
            return Err(BackupError::Unknown(path.to_owned()));
        }
        let (HEAD, head) = backup.frame()? else { return Err(backup.damaged()) };
        let head: Head = serde_json::from_slice(&head).map_err(|_| BackupError::Unknown(path.to_owned()))?;
        backup.made_at = head.made_at;
        Ok(backup)
    }

    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        self.made_at
    }

    /// How many bytes were read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.good
    }

    /// The next frame; `None` after the last one, when all of the file was there.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BackupError> {
        if self.ended {
            return Ok(None);
        }
        let (kind, payload) = self.frame()?;
        match kind {
            RECORDS => Ok(Some(Frame::Records(payload))),
            FILE => named(&payload).map(Some).ok_or_else(|| self.damaged()),
            END => {
                self.ended = true;
                let nothing_more = matches!(self.input.read(&mut [0]), Ok(0));
                if nothing_more { Ok(None) } else { Err(self.damaged()) }
            }
            _ => Err(self.damaged()),
        }
    }

    fn frame(&mut self) -> Result<(u8, Vec<u8>), BackupError> {
        let mut head = [0; 5];
        self.fill(&mut head).map_err(|_| self.damaged())?;
        let [kind, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(self.damaged());
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload).map_err(|_| self.damaged())?;
        let (sum, mut found) = (self.sum.clone().finalize(), [0; 4]);
        self.fill(&mut found).map_err(|_| self.damaged())?;
        if u32::from_be_bytes(found) != sum {
            return Err(self.damaged());
        }
        self.good = self.read;
        Ok((kind, payload))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.input.read_exact(bytes)?;
        self.sum.update(bytes);
        self.read += bytes.len() as u64;
        Ok(())
    }

    fn damaged(&self) -> BackupError {
        BackupError::Damaged { path: self.path.clone(), good: self.good }
    }
}

fn named(payload: &[u8]) -> Option<Frame> {
    let (length, rest) = payload.split_first_chunk::<4>()?;
    let (name, bytes) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some(Frame::File { name: String::from_utf8(name.to_vec()).ok()?, bytes: bytes.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup");
        let mut writer = Writer::begin(File::create(&path).unwrap(), Timestamp::UNIX_EPOCH).unwrap();
        writer.file("matrix/desk/recovery-key", b"key").unwrap();
        writer.records(b"first").unwrap();
        writer.records(b"second").unwrap();
        writer.end(2).unwrap();
        drop(writer);
        (folder, path)
    }

    fn read(path: &Path) -> Result<Vec<Frame>, BackupError> {
        let mut backup = Backup::open(path)?;
        std::iter::from_fn(|| backup.next_frame().transpose()).collect()
    }

    #[test]
    fn a_backup_is_read_as_it_was_written() {
        let (_folder, path) = written();
        let file = Frame::File { name: "matrix/desk/recovery-key".to_owned(), bytes: b"key".to_vec() };
        let records = |text: &str| Frame::Records(text.as_bytes().to_vec());
        assert_eq!(read(&path).unwrap(), [file, records("first"), records("second")]);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let (_folder, path) = written();
        let whole = std::fs::read(&path).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &flipped).unwrap();
            assert!(read(&path).is_err(), "bit {bit} of {}", whole.len() * 8);
        }
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read(&path).is_err(), "cut to {length} of {}", whole.len());
        }
        std::fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
        assert!(read(&path).is_err(), "more after the end");
    }
}
