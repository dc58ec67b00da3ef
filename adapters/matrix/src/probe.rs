//! What `check --online` asks the homeserver. Changes nothing, joins nothing, and leaves no device behind.

mod room;

use std::{path::Path, time::Duration};

use frontdesk_core::{Finding, Secret};
use jiff::Timestamp;
use matrix_sdk::{
    Client,
    reqwest::{StatusCode, Url},
};
use serde_json::{Value, json};

use crate::{
    config::{Config, DeskConfig, Login},
    session::{self, Home},
};

/// The device of a password that is tried: the same each time, so that at most one could ever be left behind.
const DEVICE: &str = "FRONTDESK_CHECK";

pub(crate) async fn probe(config: &Config, desks: &[DeskConfig], data: &Path) -> Vec<Finding> {
    let client = match Client::builder().homeserver_url(&config.homeserver).build().await {
        Ok(client) => client,
        Err(error) => return vec![Finding::error(format!("cannot prepare a connection: {error}"))],
    };
    let mut asker = Asker { client: &client, config, token: None };
    match asker.get(&["versions"]).await {
        Ok((_, answer)) if answer["versions"].is_array() => {}
        Ok((status, _)) => return vec![Finding::error(asker.no_homeserver(status))],
        Err(problem) => return vec![Finding::error(problem)],
    }
    let mut findings = vec![Finding::ok(format!("{} is a Matrix homeserver", config.homeserver))];
    findings.extend(asker.clock().await);
    let access = access(&mut asker, data, &mut findings).await;
    if access != Access::None {
        for desk in desks {
            findings.extend(room::probe(&asker, desk).await);
        }
    }
    if access == Access::OnTrial {
        findings.extend(leave(&asker).await);
    }
    findings
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    None,
    /// By a token that is in use.
    Kept,
    /// By a login of our own, which is to be ended.
    OnTrial,
}

/// The road that `run` would take: the login of the last time, else the token or password of the config.
async fn access(asker: &mut Asker<'_>, data: &Path, findings: &mut Vec<Finding>) -> Access {
    let config = asker.config;
    let saved = data.exists().then(|| Home::new(data).and_then(|home| home.saved()).ok().flatten()).flatten();
    let kept = match (&config.login, saved) {
        (Login::Token(token), _) => Some(token.clone()),
        (Login::Password(_), saved) => saved.map(|saved| Secret::new(saved.session.tokens.access_token)),
    };
    if let Some(token) = kept {
        match (session::whoami(asker.client, config, &token).await, &config.login) {
            (Ok(me), _) if me.user == config.user => {
                findings.push(Finding::ok(format!("logged in as {}", me.user)));
                asker.token = Some(token);
                return Access::Kept;
            }
            (Ok(me), _) => {
                let text = format!("the login is {}'s; correct `user`, or use the other login", me.user);
                findings.push(Finding::error(text));
                return Access::None;
            }
            (Err(problem), Login::Token(_)) => {
                findings.push(Finding::error(problem.to_string()));
                return Access::None;
            }
            // As `run` does: the password opens the account anew.
            (Err(_), Login::Password(_)) => {}
        }
    }
    let Login::Password(password) = &config.login else { return Access::None };
    let (token, finding) = try_password(asker, password).await;
    findings.push(finding);
    asker.token = token;
    if asker.token.is_some() { Access::OnTrial } else { Access::None }
}

async fn try_password(asker: &Asker<'_>, password: &Secret) -> (Option<Secret>, Finding) {
    let user = &asker.config.user;
    let login = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": user },
        "password": password.expose(),
        "device_id": DEVICE,
        "initial_device_display_name": "frontdesk check",
    });
    let (status, answer) = match asker.post(&["v3", "login"], &login).await {
        Ok(answered) => answered,
        Err(problem) => return (None, Finding::error(problem)),
    };
    if let Some(token) = answer["access_token"].as_str().filter(|_| status.is_success()) {
        return (Some(Secret::new(token)), Finding::ok(format!("the password of {user} is right")));
    }
    let finding = match answer["errcode"].as_str() {
        Some("M_FORBIDDEN") => {
            Finding::error(format!("the homeserver refuses the password of {user}; check `user` and `password`"))
        }
        Some("M_USER_DEACTIVATED" | "M_USER_LOCKED" | "M_USER_SUSPENDED") => {
            Finding::error(format!("the homeserver has closed the account {user}; ask its administrator"))
        }
        Some("M_LIMIT_EXCEEDED") => Finding::warning(
            "the homeserver asks for patience after so many logins, so the password was not tried; check again later",
        ),
        Some(code) => Finding::error(format!("the homeserver does not take the password ({code}); use `token`")),
        None => Finding::error(asker.no_homeserver(status)),
    };
    (None, finding)
}

/// Ends a login of our own.
async fn leave(asker: &Asker<'_>) -> Option<Finding> {
    let left = asker.post(&["v3", "logout"], &json!({})).await;
    if left.is_ok_and(|(status, _)| status.is_success()) {
        return None;
    }
    let text = "the login that tried the password could not be ended; remove the device";
    Some(Finding::warning(format!("{text} {DEVICE} in the account's settings")))
}

/// Asks in plain HTTP, because a session of the SDK would be one more device.
struct Asker<'a> {
    client: &'a Client,
    config: &'a Config,
    token: Option<Secret>,
}

type Answered = Result<(StatusCode, Value), String>;

impl Asker<'_> {
    async fn get(&self, path: &[&str]) -> Answered {
        self.get_at(self.address(path)).await
    }

    async fn get_at(&self, address: Url) -> Answered {
        let request = self.client.http_client().get(address);
        session::ask(self.config, self.token.as_ref(), request).await.map_err(|problem| problem.to_string())
    }

    async fn post(&self, path: &[&str], body: &Value) -> Answered {
        let request = self.client.http_client().post(self.address(path));
        let request = request.header("content-type", "application/json").body(body.to_string());
        session::ask(self.config, self.token.as_ref(), request).await.map_err(|problem| problem.to_string())
    }

    fn no_homeserver(&self, status: StatusCode) -> String {
        let place = &self.config.homeserver;
        format!("{place} does not answer like a Matrix homeserver ({status}); check `homeserver`")
    }

    async fn clock(&self) -> Option<Finding> {
        let request = self.client.http_client().get(session::address(self.config, "/_matrix/client/versions"));
        let answer = request.timeout(Duration::from_secs(10)).send().await.ok()?;
        Finding::clock(answer.headers().get("date")?.to_str().ok()?, Timestamp::now())
    }

    /// The parts may hold anything: they are escaped.
    fn address(&self, path: &[&str]) -> Url {
        let mut url = session::address(self.config, "/_matrix/client");
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.extend(path);
        }
        url
    }
}
