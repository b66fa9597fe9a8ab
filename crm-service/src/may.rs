//! The permissions of the CRM, as types: what a handler needs stands in its signature.
//!
//! A customer's contacts, addresses, legal entities and timeline are part of the customer and
//! share its permissions. Replicas are applied with `integration:apply`, which only the
//! integration role holds; somebody who may otherwise write here is told who the owner is.

use service_kit::{Actor, Permission, Problem, permissions};

permissions! {
    /// Customers with all their parts, and their timeline.
    ReadCustomers = "customers:read",
    WriteCustomers = "customers:write",
    /// Groups of customers, and the rules that put them together.
    ReadSegments = "segments:read",
    WriteSegments = "segments:write",
    /// Grades that are proposed from what customers bought.
    ReadGrades = "grades:read",
    ProposeGrades = "grades:propose",
    /// Decide on proposals, and say from what on a customer has which grade.
    ApproveGrades = "grades:approve",
    /// Lists with their filters, orders and columns under a name: one's own and one's team's.
    ReadViews = "views:read",
    WriteViews = "views:write",
    /// Files on records, as far as they are in sight.
    ReadAttachments = "attachments:read",
    WriteAttachments = "attachments:write",
    /// The fields that a company defines for its records.
    ReadCustomFields = "custom_fields:read",
    WriteCustomFields = "custom_fields:write",
    ReadProducts = "products:read",
    /// Nobody writes the catalogue here: its handlers answer `409 not_owner`.
    WriteCatalogue = "products:write",
    ReadOrders = "orders:read",
    WriteOrders = "orders:write",
    SubmitOrders = "orders:submit",
    CancelOrders = "orders:cancel",
    /// Invoices and credit notes of customers.
    ReadInvoices = "invoices:read",
    /// Nobody writes invoices or payments here: their handlers answer `409 not_owner`.
    WriteInvoices = "invoices:write",
    ReadPayments = "payments:read",
    WritePayments = "payments:write",
    /// Tasks, calls, meetings, notes, messages and one's notifications, as far as they are in sight.
    ReadActivities = "activities:read",
    WriteActivities = "activities:write",
    SendEmails = "emails:send",
    /// Hand over mail that came in: for the mail server.
    ReceiveEmails = "emails:receive",
    ReadEmailTemplates = "email_templates:read",
    WriteEmailTemplates = "email_templates:write",
    /// The company's currencies and exchange rates.
    ReadExchangeRates = "exchange_rates:read",
    /// Pipelines with their stages, and loss reasons.
    ReadPipelines = "pipelines:read",
    WritePipelines = "pipelines:write",
    /// Deals with all their parts, their board, forecast and soft demand.
    ReadDeals = "deals:read",
    WriteDeals = "deals:write",
    /// Figures, as far as the records behind them are in sight.
    ReadAnalytics = "analytics:read",
    /// Make analyses, which are kept.
    WriteAnalytics = "analytics:write",
    /// What users and teams are to reach.
    ReadPlans = "plans:read",
    WritePlans = "plans:write",
    /// Leads with all their touches.
    ReadLeads = "leads:read",
    WriteLeads = "leads:write",
    /// Web forms, and what was sent through them.
    ReadLeadForms = "lead_forms:read",
    WriteLeadForms = "lead_forms:write",
    /// The rules that score and assign leads.
    ReadLeadRules = "lead_rules:read",
    WriteLeadRules = "lead_rules:write",
    /// Quotes with their documents, and how much discount may be offered.
    ReadQuotes = "quotes:read",
    WriteQuotes = "quotes:write",
    /// Let somebody else's quote go out below one's own discount limit.
    ApproveQuotes = "quotes:approve",
    ReadQuoteTemplates = "quote_templates:read",
    WriteQuoteTemplates = "quote_templates:write",
    WriteDiscountLimits = "discount_limits:write",
    /// What can be booked, and when it is open.
    ReadResources = "resources:read",
    WriteResources = "resources:write",
    ReadBookings = "bookings:read",
    WriteBookings = "bookings:write",
    /// Named here to be in [`ALL`]; handlers take one of the types below.
    Apply = "integration:apply",
}

macro_rules! applied_from_erp {
    ($($(#[$doc:meta])* $name:ident at $path:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl Permission for $name {
            const NAME: &'static str = Apply::NAME;

            fn refuse(actor: &Actor) -> Problem {
                match actor.writes() {
                    true => Problem::not_owner(ERP, $path),
                    false => Problem::forbidden(Self::NAME),
                }
            }
        }
    )+};
}

/// What the owner of the replicas is called in refusals.
pub const ERP: &str = "erp";

applied_from_erp! {
    /// Products, as the ERP last told them.
    ApplyCatalogue at "/v1/products/{id}",
    ApplyCategories at "/v1/categories/{id}",
    ApplyPrices at "/v1/prices/{id}",
    ApplyAvailability at "/v1/stock-adjustments",
    ApplyFulfilment at "/v1/sales-orders/{id}",
    ApplyCredit at "/v1/customers/{id}",
    ApplyInvoices at "/v1/invoices/{id}",
    ApplyPayments at "/v1/payments/{id}",
    ApplyExchangeRates at "/v1/exchange-rates/{id}",
    ApplyCompany at "/v1/company",
}
