#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use super::{super::Config, LANGUAGE, NAME, schema};

/// The head of each table of the config, and where the schema has its keys.
fn tables() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("", vec![]),
        ("[business]", vec!["properties", "business"]),
        ("[[hours.exceptions]]", vec!["properties", "hours", "properties", "exceptions", "items"]),
        ("[replies]", vec!["properties", "replies"]),
        ("[replies.text.en]", vec!["properties", "replies", "properties", "text", "patternProperties", LANGUAGE]),
        ("[conversations]", vec!["properties", "conversations"]),
        ("[retention]", vec!["properties", "retention"]),
        ("[telegram.shop]", vec!["properties", "telegram", "patternProperties", NAME]),
        ("[whatsapp.shop]", vec!["properties", "whatsapp", "patternProperties", NAME]),
        ("[matrix.desk]", vec!["properties", "matrix", "patternProperties", NAME]),
        ("[desks.main]", vec!["properties", "desks", "patternProperties", NAME]),
        ("[http]", vec!["properties", "http"]),
        ("[store]", vec!["properties", "store"]),
    ]
}

/// What the reader says it takes in this table, when it is given something else.
fn taken(head: &str) -> BTreeSet<String> {
    let problems = Config::parse(&format!("{head}\nzzzzzz = 1\n"), "frontdesk.toml").err().unwrap();
    let unknown = problems.list().iter().find(|problem| problem.key.ends_with("zzzzzz"));
    let text = &unknown.unwrap_or_else(|| panic!("{head}: {problems}")).text;
    let list = text.strip_prefix("unknown key; expected ").unwrap_or_else(|| panic!("{head}: {text}"));
    list.replace(" or ", ", ").split(", ").map(str::to_owned).collect()
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    let schema = schema();
    for (head, path) in tables() {
        let table = path.iter().fold(&schema, |here, step| &here[step]);
        let known: BTreeSet<String> = table["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(known, taken(head), "{head}");
        assert_eq!(table["additionalProperties"], false, "{head}");
    }
}

#[test]
fn every_table_of_the_schema_is_held_against_the_reader() {
    let heads: Vec<&str> = tables().into_iter().map(|(head, _)| head).collect();
    for table in taken("") {
        assert!(heads.iter().any(|head| head.trim_start_matches('[').starts_with(&table)), "{table}");
    }
}

#[test]
fn a_number_has_the_bounds_and_the_default_of_the_reader() {
    let delay = &schema()["properties"]["replies"]["properties"]["ack_delay_secs"];
    assert_eq!((&delay["minimum"], &delay["maximum"], &delay["default"]), (&0.into(), &45.into(), &10.into()));
    let again = &schema()["properties"]["replies"]["properties"]["again_after_days"];
    assert_eq!((&again["minimum"], again.get("default")), (&1.into(), None));
}
