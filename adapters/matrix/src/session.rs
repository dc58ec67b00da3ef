//! Logging in, and coming back with the same device.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use frontdesk_core::{ReceiveError, Secret};
use jiff::Timestamp;
use matrix_sdk::{
    Client, HttpError, SqliteStoreConfig,
    authentication::matrix::MatrixSession,
    config::RequestConfig,
    encryption::{BackupDownloadStrategy, EncryptionSettings, vodozemac::Curve25519SecretKey},
    reqwest::{RequestBuilder, StatusCode, Url},
    ruma::{api::error::ErrorKind, exports::serde_json},
    store::StateStoreDataKey,
};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::{
    config::{Config, Login},
    error, files, recovery,
};

const DEVICE_NAME: &str = "frontdesk";
/// For one request; a long poll adds its own length.
const REQUEST: Duration = Duration::from_secs(20);
/// For cross-signing and recovery together.
const SECURING: Duration = Duration::from_secs(60);

/// The SDK's file of our device's keys.
const KEYS: &str = "matrix-sdk-crypto.sqlite3";

/// The login of the last time.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    #[serde(flatten)]
    pub(crate) session: MatrixSession,
    /// When the device first logged in.
    #[serde(default)]
    since: Option<Timestamp>,
}

/// The folder of one account.
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn new(folder: &Path) -> Result<Self, ReceiveError> {
        files::create_private_folder(folder).map_err(|error| local(folder, &error))?;
        Ok(Self(folder.to_owned()))
    }

    fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    fn session(&self) -> PathBuf {
        self.0.join("session.json")
    }

    pub(crate) fn recovery_key(&self) -> PathBuf {
        self.0.join("recovery-key")
    }

    /// There while a recovery key is being made.
    pub(crate) fn unfinished_recovery_key(&self) -> PathBuf {
        self.0.join("recovery-key.pending")
    }

    pub(crate) fn rooms(&self) -> PathBuf {
        self.0.join("rooms.json")
    }

    pub(crate) fn pending(&self) -> PathBuf {
        self.0.join("undecryptable.json")
    }

    pub(crate) fn saved(&self) -> Result<Option<Saved>, ReceiveError> {
        let path = self.session();
        let bytes = files::read(&path).map_err(|error| local(&path, &error))?;
        bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(|error| local(&path, &error))).transpose()
    }

    fn save(&self, saved: &Saved) -> Result<(), ReceiveError> {
        let path = self.session();
        let bytes = serde_json::to_vec(saved).map_err(|error| local(&path, &error))?;
        files::write_private(&path, &bytes).map_err(|error| local(&path, &error))
    }

    /// The key that the stores are encrypted with: made once, at random.
    fn store_key(&self) -> Result<[u8; 32], ReceiveError> {
        let path = self.0.join("store-key");
        if let Some(bytes) = files::read(&path).map_err(|error| local(&path, &error))? {
            return bytes.try_into().map_err(|_| {
                let text = "is not 32 bytes long; put the right file back, or delete the whole folder to log in anew";
                local(&path, &text)
            });
        }
        let key = *Curve25519SecretKey::new().to_bytes();
        files::write_private(&path, &key).map_err(|error| local(&path, &error))?;
        Ok(key)
    }

    /// Forgets the device, whose keys the homeserver has thrown away; the recovery key stays.
    fn forget_device(&self) -> Result<(), ReceiveError> {
        for path in [self.session(), self.pending()] {
            files::remove(&path).map_err(|error| local(&path, &error))?;
        }
        let store = self.store();
        match fs::remove_dir_all(&store) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(local(&store, &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn local(path: &Path, error: &dyn std::fmt::Display) -> ReceiveError {
    ReceiveError::Account(format!("{}: {error}", path.display()))
}

/// The client, and since when there is its device where that is known.
type Opened = (Client, Option<Timestamp>);

/// Logs in, or comes back with the device of the last time.
pub(crate) async fn open(config: &Config, home: &Home) -> Result<Opened, ReceiveError> {
    let (client, since) = match home.saved()? {
        Some(saved) if saved.session.meta.user_id == config.user => restore(config, home, saved).await?,
        Some(_) => {
            return Err(ReceiveError::Account(format!(
                "{} belongs to another user than {}; write the former one in the config, or move the folder away",
                home.0.display(),
                config.user
            )));
        }
        None => begin(config, home, None).await?,
    };
    match tokio::time::timeout(SECURING, recovery::secure(&client, config, home)).await {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => warn!("{problem}"),
        Err(_) => warn!("the homeserver took too long over cross-signing and recovery; tried again at the next start"),
    }
    Ok((client, since))
}

async fn build(config: &Config, home: &Home) -> Result<Client, ReceiveError> {
    let key = home.store_key()?;
    let store = SqliteStoreConfig::with_low_memory_config(home.store()).key(Some(&key));
    files::create_private_folder(&home.store()).map_err(|error| local(&home.store(), &error))?;
    let client = Client::builder()
        .homeserver_url(&config.homeserver)
        .respect_login_well_known(false)
        .sqlite_store_with_config_and_cache_path(store, None::<&Path>)
        .request_config(RequestConfig::new().disable_retry().timeout(REQUEST))
        .with_encryption_settings(EncryptionSettings {
            auto_enable_cross_signing: false,
            auto_enable_backups: false,
            backup_download_strategy: BackupDownloadStrategy::AfterDecryptionFailure,
        })
        .build()
        .await
        .map_err(|error| local(&home.store(), &error))?;
    // What has been read is ours to say: with its own note of it the SDK swallows what it saw but we did not store.
    client
        .state_store()
        .remove_kv_data(StateStoreDataKey::SyncToken)
        .await
        .map_err(|error| local(&home.store(), &error))?;
    Ok(client)
}

async fn restore(config: &Config, home: &Home, saved: Saved) -> Result<Opened, ReceiveError> {
    if !home.store().join(KEYS).try_exists().map_err(|error| local(&home.store(), &error))? {
        // With new keys under the old name nobody could read us, nor we them.
        warn!("the keys of our device are gone: logging in as a new one");
        home.forget_device()?;
        return begin(config, home, None).await;
    }
    let mut session = saved.session.clone();
    if let Login::Token(token) = &config.login {
        session.tokens.access_token = token.expose().to_owned();
    }
    let client = build(config, home).await?;
    let device = session.meta.device_id.clone();
    client
        .restore_session(session)
        .await
        .map_err(|error| error::receiving("open the session of the last time", &error))?;
    let me = match client.whoami().await {
        Ok(me) => me,
        Err(problem) => {
            let Some(soft) = error::logged_out(&problem) else {
                return Err(unreachable(config, &problem));
            };
            let Login::Password(_) = &config.login else {
                return Err(ReceiveError::Account(error::LOGGED_OUT.into()));
            };
            drop(client);
            if !soft {
                info!("the homeserver has forgotten our device: logging in as a new one");
                home.forget_device()?;
            }
            return begin(config, home, soft.then_some(saved)).await;
        }
    };
    if me.user_id != config.user {
        return Err(other_user(config, me.user_id.as_str()));
    }
    if me.device_id.is_some_and(|id| id != device) {
        drop(client);
        info!("the access token belongs to another device than before: starting with new keys");
        home.forget_device()?;
        return begin(config, home, None).await;
    }
    Ok((client, saved.since))
}

/// The first login of a device; `former` where it is an old one that only lost its token.
async fn begin(config: &Config, home: &Home, former: Option<Saved>) -> Result<Opened, ReceiveError> {
    if former.is_none() {
        // Keys that belong to no session are of no use, and would be taken for those of the new device.
        home.forget_device()?;
    }
    let client = build(config, home).await?;
    let device = former.as_ref().map(|saved| saved.session.meta.device_id.as_str());
    match &config.login {
        Login::Password(password) => login(&client, config, password, device).await?,
        Login::Token(token) => adopt(&client, config, token).await?,
    }
    let session = client.matrix_auth().session();
    let session = session.ok_or_else(|| ReceiveError::Transient("the login left no session".into()))?;
    let since = former.map_or_else(|| Some(Timestamp::now()), |saved| saved.since);
    home.save(&Saved { session, since })?;
    Ok((client, since))
}

async fn login(client: &Client, config: &Config, password: &Secret, device: Option<&str>) -> Result<(), ReceiveError> {
    let mut login =
        client.matrix_auth().login_username(&config.user, password.expose()).initial_device_display_name(DEVICE_NAME);
    if let Some(device) = device {
        login = login.device_id(device);
    }
    match login.send().await {
        Ok(response) if response.user_id == config.user => Ok(()),
        Ok(response) => Err(other_user(config, response.user_id.as_str())),
        Err(error) => Err(match (error.client_api_error_kind(), error::http(&error)) {
            (Some(ErrorKind::Forbidden), _) => ReceiveError::Account(format!(
                "the homeserver refuses the password of {}; check `user` and `password`",
                config.user
            )),
            (_, Some(problem)) => unreachable(config, problem),
            (_, None) => error::receiving("log in", &error),
        }),
    }
}

/// Takes over the device that an access token was made for.
async fn adopt(client: &Client, config: &Config, token: &Secret) -> Result<(), ReceiveError> {
    let me = whoami(client, config, token).await?;
    if me.user != config.user {
        return Err(other_user(config, &me.user));
    }
    let Some(device) = me.device else {
        return Err(ReceiveError::Account(
            "the access token belongs to no device, so it cannot encrypt; use `password`, or a token from a login"
                .into(),
        ));
    };
    if has_keys(client, config, token, &device).await? {
        return Err(ReceiveError::Account(
            "the access token's device has keys that are not here (any more); make a new token by a new login".into(),
        ));
    }
    let session = serde_json::json!({ "user_id": config.user, "device_id": device, "access_token": token.expose() });
    let session: MatrixSession = serde_json::from_value(session)
        .map_err(|error| ReceiveError::Transient(format!("the homeserver names an odd device: {error}")))?;
    client.restore_session(session).await.map_err(|error| error::receiving("use the access token", &error))
}

/// Whether a device has told the others its keys: they cannot be replaced.
async fn has_keys(client: &Client, config: &Config, token: &Secret, device: &str) -> Result<bool, ReceiveError> {
    let user = config.user.as_str();
    let question = serde_json::json!({ "device_keys": { user: [device] } });
    let url = address(config, "/_matrix/client/v3/keys/query");
    let request = client.http_client().post(url).header("content-type", "application/json").body(question.to_string());
    let (status, answer) = ask(config, Some(token), request).await?;
    if !status.is_success() || !answer["device_keys"].is_object() {
        return Err(ReceiveError::Transient(format!("cannot ask for the keys of our device ({status})")));
    }
    Ok(answer["device_keys"][user][device]["keys"].as_object().is_some_and(|keys| !keys.is_empty()))
}

pub(crate) struct Me {
    pub(crate) user: String,
    pub(crate) device: Option<String>,
}

/// Asks whose token it is, without a session.
pub(crate) async fn whoami(client: &Client, config: &Config, token: &Secret) -> Result<Me, ReceiveError> {
    let request = client.http_client().get(address(config, "/_matrix/client/v3/account/whoami"));
    let (status, body) = ask(config, Some(token), request).await?;
    // A proxy in between refuses too, but not in the words of Matrix.
    if (status.as_u16() == 401 || status.as_u16() == 403) && body["errcode"].is_string() {
        return Err(ReceiveError::Account(
            "the homeserver does not know the access token; make a new one for `token`, or use `password`".into(),
        ));
    }
    match body["user_id"].as_str() {
        Some(user) => Ok(Me { user: user.to_owned(), device: body["device_id"].as_str().map(str::to_owned) }),
        None => Err(ReceiveError::Transient(format!(
            "{} does not answer like a Matrix homeserver ({status}); check `homeserver`",
            config.homeserver
        ))),
    }
}

pub(crate) fn address(config: &Config, path: &str) -> Url {
    let mut url = config.homeserver.clone();
    url.set_path(path);
    url
}

/// A question that a client without a session cannot ask. What is not JSON is `null`.
pub(crate) async fn ask(
    config: &Config,
    token: Option<&Secret>,
    request: RequestBuilder,
) -> Result<(StatusCode, serde_json::Value), ReceiveError> {
    let failed = |error| unreachable(config, &HttpError::Reqwest(error));
    let request = match token {
        Some(token) => request.bearer_auth(token.expose()),
        None => request,
    };
    let response = request.timeout(REQUEST).send().await.map_err(failed)?;
    let status = response.status();
    let body = response.bytes().await.map_err(failed)?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

pub(crate) fn unreachable(config: &Config, problem: &HttpError) -> ReceiveError {
    let (place, text) = (&config.homeserver, error::describe_http(problem));
    match problem.client_api_error_kind() {
        Some(ErrorKind::UserDeactivated | ErrorKind::UserLocked | ErrorKind::UserSuspended) => {
            ReceiveError::Account(format!("{place} has closed the account: {text}; ask its administrator"))
        }
        _ => {
            ReceiveError::Transient(format!("cannot reach {place}: {text}; is it running, and is `homeserver` right?"))
        }
    }
}

fn other_user(config: &Config, user: &str) -> ReceiveError {
    ReceiveError::Account(format!(
        "the homeserver knows this login as {user}, the config says {}; correct `user`, or use the other login",
        config.user
    ))
}
