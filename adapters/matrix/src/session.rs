//! Logging in, coming back with the same device, and keeping the account's keys recoverable.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use frontdesk_core::{ReceiveError, Secret};
use matrix_sdk::{
    Client, HttpError, SqliteStoreConfig,
    authentication::matrix::MatrixSession,
    config::RequestConfig,
    encryption::{BackupDownloadStrategy, EncryptionSettings, vodozemac::Curve25519SecretKey},
    ruma::{
        api::{client::uiaa, error::ErrorKind},
        exports::serde_json,
    },
    store::StateStoreDataKey,
};
use tracing::{info, warn};

use crate::{
    config::{Config, Login},
    error, files,
};

const DEVICE_NAME: &str = "frontdesk";
/// For one request; a long poll adds its own length.
const REQUEST: Duration = Duration::from_secs(20);
/// For cross-signing and recovery together.
const SECURING: Duration = Duration::from_secs(60);

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

    fn recovery_key(&self) -> PathBuf {
        self.0.join("recovery-key")
    }

    pub(crate) fn pending(&self) -> PathBuf {
        self.0.join("undecryptable.json")
    }

    pub(crate) fn saved(&self) -> Result<Option<MatrixSession>, ReceiveError> {
        let path = self.session();
        let bytes = files::read(&path).map_err(|error| local(&path, &error))?;
        bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(|error| local(&path, &error))).transpose()
    }

    fn save(&self, session: &MatrixSession) -> Result<(), ReceiveError> {
        let path = self.session();
        let bytes = serde_json::to_vec(session).map_err(|error| local(&path, &error))?;
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
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(local(&path, &error)),
                Ok(()) | Err(_) => {}
            }
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

/// Logs in, or comes back with the device of the last time.
pub(crate) async fn open(config: &Config, home: &Home) -> Result<Client, ReceiveError> {
    let client = match home.saved()? {
        Some(session) if session.meta.user_id == config.user => restore(config, home, session).await?,
        Some(_) => {
            return Err(ReceiveError::Account(format!(
                "{} belongs to another user than {}; write the former one in the config, or move the folder away",
                home.0.display(),
                config.user
            )));
        }
        None => begin(config, home, None).await?,
    };
    match tokio::time::timeout(SECURING, secure(&client, config, home)).await {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => warn!("{problem}"),
        Err(_) => warn!("the homeserver took too long over cross-signing and recovery; tried again at the next start"),
    }
    Ok(client)
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

async fn restore(config: &Config, home: &Home, mut session: MatrixSession) -> Result<Client, ReceiveError> {
    if let Login::Token(token) = &config.login {
        session.tokens.access_token = token.expose().to_owned();
    }
    let client = build(config, home).await?;
    let device = session.meta.device_id.clone();
    client
        .restore_session(session.clone())
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
            return begin(config, home, soft.then(|| device.to_string())).await;
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
    Ok(client)
}

/// The first login of a device; `device` where it is an old one that only lost its token.
async fn begin(config: &Config, home: &Home, device: Option<String>) -> Result<Client, ReceiveError> {
    if device.is_none() {
        // Keys that belong to no session are of no use, and would be taken for those of the new device.
        home.forget_device()?;
    }
    let client = build(config, home).await?;
    match &config.login {
        Login::Password(password) => login(&client, config, password, device.as_deref()).await?,
        Login::Token(token) => adopt(&client, config, token).await?,
    }
    let session = client.matrix_auth().session();
    let session = session.ok_or_else(|| ReceiveError::Transient("the login left no session".into()))?;
    home.save(&session)?;
    Ok(client)
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
    let session = serde_json::json!({ "user_id": config.user, "device_id": device, "access_token": token.expose() });
    let session: MatrixSession = serde_json::from_value(session)
        .map_err(|error| ReceiveError::Transient(format!("the homeserver names an odd device: {error}")))?;
    client.restore_session(session).await.map_err(|error| error::receiving("use the access token", &error))
}

pub(crate) struct Me {
    pub(crate) user: String,
    pub(crate) device: Option<String>,
}

/// Asks whose token it is, without a session.
pub(crate) async fn whoami(client: &Client, config: &Config, token: &Secret) -> Result<Me, ReceiveError> {
    let mut url = config.homeserver.clone();
    url.set_path("/_matrix/client/v3/account/whoami");
    let request = client.http_client().get(url).bearer_auth(token.expose()).timeout(REQUEST).send();
    let response = request.await.map_err(|error| unreachable(config, &HttpError::Reqwest(error)))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| unreachable(config, &HttpError::Reqwest(error)))?;
    if status.as_u16() == 401 || status.as_u16() == 403 {
        return Err(ReceiveError::Account(
            "the homeserver does not know the access token; make a new one for `token`, or use `password`".into(),
        ));
    }
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    match body["user_id"].as_str() {
        Some(user) => Ok(Me { user: user.to_owned(), device: body["device_id"].as_str().map(str::to_owned) }),
        None => Err(ReceiveError::Transient(format!(
            "{} does not answer like a Matrix homeserver ({status}); check `homeserver`",
            config.homeserver
        ))),
    }
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

/// Cross-signs the device and keeps its secrets recoverable, so that a lost store costs no history. The desk works
/// without: a problem is told and tried again at the next start.
async fn secure(client: &Client, config: &Config, home: &Home) -> Result<(), String> {
    let encryption = client.encryption();
    encryption.wait_for_e2ee_initialization_tasks().await;
    let path = home.recovery_key();
    let kept = files::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let kept = kept.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| Secret::new(text.trim()));
    let key = config.recovery_key.clone().or(kept);

    if !encryption.cross_signing_status().await.is_some_and(|status| status.is_complete()) {
        let known = encryption.request_user_identity(&config.user).await;
        let known = known.map_err(|error| format!("cannot ask for our own identity: {}", error::describe(&error)))?;
        match (known, &key) {
            (None, _) => cross_sign(client, config).await?,
            (Some(_), Some(key)) => return recover(client, key).await,
            (Some(_), None) => {
                return Err(format!(
                    "{} was set up by another program, so our device stays unverified: write that program's recovery \
                     key as `recovery_key`",
                    config.user
                ));
            }
        }
    }
    make_recoverable(client, key.as_ref(), config.recovery_key.as_ref(), &path).await
}

async fn cross_sign(client: &Client, config: &Config) -> Result<(), String> {
    let encryption = client.encryption();
    let Err(error) = encryption.bootstrap_cross_signing(None).await else { return Ok(()) };
    let (Some(response), Login::Password(password)) = (error.as_uiaa_response(), &config.login) else {
        return Err(format!(
            "cannot set up cross-signing, so our device stays unverified: {}; log in once with `password`",
            error::describe(&error)
        ));
    };
    let user = uiaa::UserIdentifier::Matrix(uiaa::MatrixUserIdentifier::new(config.user.to_string()));
    let mut auth = uiaa::Password::new(user, password.expose().to_owned());
    auth.session = response.session.clone();
    let again = encryption.bootstrap_cross_signing(Some(uiaa::AuthData::Password(auth))).await;
    again.map_err(|error| format!("cannot set up cross-signing: {}", error::describe(&error)))
}

async fn recover(client: &Client, key: &Secret) -> Result<(), String> {
    client.encryption().recovery().recover(key.expose()).await.map_err(|error| {
        format!("cannot recover the keys of the account: {error}; is the recovery key (`recovery_key`) the right one?")
    })
}

async fn make_recoverable(
    client: &Client,
    known: Option<&Secret>,
    wanted: Option<&Secret>,
    path: &Path,
) -> Result<(), String> {
    let encryption = client.encryption();
    let problem = |error: &dyn std::fmt::Display| format!("cannot keep the keys recoverable: {error}");
    let stored = encryption.secret_storage().is_enabled().await.map_err(|error| problem(&error))?;
    let recovery = encryption.recovery();
    let made = match (stored, known) {
        (true, Some(_)) => return Ok(()),
        // We made it, and were stopped before the key was on disk.
        (true, None) => recovery.reset_key().await,
        (false, _) => match wanted {
            Some(wanted) => recovery.enable().with_passphrase(wanted.expose()).await,
            None => recovery.enable().await,
        },
    };
    let made = made.map_err(|error| problem(&error))?;
    if wanted.is_some() {
        return Ok(());
    }
    files::write_private(path, made.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    info!(path = %path.display(), "made a recovery key: keep a copy of it in a safe place");
    Ok(())
}
