//! What people do: each becomes a webhook of the kind that Meta sends. All write to the first number unless it is said
//! otherwise. Each message gives its id.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    Graph, payload, sign,
    state::{Human, Number, Person},
};

/// The people, and the business's own numbers.
impl Graph {
    /// Somebody with a phone number, as most were before there were names.
    pub fn person(&self, name: &str, phone: &str) -> Person {
        self.known_as(name, Some(phone), None)
    }

    /// Somebody with a business-scoped user id; whoever took a name shows no number.
    pub fn known_as(&self, name: &str, phone: Option<&str>, user: Option<&str>) -> Person {
        let username = if phone.is_none() { Some(name.to_lowercase()) } else { None };
        let human = Human {
            name: name.to_owned(),
            phone: phone.map(str::to_owned),
            user: user.map(str::to_owned),
            username,
            wrote: HashMap::new(),
            pairs: HashMap::new(),
        };
        self.shared.change(|state| {
            state.people.push(human);
            Person(state.people.len() - 1)
        })
    }

    /// Another number of the same business.
    pub fn another_number(&self, id: &str, display: &str) -> String {
        self.shared.change(|state| state.numbers.push(Number { id: id.to_owned(), display: display.to_owned() }));
        id.to_owned()
    }
}

/// What they write.
impl Graph {
    pub fn says(&self, person: Person, text: &str) -> String {
        self.message(person, "text", json!({ "body": text }))
    }

    pub fn says_to(&self, number: &str, person: Person, text: &str) -> String {
        self.message_to(number, person, json!({ "type": "text", "text": { "body": text } }))
    }

    pub fn says_reply(&self, person: Person, to: &str, text: &str) -> String {
        let from = self.shared.state().numbers[0].display.clone();
        self.message_with(
            person,
            json!({ "context": { "from": from, "id": to }, "type": "text",
            "text": { "body": text } }),
        )
    }

    /// `image`, `video`, `audio`, `voice`, `document` or `sticker`.
    pub fn sends_file(&self, person: Person, kind: &str, mime: &str, bytes: Vec<u8>, caption: Option<&str>) -> String {
        let (sum, id) = (sign::sha256(&bytes), self.shared.change(|state| state.add_received(bytes, mime)));
        let mut file = json!({ "mime_type": mime, "sha256": sum, "id": id });
        let kind = match kind {
            "voice" | "audio" => {
                file["voice"] = (kind == "voice").into();
                "audio"
            }
            "document" => {
                file["filename"] = "order.pdf".into();
                kind
            }
            "sticker" => {
                file["animated"] = false.into();
                kind
            }
            other => other,
        };
        if let Some(caption) = caption {
            file["caption"] = caption.into();
        }
        self.message(person, kind, file)
    }

    pub fn reacts(&self, person: Person, to: &str, emoji: Option<&str>) -> String {
        let mut reaction = json!({ "message_id": to });
        if let Some(emoji) = emoji {
            reaction["emoji"] = emoji.into();
        }
        self.message(person, "reaction", reaction)
    }

    pub fn message(&self, person: Person, kind: &str, content: Value) -> String {
        self.message_with(person, json!({ "type": kind, kind: content }))
    }

    /// Any message: `fields` are added to the id, the time and the sender.
    pub fn message_with(&self, person: Person, fields: Value) -> String {
        let number = self.number();
        self.message_to(&number, person, fields)
    }

    pub fn message_to(&self, number: &str, person: Person, fields: Value) -> String {
        self.shared.change(|state| {
            let (id, now) = (state.wamid(), state.now());
            let opens =
                !["reaction", "system", "revoke", "edit"].contains(&fields["type"].as_str().unwrap_or_default());
            let value = payload::message(state, number, person, &id, fields);
            state.said.insert(id.clone(), person);
            if opens {
                state.human(person).wrote.insert(number.to_owned(), now);
            }
            state.post.push("messages", value);
            id
        })
    }

    /// Where the number is also on the phone.
    pub fn edits(&self, person: Person, of: &str, text: &str) -> String {
        let message = json!({ "type": "text", "text": { "body": text } });
        self.message(person, "edit", json!({ "original_message_id": of, "message": message }))
    }

    /// Where the number is also on the phone.
    pub fn revokes(&self, person: Person, of: &str) -> String {
        self.message(person, "revoke", json!({ "original_message_id": of }))
    }
}

/// How they stand to the business.
impl Graph {
    /// The person has another phone number, and with it another user id where there was one.
    pub fn changes_number(&self, person: Person, phone: &str, user: Option<&str>) -> String {
        let (old, name) = self.shared.change(|state| {
            let human = state.human(person);
            let old = human.phone.clone().expect("a number that can change");
            (old, human.name.clone())
        });
        let body = format!("User {name} changed from {old} to {phone}");
        let mut system = json!({ "type": "user_changed_number", "body": body, "wa_id": phone });
        if let Some(user) = user {
            system["user_id"] = user.into();
        }
        self.system(person, system, |human| {
            human.phone = Some(phone.to_owned());
            human.user = user.map(str::to_owned).or(human.user.take());
        })
    }

    pub fn changes_user_id(&self, person: Person, user: &str) -> String {
        let name = self.shared.change(|state| state.human(person).name.clone());
        let body = format!("User {name} has a new user id");
        let system = json!({ "type": "user_changed_user_id", "body": body, "user_id": user });
        self.system(person, system, |human| human.user = Some(user.to_owned()))
    }

    /// Meta's own word, under the old names and without contacts; the new ones hold from then on.
    fn system(&self, person: Person, system: Value, change: impl FnOnce(&mut Human)) -> String {
        let number = self.number();
        self.shared.change(|state| {
            let id = state.wamid();
            let mut value =
                payload::message(state, &number, person, &id, json!({ "type": "system", "system": system }));
            value.as_object_mut().map(|value| value.remove("contacts"));
            change(state.human(person));
            state.post.push("messages", value);
            id
        })
    }

    /// The person has read all that the business sent.
    pub fn reads(&self, person: Person) {
        self.shared.change(|state| {
            for sent in state.ever_sent(person) {
                let checked = super::message::check(&sent.raw).expect("it was accepted");
                let status = payload::Status {
                    id: &sent.id,
                    state: "read",
                    to: &checked.to,
                    person: Some(person),
                    key: sent.key.as_deref(),
                    fails: None,
                };
                let value = payload::status(state, &sent.number, &status);
                state.post.push("messages", value);
            }
        });
    }

    /// What was accepted fails after all: the status of a message that was sent already.
    pub fn fails(&self, id: &str, code: u32) {
        self.shared.change(|state| {
            let sent = state.sent.iter_mut().find(|sent| sent.id == id).expect("a message of the business");
            sent.failed = true;
            let sent = sent.clone();
            let checked = super::message::check(&sent.raw).expect("it was accepted");
            let status = payload::Status {
                id,
                state: "failed",
                to: &checked.to,
                person: sent.to,
                key: sent.key.as_deref(),
                fails: Some(code),
            };
            let value = payload::status(state, &sent.number, &status);
            state.post.push("messages", value);
        });
    }
}

/// The owner, on the phone (coexistence).
impl Graph {
    pub fn owner_says(&self, person: Person, text: &str) -> String {
        self.owner(person, json!({ "type": "text", "text": { "body": text } }))
    }

    pub fn owner_revokes(&self, person: Person, of: &str) -> String {
        self.owner(person, json!({ "type": "revoke", "revoke": { "original_message_id": of } }))
    }

    fn owner(&self, person: Person, fields: Value) -> String {
        let number = self.number();
        self.shared.change(|state| {
            let id = state.wamid();
            let value = payload::echo(state, &number, person, &id, fields);
            state.post.push("smb_message_echoes", value);
            id
        })
    }

    /// The chats that were on the phone before: one message of each person, and one answer.
    pub fn history(&self, people: &[Person]) {
        let number = self.number();
        self.shared.change(|state| {
            let mut value = payload::about(state, &number);
            let display = state.number(&number).display.clone();
            let mut threads = Vec::new();
            for person in people {
                let phone = state.human(*person).phone.clone().expect("old chats have numbers");
                let (asked, answered) = (state.wamid(), state.wamid());
                let then = (state.now().as_second() - 86_400).to_string();
                let line = |from: &str, id: String, body: &str| {
                    json!({ "from": from, "id": id, "timestamp": then, "type": "text", "text": { "body": body },
                        "history_context": { "status": "READ" } })
                };
                let messages = [line(&phone, asked, "An old question"), line(&display, answered, "An old answer")];
                threads.push(json!({ "id": phone, "messages": messages }));
            }
            value["history"] = json!([{ "metadata": { "phase": 0, "chunk_order": 1, "progress": 100 },
                "threads": threads }]);
            state.post.push("history", value);
        });
    }

    /// The owner's address book.
    pub fn address_book(&self, people: &[Person]) {
        let number = self.number();
        self.shared.change(|state| {
            let mut value = payload::about(state, &number);
            let now = state.now().as_second().to_string();
            let entry = |person: &Person| {
                let human = &state.people[person.0];
                json!({ "type": "contact", "action": "add", "metadata": { "timestamp": now },
                    "contact": { "full_name": human.name, "first_name": human.name, "phone_number": human.phone } })
            };
            value["state_sync"] = people.iter().map(entry).collect();
            state.post.push("smb_app_state_sync", value);
        });
    }

    /// Any change of any field.
    pub fn raw_change(&self, field: &str, value: Value) {
        self.shared.change(|state| state.post.push(field, value));
    }
}
