#![allow(clippy::unwrap_used, clippy::expect_used)]

mod detection;
mod hostile;
mod people;
mod situations;
mod texts;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::{Facts, Kind, Lang, OwnerTexts, Wording};
use crate::hours::{Hours, Span, timezone};

fn lang(tag: &str) -> Lang {
    tag.parse().unwrap()
}

fn langs(tags: &[&str]) -> Vec<Lang> {
    tags.iter().map(|tag| lang(tag)).collect()
}

fn span(written: &str) -> Span {
    written.parse().unwrap()
}

/// Monday with a break, closed at the weekend.
fn bakery() -> Hours {
    let mut week: [Vec<Span>; 7] = Default::default();
    week[0] = vec![span("09:00-12:30"), span("13:30-18:00")];
    week[1..5].fill(vec![span("09:00-18:00")]);
    let holidays = crate::hours::Exception {
        from: "2026-12-23".parse().unwrap(),
        to: "2027-01-03".parse().unwrap(),
        open: vec![],
        name: None,
    };
    Hours::new(timezone("Europe/Berlin").unwrap(), week, vec![holidays]).unwrap()
}

fn at(hours: &Hours, local: &str) -> Timestamp {
    let local: DateTime = local.parse().unwrap();
    hours.timezone().to_timestamp(local).unwrap()
}

fn built_in() -> Wording {
    Wording::new(&BTreeMap::new(), &langs(&["en", "de"])).unwrap()
}

fn owner(tag: &str, texts: OwnerTexts) -> BTreeMap<Lang, OwnerTexts> {
    BTreeMap::from([(lang(tag), texts)])
}

fn first_contact(text: &str) -> OwnerTexts {
    OwnerTexts { first_contact: Some(text.to_owned()), ..OwnerTexts::default() }
}

/// What the text reads at a local time, in each of the languages, one a line.
fn written(wording: &Wording, kind: Kind, hours: &Hours, local: &str, name: Option<&str>) -> String {
    let facts = Facts::at(at(hours, local), hours, &[], "Blue Door Bakery", name);
    let texts: Vec<String> = ["en", "de"].iter().map(|tag| wording.render(kind, &lang(tag), &facts)).collect();
    texts.join("\n")
}
