//! `[http]`, `[store]`, and the names of the tables.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    Http, defaults,
    explain::{not_built_yet, unknown},
    reader::Reader,
};

const TABLES: [&str; 11] = [
    "business",
    "hours",
    "replies",
    "conversations",
    "retention",
    "telegram",
    "whatsapp",
    "matrix",
    "desks",
    "http",
    "store",
];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHttp {
    listen: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStore {
    url: Option<String>,
}

pub(super) fn unknown_tables(reader: &mut Reader<'_>) {
    for (name, _) in reader.entries(&[]) {
        if !TABLES.contains(&name.as_str()) {
            let text = not_built_yet(&[&name]).unwrap_or_else(|| unknown(&name, &TABLES));
            reader.problem(&[&name], text);
        }
    }
}

pub(super) fn http(reader: &mut Reader<'_>) -> Option<Http> {
    let raw: RawHttp = reader.table(&["http"]).unwrap_or_default();
    let listen = raw.listen.as_deref().unwrap_or(defaults::LISTEN);
    match listen.trim().parse() {
        Ok(listen) => Some(Http { listen }),
        Err(_) => {
            let port = listen.rsplit(':').next().and_then(|port| port.trim().parse::<u16>().ok()).unwrap_or(8080);
            reader.problem(
                &["http", "listen"],
                format!("expected an address and a port; write \"127.0.0.1:{port}\" (this machine only) or \"0.0.0.0:{port}\" (every network)"),
            );
            None
        }
    }
}

pub(super) fn store(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let raw: RawStore = reader.table(&["store"]).unwrap_or_default();
    let url = raw.url.as_deref().unwrap_or(defaults::STORE);
    let problem = match url.split_once(':') {
        Some(("sled", folder)) if !folder.trim().is_empty() => return Some(PathBuf::from(folder.trim())),
        Some(("postgres" | "postgresql", _)) => "PostgreSQL is not built yet; write \"sled:data\"",
        Some(_) | None => "expected \"sled:\" and a folder; write \"sled:data\"",
    };
    reader.problem(&["store", "url"], problem);
    None
}
