//! Keeping the account's keys recoverable.

use std::path::Path;

use frontdesk_core::Secret;
use matrix_sdk::{Client, ruma::api::client::uiaa};
use tracing::info;

use crate::{
    config::{Config, Login},
    error, files,
    session::Home,
};

/// Cross-signs the device and keeps its secrets recoverable, so that a lost store costs no history. The desk works
/// without: a problem is told and tried again at the next start.
pub(crate) async fn secure(client: &Client, config: &Config, home: &Home) -> Result<(), String> {
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
    make_recoverable(client, key.as_ref(), config.recovery_key.as_ref(), home).await
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
    home: &Home,
) -> Result<(), String> {
    let (path, unfinished) = (home.recovery_key(), home.unfinished_recovery_key());
    let problem_at = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let encryption = client.encryption();
    let problem = |error: &dyn std::fmt::Display| format!("cannot keep the keys recoverable: {error}");
    let stored = encryption.secret_storage().is_enabled().await.map_err(|error| problem(&error))?;
    let recovery = encryption.recovery();
    let begun = files::read(&unfinished).map_err(|error| problem_at(&unfinished, &error))?.is_some();
    let made = match (stored, known, begun) {
        (true, Some(_), _) => return files::remove(&unfinished).map_err(|error| problem_at(&unfinished, &error)),
        // The key is kept elsewhere: another one would make it worthless.
        (true, None, false) => return Ok(()),
        // We made it, and were stopped before the key was on disk.
        (true, None, true) => recovery.reset_key().await,
        (false, _, _) => {
            files::write_private(&unfinished, b"").map_err(|error| problem_at(&unfinished, &error))?;
            match wanted {
                Some(wanted) => recovery.enable().with_passphrase(wanted.expose()).await,
                None => recovery.enable().await,
            }
        }
    };
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            // Where nothing was made, somebody may do it by hand now, and their key must stay the right one.
            if matches!(encryption.secret_storage().is_enabled().await, Ok(false)) {
                files::remove(&unfinished).map_err(|error| problem_at(&unfinished, &error))?;
            }
            return Err(problem(&error));
        }
    };
    if wanted.is_none() {
        files::write_private(&path, made.as_bytes()).map_err(|error| problem_at(&path, &error))?;
        info!(path = %path.display(), "made a recovery key: keep a copy of it in a safe place");
    }
    files::remove(&unfinished).map_err(|error| problem_at(&unfinished, &error))
}
