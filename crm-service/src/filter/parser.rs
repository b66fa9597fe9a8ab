//! Tokens into a tree, with every fault: after one, it goes on at the next `and`, `or` or parenthesis.

use super::lexer::{Token, tokens};
use super::{FilterFault, Span};
use chrono::NaiveDate;
use rust_decimal::Decimal;

#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Is(Condition),
    /// Stands where a fault was.
    Faulty,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub field: String,
    pub field_span: Span,
    pub arguments: Vec<(Argument, Span)>,
    pub test: Test,
    /// The whole condition.
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    Currency(String),
    Days(u32),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Compare(Comparison, Literal),
    In(Vec<Literal>),
    NotIn(Vec<Literal>),
    Contains(Literal),
    Has(Literal),
    Empty,
    NotEmpty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Differs,
    Below,
    AtMost,
    Above,
    AtLeast,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    pub value: Value,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Number(Decimal),
    Day(NaiveDate),
    /// Days from today.
    Today(i64),
    Bool(bool),
}

const DEPTH: usize = 32;
const CONDITIONS: usize = 100;
const FAULTS: usize = 50;

/// The tree of a text, or all of its faults.
///
/// # Errors
/// Every fault with its position.
pub fn parse(text: &str) -> Result<Node, Vec<FilterFault>> {
    let mut faults = Vec::new();
    let tokens = tokens(text, &mut faults);
    let mut parser = Parser {
        tokens,
        at: 0,
        conditions: 0,
        faults,
        given_up: false,
    };
    let node = parser.either(0);
    if !matches!(parser.peek(), Token::End) {
        parser.unexpected("`and`, `or` or the end");
    }
    parser.faults.sort_by_key(|fault| fault.position);
    parser.faults.truncate(FAULTS);
    match parser.faults.is_empty() {
        true => Ok(node),
        false => Err(parser.faults),
    }
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
    conditions: usize,
    faults: Vec<FilterFault>,
    /// It is too deep to go on; nothing that follows says anything new.
    given_up: bool,
}

/// A fault has been noted.
struct Noted;

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    /// The span of what was taken last.
    fn taken(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].1
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn is_word(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let found = self.is_word(keyword);
        if found {
            self.advance();
        }
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        if found {
            self.advance();
        }
        found
    }

    fn unexpected(&mut self, expected: &str) -> Noted {
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            Token::Word(word) => format!("`{word}`"),
            Token::Text(_) => "a text".to_owned(),
            Token::Number(_) => "a number".to_owned(),
            Token::Day(_) => "a day".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
        };
        let fault = FilterFault::new(self.span(), "unexpected", format!("expected {expected}, found {found}"));
        self.faults.push(fault);
        Noted
    }

    fn either(&mut self, depth: usize) -> Node {
        let mut nodes = vec![self.both(depth)];
        while self.take_word("or") {
            nodes.push(self.both(depth));
        }
        one_or(nodes, Node::Or)
    }

    fn both(&mut self, depth: usize) -> Node {
        let mut nodes = vec![self.single(depth)];
        while self.take_word("and") {
            nodes.push(self.single(depth));
        }
        one_or(nodes, Node::And)
    }

    fn single(&mut self, depth: usize) -> Node {
        if depth > DEPTH {
            let fault = FilterFault::new(self.span(), "too_deep", format!("more than {DEPTH} levels"));
            self.faults.push(fault);
            self.at = self.tokens.len() - 1;
            self.given_up = true;
            return Node::Faulty;
        }
        if self.take_word("not") {
            return Node::Not(Box::new(self.single(depth + 1)));
        }
        if self.take_sign("(") {
            let opened = self.taken();
            let node = self.either(depth + 1);
            if !self.given_up && !self.take_sign(")") {
                match self.peek() {
                    Token::End => {
                        let fault = FilterFault::new(opened, "unclosed", "this parenthesis is never closed");
                        self.faults.push(fault);
                    }
                    _ => {
                        self.unexpected("`and`, `or` or `)`");
                        self.recover();
                        self.take_sign(")");
                    }
                }
            }
            return node;
        }
        self.conditions += 1;
        if self.conditions == CONDITIONS + 1 {
            let message = format!("more than {CONDITIONS} conditions");
            self.faults.push(FilterFault::new(self.span(), "too_many", message));
        }
        match self.condition() {
            Ok(condition) => Node::Is(condition),
            Err(Noted) => {
                self.recover();
                Node::Faulty
            }
        }
    }

    /// Goes on where another condition may begin.
    fn recover(&mut self) {
        let mut open = 0;
        loop {
            match self.peek() {
                Token::End => return,
                Token::Sign("(") => open += 1,
                Token::Sign(")") if open == 0 => return,
                Token::Sign(")") => open -= 1,
                _ if open == 0 && (self.is_word("and") || self.is_word("or")) => return,
                _ => {}
            }
            self.advance();
        }
    }

    fn condition(&mut self) -> Result<Condition, Noted> {
        let start = self.span();
        let field = self.field()?;
        let field_span = start.with(self.taken());
        let arguments = self.arguments()?;
        let test = self.test()?;
        Ok(Condition {
            field,
            field_span,
            arguments,
            test,
            span: start.with(self.taken()),
        })
    }

    fn field(&mut self) -> Result<String, Noted> {
        let mut name = String::new();
        loop {
            match self.peek() {
                Token::Word(word) if !(name.is_empty() && is_keyword(word)) => name.push_str(word),
                _ => return Err(self.unexpected("the name of a field")),
            }
            self.advance();
            if !self.take_sign(".") {
                return Ok(name);
            }
            name.push('.');
        }
    }

    fn arguments(&mut self) -> Result<Vec<(Argument, Span)>, Noted> {
        let mut arguments = Vec::new();
        if !self.take_sign("(") {
            return Ok(arguments);
        }
        loop {
            let start = self.span();
            let argument = match self.peek().clone() {
                Token::Word(word) => {
                    self.advance();
                    Argument::Currency(word)
                }
                Token::Number(_) => Argument::Days(u32::try_from(self.days()?).unwrap_or(0)),
                _ => return Err(self.unexpected("a currency such as EUR or a time such as `90 days`")),
            };
            arguments.push((argument, start.with(self.taken())));
            if self.take_sign(")") {
                return Ok(arguments);
            }
            if !self.take_sign(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    /// `90 days`, or `90d`
    fn days(&mut self) -> Result<i64, Noted> {
        let days = match self.peek() {
            Token::Number(number) if number.is_integer() && *number <= Decimal::from(36_500) => {
                i64::try_from(*number).unwrap_or(0)
            }
            _ => return Err(self.unexpected("a number of days, at most 36500")),
        };
        self.advance();
        match self.take_word("days") || self.take_word("day") || self.take_word("d") {
            true => Ok(days),
            false => Err(self.unexpected("`days`")),
        }
    }

    fn test(&mut self) -> Result<Test, Noted> {
        const COMPARISONS: [(&str, Comparison); 6] = [
            ("=", Comparison::Equal),
            ("!=", Comparison::Differs),
            ("<", Comparison::Below),
            ("<=", Comparison::AtMost),
            (">", Comparison::Above),
            (">=", Comparison::AtLeast),
        ];
        for (sign, comparison) in COMPARISONS {
            if self.take_sign(sign) {
                return Ok(Test::Compare(comparison, self.literal()?));
            }
        }
        if self.take_word("in") {
            return Ok(Test::In(self.literals()?));
        }
        if self.take_word("not") {
            return match self.take_word("in") {
                true => Ok(Test::NotIn(self.literals()?)),
                false => Err(self.unexpected("`in`")),
            };
        }
        if self.take_word("contains") {
            return Ok(Test::Contains(self.literal()?));
        }
        if self.take_word("has") {
            return Ok(Test::Has(self.literal()?));
        }
        if self.take_word("is") {
            let test = if self.take_word("not") {
                Test::NotEmpty
            } else {
                Test::Empty
            };
            return match self.take_word("empty") {
                true => Ok(test),
                false => Err(self.unexpected("`empty`")),
            };
        }
        Err(self.unexpected("a comparison, `in`, `contains`, `has` or `is`"))
    }

    fn literals(&mut self) -> Result<Vec<Literal>, Noted> {
        if !self.take_sign("(") {
            return Err(self.unexpected("`(` and values"));
        }
        let mut literals = Vec::new();
        loop {
            literals.push(self.literal()?);
            if self.take_sign(")") {
                return Ok(literals);
            }
            if !self.take_sign(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, Noted> {
        let start = self.span();
        let negative = self.take_sign("-");
        let value = match self.peek().clone() {
            Token::Number(number) => {
                self.advance();
                Value::Number(if negative { -number } else { number })
            }
            _ if negative => return Err(self.unexpected("a number")),
            Token::Text(text) => {
                self.advance();
                Value::Text(text)
            }
            Token::Day(day) => {
                self.advance();
                Value::Day(day)
            }
            Token::Word(_) if self.take_word("today") => {
                let sign = if self.take_sign("-") {
                    -1
                } else {
                    i64::from(self.take_sign("+"))
                };
                Value::Today(if sign == 0 { 0 } else { sign * self.days()? })
            }
            Token::Word(_) if self.take_word("true") => Value::Bool(true),
            Token::Word(_) if self.take_word("false") => Value::Bool(false),
            _ => return Err(self.unexpected("a value: \"text\", 12.5, 2026-01-31, today, true or false")),
        };
        Ok(Literal {
            value,
            span: start.with(self.taken()),
        })
    }
}

fn one_or(mut nodes: Vec<Node>, many: fn(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => many(nodes),
    }
}

fn is_keyword(word: &str) -> bool {
    let keywords = [
        "and", "or", "not", "in", "is", "has", "contains", "true", "false", "today",
    ];
    keywords.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
