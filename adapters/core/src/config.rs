use std::{fs, path::PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Secret;

/// A mistake in one table of the config. The program finds the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The key inside the table, dotted where it is nested; empty for the table itself.
    pub key: String,
    /// A sentence that says what was expected and what to write.
    pub text: String,
}

impl ConfigProblem {
    #[must_use]
    pub fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self { key: key.into(), text: text.into() }
    }
}

/// Where the owner keeps a secret: in the environment, in a file, or in the config itself.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "a text, { env = \"NAME\" } or { file = \"/path\" }")]
pub enum SecretSource {
    Text(String),
    Place(SecretPlace),
}

/// An enum and not a struct: serde would take a list for a struct, and its first item for a name that can be shown.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretPlace {
    Env(String),
    File(PathBuf),
}

impl SecretSource {
    /// Its JSON Schema, for editors.
    #[must_use]
    pub fn schema(description: &str) -> Value {
        let place = |key: &str, value: Value| json!({ "type": "object", "properties": { key: value }, "required": [key], "additionalProperties": false });
        let variable = json!({
            "description": "The name of an environment variable",
            "type": "string",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
        });
        let file = json!({ "description": "The path of a file that holds it", "type": "string", "minLength": 1 });
        let text = json!({ "description": "The secret itself", "type": "string", "minLength": 1 });
        json!({ "description": description, "oneOf": [text, place("env", variable), place("file", file)] })
    }

    /// Reads the secret; the error says where it was looked for and never holds any of it.
    pub fn read(&self) -> Result<Secret, String> {
        let (text, place) = match self {
            Self::Text(text) => (text.clone(), "the text".to_owned()),
            Self::Place(SecretPlace::Env(env)) => {
                if !is_variable_name(env) {
                    return Err(
                        "expected the name of an environment variable, such as { env = \"TELEGRAM_TOKEN\" }".into()
                    );
                }
                let text = std::env::var(env).map_err(|_| format!("the environment variable {env} is not set"))?;
                (text, format!("the environment variable {env}"))
            }
            Self::Place(SecretPlace::File(file)) => {
                if file.components().count() < 2 && !file.exists() {
                    return Err("expected the path of a file, such as { file = \"/run/secrets/telegram\" }".into());
                }
                let text = fs::read_to_string(file)
                    .map_err(|error| format!("the file {} cannot be read: {error}", file.display()))?;
                (text, format!("the file {}", file.display()))
            }
        };
        match text.trim() {
            "" => Err(format!("{place} is empty")),
            value => Ok(Secret::new(value)),
        }
    }
}

/// What is no name may be the secret itself, put in the wrong place: then no error may repeat it.
fn is_variable_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
