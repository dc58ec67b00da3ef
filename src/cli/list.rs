//! The owner's list of people: a CSV file, read line by line, so that one bad line costs only itself.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use anyhow::Context;
use frontdesk_core::ChannelId;

use crate::{config::Place, hours::nearest, notices::Lang, store::KnownAs, tools::Acquaintance};

/// No line of a list of people is longer, in bytes.
const LONGEST: u64 = 64 * 1024;
const LONGEST_FIELD: usize = 200;
const NO_USER: &str = "`user` is missing, or is no user id: write the platform's user id, @username, or a phone number \
                       with its +";

/// The lines of a file after the first, which names the columns.
pub(super) struct Lines<'a> {
    input: BufReader<File>,
    place: &'a Place,
    columns: Columns,
    delimiter: u8,
    number: usize,
}

/// What a line says.
pub(super) enum Listed {
    Person(Acquaintance),
    Bad { line: usize, problem: String },
}

struct Columns {
    channel: usize,
    user: usize,
    name: Option<usize>,
    language: Option<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn open(path: &Path, place: &'a Place) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("{shown} cannot be read"))?;
        let mut input = BufReader::new(file);
        let head = read_line(&mut input).with_context(|| format!("{shown} cannot be read"))?;
        let head = head.and_then(Result::ok).unwrap_or_default();
        let head = head.strip_prefix('\u{feff}').unwrap_or(&head);
        // What office programs write where a comma divides euros from cents.
        let delimiter = if head.contains(';') && !head.contains(',') { b';' } else { b',' };
        let columns = columns(&fields(head, delimiter).unwrap_or_default())
            .map_err(|problem| anyhow::anyhow!("{shown}:1: {problem}"))?;
        Ok(Self { input, place, columns, delimiter, number: 1 })
    }

    fn read(&self, line: Result<String, String>) -> Result<Option<Acquaintance>, String> {
        let line = line?;
        if line.trim().is_empty() {
            return Ok(None);
        }
        let fields = fields(&line, self.delimiter)?;
        let field = |index: usize| fields.get(index).map(|field| field.trim()).unwrap_or_default();
        let optional = |index: Option<usize>| index.map(field).filter(|field| !field.is_empty());
        if let Some(long) =
            fields.iter().find(|field| field.len() > LONGEST_FIELD || field.chars().any(char::is_control))
        {
            return Err(format!(
                "a field is too long or not plain text: it begins {:?}",
                long.chars().take(20).collect::<String>()
            ));
        }
        let channel = self.channel(field(self.columns.channel))?;
        let user = field(self.columns.user);
        if user.is_empty() || user.contains(char::is_whitespace) && !user.starts_with('+') {
            return Err(NO_USER.to_owned());
        }
        let language =
            optional(self.columns.language).map(str::parse::<Lang>).transpose().map_err(|error| error.to_string())?;
        let known_as = KnownAs { channel, name: user.to_owned() };
        Ok(Some(Acquaintance { known_as, name: optional(self.columns.name).map(str::to_owned), language }))
    }

    fn channel(&self, written: &str) -> Result<ChannelId, String> {
        let channels = &self.place.channels;
        if let Some(channel) = channels.iter().find(|channel| channel.as_str() == written) {
            return Ok(channel.clone());
        }
        let names: Vec<&str> = channels.iter().map(ChannelId::as_str).collect();
        Err(match nearest(written, names.iter().copied()) {
            Some(meant) => format!("there is no channel \"{written}\"; did you mean \"{meant}\"?"),
            None => format!("customers cannot write to \"{written}\"; the config has {}", names.join(", ")),
        })
    }
}

impl Iterator for Lines<'_> {
    type Item = anyhow::Result<Listed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.number += 1;
            let line = match read_line(&mut self.input) {
                Ok(line) => line?,
                Err(error) => return Some(Err(error).context("the file cannot be read to its end")),
            };
            match self.read(line) {
                Ok(None) => {}
                Ok(Some(person)) => return Some(Ok(Listed::Person(person))),
                Err(problem) => return Some(Ok(Listed::Bad { line: self.number, problem })),
            }
        }
    }
}

/// The next line, or what is wrong with it; `None` at the end.
fn read_line(input: &mut BufReader<File>) -> std::io::Result<Option<Result<String, String>>> {
    let mut bytes = Vec::new();
    if input.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.len() as u64 == LONGEST && !bytes.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        return Ok(Some(Err("this line is far too long; is it a CSV file?".to_owned())));
    }
    let line = String::from_utf8(bytes).map(|line| line.trim_end_matches(['\r', '\n']).to_owned());
    Ok(Some(line.map_err(|_| "this line is not UTF-8; save the file as \"CSV UTF-8\"".to_owned())))
}

fn columns(names: &[String]) -> Result<Columns, String> {
    let names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    let column = |wanted: &str| names.iter().position(|name| name == wanted);
    match (column("channel"), column("user")) {
        (Some(channel), Some(user)) => {
            Ok(Columns { channel, user, name: column("name"), language: column("language") })
        }
        (None, _) | (_, None) => {
            Err("the first line must name the columns: channel,user and, if you like, name,language".to_owned())
        }
    }
}

fn fields(line: &str, delimiter: u8) -> Result<Vec<String>, String> {
    if line.matches('"').count() % 2 == 1 {
        return Err("a quote is not closed; write \"\" for a quote inside quotes".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .buffer_capacity(1024)
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    reader.read_record(&mut record).map_err(|error| error.to_string())?;
    Ok(record.iter().map(str::to_owned).collect())
}
