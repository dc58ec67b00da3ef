use frontdesk_core::{Address, Bucket, Media, Op, Outbound, PlatformId, Post, RefusedScope, SendError, Sent, Style};
use teloxide::{
    ApiError, RequestError,
    payloads::{
        DeleteMessage, EditMessageText, SendChatAction, SendMessage, SendMessageSetters, SetMessageReaction,
        SetMessageReactionSetters,
    },
    types::{ChatAction, ChatId, MessageId, ReactionType, ReplyParameters, ThreadId},
};

use crate::{
    adapter::{TEXT, chat_bucket},
    api::{self, Api},
    failure::{description, send_error},
};

mod upload;

/// Carries out one send.
pub(crate) async fn send(api: &Api, message: &Outbound, media: &dyn Media) -> Result<Sent, SendError> {
    let place = Place::of(&message.to)?;
    match &message.op {
        Op::Post(post) => match post.content.file() {
            Some((file, caption)) => upload::post(api, &place, post, file, caption, media).await,
            None => place.post(api, post).await,
        },
        Op::Edit { id, post } => place.edit(api, id, post).await,
        Op::Delete { id } => place.delete(api, id).await,
        Op::React { id, emoji } => place.react(api, id, emoji.as_deref()).await,
        Op::OpenThread(_) => Err(refuse("This Telegram channel has no threads for conversations.")),
        Op::Template { .. } => Err(refuse("Telegram has no approved templates: write the text itself.")),
    }
}

/// Shows that somebody is writing; for five seconds or until a message comes.
pub(crate) async fn typing(api: &Api, to: &Address) {
    let Ok(place) = Place::of(to) else { return };
    let action =
        SendChatAction { message_thread_id: place.thread, ..SendChatAction::new(place.chat, ChatAction::Typing) };
    // Nothing depends on it.
    let _ = api.run(action).await;
}

/// A chat as the Bot API wants it.
struct Place {
    chat: ChatId,
    thread: Option<ThreadId>,
    bucket: Bucket,
}

impl Place {
    fn of(to: &Address) -> Result<Self, SendError> {
        let unknown = || SendError::refused(RefusedScope::Recipient, "This is not a Telegram chat of this bot.");
        // A business chat may have the id of the person's chat with the bot: it must never get this by mistake.
        let Address::Chat { chat, scope: None, thread } = to else {
            return Err(unknown());
        };
        let id = chat.as_str().parse().map_err(|_| unknown())?;
        let thread = thread.as_ref().and_then(|thread| thread.as_str().parse().ok());
        let thread = thread.map(|thread| ThreadId(MessageId(thread)));
        Ok(Self { chat: ChatId(id), thread, bucket: chat_bucket(chat) })
    }

    async fn post(&self, api: &Api, post: &Post) -> Result<Sent, SendError> {
        let mut payload = SendMessage::new(self.chat, text(post)?);
        payload.message_thread_id = self.thread;
        if post.style == Style::Notice {
            payload = payload.disable_notification(true);
        }
        if let Some(id) = post.reply_to.as_ref().and_then(|id| message_id(id).ok()) {
            payload = payload.reply_parameters(ReplyParameters::new(id).allow_sending_without_reply());
        }
        let sent = match api.call::<_, api::Sent>(payload.clone()).await {
            // Topics of private chats are not found at times. This was refused, so it is still the only message.
            Err(error) if self.thread.is_some() && is_thread_gone(&error) => {
                payload.message_thread_id = None;
                api.call::<_, api::Sent>(payload).await
            }
            outcome => outcome,
        };
        sent.map(|sent| Sent::one(sent.message_id.to_string())).map_err(|error| self.failed(error))
    }

    async fn edit(&self, api: &Api, id: &PlatformId, post: &Post) -> Result<Sent, SendError> {
        let payload = EditMessageText::new(self.chat, message_id(id)?, text(post)?);
        match api.run(payload).await {
            Err(RequestError::Api(error)) if description(&error).contains("message is not modified") => {}
            outcome => outcome.map_err(|error| self.failed(error))?,
        }
        Ok(Sent::one(id.as_str()))
    }

    async fn delete(&self, api: &Api, id: &PlatformId) -> Result<Sent, SendError> {
        match api.run(DeleteMessage::new(self.chat, message_id(id)?)).await {
            Err(RequestError::Api(ApiError::MessageToDeleteNotFound)) => {}
            outcome => outcome.map_err(|error| self.failed(error))?,
        }
        Ok(Sent::default())
    }

    async fn react(&self, api: &Api, id: &PlatformId, emoji: Option<&str>) -> Result<Sent, SendError> {
        let reaction = emoji.map(|emoji| ReactionType::Emoji { emoji: plain(emoji) });
        let payload = SetMessageReaction::new(self.chat, message_id(id)?).reaction(reaction);
        api.run(payload).await.map_err(|error| self.failed(error))?;
        Ok(Sent::default())
    }

    fn failed(&self, error: RequestError) -> SendError {
        send_error(error, self.bucket.clone())
    }
}

fn text(post: &Post) -> Result<String, SendError> {
    let text = post.content.readable();
    if text.trim().is_empty() {
        return Err(refuse("Telegram does not send empty messages."));
    }
    if !TEXT.fits(&text) {
        return Err(refuse("The text is longer than the 4096 characters that Telegram allows."));
    }
    Ok(text)
}

fn message_id(id: &PlatformId) -> Result<MessageId, SendError> {
    id.as_str().parse().map(MessageId).map_err(|_| refuse("This is not a message of this Telegram chat."))
}

/// Other platforms send `❤` with a variation selector (`❤️`), which Telegram does not know.
fn plain(emoji: &str) -> String {
    emoji.replace('\u{fe0f}', "")
}

fn is_thread_gone(error: &RequestError) -> bool {
    matches!(error, RequestError::Api(error) if description(error).contains("message thread not found"))
}

fn refuse(reason: &str) -> SendError {
    SendError::refused(RefusedScope::Content, reason)
}
