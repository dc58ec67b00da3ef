//! Who a payload speaks of, and where an answer to them goes.

use frontdesk_core::{Address, Person, PersonKind};
use serde_json::Value;

use crate::{
    memory::Memory,
    wire::{list, text},
};

/// A customer by the names that an entry has for them. The business-scoped user id comes first, because a phone number
/// may be missing, and may belong to somebody else later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub user: Option<String>,
    /// Of several businesses that belong together.
    pub parent: Option<String>,
    /// Digits.
    pub phone: Option<String>,
    /// WhatsApp's own form of the number, which may differ from it.
    pub wa_id: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
}

impl Named {
    /// Whoever sent a message (`from`) or gets one (`to`, `recipient`).
    pub fn of(entry: &Value, party: Party) -> Self {
        let fields = party.fields();
        Self {
            // A user id stands in the number's place at times.
            user: id(entry, fields.user).or_else(|| id(entry, fields.phone).filter(|id| is_user_id(id))),
            parent: id(entry, fields.parent),
            phone: phone(entry, fields.phone),
            ..Self::default()
        }
    }

    /// A person of a `contacts` list.
    pub fn contact(contact: &Value) -> Self {
        Self {
            user: id(contact, "/user_id"),
            parent: id(contact, "/parent_user_id"),
            phone: None,
            wa_id: phone(contact, "/wa_id"),
            name: words(contact, "/profile/name"),
            username: words(contact, "/profile/username").or_else(|| words(contact, "/username")),
        }
    }

    /// With what `contacts` say of the same person.
    pub fn with(mut self, contacts: &[Self]) -> Self {
        let found = contacts.iter().find(|other| self.is(other)).or(match contacts {
            [only] if self.may_be(only) => Some(only),
            _ => None,
        });
        let Some(found) = found.cloned() else { return self };
        self.user = self.user.or(found.user);
        self.parent = self.parent.or(found.parent);
        self.wa_id = found.wa_id;
        self.name = found.name;
        self.username = found.username;
        self
    }

    /// With the user id that the same phone number had a while ago: Meta leaves it out in places.
    pub fn remembered(mut self, memory: &Memory) -> Self {
        if self.user.is_none() {
            self.user = self.phone.as_ref().or(self.wa_id.as_ref()).and_then(|phone| memory.user_of(phone));
        }
        self
    }

    /// By what we key them: the user id where there is one.
    pub fn id(&self) -> Option<&str> {
        self.user.as_deref().or(self.phone.as_deref()).or(self.wa_id.as_deref())
    }

    pub fn address(&self) -> Option<Address> {
        self.id().map(Address::chat)
    }

    pub fn person(&self) -> Option<Person> {
        let id = self.id()?;
        let phones = [&self.phone, &self.wa_id].into_iter().flatten();
        // The owner's own list has them with a plus.
        let phones = phones.flat_map(|phone| [phone.clone(), format!("+{phone}")]);
        let mut aliases: Vec<String> = phones.chain(self.parent.clone()).filter(|alias| alias != id).collect();
        aliases.sort();
        aliases.dedup();
        Some(Person {
            first_name: self.name.clone(),
            username: self.username.clone(),
            aliases,
            ..Person::human(id, self.shown())
        })
    }

    /// What to call them; nothing where the payload does not say anything about them, so that what is known stays.
    fn shown(&self) -> String {
        let told = self.wa_id.is_some() || self.username.is_some() || self.name.is_some();
        let number = self.phone.as_ref().or(self.wa_id.as_ref()).filter(|_| told).map(|phone| format!("+{phone}"));
        self.name.clone().or_else(|| self.username.clone()).or(number).unwrap_or_default()
    }

    fn is(&self, other: &Self) -> bool {
        match (&self.user, &other.user) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.phone.is_some() && self.phone == other.wa_id,
        }
    }

    /// WhatsApp's form of a number may have a digit more or less behind the country than the number itself.
    fn may_be(&self, other: &Self) -> bool {
        match (&self.user, &self.phone, &other.wa_id) {
            (None, None, _) => true,
            (None, Some(phone), Some(wa_id)) => match (tail(phone), tail(wa_id)) {
                (Some(mine), Some(theirs)) => mine == theirs,
                _ => false,
            },
            (Some(_), _, _) | (None, Some(_), None) => false,
        }
    }
}

/// In which part of an entry a person stands.
#[derive(Clone, Copy)]
pub(crate) enum Party {
    /// Of a message.
    From,
    /// Of an echo.
    To,
    /// Of a status.
    Recipient,
}

struct Fields {
    phone: &'static str,
    user: &'static str,
    parent: &'static str,
}

impl Party {
    fn fields(self) -> Fields {
        match self {
            Self::From => Fields { phone: "/from", user: "/from_user_id", parent: "/from_parent_user_id" },
            Self::To => Fields { phone: "/to", user: "/to_user_id", parent: "/to_parent_user_id" },
            Self::Recipient => {
                Fields { phone: "/recipient_id", user: "/recipient_user_id", parent: "/recipient_parent_user_id" }
            }
        }
    }
}

/// The people of the `contacts` list: made once for all that a change tells of them.
pub(crate) fn contacts(value: &Value) -> Vec<Named> {
    list(value, "/contacts").iter().map(Named::contact).collect()
}

/// The people of a `contacts` list, with their phone numbers and user ids.
pub(crate) fn pairs(value: &Value) -> impl Iterator<Item = (String, String)> {
    list(value, "/contacts").iter().map(Named::contact).filter_map(|named| Some((named.wa_id?, named.user?)))
}

/// Who speaks where nobody is named.
pub(crate) fn service() -> Person {
    Person { kind: PersonKind::Service, ..Person::human("whatsapp", "WhatsApp") }
}

/// The digits of a phone number in whatever form, or whatever else stands there.
pub(crate) fn digits(phone: &str) -> String {
    phone.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')' | '.')).collect()
}

fn id(value: &Value, path: &str) -> Option<String> {
    text(value, path).map(str::to_owned)
}

fn tail(phone: &str) -> Option<&str> {
    phone.get(phone.len().checked_sub(8)?..)
}

/// A business-scoped user id: a country, a dot, and letters and digits (`US.1349`, `US.ENT.1181`).
pub(crate) fn is_user_id(text: &str) -> bool {
    let plain = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    text.split_once('.').is_some_and(|(country, rest)| {
        country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic()) && plain(rest) && text.len() <= 150
    })
}

/// The number at this place, in digits.
pub(crate) fn phone(value: &Value, path: &str) -> Option<String> {
    let found = digits(text(value, path)?);
    Some(found).filter(|phone| !phone.is_empty() && phone.bytes().all(|byte| byte.is_ascii_digit()))
}

fn words(value: &Value, path: &str) -> Option<String> {
    text(value, path).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn people<const N: usize>(contacts: [Value; N]) -> Vec<Named> {
        contacts.iter().map(Named::contact).collect()
    }

    #[test]
    fn a_user_id_is_the_key_and_the_number_an_alias() {
        let message = json!({ "from": "16505551234", "from_user_id": "US.1349" });
        let contacts =
            people([json!({ "profile": { "name": "Sheena" }, "wa_id": "16505551234", "user_id": "US.1349" })]);
        let named = Named::of(&message, Party::From).with(&contacts);
        let person = named.person().unwrap();
        assert_eq!((person.id.as_str(), person.name.as_str()), ("US.1349", "Sheena"));
        assert_eq!(person.aliases, ["+16505551234", "16505551234"]);
        assert_eq!(named.address(), Some(Address::chat("US.1349")));
    }

    #[test]
    fn without_a_user_id_the_number_is_the_key() {
        let named = Named::of(&json!({ "from": "16505551234" }), Party::From);
        let person = named.person().unwrap();
        assert_eq!((person.id.as_str(), person.name.as_str()), ("16505551234", ""));
        assert_eq!(person.aliases, ["+16505551234"]);
    }

    #[test]
    fn without_a_number_the_user_id_is_enough() {
        let contacts = people([json!({ "profile": { "name": " ", "username": "sheena" }, "user_id": "US.1349" })]);
        let person = Named::of(&json!({ "from_user_id": "US.1349" }), Party::From).with(&contacts).person().unwrap();
        assert_eq!(
            (person.id.as_str(), person.name.as_str(), person.username.as_deref()),
            ("US.1349", "sheena", Some("sheena"))
        );
        assert!(person.aliases.is_empty());
    }

    #[test]
    fn of_several_contacts_the_right_one_is_taken_and_of_none_nobody() {
        let contacts = people([
            json!({ "profile": { "name": "Ben" }, "wa_id": "2", "user_id": "US.2" }),
            json!({ "profile": { "name": "Anna" }, "wa_id": "1", "user_id": "US.1" }),
        ]);
        let name = |message: Value, contacts: &[Named]| Named::of(&message, Party::From).with(contacts).name;
        assert_eq!(name(json!({ "from_user_id": "US.1" }), &contacts).as_deref(), Some("Anna"));
        assert_eq!(name(json!({ "from": "2" }), &contacts).as_deref(), Some("Ben"));
        assert_eq!(name(json!({ "from": "3" }), &contacts), None);
        assert_eq!(name(json!({ "from": "3", "from_user_id": "US.3" }), &contacts[..1]), None);
        assert_eq!(name(json!({ "from": "3" }), &contacts[..1]), None);
    }

    #[test]
    fn a_number_in_two_forms_is_one_person() {
        let contacts = people([json!({ "profile": { "name": "Cleo" }, "wa_id": "525512345678", "user_id": "MX.9" })]);
        let named = Named::of(&json!({ "from": "5215512345678" }), Party::From).with(&contacts);
        assert_eq!((named.id(), named.name.as_deref()), (Some("MX.9"), Some("Cleo")));
        let other = Named::of(&json!({ "from": "5215587654321" }), Party::From).with(&contacts);
        assert_eq!(other.id(), Some("5215587654321"));
    }

    #[test]
    fn a_nameless_person_has_a_number() {
        let contacts = people([json!({ "wa_id": "4930123456" })]);
        let person = Named::of(&json!({ "from": "4930123456" }), Party::From).with(&contacts).person().unwrap();
        assert_eq!(person.name, "+4930123456");
    }
}
