//! Bank accounts of the company. One is there from the beginning, for the base currency.

use super::statements::CsvFormat;
use crate::schema::bank_accounts;
use crate::{company, iban, ledger, may};
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Jsonb;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, SearchText, present};
use service_kit::{
    Answer, Body, Command, Currency, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// A retired bank account takes no more payments.
    BankAccountStatus { Active = "active", Retired = "retired" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BankAccountIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// Spaces are left out.
    #[schema(min_length = 14, max_length = 42)]
    pub iban: Option<String>,
    /// Where a bank has no IBANs.
    #[schema(min_length = 1, max_length = 34)]
    pub account_number: Option<String>,
    #[schema(min_length = 8, max_length = 11)]
    pub bic: Option<String>,
    pub currency: Currency,
    /// A cash or bank account of the chart: in this currency, unless it is the base currency.
    pub account_id: Uuid,
    /// Which column of its statements in CSV holds what.
    pub csv_format: Option<CsvFormat>,
    /// Whether payments in this currency go through it unless they name another; the first one of a currency does.
    pub is_default: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BankAccountPatch {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 14, max_length = 42)]
    pub iban: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 34)]
    pub account_number: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 8, max_length = 11)]
    pub bic: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub csv_format: Option<Option<CsvFormat>>,
    /// `true` makes it the default of its currency; another one takes that away.
    #[schema(nullable = false)]
    pub is_default: Option<bool>,
    #[schema(nullable = false)]
    pub status: Option<BankAccountStatus>,
}

/// A bank account of the company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = bank_accounts)]
pub struct BankAccount {
    pub id: Uuid,
    pub name: String,
    pub iban: Option<String>,
    pub account_number: Option<String>,
    pub bic: Option<String>,
    pub currency: Currency,
    /// Its account in the chart.
    pub account_id: Uuid,
    pub is_default: bool,
    pub status: BankAccountStatus,
    /// Which column of its statements in CSV holds what.
    #[schema(value_type = Option<CsvFormat>)]
    pub csv_format: Option<StoredCsvFormat>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A mapping as it is stored, one JSON column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[serde(transparent)]
#[diesel(sql_type = Jsonb)]
pub struct StoredCsvFormat(pub CsvFormat);

impl FromSql<Jsonb, Pg> for StoredCsvFormat {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(bytes)?;
        Ok(serde_json::from_value(value)?)
    }
}

impl ToSql<Jsonb, Pg> for StoredCsvFormat {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(self)?;
        <serde_json::Value as ToSql<Jsonb, Pg>>::to_sql(&value, &mut out.reborrow())
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct BankAccountsQuery {
    /// Finds in name and IBAN.
    q: Option<SearchText>,
    currency: Option<Currency>,
    #[param(inline)]
    status: Option<BankAccountStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for BankAccount {
    const PATH: &'static str = "bank-accounts";
    const TYPE: &'static str = "bank_account";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_bank_accounts)
        .add(create_bank_account)
        .add(get_bank_account)
        .add(update_bank_account);
}

#[utoipa::path(tag = "payments", params(BankAccountsQuery), security(("api_key" = ["bank_accounts:read"])),
    responses((status = 200, description = "A page of bank accounts", body = Page<BankAccount>)))]
#[get("/bank-accounts")]
async fn list_bank_accounts(
    read: Read<may::ReadBankAccounts>,
    query: Query<BankAccountsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = bank_accounts::table.select(BankAccount::as_select()).into_boxed();
        if let Some(text) = &query.q {
            let pattern = text.contains();
            found = found.filter(
                bank_accounts::name.ilike(pattern.clone()).nullable().or(bank_accounts::iban.ilike(pattern)),
            );
        }
        if let Some(currency) = query.currency {
            found = found.filter(bank_accounts::currency.eq(currency));
        }
        if let Some(status) = query.status {
            found = found.filter(bank_accounts::status.eq(status));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: bank_accounts::id as Uuid => |a: &BankAccount| a.id, [
            "created_at" => bank_accounts::created_at as DateTime<Utc> => |a: &BankAccount| a.created_at,
            "name" => bank_accounts::name as String => |a: &BankAccount| a.name.clone(),
        ])
    })
    .await
}

#[utoipa::path(tag = "payments", request_body = BankAccountIn, security(("api_key" = ["bank_accounts:write"])),
    responses((status = 201, description = "The bank account", body = BankAccount)))]
#[post("/bank-accounts")]
async fn create_bank_account(
    command: Command<may::WriteBankAccounts>,
    body: Body<BankAccountIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "payments", params(IdPath), security(("api_key" = ["bank_accounts:read"])),
    responses((status = 200, description = "The bank account", body = BankAccount)))]
#[get("/bank-accounts/{id}")]
async fn get_bank_account(read: Read<may::ReadBankAccounts>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id).or_not_found("bank account"))
        .await
}

/// Change or retire a bank account. Its currency and its account in the chart stay.
#[utoipa::path(tag = "payments", params(IdPath), request_body(content = BankAccountPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["bank_accounts:write"])), responses((status = 200, description = "The changed bank account", body = BankAccount)))]
#[patch("/bank-accounts/{id}")]
async fn update_bank_account(
    command: Command<may::WriteBankAccounts>,
    path: Path<IdPath>,
    body: Body<BankAccountPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

/// # Errors
/// `NotFound` when there is no such bank account.
pub fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<BankAccount> {
    bank_accounts::table
        .find(id)
        .select(BankAccount::as_select())
        .first(conn)
}

/// The one that payments in a currency go through unless they name another.
///
/// # Errors
/// When the database refuses.
pub fn default_of(conn: &mut PgConnection, currency: Currency) -> QueryResult<Option<BankAccount>> {
    bank_accounts::table
        .filter(bank_accounts::currency.eq(currency).and(bank_accounts::is_default))
        .select(BankAccount::as_select())
        .first(conn)
        .optional()
}

/// The one with an IBAN or an account number, as a bank statement names it.
///
/// # Errors
/// When the database refuses.
pub fn numbered(conn: &mut PgConnection, number: &str) -> QueryResult<Vec<BankAccount>> {
    bank_accounts::table
        .filter(
            bank_accounts::iban
                .eq(number)
                .or(bank_accounts::account_number.eq(number)),
        )
        .select(BankAccount::as_select())
        .load(conn)
}

fn create(tx: &mut Tx<'_>, input: &BankAccountIn) -> Result<BankAccount> {
    let mut faults = Faults::default();
    let (number, bic) = iban::plain(&mut faults, input.iban.as_deref(), input.bic.as_deref());
    if let Some(format) = &input.csv_format {
        format.check("/csv_format", &mut faults);
    }
    let base = company::settings(tx)?.base_currency;
    match ledger::known_accounts(tx, &[input.account_id])?.get(&input.account_id) {
        None => faults.add("/account_id", "unknown_account", "there is no such account"),
        Some(account) if !account.liquid || account.status != "active" => {
            faults.add(
                "/account_id",
                "not_liquid",
                "not an active cash or bank account of the chart",
            );
        }
        Some(account) => {
            let currency = account.currency.unwrap_or(base);
            if currency != input.currency {
                faults.add("/account_id", "wrong_currency", format!("the account is in {currency}"));
            }
        }
    }
    faults.check()?;
    let first = default_of(tx, input.currency)?.is_none();
    let is_default = input.is_default.unwrap_or(first);
    if is_default {
        unset_default(tx, input.currency)?;
    }
    let id = tx.mint(input.id);
    let made: BankAccount = diesel::insert_into(bank_accounts::table)
        .values((
            bank_accounts::id.eq(id),
            bank_accounts::name.eq(&input.name),
            bank_accounts::iban.eq(number),
            bank_accounts::account_number.eq(&input.account_number),
            bank_accounts::bic.eq(bic),
            bank_accounts::currency.eq(input.currency),
            bank_accounts::account_id.eq(input.account_id),
            bank_accounts::is_default.eq(is_default),
            bank_accounts::csv_format.eq(input.csv_format.clone().map(StoredCsvFormat)),
            bank_accounts::created_at.eq(tx.now()),
            bank_accounts::updated_at.eq(tx.now()),
        ))
        .returning(BankAccount::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &made)?;
    Ok(made)
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &BankAccountPatch) -> Result<BankAccount> {
    let before: BankAccount = bank_accounts::table
        .find(id)
        .for_no_key_update()
        .select(BankAccount::as_select())
        .first(&mut **tx)
        .or_not_found("bank account")?;
    tx.require_match(&before)?;
    let mut faults = Faults::default();
    let given = |field: &Option<Option<String>>| field.as_ref().and_then(Clone::clone);
    let (number, bic) = iban::plain(&mut faults, given(&patch.iban).as_deref(), given(&patch.bic).as_deref());
    if let Some(Some(format)) = &patch.csv_format {
        format.check("/csv_format", &mut faults);
    }
    faults.check()?;
    if patch.is_default == Some(false) && before.is_default {
        let detail = "make another bank account of the currency the default instead";
        return Err(Problem::rule("default_bank_account_needed", detail).into());
    }
    let wanted = BankAccount {
        name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
        iban: if patch.iban.is_some() {
            number
        } else {
            before.iban.clone()
        },
        account_number: patch
            .account_number
            .clone()
            .unwrap_or_else(|| before.account_number.clone()),
        bic: if patch.bic.is_some() { bic } else { before.bic.clone() },
        is_default: patch.is_default.unwrap_or(before.is_default),
        status: patch.status.unwrap_or(before.status),
        csv_format: match &patch.csv_format {
            Some(format) => format.clone().map(StoredCsvFormat),
            None => before.csv_format.clone(),
        },
        ..before.clone()
    };
    if wanted == before {
        return Ok(before);
    }
    if wanted.is_default && !before.is_default {
        unset_default(tx, before.currency)?;
    }
    let after: BankAccount = diesel::update(bank_accounts::table.find(id))
        .set((
            bank_accounts::name.eq(&wanted.name),
            bank_accounts::iban.eq(&wanted.iban),
            bank_accounts::account_number.eq(&wanted.account_number),
            bank_accounts::bic.eq(&wanted.bic),
            bank_accounts::is_default.eq(wanted.is_default),
            bank_accounts::status.eq(wanted.status),
            bank_accounts::csv_format.eq(&wanted.csv_format),
            bank_accounts::revision.eq(bank_accounts::revision + 1),
            bank_accounts::updated_at.eq(tx.now()),
        ))
        .returning(BankAccount::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn unset_default(tx: &mut Tx<'_>, currency: Currency) -> Result<()> {
    let before: Option<BankAccount> = bank_accounts::table
        .filter(bank_accounts::currency.eq(currency).and(bank_accounts::is_default))
        .for_no_key_update()
        .select(BankAccount::as_select())
        .first(&mut **tx)
        .optional()?;
    let Some(before) = before else { return Ok(()) };
    let after: BankAccount = diesel::update(bank_accounts::table.find(before.id))
        .set((
            bank_accounts::is_default.eq(false),
            bank_accounts::revision.eq(bank_accounts::revision + 1),
            bank_accounts::updated_at.eq(tx.now()),
        ))
        .returning(BankAccount::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)
}
