//! `!hours`: the coming days, and other hours for the moment, for the whole business.

use frontdesk_core::{DeskName, Inbound};

use super::Draft;
use crate::{
    desk,
    hours::Override,
    store::{Purpose, SetHours, Target},
};

const FORMS: &str = "\
Write it like one of these:
!hours closed until 15:00
!hours open until 20:00
!hours closed until tomorrow 09:00
!hours closed until monday
!hours closed until 2026-12-24 10:00
!hours reset";

/// Days that are shown.
const DAYS: u16 = 7;

/// The answer to the operator. The other desks are told of a change.
pub(super) fn hours(draft: &mut Draft<'_>, name: &DeskName, inbound: &Inbound, rest: &str) -> String {
    let words = rest.to_lowercase();
    let words: Vec<&str> = words.split_whitespace().collect();
    match words.as_slice() {
        [] => overview(draft, name),
        ["reset"] => reset(draft, name, inbound),
        ["open", "until", until @ ..] => set(draft, name, inbound, true, &until.join(" ")),
        ["closed", "until", until @ ..] => set(draft, name, inbound, false, &until.join(" ")),
        _ => format!("Nothing was changed: I do not understand `{}`. {FORMS}", desk::excerpt(rest)),
    }
}

fn overview(draft: &Draft<'_>, name: &DeskName) -> String {
    let days = draft.policy.hours.overview(draft.now, DAYS, &draft.overrides);
    let Some(set) = draft.case.hours.at(draft.now) else { return days };
    let at = desk::clock(set.set.from, draft.policy.timezone());
    let elsewhere = if set.desk == *name { String::new() } else { format!(" at the desk {}", set.desk) };
    format!("{days}\nSet by {}{elsewhere} {at}; !hours reset ends it.", desk::one_line(&set.by))
}

fn set(draft: &mut Draft<'_>, name: &DeskName, inbound: &Inbound, open: bool, until: &str) -> String {
    let at = draft.at;
    // A command that lay on the platform for a while means the times as of when it was written.
    let written = inbound.sent_at.map_or(at, |sent| sent.min(at));
    let until = match draft.policy.hours.until(until, open, written) {
        Ok(moment) if moment > at => moment,
        Ok(_) => return format!("Nothing was changed: `{}` has passed. {FORMS}", desk::excerpt(until)),
        Err(problem) => return format!("Nothing was changed. {problem} {FORMS}"),
    };
    let set = SetHours { set: Override { open, from: at, until }, by: inbound.from.name.clone(), desk: name.clone() };
    draft.case.hours.set(set, draft.now);
    changed(draft);
    let state = draft.policy.hours.state(at, &draft.overrides);
    tell_others(draft, name, format!("{} has changed the hours: {state}.", desk::one_line(&inbound.from.name)));
    format!("For the whole business: {state}. !hours reset ends it.")
}

fn reset(draft: &mut Draft<'_>, name: &DeskName, inbound: &Inbound) -> String {
    let at = draft.at;
    let ended = draft.case.hours.end(at, draft.now);
    if ended.is_none() {
        return format!("Nothing was set; the usual hours count: {}.", draft.policy.hours.state(at, &draft.overrides));
    }
    changed(draft);
    let state = draft.policy.hours.state(at, &draft.overrides);
    let by = desk::one_line(&inbound.from.name);
    tell_others(draft, name, format!("{by} has ended the changed hours; the usual ones count: {state}."));
    format!("The usual hours count again: {state}.")
}

fn changed(draft: &mut Draft<'_>) {
    draft.overrides = draft.case.hours.overrides();
    draft.out.hours = Some(draft.case.hours.clone());
}

/// The hours are those of the whole business.
fn tell_others(draft: &mut Draft<'_>, name: &DeskName, line: String) {
    for desk in draft.policy.desks.iter().filter(|desk| desk.name != *name) {
        draft.tell_at(Target::Desk(desk.name.clone()), line.clone(), Purpose::Reply, None);
    }
}
