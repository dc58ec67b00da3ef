//! The messages that a platform approved beforehand, as far as choosing one and filling its gaps go.

use std::collections::BTreeMap;

use frontdesk_core::{Argument, Template};
use jiff::Timestamp;

use crate::{
    desk,
    notices::{Lang, fitting},
};

/// What a channel has, as it was last read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Templates {
    pub all: Vec<Template>,
    /// Why they could not be read the last time; `all` is then what was read before.
    pub problem: Option<String>,
    /// When it was last tried to read them.
    pub tried_at: Option<Timestamp>,
}

/// A longer list is cut.
const LISTED: usize = 20;
/// Names that are offered for one that is not there.
const OFFERED: usize = 5;

impl Templates {
    /// Each name once, with what the customer would read.
    pub(super) fn list(&self, wishes: &[Lang]) -> String {
        let mut names: BTreeMap<&str, Vec<&Template>> = BTreeMap::new();
        for template in &self.all {
            names.entry(&template.name).or_default().push(template);
        }
        let mut lines = vec!["Approved messages; !template NAME sends one:".to_owned()];
        for versions in names.values().take(LISTED) {
            lines.extend(best(versions, wishes).or(versions.first().copied()).map(|it| entry(it, versions)));
        }
        let more = names.len().saturating_sub(LISTED);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        if names.is_empty() {
            lines = vec!["There are no approved messages for this customer's messenger.".to_owned()];
        }
        lines.extend(self.problem.as_ref().map(|problem| format!("The list could not be read again: {problem}")));
        lines.join("\n")
    }

    /// The version of a template for the customer. `name` may say the language: `cake_ready:de`. An error is a sentence
    /// for the operator.
    pub(super) fn choose(&self, name: &str, wishes: &[Lang]) -> Result<&Template, String> {
        let (name, written) = match name.split_once(':') {
            Some((name, language)) => (name, Some(language)),
            None => (name, None),
        };
        let versions: Vec<&Template> = self.all.iter().filter(|template| template.name == name).collect();
        if versions.is_empty() {
            return Err(self.unknown(name));
        }
        let chosen = match written {
            Some(written) => in_language(&versions, written),
            None => best(&versions, wishes),
        };
        let Some(template) = chosen else {
            let there: Vec<&str> = versions.iter().map(|template| template.language.as_str()).collect();
            let wanted = written.map_or_else(|| "the customer's language".to_owned(), desk::one_line);
            return Err(format!(
                "`{name}` is not there in {wanted}, only in {}. Say which: !template {name}:{}",
                there.join(", "),
                there[0]
            ));
        };
        match &template.problem {
            Some(problem) => Err(format!("`{name}` ({}) cannot be sent from here: {problem}", template.language)),
            None => Ok(template),
        }
    }

    fn unknown(&self, name: &str) -> String {
        let name = desk::one_line(name);
        let mut names: Vec<&str> = self.all.iter().map(|template| template.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.sort_by_key(|known| (!known.contains(&*name), strsim::damerau_levenshtein(known, &name)));
        names.truncate(OFFERED);
        let there = match names.as_slice() {
            [] => "there are none at all".to_owned(),
            names => format!("nearest: {}", names.join(", ")),
        };
        let problem = self.problem.as_ref().map(|it| format!(" The list could not be read again: {it}"));
        format!("There is no approved message `{name}`; {there}. !template lists them.{}", problem.unwrap_or_default())
    }
}

fn entry(template: &Template, versions: &[&Template]) -> String {
    let gaps = template.parameters.iter().map(|it| format!(" {it}")).collect::<String>();
    let languages: Vec<&str> = versions.iter().map(|it| it.language.as_str()).collect();
    let problem = template.problem.as_ref().map(|it| format!(" (cannot be sent from here: {it})")).unwrap_or_default();
    let body = desk::excerpt(&template.body);
    format!("{}{gaps} ({}): {body}{problem}", template.name, languages.join(", "))
}

/// In the language of the first wish that there is, else the only one.
fn best<'a>(versions: &[&'a Template], wishes: &[Lang]) -> Option<&'a Template> {
    let by_language: Vec<(Lang, &Template)> =
        versions.iter().filter_map(|it| Some((it.language.parse().ok()?, *it))).collect();
    let languages: Vec<Lang> = by_language.iter().map(|(lang, _)| lang.clone()).collect();
    let fits = wishes.iter().find_map(|wish| fitting(&languages, wish));
    let chosen = fits.and_then(|fits| by_language.iter().find(|(lang, _)| lang == fits).map(|(_, it)| *it));
    chosen.or(match versions {
        [only] => Some(*only),
        _ => None,
    })
}

fn in_language<'a>(versions: &[&'a Template], written: &str) -> Option<&'a Template> {
    let same = |it: &&&Template| it.language.replace('_', "-").eq_ignore_ascii_case(&written.replace('_', "-"));
    versions.iter().find(same).copied().or_else(|| {
        let wish = written.parse().ok()?;
        best(versions, &[wish]).filter(|it| it.language.get(..2) == written.get(..2))
    })
}

/// The parameters filled, and what the customer then reads. An error is a sentence for the operator.
pub(super) fn fill(template: &Template, words: Vec<String>) -> Result<(Vec<Argument>, String), String> {
    let (wanted, given) = (template.parameters.len(), words.len());
    if wanted != given {
        let wants = match wanted {
            0 => "has no gaps to fill".to_owned(),
            1 => "has one gap to fill".to_owned(),
            wanted => format!("has {wanted} gaps to fill"),
        };
        let quotes =
            if given > wanted && wanted > 0 { " Words that belong together are written in \"quotes\"." } else { "" };
        return Err(format!(
            "Not sent: `{}` {wants}, and you wrote {given}.{quotes} It reads: {}",
            template.name,
            desk::excerpt(&template.body)
        ));
    }
    if words.iter().any(|word| word.trim().is_empty()) {
        return Err(format!("Not sent: nothing in `{}` may stay empty.", template.name));
    }
    let read = rendered(template, &words);
    let named = |name: &String| name.parse::<usize>().is_err().then(|| name.clone());
    let arguments = template.parameters.iter().zip(words);
    Ok((arguments.map(|(name, text)| Argument { name: named(name), text }).collect(), read))
}

/// In one pass: what is filled in is never taken for a gap.
fn rendered(template: &Template, words: &[String]) -> String {
    let mut text = String::new();
    let mut rest = template.body.as_str();
    while let Some((before, inner)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((name, after)) = inner.split_once("}}") else {
            text.push_str("{{");
            rest = inner;
            continue;
        };
        let index = template.parameters.iter().position(|parameter| parameter == name.trim());
        match index.and_then(|index| words.get(index)) {
            Some(word) => text.push_str(word),
            None => text.push_str(&format!("{{{{{name}}}}}")),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn template(name: &str, language: &str, body: &str, parameters: &[&str]) -> Template {
        Template {
            name: name.to_owned(),
            language: language.to_owned(),
            body: body.to_owned(),
            parameters: parameters.iter().map(|it| (*it).to_owned()).collect(),
            problem: None,
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|it| (*it).to_owned()).collect()
    }

    #[test]
    fn what_is_filled_in_is_never_taken_for_a_gap() {
        let cake = template("cake", "en", "Dear {{1}}, your {{ 2 }} is ready. {{1}}!", &["1", "2"]);
        let (arguments, read) = fill(&cake, words(&["{{2}}", "cake"])).unwrap();
        assert_eq!(read, "Dear {{2}}, your cake is ready. {{2}}!");
        assert_eq!(arguments[0], Argument { name: None, text: "{{2}}".to_owned() });
        let named = template("cake", "en", "Dear {{who}}, {{ {{who}}", &["who"]);
        let (arguments, _) = fill(&named, words(&["Anna"])).unwrap();
        assert_eq!(arguments[0].name.as_deref(), Some("who"));
    }

    #[test]
    fn a_gap_too_few_or_too_many_is_told() {
        let cake = template("cake", "en", "Dear {{1}}", &["1"]);
        assert!(fill(&cake, words(&[])).unwrap_err().contains("has one gap to fill, and you wrote 0"));
        assert!(fill(&cake, words(&["Anna", "Berger"])).unwrap_err().contains("\"quotes\""));
        assert!(fill(&cake, words(&[" "])).unwrap_err().contains("stay empty"));
    }

    #[test]
    fn the_customers_language_counts_then_the_default_then_the_only_one() {
        let all = vec![
            template("cake", "de", "Torte", &[]),
            template("cake", "en_US", "Cake", &[]),
            template("pie", "fr", "Tarte", &[]),
            template("roll", "fr", "Petit pain", &[]),
            template("roll", "nl", "Broodje", &[]),
        ];
        let templates = Templates { all, ..Templates::default() };
        let wishes: Vec<Lang> = ["de-AT", "en"].map(|it| it.parse().unwrap()).into();
        let of = |name: &str, wishes: &[Lang]| templates.choose(name, wishes).map(|it| it.body.clone());
        assert_eq!(of("cake", &wishes), Ok("Torte".to_owned()));
        assert_eq!(of("cake", &wishes[1..]), Ok("Cake".to_owned()));
        assert_eq!(of("pie", &wishes), Ok("Tarte".to_owned()));
        assert_eq!(of("cake:en", &wishes), Ok("Cake".to_owned()));
        assert_eq!(of("roll:nl", &wishes), Ok("Broodje".to_owned()));
        assert!(of("roll", &wishes).unwrap_err().contains("only in fr, nl. Say which: !template roll:fr"));
        assert!(of("cake:fr", &wishes).is_err());
        assert!(of("cak", &wishes).unwrap_err().contains("no approved message `cak`; nearest: cake,"));
    }
}
