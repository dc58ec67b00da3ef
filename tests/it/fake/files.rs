//! The files on a messenger in memory.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use frontdesk_core::{
    Limit, Media, MediaKind, MediaLimit, MediaRef, MediaStream, Outbound, Prepared, RefusedScope, SendError, TextUnit,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::{FakePlatform, Op};

#[derive(Default)]
pub(super) struct Files {
    /// What it takes; at first nothing.
    pub(super) limits: Vec<MediaLimit>,
    stored: HashMap<String, Vec<u8>>,
    faults: VecDeque<FileFault>,
    /// Uploads that were begun and those that were whole.
    begun: usize,
    whole: usize,
}

/// What becomes of the next file that is fetched.
pub enum FileFault {
    Refused(SendError),
    /// After some bytes of it.
    BreaksOff,
    /// Some bytes, and then nothing any more.
    Stalls,
    /// Nobody tells its size.
    Unmeasured,
}

impl FakePlatform {
    /// Pictures up to 1,000 bytes, other files up to 5,000, stickers without words.
    pub fn takes_files(&self) {
        let caption = Some(Limit { max: 60, unit: TextUnit::Utf16 });
        let limit = |kind, max_bytes| MediaLimit { kind, max_bytes, caption };
        self.files(|files| {
            files.limits = vec![
                limit(MediaKind::Image, 1_000),
                limit(MediaKind::File, 5_000),
                MediaLimit { caption: None, ..limit(MediaKind::Sticker, 500) },
            ];
        });
    }

    /// A file that lies here.
    pub fn keeps(&self, kind: MediaKind, name: &str, bytes: &[u8]) -> MediaRef {
        let reference = self.next("file");
        self.files(|files| files.stored.insert(reference.clone(), bytes.to_vec()));
        MediaRef { name: Some(name.into()), size: Some(bytes.len() as u64), ..MediaRef::new(kind, reference) }
    }

    pub fn fail_next_file(&self, fault: FileFault) {
        self.files(|files| files.faults.push_back(fault));
    }

    /// How many uploads were begun, and how many of them were whole.
    pub fn uploads(&self) -> (usize, usize) {
        self.files(|files| (files.begun, files.whole))
    }

    pub(super) fn files<T>(&self, look: impl FnOnce(&mut Files) -> T) -> T {
        look(&mut self.state.lock().unwrap().files)
    }

    pub(super) fn fetch(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        let fault = self.files(|files| files.faults.pop_front());
        let stored = self.files(|files| files.stored.get(&media.reference).cloned());
        let bytes = stored.ok_or_else(|| SendError::refused(RefusedScope::Content, "there is no such file"))?;
        let size = Some(bytes.len() as u64);
        let pieces: Vec<_> = bytes.chunks(100).map(Bytes::copy_from_slice).collect();
        let some = stream::iter(pieces.first().cloned().map(Ok));
        let all = stream::iter(pieces.into_iter().map(Ok));
        let (size, chunks): (_, std::pin::Pin<Box<dyn futures::Stream<Item = _> + Send>>) = match fault {
            Some(FileFault::Refused(error)) => return Err(error),
            Some(FileFault::BreaksOff) => {
                (size, Box::pin(some.chain(stream::iter([Err(std::io::Error::other("the line went dead"))]))))
            }
            Some(FileFault::Stalls) => (size, Box::pin(some.chain(stream::pending()))),
            Some(FileFault::Unmeasured) => (None, Box::pin(all)),
            None => (size, Box::pin(all)),
        };
        Ok(MediaStream { size, mime: media.mime.clone(), chunks })
    }

    pub(super) async fn upload(&self, message: &Outbound, media: &dyn Media) -> Result<Prepared, SendError> {
        let Op::Post(post) = &message.op else { return Ok(Prepared::default()) };
        let Some((file, _)) = post.content.file() else { return Ok(Prepared::default()) };
        self.files(|files| files.begun += 1);
        let bytes = read(media, file).await?;
        let reference = self.next("upload");
        self.files(|files| {
            files.whole += 1;
            files.stored.insert(reference.clone(), bytes);
        });
        Ok(Prepared(json!({ "upload": reference })))
    }

    /// What a send carries: as it comes, or as it was brought here before.
    pub(super) async fn file(
        &self,
        message: &Outbound,
        prepared: &Prepared,
        media: &dyn Media,
    ) -> Result<Option<Vec<u8>>, SendError> {
        let Op::Post(post) = &message.op else { return Ok(None) };
        let Some((file, caption)) = post.content.file() else { return Ok(None) };
        let limit = self.files(|files| files.limits.iter().find(|limit| limit.kind == file.kind).copied());
        let limit = limit.expect("only files that it takes are sent here");
        match (caption, limit.caption) {
            (Some(caption), Some(limit)) => assert!(limit.fits(caption), "{caption}"),
            (Some(caption), None) => panic!("it takes no words beside it: {caption}"),
            (None, _) => {}
        }
        match prepared.0["upload"].as_str() {
            Some(upload) => Ok(Some(self.files(|files| files.stored[upload].clone()))),
            None => read(media, file).await.map(Some),
        }
    }
}

async fn read(media: &dyn Media, file: &MediaRef) -> Result<Vec<u8>, SendError> {
    let stream = media.open(file).await?;
    let pieces: Result<Vec<Bytes>, _> = stream.chunks.try_collect().await;
    pieces.map(|pieces| pieces.concat()).map_err(|_| SendError::Uncertain("the request broke off".into()))
}
