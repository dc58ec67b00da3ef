//! What a customer writes is data.

use proptest::prelude::*;

use super::*;
use crate::notices::{first_name, only_thanks, template};

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("{{ business }}".to_owned()),
        Just("{% for x in range(9) %}".to_owned()),
        Just("{% raw %}".to_owned()),
        Just("{#".to_owned()),
        Just("<b>@room</b>".to_owned()),
        Just("https://spam.example".to_owned()),
        Just("\u{202E}\u{E000}\n\u{0}".to_owned()),
        Just("\u{2069}مخبز\u{2068}".to_owned()),
        Just("Anna".to_owned()),
        Just(" ".to_owned()),
        any::<String>(),
        any::<char>().prop_map(String::from),
        Just("x".repeat(300)),
    ];
    proptest::collection::vec(pieces, 1..4).prop_map(|pieces| pieces.concat())
}

fn read(display: Option<&str>, business: &str) -> Vec<String> {
    let (wording, hours) = (built_in(), bakery());
    let facts = Facts::at(at(&hours, "2026-12-21T20:00"), &hours, &[], business, display);
    let texts = |kind| ["en", "de"].map(|tag| wording.render(kind, &lang(tag), &facts));
    Kind::ALL.into_iter().flat_map(texts).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_name_is_greeted_or_left_out_and_never_interpreted(display in hostile()) {
        let texts = read(Some(&display), "Blue Door Bakery");
        let plain = read(first_name(&display).as_deref(), "Blue Door Bakery");
        prop_assert_eq!(&texts, &plain);
        for text in texts {
            prop_assert!(!text.contains(['{', '<', '@', '\n', '\u{202E}', '\u{E000}']), "{}", text);
            prop_assert!(!text.contains("  ") && !text.contains(" ,"), "{}", text);
            prop_assert!(!text.contains("spam") && text.chars().count() < 400, "{}", text);
        }
    }

    #[test]
    fn a_first_name_is_one_short_word(display in hostile()) {
        if let Some(name) = first_name(&display) {
            prop_assert!(display.contains(&name));
            prop_assert!(name.chars().count() <= 24 && !name.contains(char::is_whitespace));
            prop_assert_eq!(first_name(&name), Some(name));
        }
    }

    #[test]
    fn a_value_is_never_a_template(value in hostile()) {
        let foreign = || template::Filling::Foreign(value.clone());
        let values = template::Values::from([("business", foreign()), ("first_name", foreign())]);
        let text = template::render("[{{ business }}] {{ first_name }} [{{ opening }}]", &values).unwrap();
        let clean = !text.contains(['\n', '\u{202E}', '\u{E000}']);
        prop_assert!(clean, "{}", text);
        prop_assert!(text.chars().count() <= 2 * (200 + 2) + 8);
    }

    #[test]
    fn what_is_isolated_is_closed(value in hostile(), source in prop_oneof![Just("Hi"), Just("مرحباً")]) {
        let foreign = || template::Filling::Foreign(value.clone());
        let values = template::Values::from([("business", foreign()), ("first_name", foreign())]);
        let source = format!("{source} {{{{ business[1:] }}}} {{{{ first_name[:2] }}}} {{{{ business | upper }}}}");
        let mut depth = 0;
        for c in template::render(&source, &values).unwrap().chars() {
            depth += i32::from(c == '\u{2068}') - i32::from(c == '\u{2069}');
            prop_assert!(depth >= 0);
        }
        prop_assert_eq!(depth, 0);
    }

    #[test]
    fn any_template_is_refused_or_renders(source in hostile(), name in hostile()) {
        let texts = first_contact(&source);
        if let Ok(wording) = Wording::new(&owner("en", texts), &langs(&["en"])) {
            let hours = bakery();
            let facts = Facts::at(at(&hours, "2026-12-21T20:00"), &hours, &[], "Bakery", Some(&name));
            prop_assert!(!wording.render(Kind::FirstContact, &lang("en"), &facts).is_empty());
        }
    }

    #[test]
    fn any_message_is_read(text in hostile()) {
        let _ = only_thanks(&text);
    }
}
