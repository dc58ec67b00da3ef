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
    AccountId, Adapter, Address, Argument, Capabilities, ChannelHealth, Cursor, Found, Inbound, Inbox, Limit, Media,
    MediaRef, MediaStream, Message, Op, Outbound, OutboxKey, Pace, PlatformId, PlatformUser, Prepared, ReceiveError,
    SendError, Sent, Signal, Style, Template, TextUnit, ThreadId,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

mod files;

pub use files::FileFault;
use files::Files;

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
    /// For sends to one chat or thread only.
    chat_faults: HashMap<String, VecDeque<Fault>>,
    finds: Finds,
    /// An upload before a send takes so long.
    prepare_takes: Option<Duration>,
    /// Nobody reaches its servers.
    down: bool,
    /// Connected, but what arrived is not handed over yet.
    held_back: bool,
    /// What was carried out, in order.
    carried_out: Vec<String>,
    next: u64,
    signals: Vec<String>,
    gone: Vec<ThreadId>,
    /// For how long after their last message a customer can be answered.
    window: Option<Duration>,
    /// Answers that came too late.
    too_late: usize,
    templates: Vec<Template>,
    /// Why they cannot be read.
    no_templates: Option<String>,
    templates_read: usize,
    keys: HashMap<PlatformId, OutboxKey>,
    files: Files,
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
    /// What came with it, where it was carried as a file.
    pub file: Option<Vec<u8>>,
    /// When it came to stand there, on the test's clock.
    pub at: Instant,
}

pub enum Fault {
    /// Fails before anything is done.
    Before(SendError),
    /// Done, and then the answer is lost.
    AnswerLost,
    /// Nothing is done, and no answer comes.
    Silence,
    /// Done, and no answer comes.
    DoneInSilence,
}

/// What a look for an uncertain send finds.
#[derive(Clone, Copy, Default)]
pub enum Finds {
    /// There is no way to look.
    #[default]
    Nothing,
    /// What is there, and what is not.
    Truth,
    /// The look has no end.
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

    /// From now on like WhatsApp: a reply window, templates, nothing that was sent can be changed.
    pub fn has_window(&self, window: Duration, templates: &[(&str, &str, &str)]) {
        let mut state = self.state.lock().unwrap();
        state.window = Some(window);
        state.templates = templates.iter().map(|(name, language, body)| template(name, language, body)).collect();
    }

    pub fn templates_fail(&self, problem: Option<&str>) {
        self.state.lock().unwrap().no_templates = problem.map(str::to_owned);
    }

    pub fn templates_read(&self) -> usize {
        self.state.lock().unwrap().templates_read
    }

    /// Answers that this platform refused because they came too late.
    pub fn too_late(&self) -> usize {
        self.state.lock().unwrap().too_late
    }

    /// The latest message of ours with this text: what the platform calls it, and the key that it was sent with.
    pub fn sent(&self, text: &str) -> (PlatformId, OutboxKey) {
        let state = self.state.lock().unwrap();
        let post = state.posts.iter().rev().find(|post| post.text == text && post.author == "frontdesk");
        let id = post.unwrap_or_else(|| panic!("`{text}` was not sent")).id.clone();
        let key = state.keys[&id];
        (id, key)
    }

    /// Whether the customer wrote long enough ago that only templates are taken.
    fn is_closed(&self, message: &Outbound) -> bool {
        let mut state = self.state.lock().unwrap();
        let (Some(window), Address::Chat { chat, .. }) = (state.window, &message.to) else { return false };
        let last = state.posts.iter().rev().find(|post| post.chat == chat.as_str() && post.author == chat.as_str());
        let open = last.is_some_and(|post| post.at.elapsed() < window);
        let closed = !open && !matches!(message.op, Op::Template { .. });
        state.too_late += usize::from(closed);
        closed
    }

    pub fn fail_next(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push_back(fault);
    }

    /// Like [`FakePlatform::fail_next`], for the sends to one chat or thread.
    pub fn fail_next_to(&self, place: &str, fault: Fault) {
        self.state.lock().unwrap().chat_faults.entry(place.to_owned()).or_default().push_back(fault);
    }

    /// No more faults than those that have happened.
    pub fn heal(&self) {
        let mut state = self.state.lock().unwrap();
        state.faults.clear();
        state.chat_faults.clear();
    }

    pub fn faults_left(&self) -> usize {
        self.state.lock().unwrap().faults.len()
    }

    pub fn finds(&self, finds: Finds) {
        self.state.lock().unwrap().finds = finds;
    }

    pub fn prepares_for(&self, time: Duration) {
        self.state.lock().unwrap().prepare_takes = Some(time);
    }

    pub fn goes_down(&self) {
        self.state.lock().unwrap().down = true;
        self.arrived.notify_one();
    }

    pub fn comes_back(&self) {
        self.state.lock().unwrap().down = false;
        self.arrived.notify_one();
    }

    /// Hands nothing over until [`FakePlatform::lets_go`].
    pub fn holds_back(&self) {
        self.state.lock().unwrap().held_back = true;
    }

    pub fn lets_go(&self) {
        self.state.lock().unwrap().held_back = false;
        self.arrived.notify_one();
    }

    pub fn carried_out(&self) -> Vec<String> {
        self.state.lock().unwrap().carried_out.clone()
    }

    /// What stands there is changed or deleted by whoever wrote it.
    pub fn change(&self, id: &PlatformId, change: impl FnOnce(&mut Post)) {
        let mut state = self.state.lock().unwrap();
        change(state.posts.iter_mut().find(|post| post.id == *id).expect("changes what is there"));
    }

    fn fault(&self, message: &Outbound) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        if state.down {
            return Some(Fault::Before(SendError::Transient("no connection".into())));
        }
        let place = match &message.to {
            Address::Chat { chat, .. } => chat.as_str(),
            Address::Desk { desk, thread } => thread.as_ref().map_or(desk.as_str(), ThreadId::as_str),
        };
        let own = state.chat_faults.get_mut(place).and_then(VecDeque::pop_front);
        own.or_else(|| state.faults.pop_front())
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

    /// A customer's own app shows what they wrote.
    pub fn note_from(&self, chat: &str, message: &Message) {
        self.note(Post {
            id: message.id.clone(),
            chat: chat.into(),
            thread: None,
            author: chat.into(),
            text: message.content.readable(),
            notice: false,
            edited: false,
            deleted: false,
            reply_to: message.reply_to.clone(),
            reactions: Vec::new(),
            mentions: Vec::new(),
            file: None,
            at: Instant::now(),
        });
    }

    pub fn note(&self, post: Post) {
        self.state.lock().unwrap().posts.push(post);
    }

    fn carry_out(&self, message: &Outbound, file: Option<Vec<u8>>) -> Result<Sent, SendError> {
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
        state.carried_out.push(summary(&message.op));
        let id = PlatformId::from(format!("b{}", state.next));
        if matches!(message.op, Op::Post(_) | Op::Template { .. }) {
            state.keys.insert(id.clone(), message.key);
        }
        let as_template;
        let sent = match &message.op {
            Op::Template { name, language, arguments } => {
                as_template = read_by_the_customer(&state.templates, name, language, arguments)?;
                state.posts.push(Post {
                    id: id.clone(),
                    chat,
                    thread: None,
                    author: "frontdesk".into(),
                    text: as_template,
                    notice: false,
                    edited: false,
                    deleted: false,
                    reply_to: None,
                    reactions: Vec::new(),
                    mentions: Vec::new(),
                    file: None,
                    at: Instant::now(),
                });
                Sent::one(id)
            }
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
                    file,
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
        };
        state.sent_keys.insert(message.key, sent.clone());
        Ok(sent)
    }
}

/// `{{1}}` and the like are its parameters.
fn template(name: &str, language: &str, body: &str) -> Template {
    let gaps = body.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    let mut parameters: Vec<String> = gaps.map(str::to_owned).collect();
    parameters.dedup();
    Template { name: name.into(), language: language.into(), body: body.into(), parameters, problem: None }
}

/// As the platform fills it in; it knows nothing of what we think that it reads.
fn read_by_the_customer(
    templates: &[Template],
    name: &str,
    language: &str,
    arguments: &[Argument],
) -> Result<String, SendError> {
    let found = templates.iter().find(|it| it.name == name && it.language == language);
    let refused = |reason: &str| SendError::refused(frontdesk_core::RefusedScope::Content, reason);
    let template = found.ok_or_else(|| refused("there is no such template"))?;
    if template.parameters.len() != arguments.len() {
        return Err(refused("the number of parameters is wrong"));
    }
    let gaps = template.parameters.iter().zip(arguments);
    Ok(gaps.fold(template.body.clone(), |text, (gap, it)| text.replace(&format!("{{{{{gap}}}}}"), &it.text)))
}

fn summary(op: &Op) -> String {
    let first = |post: &frontdesk_core::Post| post.content.readable().replace('\n', " / ");
    match op {
        Op::OpenThread(post) => format!("open: {}", first(post)),
        Op::Post(post) => format!("post: {}", first(post)),
        Op::Edit { post, .. } => format!("edit: {}", first(post)),
        Op::Delete { .. } => "delete".to_owned(),
        Op::React { emoji, .. } => format!("react: {}", emoji.as_deref().unwrap_or("nothing")),
        Op::Template { name, .. } => format!("template: {name}"),
    }
}

pub struct FakeAdapter(pub Arc<FakePlatform>);

#[async_trait]
impl Adapter for FakeAdapter {
    fn capabilities(&self) -> Capabilities {
        let window = self.0.state.lock().unwrap().window;
        let long = window.is_none().then_some(Duration::from_secs(48 * 3600));
        Capabilities {
            text: Limit { max: 200, unit: TextUnit::Utf16 },
            media: self.0.files(|files| files.limits.clone()),
            edit: long,
            delete: long,
            replies: true,
            reactions: true,
            threads: self.0.threads,
            slash_commands: self.0.slashes.load(Ordering::Relaxed),
            typing: true,
            receipts: self.0.threads || window.is_some(),
            reply_window: window,
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
            let (down, held_back) = {
                let state = self.0.state.lock().unwrap();
                (state.down, state.held_back)
            };
            if down {
                return Err(ReceiveError::Transient("no connection".into()));
            }
            if held_back {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = self.0.arrived.notified() => continue,
                }
            }
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

    async fn send(&self, message: &Outbound, prepared: &Prepared, media: &dyn Media) -> Result<Sent, SendError> {
        if self.0.is_closed(message) {
            return Err(SendError::WindowClosed);
        }
        let fault = self.0.fault(message);
        let file = match fault {
            Some(Fault::Before(error)) => return Err(error),
            Some(Fault::Silence) => return std::future::pending().await,
            Some(Fault::AnswerLost | Fault::DoneInSilence) | None => self.0.file(message, prepared, media).await?,
        };
        match fault {
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::AnswerLost) => {
                self.0.carry_out(message, file)?;
                Err(SendError::Uncertain("the answer was lost".into()))
            }
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::DoneInSilence) => {
                self.0.carry_out(message, file)?;
                std::future::pending().await
            }
            None => self.0.carry_out(message, file),
        }
    }

    async fn fetch(&self, media: &MediaRef) -> Result<MediaStream, SendError> {
        self.0.fetch(media)
    }

    /// A platform that knows repetitions takes files beforehand.
    async fn prepare(&self, message: &Outbound, media: &dyn Media) -> Result<Prepared, SendError> {
        let takes = self.0.state.lock().unwrap().prepare_takes;
        if let Some(takes) = takes {
            tokio::time::sleep(takes).await;
        }
        if !self.0.repeatable {
            return Ok(Prepared::default());
        }
        self.0.upload(message, media).await
    }

    fn repeatable(&self, _: &Outbound) -> bool {
        self.0.repeatable
    }

    fn paces(&self, _: &Address) -> Vec<Pace> {
        Vec::new()
    }

    async fn find(&self, message: &Outbound) -> Result<Found, SendError> {
        let (finds, sent) = {
            let state = self.0.state.lock().unwrap();
            (state.finds, state.sent_keys.get(&message.key).cloned())
        };
        match finds {
            Finds::Nothing => Ok(Found::Unknown),
            Finds::Truth => Ok(sent.map_or(Found::Absent, Found::Sent)),
            Finds::Silence => std::future::pending().await,
        }
    }

    async fn templates(&self) -> Result<Vec<Template>, SendError> {
        let mut state = self.0.state.lock().unwrap();
        state.templates_read += 1;
        match &state.no_templates {
            Some(problem) => Err(SendError::refused(frontdesk_core::RefusedScope::Account, problem.as_str())),
            None => Ok(state.templates.clone()),
        }
    }

    async fn signal(&self, _: &Address, signal: Signal) {
        self.0.state.lock().unwrap().signals.push(format!("{signal:?}"));
    }
}
