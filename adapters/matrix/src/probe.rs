use frontdesk_core::{Finding, Secret, Severity};
use matrix_sdk::{Client, config::RequestConfig};
use std::{path::Path, time::Duration};

use crate::{
    config::{Config, DeskConfig, Login},
    desk,
    session::{self, Home},
};

/// Asks the homeserver whose login it is and which rooms there are. Logs nobody in: that would leave a device behind.
pub(crate) async fn probe(config: &Config, desks: &[DeskConfig], data: &Path) -> Vec<Finding> {
    let timeouts = RequestConfig::new().disable_retry().timeout(Duration::from_secs(10));
    let builder = Client::builder().homeserver_url(&config.homeserver).request_config(timeouts);
    let client = match builder.build().await {
        Ok(client) => client,
        Err(error) => return vec![finding(Severity::Error, format!("cannot prepare a connection: {error}"))],
    };
    if let Err(problem) = client.fetch_server_versions(None).await {
        return vec![finding(Severity::Error, session::unreachable(config, &problem).to_string())];
    }
    let mut findings = vec![finding(Severity::Ok, format!("{} is a Matrix homeserver", config.homeserver))];
    findings.push(login(&client, config, data).await);
    for desk in desks {
        findings.push(room(&client, desk).await);
    }
    findings
}

async fn login(client: &Client, config: &Config, data: &Path) -> Finding {
    let saved = data.exists().then(|| Home::new(data).and_then(|home| home.saved()).ok().flatten()).flatten();
    let token = match (&config.login, saved) {
        (Login::Token(token), _) => token.clone(),
        (Login::Password(_), Some(saved)) => Secret::new(saved.session.tokens.access_token),
        (Login::Password(_), None) => {
            let text = "the password is tried at the first run: a try would leave a device behind";
            return finding(Severity::Ok, text.into());
        }
    };
    match session::whoami(client, config, &token).await {
        Ok(me) if me.user == config.user => finding(Severity::Ok, format!("logged in as {}", me.user)),
        Ok(me) => finding(Severity::Error, format!("the login is {}'s; correct `user`", me.user)),
        Err(problem) => finding(Severity::Error, problem.to_string()),
    }
}

async fn room(client: &Client, desk: &DeskConfig) -> Finding {
    match desk::resolve(client, &desk.room).await {
        Ok(Some(_)) => finding(Severity::Ok, format!("the desk {}: {} exists", desk.name, desk.room)),
        Ok(None) if desk.operators.is_some() => {
            finding(Severity::Ok, format!("the desk {}: {} will be made at the first run", desk.name, desk.room))
        }
        Ok(None) => finding(
            Severity::Error,
            format!(
                "the desk {}: there is no {}, and one that we make could be entered by nobody; set `operators`",
                desk.name, desk.room
            ),
        ),
        Err(error) => finding(
            Severity::Warning,
            format!("the desk {}: cannot look for {}: {}", desk.name, desk.room, crate::error::describe(&error)),
        ),
    }
}

fn finding(severity: Severity, text: String) -> Finding {
    Finding { severity, text }
}
