//! Where customers are: the same few questions to each of their messengers.

use super::{Customer, account::FIRST_NUMBER};
use crate::{
    graph::{Graph, Person},
    program::Shop,
};

pub struct Street<'a>(pub &'a Shop);

impl Street<'_> {
    /// They write for the first time from now on.
    pub fn introduces(&self, customer: &Customer) {
        match self.whatsapp(customer.id) {
            Some((graph, phone)) => drop(graph.known_as(&customer.name, Some(&phone), Some(&format!("DE.{phone}")))),
            None => drop(self.0.telegram.user(customer.id, &customer.name, Some("en"))),
        }
    }

    pub fn says(&self, customer: &Customer, text: &str) {
        match self.whatsapp(customer.id) {
            Some((graph, phone)) => drop(graph.says(person(graph, &phone), text)),
            None => drop(self.0.telegram.says(customer.id, text)),
        }
    }

    /// The words of all that ever arrived in a chat, oldest first.
    pub fn ever_sent(&self, chat: i64) -> Vec<String> {
        match self.whatsapp(chat) {
            Some((graph, phone)) => graph.received(person(graph, &phone)).into_iter().map(|sent| sent.text).collect(),
            None => self.0.telegram.ever_sent(chat).into_iter().map(|sent| sent.text).collect(),
        }
    }

    /// How often the program has tried to send something.
    pub fn tries(&self) -> usize {
        let whatsapp = self.0.whatsapp.as_ref().map_or(0, |graph| graph.calls_of("messages").len());
        self.0.telegram.calls_of("sendMessage").len() + whatsapp
    }

    /// What the program has not confirmed yet.
    pub fn unconfirmed(&self) -> usize {
        self.0.telegram.unconfirmed().len() + self.0.whatsapp.as_ref().map_or(0, Graph::unconfirmed)
    }

    /// Whether the messenger brings this customer's words in the order in which they were written.
    pub fn keeps_order(&self, customer: &Customer) -> bool {
        self.whatsapp(customer.id).is_none_or(|(graph, _)| graph.keeps_order())
    }

    fn whatsapp(&self, chat: i64) -> Option<(&Graph, String)> {
        (chat >= FIRST_NUMBER).then(|| (self.0.graph(), chat.to_string()))
    }
}

fn person(graph: &Graph, phone: &str) -> Person {
    graph.by_phone(phone).expect("a customer with this number")
}
