//! What the traced program does with a store, and what it says about it.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use frontdesk::store::{
    Author, Case, ConversationId, Decide, Decision, Fact, InboxRow, MessageRecord, NewRow, Outcome, Purpose, Row,
    RowNumber, RowOp, Store, Target, sled::SledStore,
};
use frontdesk_core::{Address, Content, Event, Inbound, Message, Person, Sent, Side, Style};
use jiff::Timestamp;

/// Of a message's text, in bytes: a word, and more than any platform lets through.
const SHORTEST: usize = 8;
const LONGEST: usize = 200 * 1024;
/// Who write at the same time, and how many messages each.
const WRITERS: usize = 5;
const EACH: usize = 10;

/// Accepts, dispatches and settles until everything is written, or the disk takes no more; then leaves the store as it
/// is: closed in order, or, `in_the_middle`, not at all.
pub async fn run(store: &Path, notes: &Path, round: usize, in_the_middle: bool) {
    let notes = Notes(Arc::new(File::options().create(true).append(true).open(notes).unwrap()));
    let Ok(store) = SledStore::open(store) else { return };
    let store = Arc::new(store);
    notes.say(format!("opened {}", store.instance()));
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let writers = (0..WRITERS).map(|writer| {
        let (store, notes, writing) = (Arc::clone(&store), notes.clone(), Arc::clone(&writing));
        tokio::spawn(async move {
            write(&store, &notes, &format!("{round}{writer}")).await;
            writing.fetch_sub(1, Ordering::Relaxed);
        })
    });
    let writers: Vec<_> = writers.collect();
    dispatch(&store, &notes, &writing, in_the_middle).await;
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn write(store: &SledStore, notes: &Notes, writer: &str) {
    let mut left: Vec<String> = (0..EACH).rev().map(|n| format!("{writer}{n}")).collect();
    while !left.is_empty() {
        let batch = left.split_off(left.len().saturating_sub(1 + left.len() % 3));
        let events = batch.iter().map(|key| event(key)).collect();
        match store.accept(&"telegram.shop".into(), at(), events, Some("cursor".into())).await {
            Ok(_) => notes.say(format!("accepted {}", batch.join(" "))),
            Err(_) => return,
        }
    }
}

/// Until the inbox is empty and nobody writes; or, `in_the_middle`, until half is done.
async fn dispatch(store: &Arc<SledStore>, notes: &Notes, writing: &AtomicUsize, in_the_middle: bool) {
    let mut done = 0;
    loop {
        let last = writing.load(Ordering::Relaxed) == 0;
        let Ok(dispatched) = store.dispatch(at(), true, 8, Arc::new(Desk)).await else { return };
        done += dispatched.handled;
        let rows = dispatched.rows.iter().map(|row| format!("{} {}", name(row).unwrap(), row.number));
        notes.say(format!("dispatched {}", rows.collect::<Vec<_>>().join(" ")));
        let settling = dispatched.rows.iter().filter(|row| row.number.0 % 3 != 0 && !is_outcome(row));
        let settling = settling.map(|row| settle(Arc::clone(store), notes.clone(), row.number));
        futures::future::join_all(settling).await;
        if in_the_middle && done >= WRITERS * EACH / 2 {
            std::process::abort();
        }
        if last && dispatched.handled == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn settle(store: Arc<SledStore>, notes: Notes, row: RowNumber) {
    notes.say(format!("settling {row}"));
    let failed = row.0 % 3 == 1;
    let outcome = if failed {
        Outcome::Failed { reason: "it was refused".to_owned() }
    } else {
        Outcome::Sent { sent: Sent::one(format!("platform-{row}")) }
    };
    if store.settle(row, at(), outcome).await.is_ok() {
        notes.say(format!("{} {row}", if failed { "failed" } else { "sent" }));
    }
}

#[derive(Clone)]
struct Notes(Arc<File>);

impl Notes {
    fn say(&self, line: String) {
        (&*self.0).write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// Keeps each message and passes it on whole; of a failure it leaves a row that names it.
pub struct Desk;

impl Decide for Desk {
    fn decide(&self, case: Case, row: &InboxRow, at: Timestamp) -> Decision {
        match &row.fact {
            Fact::Inbound { inbound, .. } => {
                let Event::Message(message) = &inbound.event else { return Decision::default() };
                let mut ids = case.ids;
                ids.message.0 += 1;
                let record = MessageRecord {
                    key: ids.message,
                    conversation: ConversationId(1),
                    author: Author::Customer,
                    at,
                    sent_at: None,
                    content: message.content.clone(),
                    reply_to: None,
                    source: None,
                    changes: Vec::new(),
                    template: None,
                };
                Decision {
                    ids,
                    messages: vec![record],
                    rows: vec![post(&message.content.words())],
                    ..Decision::default()
                }
            }
            Fact::Settled { settled } => {
                Decision { rows: vec![post(&outcome_of(settled.key.number))], ..Decision::default() }
            }
            Fact::Due { .. } | Fact::Notice { .. } => Decision::default(),
        }
    }
}

fn post(text: &str) -> NewRow {
    let content = Content::text(text);
    NewRow {
        target: Target::Desk("main".into()),
        purpose: Purpose::Relay,
        op: RowOp::Post { content, style: Style::Words, reply_to: None, mentions: Vec::new() },
        conversation: None,
        message: None,
        sender: None,
        expires_at: None,
        unless_answered: None,
        give_up_at: None,
        piece: false,
        hold: None,
    }
}

pub fn outcome_of(row: u64) -> String {
    format!("outcome-{row};")
}

fn is_outcome(row: &Row) -> bool {
    name(row).is_ok_and(|name| name.starts_with("outcome-"))
}

/// The name of the event that a row carries, whose text is whole; or what is wrong.
pub fn name(row: &Row) -> Result<String, String> {
    let RowOp::Post { content, .. } = &row.what.op else { return Err(format!("row {} is no post", row.number)) };
    named(&content.words())
}

/// The name that stands before a text, which must be the text of that name.
pub fn named(words: &str) -> Result<String, String> {
    let name = words.split(';').next().unwrap_or_default();
    let whole = words == text(name) || words == format!("{name};");
    if whole { Ok(name.to_owned()) } else { Err(format!("the text of {name} is not what was written")) }
}

pub fn event(key: &str) -> Inbound {
    Inbound {
        key: key.into(),
        side: Side::Customer,
        from: Person::human("anna", "Anna"),
        at: Address::chat("anna"),
        sent_at: None,
        event: Event::Message(Message::text(key, text(key))),
    }
}

/// Any length, as many short ones as long ones; two of each writer's are the shortest and the longest.
fn text(key: &str) -> String {
    let mut rng = Rng::with_seed(key.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte)));
    let length = match key.as_bytes().last() {
        Some(b'3') => SHORTEST,
        Some(b'7') => LONGEST,
        Some(_) | None => {
            let doublings = rng.f64() * (LONGEST as f64 / SHORTEST as f64).log2();
            (SHORTEST as f64 * doublings.exp2()) as usize
        }
    };
    let mut text = format!("{key};");
    text.extend(std::iter::repeat_with(|| rng.alphanumeric()).take(length.saturating_sub(text.len())));
    text
}

pub fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// Opens what a cut has left and compares it with what had been confirmed before it.
pub async fn examine(store: &Path, confirmed: &Confirmed) -> Result<(), String> {
    let opened = SledStore::open(store).map_err(|error| format!("it does not open: {error}"))?;
    if confirmed.instance.is_some_and(|instance| instance != opened.instance()) {
        return Err("it is another store".to_owned());
    }
    let found = look(&opened).await.map_err(|error| format!("it cannot be read: {error}"))??;
    confirmed.compare(&found)?;
    goes_on(opened, store).await.map_err(|error| format!("it does not go on: {error}"))?
}

async fn goes_on(opened: SledStore, store: &Path) -> Result<Result<(), String>, frontdesk::store::StoreError> {
    opened.accept(&"telegram.shop".into(), at(), vec![event("afterwards")], None).await?;
    drop(opened);
    let again = look(&SledStore::open(store)?).await?;
    Ok(again.and_then(|found| match found.inbox.contains("afterwards") {
        true => Ok(()),
        false => Err("what was accepted after it is lost".to_owned()),
    }))
}

/// What a store holds.
#[derive(Default)]
struct Found {
    inbox: BTreeSet<String>,
    rows: Vec<(String, u64)>,
}

/// Takes everything out of the inbox.
async fn look(store: &SledStore) -> Result<Result<Found, String>, frontdesk::store::StoreError> {
    let mut found = Found::default();
    let mut after = None;
    loop {
        let rows = store.rows(after, 50).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.number);
        for row in &rows {
            match name(row) {
                Ok(name) => found.rows.push((name, row.number.0)),
                Err(problem) => return Ok(Err(problem)),
            }
        }
    }
    let taken: Arc<std::sync::Mutex<Vec<Result<String, String>>>> = Arc::default();
    while store.dispatch(at(), true, 64, Arc::new(Collect(Arc::clone(&taken)))).await?.more {}
    for name in taken.lock().unwrap().drain(..) {
        match name {
            Ok(name) if found.inbox.insert(name.clone()) => {}
            Ok(name) => return Ok(Err(format!("{name} is in the inbox twice"))),
            Err(problem) => return Ok(Err(problem)),
        }
    }
    Ok(Ok(found))
}

struct Collect(Arc<std::sync::Mutex<Vec<Result<String, String>>>>);

impl Decide for Collect {
    fn decide(&self, _: Case, row: &InboxRow, _: Timestamp) -> Decision {
        let name = match &row.fact {
            Fact::Inbound { inbound, .. } => match &inbound.event {
                Event::Message(message) => named(&message.content.words()),
                other => Err(format!("an event that was never written: {other:?}")),
            },
            Fact::Settled { settled } => named(&outcome_of(settled.key.number)),
            Fact::Due { .. } => Err("a timer that was never set".to_owned()),
            Fact::Notice { .. } => Err("a notice that was never given".to_owned()),
        };
        self.0.lock().unwrap().push(name);
        Decision::default()
    }
}

/// What the program was told before the cut that it is on disk.
#[derive(Default)]
pub struct Confirmed {
    instance: Option<u64>,
    accepted: BTreeSet<String>,
    /// By name, the row that came of it.
    dispatched: Vec<(String, u64)>,
    /// Begun: from then on the row may be gone.
    settling: BTreeSet<u64>,
    sent: BTreeSet<u64>,
    failed: BTreeSet<u64>,
}

impl Confirmed {
    pub fn note(&mut self, line: &str) {
        let mut words = line.split(' ');
        let what = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let number = |word: &&str| word.parse::<u64>().unwrap();
        match what {
            "opened" => self.instance = rest.first().map(number),
            "accepted" => self.accepted.extend(rest.into_iter().map(str::to_owned)),
            "dispatched" => {
                self.dispatched.extend(rest.chunks(2).map(|pair| (pair[0].to_owned(), number(&pair[1]))));
            }
            "settling" => self.settling.extend(rest.iter().map(number)),
            "sent" => self.sent.extend(rest.iter().map(number)),
            "failed" => self.failed.extend(rest.iter().map(number)),
            other => panic!("a note that nobody understands: {other}"),
        }
    }

    pub fn events(&self) -> usize {
        self.accepted.len()
    }

    fn compare(&self, found: &Found) -> Result<(), String> {
        let names: BTreeSet<&str> = found.rows.iter().map(|(name, _)| name.as_str()).collect();
        if names.len() != found.rows.len() {
            return Err("a fact was handled twice".to_owned());
        }
        if let Some(twice) = found.inbox.iter().find(|name| names.contains(name.as_str())) {
            return Err(format!("{twice} was handled and is in the inbox again"));
        }
        let settled =
            |name: &String| self.dispatched.iter().any(|(known, row)| known == name && self.settling.contains(row));
        let lost = |name: &&String| !found.inbox.contains(*name) && !names.contains(name.as_str()) && !settled(name);
        if let Some(lost) = self.accepted.iter().find(lost) {
            return Err(format!("{lost} was accepted and is lost"));
        }
        for (name, row) in &self.dispatched {
            let there = found.rows.contains(&(name.clone(), *row));
            let gone = self.sent.contains(row) || self.failed.contains(row);
            if found.inbox.contains(name) || (!there && !self.settling.contains(row)) {
                return Err(format!("{name} was dispatched as row {row}, which is lost"));
            }
            if there && gone {
                return Err(format!("row {row} was settled and is there again"));
            }
        }
        let outcome = |row: &&u64| {
            let name = outcome_of(**row);
            let name = name.trim_end_matches(';');
            !found.inbox.contains(name) && !names.contains(name)
        };
        match self.failed.iter().find(outcome) {
            Some(row) => Err(format!("that row {row} failed is forgotten")),
            None => Ok(()),
        }
    }
}
