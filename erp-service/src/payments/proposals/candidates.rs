//! Which items a proposal looks at, and which of them it leaves out.

use super::model::{LeftOut, ProposalReason, ProposalRow};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::Currency;
use service_kit::db::sql;
use uuid::Uuid;

/// So many items go into one proposal.
pub(super) const MOST_ITEMS: usize = 5_000;

/// An item that is due, would lose its discount, or is a credit.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub supplier_id: Uuid,
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub document_number: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub open_amount: Decimal,
    #[diesel(sql_type = Date)]
    pub due_on: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    pub discount_until: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub discount: Option<Decimal>,
    #[diesel(sql_type = Bool)]
    pub disputed: bool,
    #[diesel(sql_type = Bool)]
    pub blocked: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub iban: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub bic: Option<String>,
    #[diesel(sql_type = Text)]
    pub payee: String,
    /// The proposal that holds it.
    #[diesel(sql_type = Nullable<Text>)]
    pub held_by: Option<String>,
}

/// The items by supplier's name and currency, bills by due date before credits; one more than go in.
pub(super) fn find(
    conn: &mut PgConnection,
    proposal: &ProposalRow,
    suppliers: &[Uuid],
    currencies: &[Currency],
) -> QueryResult<Vec<Candidate>> {
    let currencies: Vec<&str> = currencies.iter().map(|currency| currency.code()).collect();
    sql(
        "WITH asked AS (SELECT $1::date AS pay_date, $2::text[] AS currencies, $3::uuid[] AS suppliers, $4::date AS due_to,
                               $5::boolean AS discounts)
         SELECT i.id, i.party_id AS supplier_id, i.currency, i.open_amount, i.due_on, i.discount_until, i.discount, i.disputed,
                coalesce(b.supplier_number, c.supplier_number, i.document_number) AS document_number,
                s.payments_blocked AS blocked, s.iban, s.bic, coalesce(s.account_holder, s.legal_name, s.name) AS payee,
                (SELECT p.number FROM payment_proposal_lines l JOIN payment_proposals p ON p.id = l.proposal_id
                 WHERE l.open_item_id = i.id AND l.holds) AS held_by
         FROM asked a CROSS JOIN open_items i JOIN suppliers s ON s.id = i.party_id
         LEFT JOIN supplier_bills b ON b.id = i.document_id
         LEFT JOIN supplier_credit_notes c ON c.id = i.document_id
         WHERE i.side = 'payable' AND i.open_amount <> 0 AND i.posted_on <= a.pay_date AND i.currency = ANY (a.currencies)
           AND (cardinality(a.suppliers) = 0 OR i.party_id = ANY (a.suppliers))
           AND (i.open_amount < 0 OR i.due_on <= a.due_to
                OR (a.discounts AND i.discount > 0 AND i.discount_until BETWEEN a.pay_date AND a.due_to))
         ORDER BY s.name, s.id, i.currency, i.open_amount < 0, i.due_on, i.id LIMIT $6",
    )
    .bind::<Date, _>(proposal.pay_date)
    .bind::<Array<Text>, _>(currencies)
    .bind::<Array<SqlUuid>, _>(suppliers.to_vec())
    .bind::<Date, _>(proposal.due_to)
    .bind::<Bool, _>(proposal.take_discount)
    .bind::<BigInt, _>(i64::try_from(MOST_ITEMS + 1).unwrap_or(i64::MAX))
    .rows(conn)
}

impl Candidate {
    pub fn is_credit(&self) -> bool {
        self.open_amount.is_sign_negative()
    }

    /// The discount that paying on the day takes.
    pub fn discount_on(&self, proposal: &ProposalRow) -> Option<Decimal> {
        let in_time = self.discount_until.is_some_and(|until| proposal.pay_date <= until);
        self.discount
            .filter(|rate| proposal.take_discount && in_time && !rate.is_zero())
    }

    /// Why it is here, in a word and in words.
    pub fn reason(&self, proposal: &ProposalRow) -> (ProposalReason, String) {
        if self.is_credit() {
            return (ProposalReason::Credit, "a credit that pays for other items".to_owned());
        }
        let discount = self.discount_on(proposal).zip(self.discount_until);
        let discount = discount.map(|(rate, until)| {
            let percent = (rate * Decimal::ONE_HUNDRED).normalize();
            format!("discount of {percent} % until {until}")
        });
        match (self.due_on <= proposal.due_to, discount) {
            (true, None) => (ProposalReason::Due, format!("due on {}", self.due_on)),
            (true, Some(discount)) => (ProposalReason::Due, format!("due on {}; {discount}", self.due_on)),
            (false, discount) => (
                ProposalReason::Discount,
                discount.unwrap_or_else(|| "its discount would be lost".to_owned()),
            ),
        }
    }

    /// Why it is not paid, in a word and in words.
    pub fn left_out(&self) -> Option<(LeftOut, String)> {
        if let Some(number) = &self.held_by {
            return Some((LeftOut::OtherProposal, format!("stands in {number}")));
        }
        if self.disputed {
            return Some((LeftOut::Disputed, "is disputed".to_owned()));
        }
        if self.blocked {
            return Some((
                LeftOut::SupplierBlocked,
                "payments to the supplier are blocked".to_owned(),
            ));
        }
        self.iban
            .is_none()
            .then(|| (LeftOut::NoBankDetails, "the supplier has no IBAN".to_owned()))
    }
}
