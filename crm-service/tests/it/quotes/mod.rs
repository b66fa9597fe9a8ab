//! Quotes: versions, prices, approval, documents, and what accepting makes.

mod accepting;
mod approval;
mod availability;
mod deals;
mod drafts;
mod limits;
mod lists;
mod mailing;
mod notices;
mod pricing;
mod races;
mod sending;
mod sight;
mod support;
mod templates;
mod validity;
mod versions;
