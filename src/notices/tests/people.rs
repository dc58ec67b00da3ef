//! Names, languages, and what people write.

use super::{lang, langs};
use crate::notices::{Kind, Lang, fingerprint, first_name, only_thanks, pick_language, same_words};

#[test]
fn a_first_name_is_found_where_there_is_one() {
    let names = [
        ("Anna", "Anna"),
        ("Anna Berg", "Anna"),
        ("  Anna  ", "Anna"),
        ("Anna 🌸", "Anna"),
        ("🌸 Anna", "Anna"),
        ("Anne-Marie Duval", "Anne-Marie"),
        ("O'Neill", "O'Neill"),
        ("D’Arcy", "D’Arcy"),
        ("Zoë", "Zoë"),
        ("Zoe\u{0308}", "Zoe\u{0308}"),
        ("Åsa", "Åsa"),
        ("Łukasz", "Łukasz"),
        ("Мария Иванова", "Мария"),
        ("محمد", "محمد"),
        ("हिन्द", "हिन्द"),
        ("สมชาย", "สมชาย"),
        ("Ἀθηνᾶ", "Ἀθηνᾶ"),
        ("Zoe Le Blanc", "Zoe"),
        ("Анна-Мария", "Анна-Мария"),
        ("Gül Demir", "Gül"),
        ("نور الهدى", "نور"),
        ("anna", "anna"),
        ("McDonald", "McDonald"),
        ("Jo", "Jo"),
        ("Anna (work)", "Anna"),
    ];
    for (display, name) in names {
        assert_eq!(first_name(display).as_deref(), Some(name), "{display}");
    }
}

#[test]
fn in_doubt_there_is_no_first_name() {
    let long = "a".repeat(300);
    let displays = [
        "",
        " ",
        "🌸",
        "...",
        "Deleted Account",
        "Anna85",
        "user12345",
        "12",
        "A",
        "A. Berg",
        "J",
        "DHL Express",
        "ANNA",
        "http://spam.example",
        "spam.example",
        "www.spam.example",
        "@anna",
        "Anna\nBerg",
        "Anna\u{202E}gnal",
        "{{ business }}",
        "{% raw %}",
        "<b>Anna</b>",
        "**Anna**",
        "Dr. Berg",
        "Frau Berg",
        "Berg, Anna",
        "The Shop",
        "aaaa",
        "-Anna",
        "Anna-",
        "An--na",
        "Anna buys cheap watches right here",
        "𝓐𝓷𝓷𝓪",
        "🅰nna",
        "Ⓐnna",
        "ａｎｎａ",
        "Z\u{0300}\u{0301}\u{0302}oe",
        "Rindfleischetikettierungsgesetz",
        "Anna http://spam.example",
        "+49 170 1234567",
        "\u{200F}Anna",
        "李",
        "李小明",
        "山田 太郎",
        "さくら",
        "김민수",
        "김 민수",
        "Nguyễn Văn An",
        "Wang Xiaoming",
        "Tanaka Yuki",
        "أبو محمد",
        "عبد الله",
        "Compte supprimé",
        "Удалённый аккаунт",
        "Silinmiş Hesap",
        "श्रीमती शर्मा",
        "Pani Anna",
        "La Boutique",
        long.as_str(),
    ];
    for display in displays {
        assert_eq!(first_name(display), None, "{display}");
    }
}

#[test]
fn the_language_is_one_of_the_business() {
    let business = langs(&["en", "de", "pt-BR", "zh-Hant"]);
    let pick =
        |set: Option<&str>, code: Option<&str>| pick_language(&business, set.map(lang).as_ref(), code).to_string();
    assert_eq!(pick(None, Some("de-AT")), "de");
    assert_eq!(pick(None, Some("pt_BR")), "pt-br");
    assert_eq!(pick(None, Some("pt-PT")), "pt-br");
    assert_eq!(pick(None, Some("zh-Hant-TW")), "zh-hant");
    assert_eq!(pick(None, Some("ja")), "en");
    assert_eq!(pick(None, Some("{{ x }}")), "en");
    assert_eq!(pick(None, None), "en");
    assert_eq!(pick(Some("de"), Some("en")), "de");
    assert_eq!(pick(Some("ja"), Some("de")), "de", "not spoken here: what the platform says");
    assert_eq!(pick_language(&[], None, Some("de")), Lang::english());
}

#[test]
fn a_language_tag_is_checked() {
    assert_eq!(lang("pt_BR").as_str(), "pt-br");
    for wrong in ["", "english", "d", "e n", "und", "12"] {
        assert!(wrong.parse::<Lang>().is_err(), "{wrong}");
    }
    let error = "english".parse::<Lang>().unwrap_err().to_string();
    assert_eq!(error, "`english` is not a language tag; write it like \"en\" or \"pt-br\"");
}

#[test]
fn a_message_may_only_thank() {
    let messages = [
        "Thanks!",
        "thank you so much",
        "Thank you very much 🙏🙏",
        "ok",
        "OK.",
        "Okay, thanks, bye!",
        "👍",
        "❤️",
        "...",
        "!!!",
        ":)",
        "Danke schön",
        "Vielen Dank und schönen Abend noch!",
        "Alles klar, bis morgen",
        "Merci beaucoup",
        "D'accord, merci",
        "d’accord",
        "Gracias",
        "Muchas gracias, hasta luego",
        "obrigada",
        "Grazie mille",
        "dank je wel",
        "dziękuję bardzo",
        "Спасибо большое!",
        "Дякую",
        "teşekkürler",
        "Tack så mycket",
        "mange tak",
        "kiitos",
        "děkuji",
        "köszönöm",
        "mulțumesc",
        "Ευχαριστώ πολύ",
        "ok ok ok",
        "THX",
        "Thanks for your help",
        "👍 ok",
        "merci !",
        "Merci à vous, bonne soirée !",
        "¡Muchas gracias por la ayuda!",
        "Valeu, até amanhã",
        "Grazie a voi, buona serata",
        "Super bedankt, fijne avond!",
        "Dziękuję bardzo za pomoc",
        "Спасибо вам большое, до завтра!",
        "Дякую вам, гарного вечора",
        "İyi günler, teşekkürler",
        "TEŞEKKÜR EDERİM",
        "شكراً جزيلاً",
        "شكرا لكم",
        "बहुत बहुत धन्यवाद जी",
        "शुक्रिया 🙏",
        "谢谢！",
        "好的，谢谢您。",
        "好的，謝謝",
        "ありがとうございます。",
        "承知しました、ありがとうございます！",
        "네, 감사합니다~",
        "알겠습니다 감사합니다 ^^",
    ];
    for message in messages {
        assert!(only_thanks(message), "{message}");
    }
}

#[test]
fn a_message_that_says_more_does_not_only_thank() {
    let long = "thanks ".repeat(50);
    let messages = [
        "",
        "  ",
        "thanks, but where is my cake?",
        "Danke, aber wo ist meine Torte",
        "ok?",
        "?",
        "❓",
        "yes",
        "no",
        "ja",
        "and",
        "so much",
        "thanks Anna",
        "ok 2",
        "2",
        "hello",
        "ok I come at five",
        "thanks. do you have bread",
        "not ok",
        "passt nicht",
        "nicht gut",
        "thanks for nothing",
        "merci mais où est ma commande",
        "gracias, quiero otra",
        "спасибо, а когда",
        "نعم",
        "हाँ",
        "嗯",
        "はい",
        "네",
        "谢谢，几点开门",
        "お願いします",
        "Buenos días",
        "okidoki-x7",
        long.as_str(),
    ];
    for message in messages {
        assert!(!only_thanks(message), "{message}");
    }
}

#[test]
fn the_same_words_have_the_same_fingerprint() {
    let same = [("We open  at 9.\n", "we open at 9."), ("GRÜẞE", "grüße"), ("", "  ")];
    for (a, b) in same {
        assert!(same_words(a, b), "{a} {b}");
        assert_eq!(fingerprint(a), fingerprint(b), "{a} {b}");
    }
    assert!(!same_words("at 9", "at 10"));
    assert_ne!(fingerprint("at 9"), fingerprint("at 10"));
    assert_ne!(fingerprint("a b"), fingerprint("ab"));
}

#[test]
fn fingerprints_on_disk_stay_valid() {
    // The published values of FNV-1a (64 bits).
    assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(fingerprint("FooBar"), 0x8594_4171_f739_67e8);
}

#[test]
fn kinds_are_stored_by_their_key() {
    for kind in Kind::ALL {
        let stored = toml::Value::try_from(kind).unwrap();
        assert_eq!(stored.as_str(), Some(kind.key()));
    }
}
