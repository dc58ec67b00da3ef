use std::{error::Error, time::Duration};

use frontdesk_core::Secret;
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, Url, header, multipart::Form, redirect};
use serde_json::Value;

use crate::{Config, signature};

/// The Graph API's methods, with the time-outs that each kind of call needs.
///
/// Every call is one HTTP request: nothing here repeats one.
pub(crate) struct Api {
    calls: Client,
    files: Client,
    uploads: Client,
    base: Url,
    version: String,
    number: String,
    token: Secret,
    app_secret: Secret,
}

/// Why a call did not succeed.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// Meta refused it in its own words: the object under `error`.
    Graph { status: u16, error: Value, patience: Option<Duration> },
    /// The request certainly never left.
    Unreached(String),
    /// It went out, and no answer of Meta's came.
    Broken(String),
}

const CONNECT: Duration = Duration::from_secs(8);
const CALL: Duration = Duration::from_secs(40);
const LOOK: Duration = Duration::from_secs(10);
/// Between two pieces of a file.
const PIECE: Duration = Duration::from_secs(30);
/// For a whole file; whoever asks for it looks whether it moves.
const UPLOAD: Duration = Duration::from_secs(9 * 60);
/// The longest answer that is read.
const ANSWER: usize = 4 * 1024 * 1024;

/// Some of Meta's servers refuse who has no name.
const AGENT: &str = concat!("frontdesk/", env!("CARGO_PKG_VERSION"));

impl Api {
    /// Opens no connection.
    pub fn new(config: &Config) -> reqwest::Result<Self> {
        Ok(Self {
            calls: client().redirect(redirect::Policy::none()).timeout(CALL).build()?,
            files: client().redirect(redirect::Policy::none()).read_timeout(PIECE).build()?,
            // A `read_timeout` begins with the request, and would end an upload that goes well.
            uploads: client().redirect(redirect::Policy::none()).timeout(UPLOAD).build()?,
            base: config.api_url.clone(),
            version: config.api_version.clone(),
            number: config.phone_number_id.clone(),
            token: config.access_token.clone(),
            app_secret: config.app_secret.clone(),
        })
    }

    /// Sends a message, or marks one as read.
    pub async fn message(&self, body: &Value) -> Result<Value, ApiError> {
        let request = self.request(&self.calls, Method::POST, &[&self.number, "messages"]);
        answer(request.json(body).send().await).await
    }

    /// An object of the Graph API, or a list.
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, ApiError> {
        answer(self.request(&self.calls, Method::GET, path).query(query).send().await).await
    }

    /// What Meta says of the phone number. Asked often, so no answer is told soon.
    pub async fn number(&self, fields: &str) -> Result<Value, ApiError> {
        let request = self.request(&self.calls, Method::GET, &[&self.number]).query(&[("fields", fields)]);
        answer(request.timeout(LOOK).send().await).await
    }

    /// The same, proving that we know the app's secret.
    pub async fn number_with_proof(&self) -> Result<Value, ApiError> {
        let proof = signature::proof(&self.app_secret, self.token.expose().as_bytes());
        self.get(&[&self.number], &[("fields", "id"), ("appsecret_proof", &proof)]).await
    }

    /// What only the app itself may ask: by its id and secret, without the account's token.
    pub async fn get_as_app(&self, app: &str, path: &[&str]) -> Result<Value, ApiError> {
        let token = format!("{app}|{}", self.app_secret.expose());
        answer(self.calls.get(self.url(path)).bearer_auth(token).send().await).await
    }

    /// What Meta says of our own token. It stands in the address here, which servers on the way may log.
    pub async fn token(&self) -> Result<Value, ApiError> {
        if !self.is_metas_own_or_here() {
            return Err(ApiError::Broken("only Meta itself is asked about the token".into()));
        }
        self.get(&["debug_token"], &[("input_token", self.token.expose())]).await
    }

    /// A body of our own to an address of our own; gives the status and what was answered.
    pub async fn post_signed(&self, to: Url, body: &'static str) -> Result<(u16, Vec<u8>), ApiError> {
        let signature = signature::sign(&self.app_secret, body.as_bytes());
        let request = self.calls.post(to).header("x-hub-signature-256", signature);
        let response = request.header(header::CONTENT_TYPE, "application/json").body(body).send().await;
        let response = response.map_err(broken)?;
        Ok((response.status().as_u16(), read(response).await?))
    }

    /// A file for later sends.
    pub async fn upload(&self, form: Form) -> Result<Value, ApiError> {
        let request = self.request(&self.uploads, Method::POST, &[&self.number, "media"]);
        answer(request.multipart(form).send().await).await
    }

    /// The bytes of a file. The token goes to Meta only, and never in the clear.
    pub async fn download(&self, url: Url) -> Result<Response, ApiError> {
        let ours = url.scheme() == self.base.scheme()
            && url.host_str() == self.base.host_str()
            && url.port_or_known_default() == self.base.port_or_known_default();
        if url.scheme() != "https" && !ours {
            return Err(ApiError::Broken("the file's address is not a safe one".into()));
        }
        let response = self.files.get(url).bearer_auth(self.token.expose()).send().await.map_err(broken)?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(ApiError::Graph { status: response.status().as_u16(), error: Value::Null, patience: None })
    }

    /// What time the server has, in the words of HTTP. Asks without the token.
    pub async fn date(&self) -> Option<String> {
        let answer = self.calls.get(self.base.clone()).send().await.ok()?;
        Some(answer.headers().get(header::DATE)?.to_str().ok()?.to_owned())
    }

    fn is_metas_own_or_here(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        here || (self.base.scheme() == "https" && host == "graph.facebook.com")
    }

    fn request(&self, client: &Client, method: Method, path: &[&str]) -> RequestBuilder {
        client.request(method, self.url(path)).bearer_auth(self.token.expose())
    }

    /// Ids come from outside: each is one segment, whatever is in it.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&self.version).extend(path);
        }
        url
    }
}

/// A connection that was idle for long may be closed by the server just while we write, and then nobody knows
/// whether the request was carried out: better to open a new one.
fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(AGENT)
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .pool_idle_timeout(Duration::from_secs(20))
}

/// An answer that is not Meta's JSON (a proxy's page) decides nothing.
async fn answer(response: reqwest::Result<Response>) -> Result<Value, ApiError> {
    let response = response.map_err(broken)?;
    let status = response.status();
    let patience = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let body = read(response).await?;
    let Ok(mut value) = serde_json::from_slice::<Value>(&body) else {
        return Err(ApiError::Broken(format!("the answer ({status}) was not one of the Graph API")));
    };
    match value.get_mut("error").map(Value::take) {
        Some(error) if error.is_object() => {
            let patience = patience.map(|secs: u64| Duration::from_secs(secs.min(3600)));
            Err(ApiError::Graph { status: status.as_u16(), error, patience })
        }
        Some(_) | None if status.is_success() => Ok(value),
        Some(_) | None => Err(ApiError::Broken(format!("the answer ({status}) was not one of the Graph API"))),
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| ApiError::Broken(network(&error)))? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER {
            return Err(ApiError::Broken("the answer was longer than any of the Graph API".into()));
        }
    }
    Ok(body)
}

fn broken(error: reqwest::Error) -> ApiError {
    let what = network(&error);
    if error.is_connect() || error.is_builder() { ApiError::Unreached(what) } else { ApiError::Broken(what) }
}

/// What broke, without the address that was called: there may be a token in it.
pub(crate) fn network(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let what = match error {
        error if error.is_connect() => "no connection",
        error if error.is_timeout() => "no answer in time",
        _ => "the connection broke",
    };
    // Without a deeper cause it is reqwest's own text, which names the address.
    if error.source().is_none() { what.to_owned() } else { format!("{what}: {cause}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::tests::config;

    #[test]
    fn what_comes_from_outside_stays_one_segment() {
        let api = Api::new(&config("106540352242922", "https://proxy.example/graph")).unwrap();
        assert_eq!(
            api.url(&["../../evil?x=1#y", "messages"]).as_str(),
            "https://proxy.example/graph/v25.0/..%2F..%2Fevil%3Fx=1%23y/messages"
        );
    }

    #[tokio::test]
    async fn the_token_stands_in_no_address_but_metas() {
        for (base, may) in [
            ("https://graph.facebook.com", true),
            ("http://127.0.0.1:9", true),
            ("https://graph.facebook.com.example", false),
            ("https://proxy.example", false),
        ] {
            let api = Api::new(&config("106540352242922", base)).unwrap();
            assert_eq!(api.is_metas_own_or_here(), may, "{base}");
        }
        let api = Api::new(&config("106540352242922", "https://127.0.0.2:9")).unwrap();
        assert!(matches!(api.token().await, Err(ApiError::Broken(what)) if what.contains("only Meta itself")));
    }

    #[tokio::test]
    async fn the_token_goes_nowhere_in_the_clear() {
        let api = Api::new(&config("106540352242922", "http://127.0.0.1:9")).unwrap();
        let elsewhere = api.download(Url::parse("http://127.0.0.2:9/file").unwrap()).await;
        assert!(matches!(elsewhere, Err(ApiError::Broken(what)) if what.contains("not a safe one")));
        let there = api.download(Url::parse("http://127.0.0.1:9/file").unwrap()).await;
        assert!(matches!(there, Err(ApiError::Unreached(_))));
    }
}
