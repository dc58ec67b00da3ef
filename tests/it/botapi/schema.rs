//! The official schema of the Bot API: whether what the stand-in says and what the product asks exists there, is
//! complete, and has the right types.

mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

/// Methods and types by name.
#[derive(Deserialize)]
pub struct Schema {
    methods: BTreeMap<String, Method>,
    types: BTreeMap<String, Type>,
}

#[derive(Deserialize)]
struct Method {
    #[serde(default)]
    fields: Vec<Field>,
    returns: Vec<String>,
}

/// Has either fields or subtypes, or neither.
#[derive(Deserialize)]
struct Type {
    #[serde(default)]
    fields: Vec<Field>,
    #[serde(default)]
    subtypes: Vec<String>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    types: Vec<String>,
    required: bool,
    description: String,
}

/// What does not fit, and where.
type Checked = Result<(), String>;

impl Schema {
    /// `tg-bot-api.json` in the folder that `$FRONTDESK_SPECS` names. Without the variable there is nothing to check
    /// against, which is said.
    pub fn load() -> Option<&'static Self> {
        static SCHEMA: OnceLock<Option<Schema>> = OnceLock::new();
        SCHEMA.get_or_init(Self::read).as_ref()
    }

    fn read() -> Option<Self> {
        let Some(folder) = std::env::var_os("FRONTDESK_SPECS") else {
            eprintln!(
                "SKIPPED: not checked against the official schema of the Bot API; set FRONTDESK_SPECS to its folder"
            );
            return None;
        };
        let path = PathBuf::from(folder).join("tg-bot-api.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// An update is of exactly one kind.
    pub fn update(&self, update: &Value) -> Checked {
        let kinds: Vec<_> =
            update.as_object().into_iter().flat_map(|it| it.keys()).filter(|key| *key != "update_id").collect();
        if kinds.len() != 1 {
            return Err(format!("Update: is of {} kinds: {kinds:?}", kinds.len()));
        }
        self.value("Update", update, "Update")
    }

    /// A call's parameters; uploads are named by their `attach://`.
    pub fn call(&self, method: &str, params: &Value) -> Checked {
        self.object(&self.method(method)?.fields, params, method)
    }

    /// The `result` of a call that succeeded.
    pub fn answer(&self, method: &str, result: &Value) -> Checked {
        self.any_of(&self.method(method)?.returns, result, &format!("{method}()"))
    }

    /// The `parameters` of a refusal.
    pub fn refusal(&self, parameters: &Value) -> Checked {
        self.value("ResponseParameters", parameters, "ResponseParameters")
    }

    pub fn has_method(&self, method: &str) -> bool {
        self.methods.contains_key(method)
    }

    fn method(&self, name: &str) -> Result<&Method, String> {
        self.methods.get(name).ok_or_else(|| format!("{name}: there is no such method"))
    }

    fn value(&self, kind: &str, value: &Value, at: &str) -> Checked {
        if let Some(kind) = kind.strip_prefix("Array of ") {
            let items = value.as_array().ok_or_else(|| format!("{at}: is no list"))?;
            return items.iter().enumerate().try_for_each(|(n, item)| self.value(kind, item, &format!("{at}[{n}]")));
        }
        let fits = match kind {
            "Integer" => value.is_i64(),
            "Float" => value.is_number(),
            "String" | "InputFile" => value.is_string(),
            "Boolean" => value.is_boolean(),
            named => return self.named(named, value, at),
        };
        if fits { Ok(()) } else { Err(format!("{at}: {value} is no {kind}")) }
    }

    fn named(&self, name: &str, value: &Value, at: &str) -> Checked {
        let kind = self.types.get(name).ok_or_else(|| format!("{at}: the schema has no type {name}"))?;
        if !kind.subtypes.is_empty() {
            return self.any_of(&kind.subtypes, value, at);
        }
        self.object(&kind.fields, value, at)
    }

    /// A list of one kind or a list of another may also be mixed: an album of pictures and films.
    fn any_of(&self, kinds: &[String], value: &Value, at: &str) -> Checked {
        let items: Option<Vec<_>> =
            kinds.iter().map(|kind| kind.strip_prefix("Array of ").map(str::to_owned)).collect();
        if let (Some(items), Some(values)) = (items.filter(|items| items.len() > 1), value.as_array()) {
            let mut values = values.iter().enumerate();
            return values.try_for_each(|(n, value)| self.any_of(&items, value, &format!("{at}[{n}]")));
        }
        let mut problems = Vec::new();
        for kind in kinds {
            match self.value(kind, value, at) {
                Ok(()) => return Ok(()),
                Err(problem) => problems.push(problem),
            }
        }
        Err(problems.join("; or "))
    }

    fn object(&self, fields: &[Field], value: &Value, at: &str) -> Checked {
        let object = value.as_object().ok_or_else(|| format!("{at}: {value} is no object"))?;
        if let Some(missing) = fields.iter().find(|field| field.required && !object.contains_key(&field.name)) {
            return Err(format!("{at}: `{}` is missing", missing.name));
        }
        for (name, value) in object {
            let field = fields.iter().find(|field| field.name == *name);
            let field = field.ok_or_else(|| format!("{at}: `{name}` does not exist"))?;
            let at = format!("{at}.{name}");
            self.any_of(&field.types, value, &at)?;
            if let Some(word) = field.constant().filter(|word| value != word) {
                return Err(format!("{at}: {value} is not {word:?}"));
            }
        }
        Ok(())
    }
}

impl Field {
    /// What tells the types of a union apart: `always "emoji"`, `must be photo`.
    fn constant(&self) -> Option<&str> {
        let always = self.description.split_once("always \"").and_then(|(_, rest)| rest.split('"').next());
        always.or_else(|| self.description.split_once("must be ").map(|(_, word)| word).filter(|_| self.name == "type"))
    }
}
