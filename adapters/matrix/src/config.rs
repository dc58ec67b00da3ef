use frontdesk_core::{ConfigProblem, DeskName, Secret, SecretSource};
use matrix_sdk::{
    reqwest::Url,
    ruma::{OwnedRoomOrAliasId, OwnedUserId, RoomOrAliasId, UserId},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// The table `[matrix.<name>]` as it is written.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    pub homeserver: Option<String>,
    pub user: Option<String>,
    pub password: Option<SecretSource>,
    pub token: Option<SecretSource>,
    pub recovery_key: Option<SecretSource>,
    pub customers: Option<bool>,
}

/// A Matrix account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) homeserver: Url,
    pub(crate) user: OwnedUserId,
    pub(crate) login: Login,
    pub(crate) recovery_key: Option<Secret>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    Password(Secret),
    Token(Secret),
}

/// The table `[desks.<name>]` of a desk on Matrix as it is written, without the keys that every desk has.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDesk {
    pub room: Option<String>,
    pub operators: Option<Vec<String>>,
    pub encrypted: Option<bool>,
    pub layout: Option<String>,
}

/// A room where operators work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskConfig {
    pub(crate) name: DeskName,
    pub(crate) room: OwnedRoomOrAliasId,
    /// Who may answer; `None`: every member of the room.
    pub(crate) operators: Option<Vec<OwnedUserId>>,
    pub(crate) encrypted: bool,
}

/// What a whole user id looks like, for editors.
const USER: &str = "^@[^:]*:.+";

impl RawConfig {
    /// The table's JSON Schema, for editors.
    #[must_use]
    pub fn schema() -> Value {
        let homeserver = json!({
            "description": "The address of the homeserver, as in \"https://matrix.example.org\"",
            "type": "string",
            "pattern": "^https?://[^/?#]+/?$",
        });
        let user = json!({
            "description": "The whole id of the account, as in \"@frontdesk:example.org\"",
            "type": "string",
            "pattern": USER,
        });
        let recovery_key = "The account's recovery key. Default: made at the first login, and kept with the data";
        json!({
            "description": "A Matrix account that frontdesk uses for itself",
            "type": "object",
            "properties": {
                "homeserver": homeserver,
                "user": user,
                "password": SecretSource::schema("The account's password; or `token`"),
                "token": SecretSource::schema("An access token, instead of `password`"),
                "recovery_key": SecretSource::schema(recovery_key),
                "customers": { "description": "Customers on Matrix are not built yet", "const": false },
            },
            "required": ["homeserver", "user"],
            "oneOf": [{ "required": ["password"] }, { "required": ["token"] }],
            "additionalProperties": false,
        })
    }

    /// Checks everything at once, so that all mistakes are told together; reads the secrets.
    pub fn validate(self) -> Result<Config, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        if self.customers == Some(true) {
            problems.push(ConfigProblem::new(
                "customers",
                "customers on Matrix are not built yet; leave this key out, and use the account for a desk",
            ));
        }
        let homeserver = keep(homeserver(self.homeserver.as_deref()), &mut problems);
        let user = keep(user("user", self.user.as_deref()), &mut problems);
        let login = keep(login(self.password.as_ref(), self.token.as_ref()), &mut problems);
        let recovery_key = keep(self.recovery_key.map(|key| secret("recovery_key", &key)).transpose(), &mut problems);
        match (homeserver, user, login, recovery_key) {
            (Some(homeserver), Some(user), Some(login), Some(recovery_key)) if problems.is_empty() => {
                Ok(Config { homeserver, user, login, recovery_key })
            }
            _ => Err(problems),
        }
    }
}

impl RawDesk {
    /// The JSON Schema of its keys, for editors.
    #[must_use]
    pub fn schema() -> Value {
        let room = json!({
            "description": "Its alias, as in \"#frontdesk:example.org\", or its id; made if it does not exist",
            "type": "string",
            "pattern": "^[#!].+",
        });
        let operators = json!({
            "description": "Who may answer, invited to the room. Default: every member of the room",
            "type": "array",
            "items": { "type": "string", "pattern": USER },
            "minItems": 1,
        });
        let encrypted = json!({
            "description": "Whether a room that frontdesk makes is encrypted",
            "type": "boolean",
            "default": true,
        });
        json!({
            "description": "A room where operators answer",
            "type": "object",
            "properties": {
                "room": room,
                "operators": operators,
                "encrypted": encrypted,
                "layout": { "description": "A thread for each conversation", "enum": ["threads"] },
            },
            "required": ["room"],
            "additionalProperties": false,
        })
    }

    pub fn validate(self, name: DeskName) -> Result<DeskConfig, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        match self.layout.as_deref() {
            None | Some("threads") => {}
            Some("rooms") => problems.push(ConfigProblem::new(
                "layout",
                "`rooms` (a room for each customer) is not built yet; write \"threads\" or leave the key out",
            )),
            Some(other) => {
                problems.push(ConfigProblem::new("layout", format!("`{other}` is not a layout; write \"threads\"")));
            }
        }
        let room = keep(room(self.room.as_deref()), &mut problems);
        let operators = match self.operators {
            None => None,
            Some(list) => {
                if list.is_empty() {
                    problems.push(ConfigProblem::new(
                        "operators",
                        "an empty list lets nobody answer; name somebody, or leave the key out: every member may",
                    ));
                }
                let parsed = list.iter().map(|id| user("operators", Some(id)));
                Some(parsed.filter_map(|id| keep(id, &mut problems)).collect())
            }
        };
        match room {
            Some(room) if problems.is_empty() => {
                Ok(DeskConfig { name, room, operators, encrypted: self.encrypted.unwrap_or(true) })
            }
            _ => Err(problems),
        }
    }
}

impl DeskConfig {
    pub(crate) fn may_answer(&self, user: &str) -> bool {
        self.operators.as_ref().is_none_or(|operators| operators.iter().any(|operator| operator == user))
    }
}

fn keep<T>(result: Result<T, ConfigProblem>, problems: &mut Vec<ConfigProblem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

fn homeserver(text: Option<&str>) -> Result<Url, ConfigProblem> {
    let problem = |text: String| ConfigProblem::new("homeserver", text);
    let Some(text) = text else {
        return Err(problem("is missing; write the address, as in \"https://matrix.example.org\"".into()));
    };
    let url = Url::parse(text).map_err(|error| {
        problem(format!("`{text}` is not an address ({error}); write one as in \"https://matrix.example.org\""))
    })?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(_)) if url.path() != "/" || url.query().is_some() || url.fragment().is_some() => {
            Err(problem(format!(
                "`{text}` has something after the host; write only that, as in \"https://matrix.example.org\""
            )))
        }
        ("http" | "https", Some(_)) => Ok(url),
        _ => Err(problem(format!("`{text}` must begin with https:// (or http:// for one on this machine)"))),
    }
}

fn user(key: &str, text: Option<&str>) -> Result<OwnedUserId, ConfigProblem> {
    let Some(text) = text else {
        return Err(ConfigProblem::new(key, "is missing; write the whole id, as in \"@frontdesk:example.org\""));
    };
    UserId::parse(text).map_err(|_| {
        let text = format!("`{text}` is not a Matrix user id; write the whole id, as in \"@frontdesk:example.org\"");
        ConfigProblem::new(key, text)
    })
}

fn room(text: Option<&str>) -> Result<OwnedRoomOrAliasId, ConfigProblem> {
    let Some(text) = text else {
        return Err(ConfigProblem::new("room", "is missing; write an alias, as in \"#frontdesk:example.org\""));
    };
    RoomOrAliasId::parse(text).map_err(|_| {
        let cure = "write an alias, as in \"#frontdesk:example.org\", or an id that begins with `!`";
        ConfigProblem::new("room", format!("`{text}` is not a Matrix room; {cure}"))
    })
}

fn login(password: Option<&SecretSource>, token: Option<&SecretSource>) -> Result<Login, ConfigProblem> {
    match (password, token) {
        (Some(password), None) => secret("password", password).map(Login::Password),
        (None, Some(token)) => secret("token", token).map(Login::Token),
        (None, None) => Err(ConfigProblem::new(
            "password",
            "is missing; write password = { env = \"MATRIX_PASSWORD\" }, or an access token as `token`",
        )),
        (Some(_), Some(_)) => Err(ConfigProblem::new("token", "write either `password` or `token`, not both")),
    }
}

fn secret(key: &str, source: &SecretSource) -> Result<Secret, ConfigProblem> {
    source.read().map_err(|text| ConfigProblem::new(key, text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn keys<T>(result: Result<T, Vec<ConfigProblem>>) -> Vec<String> {
        result.err().unwrap_or_default().into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn all_mistakes_of_an_account_are_told_at_once() {
        let raw: RawConfig =
            serde_json::from_str(r#"{"homeserver": "matrix.example.org", "user": "frontdesk", "customers": true}"#)
                .unwrap();
        assert_eq!(keys(raw.validate()), ["customers", "homeserver", "user", "password"]);
    }

    #[test]
    fn password_and_token_exclude_each_other() {
        let raw: RawConfig = serde_json::from_str(
            r#"{"homeserver": "https://m.example.org", "user": "@f:example.org", "password": "a", "token": "b"}"#,
        )
        .unwrap();
        assert_eq!(keys(raw.validate()), ["token"]);
    }

    #[test]
    fn a_homeserver_is_an_address_without_a_path() {
        let account = |homeserver: &str| {
            let (user, password) = (Some("@f:example.org".into()), Some(serde_json::from_str("\"a\"").unwrap()));
            RawConfig { homeserver: Some(homeserver.into()), user, password, ..RawConfig::default() }.validate()
        };
        for good in ["https://m.example.org", "https://m.example.org/", "http://127.0.0.1:8008"] {
            assert_eq!(keys(account(good)), [""; 0], "{good}");
        }
        for bad in ["https://m.example.org/_matrix", "https://m.example.org?a=b", "ftp://m.example.org"] {
            assert_eq!(keys(account(bad)), ["homeserver"], "{bad}");
        }
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(serde_json::from_str::<RawConfig>(r#"{"homesever": "x"}"#).is_err());
        assert!(serde_json::from_str::<RawDesk>(r#"{"rooms": "x"}"#).is_err());
    }

    #[test]
    fn a_desk_takes_an_alias_or_an_id_and_whole_user_ids() {
        let desk = |text: &str| serde_json::from_str::<RawDesk>(text).unwrap().validate("main".into());
        assert!(desk(r##"{"room": "#frontdesk:example.org", "operators": ["@ann:example.org"]}"##).is_ok());
        assert!(desk(r#"{"room": "!abc:example.org", "layout": "threads"}"#).is_ok());
        assert_eq!(keys(desk(r#"{"room": "frontdesk", "operators": ["ann"]}"#)), ["room", "operators"]);
        assert_eq!(keys(desk(r##"{"room": "#a:b.c", "operators": []}"##)), ["operators"]);
        assert_eq!(keys(desk(r##"{"room": "#a:b.c", "layout": "rooms"}"##)), ["layout"]);
    }

    #[test]
    fn a_password_never_shows_in_a_debug_print() {
        let raw: RawConfig = serde_json::from_str(
            r#"{"homeserver": "https://m.example.org", "user": "@f:example.org", "password": "hunter2"}"#,
        )
        .unwrap();
        assert!(!format!("{:?}", raw.validate().unwrap()).contains("hunter2"));
    }
}
