//! `!lang`: which language a customer is written in automatically.

use super::Draft;
use crate::{
    desk,
    dispatcher::automatic::{self, Chosen},
    notices::Lang,
    store::Purpose,
};

pub(super) fn lang(draft: &mut Draft<'_>, rest: &str) {
    let languages: Vec<&str> = draft.policy.languages.iter().map(Lang::as_str).collect();
    let forms = format!("Possible: {}; !lang auto chooses by itself.", languages.join(", "));
    let wish: Option<Lang> = match rest {
        "" => {
            let line = format!("{} {forms}", told(draft));
            draft.tell(line, Purpose::Reply, None);
            return;
        }
        "auto" => None,
        written => match written.parse().ok().filter(|lang| draft.policy.languages.contains(lang)) {
            Some(lang) => Some(lang),
            None => {
                let line = format!("Nothing was changed: there is no wording for `{}`. {forms}", desk::excerpt(rest));
                draft.tell(line, Purpose::Reply, None);
                return;
            }
        },
    };
    if let Some(contact) = &mut draft.case.contact {
        contact.language = wish;
    }
    let line = told(draft);
    draft.tell(line, Purpose::Reply, None);
}

/// The language, and why it is this one.
fn told(draft: &Draft<'_>) -> String {
    let (Some(contact), Some(identity)) = (&draft.case.contact, &draft.case.identity) else { return String::new() };
    let (lang, why) = automatic::language(draft, contact, identity);
    let why = match why {
        Chosen::Set => "as set with !lang",
        Chosen::Detected => "as they write",
        Chosen::App => "as their app is set",
        Chosen::First => "the first in the config",
    };
    format!("{} is written to automatically in `{lang}` ({why}).", desk::name(identity))
}
