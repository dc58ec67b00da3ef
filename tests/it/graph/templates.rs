//! Messages that Meta approved beforehand: listed, and sent with the right parameters.

use serde_json::{Value, json};

use super::state::{Refusal, State};

impl State {
    /// The words are there, in that language, approved, and each parameter is given.
    pub fn check_template(&self, sent: &Value) -> Result<(), Refusal> {
        let (name, language) = (&sent["name"], &sent["language"]["code"]);
        let found = self.templates.iter().find(|it| it["name"] == *name && it["language"] == *language);
        let Some(template) = found else {
            return Err(Refusal::new(404, 132_001, "Template name does not exist in the translation"));
        };
        match template["status"].as_str() {
            Some("APPROVED") => {}
            Some("PAUSED") => return Err(Refusal::new(400, 132_015, "Template is Paused")),
            Some("DISABLED") => return Err(Refusal::new(400, 132_016, "Template is Disabled")),
            _ => return Err(Refusal::new(404, 132_001, "Template name does not exist in the translation")),
        }
        for place in ["HEADER", "BODY"] {
            check_part(template, place, &given(sent, place))?;
        }
        Ok(())
    }

    pub fn list_templates(&self, query: &[(String, String)], url: &str) -> Value {
        let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let from: usize = asked("after").and_then(|after| after.parse().ok()).unwrap_or(0);
        let limit = asked("limit").and_then(|limit| limit.parse().ok()).unwrap_or(25).min(self.page);
        let data: Vec<Value> = self.templates.iter().skip(from).take(limit).cloned().collect();
        let end = from + data.len();
        let mut paging = json!({ "cursors": { "before": from.to_string(), "after": end.to_string() } });
        if end < self.templates.len() {
            let others = query.iter().filter(|(key, _)| key != "after").map(|(key, value)| format!("{key}={value}&"));
            paging["next"] = format!("{url}?{}after={end}", others.collect::<String>()).into();
        }
        json!({ "data": data, "paging": paging })
    }
}

/// The words of a message: the body with its parameters in their places.
pub(super) fn rendered(templates: &[Value], sent: &Value) -> String {
    let same = |it: &&Value| it["name"] == sent["name"] && it["language"] == sent["language"]["code"];
    let Some(template) = templates.iter().find(same) else { return String::new() };
    let mut words = component(template, "BODY")["text"].as_str().unwrap_or_default().to_owned();
    for (n, parameter) in (1..).zip(given(sent, "BODY")) {
        let place = parameter["parameter_name"].as_str().map_or_else(|| n.to_string(), str::to_owned);
        let text = parameter["text"].as_str().or_else(|| fallback(&parameter)).unwrap_or_default();
        words = words.replace(&format!("{{{{{place}}}}}"), text);
    }
    words
}

fn fallback(parameter: &Value) -> Option<&str> {
    let kind = parameter["type"].as_str()?;
    parameter[kind]["fallback_value"].as_str()
}

fn check_part(template: &Value, place: &str, given: &[Value]) -> Result<(), Refusal> {
    let component = component(template, place);
    let wanted = match component["format"].as_str() {
        Some("IMAGE" | "VIDEO" | "DOCUMENT" | "LOCATION") => vec!["1".to_owned()],
        _ => placeholders(component["text"].as_str().unwrap_or_default()),
    };
    if wanted.len() != given.len() {
        let details = format!(
            "{place}: number of localizable_params ({}) does not match the expected number of params \
             ({})",
            given.len(),
            wanted.len()
        );
        return Err(Refusal::new(400, 132_000, "Number of parameters does not match the expected number of params")
            .saying(&details));
    }
    let named = wanted.iter().any(|name| name.parse::<u32>().is_err());
    let names: Vec<&str> = given.iter().filter_map(|it| it["parameter_name"].as_str()).collect();
    let fits = match named {
        true => wanted.iter().all(|name| names.contains(&name.as_str())),
        false => names.is_empty(),
    };
    let spoken = |it: &Value| it["type"] != "text" || !it["text"].is_null() && it["text"] != "";
    if !fits || !given.iter().all(spoken) {
        return Err(Refusal::new(400, 132_012, "Parameter format does not match format in the created template"));
    }
    Ok(())
}

fn component(template: &Value, place: &str) -> Value {
    let parts = template["components"].as_array().cloned().unwrap_or_default();
    parts.into_iter().find(|part| part["type"] == place).unwrap_or_default()
}

fn given(sent: &Value, place: &str) -> Vec<Value> {
    let parts = sent["components"].as_array().cloned().unwrap_or_default();
    let part = parts.into_iter().find(|part| part["type"].as_str() == Some(&place.to_lowercase()));
    part.and_then(|part| part["parameters"].as_array().cloned()).unwrap_or_default()
}

/// The names between `{{` and `}}`, each once.
fn placeholders(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for piece in text.split("{{").skip(1) {
        let Some((name, _)) = piece.split_once("}}") else { continue };
        if !names.iter().any(|known| known == name.trim()) {
            names.push(name.trim().to_owned());
        }
    }
    names
}
