//! Reads the tables of the file one by one and collects every mistake with its line.

use std::ops::Range;

use frontdesk_core::ConfigProblem;
use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    explain::{Explained, explain, not_built_yet, syntax},
    problem::{Problem, Problems},
};

/// A value of the file, with its place.
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// The parsed file and what was found wrong with it so far.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    root: Value<'a>,
    problems: Vec<Problem>,
    /// What was reported and left out, so that it is not reported as missing as well.
    unreadable: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Refuses a file that is not TOML: what stands below a slip of the pen would only be guessed at.
    pub fn new(file: &'a str, text: &'a str) -> Result<Self, Problems> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let root = Spanned::new(root.span(), DeValue::Table(root.into_inner()));
        let mut reader = Self { file, text, root, problems: Vec::new(), unreadable: Vec::new() };
        for error in &errors {
            let offset = error.span().map_or(0, |span| span.start);
            let (line, column) = (line(text, offset), column(text, offset));
            if reader.problems.iter().any(|known| known.line == Some(line)) {
                continue;
            }
            let written = text.lines().nth(line - 1).unwrap_or_default();
            let text = format!("column {column}: {}", syntax(error.message(), written));
            reader.problems.push(Problem { file: file.to_owned(), line: Some(line), key: String::new(), text });
            // Below a bracket that is not closed, everything looks wrong.
            if error.message().contains("array") {
                break;
            }
        }
        if reader.problems.is_empty() { Ok(reader) } else { Err(reader.into_problems()) }
    }

    /// Reports a mistake at `path`, on the line of as much of it as there is.
    pub fn problem(&mut self, path: &[&str], text: impl Into<String>) {
        let (line, key) = self.place(path);
        self.problems.push(Problem { file: self.file.to_owned(), line, key, text: text.into() });
    }

    /// Reports what an adapter found wrong with the table at `path`.
    pub fn problems(&mut self, path: &[&str], found: Vec<ConfigProblem>) {
        for ConfigProblem { key, text } in found {
            let inner = key.split('.').filter(|part| !part.is_empty());
            let path: Vec<&str> = path.iter().copied().chain(inner).collect();
            if !self.is_unreadable(&path) {
                self.problem(&path, text);
            }
        }
    }

    /// Says that a key without a default is not there, unless it is and was reported.
    pub fn missing(&mut self, path: &[&str], cure: &str) {
        if self.value(path).is_none() && !self.is_unreadable(path) {
            self.problem(path, format!("is missing; write {cure}"));
        }
    }

    /// It, or what it is in, was reported and left out.
    pub fn is_unreadable(&self, path: &[&str]) -> bool {
        (0..=path.len()).any(|length| self.unreadable.contains(&path[..length].join(".")))
    }

    pub fn any(&self) -> bool {
        !self.problems.is_empty()
    }

    pub fn into_problems(mut self) -> Problems {
        self.problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
        Problems(self.problems)
    }

    pub fn value(&self, path: &[&str]) -> Option<Value<'a>> {
        find(&self.root, path).cloned()
    }

    /// Where in the file the key at `path` is.
    pub fn position(&self, path: &[&str]) -> usize {
        let (last, tables) = path.split_last().unwrap_or((&"", &[]));
        find(&self.root, tables).and_then(|table| step(table, last)).map_or(0, |(start, _)| start)
    }

    /// The named values of the table at `path`, in the order of the file.
    pub fn entries(&mut self, path: &[&str]) -> Vec<(String, Value<'a>)> {
        let Some(DeValue::Table(table)) = self.table_value(path).map(Value::into_inner) else { return Vec::new() };
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries.into_iter().map(|(key, value)| (key.into_inner().into_owned(), value)).collect()
    }

    /// The table at `path` as a `T`. What cannot be read is reported and left out, until the rest can be. `None` where
    /// there is no table.
    pub fn table<T: DeserializeOwned>(&mut self, path: &[&str]) -> Option<T> {
        let value = self.table_value(path)?;
        self.read(path, value, &[])
    }

    /// [`Self::table`] for a value of which a part was taken out; `others` are the keys of that part.
    pub fn read<T: DeserializeOwned>(&mut self, path: &[&str], mut value: Value<'a>, others: &[&str]) -> Option<T> {
        loop {
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let wrong = error.span().and_then(|span| locate(&value, &span)).unwrap_or_default();
            let inner: Vec<&str> = wrong.iter().map(String::as_str).collect();
            let found = find(&value, &inner).map_or("nothing", |found| found.get_ref().type_str());
            let full: Vec<&str> = path.iter().chain(&inner).copied().collect();
            let Explained { text, meant } = explain(error.message(), found, others);
            self.problem(&full, not_built_yet(&full).unwrap_or(text));
            self.unreadable.push(full.join("."));
            if let (Some(meant), Some((_, table))) = (meant, full.split_last()) {
                self.unreadable.push([table, &[meant.as_str()]].concat().join("."));
            }
            if inner.is_empty() || !remove(&mut value, &inner) {
                return None;
            }
        }
    }

    fn table_value(&mut self, path: &[&str]) -> Option<Value<'a>> {
        let value = self.value(path)?;
        if value.get_ref().is_table() {
            return Some(value);
        }
        if !self.is_unreadable(path) {
            self.problem(path, format!("expected a table; begin it with a line [{}]", path.join(".")));
            self.unreadable.push(path.join("."));
        }
        None
    }

    /// The line of as much of `path` as there is, and its name without the places in lists.
    fn place(&self, path: &[&str]) -> (Option<usize>, String) {
        let (mut found, mut here) = (None, Some(&self.root));
        let mut names = Vec::new();
        for part in path {
            if !here.is_some_and(|value| value.get_ref().is_array()) {
                names.push(*part);
            }
            let next = here.and_then(|value| step(value, part));
            found = next.map(|(start, _)| start).or(found);
            here = next.map(|(_, value)| value);
        }
        (found.map(|offset| line(self.text, offset)), names.join("."))
    }
}

/// Takes `key` out of a table.
pub(super) fn take<'a>(value: &mut Value<'a>, key: &str) -> Option<Value<'a>> {
    match value.get_mut() {
        DeValue::Table(table) => table.remove(key),
        _ => None,
    }
}

fn find<'v, 'a>(value: &'v Value<'a>, path: &[&str]) -> Option<&'v Value<'a>> {
    path.iter().try_fold(value, |here, part| step(here, part).map(|(_, next)| next))
}

/// What is called `part` here: where it begins, and its value. In a list, `part` is a number.
fn step<'v, 'a>(value: &'v Value<'a>, part: &str) -> Option<(usize, &'v Value<'a>)> {
    match value.get_ref() {
        DeValue::Table(table) => table.get_key_value(part).map(|(key, value)| (key.span().start, value)),
        DeValue::Array(list) => {
            part.parse::<usize>().ok().and_then(|index| list.get(index)).map(|value| (value.span().start, value))
        }
        _ => None,
    }
}

/// The path to the key whose name or value is at `span`; for what is inside a list, to the list.
fn locate(value: &Value<'_>, span: &Range<usize>) -> Option<Vec<String>> {
    match value.get_ref() {
        DeValue::Table(table) => table.iter().find_map(|(key, value)| {
            let name = || key.get_ref().clone().into_owned();
            if key.span() == *span || value.span() == *span {
                return Some(vec![name()]);
            }
            let mut path = locate(value, span)?;
            path.insert(0, name());
            Some(path)
        }),
        DeValue::Array(list) => list.iter().find_map(|item| {
            if item.span() == *span { Some(Vec::new()) } else { locate(item, span).map(|_| Vec::new()) }
        }),
        _ => None,
    }
}

fn remove(value: &mut Value<'_>, path: &[&str]) -> bool {
    match path {
        [] => false,
        [key] => take(value, key).is_some(),
        [key, rest @ ..] => match value.get_mut() {
            DeValue::Table(table) => table.get_mut(*key).is_some_and(|inner| remove(inner, rest)),
            _ => false,
        },
    }
}

fn line(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

fn column(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    1 + before.rsplit('\n').next().unwrap_or_default().chars().count()
}
