mod categories;
mod deals;
mod northwind;
mod plans;
mod runs;
mod sales;
mod support;
mod zones;
