//! What the disk itself takes: the limit of everything that is stored before it is confirmed.

use std::{
    fs::File,
    io::Write,
    time::{Duration, Instant},
};

/// So many bare appends of so many bytes, each synced.
pub fn appends(count: usize, bytes: usize) -> Vec<Duration> {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("log")).unwrap();
    let piece = vec![b'x'; bytes];
    let mut one = || {
        let began = Instant::now();
        file.write_all(&piece).unwrap();
        file.sync_data().unwrap();
        began.elapsed()
    };
    (0..count).map(|_| one()).collect()
}
