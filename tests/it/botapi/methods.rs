//! The methods of the Bot API, with the refusals of the real one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Shared;
use super::content;
use super::state::{Chat, Refusal, Standing, State, Stored, merge};
use super::wire::Input;

/// All that there are here, as the documentation spells them.
pub(super) const METHODS: [&str; 44] = [
    "getUpdates",
    "getMe",
    "getWebhookInfo",
    "setWebhook",
    "deleteWebhook",
    "sendMessage",
    "sendPhoto",
    "sendDocument",
    "sendVideo",
    "sendVoice",
    "sendAudio",
    "sendAnimation",
    "sendSticker",
    "sendVideoNote",
    "sendLocation",
    "sendVenue",
    "sendContact",
    "sendDice",
    "sendMediaGroup",
    "sendChatAction",
    "editMessageText",
    "editMessageCaption",
    "deleteMessage",
    "setMessageReaction",
    "getFile",
    "getChat",
    "getChatMember",
    "getChatMemberCount",
    "createForumTopic",
    "editForumTopic",
    "deleteForumTopic",
    "reopenForumTopic",
    "closeForumTopic",
    "setMyCommands",
    "deleteMyCommands",
    "setMyName",
    "setMyDescription",
    "setMyShortDescription",
    "setChatMenuButton",
    "answerCallbackQuery",
    "pinChatMessage",
    "unpinChatMessage",
    "readBusinessMessage",
    "logOut",
];

impl Shared {
    pub(super) async fn act(self: &Arc<Self>, method: &str, input: Input) -> Result<Value, Refusal> {
        if method.eq_ignore_ascii_case("getUpdates") {
            return self.poll(&input.params).await;
        }
        self.change(|state| {
            let answer = state.act(method, input)?;
            state.answers.push((method.to_owned(), answer.clone()));
            Ok(answer)
        })
    }
}

impl State {
    fn act(&mut self, method: &str, input: Input) -> Result<Value, Refusal> {
        let params = &input.params;
        if !METHODS.iter().any(|known| known.eq_ignore_ascii_case(method)) {
            return Err(Refusal::new(404, "Not Found"));
        }
        match method.to_ascii_lowercase().as_str() {
            "getme" => Ok(self.get_me()),
            "getwebhookinfo" => Ok(self.webhook_info()),
            "setwebhook" => Ok(self.set_webhook(params)),
            "deletewebhook" => Ok(self.set_webhook(&json!({ "drop_pending_updates": params["drop_pending_updates"] }))),
            "sendchataction" => self.chat_for(params).map(|_| json!(true)),
            "sendmediagroup" => self.send_album(input),
            "getfile" => self.get_file(params),
            "getchat" => self.get_chat(params),
            "getchatmember" => self.get_chat_member(params),
            "getchatmembercount" => self.chat_for(params).map(|_| json!(2)),
            "editmessagetext" => self.edit(params, "text"),
            "editmessagecaption" => self.edit(params, "caption"),
            "deletemessage" => self.delete(params),
            "setmessagereaction" => self.react(params),
            "createforumtopic" => self.create_topic(params),
            "editforumtopic" => self.edit_topic(params),
            "deleteforumtopic" => self.delete_topic(params),
            sending if sending.starts_with("send") => self.send(sending, input),
            // Taken without an effect that a test could see, besides the call itself.
            _ => Ok(json!(true)),
        }
    }

    fn get_me(&self) -> Value {
        let mut me = self.bot();
        merge(
            &mut me,
            json!({ "can_join_groups": true, "can_read_all_group_messages": true, "supports_inline_queries": false,
                "can_connect_to_business": true, "has_main_web_app": false }),
        );
        me
    }

    fn webhook_info(&self) -> Value {
        json!({ "url": self.webhook, "has_custom_certificate": false, "pending_update_count": self.updates.len() })
    }

    fn set_webhook(&mut self, params: &Value) -> Value {
        self.webhook = params["url"].as_str().unwrap_or_default().to_owned();
        if params["drop_pending_updates"] == true {
            self.updates.clear();
        }
        json!(true)
    }

    /// The chat, if the bot may write there.
    fn chat_for(&mut self, params: &Value) -> Result<&mut Chat, Refusal> {
        let id = match &params["chat_id"] {
            Value::String(text) => text.parse().ok(),
            number => number.as_i64(),
        };
        let Some(chat) = id.and_then(|id| self.chats.get_mut(&id)) else {
            return Err(Refusal::bad("chat not found"));
        };
        let group = chat.value["type"].as_str().unwrap_or("group");
        match chat.standing {
            Standing::Open => Ok(chat),
            Standing::Stranger => Err(Refusal::forbidden("bot can't initiate conversation with a user")),
            Standing::Blocked => Err(Refusal::forbidden("bot was blocked by the user")),
            Standing::Deactivated => Err(Refusal::forbidden("user is deactivated")),
            Standing::Kicked => Err(Refusal::forbidden(&format!("bot was kicked from the {group} chat"))),
            Standing::Moved(to) => {
                Err(Refusal::bad("group chat was upgraded to a supergroup chat")
                    .with(json!({ "migrate_to_chat_id": to })))
            }
        }
    }

    fn send(&mut self, method: &str, mut input: Input) -> Result<Value, Refusal> {
        let chat = self.chat_for(&input.params)?.value["id"].as_i64().unwrap_or_default();
        let mut content = json!({});
        self.add_thread(chat, &input.params, &mut content)?;
        self.add_reply(chat, &input.params, &mut content)?;
        let (kind, fields) = content::of(self, method, &mut input)?;
        merge(&mut content, fields);
        Ok(self.store(chat, self.bot(), kind, content))
    }

    fn add_thread(&mut self, chat: i64, params: &Value, content: &mut Value) -> Result<(), Refusal> {
        let Some(thread) = params["message_thread_id"].as_i64() else { return Ok(()) };
        if !self.chat(chat).topics.contains_key(&thread) {
            return Err(Refusal::bad("message thread not found"));
        }
        merge(content, json!({ "message_thread_id": thread, "is_topic_message": true }));
        Ok(())
    }

    fn add_reply(&mut self, chat: i64, params: &Value, content: &mut Value) -> Result<(), Refusal> {
        let reply = &params["reply_parameters"];
        let Some(to) = reply["message_id"].as_i64() else { return Ok(()) };
        let in_chat = reply["chat_id"].as_i64().unwrap_or(chat);
        match self.message(in_chat, to) {
            Some(stored) => {
                let mut original = stored.value.clone();
                original.as_object_mut().map(|fields| fields.remove("reply_to_message"));
                merge(content, json!({ "reply_to_message": original }));
                Ok(())
            }
            None if reply["allow_sending_without_reply"] == true => Ok(()),
            None => Err(Refusal::bad("message to be replied not found")),
        }
    }

    /// One message for each item, or none at all.
    fn send_album(&mut self, input: Input) -> Result<Value, Refusal> {
        let items = input.params["media"].as_array().cloned().unwrap_or_default();
        if !(2..=10).contains(&items.len()) {
            return Err(Refusal::bad("there must be from 2 to 10 messages in an album"));
        }
        let mut sent = Vec::new();
        for mut item in items {
            let kind = item["type"].as_str().unwrap_or_default().to_owned();
            let media = item["media"].take();
            merge(&mut item, json!({ "chat_id": input.params["chat_id"], &kind: media }));
            merge(&mut item, json!({ "reply_parameters": input.params["reply_parameters"] }));
            merge(&mut item, json!({ "message_thread_id": input.params["message_thread_id"] }));
            sent.push(self.send(&format!("send{kind}"), Input { params: item, files: input.files.clone() })?);
        }
        Ok(Value::Array(sent))
    }

    fn get_file(&self, params: &Value) -> Result<Value, Refusal> {
        let id = params["file_id"].as_str().unwrap_or_default();
        let Some(bytes) = self.files.get(id) else { return Err(Refusal::bad("invalid file id")) };
        if bytes.len() > 20 << 20 {
            return Err(Refusal::bad("file is too big"));
        }
        Ok(
            json!({ "file_id": id, "file_unique_id": format!("unique-{id}"), "file_size": bytes.len(), "file_path": id }),
        )
    }

    fn get_chat(&mut self, params: &Value) -> Result<Value, Refusal> {
        let mut chat = self.chat_for(params)?.value.clone();
        let gifts = json!({ "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false,
            "premium_subscription": false, "gifts_from_channels": false });
        merge(&mut chat, json!({ "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts }));
        Ok(chat)
    }

    /// The bot administrates its groups; everybody else is a member.
    fn get_chat_member(&mut self, params: &Value) -> Result<Value, Refusal> {
        self.chat_for(params)?;
        let id = params["user_id"].as_i64().unwrap_or_default();
        if id != self.bot_id {
            let user = self.users.get(&id).ok_or_else(|| Refusal::bad("user not found"))?;
            return Ok(json!({ "status": "member", "user": user }));
        }
        let mut member = json!({ "status": "administrator", "user": self.bot() });
        let rights = "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats \
            can_restrict_members can_promote_members can_change_info can_invite_users can_post_stories \
            can_edit_stories can_delete_stories can_pin_messages can_manage_topics";
        for right in rights.split_whitespace() {
            member[right] = json!(!matches!(right, "can_be_edited" | "is_anonymous"));
        }
        Ok(member)
    }

    fn edit(&mut self, params: &Value, field: &str) -> Result<Value, Refusal> {
        let text = match field {
            "text" => content::text(params)?,
            _ => content::caption(params)?.unwrap_or_default(),
        };
        let now = self.now().as_second();
        let stored = self.existing(params, "message to edit not found")?;
        if !stored.by_bot || stored.value.get("text").is_some() != (field == "text") {
            return Err(Refusal::bad("message can't be edited"));
        }
        if stored.value[field] == text {
            return Err(Refusal::bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a \
                 current content and reply markup of the message",
            ));
        }
        merge(&mut stored.value, json!({ field: text, "edit_date": now }));
        Ok(stored.value.clone())
    }

    fn delete(&mut self, params: &Value) -> Result<Value, Refusal> {
        self.existing(params, "message to delete not found")?.deleted = true;
        Ok(json!(true))
    }

    fn react(&mut self, params: &Value) -> Result<Value, Refusal> {
        let reactions = params["reaction"].as_array().cloned().unwrap_or_default();
        let emoji: Vec<_> = reactions.iter().map(|it| it["emoji"].as_str().unwrap_or_default().to_owned()).collect();
        let stored = self.existing(params, "message to react not found")?;
        if !emoji.iter().all(|emoji| content::REACTIONS.split(' ').any(|known| known == emoji)) {
            return Err(Refusal::bad("REACTION_INVALID"));
        }
        if emoji.len() > 1 {
            return Err(Refusal::bad("REACTIONS_TOO_MANY"));
        }
        stored.reactions = emoji;
        Ok(json!(true))
    }

    fn existing(&mut self, params: &Value, otherwise: &str) -> Result<&mut Stored, Refusal> {
        let chat = self.chat_for(params)?;
        let id = params["message_id"].as_i64().unwrap_or_default();
        chat.messages.get_mut(&id).filter(|stored| !stored.deleted).ok_or_else(|| Refusal::bad(otherwise))
    }

    fn create_topic(&mut self, params: &Value) -> Result<Value, Refusal> {
        let chat = self.chat_for(params)?;
        if chat.value["is_forum"] != true {
            return Err(Refusal::bad("the chat is not a forum"));
        }
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() || name.chars().count() > 128 {
            return Err(Refusal::bad("invalid forum topic name specified"));
        }
        let id = chat.value["id"].as_i64().unwrap_or_default();
        let created = json!({ "forum_topic_created": { "name": name, "icon_color": 0x6F_B9F0 } });
        let message = self.store(id, self.bot(), "forum_topic_created", created);
        let thread = message["message_id"].as_i64().unwrap_or_default();
        // A service message, not one that people would count.
        let chat = self.chat(id);
        chat.topics.insert(thread, name.clone());
        chat.messages.entry(thread).and_modify(|stored| stored.by_bot = false);
        Ok(json!({ "message_thread_id": thread, "name": name, "icon_color": 0x6F_B9F0 }))
    }

    fn edit_topic(&mut self, params: &Value) -> Result<Value, Refusal> {
        let thread = params["message_thread_id"].as_i64().unwrap_or_default();
        let chat = self.chat_for(params)?;
        let name = chat.topics.get_mut(&thread).ok_or_else(|| Refusal::bad("message thread not found"))?;
        if let Some(new) = params["name"].as_str() {
            *name = new.to_owned();
        }
        Ok(json!(true))
    }

    fn delete_topic(&mut self, params: &Value) -> Result<Value, Refusal> {
        let thread = params["message_thread_id"].as_i64().unwrap_or_default();
        let chat = self.chat_for(params)?;
        chat.topics.remove(&thread).ok_or_else(|| Refusal::bad("message thread not found"))?;
        Ok(json!(true))
    }
}
