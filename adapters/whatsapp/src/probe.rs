//! What `check --online` asks Meta. Changes nothing: the call to our own webhook has nothing in it.

use frontdesk_core::Finding;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde_json::Value;

use crate::{
    Config, Numbers,
    api::{Api, ApiError},
    hook,
    receive::{FIELDS, Problem, problem},
    wire::{flag, list, text, written},
};

pub(crate) async fn probe(api: &Api, config: &Config, name: &str, numbers: &Numbers) -> Vec<Finding> {
    let (number, date) = futures::join!(api.number(FIELDS), api.date());
    let clock = date.and_then(|date| Finding::clock(&date, Timestamp::now()));
    let number = match number {
        Ok(number) => number,
        Err(error) => return [Finding::error(words(error))].into_iter().chain(clock).collect(),
    };
    let mut findings = vec![account(&number)];
    let app = app(api, &mut findings).await;
    match &app {
        Some(app) => findings.extend(webhook(api, app, name, flag(&number, "/is_on_biz_app")).await),
        None => findings.push(secret(api).await),
    }
    match &config.business_account_id {
        Some(account) => findings.extend(business(api, account, app.as_deref(), numbers).await),
        None => findings.push(Finding::warning(
            "there is no business_account_id in the config: templates cannot be read, and whether the app gets this \
             account's messages cannot be seen; Meta's app dashboard shows it under WhatsApp > API Setup",
        )),
    }
    findings.extend(clock);
    findings
}

fn account(number: &Value) -> Finding {
    let name = text(number, "/verified_name").map(|name| format!(" ({name})")).unwrap_or_default();
    let shown = text(number, "/display_phone_number").unwrap_or("this phone number");
    match text(number, "/status") {
        None | Some("CONNECTED") => Finding::ok(format!("the token may use {shown}{name}")),
        Some(other) => Finding::error(format!(
            "the token may use {shown}{name}, but the number is {}: see WhatsApp Manager > Phone numbers",
            other.to_lowercase().replace('_', " ")
        )),
    }
}

/// Which app the token belongs to, and for how long it is good. Not every server tells.
async fn app(api: &Api, findings: &mut Vec<Finding>) -> Option<String> {
    let token = api.token().await.ok()?;
    let token = token.get("data")?;
    let scopes = list(token, "/scopes");
    let missing = ["whatsapp_business_messaging", "whatsapp_business_management"]
        .into_iter()
        .filter(|wanted| !scopes.is_empty() && !scopes.iter().any(|scope| scope == wanted));
    findings.extend(missing.map(|scope| {
        Finding::error(format!(
            "the token lacks the permission {scope}: make a new one in Meta Business settings > System users > Generate \
             token, and tick it there"
        ))
    }));
    findings.extend(expiry(token, Timestamp::now()));
    written(token, "/app_id")
}

fn expiry(token: &Value, now: Timestamp) -> Option<Finding> {
    let seconds: i64 = written(token, "/expires_at")?.parse().ok()?;
    let at = Timestamp::from_second(seconds).ok().filter(|_| seconds > 0)?;
    let left = at.duration_since(now);
    let cure = "make one that never expires for a system user in Meta Business settings";
    (left < SignedDuration::from_hours(14 * 24)).then(|| match left.as_hours() {
        hours if hours < 48 => Finding::error(format!("the token expires in {} hours: {cure}", hours.max(0))),
        hours => Finding::warning(format!("the token expires in {} days: {cure}", hours / 24)),
    })
}

/// Where Meta sends what happens, what of it, and whether that place is ours: a signed call shows it.
async fn webhook(api: &Api, app: &str, name: &str, coexists: bool) -> Vec<Finding> {
    let subscriptions = match api.get_as_app(app, &[app, "subscriptions"]).await {
        Ok(subscriptions) => subscriptions,
        Err(ApiError::Graph { .. }) => {
            return vec![Finding::error(format!(
                "Meta does not accept app_secret for the app {app}, which the token belongs to: copy it from App \
                 settings > Basic of that app"
            ))];
        }
        Err(error) => return vec![Finding::warning(format!("the webhook cannot be looked at: {}", words(error)))],
    };
    let path = hook::path(name);
    let ours = |it: &&Value| text(it, "/object") == Some("whatsapp_business_account");
    let Some(subscription) = list(&subscriptions, "/data").iter().find(ours) else {
        return vec![Finding::error(format!(
            "Meta sends no messages anywhere: in Meta's app dashboard, under WhatsApp > Configuration > Webhook, enter \
             https://(your address){path} and your verify_token, and subscribe to the field `messages`"
        ))];
    };
    let mut findings = fields(subscription, coexists);
    findings.push(call(api, text(subscription, "/callback_url").unwrap_or_default(), &path).await);
    findings
}

fn fields(subscription: &Value, coexists: bool) -> Vec<Finding> {
    let has = |wanted: &str| {
        list(subscription, "/fields").iter().any(|field| field == wanted || text(field, "/name") == Some(wanted))
    };
    let at = "under WhatsApp > Configuration > Webhook fields in Meta's app dashboard";
    let mut findings = Vec::new();
    if !has("messages") {
        findings.push(Finding::error(format!("Meta does not send messages: subscribe to the field `messages` {at}")));
    }
    let phone = ["smb_message_echoes", "history", "smb_app_state_sync"];
    findings.extend(phone.into_iter().filter(|field| coexists && !has(field)).map(|field| {
        Finding::warning(format!(
            "the number is also used on a phone, and what happens there does not come here: subscribe to `{field}` {at}"
        ))
    }));
    findings
}

/// Nothing is in it, so nothing comes of it.
const EMPTY: &str = r#"{"object":"whatsapp_business_account","entry":[]}"#;

async fn call(api: &Api, address: &str, path: &str) -> Finding {
    let cure = format!(
        "it should be https://(your address){path}; change it under WhatsApp > Configuration in Meta's app dashboard"
    );
    let Ok(url) = Url::parse(address) else {
        return Finding::error(format!("Meta has no address to send messages to: {cure}"));
    };
    // Never a signed call to a stranger.
    if !url.path().contains("/hooks/whatsapp/") {
        return Finding::error(format!("Meta sends messages to {address}, which is not frontdesk: {cure}"));
    }
    match api.post_signed(url, EMPTY).await {
        Ok((200, said)) if said == hook::STORED.as_bytes() => {
            Finding::ok(format!("Meta sends messages to {address}, and frontdesk takes them there"))
        }
        Ok((200, _)) => Finding::error(format!(
            "Meta sends messages to {address}, and something other than frontdesk answers there: let the proxy before \
             it hand on /hooks/ to frontdesk; {cure}"
        )),
        Ok((401 | 403, _)) => Finding::error(format!(
            "frontdesk runs at {address} with another app_secret than this config has: restart it, or see which config \
             it was started with"
        )),
        Ok((404, _)) => {
            Finding::error(format!("Meta sends messages to {address}, and nothing takes them there: {cure}"))
        }
        Ok((status, _)) => Finding::error(format!(
            "Meta sends messages to {address}, which answers {status}: start frontdesk, and let the proxy before it hand \
             on /hooks/"
        )),
        Err(error) => Finding::error(format!(
            "Meta sends messages to {address}, which cannot be reached from here ({}): start frontdesk, and see that the \
             address is open to the internet",
            words(error)
        )),
    }
}

/// Whether Meta takes our app secret for that of the token's app.
async fn secret(api: &Api) -> Finding {
    match api.number_with_proof().await {
        Ok(_) => Finding::ok("app_secret belongs to the app of the token"),
        Err(ApiError::Graph { .. }) => Finding::error(
            "Meta does not accept app_secret: copy it from App settings > Basic of the app that the token belongs to",
        ),
        Err(error) => Finding::warning(format!("app_secret cannot be tried: {}", words(error))),
    }
}

/// Whether the app gets what happens to this account, and whose numbers are in it.
async fn business(api: &Api, account: &str, app: Option<&str>, numbers: &Numbers) -> Vec<Finding> {
    let apps = [account, "subscribed_apps"];
    let phones = [account, "phone_numbers"];
    let (apps, phones) =
        futures::join!(api.get(&apps, &[]), api.get(&phones, &[("fields", "id,display_phone_number")]));
    let mut findings = vec![match apps {
        Ok(apps) => subscribed(&apps, account, app),
        Err(error) => Finding::error(format!("business_account_id cannot be used: {}", words(error))),
    }];
    let others = phones.map(|phones| list(&phones, "/data").to_vec()).unwrap_or_default();
    let strangers = others.iter().filter(|phone| text(phone, "/id").is_some_and(|id| !numbers.knows(id)));
    findings.extend(strangers.map(|phone| {
        let shown = text(phone, "/display_phone_number").unwrap_or("another number");
        Finding::warning(format!(
            "{shown} belongs to the same account and no channel has it: what customers write there is refused; add a \
             table [whatsapp.NAME] with phone_number_id = \"{}\" if they should be answered",
            text(phone, "/id").unwrap_or_default()
        ))
    }));
    findings
}

fn subscribed(apps: &Value, account: &str, app: Option<&str>) -> Finding {
    let apps = list(apps, "/data");
    let id = |it: &Value| written(it, "/whatsapp_business_api_data/id").or_else(|| written(it, "/id"));
    let ours = match app {
        Some(app) => apps.iter().any(|it| id(it).as_deref() == Some(app)),
        None => !apps.is_empty(),
    };
    match ours {
        true => Finding::ok("the app gets what happens to this WhatsApp account"),
        false => Finding::error(format!(
            "the app does not get what happens to this WhatsApp account, so no message arrives: in Meta's app dashboard \
             open WhatsApp > API Setup and finish its steps, or call POST /{account}/subscribed_apps with the token"
        )),
    }
}

/// As `receive` says it, but nobody tries again.
fn words(error: ApiError) -> String {
    match problem(error) {
        Problem::Account(problem) => problem,
        Problem::Passing(problem) => format!("WhatsApp did not answer ({problem})"),
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
