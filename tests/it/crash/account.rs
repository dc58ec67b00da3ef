//! The account of every message: who wrote it, where it must arrive, and what became of it at the far side.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

use super::street::Street;
use crate::operator::{Operator, TimelineEvent};

/// What a message says that was perhaps sent before.
const MARK: &str = "(possibly repeated)";
/// What an acknowledgement says in any case.
const ACKNOWLEDGEMENT: &str = "thank you for writing to Blue Door Bakery";
/// Under an answer that was put before the operator.
const WARNING: &str = "⚠️";

/// A customer's id on WhatsApp is a phone number; all below are Telegram's.
pub const FIRST_NUMBER: i64 = 491_700_000_000;

#[derive(Clone, Debug)]
pub struct Customer {
    pub id: i64,
    pub name: String,
}

impl Customer {
    /// Anna 1, Ben 2, Cleo 3, Anna 4 ...
    pub fn new(id: i64) -> Self {
        let name = ["Cleo", "Anna", "Ben"][usize::try_from(id % 3).unwrap()];
        Self { id, name: format!("{name} {id}") }
    }

    pub fn several(ids: std::ops::Range<i64>) -> Vec<Self> {
        ids.map(Self::new).collect()
    }

    /// Dora 1, Emil 2, Finn 3, Dora 4 ... who write on WhatsApp.
    pub fn on_whatsapp(ids: std::ops::Range<i64>) -> Vec<Self> {
        let name = |id: i64| ["Finn", "Dora", "Emil"][usize::try_from(id % 3).unwrap()];
        ids.map(|id| Self { id: FIRST_NUMBER + id, name: format!("{} {id}", name(id)) }).collect()
    }
}

/// What was written, in the order in which it was.
#[derive(Default)]
pub struct Account {
    pages: BTreeMap<i64, Page>,
}

struct Page {
    customer: Customer,
    /// Where the customer's chat is by now.
    chat: i64,
    questions: Vec<String>,
    answers: Vec<Answer>,
}

#[derive(Clone)]
pub struct Answer {
    pub text: String,
    /// At the desk.
    pub event: String,
}

impl Account {
    pub fn open(&mut self, customer: &Customer) {
        let page = Page { customer: customer.clone(), chat: customer.id, questions: Vec::new(), answers: Vec::new() };
        self.pages.insert(customer.id, page);
    }

    /// The words of a new question, which nobody has used before.
    pub fn question(&mut self, customer: &Customer) -> String {
        let page = self.page(customer);
        let text = format!("{} q{}.", customer.name, page.questions.len() + 1);
        page.questions.push(text.clone());
        text
    }

    /// The words for the next answer; see [`Account::answered`].
    pub fn next_answer(&mut self, customer: &Customer) -> String {
        let page = self.page(customer);
        format!("for {} a{}.", customer.name, page.answers.len() + 1)
    }

    pub fn answered(&mut self, customer: &Customer, text: String, event: String) {
        self.page(customer).answers.push(Answer { text, event });
    }

    /// The customer's chat has another id from now on.
    pub fn moved(&mut self, customer: &Customer, chat: i64) {
        self.page(customer).chat = chat;
    }

    pub fn customers(&self) -> Vec<Customer> {
        self.pages.values().map(|page| page.customer.clone()).collect()
    }

    /// All chats, also those that customers have left.
    pub fn chats(&self) -> BTreeSet<i64> {
        self.pages.values().flat_map(|page| [page.customer.id, page.chat]).collect()
    }

    fn page(&mut self, customer: &Customer) -> &mut Page {
        self.pages.get_mut(&customer.id).expect("a customer of this account")
    }

    /// What the far sides show now.
    pub fn count(&self, street: &Street<'_>, ann: &Operator, rooms: &[String]) -> Count {
        let timeline: Vec<_> = rooms.iter().flat_map(|room| ann.timeline(room)).collect();
        let mut count = Count { expected_threads: self.pages.len() * rooms.len(), ..Count::default() };
        self.count_desk(&timeline, ann.user_id(), street, &mut count);
        let warned: HashSet<&str> = timeline.iter().filter_map(warning).collect();
        self.count_chats(street, &warned, &mut count);
        count
    }

    fn count_desk(&self, timeline: &[TimelineEvent], ann: &str, street: &Street<'_>, count: &mut Count) {
        let ours = timeline.iter().filter(|event| event.sender != ann && event.replaces().is_none());
        let (mut cards, mut arrived) = (HashMap::<&str, Vec<&str>>::new(), HashMap::<&str, Vec<Arrival<'_>>>::new());
        for event in ours {
            if event.undecryptable() {
                count.unreadable += 1;
            }
            let (body, marked) = unmarked(event.body());
            match event.thread_root() {
                None => {
                    let name = event.body().split(" · ").next().unwrap_or_default();
                    cards.entry(name).or_default().push(&event.event_id);
                }
                Some(thread) => arrived.entry(body).or_default().push(Arrival { place: thread, marked }),
            }
        }
        for page in self.pages.values() {
            let own = cards.get(page.customer.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            count.threads += own.len();
            let lines = page.questions.iter().map(|text| (text, format!("{}: {text}", page.customer.name)));
            for (text, line) in lines {
                let there = arrived.get(line.as_str()).map(Vec::as_slice).unwrap_or_default();
                count.customer_message(text, there, own);
            }
            // Where the platform itself brings them in disorder, no other order can be asked for.
            if street.keeps_order(&page.customer) {
                count.order(&page.customer.name, first_places(timeline, &page.customer.name, own), &page.questions);
            }
        }
    }

    fn count_chats(&self, street: &Street<'_>, warned: &HashSet<&str>, count: &mut Count) {
        let chats: HashMap<i64, Vec<String>> = self
            .pages
            .values()
            .map(|page| {
                let sent = [page.customer.id, page.chat].into_iter().collect::<BTreeSet<_>>();
                (page.customer.id, sent.into_iter().flat_map(|chat| street.ever_sent(chat)).collect())
            })
            .collect();
        let mut everywhere: HashMap<&str, Vec<i64>> = HashMap::new();
        for (chat, texts) in &chats {
            texts.iter().for_each(|text| everywhere.entry(text).or_default().push(*chat));
        }
        for page in self.pages.values() {
            for answer in &page.answers {
                let there = everywhere.get(answer.text.as_str()).map(Vec::as_slice).unwrap_or_default();
                count.answer(page.customer.id, answer, there, warned.contains(answer.event.as_str()));
            }
            let texts = &chats[&page.customer.id];
            let answers: Vec<String> = page.answers.iter().map(|answer| answer.text.clone()).collect();
            let arrived = texts.iter().filter(|text| answers.contains(text)).cloned().collect();
            count.order(&format!("the chat of {}", page.customer.name), arrived, &answers);
            count.acknowledgements(&page.customer, texts);
        }
    }
}

struct Arrival<'a> {
    place: &'a str,
    marked: bool,
}

/// The customer's questions in the order in which they stand in the threads.
fn first_places(timeline: &[TimelineEvent], name: &str, threads: &[&str]) -> Vec<String> {
    let begins = format!("{name}: ");
    let lines = timeline.iter().filter(|event| event.replaces().is_none());
    let lines = lines.filter(|event| event.thread_root().is_some_and(|root| threads.contains(&root)));
    lines.filter_map(|event| unmarked(event.body()).0.strip_prefix(&begins).map(str::to_owned)).collect()
}

fn unmarked(body: &str) -> (&str, bool) {
    match body.strip_prefix(MARK) {
        Some(rest) => (rest.trim_start(), true),
        None => (body, false),
    }
}

/// The answer under which the program has put its warning.
fn warning(event: &TimelineEvent) -> Option<&str> {
    event.reaction().filter(|(_, key)| *key == WARNING).map(|(answer, _)| answer)
}

/// What became of everything.
#[derive(Clone, Debug, Default)]
pub struct Count {
    /// One for each customer in each room.
    pub expected_threads: usize,
    pub threads: usize,
    pub questions: usize,
    pub answers: usize,
    /// Arrived exactly once, with nothing to be said about it.
    pub delivered: usize,
    /// Neither arrived nor put before the operator.
    pub missing: Vec<String>,
    /// More often than once, without a word.
    pub repeated: Vec<String>,
    /// More often than once, and said to be so.
    pub marked: usize,
    pub misdirected: Vec<String>,
    pub disorder: Vec<String>,
    /// Put before the operator; whether it had arrived.
    pub doubtful: BTreeMap<String, bool>,
    pub acknowledged: usize,
    /// No acknowledgement: a note has to say why.
    pub silent: Vec<Customer>,
    pub unreadable: usize,
}

impl Count {
    fn customer_message(&mut self, text: &str, there: &[Arrival<'_>], own: &[&str]) {
        self.questions += 1;
        let astray = there.iter().filter(|arrival| !own.contains(&arrival.place)).count();
        if astray > 0 {
            self.misdirected.push(text.to_owned());
        }
        let plain = there.iter().filter(|arrival| !arrival.marked).count();
        match (plain, there.len() - plain) {
            (0, 0) => self.missing.push(text.to_owned()),
            (1, 0) => self.delivered += 1,
            (0 | 1, marked) => {
                self.delivered += 1;
                self.marked += marked;
            }
            _ => self.repeated.push(text.to_owned()),
        }
    }

    fn answer(&mut self, chat: i64, answer: &Answer, there: &[i64], warned: bool) {
        self.answers += 1;
        if there.iter().any(|place| *place != chat) {
            self.misdirected.push(answer.text.clone());
        }
        match (there.len(), warned) {
            (0, false) => self.missing.push(answer.text.clone()),
            (0, true) => drop(self.doubtful.insert(answer.text.clone(), false)),
            (1, true) => drop(self.doubtful.insert(answer.text.clone(), true)),
            (1, false) => self.delivered += 1,
            _ => self.repeated.push(answer.text.clone()),
        }
    }

    fn acknowledgements(&mut self, customer: &Customer, texts: &[String]) {
        let places: Vec<_> =
            texts.iter().enumerate().filter(|(_, text)| text.contains(ACKNOWLEDGEMENT)).map(|(at, _)| at).collect();
        match places.as_slice() {
            [] => self.silent.push(customer.clone()),
            [0] => self.acknowledged += 1,
            [_] => {
                self.acknowledged += 1;
                self.disorder.push(format!("the acknowledgement of {} after an answer", customer.name));
            }
            _ => self.repeated.push(format!("the acknowledgement of {}", customer.name)),
        }
    }

    fn order(&mut self, place: &str, arrived: Vec<String>, written: &[String]) {
        let at = |text: &String| written.iter().position(|other| other == text);
        let places: Vec<_> = arrived.iter().filter_map(at).collect();
        if !places.is_sorted() {
            self.disorder.push(format!("{place}: {}", arrived.join(" ")));
        }
    }

    /// Where every thread and every chat stands as it should.
    pub fn assert_right(&self) {
        let wrong = self.missing.len() + self.repeated.len() + self.misdirected.len() + self.disorder.len();
        assert!(wrong == 0 && self.unreadable == 0 && self.threads == self.expected_threads, "{self}\n{self:#?}");
    }

    pub fn add(&mut self, other: Self) {
        self.expected_threads += other.expected_threads;
        self.threads += other.threads;
        self.questions += other.questions;
        self.answers += other.answers;
        self.delivered += other.delivered;
        self.missing.extend(other.missing);
        self.repeated.extend(other.repeated);
        self.marked += other.marked;
        self.misdirected.extend(other.misdirected);
        self.disorder.extend(other.disorder);
        self.doubtful.extend(other.doubtful);
        self.acknowledged += other.acknowledged;
        self.silent.extend(other.silent);
        self.unreadable += other.unreadable;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrived = self.doubtful.values().filter(|arrived| **arrived).count();
        write!(
            f,
            "{} customer / {} operator messages in {} threads: delivered {}, lost {}, repeated {} (and {} with the \
             mark), misdirected {}, out of order {}; put before the operator {} (retried: {} that had not arrived, {} \
             that had); acknowledgements: {} arrived, {} dropped and noted",
            self.questions,
            self.answers,
            self.threads,
            self.delivered,
            self.missing.len(),
            self.repeated.len(),
            self.marked,
            self.misdirected.len(),
            self.disorder.len(),
            self.doubtful.len(),
            self.doubtful.len() - arrived,
            arrived,
            self.acknowledged,
            self.silent.len(),
        )
    }
}
