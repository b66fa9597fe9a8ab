//! Names of files that come from outside, made harmless.

/// Longest name that is kept, in characters.
const LONGEST: usize = 200;

/// The name without folders, control characters and marks that turn the direction of writing (with which `exe.txt` is
/// made of `txt.exe`).
pub fn harmless(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept: String = last.chars().filter(|c| !c.is_control() && !turns(*c)).collect();
    let name: String = kept.trim_matches([' ', '.']).chars().take(LONGEST).collect();
    match name.is_empty() {
        true => "file".to_owned(),
        false => name,
    }
}

/// `Content-Disposition` with the name for old readers and, in UTF-8, for all others (RFC 6266, RFC 8187).
pub fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            c if c.is_ascii() && !c.is_ascii_control() => c,
            _ => '_',
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => encoded.push(char::from(byte)),
            b'!' | b'#' | b'$' | b'&' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_name() {
        let cases = [
            ("offer.pdf", "offer.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\anna\\Angebot für Käse.pdf", "Angebot für Käse.pdf"),
            ("a\r\nSet-Cookie: x=1", "aSet-Cookie: x=1"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            (" .. ", "file"),
            ("folder/", "file"),
            (".profile", "profile"),
        ];
        for (given, kept) in cases {
            assert_eq!(harmless(given), kept, "{given:?}");
        }
        assert_eq!(harmless(&"é".repeat(300)).chars().count(), 200);
    }

    #[test]
    fn a_name_is_told_twice() {
        assert_eq!(
            disposition("Käse \"50%\".pdf"),
            "attachment; filename=\"K_se _50__.pdf\"; filename*=UTF-8''K%C3%A4se%20%2250%25%22.pdf"
        );
    }
}
