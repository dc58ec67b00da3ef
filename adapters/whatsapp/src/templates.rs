//! The messages that Meta approved for this account.

use frontdesk_core::{SendError, Template};
use serde_json::Value;

use crate::{
    api::Api,
    failure::{Buckets, unseen},
    send::refuse,
    wire::{list, text},
};

const FIELDS: &str = "name,language,status,category,components";
const AT_ONCE: &str = "100";
/// Accounts may have up to 6000.
const PAGES: usize = 60;

pub(crate) async fn templates(api: &Api, account: Option<&str>, buckets: &Buckets) -> Result<Vec<Template>, SendError> {
    let Some(account) = account else {
        return Err(refuse(
            "Templates cannot be read, because this channel has no business_account_id. Write it into the config: Meta's \
             app dashboard shows it under WhatsApp > API Setup.",
        ));
    };
    let mut templates = Vec::new();
    let mut after = None::<String>;
    for _ in 0..PAGES {
        let mut query = vec![("fields", FIELDS), ("limit", AT_ONCE)];
        query.extend(after.as_deref().map(|cursor| ("after", cursor)));
        let page = api.get(&[account, "message_templates"], &query).await.map_err(|error| unseen(error, buckets))?;
        templates.extend(list(&page, "/data").iter().filter_map(template));
        let next = text(&page, "/paging/next").and(text(&page, "/paging/cursors/after"));
        match next {
            Some(cursor) if after.as_deref() != Some(cursor) => after = Some(cursor.to_owned()),
            Some(_) | None => break,
        }
    }
    Ok(templates)
}

fn template(raw: &Value) -> Option<Template> {
    let part = |kind: &str| list(raw, "/components").iter().find(|part| is(part, "/type", kind));
    let body = part("BODY").and_then(|body| text(body, "/text")).unwrap_or_default();
    Some(Template {
        name: text(raw, "/name")?.to_owned(),
        language: text(raw, "/language")?.to_owned(),
        body: body.to_owned(),
        parameters: placeholders(body),
        problem: problem(raw, body),
    })
}

/// Why it cannot be sent with words alone.
fn problem(raw: &Value, body: &str) -> Option<String> {
    let status = text(raw, "/status").unwrap_or("APPROVED");
    if status != "APPROVED" {
        return Some(unapproved(status));
    }
    if body.is_empty() || is(raw, "/category", "AUTHENTICATION") {
        return Some("it is for one-time codes, or has no words: it cannot be sent from here".into());
    }
    if has_gap(&placeholders(body)) {
        return Some("its parameters are not numbered 1, 2, 3 and so on: change it in WhatsApp Manager".into());
    }
    list(raw, "/components").iter().find_map(of_component).map(str::to_owned)
}

fn unapproved(status: &str) -> String {
    match status {
        "PENDING" | "IN_APPEAL" => "Meta has not approved it yet".into(),
        "REJECTED" => "Meta has rejected it: change it in WhatsApp Manager".into(),
        "PAUSED" | "FLAGGED" => "Meta has paused it, because people did not like it".into(),
        "DISABLED" | "PENDING_DELETION" | "DELETED" => "it is no longer in use".into(),
        other => format!("Meta has not approved it ({})", other.to_lowercase().replace('_', " ")),
    }
}

fn of_component(component: &Value) -> Option<&'static str> {
    let has_placeholder = |path: &str| text(component, path).is_some_and(|text| text.contains("{{"));
    match text(component, "/type")?.to_uppercase().as_str() {
        "HEADER" if !is(component, "/format", "TEXT") => Some("its header needs a file or a place"),
        "HEADER" if has_placeholder("/text") => Some("its header has a parameter"),
        "BUTTONS" => list(component, "/buttons").iter().find_map(of_button),
        "HEADER" | "BODY" | "FOOTER" => None,
        "CAROUSEL" | "LIMITED_TIME_OFFER" | "CALL_PERMISSION_REQUEST" => Some("it has parts that need more than words"),
        _ => Some("it has parts that need more than words"),
    }
}

fn of_button(button: &Value) -> Option<&'static str> {
    match text(button, "/type")?.to_uppercase().as_str() {
        "URL" if text(button, "/url").is_some_and(|url| url.contains("{{")) => {
            Some("the link of its button has a parameter")
        }
        "URL" | "PHONE_NUMBER" | "QUICK_REPLY" | "VOICE_CALL" | "REQUEST_CONTACT_INFO" => None,
        _ => Some("one of its buttons needs more than words"),
    }
}

/// Each once, in the order in which Meta fills them: names as they stand, numbers as they count.
fn placeholders(body: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for rest in body.split("{{").skip(1) {
        let Some((name, _)) = rest.split_once("}}") else { continue };
        let name = name.trim();
        if !name.is_empty() && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    if numbers(&found).is_some() {
        found.sort_by_key(|name| name.parse::<u32>().ok());
    }
    found
}

/// `None` where one is a name.
fn numbers(parameters: &[String]) -> Option<Vec<u32>> {
    parameters.iter().map(|name| name.parse().ok()).collect()
}

/// Meta fills by position: with one number missing, all that follow would be others.
fn has_gap(parameters: &[String]) -> bool {
    numbers(parameters).is_some_and(|numbers| !numbers.into_iter().eq((1..).take(parameters.len())))
}

fn is(value: &Value, path: &str, word: &str) -> bool {
    text(value, path).is_some_and(|text| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn of(components: Value) -> Template {
        template(&json!({ "name": "ready", "language": "en_US", "status": "APPROVED", "components": components }))
            .unwrap()
    }

    #[test]
    fn a_template_of_words_has_its_parameters_in_order() {
        let found = of(json!([
            { "type": "HEADER", "format": "TEXT", "text": "Ready" },
            { "type": "BODY", "text": "Hi {{ first_name }}, your {{2}} is ready, {{first_name}}. {{" },
            { "type": "FOOTER", "text": "Blue Door" },
            { "type": "BUTTONS", "buttons": [{ "type": "QUICK_REPLY", "text": "Thanks" }, { "type": "URL", "url": "https://x" }] },
        ]));
        assert_eq!((found.parameters, found.problem), (vec!["first_name".into(), "2".into()], None));
    }

    #[test]
    fn numbers_are_filled_as_they_count_and_none_is_missing() {
        let body = |text: &str| of(json!([{ "type": "BODY", "text": text }]));
        let swapped = body("Your {{2}} is ready, {{1}}; yours, {{ 10 }} {{3}}{{4}}{{5}}{{6}}{{7}}{{8}}{{9}}");
        assert_eq!(swapped.parameters, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
        assert_eq!(swapped.problem, None);
        for gap in ["{{2}}", "{{1}} {{3}}", "{{0}} {{1}}", "{{1}} {{01}}"] {
            let problem = body(gap).problem.unwrap_or_default();
            assert!(problem.contains("not numbered"), "{gap}: {problem}");
        }
        assert_eq!(body("{{who}} {{cake}}").parameters, ["who", "cake"]);
    }

    #[test]
    fn what_needs_more_than_words_says_so() {
        let body = json!({ "type": "BODY", "text": "Hi" });
        for (more, expected) in [
            (json!({ "type": "HEADER", "format": "IMAGE" }), "its header needs a file"),
            (json!({ "type": "HEADER", "format": "TEXT", "text": "{{1}}" }), "its header has a parameter"),
            (
                json!({ "type": "BUTTONS", "buttons": [{ "type": "URL", "url": "https://x/{{1}}" }] }),
                "the link of its button",
            ),
            (json!({ "type": "BUTTONS", "buttons": [{ "type": "FLOW" }] }), "one of its buttons"),
            (json!({ "type": "CAROUSEL" }), "it has parts"),
        ] {
            let problem = of(json!([body, more])).problem.unwrap_or_default();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }

    #[test]
    fn what_is_not_approved_says_so() {
        for (status, expected) in
            [("PENDING", "not approved it yet"), ("REJECTED", "rejected"), ("LIMIT_EXCEEDED", "limit exceeded")]
        {
            let raw = json!({ "name": "n", "language": "de", "status": status, "components": [{ "type": "BODY", "text": "Hi" }] });
            let problem = template(&raw).unwrap().problem.unwrap();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
