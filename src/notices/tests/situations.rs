//! Every built-in text in every language, in every situation.

use std::sync::LazyLock;

use insta::assert_snapshot;
use jiff::civil;
use jiff::tz::TimeZone;

use super::*;
use crate::notices::first_name;

const BUSINESS: &str = "Blue Door Bakery";
const MONDAY_EVENING: &str = "2026-12-21T20:00";

/// What is different from one message to the next.
#[derive(Debug, Clone, Copy)]
struct Situation {
    what: &'static str,
    business: &'static str,
    name: Option<&'static str>,
    now: &'static str,
    opening: Option<&'static str>,
    today: &'static [&'static str],
    reply_time: Option<&'static str>,
}

const OPEN: Situation = Situation {
    what: "open, one span of hours",
    business: BUSINESS,
    name: Some("Anna Berg"),
    now: "2026-12-22T10:00",
    opening: None,
    today: &["09:00-18:00"],
    reply_time: None,
};

const CLOSED: Situation = Situation {
    what: "closed until tomorrow",
    business: BUSINESS,
    name: Some("Anna Berg"),
    now: MONDAY_EVENING,
    opening: Some("2026-12-22T09:00"),
    today: &["09:00-12:30", "13:30-18:00"],
    reply_time: None,
};

const LONG: &str = "The Old Blue Door Bakery, Patisserie, Coffee House and Delicatessen of Lower Westbrook";

static SITUATIONS: [Situation; 15] = [
    OPEN,
    CLOSED,
    Situation {
        what: "open, two spans, and the time of a reply",
        name: None,
        now: "2026-12-21T10:00",
        today: CLOSED.today,
        reply_time: Some("2 h"),
        ..OPEN
    },
    Situation { what: "open, past midnight", today: &["08:00-11:00", "12:00-14:00", "22:00-24:00"], ..OPEN },
    Situation { what: "always open", today: &[], ..OPEN },
    Situation { what: "not a name", name: Some("Deleted Account"), ..CLOSED },
    Situation { what: "family name first", name: Some("山田 太郎"), ..CLOSED },
    Situation { what: "closed until noon", now: "2026-12-21T12:45", opening: Some("2026-12-21T13:30"), ..CLOSED },
    Situation { what: "closed until Thursday", opening: Some("2026-12-24T09:00"), name: None, ..CLOSED },
    Situation { what: "closed until next week", opening: Some("2026-12-29T09:00"), ..CLOSED },
    Situation { what: "closed until next year", opening: Some("2027-01-04T09:00"), name: None, ..CLOSED },
    Situation { what: "closed, nobody knows until when", opening: None, today: &[], ..CLOSED },
    Situation { what: "long names", business: LONG, name: Some("Wilhelmina-Alexandrina B"), ..CLOSED },
    Situation {
        what: "names from the right", business: "مخبز الباب الأزرق", name: Some("نور الهدى"), ..CLOSED
    },
    Situation { what: "a firm with a full stop", business: "Berg & Co.", opening: Some("2027-02-01T13:00"), ..CLOSED },
];

fn instant(local: &str) -> Timestamp {
    let local: civil::DateTime = local.parse().unwrap();
    local.to_zoned(TimeZone::UTC).unwrap().timestamp()
}

fn render(tag: &Lang, kind: Kind, situation: &Situation) -> String {
    let today: Vec<Span> = situation.today.iter().map(|written| span(written)).collect();
    let facts = Facts {
        business: situation.business,
        display_name: situation.name,
        next_opening: situation.opening.map(instant),
        today: &today,
        reply_time: situation.reply_time,
        now: instant(situation.now),
        timezone: &TimeZone::UTC,
    };
    Wording::new(&BTreeMap::new(), std::slice::from_ref(tag)).unwrap().render(kind, tag, &facts)
}

/// Each text with the situation it is for.
fn each(look: impl Fn(&Lang, Kind, &Situation, &str)) {
    static TEXTS: LazyLock<Vec<(&Lang, Kind, &Situation, String)>> = LazyLock::new(|| {
        let of = |tag, situation| Kind::ALL.map(|kind| (tag, kind, situation, render(tag, kind, situation)));
        Wording::built_in().flat_map(|tag| SITUATIONS.iter().flat_map(move |situation| of(tag, situation))).collect()
    });
    for (tag, kind, situation, text) in TEXTS.iter() {
        look(tag, *kind, situation, text);
    }
}

/// With the isolates as brackets, because nobody sees them.
fn shown(text: &str) -> String {
    text.replace('\u{2068}', "⟨").replace('\u{2069}', "⟩")
}

/// Without what others wrote, which may hold anything.
fn own_words(text: &str, situation: &Situation) -> String {
    let without = text.replace(situation.business.trim_end_matches('.'), "").replace(['\u{2068}', '\u{2069}'], "");
    let without = without.replace(situation.reply_time.unwrap_or_default(), "");
    match situation.name.and_then(first_name) {
        Some(name) => without.replace(&name, ""),
        None => without,
    }
}

#[test]
fn a_text_is_whole() {
    each(|tag, kind, situation, text| {
        let place = format!("{tag} {kind:?}, {}: {text}", situation.what);
        assert!(!text.contains(['{', '}', '%', '\u{E000}', '\n', '\t']), "{place}");
        assert!(text.chars().count() <= 600, "{place}");
        let first = text.chars().find(|c| c.is_alphabetic()).unwrap();
        assert!(!first.is_lowercase(), "{place}");
        assert!(text.ends_with(['.', '。', '।']), "{place}");
        assert!(text.matches('!').count() <= 1, "{place}");
        let names_it = kind != Kind::AfterHours;
        assert_eq!(text.contains(situation.business.trim_end_matches('.')), names_it, "{place}");
    });
}

#[test]
fn absent_values_leave_no_hole() {
    const STOPS: [char; 15] = ['.', ',', ';', ':', '!', '?', '،', '؛', '؟', '।', '，', '。', '、', '：', '；'];
    each(|tag, kind, situation, text| {
        let place = format!("{tag} {kind:?}, {}: {text}", situation.what);
        assert!(!text.contains("  ") && text.trim() == text, "{place}");
        let text = text.replace(['\u{2068}', '\u{2069}'], "");
        let chars: Vec<char> = text.chars().collect();
        for pair in chars.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            assert!(!(before == ' ' && STOPS.contains(&after)), "{place}");
            // "Co.。" is how a Chinese sentence ends after a firm's full stop.
            let doubled = STOPS.contains(&before) && STOPS.contains(&after) && (before != '.' || after == '.');
            assert!(!doubled, "{place}");
            assert!(!(STOPS[1..6].contains(&before) && after.is_alphabetic()), "{place}");
        }
        for word in dangling(tag.as_str()) {
            let at_the_end = text.match_indices(word).any(|(at, _)| {
                let begins = text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
                begins && text[at + word.len()..].starts_with(|c| STOPS.contains(&c) && !matches!(c, ':' | '：'))
            });
            assert!(!at_the_end, "{word} / {place}");
        }
    });
}

/// Words of the texts that need another one after them.
fn dangling(tag: &str) -> &'static [&'static str] {
    match tag {
        "en" => &["at", "on", "to", "and", "within", "again and", "open"],
        "de" => &["um", "am", "an", "bei", "und", "von", "sind", "haben wir"],
        "fr" => &["à", "chez", "et", "le", "contacté", "rouvrons", "de"],
        "es" => &["a", "a las", "el", "y", "en", "abrir"],
        "it" => &["a", "alle", "e", "da", "riapriamo", "entro"],
        "pt" => &["de", "às", "à", "na", "no", "e", "reabrimos"],
        "nl" => &["aan", "om", "op", "bij", "en", "zijn", "binnen"],
        "pl" => &["o", "w", "we", "tu", "otwieramy", "a"],
        "uk" => &["з", "у", "в", "це", "Це", "працюємо"],
        "ru" => &["в", "во", "Это", "откроемся", "и"],
        "tr" => &["saat", "ile", "itibarıyla", "günü", "ve"],
        "ar" => &["مع", "في", "الساعة", "يوم", "ونعود", "من", "إلى", "و"],
        "hi" => &["को", "और", "बजे", "में"],
        "zh" => &["联系", "我们", "恢复"],
        "zh-hant" => &["聯絡", "我們", "恢復"],
        "ja" => &["に", "は", "の"],
        "ko" => &["에", "님", "및"],
        other => panic!("which words of {other} need another one after them?"),
    }
}

#[test]
fn a_text_is_in_its_language_alone() {
    const ENGLISH: [&str; 30] = [
        "hi", "thank", "you", "for", "writing", "your", "has", "arrived", "are", "closed", "at", "the", "again", "one",
        "us", "will", "answer", "here", "after", "that", "waiting", "welcome", "just", "write", "what", "person",
        "reads", "every", "today", "tomorrow",
    ];
    each(|tag, kind, situation, text| {
        let own = own_words(text, situation).to_lowercase();
        let words: Vec<&str> = own.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let english: Vec<&&str> = words.iter().filter(|word| ENGLISH.contains(word)).collect();
        assert_eq!(english.is_empty(), tag.as_str() != "en", "{tag} {kind:?}, {}: {english:?}", situation.what);
        let latin = own.contains(|c: char| c.is_ascii_alphabetic());
        let own_script = ["uk", "ru", "ar", "hi", "zh", "zh-hant", "ja", "ko"].contains(&tag.as_str());
        assert_eq!(latin, !own_script, "{tag} {kind:?}, {}: {own}", situation.what);
    });
}

/// Right-to-left and left-to-right are kept apart by U+2068 and U+2069, and only there.
#[test]
fn what_runs_the_other_way_is_isolated() {
    let right = |c: char| matches!(c, '\u{0590}'..='\u{08FF}') && c.is_alphabetic();
    each(|tag, kind, situation, text| {
        let place = format!("{tag} {kind:?}, {}: {text:?}", situation.what);
        let arabic = tag.as_str() == "ar";
        let (mut depth, mut isolates) = (0, 0);
        for c in text.chars() {
            match c {
                '\u{2068}' => (depth, isolates) = (depth + 1, isolates + 1),
                '\u{2069}' => depth -= 1,
                c if depth == 0 && arabic => assert!(!c.is_ascii_alphanumeric(), "{place}"),
                c if depth == 0 => assert!(!right(c), "{place}"),
                _ => {}
            }
            assert!((0..=1).contains(&depth), "{place}");
        }
        assert_eq!(depth, 0, "{place}");
        assert!(!text.contains("\u{2068}\u{2069}"), "{place}");
        let other_way = text.contains(|c: char| if arabic { c.is_ascii_alphanumeric() } else { right(c) });
        assert_eq!(isolates > 0, other_way, "{place}");
        let marks = |c: char| matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}');
        assert!(!text.contains(marks), "{place}");
    });
}

/// In doubt nobody is greeted by name.
#[test]
fn what_is_no_first_name_is_not_told() {
    each(|tag, kind, situation, text| {
        if situation.name.and_then(first_name).is_none() {
            assert_eq!(text, render(tag, kind, &Situation { name: None, ..*situation }), "{tag}, {}", situation.what);
        }
    });
}

/// What a language calls the days, and how it writes a date and a time, checked by hand: the openings
/// of today, tomorrow, Wednesday, another Monday, and the first of a month at one o'clock.
#[test]
fn openings_in_the_languages_own_form() {
    let wording = Wording::new(&BTreeMap::new(), &[]).unwrap();
    let openings = ["2026-12-21T23:30", "2026-12-22T09:00", "2026-12-23T13:30", "2027-01-04T09:00", "2027-02-01T01:00"]
        .map(instant);
    let lines = Wording::built_in().map(|tag| {
        let words =
            openings.map(|opening| wording.opening_words(tag, instant(MONDAY_EVENING), opening, &TimeZone::UTC));
        format!("{tag}: {}", words.join(" | "))
    });
    assert_snapshot!(shown(&lines.collect::<Vec<_>>().join("\n")), @"
    ar: اليوم الساعة ⟨23:30⟩ | غداً الساعة ⟨09:00⟩ | يوم الأربعاء الساعة ⟨13:30⟩ | يوم الاثنين ⟨4 يناير⟩ الساعة ⟨09:00⟩ | يوم الاثنين ⟨1 فبراير⟩ الساعة ⟨01:00⟩
    de: heute um 23:30 Uhr | morgen um 09:00 Uhr | am Mittwoch um 13:30 Uhr | am Montag, dem 4. Januar, um 09:00 Uhr | am Montag, dem 1. Februar, um 01:00 Uhr
    en: today at 23:30 | tomorrow at 09:00 | on Wednesday at 13:30 | on Monday, 4 January at 09:00 | on Monday, 1 February at 01:00
    es: hoy a las 23:30 | mañana a las 09:00 | el miércoles a las 13:30 | el lunes 4 de enero a las 09:00 | el lunes 1 de febrero a la 01:00
    fr: aujourd’hui à 23:30 | demain à 09:00 | mercredi à 13:30 | le lundi 4 janvier à 09:00 | le lundi 1er février à 01:00
    hi: आज 23:30 बजे | कल 09:00 बजे | बुधवार को 13:30 बजे | सोमवार, 4 जनवरी को 09:00 बजे | सोमवार, 1 फ़रवरी को 01:00 बजे
    it: oggi alle 23:30 | domani alle 09:00 | mercoledì alle 13:30 | lunedì 4 gennaio alle 09:00 | lunedì 1º febbraio alle 01:00
    ja: 本日23:30 | 明日9:00 | 水曜日の13:30 | 1月4日（月曜日）9:00 | 2月1日（月曜日）1:00
    ko: 오늘 23:30 | 내일 09:00 | 수요일 13:30 | 1월 4일 월요일 09:00 | 2월 1일 월요일 01:00
    nl: vandaag om 23:30 uur | morgen om 09:00 uur | woensdag om 13:30 uur | op maandag 4 januari om 09:00 uur | op maandag 1 februari om 01:00 uur
    pl: dziś o 23:30 | jutro o 09:00 | w środę o 13:30 | w poniedziałek, 4 stycznia, o 09:00 | w poniedziałek, 1 lutego, o 01:00
    pt: hoje às 23:30 | amanhã às 09:00 | na quarta-feira às 13:30 | na segunda-feira, 4 de janeiro, às 09:00 | na segunda-feira, 1º de fevereiro, à 01:00
    ru: сегодня в 23:30 | завтра в 09:00 | в среду в 13:30 | в понедельник, 4 января, в 09:00 | в понедельник, 1 февраля, в 01:00
    tr: bugün saat 23:30 itibarıyla | yarın saat 09:00 itibarıyla | çarşamba günü saat 13:30 itibarıyla | 4 Ocak Pazartesi günü saat 09:00 itibarıyla | 1 Şubat Pazartesi günü saat 01:00 itibarıyla
    uk: сьогодні з 23:30 | завтра з 09:00 | в середу з 13:30 | в понеділок, 4 січня, з 09:00 | в понеділок, 1 лютого, з 01:00
    zh: 今天23:30 | 明天09:00 | 星期三13:30 | 1月4日星期一09:00 | 2月1日星期一01:00
    zh-hant: 今天23:30 | 明天9:00 | 星期三13:30 | 1月4日星期一9:00 | 2月1日星期一1:00
    ");
}

/// "On Tuesday" is not the same as "on Monday" with another name everywhere.
#[test]
fn every_day_of_the_week_has_its_own_words() {
    let wording = Wording::new(&BTreeMap::new(), &[]).unwrap();
    let (saturday, monday) = (instant("2026-12-19T20:00"), instant(MONDAY_EVENING));
    let lines = Wording::built_in().map(|tag| {
        let words = (21..=27).map(|day| {
            let now = if day < 24 { saturday } else { monday };
            wording.opening_words(tag, now, instant(&format!("2026-12-{day}T09:00")), &TimeZone::UTC)
        });
        format!("{tag}: {}", words.collect::<Vec<_>>().join(" | "))
    });
    assert_snapshot!(shown(&lines.collect::<Vec<_>>().join("\n")), @"
    ar: يوم الاثنين الساعة ⟨09:00⟩ | يوم الثلاثاء الساعة ⟨09:00⟩ | يوم الأربعاء الساعة ⟨09:00⟩ | يوم الخميس الساعة ⟨09:00⟩ | يوم الجمعة الساعة ⟨09:00⟩ | يوم السبت الساعة ⟨09:00⟩ | يوم الأحد الساعة ⟨09:00⟩
    de: am Montag um 09:00 Uhr | am Dienstag um 09:00 Uhr | am Mittwoch um 09:00 Uhr | am Donnerstag um 09:00 Uhr | am Freitag um 09:00 Uhr | am Samstag um 09:00 Uhr | am Sonntag um 09:00 Uhr
    en: on Monday at 09:00 | on Tuesday at 09:00 | on Wednesday at 09:00 | on Thursday at 09:00 | on Friday at 09:00 | on Saturday at 09:00 | on Sunday at 09:00
    es: el lunes a las 09:00 | el martes a las 09:00 | el miércoles a las 09:00 | el jueves a las 09:00 | el viernes a las 09:00 | el sábado a las 09:00 | el domingo a las 09:00
    fr: lundi à 09:00 | mardi à 09:00 | mercredi à 09:00 | jeudi à 09:00 | vendredi à 09:00 | samedi à 09:00 | dimanche à 09:00
    hi: सोमवार को 09:00 बजे | मंगलवार को 09:00 बजे | बुधवार को 09:00 बजे | गुरुवार को 09:00 बजे | शुक्रवार को 09:00 बजे | शनिवार को 09:00 बजे | रविवार को 09:00 बजे
    it: lunedì alle 09:00 | martedì alle 09:00 | mercoledì alle 09:00 | giovedì alle 09:00 | venerdì alle 09:00 | sabato alle 09:00 | domenica alle 09:00
    ja: 月曜日の9:00 | 火曜日の9:00 | 水曜日の9:00 | 木曜日の9:00 | 金曜日の9:00 | 土曜日の9:00 | 日曜日の9:00
    ko: 월요일 09:00 | 화요일 09:00 | 수요일 09:00 | 목요일 09:00 | 금요일 09:00 | 토요일 09:00 | 일요일 09:00
    nl: maandag om 09:00 uur | dinsdag om 09:00 uur | woensdag om 09:00 uur | donderdag om 09:00 uur | vrijdag om 09:00 uur | zaterdag om 09:00 uur | zondag om 09:00 uur
    pl: w poniedziałek o 09:00 | we wtorek o 09:00 | w środę o 09:00 | w czwartek o 09:00 | w piątek o 09:00 | w sobotę o 09:00 | w niedzielę o 09:00
    pt: na segunda-feira às 09:00 | na terça-feira às 09:00 | na quarta-feira às 09:00 | na quinta-feira às 09:00 | na sexta-feira às 09:00 | no sábado às 09:00 | no domingo às 09:00
    ru: в понедельник в 09:00 | во вторник в 09:00 | в среду в 09:00 | в четверг в 09:00 | в пятницу в 09:00 | в субботу в 09:00 | в воскресенье в 09:00
    tr: pazartesi günü saat 09:00 itibarıyla | salı günü saat 09:00 itibarıyla | çarşamba günü saat 09:00 itibarıyla | perşembe günü saat 09:00 itibarıyla | cuma günü saat 09:00 itibarıyla | cumartesi günü saat 09:00 itibarıyla | pazar günü saat 09:00 itibarıyla
    uk: в понеділок з 09:00 | у вівторок з 09:00 | в середу з 09:00 | в четвер з 09:00 | в п’ятницю з 09:00 | в суботу з 09:00 | в неділю з 09:00
    zh: 星期一09:00 | 星期二09:00 | 星期三09:00 | 星期四09:00 | 星期五09:00 | 星期六09:00 | 星期日09:00
    zh-hant: 星期一9:00 | 星期二9:00 | 星期三9:00 | 星期四9:00 | 星期五9:00 | 星期六9:00 | 星期日9:00
    ");
}

/// The date in a text is the one that ICU writes for the language.
#[test]
fn dates_are_those_of_icu() {
    let date = icu_calendar::Date::try_new_iso(2027, 1, 4).unwrap();
    let later = SITUATIONS.iter().find(|situation| situation.what == "closed until next year").unwrap();
    for tag in Wording::built_in() {
        let locale: icu_locale_core::Locale = tag.as_str().parse().unwrap();
        let form = icu_datetime::fieldsets::MD::long();
        let written =
            icu_datetime::DateTimeFormatter::try_new((&locale).into(), form).unwrap().format(&date).to_string();
        // In Arabic the digits are those of the hours in the config.
        let plain = written.replace('٤', "4");
        let plain = if tag.as_str() == "en" { "4 January".to_owned() } else { plain };
        let text = render(tag, Kind::AfterHours, later).replace(['\u{2068}', '\u{2069}'], "");
        assert!(text.contains(&plain), "{tag}: {plain} / {text}");
    }
}

/// For those who speak the language: all its texts in three situations.
#[test]
fn all_texts_to_be_read() {
    for tag in Wording::built_in() {
        let texts = [&SITUATIONS[2], &SITUATIONS[1], &SITUATIONS[11]].map(|situation| {
            let texts = Kind::ALL.map(|kind| format!("{}: {}", kind.key(), render(tag, kind, situation)));
            format!("{}\n{}", situation.what, texts.join("\n"))
        });
        assert_snapshot!(tag.as_str(), shown(&texts.join("\n\n")));
    }
}
