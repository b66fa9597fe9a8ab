use super::*;
use proptest::prelude::*;

fn faults(text: &str) -> Vec<(usize, usize, &'static str)> {
    let faults = parse(text).expect_err("a fault");
    faults
        .iter()
        .map(|fault| (fault.position, fault.length, fault.code))
        .collect()
}

fn shape(node: &Node) -> String {
    let all = |nodes: &[Node]| nodes.iter().map(shape).collect::<Vec<_>>().join(" ");
    match node {
        Node::And(nodes) => format!("(and {})", all(nodes)),
        Node::Or(nodes) => format!("(or {})", all(nodes)),
        Node::Not(node) => format!("(not {})", shape(node)),
        Node::Is(condition) => condition.field.clone(),
        Node::Faulty => "?".to_owned(),
    }
}

#[test]
fn and_binds_closer_than_or_and_not_closest() {
    let shape = |text: &str| shape(&parse(text).expect("a tree"));
    assert_eq!(shape("a = 1 or b = 2 and c = 3"), "(or a (and b c))");
    assert_eq!(
        shape("(a = 1 or b = 2) and not c = 3 and d is empty"),
        "(and (or a b) (not c) d)"
    );
    assert_eq!(shape("NOT (a HAS 'x' OR b IS NOT EMPTY)"), "(not (or a b))");
    assert_eq!(
        shape("custom.region in (\"a\", 'b') and x not in (1)"),
        "(and custom.region x)"
    );
}

#[test]
fn values_are_read_as_they_stand() {
    let value = |text: &str| match parse(&format!("f = {text}")) {
        Ok(Node::Is(Condition {
            test: Test::Compare(Comparison::Equal, literal),
            ..
        })) => literal.value,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        value(r#""O\"Neill \\ Sons""#),
        Value::Text(r#"O"Neill \ Sons"#.to_owned())
    );
    assert_eq!(value("'it is \"so\"'"), Value::Text("it is \"so\"".to_owned()));
    assert_eq!(value("-12.50"), Value::Number(Decimal::new(-1250, 2)));
    assert_eq!(value("2026-01-31"), Value::Day("2026-01-31".parse().unwrap()));
    assert_eq!(value("today - 90 days"), Value::Today(-90));
    assert_eq!(value("today + 1 day"), Value::Today(1));
    assert_eq!(value("today-90d"), Value::Today(-90));
    assert_eq!(value("TRUE"), Value::Bool(true));
}

#[test]
fn arguments_stand_in_parentheses() {
    let Ok(Node::Is(condition)) = parse("orders.sum(EUR, 365 days) >= 10000") else {
        panic!("a condition");
    };
    let arguments: Vec<_> = condition.arguments.into_iter().map(|(argument, _)| argument).collect();
    assert_eq!(arguments, [Argument::Currency("EUR".to_owned()), Argument::Days(365)]);
}

#[test]
fn every_fault_has_its_place() {
    assert_eq!(faults(""), [(1, 1, "unexpected")]);
    assert_eq!(faults("grade"), [(6, 1, "unexpected")]);
    assert_eq!(faults("grade = "), [(9, 1, "unexpected")]);
    assert_eq!(faults("grade == \"A\""), [(8, 1, "unexpected")]);
    assert_eq!(faults("(grade = \"A\""), [(1, 1, "unclosed")]);
    assert_eq!(faults("grade = \"A\")"), [(12, 1, "unexpected")]);
    assert_eq!(faults("näme = \"A"), [(8, 2, "unclosed_quote")]);
    assert_eq!(faults("a = 1 b = 2"), [(7, 1, "unexpected")]);
    assert_eq!(faults("a = 2026-02-30"), [(5, 10, "bad_literal")]);
    assert_eq!(faults("a = 1e5"), [(5, 3, "bad_literal")]);
    assert_eq!(faults("and = 1"), [(1, 3, "unexpected"), (5, 1, "unexpected")]);
    assert_eq!(faults("a is 1"), [(6, 1, "unexpected")]);
    assert_eq!(faults("a = today - 5"), [(14, 1, "unexpected")]);
    assert_eq!(faults("a ; b"), [(3, 1, "unexpected_character"), (5, 1, "unexpected")]);
}

#[test]
fn a_fault_does_not_hide_the_next() {
    let text = "grade = and (city has 5 or country x \"DE\") or = 3 and name contains ";
    assert_eq!(
        faults(text),
        [
            (9, 3, "unexpected"),
            (36, 1, "unexpected"),
            (47, 1, "unexpected"),
            (69, 1, "unexpected")
        ]
    );
}

#[test]
fn what_is_too_much_is_refused() {
    let deep = format!("{}a = 1{}", "(".repeat(40), ")".repeat(40));
    assert_eq!(faults(&deep)[0].2, "too_deep");
    let long = vec!["a = 1"; 101].join(" and ");
    assert_eq!(faults(&long), [(1001, 1, "too_many")]);
}

proptest! {
    /// Whatever is written, it is a tree or faults within the text.
    #[test]
    fn anything_is_answered(text in "[a-z\"'()=<>!,.+ 0-9\\-\\\\äß]{0,60}") {
        if let Err(faults) = parse(&text) {
            prop_assert!(!faults.is_empty());
            let length = text.chars().count();
            for fault in faults {
                prop_assert!(fault.position >= 1 && fault.position <= length + 1, "{fault:?}");
            }
        }
    }
}
