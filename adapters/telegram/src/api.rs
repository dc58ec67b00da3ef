use std::{marker::PhantomData, time::Duration};

use reqwest::{Client, ClientBuilder, StatusCode, multipart::Form};
use serde::{Deserialize, Serialize, de::DeserializeOwned, de::IgnoredAny};
use serde_json::Value;
use teloxide::{
    Bot, RequestError,
    net::Download,
    payloads::{GetFile, GetMe, GetWebhookInfo},
    requests::{JsonRequest, Payload, Request},
    types::FileId,
};

use crate::Config;

/// The Bot API's methods, with the time-outs that each kind of call needs.
///
/// Every call to the server is one HTTP request: nothing here repeats one.
pub(crate) struct Api {
    polls: Bot,
    calls: Bot,
    files: Bot,
    uploads: Bot,
}

/// How long the server holds a poll open when there is nothing new.
const LONG_POLL_SECS: u32 = 30;

/// As many updates as the server gives at once.
pub(crate) const BATCH: usize = 100;

/// What we can handle; the server makes no other updates for us.
const ALLOWED: [&str; 4] = ["message", "edited_message", "message_reaction", "my_chat_member"];

const CONNECT: Duration = Duration::from_secs(8);

/// teloxide sleeps 10 s inside a call that is answered with 5xx.
const CALL: Duration = Duration::from_secs(30);

/// For a whole file; whoever asks for it looks whether it moves.
const UPLOAD: Duration = Duration::from_secs(9 * 60);

#[derive(Deserialize)]
pub(crate) struct Me {
    pub id: i64,
    #[serde(default)]
    pub username: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct WebhookInfo {
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub pending_update_count: u64,
}

#[derive(Deserialize)]
pub(crate) struct Sent {
    pub message_id: i64,
}

#[derive(Deserialize)]
pub(crate) struct FileInfo {
    #[serde(default)]
    pub file_path: Option<String>,
    #[serde(default)]
    pub file_size: Option<u64>,
}

/// Why an upload did not succeed.
#[derive(Debug)]
pub(crate) enum UploadError {
    Refused {
        description: String,
        parameters: Parameters,
    },
    /// Also where a server in between says so.
    TooLarge,
    Network(reqwest::Error),
    NoBotApi,
}

impl From<reqwest::Error> for UploadError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_decode() { Self::NoBotApi } else { Self::Network(error.without_url()) }
    }
}

#[derive(Deserialize)]
struct Answer {
    result: Option<Sent>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

/// What a refusal says beside its words.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Parameters {
    #[serde(default)]
    pub retry_after: Option<u64>,
    #[serde(default)]
    pub migrate_to_chat_id: Option<i64>,
}

pub(crate) type FileStream = <Bot as Download>::Stream;

impl Api {
    /// Opens no connection.
    pub fn new(config: &Config) -> reqwest::Result<Self> {
        let bot = |client: ClientBuilder| -> reqwest::Result<Bot> {
            let bot = Bot::with_client(config.token.expose(), client.build()?);
            Ok(bot.set_api_url(config.api_url.clone()))
        };
        let poll = Duration::from_secs(u64::from(LONG_POLL_SECS) + 15);
        Ok(Self {
            polls: bot(client().timeout(poll))?,
            calls: bot(client().timeout(CALL))?,
            files: bot(client().read_timeout(CALL))?,
            uploads: bot(client().timeout(UPLOAD))?,
        })
    }

    /// The unconfirmed updates from `offset` on; confirms all that are older. Waits for some when `wait`.
    pub async fn updates(&self, offset: i64, wait: bool) -> Result<Vec<Value>, RequestError> {
        let timeout = if wait { LONG_POLL_SECS } else { 0 };
        let ask = GetUpdates { offset, limit: BATCH, timeout, allowed_updates: &ALLOWED };
        call(&self.polls, ask).await
    }

    pub async fn me(&self) -> Result<Me, RequestError> {
        self.call(GetMe::new()).await
    }

    pub async fn webhook(&self) -> Result<WebhookInfo, RequestError> {
        self.call(GetWebhookInfo::new()).await
    }

    /// What time the server has, in the words of HTTP. Asks without the token.
    pub async fn date(&self) -> Option<String> {
        let answer = self.calls.client().get(self.calls.api_url()).send().await.ok()?;
        Some(answer.headers().get("date")?.to_str().ok()?.to_owned())
    }

    pub async fn file(&self, reference: &str) -> Result<FileInfo, RequestError> {
        self.call(GetFile::new(FileId(reference.to_owned()))).await
    }

    /// The bytes of a file; the first item is the answer to the request.
    pub fn download(&self, path: &str) -> FileStream {
        self.files.download_file_stream(path)
    }

    /// A call that carries a file. teloxide has no place for answers that are read only as far as needed, nor for files
    /// whose length is known.
    pub async fn upload(&self, method: &str, form: Form) -> Result<Sent, UploadError> {
        let bot = &self.uploads;
        let mut url = bot.api_url();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&format!("bot{}", bot.token())).push(method);
        }
        let answer = bot.client().post(url).multipart(form).send().await?;
        if answer.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Err(UploadError::TooLarge);
        }
        let answer: Answer = answer.json().await?;
        match answer {
            Answer { result: Some(sent), .. } => Ok(sent),
            Answer { description: Some(description), parameters, .. } => {
                Err(UploadError::Refused { description, parameters: parameters.unwrap_or_default() })
            }
            Answer { result: None, description: None, .. } => Err(UploadError::NoBotApi),
        }
    }

    /// A call whose answer is read only as far as `R` needs it.
    pub async fn call<P, R>(&self, payload: P) -> Result<R, RequestError>
    where
        P: Payload + Serialize + Send + 'static,
        R: DeserializeOwned + Send + 'static,
    {
        call(&self.calls, payload).await
    }

    /// A call that only has to succeed.
    pub async fn run<P>(&self, payload: P) -> Result<(), RequestError>
    where
        P: Payload + Serialize + Send + 'static,
    {
        self.call::<P, IgnoredAny>(payload).await.map(|_| ())
    }
}

async fn call<P, R>(bot: &Bot, payload: P) -> Result<R, RequestError>
where
    P: Payload + Serialize + Send + 'static,
    R: DeserializeOwned + Send + 'static,
{
    JsonRequest::new(bot.clone(), Lean { payload, answer: PhantomData }).send().await
}

/// A connection that was idle for long may be closed by the server just while we write, and then nobody knows
/// whether the request was carried out: better to open a new one.
fn client() -> ClientBuilder {
    Client::builder().connect_timeout(CONNECT).tcp_nodelay(true).pool_idle_timeout(Duration::from_secs(20))
}

/// teloxide's payload with another type for the answer.
#[derive(Serialize)]
#[serde(transparent)]
struct Lean<P, R> {
    payload: P,
    #[serde(skip)]
    answer: PhantomData<fn() -> R>,
}

impl<P: Payload, R> Payload for Lean<P, R> {
    type Output = R;
    const NAME: &'static str = P::NAME;
}

/// teloxide's own has no room for kinds and ids that it does not know.
#[derive(Serialize)]
struct GetUpdates {
    offset: i64,
    limit: usize,
    timeout: u32,
    allowed_updates: &'static [&'static str],
}

impl Payload for GetUpdates {
    type Output = Vec<Value>;
    const NAME: &'static str = "GetUpdates";
}
