//! Text into tokens.

use super::{FilterFault, Span};
use chrono::NaiveDate;
use rust_decimal::Decimal;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name or a keyword.
    Word(String),
    Text(String),
    Number(Decimal),
    Day(NaiveDate),
    /// `( ) , . = != < <= > >= + -`
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 12] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "+", "-"];

/// The tokens with their places; the last is [`Token::End`].
pub fn tokens(text: &str, faults: &mut Vec<FilterFault>) -> Vec<(Token, Span)> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&first) = chars.get(at) {
        let from = at;
        let token = match first {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '"' | '\'' => {
                let (text, end) = quoted(&chars, at);
                at = end.unwrap_or(chars.len());
                if end.is_none() {
                    let span = Span { from, to: at };
                    faults.push(FilterFault::new(span, "unclosed_quote", "this quote is never closed"));
                }
                Token::Text(text)
            }
            c if c.is_ascii_digit() => {
                while chars
                    .get(at)
                    .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
                {
                    at += 1;
                }
                // `90d` is `90 days`.
                if chars[at - 1] == 'd' && chars[from..at - 1].iter().all(char::is_ascii_digit) {
                    at -= 1;
                }
                let word: String = chars[from..at].iter().collect();
                let span = Span { from, to: at };
                number_or_day(&word).unwrap_or_else(|| {
                    let message = format!("{word:?} is neither a number such as 12.5 nor a day such as 2026-01-31");
                    faults.push(FilterFault::new(span, "bad_literal", message));
                    Token::Number(Decimal::ZERO)
                })
            }
            c if c.is_alphabetic() || c == '_' => {
                while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    at += 1;
                }
                Token::Word(chars[from..at].iter().collect())
            }
            _ => {
                let sign = SIGNS.into_iter().find(|sign| {
                    sign.chars()
                        .enumerate()
                        .all(|(offset, c)| chars.get(at + offset) == Some(&c))
                });
                at += sign.map_or(1, str::len);
                match sign {
                    Some(sign) => Token::Sign(sign),
                    None => {
                        let span = Span { from, to: at };
                        let message = format!("the character {first:?} means nothing here");
                        faults.push(FilterFault::new(span, "unexpected_character", message));
                        continue;
                    }
                }
            }
        };
        tokens.push((token, Span { from, to: at }));
    }
    let end = Span {
        from: chars.len(),
        to: chars.len(),
    };
    tokens.push((Token::End, end));
    tokens
}

/// The text between quotes and the place behind them; `None` when they are never closed.
fn quoted(chars: &[char], from: usize) -> (String, Option<usize>) {
    let (quote, mut at, mut text) = (chars[from], from + 1, String::new());
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' if chars.get(at + 1).is_some_and(|next| matches!(next, '\\' | '"' | '\'')) => {
                text.push(chars[at + 1]);
                at += 2;
            }
            c if c == quote => return (text, Some(at + 1)),
            c => {
                text.push(c);
                at += 1;
            }
        }
    }
    (text, None)
}

fn number_or_day(word: &str) -> Option<Token> {
    if word.len() == 10 && word.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return NaiveDate::parse_from_str(word, "%Y-%m-%d").ok().map(Token::Day);
    }
    let amount: service_kit::Amount = word.parse().ok()?;
    Some(Token::Number(amount.value()))
}
