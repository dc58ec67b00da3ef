//! What the platform knows: numbers, people, messages, files, and every call that was made.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    hook::Post,
    media::{File, Link},
};
use crate::fault::Fault;

/// The app that the token and the webhook belong to.
pub(super) const APP: &str = "670843887433847";

/// A person who writes to the business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person(pub(super) usize);

/// A message of the business that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// `wamid...`
    pub id: String,
    /// The business's own number that it came from.
    pub number: String,
    /// Nobody has the number that it was sent to.
    pub to: Option<Person>,
    /// `text`, `image`, `template` ...
    pub kind: String,
    /// The text, the caption, or the template's words.
    pub text: String,
    pub reply_to: Option<String>,
    /// `biz_opaque_callback_data`.
    pub key: Option<String>,
    /// It was accepted, and then did not arrive.
    pub failed: bool,
    pub at: Timestamp,
    /// As it was sent.
    pub raw: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub at: Timestamp,
    /// `messages`, `read`, `upload`, `media`, `download`, `number`, `templates`, `subscribed_apps`.
    pub method: String,
    pub params: Value,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Still open, or the caller went away.
    Open,
    Done,
    Refused {
        code: u32,
        details: String,
    },
    /// One of the test's faults; `carried_out` says whether it had an effect.
    Failed {
        fault: Fault,
        carried_out: bool,
    },
}

impl Call {
    pub fn carried_out(&self) -> bool {
        match &self.outcome {
            Outcome::Done => true,
            Outcome::Failed { carried_out, .. } => *carried_out,
            Outcome::Open | Outcome::Refused { .. } => false,
        }
    }
}

/// Why a call was refused, in the Graph API's words.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: u32,
    pub subcode: Option<u32>,
    pub title: String,
    pub details: Option<String>,
}

impl Refusal {
    pub fn new(status: u16, code: u32, title: &str) -> Self {
        Self { status, code, subcode: None, title: title.to_owned(), details: None }
    }

    /// There is no such number, account or file, or the token may not see it.
    pub fn no_object() -> Self {
        Self { subcode: Some(33), ..Self::new(400, 100, "Unsupported request. The object does not exist") }
    }

    pub fn parameter(details: &str) -> Self {
        Self::new(400, 100, "Invalid parameter").saying(details)
    }

    pub fn value(details: &str) -> Self {
        Self::new(400, 131_009, "Parameter value is not valid").saying(details)
    }

    pub fn saying(mut self, details: &str) -> Self {
        self.details = Some(details.to_owned());
        self
    }

    pub fn body(&self) -> Value {
        let mut error = json!({ "message": format!("(#{}) {}", self.code, self.title), "type": "OAuthException",
            "code": self.code, "fbtrace_id": "AbCdEfGhIjKlMnOpQrStUv" });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if let Some(details) = &self.details {
            error["error_data"] = json!({ "messaging_product": "whatsapp", "details": details });
        }
        json!({ "error": error })
    }
}

/// How a customer whose 24 hours are over is answered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// The send is refused.
    Refused,
    /// The send is taken, and a status says later that it failed.
    FailsLater,
}

#[derive(Clone, Debug)]
pub(super) struct Number {
    pub id: String,
    /// Digits.
    pub display: String,
}

#[derive(Clone, Debug)]
pub(super) struct Human {
    pub name: String,
    /// What the business may see of it.
    pub phone: Option<String>,
    pub user: Option<String>,
    pub username: Option<String>,
    /// When they last wrote, by the business's number.
    pub wrote: HashMap<String, Timestamp>,
    pub pairs: HashMap<String, Pair>,
}

/// What one number may still send to one person: a burst, then one in six seconds.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    left: f64,
    since: Timestamp,
}

pub(super) const WINDOW: SignedDuration = SignedDuration::from_hours(24);
const BURST: f64 = 45.0;
const ONE_IN_SECS: f64 = 6.0;

impl Pair {
    pub fn full(now: Timestamp) -> Self {
        Self { left: BURST, since: now }
    }

    pub fn take(&mut self, now: Timestamp) -> bool {
        let secs = now.duration_since(self.since).as_secs_f64().max(0.0);
        self.left = (self.left + secs / ONE_IN_SECS).min(BURST);
        self.since = now;
        let may = self.left >= 1.0;
        self.left -= f64::from(u8::from(may));
        may
    }
}

pub(super) struct State {
    /// Set by the test; `None` is the real time.
    pub time: Option<Timestamp>,
    /// The WhatsApp Business Account.
    pub account: String,
    pub numbers: Vec<Number>,
    pub people: Vec<Human>,
    /// Messages that people wrote, by id.
    pub said: HashMap<String, Person>,
    pub sent: Vec<Sent>,
    /// The business's reactions by message.
    pub reactions: BTreeMap<String, String>,
    /// Messages that were marked as read, and whether typing was shown with it.
    pub reads: Vec<(String, bool)>,
    pub files: BTreeMap<String, File>,
    pub links: BTreeMap<String, Link>,
    pub templates: Vec<Value>,
    /// The most templates on one page.
    pub page: usize,
    pub subscribed: bool,
    /// What the app asked to be told.
    pub fields: Vec<String>,
    pub late: Late,
    /// The next messages are accepted, and fail later with these codes.
    pub will_fail: Vec<u32>,
    /// Whether statuses follow each send.
    pub statuses: bool,
    pub calls: Vec<Call>,
    pub post: Post,
    counter: u64,
}

impl State {
    pub fn new() -> Self {
        Self {
            time: None,
            account: "102290129340398".into(),
            numbers: vec![Number { id: "106540352242922".into(), display: "15550783881".into() }],
            people: Vec::new(),
            said: HashMap::new(),
            sent: Vec::new(),
            reactions: BTreeMap::new(),
            reads: Vec::new(),
            files: BTreeMap::new(),
            links: BTreeMap::new(),
            templates: Vec::new(),
            page: 100,
            subscribed: true,
            fields: ["messages", "smb_message_echoes", "history", "smb_app_state_sync"].map(str::to_owned).into(),
            late: Late::Refused,
            will_fail: Vec::new(),
            statuses: true,
            calls: Vec::new(),
            post: Post::default(),
            counter: 0,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.time.unwrap_or_else(Timestamp::now)
    }

    pub fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub fn wamid(&mut self) -> String {
        let number = self.count();
        format!("wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQz{number:016X}AA==")
    }

    pub fn number(&self, id: &str) -> &Number {
        self.numbers.iter().find(|number| number.id == id).unwrap_or_else(|| panic!("there is no number {id}"))
    }

    pub fn human(&mut self, person: Person) -> &mut Human {
        &mut self.people[person.0]
    }

    pub fn by_phone(&self, phone: &str) -> Option<Person> {
        self.people.iter().position(|human| human.phone.as_deref() == Some(phone)).map(Person)
    }

    pub fn by_user(&self, user: &str) -> Option<Person> {
        self.people.iter().position(|human| human.user.as_deref() == Some(user)).map(Person)
    }

    pub fn ever_sent(&self, person: Person) -> Vec<Sent> {
        self.sent.iter().filter(|sent| sent.to == Some(person)).cloned().collect()
    }

    /// Whether the person wrote to this number within the last 24 hours.
    pub fn is_open(&self, person: Person, number: &str) -> bool {
        let wrote = self.people[person.0].wrote.get(number);
        wrote.is_some_and(|wrote| self.now().duration_since(*wrote) < WINDOW)
    }
}
