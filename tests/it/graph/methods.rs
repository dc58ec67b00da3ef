//! What can be asked of the Graph API, with its refusals.

use serde_json::{Value, json};

use super::{
    form::Part,
    message::{self, Checked, Recipient},
    payload, sign,
    state::{APP, Late, Number, Pair, Person, Refusal, Sent, State},
    templates,
    wire::{Asked, Caller},
};

impl State {
    pub fn act(&mut self, asked: &Asked) -> Result<Value, Refusal> {
        match asked.method {
            "messages" => self.send(&asked.object, &asked.params),
            "read" => self.read(&asked.params),
            "upload" => self.upload(&asked.parts),
            "media" => self.describe(&asked.object, &asked.host),
            "templates" => Ok(self.list_templates(&asked.query, &asked.url)),
            "subscribed_apps" => Ok(self.subscribed_apps()),
            "subscriptions" => Ok(self.subscriptions()),
            "phone_numbers" => Ok(self.phone_numbers()),
            "token" => Ok(token()),
            "number" => self.describe_number(&asked.object, asked.fields()),
            "account" => Ok(json!({ "id": self.account, "name": "Blue Door Bakery" })),
            other => panic!("{other} is no method"),
        }
    }

    /// Which method a path stands for, and the object it is asked of.
    pub fn method_of(&self, verb: &str, caller: Caller, path: &str, params: &Value) -> Option<(&'static str, String)> {
        let mut steps = path.trim_matches('/').split('/');
        let version = steps.next().and_then(|version| version.strip_prefix('v'))?;
        let (major, minor) = version.split_once('.')?;
        major.parse::<u8>().and(minor.parse::<u8>()).ok()?;
        let (object, edge, rest) = (steps.next()?, steps.next(), steps.next());
        if rest.is_some() {
            return None;
        }
        let is_number = self.numbers.iter().any(|number| number.id == object);
        let is_account = self.account == object;
        if caller == Caller::App {
            return ((verb, object, edge) == ("GET", APP, Some("subscriptions")))
                .then(|| ("subscriptions", APP.into()));
        }
        let method = match (verb, edge) {
            ("POST", Some("messages")) if is_number && params["status"] == "read" => "read",
            ("POST", Some("messages")) if is_number => "messages",
            ("POST", Some("media")) if is_number => "upload",
            ("GET", Some("message_templates")) if is_account => "templates",
            ("GET", Some("subscribed_apps")) if is_account => "subscribed_apps",
            ("GET", Some("phone_numbers")) if is_account => "phone_numbers",
            ("GET", None) if object == "debug_token" => "token",
            ("GET", None) if is_number => "number",
            ("GET", None) if is_account => "account",
            ("GET", None) if object.bytes().all(|byte| byte.is_ascii_digit()) => "media",
            _ => return None,
        };
        Some((method, object.to_owned()))
    }

    fn send(&mut self, number: &str, params: &Value) -> Result<Value, Refusal> {
        let message = message::check(params)?;
        self.check_references(&message)?;
        let to = match &message.to {
            Recipient::Phone(phone) => self.by_phone(phone),
            Recipient::User(user) => self.by_user(user),
        };
        let fails = self.check_person(to, number, &message)?;
        let id = self.wamid();
        if message.kind == "reaction" {
            self.react(&message.content);
        } else {
            let sent = self.sent(&id, number, to, &message, fails.is_some(), params);
            self.sent.push(sent);
        }
        if self.statuses {
            self.post_statuses(&id, number, to, &message, fails);
        }
        Ok(answer(&id, &message))
    }

    /// What it names is there: a message, a file, a template.
    fn check_references(&self, message: &Checked) -> Result<(), Refusal> {
        let known = |id: &str| self.said.contains_key(id) || self.sent.iter().any(|sent| sent.id == id);
        if message.reply_to.as_deref().is_some_and(|id| !known(id)) {
            return Err(Refusal::value("context.message_id is not the id of a message"));
        }
        match message.kind.as_str() {
            "reaction" => {
                let emoji = message.content["emoji"].as_str().unwrap_or("?");
                if emoji.chars().any(|c| c.is_ascii_graphic()) && !emoji.starts_with(|c: char| c.is_ascii_digit()) {
                    return Err(Refusal::value("reaction.emoji is not an emoji"));
                }
                let of = message.content["message_id"].as_str().unwrap_or_default();
                if known(of) { Ok(()) } else { Err(Refusal::value("reaction.message_id is not the id of a message")) }
            }
            "template" => self.check_template(&message.content),
            kind if message::MEDIA.contains(&kind) => self.check_media(kind, &message.content),
            _ => Ok(()),
        }
    }

    /// What of the person stands against it: refused at once, or with the code of a failure that comes later.
    fn check_person(&mut self, to: Option<Person>, number: &str, message: &Checked) -> Result<Option<u32>, Refusal> {
        let Some(person) = to else { return Ok(Some(131_026)) };
        let now = self.now();
        let pair = self.human(person).pairs.entry(number.to_owned()).or_insert_with(|| Pair::full(now));
        if !pair.take(now) {
            return Err(Refusal::new(400, 131_056, "(Business Account, Consumer Account) pair rate limit hit"));
        }
        if message.kind != "template" && !self.is_open(person, number) {
            return match self.late {
                Late::Refused => Err(Refusal::new(400, 131_047, "Re-engagement message")
                    .saying("More than 24 hours have passed since the recipient last replied to the sender number.")),
                Late::FailsLater => Ok(Some(131_047)),
            };
        }
        Ok(if self.will_fail.is_empty() { None } else { Some(self.will_fail.remove(0)) })
    }

    fn react(&mut self, reaction: &Value) {
        let of = reaction["message_id"].as_str().unwrap_or_default().to_owned();
        match reaction["emoji"].as_str().unwrap_or_default() {
            "" => drop(self.reactions.remove(&of)),
            emoji => drop(self.reactions.insert(of, emoji.to_owned())),
        }
    }

    fn sent(
        &self,
        id: &str,
        number: &str,
        to: Option<Person>,
        message: &Checked,
        failed: bool,
        params: &Value,
    ) -> Sent {
        let text = match message.kind.as_str() {
            "text" => message.content["body"].as_str().unwrap_or_default().to_owned(),
            "template" => templates::rendered(&self.templates, &message.content),
            _ => message.content["caption"].as_str().unwrap_or_default().to_owned(),
        };
        Sent {
            id: id.to_owned(),
            number: number.to_owned(),
            to,
            kind: message.kind.clone(),
            text,
            reply_to: message.reply_to.clone(),
            key: message.key.clone(),
            failed,
            at: self.now(),
            raw: params.clone(),
        }
    }

    fn post_statuses(&mut self, id: &str, number: &str, to: Option<Person>, message: &Checked, fails: Option<u32>) {
        let states: &[&str] = match (fails, message.kind.as_str()) {
            (Some(_), _) => &["failed"],
            (None, "reaction") => &["sent"],
            (None, _) => &["sent", "delivered"],
        };
        for state in states {
            let status = payload::Status { id, state, to: &message.to, person: to, key: message.key.as_deref(), fails };
            let value = payload::status(self, number, &status);
            self.post.push("messages", value);
        }
    }

    fn read(&mut self, params: &Value) -> Result<Value, Refusal> {
        let id = message::check_read(params)?;
        if !self.said.contains_key(&id) {
            return Err(Refusal::value("message_id is not the id of a message that somebody sent to this number"));
        }
        self.reads.push((id, params.get("typing_indicator").is_some()));
        Ok(json!({ "success": true }))
    }

    /// The apps that are told what happens to the account.
    fn subscribed_apps(&self) -> Value {
        let app = json!({ "whatsapp_business_api_data": { "link": "https://www.facebook.com/games/?app_id=1",
            "name": "Front desk", "id": APP } });
        json!({ "data": if self.subscribed { vec![app] } else { Vec::new() } })
    }

    /// Where the app is told, and what of it.
    fn subscriptions(&self) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(|name| json!({ "name": name, "version": "v25.0" })).collect();
        let subscription = |url: String| json!({ "object": "whatsapp_business_account", "callback_url": url, "active": true, "fields": fields });
        json!({ "data": self.post.address().map(subscription).into_iter().collect::<Vec<_>>() })
    }

    fn phone_numbers(&self) -> Value {
        let number =
            |number: &Number| json!({ "id": number.id, "display_phone_number": format!("+{}", number.display) });
        json!({ "data": self.numbers.iter().map(number).collect::<Vec<_>>() })
    }

    fn describe_number(&self, id: &str, fields: Vec<String>) -> Result<Value, Refusal> {
        let display = &self.number(id).display;
        let all = json!({ "id": id, "display_phone_number": format!("+{display}"), "verified_name": "Blue Door Bakery",
            "quality_rating": "GREEN", "code_verification_status": "VERIFIED", "platform_type": "CLOUD_API",
            "name_status": "APPROVED", "status": "CONNECTED", "account_mode": "LIVE", "is_on_biz_app": false,
            "throughput": { "level": "STANDARD" },
            "webhook_configuration": { "application": self.post.address().unwrap_or_default() } });
        if fields.is_empty() {
            return Ok(all);
        }
        let mut answer = json!({ "id": id });
        for field in fields {
            if all.get(&field).is_none() {
                return Err(Refusal::new(400, 100, &format!("Tried accessing nonexisting field ({field})")));
            }
            answer[&field] = all[&field].clone();
        }
        Ok(answer)
    }
}

/// `appsecret_proof`, where it is given, has to be that of the token.
pub(super) fn check_proof(query: &[(String, String)], token: &str, secret: &str) -> Result<(), Refusal> {
    let given = query.iter().find(|(key, _)| key == "appsecret_proof");
    match given {
        Some((_, proof)) if *proof != sign::proof(secret, token.as_bytes()) => {
            Err(Refusal::new(400, 100, "Invalid appsecret_proof provided in the API argument"))
        }
        Some(_) | None => Ok(()),
    }
}

fn token() -> Value {
    json!({ "data": { "app_id": APP, "type": "SYSTEM_USER", "application": "Front desk", "expires_at": 0,
        "is_valid": true, "scopes": ["whatsapp_business_management", "whatsapp_business_messaging"] } })
}

fn answer(id: &str, message: &Checked) -> Value {
    let contact = match &message.to {
        Recipient::Phone(phone) => json!({ "input": phone, "wa_id": phone }),
        Recipient::User(user) => json!({ "input": user, "user_id": user }),
    };
    let mut sent = json!({ "id": id });
    if message.kind == "template" {
        sent["message_status"] = "accepted".into();
    }
    json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [sent] })
}

/// Names only, so that a call's record is not as large as the file.
pub(super) fn summary(parts: &[Part]) -> Value {
    let entry = |part: &Part| json!({ "name": part.name, "mime": part.mime, "bytes": part.bytes.len() });
    parts.iter().map(entry).collect()
}
