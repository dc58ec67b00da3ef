//! The language of what customers write.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{lang, langs};
use crate::notices::{Lang, detect};

const CUSTOMERS: &str = include_str!("customers.toml");

const OURS: [&str; 17] =
    ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "uk", "ru", "tr", "ar", "hi", "zh", "zh-hant", "ja", "ko"];

fn customers() -> BTreeMap<String, Vec<String>> {
    toml::from_str(CUSTOMERS).expect("the customers")
}

fn found(text: &str, languages: &[Lang]) -> Option<String> {
    detect(text, languages).map(String::from)
}

/// No wrong answer at all is the bar; to answer none is allowed, and counted.
#[test]
fn a_language_is_named_only_where_it_is_sure() {
    let all = langs(&OURS);
    let (mut sentences, mut answered, mut wrong) = (0, 0, Vec::new());
    for (tag, texts) in customers() {
        let ours = OURS.contains(&tag.as_str());
        let mut right = 0;
        for text in &texts {
            match found(text, &all) {
                Some(answer) if ours && answer == tag => right += 1,
                Some(answer) => wrong.push(format!("{tag}, taken for {answer}: {text}")),
                None if ours => println!("{tag}, not found: {text}"),
                None => {}
            }
        }
        if ours {
            println!("{tag}: {right} of {}", texts.len());
            assert!(texts.len() >= 8 && right * 2 > texts.len(), "{tag}: {right} of {}", texts.len());
            (sentences, answered) = (sentences + texts.len(), answered + right);
        }
    }
    println!("found {answered} of {sentences}, wrong {}", wrong.len());
    assert_eq!(wrong, [""; 0]);
    assert!(sentences >= 120 && answered * 5 >= sentences * 4, "{answered} of {sentences}");
}

#[test]
fn a_language_that_is_not_offered_is_no_other_one() {
    let customers = customers();
    for (tag, texts) in &customers {
        let others: Vec<Lang> = OURS.iter().filter(|other| other[..2] != tag[..2]).map(|tag| lang(tag)).collect();
        for text in texts {
            assert_eq!(found(text, &others), None, "{tag}: {text}");
            assert_eq!(found(text, &[]), None, "{tag}: {text}");
        }
    }
}

#[test]
fn a_regional_form_is_found_by_its_language() {
    let of = |text, tags: &[&str]| found(text, &langs(tags));
    assert_eq!(of("Vocês entregam em Niterói?", &["en", "pt-br"]).as_deref(), Some("pt-br"));
    assert_eq!(of("Liefert ihr auch nach Potsdam?", &["de-at", "de"]).as_deref(), Some("de"));
    let (simplified, traditional) = ("请问可以送货到浦东吗？", "請問可以送貨到台北嗎？");
    assert_eq!(of(simplified, &["zh-tw", "zh-cn"]).as_deref(), Some("zh-cn"));
    assert_eq!(of(traditional, &["zh-cn", "zh-tw"]).as_deref(), Some("zh-tw"));
    assert_eq!(of(traditional, &["en", "zh"]).as_deref(), Some("zh"));
    assert_eq!(of(traditional, &["en", "ja"]), None);
}

/// A word that is written otherwise than texts are read would never be found.
#[test]
fn no_word_of_the_table_is_dead() {
    let table: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> =
        toml::from_str(include_str!("../detect.toml")).expect("the table");
    let ours: Vec<&str> = table["languages"].keys().map(String::as_str).collect();
    assert_eq!(ours.join(" "), "ar de en es fr hi it nl pl pt ru tr uk");
    for (tag, marks) in table.values().flatten() {
        let mut words: Vec<&str> = marks["words"].split_whitespace().collect();
        let dead =
            |word: &&&str| word.chars().nth(1).is_none() || word.contains(['\'', '-']) || word.to_lowercase() != **word;
        assert_eq!(words.iter().filter(dead).collect::<Vec<_>>(), [&""; 0], "{tag}");
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count, "{tag}: a word stands there twice");
    }
}

#[test]
fn capitals_accents_and_marks_change_nothing() {
    let of = |text: &str| found(text, &langs(&OURS));
    for text in ["HABT IHR AM SONNTAG OFFEN?", "Hab\u{AD}t ihr \u{200B}am Sonntag\u{202C} offen?"] {
        assert_eq!(of(text).as_deref(), Some("de"), "{text}");
    }
    assert_eq!(of("MERHABA, PAZAR GÜNÜ AÇIK MISINIZ?").as_deref(), Some("tr"));
    assert_eq!(of("C’est possible de payer par carte ?").as_deref(), Some("fr"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_looked_at(text in any::<String>(), mixed in "[a-zäñçßыїёةक的のन가 .@/:’']{0,80}") {
        for text in [text.as_str(), mixed.as_str()] {
            let answer = detect(text, &langs(&["de", "en"]));
            prop_assert!(answer.is_none_or(|answer| ["de", "en"].contains(&answer.as_str())));
        }
    }
}

#[test]
fn a_long_text_takes_no_longer() {
    let text = "Habt ihr am Sonntag offen? ".repeat(40_000);
    assert_eq!(found(&text, &langs(&OURS)).as_deref(), Some("de"));
}
