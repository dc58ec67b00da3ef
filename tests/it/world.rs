//! The whole program between messengers in memory, on a clock that the test turns.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf, sync::Arc, time::Duration};

use frontdesk::{
    app::{App, Owner},
    clock::Clock,
    config::{Config, Conversations, Replies, Retention},
    dispatcher::{Desk, Policy},
    health::Health,
    hours::Hours,
    metrics::Scrape,
    notices::{Lang, Wording},
    store::sled::SledStore,
    tools::{self, Answer, Answers, Request, Tools, Wanted},
};
use frontdesk_core::{
    Adapter, Address, ChannelId, Content, DeliveryState, Event, Inbound, Message, Person, PlatformId, Side, ThreadId,
};
use jiff::{SignedDuration, Timestamp, Zoned};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fake::{FakeAdapter, FakePlatform, Post};

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

/// The program between a shop's messenger and a desk.
pub struct World {
    pub shop: Arc<FakePlatform>,
    /// A second messenger for customers.
    pub other: Arc<FakePlatform>,
    pub desk: Arc<FakePlatform>,
    pub policy: Policy,
    pub health: Arc<Health>,
    /// Whose hours and wording are read again when it changes, from the next start on.
    pub config: Option<PathBuf>,
    /// For `/metrics`, while it runs.
    pub scrape: Option<Scrape>,
    clock: Arc<TestClock>,
    pub path: PathBuf,
    folder: tempfile::TempDir,
    tools: Option<Arc<Tools>>,
    running: Option<(tokio::task::JoinHandle<anyhow::Result<()>>, CancellationToken)>,
}

/// A Monday morning, when the shop is open.
pub const MONDAY: &str = "2026-11-23T10:00[Europe/Berlin]";
pub const SHOP: &str = "telegram.shop";
pub const OTHER: &str = "whatsapp.shop";
pub const DESK: &str = "matrix.desk";

impl World {
    /// Starts at a time such as `2026-11-23T10:00[Europe/Berlin]` (a Monday), open on weekdays from nine to six.
    pub async fn at(time: &str) -> Self {
        Self::with(time, |_| {}).await
    }

    pub async fn with(time: &str, change: impl FnOnce(&mut Policy)) -> Self {
        Self::at_desk_on(FakePlatform::new(true, true), time, change).await
    }

    /// With operators on a messenger of another kind.
    pub async fn at_desk_on(desk: Arc<FakePlatform>, time: &str, change: impl FnOnce(&mut Policy)) -> Self {
        let base: Zoned = time.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut policy = policy(base.time_zone());
        change(&mut policy);
        let mut world = Self {
            shop: FakePlatform::new(false, false),
            other: FakePlatform::new(false, false),
            desk,
            policy,
            health: Arc::new(Health::new([])),
            config: None,
            scrape: None,
            clock: Arc::new(TestClock { base: base.timestamp(), start: Instant::now() }),
            path: folder.path().join("store"),
            folder,
            tools: None,
            running: None,
        };
        world.start().await;
        world
    }

    pub async fn start(&mut self) {
        let store = Arc::new(SledStore::open(&self.path).unwrap());
        let adapters: BTreeMap<ChannelId, Arc<dyn Adapter>> = self.adapters();
        self.policy.channels = adapters.iter().map(|(id, adapter)| (id.clone(), adapter.capabilities())).collect();
        self.health = Arc::new(Health::new(adapters.keys().cloned()));
        let retention = Retention { messages: SignedDuration::from_hours(730 * 24) };
        let owner = Owner { archive: store.clone(), data: self.folder.path().to_owned(), retention };
        let mut app =
            App::new(store, self.clock.clone(), self.health.clone(), self.policy.clone(), adapters).with_owner(owner);
        if let Some(file) = &self.config {
            app.watch(file.clone(), Config::load(file).unwrap());
        }
        self.tools = app.tools();
        self.scrape = Some(app.scrape());
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
        // They hold the store.
        (self.tools, self.scrape) = (None, None);
        task.abort();
        let _ = task.await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    pub async fn restart(&mut self) {
        self.kill().await;
        self.start().await;
    }

    /// What a tool of the owner is answered, while the program runs.
    pub async fn tool(&self, request: Request) -> Vec<Answer> {
        carried_out(self.tools.clone().expect("it runs"), request).await
    }

    /// The same while it does not.
    pub async fn tool_alone(&self, request: Request) -> Vec<Answer> {
        assert!(self.running.is_none(), "it runs");
        let archive = Arc::new(SledStore::open(&self.path).unwrap());
        let data = self.folder.path().to_owned();
        let tools = Arc::new(Tools { archive, outbox: None, clock: self.clock.clone(), data });
        carried_out(tools, request).await
    }

    /// The machine is lost, and all but a backup; the program goes on from that, elsewhere.
    pub async fn restore(&mut self, file: &std::path::Path) {
        self.kill().await;
        let folder = tempfile::tempdir().unwrap();
        let wanted = Wanted {
            data: folder.path(),
            desks: vec![("main".into(), DESK.into())],
            timezone: self.policy.timezone().clone(),
            at: self.clock.now(),
        };
        tools::restore(file, &wanted, |_, _| {}).unwrap();
        self.path = folder.path().join("store");
        self.folder = folder;
        self.start().await;
    }

    /// The folder of everything that is kept.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
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
        platform.note_from(name, &message);
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

    /// The second messenger says what became of a message of ours.
    pub async fn status(&self, name: &str, text: &str, state: DeliveryState) {
        let (id, key) = self.other.sent(text);
        let event = Event::Status { key: Some(key), id: Some(id), state };
        self.other.arrives(self.customer(&self.other, name, event));
        self.settle().await;
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

    /// The operator changes what they wrote; their own app shows it at once. Matrix does not say in which thread.
    pub async fn edits(&self, operator: &str, id: &PlatformId, text: &str) {
        self.desk.change(id, |post| (post.text, post.edited) = (text.to_owned(), true));
        let event = Event::Edited { id: id.clone(), content: Content::text(text), notice: false };
        self.at_desk(operator, None, event).await;
    }

    /// See [`World::edits`].
    pub async fn deletes(&self, operator: &str, id: &PlatformId) {
        self.desk.change(id, |post| post.deleted = true);
        self.at_desk(operator, None, Event::Deleted { ids: vec![id.clone()] }).await;
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
        self.at_another_desk("main", operator, thread, event).await;
    }

    /// At a desk that the test has added.
    pub async fn at_another_desk(&self, desk: &str, operator: &str, thread: Option<ThreadId>, event: Event) {
        self.desk.arrives(Inbound {
            key: self.desk.next("k").into(),
            side: Side::Desk { desk: desk.into(), thread: thread.clone() },
            from: Person::human(format!("@{operator}:example.org"), operator),
            at: Address::Desk { desk: desk.into(), thread },
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

async fn carried_out(tools: Arc<Tools>, request: Request) -> Vec<Answer> {
    let (sender, mut answers) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move { tools.carry_out(request, &Answers(sender)).await });
    let mut all = Vec::new();
    while let Some(answer) = answers.recv().await {
        all.push(answer);
    }
    all
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

pub fn policy(timezone: &jiff::tz::TimeZone) -> Policy {
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
        templates: BTreeMap::new(),
    }
}
