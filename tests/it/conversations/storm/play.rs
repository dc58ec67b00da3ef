//! Plays a script, and remembers what people wrote.

use std::{sync::Arc, time::Duration};

use frontdesk_core::{
    Address, Content, Event, Inbound, Message, Person, PersonKind, PlatformId, RefusedScope, SendError, Side, ThreadId,
};
use tokio::time::{Instant, sleep};

use super::{
    script::{How, Inside, Step, Where},
    verdict,
};
use crate::{
    fake::{FakePlatform, Fault, Post},
    world::{OTHER, SHOP, World},
};

/// The same id on two messengers is not the same person.
pub const CUSTOMERS: [(&str, Where); 4] =
    [("Anna", Where::Shop), ("Ben", Where::Shop), ("Anna", Where::Other), ("Dora", Where::Other)];
pub const OPERATORS: [&str; 2] = ["ann", "bob"];

/// What was written, and what should become of it.
pub struct Played {
    pub world: World,
    pub said: Vec<Said>,
    pub answers: Vec<Answer>,
    /// When a human of the business wrote to a customer, by any way.
    pub human: Vec<(usize, Instant)>,
    pub retries: Vec<(usize, Instant)>,
    /// What happened last, as far as it decides the card.
    last: [(usize, Last); 4],
    /// Words that no customer may ever read.
    pub secrets: Vec<String>,
    pub faults: Vec<(Where, Instant, How)>,
    pub starts: Vec<Instant>,
    pub kills: usize,
    pub lost: Vec<ThreadId>,
    pub up: bool,
    arrived: Vec<(Where, Inbound)>,
    count: usize,
    /// Of what happens in one moment on two messengers, nobody knows which came first.
    moment: usize,
}

pub struct Said {
    pub who: usize,
    /// In no other text.
    pub mark: String,
    pub id: PlatformId,
    pub at: Instant,
    /// The mark of the latest edit.
    pub edited: Option<String>,
    pub deleted: bool,
}

pub struct Answer {
    pub who: usize,
    pub op: usize,
    pub mark: String,
    pub id: PlatformId,
    pub at: Instant,
    pub thread: Option<ThreadId>,
    /// Each wording that it had.
    pub texts: Vec<String>,
    pub deleted: bool,
    /// Its first wording takes two messages of the customer's app.
    pub long: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    Nothing,
    Waits,
    /// In this thread.
    Answered(ThreadId),
    Closed(ThreadId),
    /// Several things that the model does not follow.
    Unclear,
}

pub async fn play(steps: &[Step]) -> Vec<String> {
    let world = World::at("2026-11-26T15:30[Europe/Berlin]").await;
    let mut played = Played {
        world,
        said: Vec::new(),
        answers: Vec::new(),
        human: Vec::new(),
        retries: Vec::new(),
        last: [const { (0, Last::Nothing) }; 4],
        secrets: Vec::new(),
        faults: Vec::new(),
        starts: vec![Instant::now()],
        kills: 0,
        lost: Vec::new(),
        up: true,
        arrived: Vec::new(),
        count: 0,
        moment: 1,
    };
    for step in steps {
        played.step(step).await;
    }
    played.heal().await;
    let mut problems = verdict::before_retry(&played);
    played.retry_all().await;
    problems.extend(verdict::at_the_end(&played));
    problems
}

impl Answer {
    /// Words of each message that the customer should see, and of no other; unless long words were edited.
    pub fn pieces(&self) -> Vec<String> {
        match (self.long, self.texts.len()) {
            (false, _) => vec![self.mark.clone()],
            (true, 1) => vec![format!("{}1", self.mark), format!("{}2", self.mark)],
            (true, _) => Vec::new(),
        }
    }
}

impl Played {
    async fn step(&mut self, step: &Step) {
        match *step {
            Step::Says { who } => self.says(who),
            Step::Edits { who, back } => self.edits(who, back),
            Step::Deletes { who, back } => self.deletes(who, back),
            Step::Opens { who } => self.customer(who, Event::Started { payload: None }),
            Step::Blocks { who } => self.customer(who, Event::Blocked),
            Step::Unblocks { who } => self.customer(who, Event::Unblocked),
            Step::Echo { who } => {
                let (id, mark) = self.name("P");
                self.customer(who, Event::Echo(Message::text(id, mark)));
                self.human.push((who, Instant::now()));
                self.now_it(who, Last::Unclear);
            }
            Step::BotSays => self.bot_says(),
            Step::Answers { op, who, back, long } => {
                let thread = self.threads(who).iter().rev().nth(back).cloned();
                if let Some(thread) = thread {
                    self.answers(op, who, Some(thread), None, long);
                }
            }
            Step::Replies { op, who } => {
                if let Some(relayed) = self.relayed(who) {
                    self.answers(op, who, None, Some(relayed), false);
                }
            }
            Step::EditsAnswer { back, to_note } => self.edits_answer(back, to_note),
            Step::DeletesAnswer { back } => self.deletes_answer(back),
            Step::Inside { op, who, what } => self.inside(op, who, what),
            Step::Closes { op, who } => {
                if let Some(thread) = self.threads(who).last().cloned() {
                    self.in_thread(op, Some(thread.clone()), "!close", None);
                    self.now_it(who, Last::Closed(thread));
                }
            }
            Step::Retries { op, who } => {
                if let Some(thread) = self.threads(who).last().cloned() {
                    self.retries(op, who, thread);
                }
            }
            Step::Outside { op } => {
                let (_, secret) = self.secret();
                self.in_thread(op, None, &secret, None);
            }
            Step::Passes { millis } => {
                sleep(Duration::from_millis(millis)).await;
                self.moment += usize::from(self.up);
            }
            Step::Kill { turns } => self.kill(turns).await,
            Step::Start => self.start().await,
            Step::Fails { side, how } => self.fails(side, how),
            Step::LosesThread { who } => {
                if let Some(thread) = self.threads(who).last().cloned() {
                    self.world.desk.lose_thread(&thread);
                    self.lost.push(thread);
                }
            }
            Step::Again { back } => {
                if let Some((side, inbound)) = self.arrived.iter().rev().nth(back).cloned() {
                    self.platform(side).arrives(inbound);
                }
            }
        }
    }

    fn name(&mut self, kind: &str) -> (String, String) {
        self.count += 1;
        (format!("m{}", self.count), format!("{kind}{}#", self.count))
    }

    fn now_it(&mut self, who: usize, last: Last) {
        let (moment, before) = &self.last[who];
        let clear = *moment != self.moment || std::mem::discriminant(before) == std::mem::discriminant(&last);
        self.last[who] = (self.moment, if clear { last } else { Last::Unclear });
    }

    pub fn last(&self, who: usize) -> &Last {
        &self.last[who].1
    }

    fn secret(&mut self) -> (String, String) {
        let (id, mark) = self.name("S");
        self.secrets.push(mark.clone());
        (id, mark)
    }

    pub fn platform(&self, side: Where) -> &Arc<FakePlatform> {
        match side {
            Where::Shop => &self.world.shop,
            Where::Other => &self.world.other,
            Where::Desk => &self.world.desk,
        }
    }

    fn customer(&mut self, who: usize, event: Event) {
        let (name, side) = CUSTOMERS[who];
        let platform = Arc::clone(self.platform(side));
        let inbound = self.world.customer(&platform, name, event);
        self.arrived.push((side, inbound.clone()));
        platform.arrives(inbound);
    }

    fn says(&mut self, who: usize) {
        let (id, mark) = self.name("Q");
        let said = Said { who, id: id.as_str().into(), at: Instant::now(), edited: None, deleted: false, mark };
        self.customer(who, Event::Message(Message::text(id, format!("Is it ready? {}", said.mark))));
        self.said.push(said);
        self.now_it(who, Last::Waits);
    }

    fn edits(&mut self, who: usize, back: usize) {
        let (_, edit) = self.name("E");
        let Some(said) = self.said.iter_mut().rev().filter(|it| it.who == who && !it.deleted).nth(back) else { return };
        said.edited = Some(edit.clone());
        let (id, content) = (said.id.clone(), Content::text(format!("Is it done? {} {edit}", said.mark)));
        self.customer(who, Event::Edited { id, content, notice: false });
    }

    fn deletes(&mut self, who: usize, back: usize) {
        let Some(said) = self.said.iter_mut().rev().filter(|it| it.who == who && !it.deleted).nth(back) else { return };
        said.deleted = true;
        let ids = vec![said.id.clone()];
        self.customer(who, Event::Deleted { ids });
    }

    fn bot_says(&mut self) {
        let (id, mark) = self.name("B");
        let shop = Arc::clone(&self.world.shop);
        let mut inbound = self.world.customer(&shop, "Robot", Event::Message(Message::text(id, mark)));
        inbound.from.kind = PersonKind::Bot;
        shop.arrives(inbound);
    }

    /// Of the customer's cards, oldest first.
    pub fn threads(&self, who: usize) -> Vec<ThreadId> {
        let posts = self.world.desk.posts();
        posts.iter().filter(|post| card_of(post) == Some(who)).filter_map(|post| post.thread.clone()).collect()
    }

    fn relayed(&self, who: usize) -> Option<PlatformId> {
        let posts = self.world.desk.posts();
        let mine = |post: &Post| {
            self.said.iter().any(|said| said.who == who && !post.notice && post.text.contains(&said.mark))
        };
        posts.iter().rev().find(|post| post.author == "frontdesk" && mine(post)).map(|post| post.id.clone())
    }

    fn answers(&mut self, op: usize, who: usize, thread: Option<ThreadId>, reply_to: Option<PlatformId>, long: bool) {
        let (_, mark) = self.name("A");
        let baking = if long { "We bake at four every morning. ".repeat(8) } else { String::new() };
        let text = if long { format!("Yes. {mark}1 {baking}{mark}2") } else { format!("Yes. {mark}") };
        let replies = reply_to.is_some();
        let id = self.in_thread(op, thread.clone(), &text, reply_to);
        let newest = self.threads(who).last().cloned();
        let last = match &thread {
            Some(thread) if newest.as_ref() == Some(thread) && !replies => Last::Answered(thread.clone()),
            Some(_) | None => Last::Unclear,
        };
        self.now_it(who, last);
        let at = Instant::now();
        self.human.push((who, at));
        self.answers.push(Answer { who, op, mark, id, at, thread, texts: vec![text], deleted: false, long });
    }

    fn in_thread(
        &mut self,
        op: usize,
        thread: Option<ThreadId>,
        text: &str,
        reply_to: Option<PlatformId>,
    ) -> PlatformId {
        let (id, _) = self.name("");
        let mut message = Message::text(id, text);
        message.reply_to = reply_to;
        self.message(op, thread, message)
    }

    fn message(&mut self, op: usize, thread: Option<ThreadId>, message: Message) -> PlatformId {
        let id = message.id.clone();
        self.world.desk.note(Post {
            id: id.clone(),
            chat: "main".into(),
            thread: thread.clone(),
            author: OPERATORS[op].into(),
            text: message.content.readable(),
            notice: message.notice,
            edited: false,
            deleted: false,
            reply_to: message.reply_to.clone(),
            reactions: Vec::new(),
            mentions: Vec::new(),
            file: None,
            at: Instant::now(),
        });
        self.at_desk(op, thread, Event::Message(message));
        id
    }

    fn at_desk(&mut self, op: usize, thread: Option<ThreadId>, event: Event) {
        let (key, _) = self.name("");
        let name = OPERATORS[op];
        let inbound = Inbound {
            key: key.into(),
            side: Side::Desk { desk: "main".into(), thread: thread.clone() },
            from: Person::human(format!("@{name}:example.org"), name),
            at: Address::Desk { desk: "main".into(), thread },
            sent_at: Some(self.world.now()),
            event,
        };
        self.arrived.push((Where::Desk, inbound.clone()));
        self.world.desk.arrives(inbound);
    }

    fn edits_answer(&mut self, back: usize, to_note: bool) {
        let secret = if to_note { self.secret().1 } else { String::new() };
        let (_, edit) = self.name("F");
        let Some(answer) = self.answers.iter_mut().rev().filter(|it| !it.deleted).nth(back) else { return };
        let text = if to_note { format!("!note {secret}") } else { format!("No. {} {edit}", answer.mark) };
        if !to_note {
            answer.texts.push(text.clone());
        }
        let (op, thread, id) = (answer.op, answer.thread.clone(), answer.id.clone());
        self.at_desk(op, thread, Event::Edited { id, content: Content::text(text), notice: false });
    }

    fn deletes_answer(&mut self, back: usize) {
        let Some(answer) = self.answers.iter_mut().rev().filter(|it| !it.deleted).nth(back) else { return };
        answer.deleted = true;
        let (op, thread, ids) = (answer.op, answer.thread.clone(), vec![answer.id.clone()]);
        self.at_desk(op, thread, Event::Deleted { ids });
    }

    fn inside(&mut self, op: usize, who: usize, what: Inside) {
        let Some(thread) = self.threads(who).last().cloned() else { return };
        let (id, secret) = self.secret();
        let text = match what {
            Inside::Note => format!("!note {secret}"),
            Inside::Why => format!("!why {secret}"),
            Inside::Unknown => format!("!nonsense {secret}"),
            Inside::Slash => format!("/me {secret}"),
            Inside::Notice => secret,
        };
        let mut message = Message::text(id, text);
        message.notice = matches!(what, Inside::Notice);
        self.message(op, Some(thread), message);
    }

    fn retries(&mut self, op: usize, who: usize, thread: ThreadId) {
        self.in_thread(op, Some(thread), "!retry", None);
        self.retries.push((who, Instant::now()));
        self.now_it(who, Last::Unclear);
    }

    /// The program's tasks have some turns, and the disk some moments, so that it ends in the middle of something.
    async fn kill(&mut self, turns: usize) {
        if !self.up {
            return;
        }
        for turn in 0..turns {
            tokio::task::yield_now().await;
            if turn % 4 == 3 {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        self.world.kill().await;
        (self.up, self.kills) = (false, self.kills + 1);
    }

    async fn start(&mut self) {
        if self.up {
            return;
        }
        self.starts.push(Instant::now());
        self.world.start().await;
        (self.up, self.moment) = (true, self.moment + 1);
    }

    fn fails(&mut self, side: Where, how: How) {
        // What a desk refuses to show is replaced by a line that says so: a loss that the owner is told of.
        if side == Where::Desk && matches!(how, How::Content) {
            return;
        }
        let refused = |scope| Fault::Before(SendError::refused(scope, "the platform said no."));
        let fault = match how {
            How::Patience { secs } => {
                Fault::Before(SendError::RetryAfter { after: Duration::from_secs(secs), bucket: None })
            }
            How::Transient => Fault::Before(SendError::Transient("no route".into())),
            How::AnswerLost => Fault::AnswerLost,
            How::Silence => Fault::Silence,
            How::Content => refused(RefusedScope::Content),
            How::Recipient => refused(RefusedScope::Recipient),
            How::Account => refused(RefusedScope::Account),
        };
        self.faults.push((side, Instant::now(), how));
        self.platform(side).fail_next(fault);
    }

    async fn heal(&mut self) {
        for side in [Where::Shop, Where::Other, Where::Desk] {
            self.platform(side).heal();
        }
        self.start().await;
        sleep(Duration::from_secs(4 * 3600)).await;
    }

    async fn retry_all(&mut self) {
        for who in 0..CUSTOMERS.len() {
            for thread in self.threads(who) {
                self.retries(0, who, thread);
            }
        }
        sleep(Duration::from_secs(3600)).await;
    }
}

/// Whose card this is.
pub fn card_of(post: &Post) -> Option<usize> {
    post.thread.as_ref().filter(|thread| thread.as_str() == post.id.as_str())?;
    CUSTOMERS.iter().position(|(name, side)| {
        let channel = if *side == Where::Shop { SHOP } else { OTHER };
        post.text.starts_with(&format!("{name} · {channel} · "))
    })
}
