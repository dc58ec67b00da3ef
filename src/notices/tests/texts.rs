//! The texts as people read them.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::*;
use crate::hours::Override;
use crate::notices::{table, template, wording};

fn read(kind: Kind, local: &str, name: Option<&str>) -> String {
    written(&built_in(), kind, &bakery(), local, name)
}

#[test]
fn the_first_acknowledgement() {
    assert_snapshot!(read(Kind::FirstContact, "2026-12-21T10:00", Some("Anna Berg")), @"
    Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Hallo Anna, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen, und wir antworten Ihnen hier.
    ");
    assert_snapshot!(read(Kind::FirstContact, "2026-12-21T10:00", None), @"
    Hi, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here.
    Hallo, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen, und wir antworten Ihnen hier.
    ");
}

#[test]
fn the_first_acknowledgement_while_closed() {
    assert_snapshot!(read(Kind::FirstContactClosed, "2026-12-21T12:45", Some("Anna")), @"
    Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment and open again today at 13:30; one of us will answer you here after that.
    Hallo Anna, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen. Im Moment haben wir geschlossen und sind heute um 13:30 Uhr wieder da; danach antworten wir Ihnen hier.
    ");
    assert_snapshot!(read(Kind::FirstContactClosed, "2026-12-21T20:00", None), @"
    Hi, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment and open again tomorrow at 09:00; one of us will answer you here after that.
    Hallo, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen. Im Moment haben wir geschlossen und sind morgen um 09:00 Uhr wieder da; danach antworten wir Ihnen hier.
    ");
}

#[test]
fn the_after_hours_notice() {
    assert_snapshot!(read(Kind::AfterHours, "2026-12-21T20:00", Some("Anna")), @"
    Hi Anna, we are closed at the moment and open again tomorrow at 09:00. Your message is waiting for us here.
    Hallo Anna, im Moment haben wir geschlossen und sind morgen um 09:00 Uhr wieder da. Ihre Nachricht wartet hier auf uns.
    ");
    assert_snapshot!(read(Kind::AfterHours, "2026-12-18T20:00", None), @"
    Hi, we are closed at the moment and open again on Monday at 09:00. Your message is waiting for us here.
    Hallo, im Moment haben wir geschlossen und sind am Montag um 09:00 Uhr wieder da. Ihre Nachricht wartet hier auf uns.
    ");
    assert_snapshot!(read(Kind::AfterHours, "2026-12-22T20:00", Some("🌸")), @"
    Hi, we are closed at the moment and open again on Monday, 4 January at 09:00. Your message is waiting for us here.
    Hallo, im Moment haben wir geschlossen und sind am Montag, dem 4. Januar, um 09:00 Uhr wieder da. Ihre Nachricht wartet hier auf uns.
    ");
}

#[test]
fn the_invitation() {
    assert_snapshot!(read(Kind::Invitation, "2026-12-21T10:00", Some("Anna")), @"
    Hi Anna, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message. Today we are open 09:00–12:30 and 13:30–18:00.
    Hallo Anna, willkommen bei Blue Door Bakery. Schreiben Sie uns hier einfach, was wir für Sie tun können; jede Nachricht liest ein Mensch. Heute haben wir 09:00–12:30 und 13:30–18:00 Uhr geöffnet.
    ");
    assert_snapshot!(read(Kind::Invitation, "2026-12-20T10:00", None), @"
    Hi, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message. We are closed at the moment and open again tomorrow at 09:00.
    Hallo, willkommen bei Blue Door Bakery. Schreiben Sie uns hier einfach, was wir für Sie tun können; jede Nachricht liest ein Mensch. Im Moment haben wir geschlossen und sind morgen um 09:00 Uhr wieder da.
    ");
}

#[test]
fn a_business_that_does_not_open_again_names_no_time() {
    let never = Hours::new(timezone("Europe/Berlin").unwrap(), Default::default(), vec![]).unwrap();
    let read = |kind| written(&built_in(), kind, &never, "2026-12-21T10:00", Some("Anna"));
    assert_snapshot!(read(Kind::FirstContactClosed), @"
    Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived. We are closed at the moment; one of us will answer you here.
    Hallo Anna, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen. Im Moment haben wir geschlossen; wir antworten Ihnen hier.
    ");
    assert_snapshot!(read(Kind::AfterHours), @"
    Hi Anna, we are closed at the moment. Your message is waiting for us here.
    Hallo Anna, im Moment haben wir geschlossen. Ihre Nachricht wartet hier auf uns.
    ");
    assert_snapshot!(read(Kind::Invitation), @"
    Hi Anna, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message.
    Hallo Anna, willkommen bei Blue Door Bakery. Schreiben Sie uns hier einfach, was wir für Sie tun können; jede Nachricht liest ein Mensch.
    ");
}

#[test]
fn without_hours_nothing_is_said_about_them() {
    let always = Hours::always(timezone("Europe/Berlin").unwrap());
    assert_snapshot!(written(&built_in(), Kind::Invitation, &always, "2026-12-20T03:00", None), @"
    Hi, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message.
    Hallo, willkommen bei Blue Door Bakery. Schreiben Sie uns hier einfach, was wir für Sie tun können; jede Nachricht liest ein Mensch.
    ");
}

#[test]
fn hours_that_an_operator_changed_are_not_told_as_usual() {
    let hours = bakery();
    let now = at(&hours, "2026-12-21T19:00");
    let late = Override { open: true, from: now, until: at(&hours, "2026-12-21T21:00") };
    let facts = Facts::at(now, &hours, &[late], "Blue Door Bakery", None);
    assert_snapshot!(built_in().render(Kind::Invitation, &lang("en"), &facts), @"Hi, welcome to Blue Door Bakery. Just write here what we can do for you; a person reads every message.");
}

#[test]
fn a_reply_time_is_told_where_it_is_known() {
    let hours = bakery();
    let facts = Facts::at(at(&hours, "2026-12-21T10:00"), &hours, &[], "Blue Door Bakery", Some("Anna"));
    let facts = Facts { reply_time: Some("an hour"), ..facts };
    assert_snapshot!(built_in().render(Kind::FirstContact, &lang("en"), &facts), @"Hi Anna, thank you for writing to Blue Door Bakery. Your message has arrived, and one of us will answer you here. We usually answer within an hour.");
}

#[test]
fn the_next_opening_in_words() {
    let (wording, hours) = (built_in(), bakery());
    let now = at(&hours, "2026-12-21T00:30");
    let openings = [
        "2026-12-21T09:00",
        "2026-12-22T00:00",
        "2026-12-23T13:30",
        "2026-12-27T09:00",
        "2026-12-28T09:00",
        "2027-01-04T09:00",
    ];
    let words = |tag: &str| {
        let opening = |local| wording.opening_words(&lang(tag), now, at(&hours, local), hours.timezone());
        openings.map(opening).join("\n")
    };
    assert_snapshot!(words("en"), @"
    today at 09:00
    tomorrow at 00:00
    on Wednesday at 13:30
    on Sunday at 09:00
    on Monday, 28 December at 09:00
    on Monday, 4 January at 09:00
    ");
    assert_snapshot!(words("de-at"), @"
    heute um 09:00 Uhr
    morgen um 00:00 Uhr
    am Mittwoch um 13:30 Uhr
    am Sonntag um 09:00 Uhr
    am Montag, dem 28. Dezember, um 09:00 Uhr
    am Montag, dem 4. Jänner, um 09:00 Uhr
    ");
    assert_snapshot!(words("sv"), @"
    måndag 21 december kl. 09:00
    tisdag 22 december kl. 00:00
    onsdag 23 december kl. 13:30
    söndag 27 december kl. 09:00
    måndag 28 december kl. 09:00
    måndag 4 januari kl. 09:00
    ");
    assert_snapshot!(words("tlh"), @"
    2026-12-21 09:00
    2026-12-22 00:00
    2026-12-23 13:30
    2026-12-27 09:00
    2026-12-28 09:00
    2027-01-04 09:00
    ");
}

#[test]
fn the_built_in_table_is_sound() {
    let table: table::Table = toml::from_str(table::SOURCE).expect("the table");
    let opening = ["weekday", "on_weekday", "date", "time"].map(|name| template::Placeholder {
        name,
        example: "09:00",
        optional: false,
    });
    let range = ["from", "to"].map(|name| template::Placeholder { name, example: "09:00", optional: false });
    for (tag, language) in &table.languages {
        for kind in Kind::ALL {
            assert_eq!(template::check(language.text(kind), &wording::PLACEHOLDERS), [""; 0], "{tag} {kind:?}");
        }
        let words = &language.opening;
        for source in [&words.today, &words.tomorrow, &words.this_week, &words.later] {
            assert_eq!(template::check(source, &opening), [""; 0], "{tag}");
            assert!(words.on_weekdays.is_some() || !source.contains("on_weekday"), "{tag}");
        }
        assert_eq!(template::check(&language.range, &range), [""; 0], "{tag}");
    }
    let tags: Vec<&str> = Wording::built_in().map(Lang::as_str).collect();
    assert_eq!(tags.join(" "), "ar de en es fr hi it ja ko nl pl pt ru tr uk zh zh-hant");
}

#[test]
fn no_text_shouts() {
    for kind in Kind::ALL {
        let text = read(kind, "2026-12-21T20:00", Some("Anna"));
        assert!(!text.contains('!'), "{text}");
        assert!(!text.split_whitespace().any(|word| word.len() > 1 && word.chars().all(char::is_uppercase)), "{text}");
    }
}

#[test]
fn the_owners_text_comes_before_the_built_in() {
    let texts = first_contact("Hi {{ first_name }}, thank you for writing to {{ business }}.");
    let wording = Wording::new(&owner("en", texts), &langs(&["en", "de"])).unwrap();
    let read = |name| written(&wording, Kind::FirstContact, &bakery(), "2026-12-21T10:00", name);
    assert_snapshot!(read(Some("Anna")), @"
    Hi Anna, thank you for writing to Blue Door Bakery.
    Hallo Anna, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen, und wir antworten Ihnen hier.
    ");
    assert_snapshot!(read(None), @"
    Hi, thank you for writing to Blue Door Bakery.
    Hallo, vielen Dank für Ihre Nachricht an Blue Door Bakery. Sie ist angekommen, und wir antworten Ihnen hier.
    ");
}

#[test]
fn an_absent_value_leaves_no_hole() {
    let templates = [
        "Hi {{ first_name }}, thank you",
        "Hi {{ first_name }}!",
        "{{ first_name }}, thank you. We open {{ opening }}.",
        "Thanks, {{ first_name }}.\nSee you {{ opening }}\n\n\nBye  {{ first_name }}",
        "Hello. {{ first_name }}, welcome.",
        "Bonjour {{ first_name }} !",
        "Hello, {{ first_name }}, welcome {{ opening }} {{ reply_time }} again",
        "Hi {{ first_name | default('there') }}, Dr{{ first_name }}s",
        "{{ first_name | upper }}, hello {{ first_name | upper }}, welcome",
        "Good morning\n{{ first_name }}, welcome",
    ];
    let read = |template: &&str| template::render(template, &BTreeMap::new()).unwrap();
    let texts: Vec<String> = templates.iter().map(read).collect();
    assert_snapshot!(texts.join("\n---\n"), @"
    Hi, thank you
    ---
    Hi!
    ---
    Thank you. We open.
    ---
    Thanks.
    See you

    Bye
    ---
    Hello. Welcome.
    ---
    Bonjour !
    ---
    Hello, welcome again
    ---
    Hi there, Drs
    ---
    hello, welcome
    ---
    Good morning
    Welcome
    ");
}

#[test]
fn a_language_without_built_in_words_needs_all_four_texts() {
    let text = |text: &str| Some(text.to_owned());
    let mut swedish = OwnerTexts {
        first_contact: text("Hej {{ first_name }}!"),
        first_contact_closed: text("Hej, vi öppnar {{ opening }}."),
        after_hours: text("Vi öppnar {{ opening }} (i dag: {{ hours_today }})."),
        invitation: text("Välkommen till {{ business }}."),
    };
    let wording = Wording::new(&owner("sv", swedish.clone()), &langs(&["sv"])).unwrap();
    let hours = bakery();
    let facts = Facts::at(at(&hours, "2026-12-21T20:00"), &hours, &[], "Blue Door Bakery", None);
    assert_snapshot!(wording.render(Kind::AfterHours, &lang("sv"), &facts), @"Vi öppnar tisdag 22 december kl. 09:00 (i dag: 09:00–12:30, 13:30–18:00).");
    swedish.invitation = None;
    let errors = Wording::new(&owner("sv", swedish), &langs(&["en", "sv", "fi"])).unwrap_err();
    assert_snapshot!(errors.join("\n"), @r#"
    business.languages: there is no built-in wording for "sv", only for ar, de, en, es, fr, hi, it, ja, ko, nl, pl, pt, ru, tr, uk, zh, zh-hant; write invitation under [replies.text.sv], or leave the language out
    business.languages: there is no built-in wording for "fi", only for ar, de, en, es, fr, hi, it, ja, ko, nl, pl, pt, ru, tr, uk, zh, zh-hant; write first_contact, first_contact_closed, after_hours, invitation under [replies.text.fi], or leave the language out
    "#);
}

#[test]
fn a_regional_form_takes_the_words_of_its_language() {
    let wording = Wording::new(&owner("de", first_contact("Servus {{ first_name }}.")), &langs(&["de-at"])).unwrap();
    let hours = bakery();
    let facts = Facts::at(at(&hours, "2026-12-21T20:00"), &hours, &[], "Blue Door Bakery", Some("Anna"));
    assert_snapshot!(wording.render(Kind::FirstContact, &lang("de-at"), &facts), @"Servus Anna.");
    assert_snapshot!(wording.render(Kind::AfterHours, &lang("ja"), &facts), @"Hallo Anna, im Moment haben wir geschlossen und sind morgen um 09:00 Uhr wieder da. Ihre Nachricht wartet hier auf uns.");
}

#[test]
fn built_in_words_are_isolated_in_a_text_that_runs_the_other_way() {
    let wording = Wording::new(&owner("ar", first_contact("Naftah {{ opening }}.")), &langs(&["ar"])).unwrap();
    let hours = bakery();
    let facts = Facts::at(at(&hours, "2026-12-21T20:00"), &hours, &[], "Blue Door Bakery", None);
    let text = wording.render(Kind::FirstContact, &lang("ar"), &facts);
    let shown = text.replace('\u{2068}', "⟨").replace('\u{2069}', "⟩");
    assert_snapshot!(shown, @"Naftah ⟨غداً الساعة ⟨09:00⟩⟩.");
}

#[test]
fn an_absent_value_leaves_no_hole_in_other_punctuation() {
    let templates = [
        "¡Hola, {{ first_name }}! Abrimos {{ opening }}.",
        "¡{{ first_name }}, hola!",
        "{{ first_name }}，您好。{{ first_name }}，我们{{ opening }}开门。",
        "مرحباً {{ first_name }}، أهلاً بكم {{ opening }}؟",
        "नमस्ते {{ first_name }}। {{ first_name }}, आइए।",
        "Bonjour {{ first_name }}\u{202F}! Nous ouvrons\u{A0}: {{ opening }}",
    ];
    let read = |template: &&str| template::render(template, &BTreeMap::new()).unwrap();
    let texts: Vec<String> = templates.iter().map(read).collect();
    assert_snapshot!(texts.join("\n---\n").replace(['\u{202F}', '\u{A0}'], "_"), @"
    ¡Hola! Abrimos.
    ---
    ¡Hola!
    ---
    您好。我们开门。
    ---
    مرحباً، أهلاً بكم؟
    ---
    नमस्ते। आइए।
    ---
    Bonjour_! Nous ouvrons
    ");
}

#[test]
fn a_wrong_template_is_refused_with_its_place_and_the_cure() {
    let texts = [
        "Hi {{ frist_name }} {{ weather }}",
        "Hi {{ first_name",
        "Hi {{ business | shout }}",
        "{{ first_name }}",
        "{% for i in range(2000) %}{{ business }}{% endfor %}",
        "{{ first_name | replace(1) }}",
        "{{ first_name | upper }}, hello",
        "",
    ];
    let errors = texts.map(|text| {
        let wording = Wording::new(&owner("en", first_contact(text)), &langs(&["en"]));
        wording.map_or_else(|errors| errors.join("\n"), |_| "fine".to_owned())
    });
    assert_snapshot!(errors.join("\n---\n"), @"
    replies.text.en.first_contact: there is no {{ frist_name }}; there are {{ first_name }}, {{ business }}, {{ opening }}, {{ hours_today }}, {{ reply_time }}; did you mean {{ first_name }}?
    replies.text.en.first_contact: there is no {{ weather }}; there are {{ first_name }}, {{ business }}, {{ opening }}, {{ hours_today }}, {{ reply_time }}
    ---
    replies.text.en.first_contact: the template cannot be read: unexpected end of input, expected end of variable block (line 1)
    ---
    replies.text.en.first_contact: the text cannot be written: filter shout is unknown (line 1)
    ---
    replies.text.en.first_contact: without first_name the text is empty; use {% if first_name %} for what may be absent
    ---
    replies.text.en.first_contact: there is no {{ range }}; there are {{ first_name }}, {{ business }}, {{ opening }}, {{ hours_today }}, {{ reply_time }}
    ---
    replies.text.en.first_contact: the text cannot be written: missing argument (line 1)
    ---
    fine
    ---
    replies.text.en.first_contact: the text is empty
    ");
}

#[test]
fn texts_that_nobody_would_get_are_an_error() {
    let errors = Wording::new(&owner("de", first_contact("Hallo.")), &langs(&["en"])).unwrap_err();
    assert_snapshot!(errors.join("\n"), @r#"replies.text.de: nobody would get these texts; add "de" to business.languages, or remove the texts"#);
}
