//! The language that a person writes in.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Lang;
use super::language::fitting;

/// More of a text says nothing new.
const READ: usize = 1000;

/// The language of a customer's text, only where it is sure, and one of the business's. Looks among
/// all languages first: French is not taken for English because the business speaks only English.
/// A name or a single word gives none.
#[must_use]
pub fn detect(text: &str, languages: &[Lang]) -> Option<Lang> {
    let words = words(text);
    let found = match script(&words)? {
        Script::Latin => of_words(&words, &Lead { confirmed: 3, alone: 5 })?,
        Script::Cyrillic | Script::Devanagari | Script::Arabic => of_words(&words, &Lead { confirmed: 2, alone: 3 })?,
        Script::Japanese => "ja",
        Script::Korean => "ko",
        Script::Chinese => return chinese(&words, languages),
    };
    fitting(languages, &found.parse().ok()?).cloned()
}

/// Words in lower case, without links, addresses, handles, and what holds no letter.
fn words(text: &str) -> Vec<String> {
    let text: String = text.chars().take(READ).filter(|c| !is_silent(*c)).collect();
    let text = text.to_lowercase().replace('\u{307}', "").replace(['’', 'ʼ', '`', '´'], "'");
    let prose = text.split_whitespace().filter(|piece| !is_link(piece));
    let parts = prose.flat_map(|piece| piece.split(|c: char| !(c.is_alphanumeric() || is_mark(c) || c == '\'')));
    let bare = parts.map(|word| word.trim_matches('\'')).filter(|word| word.chars().any(char::is_alphabetic));
    bare.map(str::to_owned).collect()
}

fn is_link(piece: &str) -> bool {
    let dotted = |(before, after): (&str, &str)| {
        !before.is_empty() && after.chars().take_while(|c| c.is_ascii_lowercase()).count() >= 2
    };
    piece.contains("://") || piece.contains(['@', '/', '\\', '_', '#']) || piece.split_once('.').is_some_and(dotted)
}

/// Marks of direction and joining, and the vowel signs that Arabic may have and mostly has not.
fn is_silent(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{AD}'
        | '\u{64B}'..='\u{652}' | '\u{640}')
}

/// Vowel signs and accents that stand apart from their letter.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{900}'..='\u{903}' | '\u{93A}'..='\u{94F}')
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Devanagari,
    Arabic,
    Japanese,
    Korean,
    Chinese,
}

/// The one script of nearly all letters. Latin letters beside another script are brands and names.
fn script(words: &[String]) -> Option<Script> {
    let mut letters = Letters::default();
    words.iter().flat_map(|word| word.chars()).for_each(|c| letters.count(c));
    let eastern = letters.han + letters.kana + letters.hangul;
    // An eastern sign is a syllable or a word.
    let scripts = [
        (Script::Latin, letters.latin, 1, 10),
        (Script::Cyrillic, letters.cyrillic, 1, 6),
        (Script::Devanagari, letters.devanagari, 1, 5),
        (Script::Arabic, letters.arabic, 1, 6),
        (Script::Chinese, eastern, 3, 5),
    ];
    let (script, count, weight, least) = scripts.into_iter().max_by_key(|(_, count, weight, _)| count * weight)?;
    let others = letters.all - count;
    let stray = if script == Script::Latin { others } else { others - letters.latin };
    if count < least || stray * 10 > count * weight || others > count * weight {
        return None;
    }
    if script == Script::Chinese { letters.eastern() } else { Some(script) }
}

#[derive(Debug, Default)]
struct Letters {
    all: usize,
    latin: usize,
    cyrillic: usize,
    devanagari: usize,
    arabic: usize,
    han: usize,
    kana: usize,
    hangul: usize,
}

impl Letters {
    fn count(&mut self, c: char) {
        if !c.is_alphabetic() {
            return;
        }
        self.all += 1;
        match c {
            'a'..='z' | '\u{DF}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => self.latin += 1,
            '\u{400}'..='\u{52F}' => self.cyrillic += 1,
            '\u{900}'..='\u{97F}' => self.devanagari += 1,
            '\u{600}'..='\u{6FF}' => self.arabic += 1,
            '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '々' => self.han += 1,
            '\u{3040}'..='\u{30FF}' => self.kana += 1,
            '\u{AC00}'..='\u{D7A3}' | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}' => self.hangul += 1,
            _ => {}
        }
    }

    /// A few kana decorate Chinese brands, and old Korean has some Han.
    fn eastern(&self) -> Option<Script> {
        if self.hangul > 0 {
            return (self.hangul > 2 * (self.han + self.kana)).then_some(Script::Korean);
        }
        if self.kana > 0 {
            return (self.kana * 4 >= self.han).then_some(Script::Japanese);
        }
        Some(Script::Chinese)
    }
}

/// Signs of everyday Chinese that Japanese never, or hardly ever, writes.
const CHINESE: &str = "你您妳們嗎呢吧啊呀啦麼沒很哪怎這她它咱啥嘛哦喔哈給讓說吃喝賣誰啲嘅唔咗嗰哋佢俾冇點關對應經從歲國會學號價錢樣營單邊與禮發";

/// Written so on the mainland, and neither in Taiwan and Hong Kong nor in Japan.
const SIMPLIFIED: &str = "们吗么这给让还说买卖谁请问谢时间开关门营业约预订单货价钱热见样东后发书电张过进远边现对应该经几个车为从无钟岁长话认识店铺修换";

/// Written so in Taiwan and Hong Kong, and not on the mainland.
const TRADITIONAL: &str = "們嗎麼這給讓還說買賣誰請問謝時間開關門營業約預訂單貨價錢熱見樣東後發書電張過進遠邊現對應該經幾個車為從無鐘歲長話認識沒點來國會學號啲嗰";

fn chinese(words: &[String], languages: &[Lang]) -> Option<Lang> {
    let count = |signs: &str| words.iter().flat_map(|word| word.chars()).filter(|c| signs.contains(*c)).count();
    let (simplified, traditional) = (count(SIMPLIFIED), count(TRADITIONAL));
    if simplified + count(CHINESE) == 0 {
        return None;
    }
    let is_traditional = |lang: &Lang| ["-hant", "-tw", "-hk", "-mo"].iter().any(|part| lang.as_str().contains(part));
    let spoken = || languages.iter().filter(|lang| lang.primary() == "zh");
    let wish = traditional > simplified;
    spoken().find(|lang| is_traditional(lang) == wish).or_else(|| spoken().next()).cloned()
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    languages: BTreeMap<String, Marks>,
    others: BTreeMap<String, Marks>,
}

/// What tells a language from others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marks {
    code: Option<String>,
    #[serde(default)]
    letters: String,
    words: String,
}

const SOURCE: &str = include_str!("detect.toml");

/// A test reads the table, so the default is never met.
static TABLE: LazyLock<Table> = LazyLock::new(|| toml::from_str(SOURCE).unwrap_or_default());

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let all = || TABLE.languages.iter().chain(&TABLE.others);
    let mut speakers: HashMap<&str, usize> = HashMap::new();
    let each = all().flat_map(|(_, marks)| marks.words.split_whitespace().collect::<BTreeSet<_>>());
    each.for_each(|word| *speakers.entry(word).or_default() += 1);
    let of = |marks: &'static Marks| Known {
        code: marks.code.as_deref(),
        letters: &marks.letters,
        words: marks.words.split_whitespace().collect(),
    };
    Words { languages: all().map(|(name, marks)| (name.as_str(), of(marks))).collect(), speakers }
});

struct Words {
    languages: BTreeMap<&'static str, Known>,
    /// How many languages have the word.
    speakers: HashMap<&'static str, usize>,
}

#[derive(Debug)]
struct Known {
    /// None for a language that is only here not to be taken for another.
    code: Option<&'static str>,
    letters: &'static str,
    words: HashSet<&'static str>,
}

impl Known {
    /// A word that only this language has speaks louder.
    fn votes(&self, word: &str) -> usize {
        match self.words.get(word) {
            Some(_) if WORDS.speakers.get(word) == Some(&1) => 2,
            Some(_) => 1,
            None => usize::from(word.contains(|c| self.letters.contains(c))),
        }
    }
}

/// From here on (0 to 1) the look of a text speaks against its words.
const DISPUTED: f64 = 0.5;

/// How many votes a language must lead by.
struct Lead {
    /// Where the general look of the text (its trigrams) names the same language.
    confirmed: usize,
    alone: usize,
}

/// The language that the words speak for, by a wide lead over every other.
fn of_words(words: &[String], needed: &Lead) -> Option<&'static str> {
    // One letter is a word in too many languages.
    let parts = words.iter().flat_map(|word| word.split('\'')).filter(|part| part.chars().nth(1).is_some());
    let distinct: BTreeSet<&str> = parts.collect();
    let votes = |known: &Known| distinct.iter().map(|word| known.votes(word)).sum();
    let mut ranking: Vec<(usize, &str, Option<&str>)> =
        WORDS.languages.iter().map(|(name, known)| (votes(known), *name, known.code)).collect();
    ranking.sort_unstable_by(|a, b| b.cmp(a));
    let [(best, name, code), (second, ..), ..] = *ranking else {
        return None;
    };
    let (code, lead) = (code?, best - second);
    if lead < needed.confirmed || second * 2 > best || best * 4 < distinct.len() {
        return None;
    }
    let look = whatlang::detect(&words.join(" "));
    match look {
        Some(look) if look.lang().code() == code => Some(name),
        Some(look) if look.confidence() > DISPUTED => None,
        Some(_) | None => (lead >= needed.alone).then_some(name),
    }
}
