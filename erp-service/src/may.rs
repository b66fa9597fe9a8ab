//! What an API key may do here, as types: a handler names the one it needs.

use service_kit::auth::APPLY;
use service_kit::{Actor, Permission, Problem};

service_kit::permissions! {
    ReadCategories = "categories:read",
    WriteCategories = "categories:write",
    ReadUnits = "units:read",
    WriteUnits = "units:write",
    ReadProducts = "products:read",
    WriteProducts = "products:write",
    ReadPriceLists = "price_lists:read",
    /// Lists and the prices in them.
    WritePriceLists = "price_lists:write",
    /// Ask which price applies; changes nothing.
    ReadPriceQuotes = "price_quotes:read",
    ReadCustomers = "customers:read",
    /// The terms that the ERP owns: tier, credit limit, credit hold, block.
    WriteCustomers = "customers:write",
    ReadCompany = "company:read",
    WriteCompany = "company:write",
    ReadWarehouses = "warehouses:read",
    WriteWarehouses = "warehouses:write",
    /// Stock moves, levels and availability.
    ReadStock = "stock:read",
    AdjustStock = "stock:adjust",
    ReadSalesOrders = "sales_orders:read",
    WriteSalesOrders = "sales_orders:write",
    ConfirmSalesOrders = "sales_orders:confirm",
    HoldSalesOrders = "sales_orders:hold",
    ReleaseSalesOrders = "sales_orders:release",
    CloseSalesOrders = "sales_orders:close",
    CancelSalesOrders = "sales_orders:cancel",
    ReadDeliveries = "deliveries:read",
    WriteDeliveries = "deliveries:write",

    // ---- ledger ----
    ReadLedger = "ledger:read",
    /// Chart of accounts, posting rules, dimensions, number series.
    WriteLedger = "ledger:write",
    PostJournalEntries = "journal_entries:post",
    ReversePostings = "postings:reverse",
    ClosePeriods = "periods:close",
    ReopenPeriods = "periods:reopen",
    ReadReports = "reports:read",

    // ---- currencies and taxes ----
    ReadExchangeRates = "exchange_rates:read",
    WriteExchangeRates = "exchange_rates:write",
    ReadTaxes = "taxes:read",
    WriteTaxes = "taxes:write",

    // ---- receivables ----
    ReadInvoices = "invoices:read",
    WriteInvoices = "invoices:write",
    PostInvoices = "invoices:post",
    /// Say that a customer disputes an item, or does not any more.
    DisputeItems = "receivables:dispute",
    ReadDunning = "dunning:read",
    /// Reminders to customers: levels, exemptions, drafts of runs.
    WriteDunning = "dunning:write",
    IssueDunning = "dunning:issue",

    // ---- payments ----
    ReadPayments = "payments:read",
    PostPayments = "payments:post",
    /// Propose which suppliers to pay.
    WritePaymentProposals = "payment_proposals:write",
    ApprovePaymentProposals = "payment_proposals:approve",
    WriteOff = "receivables:write_off",
    ReadBankAccounts = "bank_accounts:read",
    WriteBankAccounts = "bank_accounts:write",
    ReadBankStatements = "bank_statements:read",
    WriteBankStatements = "bank_statements:write",

    // ---- stock ----
    WriteTransfers = "transfers:write",
    WriteCounts = "stock_counts:write",
    ApproveCounts = "stock_counts:approve",
    ScrapStock = "stock:scrap",
    ReadPromises = "promises:read",
    WritePromises = "promises:write",

    // ---- sales ----
    AmendSalesOrders = "sales_orders:amend",
    ReadReturns = "returns:read",
    WriteReturns = "returns:write",

    // ---- purchasing ----
    ReadSuppliers = "suppliers:read",
    WriteSuppliers = "suppliers:write",
    /// Say where a supplier's money goes.
    ChangeBankDetails = "suppliers:bank_details",
    ReadPurchasing = "purchasing:read",
    WriteRequisitions = "requisitions:write",
    ApproveRequisitions = "requisitions:approve",
    WritePurchaseOrders = "purchase_orders:write",
    ApprovePurchaseOrders = "purchase_orders:approve",
    WriteReceipts = "receipts:write",
    ReadBills = "bills:read",
    WriteBills = "bills:write",
    PostBills = "bills:post",
    /// Let a bill pass that is outside of the tolerance of its match.
    ReleaseBills = "bills:release",
}

/// Apply the CRM's part of customers; people change it in the CRM.
#[derive(Debug, Clone, Copy)]
pub struct ApplyCustomers;

/// Apply segments of customers, and who is in them; people change them in the CRM.
#[derive(Debug, Clone, Copy)]
pub struct ApplySegments;

/// Apply orders that were submitted in the CRM; people submit them there.
#[derive(Debug, Clone, Copy)]
pub struct ApplySalesOrders;

impl Permission for ApplyCustomers {
    const NAME: &'static str = APPLY;

    fn refuse(actor: &Actor) -> Problem {
        refuse(actor, crate::customers::OWNER_PATH)
    }
}

impl Permission for ApplySegments {
    const NAME: &'static str = APPLY;

    fn refuse(actor: &Actor) -> Problem {
        refuse(actor, crate::customers::segments::OWNER_PATH)
    }
}

impl Permission for ApplySalesOrders {
    const NAME: &'static str = APPLY;

    fn refuse(actor: &Actor) -> Problem {
        refuse(actor, "/v1/orders")
    }
}

/// Who changes records here is told where; who does not lacks the permission.
fn refuse(actor: &Actor, path: &str) -> Problem {
    match actor.writes() {
        true => Problem::not_owner("crm", path),
        false => Problem::forbidden(APPLY),
    }
}
