//! Pipelines: the stages that deals go through, in versions.
//!
//! A pipeline has versions, each with its stages: at most one `draft`, which is edited freely, at
//! most one `published`, which new deals enter, and the `retired` ones. Publishing the draft
//! retires what was published. What was published never changes (the database refuses it), and a
//! deal keeps the version that it entered until it is moved to the published one, alone
//! (`POST /deals/{id}/change-version`) or with others ([`remap`]). A stage is known by its `key`
//! from version to version; where the keys agree, nothing needs to be mapped.
//!
//! A stage says how likely its deals are won, after how many days they have aged, where they may go
//! next, and which steps they need: see [`model::StageStep`]. [`rules`] names every fault of a
//! version at once.
//!
//! **The board** ([`board`]) shows what stands in each stage. Its counts and sums are kept by the
//! database with each deal (`open_deal_totals`), by owner and team, so that a look costs as many
//! rows as there are groups in sight, not as many as there are deals.

pub mod actions;
pub mod board;
mod handlers;
pub mod model;
pub mod queries;
pub mod remap;
pub mod rules;

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    board::routes(routes);
}
