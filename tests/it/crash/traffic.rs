//! Customers and an operator who write, whether the program runs or not.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::{Duration, Instant},
};

use fastrand::Rng;
use tokio::time::sleep;

use super::{
    account::{Account, Count, Customer},
    street::Street,
};
use crate::program::{PATIENCE, Shop};

/// Nothing new for so long, and what was under way has ended.
const QUIET: Duration = Duration::from_secs(2);
/// What an operator writes first, and nobody else may read.
pub const NOT_THESE: &str = "not these words";
/// What `!why` says of an acknowledgement that may not have arrived.
const REASONS: [&str; 2] = ["not sent: ", "perhaps sent, "];

pub struct Traffic<'a> {
    shop: &'a Shop,
    street: Street<'a>,
    account: RefCell<Account>,
    rooms: RefCell<Vec<String>>,
    cards: RefCell<HashMap<i64, String>>,
}

impl<'a> Traffic<'a> {
    /// These customers write for the first time from now on.
    pub fn new(shop: &'a Shop, customers: &[Customer]) -> Self {
        let (mut account, street) = (Account::default(), Street(shop));
        for customer in customers {
            street.introduces(customer);
            account.open(customer);
        }
        Self { shop, street, account: account.into(), rooms: RefCell::default(), cards: RefCell::default() }
    }

    pub fn customers(&self) -> Vec<Customer> {
        self.account.borrow().customers()
    }

    pub fn asks(&self, customer: &Customer) {
        let text = self.account.borrow_mut().question(customer);
        self.street.says(customer, &text);
    }

    /// In the customer's thread; gives the answer's id.
    pub async fn answers(&self, customer: &Customer) -> String {
        let (room, card) = (self.room().await, self.thread(customer).await);
        self.answers_in(&room, &card, customer).await
    }

    async fn answers_in(&self, room: &str, card: &str, customer: &Customer) -> String {
        let text = self.account.borrow_mut().next_answer(customer);
        let event = self.shop.ann.say_in_thread(room, card, &text).await;
        self.account.borrow_mut().answered(customer, text, event.clone());
        event
    }

    /// The operator writes and thinks better of it: the customer reads the new words, and only those.
    pub async fn answers_and_edits(&self, customer: &Customer) {
        let (room, card) = (self.room().await, self.thread(customer).await);
        let text = self.account.borrow_mut().next_answer(customer);
        let event = self.shop.ann.say_in_thread(&room, &card, NOT_THESE).await;
        self.shop.ann.edit(&room, &event, &text).await;
        self.account.borrow_mut().answered(customer, text, event);
    }

    /// Writes so many messages in all, and is answered as often as soon as there is a thread, until `enough`. The
    /// number may grow while they talk.
    pub async fn talk(&self, customer: &Customer, mut rng: Rng, messages: &Cell<usize>, enough: &Cell<bool>) {
        let (mut asked, mut answered) = (0, 0);
        while !enough.get() {
            if asked < messages.get() {
                self.asks(customer);
                asked += 1;
            }
            sleep(Duration::from_millis(rng.u64(50..800))).await;
            if answered < messages.get()
                && let Some(card) = self.known_thread(customer)
            {
                let room = self.room().await;
                self.answers_in(&room, &card, customer).await;
                answered += 1;
            }
        }
    }

    /// The newest room of the desk.
    pub async fn room(&self) -> String {
        if let Some(room) = self.rooms.borrow().last() {
            return room.clone();
        }
        let room = self.shop.room().await;
        self.moves_to(&room);
        room
    }

    /// The desk is in another room from now on, where each customer gets another thread.
    pub fn moves_to(&self, room: &str) {
        let mut rooms = self.rooms.borrow_mut();
        if !rooms.iter().any(|known| known == room) {
            rooms.push(room.to_owned());
        }
        self.cards.borrow_mut().clear();
    }

    pub fn chat_moved(&self, customer: &Customer, chat: i64) {
        self.account.borrow_mut().moved(customer, chat);
    }

    pub async fn thread(&self, customer: &Customer) -> String {
        self.room().await;
        let deadline = Instant::now() + PATIENCE * 3;
        loop {
            if let Some(card) = self.known_thread(customer) {
                return card;
            }
            assert!(Instant::now() < deadline, "no thread for {}\n{}", customer.name, self.shop.log());
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn known_thread(&self, customer: &Customer) -> Option<String> {
        if let Some(card) = self.cards.borrow().get(&customer.id) {
            return Some(card.clone());
        }
        let room = self.rooms.borrow().last().cloned()?;
        let begins = format!("{} · ", customer.name);
        let timeline = self.shop.ann.timeline(&room);
        let card = timeline.iter().find(|event| event.thread_root().is_none() && event.body().starts_with(&begins))?;
        self.cards.borrow_mut().insert(customer.id, card.event_id.clone());
        Some(card.event_id.clone())
    }

    pub fn count(&self) -> Count {
        self.account.borrow().count(&self.street, &self.shop.ann, &self.rooms.borrow())
    }

    /// The program runs undisturbed: waits until everything has arrived or stands before the operator, and nothing
    /// more comes. Gives what became of it all, whole or not.
    pub async fn settled(&self, patience: Duration) -> Count {
        self.settled_with(patience, |_| true).await
    }

    /// The same, and so much more is there.
    pub async fn settled_with(&self, patience: Duration, more: impl Fn(&Count) -> bool) -> Count {
        self.room().await;
        let deadline = Instant::now() + patience;
        loop {
            let count = self.count();
            if (count.missing.is_empty() && more(&count)) || Instant::now() > deadline {
                break;
            }
            sleep(Duration::from_millis(500)).await;
        }
        self.quiet(deadline + PATIENCE).await;
        self.count()
    }

    async fn quiet(&self, deadline: Instant) {
        let (mut seen, mut since) = (0, Instant::now());
        while since.elapsed() < QUIET && Instant::now() < deadline {
            let rooms = self.rooms.borrow().clone();
            let events: usize = rooms.iter().map(|room| self.shop.ann.timeline(room).len()).sum();
            let now = events + self.street.tries();
            if now != seen || self.street.unconfirmed() > 0 {
                (seen, since) = (now, Instant::now());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Everything has settled: nothing may be missing, and what was put before the operator arrives when it is sent
    /// again.
    pub async fn accounts(&self, patience: Duration) -> Count {
        let count = self.settled(patience).await;
        count.assert_right();
        self.retries(&count).await;
        self.notes(&count).await;
        count
    }

    /// `!retry` sends each of them once more, and nothing else.
    async fn retries(&self, before: &Count) {
        let room = self.room().await;
        let wanted: HashMap<&str, usize> =
            before.doubtful.iter().map(|(text, arrived)| (text.as_str(), usize::from(*arrived) + 1)).collect();
        for customer in self.customers() {
            let begins = format!("for {} ", customer.name);
            if wanted.keys().any(|text| text.starts_with(&begins)) {
                let card = self.thread(&customer).await;
                self.shop.ann.say_in_thread(&room, &card, "!retry").await;
            }
        }
        let there = |text: &str| {
            let chats = self.account.borrow().chats();
            chats.into_iter().flat_map(|chat| self.street.ever_sent(chat)).filter(|sent| sent == text).count()
        };
        let deadline = Instant::now() + PATIENCE * 2;
        while wanted.iter().any(|(text, times)| there(text) < *times) && Instant::now() < deadline {
            sleep(Duration::from_millis(200)).await;
        }
        self.quiet(Instant::now() + PATIENCE).await;
        for (text, times) in &wanted {
            assert_eq!(there(text), *times, "{text} after !retry\n{}", self.shop.ann.transcript(&room));
        }
        let after = self.count();
        let again: Vec<_> = after.repeated.iter().filter(|text| !wanted.contains_key(text.as_str())).collect();
        assert!(again.is_empty() && after.misdirected.is_empty(), "!retry sent what was not asked for: {after}");
    }

    /// Where no acknowledgement arrived, `!why` says the reason.
    async fn notes(&self, count: &Count) {
        let room = self.room().await;
        for customer in &count.silent {
            let card = self.thread(customer).await;
            let asked = self.shop.ann.say_in_thread(&room, &card, "!why").await;
            self.shop
                .ann
                .wait_for(&room, "the reason of a silence", PATIENCE, |event| {
                    let reason =
                        REASONS.iter().any(|reason| event.body().contains(&format!("first acknowledgement: {reason}")));
                    event.event_id != asked && event.thread_root() == Some(&card) && reason
                })
                .await;
        }
    }
}
