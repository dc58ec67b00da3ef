//! People whom the business knew before frontdesk did.

use frontdesk_core::{ChannelId, Person};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::notices::Lang;

/// What the owner's list says of a person. It waits, under a name that the person's platform may tell, for their first
/// message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// When it was imported.
    pub at: Timestamp,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub language: Option<Lang>,
}

/// A name by which a person is known on a channel: the platform's user id, `@username`, or a phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAs {
    pub channel: ChannelId,
    /// As [`known_name`] writes it.
    pub name: String,
}

/// A name in the one form under which it is kept: `@username` in lower case, a phone number as `+` and digits, anything
/// else as it stands.
#[must_use]
pub fn known_name(written: &str) -> String {
    let written = written.trim();
    if written.starts_with('@') && !written.contains(':') {
        return written.to_lowercase();
    }
    phone(written).unwrap_or_else(|| written.to_owned())
}

/// Every name under which the owner's list may have a person.
#[must_use]
pub fn known_names(person: &Person) -> Vec<String> {
    let username = person.username.iter().map(|name| format!("@{}", name.trim_start_matches('@')));
    let names = std::iter::once(person.id.as_str().to_owned()).chain(person.aliases.iter().cloned()).chain(username);
    names.map(|name| known_name(&name)).collect()
}

/// `+49 (30) 123-456` as `+4930123456`; only what begins with a plus is taken for a phone number.
fn phone(written: &str) -> Option<String> {
    let rest = written.strip_prefix('+')?;
    let form = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '/' | '(' | ')');
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (rest.chars().all(form) && (7..=15).contains(&digits.len())).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_written() {
        assert_eq!(known_name(" @Anna_B "), "@anna_b");
        assert_eq!(known_name("+49 (30) 123-456"), "+4930123456");
        assert_eq!(known_name("4242"), "4242");
        assert_eq!(known_name("@ben:example.org"), "@ben:example.org");
        assert_eq!(known_name("+49 call me"), "+49 call me");
    }

    #[test]
    fn a_person_is_looked_for_under_every_name() {
        let mut anna = Person::human("4242", "Anna");
        anna.username = Some("Anna_B".to_owned());
        anna.aliases = vec!["+49 30 123456".to_owned()];
        assert_eq!(known_names(&anna), ["4242", "+4930123456", "@anna_b"]);
    }
}
