//! Every request that a flow can build is what the target's document allows, and every path that
//! the sync reads is in the owner's document.

use crate::fake::{customer, invoice, level, membership, order, payment, sales_order, segment};
use integration_sync::flows::{Change, FLOWS, Flow, Request};
use integration_sync::http::System;
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

fn document(system: System) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../openapi/{}.json", system.as_str()));
    let text = std::fs::read_to_string(&path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn change(kind: &'static str, version: i64, replace: bool, data: Value) -> Change {
    Change {
        kind,
        subject: data["id"].as_str().unwrap().parse().unwrap(),
        version,
        as_of: chrono::Utc::now(),
        replace,
        data: serde_json::value::to_raw_value(&data).unwrap(),
    }
}

/// Records as full and as bare as they come.
fn samples(flow: &Flow) -> Vec<(&'static str, Value)> {
    let id = Uuid::now_v7();
    let with = |mut record: Value, fields: Value| {
        record
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        record
    };
    let category = json!({
        "id": id, "name": "Drinks", "description": "Hot and cold", "parent_id": id, "external_ref": "1", "version": 1,
        "revision": 1, "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:00:00Z",
    });
    let product = json!({
        "id": id, "sku": "P-1", "name": "Tea", "description": "Green", "kind": "goods", "unit": "pcs",
        "category_id": id, "category_name": "Drinks", "status": "active", "external_ref": "1", "version": 1,
        "revision": 1, "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:00:00Z",
    });
    let price = json!({
        "id": id, "price_list_id": id, "price_list_name": "Base", "currency": "USD", "tier": "A", "product_id": id,
        "unit_price": "9.5000", "minimum_quantity": "0.000", "valid_from": "2026-01-01", "valid_to": "2026-12-31",
        "version": 1, "revision": 1, "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:00:00Z",
    });
    let credit = json!({
        "id": id, "name": "Acme", "tier": "A", "credit_limit": "1000.00", "credit_currency": "USD",
        "credit_hold": true, "credit_hold_reason": "late", "blocked": false, "blocked_reason": null,
        "exposure": "10.00", "open_balance": "-2.00", "overdue_days": 3, "version": 1,
        "exposure_parts": {
            "orders": "12.00", "invoices": "0.00", "credits": "-2.00", "advances": "0.00", "rates_missing": ["CHF"],
        },
    });
    match flow.name {
        "customers-to-erp" => vec![
            ("customer", customer(id, 1, "Acme")),
            (
                "customer",
                with(
                    customer(id, 1, "Acme"),
                    json!({
                        "kind": "person", "status": "archived", "email": null, "grade": null, "grade_effective_from": null,
                        "external_ref": null, "legal_entities": [], "contacts": [], "addresses": [],
                    }),
                ),
            ),
        ],
        "segments-to-erp" => vec![
            ("segment", segment(id, 1, "Regulars")),
            (
                "segment",
                with(
                    segment(id, 2, "Fair"),
                    json!({ "description": null, "kind": "static", "rule": null, "status": "archived" }),
                ),
            ),
        ],
        "segment-members-to-erp" => vec![
            ("segment_membership", membership(id, 1, id, id)),
            ("segment_membership", membership(id, 2, id, id)),
        ],
        "orders-to-erp" => vec![
            ("order", order(id, 1, id)),
            (
                "order",
                with(
                    order(id, 2, id),
                    json!({
                        "requested_date": "2026-12-01", "external_ref": "PO 7",
                        "cancellation": { "state": "requested", "reason": "changed my mind" },
                    }),
                ),
            ),
        ],
        "catalogue-to-crm" => vec![
            ("category", category.clone()),
            (
                "category",
                with(
                    category,
                    json!({ "description": null, "parent_id": null, "external_ref": null }),
                ),
            ),
            ("product", product.clone()),
            (
                "product",
                with(
                    product,
                    json!({
                        "description": null, "category_id": null, "category_name": null, "external_ref": null,
                        "kind": "service", "status": "retired",
                    }),
                ),
            ),
            ("price", price.clone()),
            (
                "price",
                with(price, json!({ "tier": null, "valid_from": null, "valid_to": null })),
            ),
        ],
        "currencies-to-crm" => vec![
            (
                "company",
                json!({
                    "id": id, "name": "Northwind", "base_currency": "USD", "reference_currency": "EUR", "version": 2,
                    "revision": 2, "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:00:00Z",
                }),
            ),
            (
                "exchange_rate",
                json!({
                    "id": id, "date": "2026-11-01", "reference": "EUR", "currency": "USD", "rate": "1.0823",
                    "source": "ecb", "version": 1, "revision": 1, "created_at": "2026-11-01T00:00:00Z",
                    "updated_at": "2026-11-01T00:00:00Z",
                }),
            ),
        ],
        "availability-to-crm" => vec![("availability", level(id, 1, "10.000"))],
        "fulfilment-to-crm" => vec![
            ("order", sales_order(id, 1, "confirmed")),
            (
                "order",
                with(
                    sales_order(id, 2, "rejected"),
                    json!({
                        "number": null, "lifecycle": "rejected",
                        "rejection": [{ "line": Uuid::now_v7(), "code": "unknown_product", "message": "no such product" }],
                    }),
                ),
            ),
            (
                "order",
                with(
                    sales_order(id, 3, "on_hold"),
                    json!({
                        "holds": [{ "code": "credit", "reason": "over the limit", "placed_at": "2026-11-01T00:00:00Z" }],
                        "cancellation": { "state": "refused", "reason": "shipped" },
                        "deliveries": [{
                            "id": id, "number": "D-1", "date": "2026-11-03",
                            "lines": [{ "line_id": id, "product_id": id, "quantity": "1.000" }],
                        }],
                    }),
                ),
            ),
        ],
        "credit-to-crm" => vec![
            ("credit", credit.clone()),
            ("credit", with(credit, json!({ "tier": null, "credit_limit": null }))),
            (
                "credit",
                json!({ "id": id, "credit_currency": "USD", "credit_hold": false, "blocked": false, "version": 1 }),
            ),
        ],
        "documents-to-crm" => vec![
            ("invoice", invoice(id, 1, "posted")),
            (
                "invoice",
                with(
                    invoice(id, 2, "partially_paid"),
                    json!({
                        "kind": "credit_note", "credited_invoice_id": id, "return_id": id, "order_id": id, "number": "CN-1",
                        "open_amount": "-2.00", "reason": "broken", "external_ref": "7", "party": null,
                        "advances": [{ "advance_id": id, "gross": "1.00" }],
                        "allocations": [{
                            "document_type": "payment", "document_id": id, "date": "2026-11-03", "amount": "20.61",
                            "discount": "0.00", "written_off": "0.00",
                        }],
                    }),
                ),
            ),
            ("payment", payment(id, 1, Some("customer"))),
            (
                "payment",
                with(
                    payment(id, 2, Some("customer")),
                    json!({
                        "direction": "out", "status": "reversed", "reversed_on": "2026-11-04", "reversal_reason": "bounced",
                        "reference": null, "external_ref": "9", "allocations": [],
                    }),
                ),
            ),
        ],
        other => panic!("no samples for {other}"),
    }
}

fn requests(flow: &Flow) -> Vec<Request> {
    let build = |(kind, data): (&'static str, Value)| {
        [false, true].map(|replace| {
            let request = (flow.request)(&change(kind, 1, replace, data.clone()))
                .unwrap()
                .unwrap();
            flow.alone(&request, replace)
        })
    };
    samples(flow).into_iter().flat_map(build).collect()
}

/// The documented path that a path is an instance of.
fn documented<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |pattern: &str| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        let same = |(p, s): (&&str, &&str)| p == s || (p.starts_with('{') && s.parse::<Uuid>().is_ok());
        pattern.len() == segments.len() && pattern.iter().zip(&segments).all(same)
    };
    document["paths"]
        .as_object()?
        .iter()
        .find(|(pattern, _)| fits(pattern))
        .map(|(_, item)| item)
}

#[test]
fn every_request_is_what_the_target_documents() {
    for flow in FLOWS {
        let Some(document) = document(flow.target) else {
            println!(
                "SKIPPED: every_request_is_what_the_target_documents: there is no openapi/{}.json",
                flow.target.as_str()
            );
            return;
        };
        for request in requests(flow) {
            let operation = documented(&document, &request.path)
                .map(|item| &item["put"])
                .filter(|put| put.is_object());
            let operation = operation.unwrap_or_else(|| panic!("{}: no PUT {}", flow.name, request.path));
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let schema = json!({ "$ref": schema["$ref"], "components": document["components"] });
            let validator = jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .should_validate_formats(true)
                .build(&schema)
                .unwrap();
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let faults: Vec<String> = validator
                .iter_errors(&body)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(
                faults.is_empty(),
                "{}: PUT {} {body:#}\n{}",
                flow.name,
                request.path,
                faults.join("\n")
            );
        }
    }
}

#[test]
fn every_record_is_read_where_the_owner_documents_it() {
    for flow in FLOWS {
        let Some(document) = document(flow.source) else {
            println!(
                "SKIPPED: every_record_is_read_where_the_owner_documents_it: there is no openapi/{}.json",
                flow.source.as_str()
            );
            return;
        };
        for record in flow.records {
            let (path, query) = record.list.split_once('?').unwrap_or((record.list, ""));
            let list = &document["paths"][path]["get"];
            assert!(list.is_object(), "{}: no GET {path}", flow.name);
            let parameters = list["parameters"].as_array().cloned().unwrap_or_default();
            let named = |name: &str| parameters.iter().any(|p| p["in"] == "query" && p["name"] == name);
            assert!(named("limit") && named("cursor"), "{}: {path} has no pages", flow.name);
            for (name, _) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                assert!(named(name), "{}: {path} has no filter {name}", flow.name);
            }
            if let Some(one) = record.one {
                let item = documented(&document, &format!("{one}/{}", Uuid::nil()));
                assert!(
                    item.is_some_and(|item| item["get"].is_object()),
                    "{}: no GET {one}/{{id}}",
                    flow.name
                );
            }
        }
    }
}
