//! The JSON Schema of the config, as an independent validator reads it.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::python;

const EXAMPLE: &str = include_str!("../../config/frontdesk.toml");

const VALIDATE: &str = "
import json, sys
from jsonschema import Draft7Validator
asked = json.load(sys.stdin)
Draft7Validator.check_schema(asked['schema'])
validator = Draft7Validator(asked['schema'])
print(json.dumps([[error.message for error in validator.iter_errors(file)] for file in asked['files']]))
";

/// What is wrong with each of these files.
fn problems(files: &[String]) -> Vec<Vec<String>> {
    let printed = Command::new(env!("CARGO_BIN_EXE_frontdesk")).arg("schema").output().unwrap();
    assert!(printed.status.success(), "it needs no config");
    let schema: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let files: Vec<Value> = files.iter().map(|file| as_json(toml::Value::Table(file.parse().unwrap()))).collect();
    let found = python::run(VALIDATE, &json!({ "schema": schema, "files": files }).to_string());
    serde_json::from_value(found).unwrap()
}

/// As editors see a file: dates are texts.
fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(yes) => json!(yes),
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(list) => list.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, as_json(value))).collect(),
    }
}

/// A line that shows a setting behind a number sign.
fn shown(line: &str) -> Option<&str> {
    line.strip_prefix("# ").filter(|setting| setting.split(' ').nth(1) == Some("="))
}

#[test]
fn the_example_fits_with_each_line_that_it_shows_and_with_all_of_them() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let with = |on: &dyn Fn(usize) -> bool| -> String {
        let line = |(index, line): (usize, &&str)| format!("{}\n", shown(line).filter(|_| on(index)).unwrap_or(line));
        lines.iter().enumerate().map(line).collect()
    };
    let settings: Vec<usize> = (0..lines.len()).filter(|index| shown(lines[*index]).is_some()).collect();
    assert!(settings.len() >= 12, "the example shows {} settings", settings.len());
    let mut files = vec![EXAMPLE.to_owned(), with(&|_| true)];
    files.extend(settings.iter().map(|setting| with(&|index| index == *setting)));
    files.push(EXAMPLE.replace("tuesday-friday", "\"tuesday - friday\"").replace("\"2026-12-24\"", "2026-12-24"));
    for (file, problems) in files.iter().zip(problems(&files)) {
        assert!(problems.is_empty(), "{problems:?}\n{file}");
    }
}

#[test]
fn what_an_editor_can_see_is_wrong_is_wrong_for_the_program_too() {
    let changes = [
        ("name = \"Blue Door Bakery\"", "nam = \"Blue Door Bakery\""),
        ("name = \"Blue Door Bakery\"", "name = 5"),
        ("timezone = \"Europe/Berlin\"", "timezone = \"in Berlin\""),
        ("languages = [\"en\", \"de\"]", "languages = \"en\""),
        ("languages = [\"en\", \"de\"]", "languages = []"),
        ("languages = [\"en\", \"de\"]", "languages = [\"English please\"]"),
        ("monday = [\"09:00-12:30\", \"13:30-18:00\"]", "mondy = [\"09:00-12:30\"]"),
        ("saturday = [\"09:00-13:00\"]", "saturday = \"09:00-13:00\""),
        ("saturday = [\"09:00-13:00\"]", "saturday = [\"9-13\"]"),
        ("saturday = [\"09:00-13:00\"]", "saturday = [\"09:00-25:00\"]"),
        ("from = \"2026-12-24\"", "from = \"24.12.2026\""),
        ("open = []", "opne = []"),
        ("# ack_delay_secs = 10", "ack_delay_secs = 46 #"),
        ("# ack_delay_secs = 10", "ack_delay_secs = \"10\" #"),
        ("# after_hours = true", "after_hours = 1 #"),
        ("first_contact = ", "first_contct = "),
        ("[conversations]", "[conversation]"),
        ("# close_idle_days = 3", "close_idle_days = 0 #"),
        ("[telegram.shop]", "[telegram.Shop]"),
        ("[telegram.shop]", "[telegram]"),
        ("[whatsapp.shop]", "[whatsapp]"),
        ("phone_number_id = \"106540352242922\"", "phone_number_id = \"+49 30 123456\""),
        ("phone_number_id = \"106540352242922\"", "phone_number_id = 106540352242922"),
        ("app_secret = { env", "secret = { env"),
        ("{ env = \"TELEGRAM_TOKEN\" }", "{ environment = \"TELEGRAM_TOKEN\" }"),
        ("{ env = \"TELEGRAM_TOKEN\" }", "{ env = \"TELEGRAM_TOKEN\", file = \"token\" }"),
        ("homeserver = \"https://matrix.example.org\"", "homeserver = \"matrix.example.org\""),
        ("user = \"@frontdesk:example.org\"", "user = \"frontdesk\""),
        ("password = { env", "token = \"a\"\npassword = { env"),
        ("password = { env", "# password = { env"),
        ("room = \"#frontdesk:example.org\"", "room = \"frontdesk\""),
        ("operators = [\"@ann:example.org\"]", "operators = [\"ann\"]"),
        ("channel = \"matrix.desk\"", ""),
        ("# listen = \"127.0.0.1:8080\"", "listen = 8080 #"),
        ("# url = \"sled:data\"", "url = \"postgres://db\" #"),
    ];
    let changed = |(from, to): (&str, &str)| {
        assert!(EXAMPLE.contains(from), "the example has no `{from}`");
        EXAMPLE.replacen(from, to, 1)
    };
    let files: Vec<String> = changes.into_iter().map(changed).collect();
    for ((change, file), problems) in changes.iter().zip(&files).zip(problems(&files)) {
        assert!(!problems.is_empty(), "the schema takes {change:?}");
        assert!(is_refused(file), "the program takes {change:?}, the schema does not: {problems:?}");
    }
}

fn is_refused(config: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("frontdesk.toml"), config).unwrap();
    let checked = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
        .arg("check")
        .current_dir(folder.path())
        .env_remove("FRONTDESK_CONFIG")
        .env("TELEGRAM_TOKEN", "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc")
        .env("WHATSAPP_TOKEN", "EAAstandInStandInStandInStandIn")
        .env("WHATSAPP_APP_SECRET", "0123456789abcdef0123456789abcdef")
        .env("WHATSAPP_VERIFY_TOKEN", "open sesame")
        .env("MATRIX_PASSWORD", "hunter2")
        .output()
        .unwrap();
    checked.status.code() == Some(1)
}
