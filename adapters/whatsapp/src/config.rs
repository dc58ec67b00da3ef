use frontdesk_core::{ConfigProblem, Secret, SecretSource};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

/// `[whatsapp.<name>]` as it is written.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    phone_number_id: Option<String>,
    business_account_id: Option<String>,
    access_token: Option<SecretSource>,
    app_secret: Option<SecretSource>,
    verify_token: Option<SecretSource>,
    api_url: Option<String>,
    api_version: Option<String>,
}

/// One phone number of a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) phone_number_id: String,
    pub(crate) business_account_id: Option<String>,
    pub(crate) access_token: Secret,
    pub(crate) app_secret: Secret,
    pub(crate) verify_token: Secret,
    pub(crate) api_url: Url,
    pub(crate) api_version: String,
}

const OFFICIAL: &str = "https://graph.facebook.com";
const VERSION: &str = "v25.0";

/// What an id of Meta's looks like.
const ID: &str = "^[0-9]{5,20}$";

const NUMBER_ID_CURE: &str =
    "the id (not the number itself) that Meta's app dashboard shows under WhatsApp > API Setup, about 15 digits";
const ACCOUNT_ID_CURE: &str =
    "the WhatsApp Business account's id that Meta's app dashboard shows under WhatsApp > API Setup, about 15 digits";

impl RawConfig {
    /// The table's JSON Schema, for editors.
    #[must_use]
    pub fn schema() -> Value {
        let id = |description: &str| json!({ "description": description, "type": "string", "pattern": ID });
        json!({
            "description": "A WhatsApp number that customers write to",
            "type": "object",
            "properties": {
                "phone_number_id": id("The phone number's id, from WhatsApp > API Setup in Meta's app dashboard"),
                "business_account_id": id("The WhatsApp Business account's id: only for templates"),
                "access_token": SecretSource::schema("A system user's token, which never expires"),
                "app_secret": SecretSource::schema("The app's secret, from App settings > Basic"),
                "verify_token": SecretSource::schema("A word of your own, given to Meta with the webhook's address"),
                "api_url": {
                    "description": "The Graph API, where it is another one",
                    "type": "string",
                    "pattern": "^\\s*https?://",
                    "default": OFFICIAL,
                },
                "api_version": {
                    "description": "The Graph API's version",
                    "type": "string",
                    "pattern": "^v[0-9]+\\.[0-9]+$",
                    "default": VERSION,
                },
            },
            "required": ["phone_number_id", "access_token", "app_secret", "verify_token"],
            "additionalProperties": false,
        })
    }

    /// Finds all mistakes at once; reads the secrets from where they are kept.
    pub fn validate(self) -> Result<Config, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let mut keep = |key: &str, text: String| problems.push(ConfigProblem::new(key, text));
        let number = phone_number_id(self.phone_number_id.as_deref()).map_err(|text| keep("phone_number_id", text));
        let account = self.business_account_id.as_deref().map(|text| id(text, ACCOUNT_ID_CURE)).transpose();
        let account = account.map_err(|text| keep("business_account_id", text));
        let access = access_token(self.access_token.as_ref()).map_err(|text| keep("access_token", text));
        let secret = app_secret(self.app_secret.as_ref()).map_err(|text| keep("app_secret", text));
        let verify = verify_token(self.verify_token.as_ref()).map_err(|text| keep("verify_token", text));
        let url = api_url(self.api_url.as_deref().unwrap_or(OFFICIAL)).map_err(|text| keep("api_url", text));
        let version = api_version(self.api_version.as_deref().unwrap_or(VERSION));
        let version = version.map_err(|text| keep("api_version", text));
        match (number, account, access, secret, verify, url, version) {
            (Ok(number), Ok(account), Ok(access), Ok(secret), Ok(verify), Ok(url), Ok(version)) => Ok(Config {
                phone_number_id: number,
                business_account_id: account,
                access_token: access,
                app_secret: secret,
                verify_token: verify,
                api_url: url,
                api_version: version,
            }),
            _ => Err(problems),
        }
    }
}

impl Config {
    /// Which number it is, as Meta names it.
    #[must_use]
    pub fn phone_number_id(&self) -> &str {
        &self.phone_number_id
    }
}

fn phone_number_id(text: Option<&str>) -> Result<String, String> {
    match text {
        Some(text) => id(text, NUMBER_ID_CURE),
        None => Err(format!("is missing; write {NUMBER_ID_CURE}")),
    }
}

fn id(text: &str, cure: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = (5..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text.to_owned()) } else { Err(format!("this is not an id of Meta's; write {cure}")) }
}

fn access_token(source: Option<&SecretSource>) -> Result<Secret, String> {
    let Some(source) = source else {
        return Err(
            "is missing; write access_token = { env = \"WHATSAPP_TOKEN\" } and put there the token of a system \
                    user (Meta Business settings > System users > Generate token)"
                .into(),
        );
    };
    let token = source.read()?;
    if token.expose().len() < 20 || !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("this is not an access token: Meta gives one of more than a hundred letters and digits, without \
                    spaces"
            .into());
    }
    Ok(token)
}

fn app_secret(source: Option<&SecretSource>) -> Result<Secret, String> {
    let Some(source) = source else {
        return Err("is missing; write app_secret = { env = \"WHATSAPP_APP_SECRET\" } and put there what Meta's app \
                    dashboard shows under App settings > Basic"
            .into());
    };
    let secret = source.read()?;
    if secret.expose().len() != 32 || !secret.expose().bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("this is not an app secret: Meta's app dashboard shows one of 32 digits and letters from a to f \
                    under App settings > Basic"
            .into());
    }
    Ok(secret)
}

fn verify_token(source: Option<&SecretSource>) -> Result<Secret, String> {
    let Some(source) = source else {
        return Err(
            "is missing; write verify_token = { env = \"WHATSAPP_VERIFY_TOKEN\" } and put there a long random \
                    word of your own, the same that you give to Meta with the webhook's address"
                .into(),
        );
    };
    let token = source.read()?;
    if token.expose().chars().count() < 8 {
        return Err("is too short: others could guess it; take 8 characters or more, and the same at Meta".into());
    }
    Ok(token)
}

fn api_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim().trim_end_matches('/'))
        .map_err(|error| format!("this is not a web address ({error}): write it like \"{OFFICIAL}\""))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(format!("expected an address that begins with https:// or http://, like \"{OFFICIAL}\""));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("expected an address without ? and #, like \"{OFFICIAL}\""));
    }
    Ok(url)
}

fn api_version(text: &str) -> Result<String, String> {
    let number = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.trim().strip_prefix('v').and_then(|rest| rest.split_once('.'));
    match parts {
        Some((major, minor)) if number(major) && number(minor) => Ok(text.trim().to_owned()),
        Some(_) | None => Err(format!("expected a version of the Graph API, like \"{VERSION}\"")),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
    pub(crate) const TOKEN: &str = "EAAstandInStandInStandInStandIn";
    pub(crate) const VERIFY: &str = "open sesame";

    /// A whole table of the number, with the Graph API at this address.
    pub(crate) fn config(number: &str, api_url: &str) -> Config {
        raw(number, api_url).validate().unwrap()
    }

    fn raw(number: &str, api_url: &str) -> RawConfig {
        let text = |text: &str| Some(SecretSource::Text(text.into()));
        RawConfig {
            phone_number_id: Some(number.into()),
            business_account_id: Some("102290129340398".into()),
            access_token: text(TOKEN),
            app_secret: text(SECRET),
            verify_token: text(VERIFY),
            api_url: Some(api_url.into()),
            api_version: None,
        }
    }

    fn problems(raw: RawConfig) -> Vec<String> {
        raw.validate().unwrap_err().into_iter().map(|problem| format!("{}: {}", problem.key, problem.text)).collect()
    }

    #[test]
    fn the_official_server_and_version_are_the_default() {
        let config = RawConfig { api_url: None, ..raw("106540352242922", OFFICIAL) }.validate().unwrap();
        assert_eq!((config.api_url.as_str(), config.api_version.as_str()), ("https://graph.facebook.com/", "v25.0"));
    }

    #[test]
    fn a_missing_account_id_is_no_mistake() {
        let raw = RawConfig { business_account_id: None, ..raw("106540352242922", OFFICIAL) };
        assert_eq!(raw.validate().unwrap().business_account_id, None);
    }

    #[test]
    fn everything_that_is_missing_says_what_to_write() {
        let found = problems(RawConfig::default());
        let keys: Vec<&str> = found.iter().filter_map(|text| text.split(':').next()).collect();
        assert_eq!(keys, ["phone_number_id", "access_token", "app_secret", "verify_token"]);
        assert!(found.iter().all(|text| text.contains("is missing; write ")), "{found:?}");
    }

    #[test]
    fn all_mistakes_are_found_at_once_and_show_no_secret() {
        let text = |text: &str| Some(SecretSource::Text(text.into()));
        let found = problems(RawConfig {
            phone_number_id: Some("+49 30 123456".into()),
            business_account_id: Some("bakery".into()),
            access_token: text("sekret"),
            app_secret: text("sekret-sekret-sekret-sekret-sekret"),
            verify_token: text("sekret"),
            api_url: Some("ftp://x".into()),
            api_version: Some("25".into()),
        });
        assert_eq!(found.len(), 7, "{found:?}");
        assert!(!found.concat().contains("sekret"));
    }

    #[test]
    fn a_debug_print_shows_no_secret() {
        let shown = format!("{:?}", config("106540352242922", OFFICIAL));
        assert!([SECRET, TOKEN, VERIFY].iter().all(|secret| !shown.contains(secret)), "{shown}");
    }
}
