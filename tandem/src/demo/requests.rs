//! What is sent to the APIs for each record of a company: bodies that are the same every time.

use super::{CURRENCY, Category, Company, Customer, Order, Product, Supplier};
use serde_json::{Value, json};
use uuid::Uuid;

/// From the order to the delivery, of every supplier.
const LEAD_TIME_DAYS: u32 = 14;

/// Kinds of records, as parts of what their UUIDs are derived from.
pub mod kind {
    pub const CUSTOMER: &str = "customers";
    pub const CONTACT: &str = "contacts";
    pub const ADDRESS: &str = "addresses";
    pub const CATEGORY: &str = "categories";
    pub const PRODUCT: &str = "products";
    pub const PRICE_LIST: &str = "price-lists";
    pub const PRICE: &str = "prices";
    pub const WAREHOUSE: &str = "warehouses";
    pub const OPENING_STOCK: &str = "opening-stock";
    pub const ORDER: &str = "orders";
    pub const ORDER_LINE: &str = "order-lines";
    pub const DELIVERY: &str = "deliveries";
    pub const SUPPLIER: &str = "suppliers";
    pub const SUPPLIER_PRICE: &str = "supplier-prices";
    pub const REORDER_RULE: &str = "reorder-rules";
    pub const PURCHASE_ORDER: &str = "purchase-orders";
    pub const INVOICE: &str = "invoices";
    pub const PAYMENT: &str = "payments";
    pub const TEAM: &str = "teams";
    pub const USER: &str = "users";
    pub const DEAL: &str = "deals";
    pub const LEAD_FORM: &str = "lead-forms";
    pub const SEGMENT: &str = "segments";
}

impl Company {
    pub fn customer_uuid(&self, id: &str) -> Uuid {
        self.uuid(kind::CUSTOMER, id)
    }

    pub fn product_uuid(&self, id: i64) -> Uuid {
        self.uuid(kind::PRODUCT, id)
    }

    pub fn order_uuid(&self, id: i64) -> Uuid {
        self.uuid(kind::ORDER, id)
    }
}

pub(super) fn category(category: &Category) -> Value {
    json!({
        "name": category.name,
        "description": category.description,
        "external_ref": category.id.to_string(),
    })
}

pub(super) fn product(company: &Company, product: &Product) -> Value {
    json!({
        "sku": format!("P{:05}", product.id),
        "name": product.name,
        "description": product.quantity_per_unit,
        "kind": "goods",
        "unit": "pcs",
        "category_id": company.uuid(kind::CATEGORY, product.category_id),
        "external_ref": product.id.to_string(),
    })
}

pub(super) fn price(company: &Company, product: &Product) -> Value {
    json!({
        "id": company.uuid(kind::PRICE, product.id),
        "product_id": company.product_uuid(product.id),
        "unit_price": product.unit_price.to_string(),
        "valid_from": company.opening_date(),
    })
}

pub(super) fn price_list(company: &Company) -> Value {
    json!({
        "id": company.uuid(kind::PRICE_LIST, CURRENCY.code()),
        "name": "List prices",
        "currency": CURRENCY.code(),
    })
}

pub(super) fn warehouse() -> Value {
    json!({ "code": "MAIN", "name": "Main warehouse" })
}

/// Stock of the given products, booked as one document.
pub(super) fn opening_stock(company: &Company, id: Uuid, warehouse: Uuid, units: &[(&Product, i64)]) -> Value {
    let lines = units.iter().map(|(product, units)| {
        json!({
            "product_id": company.product_uuid(product.id),
            "quantity": units.to_string(),
            "unit_cost": product.unit_cost().to_string(),
        })
    });
    json!({
        "id": id,
        "kind": "opening",
        "warehouse_id": warehouse,
        "reason": "Opening stock",
        "date": company.opening_date(),
        "lines": lines.collect::<Vec<_>>(),
    })
}

pub(super) fn customer(company: &Company, customer: &Customer) -> Value {
    let mut address = json!({
        "id": company.uuid(kind::ADDRESS, &customer.id),
        "kind": "office",
        "street": customer.address,
        "city": customer.city,
        "country": customer.country,
    });
    for (field, text) in [("region", &customer.region), ("postal_code", &customer.postal_code)] {
        if let Some(text) = text {
            address[field] = text.as_str().into();
        }
    }
    json!({
        "name": customer.company_name,
        "kind": "company",
        "phone": customer.phone,
        "external_ref": customer.id,
        "owner_id": company.owner_of(customer),
        "contacts": [{
            "id": company.uuid(kind::CONTACT, &customer.id),
            "name": customer.contact_name,
            "title": customer.contact_title,
            "phone": customer.phone,
        }],
        "addresses": [address],
    })
}

/// The order as a sales client enters and submits it.
pub(super) fn order(company: &Company, order: &Order) -> Value {
    let lines = order.lines.iter().map(|line| {
        json!({
            "id": company.uuid(kind::ORDER_LINE, format_args!("{}/{}", order.id, line.product_id)),
            "product_id": company.product_uuid(line.product_id),
            "quantity": line.quantity.to_string(),
            "unit_price": line.unit_price.to_string(),
            "discount": line.discount.to_string(),
        })
    });
    json!({
        "id": company.order_uuid(order.id),
        "customer_id": company.customer_uuid(&order.customer_id),
        "owner_id": company.user_uuid(order.employee_id),
        "currency": CURRENCY.code(),
        "order_date": order.order_date,
        "requested_date": order.required_date.max(order.order_date),
        "external_ref": order.id.to_string(),
        "submit": true,
        "lines": lines.collect::<Vec<_>>(),
    })
}

pub(super) fn delivery(company: &Company, order: &Order) -> Value {
    json!({
        "id": company.uuid(kind::DELIVERY, order.id),
        "date": order.delivery_date(),
    })
}

pub(super) fn supplier(supplier: &Supplier) -> Value {
    let mut address = json!({
        "kind": "office",
        "street": supplier.address,
        "city": supplier.city,
        "country": supplier.country,
    });
    for (field, text) in [("region", &supplier.region), ("postal_code", &supplier.postal_code)] {
        if let Some(text) = text {
            address[field] = text.as_str().into();
        }
    }
    json!({
        "name": supplier.company_name,
        "currency": CURRENCY.code(),
        "phone": supplier.phone,
        "lead_time_days": LEAD_TIME_DAYS,
        "external_ref": supplier.id.to_string(),
        "addresses": [address],
    })
}

pub(super) fn supplier_price(company: &Company, product: &Product) -> Value {
    json!({
        "id": company.uuid(kind::SUPPLIER_PRICE, product.id),
        "product_id": company.product_uuid(product.id),
        "currency": CURRENCY.code(),
        "unit_price": product.unit_cost().to_string(),
        "valid_from": company.opening_date(),
    })
}

pub(super) fn reorder_rule(company: &Company, product: &Product, warehouse: Uuid) -> Value {
    json!({
        "id": company.uuid(kind::REORDER_RULE, product.id),
        "product_id": company.product_uuid(product.id),
        "warehouse_id": warehouse,
        "minimum": product.reorder_level.to_string(),
        "target": (product.reorder_level * 2).to_string(),
        "supplier_id": company.uuid(kind::SUPPLIER, product.supplier_id),
    })
}

pub(super) fn purchase_order(company: &Company, id: Uuid, supplier: &Supplier, products: &[&Product]) -> Value {
    let lines = products.iter().map(|product| {
        json!({
            "product_id": company.product_uuid(product.id),
            "quantity": product.units_on_order.to_string(),
        })
    });
    json!({
        "id": id,
        "supplier_id": company.uuid(kind::SUPPLIER, supplier.id),
        "order_date": company.closing_date(),
        "submit": true,
        "lines": lines.collect::<Vec<_>>(),
    })
}

pub(super) fn invoice(id: Uuid, order: &Order) -> Value {
    let mut invoice = json!({
        "id": id,
        "date": order.delivery_date(),
        "post": true,
    });
    if !order.freight.is_zero() {
        let freight = json!({ "kind": "freight", "description": "Freight", "amount": order.freight.to_string() });
        invoice["extra_charges"] = json!([freight]);
    }
    invoice
}

/// The whole invoice, on the day that it is due.
pub(super) fn payment(company: &Company, id: Uuid, order: &Order) -> Value {
    json!({
        "id": id,
        "direction": "in",
        "party_type": "customer",
        "party_id": company.customer_uuid(&order.customer_id),
        "amount": order.invoiced().to_string(),
        "date": order.due_date(),
        "allocations": [{ "document_id": company.uuid(kind::INVOICE, order.id) }],
    })
}
