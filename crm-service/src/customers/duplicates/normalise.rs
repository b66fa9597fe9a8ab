//! What two customers are compared by, as pure functions: what does not distinguish them is taken away.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Forms of companies, without their points. They say nothing about who it is.
const LEGAL_FORMS: &[&str] = &[
    "gmbh",
    "mbh",
    "ggmbh",
    "ag",
    "kg",
    "kgaa",
    "ohg",
    "gbr",
    "ug",
    "ek",
    "ev",
    "eg",
    "se",
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "co",
    "company",
    "ltd",
    "limited",
    "llc",
    "llp",
    "lp",
    "plc",
    "pty",
    "pte",
    "sa",
    "sas",
    "sasu",
    "sarl",
    "eurl",
    "snc",
    "sl",
    "slu",
    "srl",
    "srls",
    "spa",
    "sapa",
    "bv",
    "nv",
    "cv",
    "vof",
    "ab",
    "oy",
    "oyj",
    "as",
    "asa",
    "aps",
    "is",
    "hf",
    "ehf",
    "sro",
    "doo",
    "dd",
    "kft",
    "zrt",
    "nyrt",
    "spzoo",
    "spj",
    "ska",
    "kk",
    "gk",
    "ltda",
    "eireli",
    "cia",
    "ооо",
    "оао",
    "зао",
    "пао",
    "ао",
    "ип",
    "тов",
];

/// Words between names.
const JOINERS: &[&str] = &["and", "und", "et", "the", "haftungsbeschrankt"];

/// A name without case, accents, punctuation, legal forms, and the order of its words.
///
/// `None` when nothing is left that could be compared.
pub fn name(text: &str) -> Option<String> {
    let folded = folded(text);
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let joined = joined_forms(&words);
    let telling: Vec<&str> = joined
        .iter()
        .copied()
        .filter(|word| !LEGAL_FORMS.contains(word) && !JOINERS.contains(word))
        .collect();
    // A company may be called nothing but Co.
    let mut words: Vec<String> = if telling.is_empty() { joined } else { telling }
        .into_iter()
        .map(without_umlauts)
        .collect();
    words.sort_unstable();
    Some(words.join(" "))
        .map(|key| key.chars().take(300).collect::<String>())
        .filter(|key| !key.is_empty())
}

/// `sp z oo` stands as three words.
fn joined_forms<'a>(words: &[&'a str]) -> Vec<&'a str> {
    match words {
        [rest @ .., "sp", "z", "oo"]
        | [rest @ .., "sp", "zoo"]
        | [rest @ .., "s", "r", "o"]
        | [rest @ .., "d", "o", "o"] => rest.to_vec(),
        all => all.to_vec(),
    }
}

/// Small letters without accents; what is no letter and no digit parts words, but a point or an apostrophe does not.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
    {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push('a'),
            'œ' | 'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            '.' | '\'' | '’' | '`' | '´' => {}
            c if c.is_alphanumeric() => folded.push(c),
            _ => folded.push(' '),
        }
    }
    folded
}

/// `Mueller` is how `Müller` is written where there is no `ü`, which has become `u` by now.
fn without_umlauts(word: &str) -> String {
    word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
}

/// An e-mail address without case and without what a plus adds to its name.
pub fn email(text: &str) -> Option<String> {
    let address = text.trim().to_lowercase();
    let (local, domain) = address.rsplit_once('@')?;
    let local = local
        .split('+')
        .next()
        .filter(|local| !local.is_empty())
        .unwrap_or(local);
    Some(format!("{local}@{domain}"))
}

/// The end of a telephone number, which is the same with and without the codes of country and trunk.
///
/// `None` for numbers of fewer than seven digits.
pub fn phone(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    // What follows is an extension.
    let number = lower.split(['x', '#', ';', '/']).next().unwrap_or_default();
    let number = number.split("ext").next().unwrap_or_default();
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    (digits.len() >= 7).then(|| digits[digits.len().saturating_sub(9)..].to_owned())
}

/// A tax number without what parts it.
pub fn tax_id(text: &str) -> Option<String> {
    let key: String = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect();
    (key.len() >= 4).then_some(key)
}

/// How much of the longer name the two have in common, 0 to 1: one minus the edits that it takes. Names with other
/// numbers in them are others, however alike they look: shop 12 is not shop 13.
pub fn likeness(one: &str, other: &str) -> f64 {
    if numbers(one) != numbers(other) {
        return 0.0;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let longest = one.len().max(other.len());
    if longest == 0 {
        return 0.0;
    }
    1.0 - edits(&one, &other) as f64 / longest as f64
}

fn numbers(name: &str) -> Vec<String> {
    let mut numbers: Vec<String> = name
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    numbers.sort_unstable();
    numbers
}

/// Insertions, deletions, replacements, and neighbours that changed places.
fn edits(one: &[char], other: &[char]) -> usize {
    let width = other.len() + 1;
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (vec![0; width], (0..width).collect());
    for i in 1..=one.len() {
        let mut row = vec![i; width];
        for j in 1..width {
            let replaced = last[j - 1] + usize::from(one[i - 1] != other[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[width - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_distinguish_names_is_taken_away() {
        for (one, other) in [
            ("Alfreds Futterkiste", "ALFREDS  Futterkiste GmbH"),
            ("Müller & Söhne GmbH & Co. KG", "Mueller und Soehne"),
            ("Société Générale de Thé", "societe generale de the S.A."),
            ("Tandem Sp. z o.o.", "TANDEM"),
            ("O'Neill Ltd.", "ONeill Limited"),
            ("Łódź Cloth", "lodz cloth"),
            ("Anna Schmidt", "Schmidt, Anna"),
            ("Großhandel Weiß", "Grosshandel Weiss"),
            ("ООО Ромашка", "ромашка"),
            ("ﬁne Tools", "Fine Tools Inc"),
        ] {
            assert_eq!(name(one), name(other), "{one} and {other}");
        }
    }

    #[test]
    fn what_distinguishes_names_stays() {
        for (one, other) in [
            ("Shop 12", "Shop 13"),
            ("Hungry Owl", "Hungry Coyote"),
            ("大牧場", "小牧場"),
            ("SE", "AG"),
        ] {
            assert_ne!(name(one), name(other), "{one} and {other}");
        }
        assert_eq!(name("Co."), Some("co".to_owned()));
        assert_eq!(name("…"), None);
    }

    #[test]
    fn telephone_numbers_end_alike() {
        for (one, other) in [
            ("+49 30 0074321", "030-0074321"),
            ("0049 (30) 0074321", "30 0074321 ext. 12"),
            ("(5) 555-4729", "+52 5 555 4729"),
        ] {
            let (one, other) = (phone(one).unwrap(), phone(other).unwrap());
            assert!(one.ends_with(&other) || other.ends_with(&one), "{one} and {other}");
        }
        assert_eq!(phone("+49 30 0074321"), phone("030-0074321"));
        assert_eq!(phone("110"), None);
    }

    #[test]
    fn addresses_and_tax_numbers() {
        assert_eq!(email("Anna+news@Example.COM"), Some("anna@example.com".to_owned()));
        assert_eq!(tax_id("DE 123-456.789"), tax_id("de123456789"));
        assert_eq!(tax_id("-"), None);
    }

    #[test]
    fn likeness_counts_what_it_takes() {
        assert!((likeness("tandem", "tandam") - 5.0 / 6.0).abs() < 1e-9);
        assert!((likeness("futterkiste", "futterkitse") - 10.0 / 11.0).abs() < 1e-9);
        assert!(likeness("shop 12", "shop 13").abs() < 1e-9);
        assert!((likeness("a", "a") - 1.0).abs() < 1e-9);
    }

    proptest! {
        /// Normalising what is normalised changes nothing, so that keys compare with keys.
        #[test]
        fn keys_are_their_own_keys(text in "\\PC{0,40}") {
            if let Some(key) = name(&text) {
                let again = name(&key);
                prop_assert!(again.is_some());
            }
        }

        #[test]
        fn likeness_is_symmetric(one in "[a-c1 ]{0,8}", other in "[a-c1 ]{0,8}") {
            prop_assert!((likeness(&one, &other) - likeness(&other, &one)).abs() < 1e-9);
        }
    }
}
