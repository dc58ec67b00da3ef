//! A messenger in memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use frontdesk_core::{
    AccountId, Adapter, Address, Capabilities, ChannelHealth, Cursor, Found, Inbound, Inbox, Limit, Media, Op,
    Outbound, OutboxKey, Pace, PlatformId, PlatformUser, Prepared, ReceiveError, SendError, Sent, Signal, Style,
    TextUnit, ThreadId,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// What one messenger's servers hold. Survives a restart of the program.
pub struct FakePlatform {
    state: Mutex<State>,
    arrived: Notify,
    pub threads: bool,
    /// Whether its sends can be repeated blindly.
    pub repeatable: bool,
    /// Whether `/` begins a command there.
    pub slashes: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Not confirmed yet.
    incoming: VecDeque<Inbound>,
    posts: Vec<Post>,
    sent_keys: HashMap<OutboxKey, Sent>,
    faults: VecDeque<Fault>,
    next: u64,
    signals: Vec<String>,
    gone: Vec<ThreadId>,
}

#[derive(Clone)]
pub struct Post {
    pub id: PlatformId,
    pub chat: String,
    pub thread: Option<ThreadId>,
    pub author: String,
    pub text: String,
    pub notice: bool,
    pub edited: bool,
    pub deleted: bool,
    pub reply_to: Option<PlatformId>,
    pub reactions: Vec<String>,
    pub mentions: Vec<PlatformUser>,
    /// When it came to stand there, on the test's clock.
    pub at: Instant,
}

pub enum Fault {
    /// Fails before anything is done.
    Before(SendError),
    /// Done, and then the answer is lost.
    AnswerLost,
    /// The answer never comes.
    Silence,
}

impl FakePlatform {
    pub fn new(threads: bool, repeatable: bool) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            arrived: Notify::new(),
            threads,
            repeatable,
            slashes: AtomicBool::new(false),
        })
    }

    pub fn fail_next(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push_back(fault);
    }

    /// No more faults than those that have happened.
    pub fn heal(&self) {
        self.state.lock().unwrap().faults.clear();
    }

    pub fn lose_thread(&self, thread: &ThreadId) {
        self.state.lock().unwrap().gone.push(thread.clone());
    }

    pub fn signals(&self) -> Vec<String> {
        self.state.lock().unwrap().signals.clone()
    }

    pub fn posts(&self) -> Vec<Post> {
        self.state.lock().unwrap().posts.clone()
    }

    pub fn arrives(&self, inbound: Inbound) {
        self.state.lock().unwrap().incoming.push_back(inbound);
        self.arrived.notify_one();
    }

    pub fn next(&self, prefix: &str) -> String {
        let mut state = self.state.lock().unwrap();
        state.next += 1;
        format!("{prefix}{}", state.next)
    }

    pub fn note(&self, post: Post) {
        self.state.lock().unwrap().posts.push(post);
    }

    fn carry_out(&self, message: &Outbound) -> Result<Sent, SendError> {
        let mut state = self.state.lock().unwrap();
        if self.repeatable
            && let Some(sent) = state.sent_keys.get(&message.key)
        {
            return Ok(sent.clone());
        }
        let (chat, thread) = match &message.to {
            Address::Chat { chat, .. } => (chat.to_string(), None),
            Address::Desk { desk, thread } => (desk.to_string(), thread.clone()),
        };
        if thread.as_ref().is_some_and(|thread| state.gone.contains(thread)) {
            return Err(SendError::refused(frontdesk_core::RefusedScope::Recipient, "the thread is gone"));
        }
        state.next += 1;
        let id = PlatformId::from(format!("b{}", state.next));
        let sent = match &message.op {
            Op::OpenThread(post) | Op::Post(post) => {
                let opens = matches!(message.op, Op::OpenThread(_));
                let opened = opens.then(|| ThreadId::from(id.as_str()));
                state.posts.push(Post {
                    id: id.clone(),
                    chat,
                    thread: opened.clone().or(thread),
                    author: "frontdesk".into(),
                    text: post.content.readable(),
                    notice: post.style == Style::Notice,
                    edited: false,
                    deleted: false,
                    reply_to: post.reply_to.clone(),
                    reactions: Vec::new(),
                    mentions: post.mentions.clone(),
                    at: Instant::now(),
                });
                Sent { thread: opened, ids: vec![id] }
            }
            Op::Edit { id, post } => {
                let post_there = state.posts.iter_mut().find(|post| post.id == *id).expect("edits what is there");
                (post_there.text, post_there.edited) = (post.content.readable(), true);
                Sent::default()
            }
            Op::Delete { id } => {
                state.posts.iter_mut().find(|post| post.id == *id).expect("deletes what is there").deleted = true;
                Sent::default()
            }
            Op::React { id, emoji } => {
                let post = state.posts.iter_mut().find(|post| post.id == *id).expect("reacts to what is there");
                post.reactions = emoji.iter().cloned().collect();
                Sent::default()
            }
            Op::Template { name, .. } => panic!("no templates here: {name}"),
        };
        state.sent_keys.insert(message.key, sent.clone());
        Ok(sent)
    }
}

pub struct FakeAdapter(pub Arc<FakePlatform>);

#[async_trait]
impl Adapter for FakeAdapter {
    fn capabilities(&self) -> Capabilities {
        let long = Some(Duration::from_secs(48 * 3600));
        Capabilities {
            text: Limit { max: 200, unit: TextUnit::Utf16 },
            media: Vec::new(),
            edit: long,
            delete: long,
            replies: true,
            reactions: true,
            threads: self.0.threads,
            slash_commands: self.0.slashes.load(Ordering::Relaxed),
            typing: true,
            receipts: self.0.threads,
            reply_window: None,
        }
    }

    async fn receive(
        &self,
        inbox: Arc<dyn Inbox>,
        _: Option<Cursor>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        inbox.connected(AccountId::from("us")).await?;
        loop {
            let events: Vec<_> = self.0.state.lock().unwrap().incoming.iter().cloned().collect();
            let count = events.len();
            if count > 0 {
                inbox.accept(events, None).await?;
                self.0.state.lock().unwrap().incoming.drain(..count);
                continue;
            }
            inbox.health(ChannelHealth::CaughtUp);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.0.arrived.notified() => {}
            }
        }
    }

    async fn send(&self, message: &Outbound, _: &Prepared, _: &dyn Media) -> Result<Sent, SendError> {
        let fault = self.0.state.lock().unwrap().faults.pop_front();
        match fault {
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::AnswerLost) => {
                self.0.carry_out(message)?;
                Err(SendError::Uncertain("the answer was lost".into()))
            }
            Some(Fault::Silence) => std::future::pending().await,
            None => self.0.carry_out(message),
        }
    }

    fn repeatable(&self, _: &Outbound) -> bool {
        self.0.repeatable
    }

    fn paces(&self, _: &Address) -> Vec<Pace> {
        Vec::new()
    }

    async fn find(&self, _: &Outbound) -> Result<Found, SendError> {
        Ok(Found::Unknown)
    }

    async fn signal(&self, _: &Address, signal: Signal) {
        self.0.state.lock().unwrap().signals.push(format!("{signal:?}"));
    }
}
