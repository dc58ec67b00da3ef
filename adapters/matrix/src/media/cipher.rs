//! The SDK's encryption of files, a piece at a time.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use async_stream::try_stream;
use bytes::{Buf, Bytes};
use futures::{Stream, StreamExt};
use matrix_sdk_crypto::{AttachmentDecryptor, AttachmentEncryptor, MediaEncryptionInfo};

use super::Chunks;

/// `key` is there once all has been read.
pub(super) fn encrypted(
    mut chunks: Chunks,
    key: Arc<OnceLock<MediaEncryptionInfo>>,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    try_stream! {
        let feed = Feed::default();
        let mut reader = feed.clone();
        let mut encryptor = AttachmentEncryptor::new(&mut reader);
        while let Some(chunk) = chunks.next().await {
            let encrypted = feed.through(&mut encryptor, chunk?)?;
            yield encrypted;
        }
        let _ = key.set(encryptor.finish());
    }
}

/// Ends with an error where the file is not the one that the key belongs to.
pub(super) fn decrypted(mut chunks: Chunks, key: MediaEncryptionInfo) -> impl Stream<Item = io::Result<Bytes>> + Send {
    try_stream! {
        let feed = Feed::default();
        let mut reader = feed.clone();
        let mut decryptor = AttachmentDecryptor::new(&mut reader, key).map_err(io::Error::other)?;
        while let Some(chunk) = chunks.next().await {
            let decrypted = feed.through(&mut decryptor, chunk?)?;
            yield decrypted;
        }
        // It compares the checksum when it finds nothing more to read.
        decryptor.read(&mut [0])?;
    }
}

/// Gives a piece only when what follows it is known. Whoever sends as many bytes as were told never asks for the end: so
/// the last piece comes after it.
pub(super) fn ahead(mut chunks: Chunks) -> impl Stream<Item = io::Result<Bytes>> + Send {
    try_stream! {
        let mut held = None;
        while let Some(chunk) = chunks.next().await {
            if let Some(before) = held.replace(chunk?) {
                yield before;
            }
        }
        if let Some(last) = held {
            yield last;
        }
    }
}

/// What the cipher reads from: one piece at a time.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<Bytes>>);

impl Feed {
    /// As much as was put in comes out: the cipher works byte by byte.
    fn through(&self, cipher: &mut impl Read, chunk: Bytes) -> io::Result<Bytes> {
        let mut done = vec![0; chunk.len()];
        *self.lock() = chunk;
        if !done.is_empty() {
            cipher.read_exact(&mut done)?;
        }
        Ok(done.into())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.lock();
        let count = bytes.len().min(into.len());
        bytes.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::{TryStreamExt, stream};

    use super::*;

    fn chunks(pieces: Vec<Bytes>) -> Chunks {
        Box::pin(stream::iter(pieces.into_iter().map(Ok)))
    }

    async fn encrypt(pieces: Vec<Bytes>) -> (Vec<Bytes>, MediaEncryptionInfo) {
        let key = Arc::new(OnceLock::new());
        let secret = encrypted(chunks(pieces), Arc::clone(&key)).try_collect().await.unwrap();
        (secret, Arc::into_inner(key).unwrap().into_inner().unwrap())
    }

    /// In other pieces than it went in.
    #[tokio::test]
    async fn what_is_encrypted_in_pieces_is_decrypted_in_pieces() {
        let plain: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        let pieces = plain.chunks(7_777).map(Bytes::copy_from_slice).chain([Bytes::new()]).collect();
        let (secret, key) = encrypt(pieces).await;
        let secret = secret.concat();
        assert_ne!(secret, plain);
        let again = secret.chunks(1_000).map(Bytes::copy_from_slice).collect();
        let read: Vec<Bytes> = decrypted(chunks(again), key).try_collect().await.unwrap();
        assert!(read.concat() == plain);
    }

    #[tokio::test]
    async fn a_changed_file_has_no_end() {
        let (secret, key) = encrypt(vec![Bytes::from_static(b"Twelve rolls"), Bytes::from_static(b"for Anna")]).await;
        let mut changed = secret.concat();
        changed[3] ^= 1;
        let read: io::Result<Vec<Bytes>> = decrypted(chunks(vec![changed.into()]), key).try_collect().await;
        assert!(read.is_err());
    }

    /// As one who counts the bytes, and stops at the last.
    #[tokio::test]
    async fn the_key_is_there_with_the_last_piece_and_an_error_in_its_place() {
        let pieces = || chunks(vec![Bytes::from_static(b"Twelve"), Bytes::from_static(b" rolls")]);
        let key = Arc::new(OnceLock::new());
        let mut secret = Box::pin(ahead(Box::pin(encrypted(pieces(), Arc::clone(&key)))));
        secret.next().await.unwrap().unwrap();
        secret.next().await.unwrap().unwrap();
        assert!(key.get().is_some());

        let broken = pieces().chain(stream::iter([Err(io::Error::other("gone"))]));
        let read: Vec<_> = ahead(Box::pin(broken)).collect().await;
        assert!(matches!(read.as_slice(), [Ok(first), Err(_)] if first == "Twelve"), "{read:?}");
    }

    #[tokio::test]
    async fn a_file_that_breaks_off_has_no_key() {
        let key = Arc::new(OnceLock::new());
        let broken = stream::iter([Ok(Bytes::from_static(b"Twelve")), Err(io::Error::other("gone"))]);
        let secret: io::Result<Vec<Bytes>> = encrypted(Box::pin(broken), Arc::clone(&key)).try_collect().await;
        assert!(secret.is_err() && key.get().is_none());
    }
}
