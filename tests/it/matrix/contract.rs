use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use frontdesk_core::{
    Adapter, Address, RefusedScope, SendErrorKind, Side, ThreadId,
    contract::{self, Counterpart, FarSide, Trouble},
};
use serde_json::{Value, json};

use super::bench::{Bench, adapter};
use crate::{
    fault::{Answer, Fault},
    operator::NewRoom,
    proxy::Proxy,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_matrix_desk_keeps_the_contract() {
    let skipped = ["a closed reply window is said to be one", "a chat that moved has its new address"];
    contract::assert_kept(&Desk::new().await, &skipped).await;
}

struct Desk {
    bench: Bench,
    room: String,
    /// Before the homeserver.
    proxy: Proxy,
    /// So many calls have failed before the last trouble.
    troubles: AtomicUsize,
}

impl Desk {
    async fn new() -> Self {
        let bench = Bench::new().await;
        // Not encrypted: the first words are written before we have a device that could get their key.
        let invite = vec![bench.bot.user_id.clone()];
        let room = bench.ann.create_room(NewRoom { encrypted: false, invite, ..NewRoom::default() }).await;
        let proxy = Proxy::before(&bench.synapse.url()).await;
        Self { bench, room, proxy, troubles: AtomicUsize::new(0) }
    }

    /// What stands in the room, or in a thread of it, as words; ours only.
    fn ours(&self, thread: Option<&ThreadId>) -> Vec<String> {
        let thread = thread.map(ThreadId::as_str);
        let timeline = self.bench.ann.timeline(&self.room);
        let ours = timeline.iter().filter(|event| event.sender == self.bench.bot.user_id && !event.body().is_empty());
        let there = ours.filter(|event| event.thread_root() == thread || Some(event.event_id.as_str()) == thread);
        there.map(|event| event.body().to_owned()).collect()
    }
}

#[async_trait]
impl FarSide for Desk {
    async fn adapter(&self) -> Arc<dyn Adapter> {
        let (bench, desk) = (&self.bench, json!({ "room": self.room }));
        Arc::new(adapter(self.proxy.url(), &bench.bot.user_id, &bench.password(), &[desk], bench.disk.path()))
    }

    fn person(&self) -> Counterpart {
        let id = self.bench.ann.user_id();
        Counterpart {
            id: id.into(),
            name: id[1..].split(':').next().unwrap_or_default().to_owned(),
            at: Address::Desk { desk: "main".into(), thread: None },
            side: Side::Desk { desk: "main".into(), thread: None },
        }
    }

    async fn says(&self, text: &str) {
        self.bench.ann.say(&self.room, text).await;
    }

    async fn sees(&self) -> Vec<String> {
        self.ours(None)
    }

    async fn provoke(&self, trouble: Trouble) -> bool {
        let minute = Duration::from_secs(60);
        let (calls, fault) = match trouble {
            Trouble::AnswerLost => (SENDS, Fault::after(Answer::Reset)),
            Trouble::AnswerHangs => (SENDS, Fault::after(Answer::Silence(minute))),
            Trouble::DeliveryBreaks => (POLLS, Fault::after(Answer::Cut)),
            Trouble::DeliveryHangs => (POLLS, Fault::before(Answer::Silence(minute))),
            Trouble::DeliveryReversed => {
                self.proxy.rewrite_next(POLLS, reverse_timelines);
                return true;
            }
            Trouble::SendFails(kind) => match failure(kind) {
                Some(answer) => (SENDS, Fault::before(answer)),
                None => return false,
            },
        };
        self.troubles.store(self.proxy.failed_calls(), SeqCst);
        self.proxy.fail_next(calls, 1, fault);
        true
    }

    async fn is_met(&self) -> bool {
        self.proxy.failed_calls() > self.troubles.load(SeqCst)
    }

    async fn says_in(&self, thread: &ThreadId, text: &str) {
        self.bench.ann.say_in_thread(&self.room, thread.as_str(), text).await;
    }

    async fn sees_in(&self, thread: &ThreadId) -> Vec<String> {
        self.ours(Some(thread))
    }
}

const SENDS: &str = "PUT */rooms/*/send/*";
const POLLS: &str = "GET */sync*";

fn reverse_timelines(sync: &mut Value) {
    let rooms = sync["rooms"]["join"].as_object_mut().into_iter().flat_map(|rooms| rooms.values_mut());
    rooms.filter_map(|room| room["timeline"]["events"].as_array_mut()).for_each(|events| events.reverse());
}

/// How Synapse says it. Rooms have no reply window and do not move.
fn failure(kind: SendErrorKind) -> Option<Answer> {
    let answer = match kind {
        SendErrorKind::RetryAfter => Answer::TooMany(Some(2)),
        SendErrorKind::Transient => {
            Answer::Says(403, r#"{ "errcode": "M_FORBIDDEN", "error": "You don't have permission to post that" }"#)
        }
        SendErrorKind::Uncertain => Answer::Reset,
        SendErrorKind::WindowClosed | SendErrorKind::Moved => return None,
        SendErrorKind::Refused(RefusedScope::Content) => {
            Answer::Says(413, r#"{ "errcode": "M_TOO_LARGE", "error": "event too large" }"#)
        }
        SendErrorKind::Refused(RefusedScope::Recipient) => {
            Answer::Says(404, r#"{ "errcode": "M_NOT_FOUND", "error": "Unknown room" }"#)
        }
        SendErrorKind::Refused(RefusedScope::Account) => {
            Answer::Says(401, r#"{ "errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token passed." }"#)
        }
    };
    Some(answer)
}
