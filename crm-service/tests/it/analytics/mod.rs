mod northwind;
mod sales;
mod support;
