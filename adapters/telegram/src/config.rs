use frontdesk_core::{ConfigProblem, Secret, SecretSource};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

/// `[telegram.<name>]` as it is written.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    token: Option<SecretSource>,
    api_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) token: Secret,
    pub(crate) api_url: Url,
}

const OFFICIAL: &str = "https://api.telegram.org";

impl RawConfig {
    /// The table's JSON Schema, for editors.
    #[must_use]
    pub fn schema() -> Value {
        let api_url = json!({
            "description": "The Bot API server, where it is one of your own",
            "type": "string",
            "pattern": "^\\s*https?://",
            "default": OFFICIAL,
        });
        json!({
            "description": "A Telegram bot that customers write to",
            "type": "object",
            "properties": { "token": SecretSource::schema("What @BotFather gave you"), "api_url": api_url },
            "required": ["token"],
            "additionalProperties": false,
        })
    }

    /// Finds all mistakes at once; reads the token from where it is kept.
    pub fn validate(self) -> Result<Config, Vec<ConfigProblem>> {
        let token = token(self.token).map_err(|text| ConfigProblem::new("token", text));
        let api_url = api_url(self.api_url.as_deref().unwrap_or(OFFICIAL));
        let api_url = api_url.map_err(|text| ConfigProblem::new("api_url", text));
        match (token, api_url) {
            (Ok(token), Ok(api_url)) => Ok(Config { token, api_url }),
            (token, api_url) => Err(token.err().into_iter().chain(api_url.err()).collect()),
        }
    }
}

fn token(source: Option<SecretSource>) -> Result<Secret, String> {
    let Some(source) = source else {
        return Err("the bot's token is missing: write token = { env = \"TELEGRAM_TOKEN\" } and put there what \
                    @BotFather gave you"
            .into());
    };
    let token = source.read()?;
    if !is_token(token.expose()) {
        return Err("this is not a bot's token: @BotFather gives one that looks like 123456789:AAF7-g0gYn..., \
                    a number, a colon and about 35 letters and digits"
            .into());
    }
    Ok(token)
}

fn is_token(text: &str) -> bool {
    let secret_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.split_once(':')
        .is_some_and(|(id, secret)| id.parse::<u64>().is_ok() && secret.len() >= 20 && secret.chars().all(secret_char))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TOKEN: &str = "123456789:AAEstandInStandInStandInStandInStand";

    fn raw(token: Option<&str>, api_url: Option<&str>) -> RawConfig {
        RawConfig { token: token.map(|token| SecretSource::Text(token.into())), api_url: api_url.map(str::to_owned) }
    }

    fn problems(raw: RawConfig) -> Vec<String> {
        raw.validate().unwrap_err().into_iter().map(|problem| format!("{}: {}", problem.key, problem.text)).collect()
    }

    #[test]
    fn the_official_server_is_the_default() {
        let config = raw(Some(TOKEN), None).validate().unwrap();
        assert_eq!(config.api_url.as_str(), "https://api.telegram.org/");
    }

    #[test]
    fn a_trailing_slash_does_no_harm() {
        let config = raw(Some(TOKEN), Some("http://localhost:8081/bots/")).validate().unwrap();
        assert_eq!(config.api_url.as_str(), "http://localhost:8081/bots");
    }

    #[test]
    fn all_mistakes_are_found_at_once_and_show_no_secret() {
        let found = problems(raw(Some("sekret"), Some("ftp://x")));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("token: this is not a bot's token"), "{found:?}");
        assert!(found[1].starts_with("api_url: expected an address"), "{found:?}");
        assert!(!found.concat().contains("sekret"));
    }

    #[test]
    fn a_missing_token_says_what_to_write() {
        assert!(problems(raw(None, None))[0].contains("@BotFather"));
    }

    #[test]
    fn a_token_has_a_number_a_colon_and_a_long_secret() {
        for wrong in [
            "",
            "12",
            ":AAEstandInStandInStandIn",
            "x:AAEstandInStandInStandIn",
            "12:short",
            "12:has space has space has",
        ] {
            assert!(!is_token(wrong), "{wrong}");
        }
    }
}
