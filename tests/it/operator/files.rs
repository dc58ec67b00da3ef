//! Files of the operator: brought to the server and read from it by a client of another make.

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{Operator, TimelineEvent};

/// A file as an operator's client sends it.
pub struct Attachment<'a> {
    /// `m.image`, `m.file` ...
    pub msgtype: &'a str,
    pub name: &'a str,
    pub mime: &'a str,
    pub bytes: &'a [u8],
    pub caption: Option<&'a str>,
}

impl Operator {
    /// Encrypted, as everything in an encrypted room; gives the event's id.
    pub async fn send_file(&self, room: &str, thread: &str, file: Attachment<'_>) -> String {
        let path = NamedTempFile::new().unwrap();
        std::fs::write(path.path(), file.bytes).unwrap();
        let mut content = self.done("bring", json!({ "path": path.path(), "mime": file.mime, "encrypt": true })).await;
        content["msgtype"] = file.msgtype.into();
        content["body"] = file.caption.unwrap_or(file.name).into();
        content["filename"] = file.name.into();
        content["info"] = json!({ "mimetype": file.mime, "size": file.bytes.len() });
        content["m.relates_to"] = json!({ "rel_type": "m.thread", "event_id": thread, "is_falling_back": true,
            "m.in_reply_to": { "event_id": thread } });
        self.send(room, content).await
    }

    /// The bytes of the file that an event names.
    pub async fn file(&self, event: &TimelineEvent) -> Vec<u8> {
        let path = NamedTempFile::new().unwrap();
        let asked: Value = json!({ "content": event.content, "path": path.path() });
        self.done("fetch", asked).await;
        std::fs::read(path.path()).unwrap()
    }
}
