//! Stock: value, lots, places, documents that move it, what is promised.

mod counts;
mod incoming;
mod lots;
mod promises;
mod reports;
mod transfers;
mod value;

use crate::shop::Shop;
use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// Quantity and value of each move of a product, oldest first.
pub async fn moves(shop: &Shop, product: Uuid) -> Vec<(String, String, String)> {
    let page = shop
        .erp
        .get(&format!("/v1/stock-moves?product_id={product}&limit=500"))
        .await
        .expect(200);
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or("none").to_owned();
    let moves = page["items"].as_array().expect("a page").iter();
    moves
        .map(|item| (text(item, "kind"), text(item, "quantity"), text(item, "value")))
        .collect()
}

/// An adjustment of one product.
pub fn adjustment(shop: &Shop, product: Uuid, quantity: &str, unit_cost: Option<&str>) -> Value {
    let mut line = json!({"product_id": product, "quantity": quantity});
    if let Some(cost) = unit_cost {
        line["unit_cost"] = cost.into();
    }
    json!({"warehouse_id": shop.warehouse, "reason": "counted", "lines": [line]})
}

pub fn move_of(kind: &str, quantity: &str, value: &str) -> (String, String, String) {
    (kind.to_owned(), quantity.to_owned(), value.to_owned())
}

/// A day before or after today.
pub fn day(offset: i64) -> NaiveDate {
    let today = Utc::now().date_naive();
    match offset < 0 {
        true => today - Days::new(offset.unsigned_abs()),
        false => today + Days::new(offset.unsigned_abs()),
    }
}
