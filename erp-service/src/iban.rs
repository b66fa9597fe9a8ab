//! International bank account numbers (ISO 13616) and bank identifier codes (ISO 9362): pure.

use service_kit::Faults;

/// Lengths by country, from the SWIFT IBAN registry; a country that is not listed is checked by its digits alone.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SC", 31),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
];

/// An IBAN without spaces and in capitals, when its length and check digits are right.
pub fn checked(text: &str) -> Option<String> {
    let iban: String = text
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let shape = iban.len() >= 14
        && iban.len() <= 34
        && iban.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && iban.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && iban.bytes().skip(2).take(2).all(|b| b.is_ascii_digit());
    if !shape {
        return None;
    }
    let length = LENGTHS.iter().find(|(country, _)| iban.starts_with(country));
    if length.is_some_and(|(_, length)| *length != iban.len()) {
        return None;
    }
    // ISO 7064 MOD 97-10: the first four go to the end, letters count from A = 10.
    let digits = iban.bytes().skip(4).chain(iban.bytes().take(4));
    let rest = digits.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    (rest == 1).then_some(iban)
}

/// A BIC of 8 or 11 characters in capitals.
pub fn checked_bic(text: &str) -> Option<String> {
    let bic: String = text
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let letters = |range: std::ops::Range<usize>| {
        bic.get(range)
            .is_some_and(|part| part.bytes().all(|b| b.is_ascii_uppercase()))
    };
    let shape = (bic.len() == 8 || bic.len() == 11)
        && bic.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && letters(4..6);
    shape.then_some(bic)
}

/// IBAN and BIC in their plain form; a fault for each that is none.
pub fn plain(faults: &mut Faults, iban: Option<&str>, bic: Option<&str>) -> (Option<String>, Option<String>) {
    let plain_iban = iban.and_then(checked);
    let plain_bic = bic.and_then(checked_bic);
    if iban.is_some() && plain_iban.is_none() {
        faults.add("/iban", "invalid_iban", "the length or the check digits are wrong");
    }
    if bic.is_some() && plain_bic.is_none() {
        faults.add("/bic", "invalid_bic", "not a BIC of 8 or 11 characters");
    }
    (plain_iban, plain_bic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_and_lengths_are_checked() {
        for good in [
            "GB82 WEST 1234 5698 7654 32",
            "DE89370400440532013000",
            "nl91abna0417164300",
            "BE68539007547034",
            "NO9386011117947",
        ] {
            assert!(checked(good).is_some(), "{good}");
        }
        for bad in [
            "GB82WEST12345698765433",
            "DE8937040044053201300",
            "DE8937040044053201300O",
            "XX",
            "",
            "8289370400440532013000",
            "DE89-3704-0044-0532-0130-00",
            "ÄE89370400440532013000",
        ] {
            assert_eq!(checked(bad), None, "{bad}");
        }
        assert_eq!(checked_bic("cobadeff"), Some("COBADEFF".to_owned()));
        assert_eq!(checked_bic("COBADEFFXXX"), Some("COBADEFFXXX".to_owned()));
        for bad in ["COBADEF", "COBA1EFF", "COBADEFFXX", "ÄÖBADEFF", ""] {
            assert_eq!(checked_bic(bad), None, "{bad}");
        }
    }
}
