//! Pipelines and deals.

mod closing;
mod evidence;
mod figures;
mod forecast;
mod lines;
mod lists;
mod moving;
mod pipelines;
mod races;
mod rates;
mod sight;
pub mod support;
