//! What people do: each becomes an update of the kind the real platform makes. Methods that stand for a person
//! panic where that person could not do such a thing.

use serde_json::{Value, json};

use super::BotApi;
use super::content;
use super::state::{Chat, Standing, State, merge};

/// The people and the rooms.
impl BotApi {
    /// A user, and the private chat with the bot, which has the same id. Not started: the bot may not write yet.
    pub fn user(&self, id: i64, first_name: &str, language: Option<&str>) -> i64 {
        let mut user = json!({ "id": id, "is_bot": false, "first_name": first_name });
        if let Some(language) = language {
            user["language_code"] = language.into();
        }
        self.raw_user(user)
    }

    /// A user with whatever fields: `is_bot`, `username`, `last_name` ...
    pub fn raw_user(&self, user: Value) -> i64 {
        let id = user["id"].as_i64().expect("a user has an id");
        let mut chat = json!({ "id": id, "type": "private" });
        for name in ["first_name", "last_name", "username"] {
            if user.get(name).is_some() {
                chat[name] = user[name].clone();
            }
        }
        self.shared.change(|state| {
            state.users.insert(id, user);
            state.add_chat(id, chat, Standing::Stranger);
        });
        id
    }

    /// A `group`, `supergroup` or `channel` that the bot is in.
    pub fn group(&self, id: i64, kind: &str, title: &str) -> i64 {
        self.raw_chat(json!({ "id": id, "type": kind, "title": title }))
    }

    /// A supergroup with topics.
    pub fn forum(&self, id: i64, title: &str) -> i64 {
        self.raw_chat(json!({ "id": id, "type": "supergroup", "title": title, "is_forum": true }))
    }

    fn raw_chat(&self, chat: Value) -> i64 {
        let id = chat["id"].as_i64().expect("a chat has an id");
        assert!(id < 0, "groups and channels have negative ids");
        self.shared.change(|state| state.add_chat(id, chat, Standing::Open));
        id
    }
}

/// What they write. Each gives the id of the message.
impl BotApi {
    pub fn says(&self, user: i64, text: &str) -> i64 {
        self.message(user, user, "text", json!({ "text": text }))
    }

    pub fn says_reply(&self, user: i64, to: i64, text: &str) -> i64 {
        let fields = json!({ "text": text, "reply_to_message": self.quoted(user, to) });
        self.message(user, user, "text", fields)
    }

    /// `/start`, with the payload of a deep link or without.
    pub fn start_cmd(&self, user: i64, payload: Option<&str>) -> i64 {
        let text = payload.map_or_else(|| "/start".to_owned(), |payload| format!("/start {payload}"));
        let entities = json!([{ "type": "bot_command", "offset": 0, "length": 6 }]);
        self.message(user, user, "text", json!({ "text": text, "entities": entities }))
    }

    pub fn sends_photo(&self, user: i64, caption: Option<&str>) -> i64 {
        self.sends_file(user, "photo", b"\xff\xd8\xff not really a picture".to_vec(), caption)
    }

    /// `photo`, `document`, `video`, `voice`, `audio`, `animation`, `sticker` or `video_note`; `getFile` gives the
    /// bytes.
    pub fn sends_file(&self, user: i64, kind: &str, bytes: Vec<u8>, caption: Option<&str>) -> i64 {
        let size = bytes.len();
        let file = self.shared.change(|state| state.add_file(bytes));
        let mut fields = json!({ kind: content::describe(kind, &file, size) });
        if let Some(caption) = caption {
            fields["caption"] = caption.into();
        }
        self.message(user, user, kind, fields)
    }

    pub fn group_message(&self, chat: i64, user: i64, text: &str) -> i64 {
        self.message(chat, user, "text", json!({ "text": text }))
    }

    pub fn topic_message(&self, chat: i64, thread: i64, user: i64, text: &str) -> i64 {
        let fields = json!({ "text": text, "message_thread_id": thread, "is_topic_message": true });
        self.message(chat, user, "text", fields)
    }

    /// Any message: `fields` are added to the id, date, chat and sender (and replace them: a forward, a date long
    /// ago, a `business_connection_id`). `kind` is the field that holds the content.
    pub fn message(&self, chat: i64, from: i64, kind: &str, fields: Value) -> i64 {
        self.shared.change(|state| {
            state.open_for(chat);
            let from = state.users.get(&from).cloned().unwrap_or_else(|| panic!("there is no user {from}"));
            let update = if state.chat(chat).value["type"] == "channel" { "channel_post" } else { "message" };
            let message = state.store(chat, from, kind, fields);
            let id = message["message_id"].as_i64().unwrap_or_default();
            state.push_update(update, message);
            id
        })
    }

    /// The user changes the text of a message.
    pub fn edits(&self, user: i64, message: i64, text: &str) {
        self.shared.change(|state| {
            let now = state.now().as_second();
            let chat = state.chat(user);
            let update = if chat.value["type"] == "channel" { "edited_channel_post" } else { "edited_message" };
            let stored = chat.messages.get_mut(&message).expect("a message of this chat");
            assert!(!stored.by_bot, "people cannot edit the bot's messages");
            let field = if stored.value.get("caption").is_some() { "caption" } else { "text" };
            merge(&mut stored.value, json!({ field: text, "edit_date": now }));
            let value = stored.value.clone();
            state.push_update(update, value);
        });
    }

    /// The user deletes a message: bots are not told, but nobody can reply to it any more.
    pub fn deletes(&self, chat: i64, message: i64) {
        self.shared.change(|state| {
            state.chat(chat).messages.get_mut(&message).expect("a message of this chat").deleted = true;
        });
    }

    /// The user's reactions on a message are now these. The bot hears of it if it asked for `message_reaction`.
    pub fn react(&self, chat: i64, user: i64, message: i64, old: &[&str], new: &[&str]) {
        self.shared.change(|state| {
            assert!(state.message(chat, message).is_some(), "there is no message {message} in {chat}");
            let list = |emoji: &[&str]| -> Value {
                emoji.iter().map(|emoji| json!({ "type": "emoji", "emoji": emoji })).collect()
            };
            let reaction = json!({ "chat": state.chat(chat).value, "message_id": message, "user": state.users[&user],
                "date": state.now().as_second(), "old_reaction": list(old), "new_reaction": list(new) });
            state.push_update("message_reaction", reaction);
        });
    }

    /// Any update; its `update_id` is given by the stand-in.
    pub fn raw_update(&self, update: Value) {
        self.shared.change(|state| state.push_raw(update));
    }

    /// The next updates that come together come in reverse. The real platform keeps them in order; a proxy that answers
    /// from several servers might not.
    pub fn reverses_next(&self) {
        self.shared.change(|state| state.reverse = true);
    }

    fn quoted(&self, chat: i64, message: i64) -> Value {
        let state = self.shared.state();
        let stored = state.message(chat, message).unwrap_or_else(|| panic!("there is no message {message} in {chat}"));
        let mut value = stored.value.clone();
        value.as_object_mut().map(|fields| fields.remove("reply_to_message"));
        value
    }
}

/// How the bot stands with them.
impl BotApi {
    pub fn blocks(&self, user: i64) {
        self.stands(user, Standing::Blocked, "member", "kicked");
    }

    pub fn unblocks(&self, user: i64) {
        self.stands(user, Standing::Open, "kicked", "member");
    }

    /// The account is deleted: no update, only refusals.
    pub fn deactivates(&self, user: i64) {
        self.shared.change(|state| state.chat(user).standing = Standing::Deactivated);
    }

    /// The bot is thrown out of a group.
    pub fn kicks_bot(&self, chat: i64) {
        self.stands(chat, Standing::Kicked, "member", "kicked");
    }

    /// The group becomes a supergroup with a new id; sends to the old one are refused with it.
    pub fn migrates(&self, from: i64, to: i64) {
        let title = self.shared.state().chat(from).value["title"].clone();
        self.group(to, "supergroup", title.as_str().unwrap_or_default());
        self.shared.change(|state| {
            let bot = state.bot();
            let old = state.store(from, bot.clone(), "migrate_to_chat_id", json!({ "migrate_to_chat_id": to }));
            let new = state.store(to, bot, "migrate_from_chat_id", json!({ "migrate_from_chat_id": from }));
            for (chat, message) in [(from, old), (to, new)] {
                let id = message["message_id"].as_i64().unwrap_or_default();
                state.chat(chat).messages.entry(id).and_modify(|stored| stored.by_bot = false);
                state.push_update("message", message);
            }
            state.chat(from).standing = Standing::Moved(to);
        });
    }

    /// The forum's topic is deleted by a person: bots are not told.
    pub fn deletes_topic(&self, chat: i64, thread: i64) {
        self.shared.change(|state| state.chat(chat).topics.remove(&thread)).expect("a topic of this forum");
    }

    /// A topic that a person opens; gives its thread id.
    pub fn opens_topic(&self, chat: i64, user: i64, name: &str) -> i64 {
        let fields = json!({ "forum_topic_created": { "name": name, "icon_color": 0x6F_B9F0 } });
        let thread = self.message(chat, user, "forum_topic_created", fields);
        self.shared.change(|state| state.chat(chat).topics.insert(thread, name.to_owned()));
        thread
    }

    fn stands(&self, chat: i64, standing: Standing, old: &str, new: &str) {
        self.shared.change(|state| {
            state.chat(chat).standing = standing;
            let bot = state.bot();
            let member = |status: &str| match status {
                "kicked" => json!({ "status": status, "user": bot, "until_date": 0 }),
                _ => json!({ "status": status, "user": bot }),
            };
            let from = state.users.get(&chat).or_else(|| state.users.values().next()).cloned().unwrap_or(bot.clone());
            let change = json!({ "chat": state.chats[&chat].value, "from": from, "date": state.now().as_second(),
                "old_chat_member": member(old), "new_chat_member": member(new) });
            state.push_update("my_chat_member", change);
        });
    }
}

impl State {
    fn add_chat(&mut self, id: i64, value: Value, standing: Standing) {
        let chat = Chat { value, standing, last_message: 0, messages: Default::default(), topics: Default::default() };
        assert!(self.chats.insert(id, chat).is_none(), "there is a chat {id} already");
    }

    /// Whoever writes has started the bot.
    fn open_for(&mut self, chat: i64) {
        let standing = &mut self.chat(chat).standing;
        match standing {
            Standing::Stranger => *standing = Standing::Open,
            Standing::Open => {}
            Standing::Blocked => panic!("{chat} has blocked the bot: unblocks() first"),
            Standing::Deactivated | Standing::Kicked | Standing::Moved(_) => {
                panic!("nothing comes from {chat} any more")
            }
        }
    }
}
