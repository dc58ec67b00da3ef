//! An operator at a Matrix desk: a real client with a crypto of its own (matrix-nio), in a process of its own.
//! Methods panic with the reason when the server refuses; `ask` gives it as a value.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

mod files;
mod tests;
mod timeline;
mod transcript;

use std::collections::{BTreeMap, HashMap};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::synapse::{self, Account, Synapse};

pub use files::Attachment;
pub use timeline::TimelineEvent;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/operator.py");
const START_WITHIN: Duration = Duration::from_secs(60);
/// Generous, for a machine that is busy otherwise.
const ANSWER_WITHIN: Duration = Duration::from_secs(240);

/// A logged-in client on a new device that syncs until it is dropped.
pub struct Operator {
    user_id: String,
    device_id: String,
    inner: Arc<Inner>,
    stdin: tokio::sync::Mutex<ChildStdin>,
    _process: Child,
    _store: TempDir,
}

struct Inner {
    seen: Mutex<Seen>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Seen {
    rooms: BTreeMap<String, Vec<TimelineEvent>>,
    asked: HashMap<u64, oneshot::Sender<Result<Value, String>>>,
    next: u64,
}

/// A room to be made: private, encrypted, by invitation, unless said otherwise.
#[derive(Clone, Debug)]
pub struct NewRoom {
    pub name: String,
    /// The local part of an alias.
    pub alias: Option<String>,
    pub encrypted: bool,
    /// `invite`, `public`, `knock` ...
    pub join_rule: String,
    pub invite: Vec<String>,
}

impl Default for NewRoom {
    fn default() -> Self {
        Self { name: "Desk".into(), alias: None, encrypted: true, join_rule: "invite".into(), invite: Vec::new() }
    }
}

impl Operator {
    pub async fn login(synapse: &Synapse, account: &Account) -> Self {
        Self::login_at(&synapse.url(), account).await
    }

    /// Invitations are accepted at once; see `accept_invites`.
    pub async fn login_at(homeserver: &str, account: &Account) -> Self {
        let python = tokio::task::spawn_blocking(synapse::python).await.expect("an installed matrix-nio");
        let store = TempDir::new().expect("a temporary folder");
        let mut process = Command::new(python)
            // Isolated: or the script, by its name, would be taken for Python's own module `operator`.
            .args(["-I", SCRIPT, homeserver, &account.user_id])
            .arg(store.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process for the operator");
        let mut stdin = process.stdin.take().expect("a piped stdin");
        let mut lines = BufReader::new(process.stdout.take().expect("a piped stdout")).lines();
        write(&mut stdin, &json!(account.password)).await.expect("an operator that listens");
        let inner = Arc::new(Inner { seen: Mutex::default(), changed: watch::Sender::new(0) });
        let device_id = tokio::time::timeout(START_WITHIN, inner.read_until_ready(&mut lines))
            .await
            .unwrap_or_else(|_| panic!("{} did not log in within {START_WITHIN:?}", account.user_id))
            .unwrap_or_else(|| panic!("{} could not log in: see above", account.user_id));
        tokio::spawn(inner.clone().read(lines));
        let user_id = account.user_id.clone();
        Self { user_id, device_id, inner, stdin: stdin.into(), _process: process, _store: store }
    }

    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// One action of operator.py (`do_...`), for what has no method here, or may be refused.
    pub async fn ask(&self, action: &str, mut args: Value) -> Result<Value, String> {
        let (answer, answered) = oneshot::channel();
        {
            let mut seen = self.inner.seen();
            seen.next += 1;
            args["id"] = seen.next.into();
            args["do"] = action.into();
            let number = seen.next;
            seen.asked.insert(number, answer);
        }
        write(&mut *self.stdin.lock().await, &args)
            .await
            .map_err(|error| format!("the operator has ended: {error}"))?;
        match tokio::time::timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("the operator has ended".into()),
            Err(_) => Err(format!("{action}: no answer within {ANSWER_WITHIN:?}")),
        }
    }

    async fn done(&self, action: &str, args: Value) -> Value {
        self.ask(action, args).await.unwrap_or_else(|error| panic!("{}: {error}", self.user_id))
    }

    async fn id(&self, action: &str, args: Value) -> String {
        self.done(action, args).await.as_str().expect("an id").to_owned()
    }
}

/// Rooms.
impl Operator {
    /// Gives the room's id.
    pub async fn create_room(&self, room: NewRoom) -> String {
        let mut state = vec![json!({ "type": "m.room.join_rules", "content": { "join_rule": room.join_rule } })];
        if room.encrypted {
            state.push(json!({ "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } }));
        }
        let body = json!({ "preset": "private_chat", "name": room.name, "room_alias_name": room.alias,
            "invite": room.invite, "initial_state": state });
        let body: serde_json::Map<_, _> = body.as_object().cloned().unwrap_or_default();
        let body: Value =
            body.into_iter().filter(|(_, value)| !value.is_null()).collect::<serde_json::Map<_, _>>().into();
        self.id("create_room", json!({ "body": body })).await
    }

    /// By id or alias; gives the id once the room is in a sync.
    pub async fn join(&self, room: &str) -> String {
        self.id("joined", json!({ "room": room })).await
    }

    /// Waits until an accepted invitation has become a joined room.
    pub async fn in_room(&self, room: &str) {
        self.done("in_room", json!({ "room": room })).await;
    }

    /// The id behind an alias, or `None`.
    pub async fn resolve(&self, alias: &str) -> Option<String> {
        self.ask("resolve", json!({ "alias": alias })).await.ok()?.as_str().map(str::to_owned)
    }

    pub async fn accept_invites(&self, accept: bool) {
        self.done("accept_invites", json!({ "accept": accept })).await;
    }

    /// Rooms this operator is invited to and has not joined.
    pub async fn invites(&self) -> Vec<String> {
        let invites = self.done("invites", json!({})).await;
        invites.as_object().map(|rooms| rooms.keys().cloned().collect()).unwrap_or_default()
    }

    pub async fn invite(&self, room: &str, user: &str) {
        self.done("invite", json!({ "room": room, "user": user })).await;
    }

    pub async fn kick(&self, room: &str, user: &str) {
        self.done("kick", json!({ "room": room, "user": user })).await;
    }

    pub async fn leave(&self, room: &str) {
        self.done("leave", json!({ "room": room })).await;
    }

    /// Membership (`join`, `invite`, `leave`, `ban`) by user id.
    pub async fn members(&self, room: &str) -> BTreeMap<String, String> {
        serde_json::from_value(self.done("members", json!({ "room": room })).await).expect("a map of memberships")
    }

    /// All state events.
    pub async fn state(&self, room: &str) -> Vec<Value> {
        self.done("state", json!({ "room": room })).await.as_array().cloned().unwrap_or_default()
    }

    pub async fn set_state(&self, room: &str, kind: &str, key: &str, content: Value) {
        self.done("set_state", json!({ "room": room, "type": kind, "state_key": key, "content": content })).await;
    }
}

/// Messages: encrypted where the room is. Each gives the new event's id.
impl Operator {
    pub async fn say(&self, room: &str, text: &str) -> String {
        self.send(room, message("m.text", text)).await
    }

    pub async fn say_in_thread(&self, room: &str, root: &str, text: &str) -> String {
        self.say_in_thread_as(room, root, "m.text", text).await
    }

    /// With `m.notice`, `m.emote` ...
    pub async fn say_in_thread_as(&self, room: &str, root: &str, msgtype: &str, text: &str) -> String {
        let mut content = message(msgtype, text);
        content["m.relates_to"] = json!({ "rel_type": "m.thread", "event_id": root, "is_falling_back": true,
            "m.in_reply_to": { "event_id": root } });
        self.send(room, content).await
    }

    /// A reply to one message, inside the thread.
    pub async fn reply_in_thread(&self, room: &str, root: &str, to: &str, text: &str) -> String {
        let mut content = message("m.text", text);
        content["m.relates_to"] = json!({ "rel_type": "m.thread", "event_id": root, "is_falling_back": false,
            "m.in_reply_to": { "event_id": to } });
        self.send(room, content).await
    }

    /// A reply as clients without threads send it.
    pub async fn reply(&self, room: &str, to: &str, text: &str) -> String {
        let mut content = message("m.text", text);
        content["m.relates_to"] = json!({ "m.in_reply_to": { "event_id": to } });
        self.send(room, content).await
    }

    pub async fn edit(&self, room: &str, event: &str, text: &str) -> String {
        let mut content = message("m.text", &format!("* {text}"));
        content["m.new_content"] = message("m.text", text);
        content["m.relates_to"] = json!({ "rel_type": "m.replace", "event_id": event });
        self.send(room, content).await
    }

    /// A message with whatever content.
    pub async fn send(&self, room: &str, content: Value) -> String {
        self.id("send", json!({ "room": room, "type": "m.room.message", "content": content })).await
    }

    /// Never encrypted, of any type.
    pub async fn send_raw(&self, room: &str, kind: &str, content: Value) -> String {
        self.id("send_raw", json!({ "room": room, "type": kind, "content": content })).await
    }

    pub async fn react(&self, room: &str, event: &str, key: &str) -> String {
        let relation = json!({ "rel_type": "m.annotation", "event_id": event, "key": key });
        self.send_raw(room, "m.reaction", json!({ "m.relates_to": relation })).await
    }

    pub async fn redact(&self, room: &str, event: &str) -> String {
        self.id("redact", json!({ "room": room, "event": event })).await
    }

    /// An encrypted event for which nobody will ever have the key.
    pub async fn send_undecryptable(&self, room: &str, thread_root: Option<&str>) -> String {
        self.id("send_undecryptable", json!({ "room": room, "thread_root": thread_root })).await
    }
}

/// What the operator sees.
impl Operator {
    /// Every event of the room so far, state included, in the server's order. What could be decrypted later is in
    /// its place.
    pub fn timeline(&self, room: &str) -> Vec<TimelineEvent> {
        self.inner.seen().rooms.get(room).cloned().unwrap_or_default()
    }

    /// The room as people read it; see `transcript.rs`.
    pub fn transcript(&self, room: &str) -> String {
        transcript::of(&self.timeline(room))
    }

    /// The first event that fits.
    pub async fn wait_for(
        &self,
        room: &str,
        what: &str,
        timeout: Duration,
        fits: impl Fn(&TimelineEvent) -> bool,
    ) -> TimelineEvent {
        self.wait(timeout, || self.timeline(room).into_iter().find(&fits)).await.unwrap_or_else(|| {
            panic!("{} did not see {what} within {timeout:?}, but this:\n{}", self.user_id, self.transcript(room))
        })
    }

    /// The first message whose body contains the text.
    pub async fn wait_for_text(&self, room: &str, text: &str, timeout: Duration) -> TimelineEvent {
        self.wait_for(room, &format!("{text:?}"), timeout, |event| event.body().contains(text)).await
    }

    /// Waits until the transcript fits, and gives it.
    pub async fn wait_for_transcript(&self, room: &str, timeout: Duration, fits: impl Fn(&str) -> bool) -> String {
        self.wait(timeout, || Some(self.transcript(room)).filter(|transcript| fits(transcript)))
            .await
            .unwrap_or_else(|| panic!("not within {timeout:?}; {} sees:\n{}", self.user_id, self.transcript(room)))
    }

    /// Waits until this user's membership of the room is so.
    pub async fn wait_for_member(&self, room: &str, user: &str, membership: &str, timeout: Duration) {
        self.wait_for(room, &format!("{user}: {membership}"), timeout, |event| {
            event.kind == "m.room.member"
                && event.state_key.as_deref() == Some(user)
                && event.content["membership"] == membership
        })
        .await;
    }

    /// `probe` again after each event, until it gives something.
    pub async fn wait<T>(&self, timeout: Duration, probe: impl Fn() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let mut changed = self.inner.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if let Some(found) = probe() {
                return Some(found);
            }
            if tokio::time::timeout_at(deadline, changed.changed()).await.is_err() {
                return probe();
            }
        }
    }
}

impl Inner {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The device's id, or `None` if the process ended.
    async fn read_until_ready(&self, lines: &mut Lines<BufReader<ChildStdout>>) -> Option<String> {
        while let Ok(Some(line)) = lines.next_line().await {
            let line: Value = serde_json::from_str(&line).expect("a line of JSON");
            if let Some(device) = line["ready"].as_str() {
                return Some(device.to_owned());
            }
            self.take(line);
        }
        None
    }

    async fn read(self: Arc<Self>, mut lines: Lines<BufReader<ChildStdout>>) {
        while let Ok(Some(line)) = lines.next_line().await {
            self.take(serde_json::from_str(&line).expect("a line of JSON"));
        }
        self.seen().asked.clear();
    }

    fn take(&self, mut line: Value) {
        if let Some(number) = line["id"].as_u64() {
            let answer = match line["error"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(line["ok"].take()),
            };
            // Who asked may have stopped waiting.
            let _ = self.seen().asked.remove(&number).map(|asked| asked.send(answer));
            return;
        }
        let room = line["event"]["room_id"].as_str().unwrap_or_default().to_owned();
        let event: TimelineEvent = serde_json::from_value(line["event"].take()).expect("an event");
        {
            let mut seen = self.seen();
            let events = seen.rooms.entry(room).or_default();
            match events.iter_mut().find(|known| known.event_id == event.event_id) {
                Some(known) => *known = event,
                None => events.push(event),
            }
        }
        self.changed.send_modify(|version| *version += 1);
    }
}

fn message(msgtype: &str, text: &str) -> Value {
    json!({ "msgtype": msgtype, "body": text })
}

async fn write(stdin: &mut ChildStdin, line: &Value) -> std::io::Result<()> {
    stdin.write_all(format!("{line}\n").as_bytes()).await?;
    stdin.flush().await
}
