use super::super::credit::credit_share;
use super::*;
use proptest::prelude::*;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn usd() -> Currency {
    Currency::USD
}

fn code(code: &str, rate: &str) -> TaxCodeRate {
    TaxCodeRate {
        code: code.to_owned(),
        name: code.to_owned(),
        kind: TaxKind::Output,
        report_code: None,
        rate: rate.parse().unwrap(),
        reverse_charge: false,
    }
}

fn lines(amounts: &[&str], codes: &[TaxCodeRate]) -> Vec<TaxableLine> {
    let line = |amount: &&str| TaxableLine {
        amount: dec(amount),
        codes: codes.to_vec(),
    };
    amounts.iter().map(line).collect()
}

fn exclusive(amounts: &[&str], rate: &str) -> Taxed {
    compute(usd(), false, Rounding::Document, &lines(amounts, &[code("A", rate)])).unwrap()
}

#[test]
fn tax_is_rounded_once_for_each_code_and_rate() {
    let three = ["0.33"; 3];
    assert_eq!(exclusive(&three, "0.2").tax, dec("0.20"));
    let each = compute(usd(), false, Rounding::Line, &lines(&three, &[code("A", "0.2")])).unwrap();
    assert_eq!(each.tax, dec("0.21"));
    // 0.025: half away from zero, not to even.
    assert_eq!(exclusive(&["0.50"], "0.05").tax, dec("0.03"));
    assert_eq!(exclusive(&["-0.50"], "0.05").tax, dec("-0.03"));
    let delivered = exclusive(&["100.00"], "0.16");
    assert_eq!((delivered.tax, delivered.gross), (dec("16.00"), dec("116.00")));
    // Two rates of one code are two totals.
    let mut two = lines(&["0.33"], &[code("A", "0.2")]);
    two.extend(lines(&["0.33"], &[code("A", "0.1")]));
    let two = compute(usd(), false, Rounding::Document, &two).unwrap();
    let taxes: Vec<Decimal> = two.totals.iter().map(|total| total.tax).collect();
    assert_eq!(taxes, [dec("0.07"), dec("0.03")]);
}

#[test]
fn an_inclusive_gross_stays_and_the_odd_cent_goes_to_the_largest_line() {
    // 30.00 ÷ 1.2 = 25.00; each line alone would be 8.33 + 1.67.
    let split = lines(&["10.00", "9.99", "10.01"], &[code("A", "0.2")]);
    let taxed = compute(usd(), true, Rounding::Document, &split).unwrap();
    assert_eq!(
        (taxed.net, taxed.tax, taxed.gross),
        (dec("25.00"), dec("5.00"), dec("30.00"))
    );
    let shown: Vec<(Decimal, Decimal, Decimal)> = taxed.lines.iter().map(|l| (l.net, l.tax, l.gross)).collect();
    assert_eq!(
        shown,
        [
            (dec("8.33"), dec("1.67"), dec("10.00")),
            (dec("8.32"), dec("1.67"), dec("9.99")),
            (dec("8.35"), dec("1.66"), dec("10.01")),
        ]
    );
    assert_eq!(taxed.totals[0].base, dec("25.00"));
}

#[test]
fn several_codes_are_taken_of_the_same_net() {
    let codes = [code("GST", "0.05"), code("PST", "0.07")];
    let net = compute(usd(), false, Rounding::Document, &lines(&["100.00"], &codes)).unwrap();
    assert_eq!((net.tax, net.gross), (dec("12.00"), dec("112.00")));
    let gross = compute(usd(), true, Rounding::Document, &lines(&["112.00"], &codes)).unwrap();
    assert_eq!((gross.net, &gross.totals), (dec("100.00"), &net.totals));
}

#[test]
fn reverse_charge_is_computed_and_not_paid() {
    let reverse = TaxCodeRate {
        reverse_charge: true,
        kind: TaxKind::Input,
        ..code("RC", "0.19")
    };
    for inclusive in [false, true] {
        let taxed = compute(
            usd(),
            inclusive,
            Rounding::Document,
            &lines(&["100.00"], std::slice::from_ref(&reverse)),
        )
        .unwrap();
        assert_eq!(
            (taxed.net, taxed.tax, taxed.gross),
            (dec("100.00"), dec("0"), dec("100.00"))
        );
        let total = &taxed.totals[0];
        assert_eq!(
            (total.base, total.tax, total.charged()),
            (dec("100.00"), dec("19.00"), dec("0"))
        );
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let large = lines(&["9999999999999999.99"], &[code("A", "0.2")]);
    assert_eq!(
        compute(usd(), false, Rounding::Document, &large).unwrap_err().code,
        "out_of_range"
    );
}

#[test]
fn the_last_partial_credit_takes_the_remainder() {
    // 3 × 0.33 at 20 %: each alone would be 0.07.
    let invoice = exclusive(&["0.33", "0.33", "0.33"], "0.2");
    let total = &invoice.totals[0];
    let share = |credited: (&str, &str), base: &str| {
        credit_share(usd(), total, (dec(credited.0), dec(credited.1)), dec(base)).unwrap()
    };
    assert_eq!(share(("0", "0"), "0.33"), dec("0.07"));
    assert_eq!(share(("0.33", "0.07"), "0.33"), dec("0.07"));
    assert_eq!(share(("0.66", "0.14"), "0.33"), dec("0.06"));
    let beyond = credit_share(usd(), total, (dec("0.66"), dec("0.14")), dec("0.34")).unwrap_err();
    assert_eq!(beyond.code, "exceeds_invoiced");
}

fn currency() -> impl Strategy<Value = Currency> {
    proptest::sample::select(vec!["USD", "JPY", "KWD"]).prop_map(|code| code.parse().unwrap())
}

/// Codes by their number, the rates of which come from a list.
fn document() -> impl Strategy<Value = (Currency, Vec<(i64, Vec<usize>)>)> {
    let codes = proptest::sample::subsequence(vec![0, 1, 2, 3], 0..=3);
    (
        currency(),
        proptest::collection::vec((-1_000_000i64..1_000_000, codes), 1..40),
    )
}

const RATES: [&str; 4] = ["0.19", "0.055", "0", "0.088750"];

fn taxable(currency: Currency, document: &[(i64, Vec<usize>)]) -> Vec<TaxableLine> {
    let line = |(amount, codes): &(i64, Vec<usize>)| TaxableLine {
        amount: Decimal::new(*amount, currency.minor_digits()),
        codes: codes.iter().map(|&n| code(&format!("C{n}"), RATES[n])).collect(),
    };
    document.iter().map(line).collect()
}

proptest! {
    #[test]
    fn lines_come_to_the_document((currency, document) in document(), inclusive: bool, each: bool) {
        let rounding = if each { Rounding::Line } else { Rounding::Document };
        let lines = taxable(currency, &document);
        let taxed = compute(currency, inclusive, rounding, &lines).unwrap();
        for (line, taxed) in lines.iter().zip(&taxed.lines) {
            prop_assert_eq!(taxed.net + taxed.tax, taxed.gross);
            let kept = if inclusive { taxed.gross } else { taxed.net };
            prop_assert_eq!(kept, line.amount);
        }
        prop_assert_eq!(taxed.tax, taxed.totals.iter().map(|total| total.tax).sum::<Decimal>());
        prop_assert_eq!(taxed.net + taxed.tax, taxed.gross);
        for total in &taxed.totals {
            let on = lines.iter().zip(&taxed.lines).filter(|(line, _)| line.codes.contains(&total.code));
            prop_assert_eq!(total.base, on.map(|(_, line)| line.net).sum::<Decimal>());
        }
    }

    #[test]
    fn the_tax_is_that_of_the_base_to_half_a_cent((currency, document) in document()) {
        let lines = taxable(currency, &document);
        let taxed = compute(currency, false, Rounding::Document, &lines).unwrap();
        let half = Decimal::new(5, currency.minor_digits() + 1);
        for total in &taxed.totals {
            prop_assert!((total.tax - total.base * total.code.rate.value()).abs() <= half);
        }
    }

    #[test]
    fn the_order_of_lines_changes_no_total((currency, document) in document(), inclusive: bool) {
        let sorted = |document: &[(i64, Vec<usize>)]| {
            let taxed = compute(currency, inclusive, Rounding::Document, &taxable(currency, document)).unwrap();
            let mut taxes: Vec<(String, Decimal)> = taxed.totals.into_iter().map(|t| (t.code.code, t.tax)).collect();
            taxes.sort();
            (taxes, taxed.net, taxed.gross)
        };
        let mut reversed = document.clone();
        reversed.reverse();
        prop_assert_eq!(sorted(&document), sorted(&reversed));
    }

    #[test]
    fn what_is_credited_bit_by_bit_comes_to_the_invoice(
        amounts in proptest::collection::vec(1i64..100_000, 1..30),
        rate in proptest::sample::select(RATES.to_vec()),
    ) {
        let amounts: Vec<Decimal> = amounts.into_iter().map(|cents| Decimal::new(cents, 2)).collect();
        let line = |amount: &Decimal| TaxableLine { amount: *amount, codes: vec![code("A", rate)] };
        let lines: Vec<TaxableLine> = amounts.iter().map(line).collect();
        let invoice = compute(usd(), false, Rounding::Document, &lines).unwrap();
        let total = &invoice.totals[0];
        let (mut base, mut tax) = (Decimal::ZERO, Decimal::ZERO);
        for amount in amounts {
            let share = credit_share(usd(), total, (base, tax), amount).unwrap();
            prop_assert!(share >= Decimal::ZERO && tax + share <= total.tax);
            base += amount;
            tax += share;
        }
        prop_assert_eq!((base, tax), (total.base, total.tax));
    }
}
