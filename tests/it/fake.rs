//! A messenger in memory, and the whole program between two of them on a clock that the test turns.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt::Write,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use frontdesk::{
    app::App,
    clock::Clock,
    config::{Conversations, Replies},
    dispatcher::{Desk, Policy},
    health::Health,
    hours::Hours,
    notices::{Lang, Wording},
    store::{Store, sled::SledStore},
};
use frontdesk_core::{
    AccountId, Adapter, Address, Capabilities, ChannelHealth, ChannelId, Cursor, Event, Found, Inbound, Inbox, Limit,
    Media, Message, Op, Outbound, OutboxKey, Pace, Person, PlatformId, PlatformUser, Prepared, ReceiveError, SendError,
    Sent, Side, Signal, Style, TextUnit, ThreadId,
};
use jiff::{SignedDuration, Timestamp, Zoned};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// Follows tokio's own clock, which tests pause.
pub struct TestClock {
    base: Timestamp,
    start: Instant,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.base + SignedDuration::try_from(self.start.elapsed()).unwrap()
    }
}

/// What one messenger's servers hold. Survives a restart of the program.
pub struct FakePlatform {
    state: Mutex<State>,
    arrived: Notify,
    pub threads: bool,
    /// Whether its sends can be repeated blindly.
    pub repeatable: bool,
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
    fn new(threads: bool, repeatable: bool) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), arrived: Notify::new(), threads, repeatable })
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

    fn next(&self, prefix: &str) -> String {
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

struct FakeAdapter(Arc<FakePlatform>);

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
            slash_commands: false,
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

/// The program between a shop's messenger and a desk.
pub struct World {
    pub shop: Arc<FakePlatform>,
    /// A second messenger for customers.
    pub other: Arc<FakePlatform>,
    pub desk: Arc<FakePlatform>,
    pub policy: Policy,
    clock: Arc<TestClock>,
    path: PathBuf,
    _folder: tempfile::TempDir,
    running: Option<(tokio::task::JoinHandle<anyhow::Result<()>>, CancellationToken)>,
}

pub const SHOP: &str = "telegram.shop";
pub const OTHER: &str = "whatsapp.shop";
const DESK: &str = "matrix.desk";

impl World {
    /// Starts at a time such as `2026-11-23T10:00[Europe/Berlin]` (a Monday), open on weekdays from nine to six.
    pub async fn at(time: &str) -> Self {
        Self::with(time, |_| {}).await
    }

    pub async fn with(time: &str, change: impl FnOnce(&mut Policy)) -> Self {
        let base: Zoned = time.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut policy = policy(base.time_zone());
        change(&mut policy);
        let mut world = Self {
            shop: FakePlatform::new(false, false),
            other: FakePlatform::new(false, false),
            desk: FakePlatform::new(true, true),
            policy,
            clock: Arc::new(TestClock { base: base.timestamp(), start: Instant::now() }),
            path: folder.path().join("store"),
            _folder: folder,
            running: None,
        };
        world.start().await;
        world
    }

    pub async fn start(&mut self) {
        let store: Arc<dyn Store> = Arc::new(SledStore::open(&self.path).unwrap());
        let adapters: BTreeMap<ChannelId, Arc<dyn Adapter>> = self.adapters();
        self.policy.channels = adapters.iter().map(|(id, adapter)| (id.clone(), adapter.capabilities())).collect();
        let health = Arc::new(Health::new(adapters.keys().cloned()));
        let app = App::new(store, self.clock.clone(), health, self.policy.clone(), adapters);
        let stop = CancellationToken::new();
        self.running = Some((tokio::spawn(app.run(stop.clone())), stop));
        self.settle().await;
    }

    fn adapters(&self) -> BTreeMap<ChannelId, Arc<dyn Adapter>> {
        let adapter = |platform: &Arc<FakePlatform>| -> Arc<dyn Adapter> { Arc::new(FakeAdapter(platform.clone())) };
        BTreeMap::from([
            (SHOP.into(), adapter(&self.shop)),
            (OTHER.into(), adapter(&self.other)),
            (DESK.into(), adapter(&self.desk)),
        ])
    }

    /// Ends the program where it stands; what it had not put on disk is lost.
    pub async fn kill(&mut self) {
        let (task, _) = self.running.take().unwrap();
        task.abort();
        let _ = task.await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    pub async fn restart(&mut self) {
        self.kill().await;
        self.start().await;
    }

    /// Lets everything happen that can happen now.
    pub async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    pub async fn passes(&self, time: Duration) {
        tokio::time::sleep(time).await;
        self.settle().await;
    }

    pub async fn secs(&self, secs: u64) {
        self.passes(Duration::from_secs(secs)).await;
    }

    pub async fn hours(&self, hours: u64) {
        self.passes(Duration::from_secs(hours * 3600)).await;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A customer writes on the shop's messenger; their name is their id.
    pub async fn says(&self, name: &str, text: &str) -> PlatformId {
        self.says_on(&self.shop, name, text).await
    }

    pub async fn says_on(&self, platform: &Arc<FakePlatform>, name: &str, text: &str) -> PlatformId {
        let message = Message::text(platform.next("c"), text);
        self.customer_sends(platform, name, message).await
    }

    pub async fn customer_sends(&self, platform: &Arc<FakePlatform>, name: &str, message: Message) -> PlatformId {
        let id = message.id.clone();
        platform.note(Post {
            id: id.clone(),
            chat: name.into(),
            thread: None,
            author: name.into(),
            text: message.content.readable(),
            notice: false,
            edited: false,
            deleted: false,
            reply_to: message.reply_to.clone(),
            reactions: Vec::new(),
            mentions: Vec::new(),
            at: Instant::now(),
        });
        platform.arrives(self.customer(platform, name, Event::Message(message)));
        self.settle().await;
        id
    }

    /// Any event of a customer.
    pub fn customer(&self, platform: &FakePlatform, name: &str, event: Event) -> Inbound {
        let mut from = Person::human(name, name);
        from.first_name = Some(name.into());
        from.language = Some("en".into());
        Inbound {
            key: platform.next("k").into(),
            side: Side::Customer,
            from,
            at: Address::chat(name),
            sent_at: Some(self.now()),
            event,
        }
    }

    pub async fn does(&self, name: &str, event: Event) {
        self.shop.arrives(self.customer(&self.shop, name, event));
        self.settle().await;
    }

    /// An operator writes in the thread whose card begins with this name; the newest one.
    pub async fn answers(&self, operator: &str, customer: &str, text: &str) -> PlatformId {
        let thread = self.thread(customer);
        self.writes(operator, Some(thread), Message::text(self.desk.next("o"), text)).await
    }

    pub fn thread(&self, customer: &str) -> ThreadId {
        let posts = self.desk.posts();
        let card = posts.iter().rev().find(|post| is_card(post) && post.text.starts_with(customer));
        card.and_then(|card| card.thread.clone()).unwrap_or_else(|| panic!("{customer} has no card"))
    }

    pub async fn writes(&self, operator: &str, thread: Option<ThreadId>, message: Message) -> PlatformId {
        let id = message.id.clone();
        self.desk.note(Post {
            id: id.clone(),
            chat: "main".into(),
            thread: thread.clone(),
            author: operator.into(),
            text: message.content.readable(),
            notice: message.notice,
            edited: false,
            deleted: false,
            reply_to: message.reply_to.clone(),
            reactions: Vec::new(),
            mentions: Vec::new(),
            at: Instant::now(),
        });
        self.at_desk(operator, thread, Event::Message(message)).await;
        id
    }

    pub async fn at_desk(&self, operator: &str, thread: Option<ThreadId>, event: Event) {
        let side = Side::Desk { desk: "main".into(), thread: thread.clone() };
        self.desk.arrives(Inbound {
            key: self.desk.next("k").into(),
            side,
            from: Person::human(format!("@{operator}:example.org"), operator),
            at: Address::Desk { desk: "main".into(), thread },
            sent_at: Some(self.now()),
            event,
        });
        self.settle().await;
    }

    /// What a customer sees in their app.
    pub fn chat(&self, name: &str) -> String {
        Self::chat_on(&self.shop, name)
    }

    pub fn chat_on(platform: &FakePlatform, name: &str) -> String {
        let posts = platform.posts();
        posts.iter().filter(|post| post.chat == name).map(|post| line(post, &posts, "")).collect()
    }

    /// What the operators see in their room: threads under their cards, then what stands outside.
    pub fn room(&self) -> String {
        let posts = self.desk.posts();
        let mut room = String::new();
        for post in posts.iter().filter(|post| is_card(post) || post.thread.is_none()) {
            room.push_str(&line(post, &posts, ""));
            let Some(thread) = post.thread.as_ref().filter(|_| is_card(post)) else { continue };
            for reply in posts.iter().filter(|it| it.thread.as_ref() == Some(thread) && !is_card(it)) {
                room.push_str(&line(reply, &posts, "    "));
            }
        }
        room
    }
}

fn is_card(post: &Post) -> bool {
    post.thread.as_ref().is_some_and(|thread| thread.as_str() == post.id.as_str())
}

fn line(post: &Post, posts: &[Post], indent: &str) -> String {
    let mut line = String::from(indent);
    if post.notice {
        line += "notice: ";
    }
    let _ = write!(line, "{}: ", post.author);
    if let Some(quoted) = post.reply_to.as_ref().and_then(|id| posts.iter().find(|it| it.id == *id)) {
        let _ = write!(line, "(reply to {:?}) ", quoted.text.lines().next().unwrap_or_default());
    }
    let text = post.text.replace('\u{200b}', "(invisible)");
    line.push_str(&text.replace('\n', &format!("\n{indent}  ")));
    for mention in &post.mentions {
        let _ = write!(line, " (to {mention})");
    }
    if post.edited && !is_card(post) {
        line += " (edited)";
    }
    if post.deleted {
        line += " (deleted)";
    }
    for reaction in &post.reactions {
        let _ = write!(line, " {{{reaction}}}");
    }
    line + "\n"
}

fn policy(timezone: &jiff::tz::TimeZone) -> Policy {
    let open = vec!["09:00-18:00".parse().unwrap()];
    let week = std::array::from_fn(|day| if day < 5 { open.clone() } else { Vec::new() });
    let languages: Vec<Lang> = vec!["en".parse().unwrap(), "de".parse().unwrap()];
    Policy {
        business: "Blue Door Bakery".into(),
        hours: Hours::new(timezone.clone(), week, Vec::new()).unwrap(),
        replies: Replies {
            ack_delay: SignedDuration::from_secs(10),
            after_hours: true,
            human_present: SignedDuration::from_mins(15),
            repeat_after: SignedDuration::from_hours(7 * 24),
            again_after: None,
            wording: Wording::new(&BTreeMap::new(), &languages).unwrap(),
        },
        languages,
        conversations: Conversations {
            reopen_within: SignedDuration::from_hours(24),
            close_idle: SignedDuration::from_hours(72),
            give_up_after: SignedDuration::from_hours(72),
        },
        desks: vec![Desk { name: "main".into(), channel: DESK.into(), operators: Vec::new(), sign: None }],
        channels: BTreeMap::new(),
    }
}
