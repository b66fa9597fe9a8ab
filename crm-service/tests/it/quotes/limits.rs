use super::support::{act, people, quote, sold};
use crate::support::{crm, customer, id};
use serde_json::json;

#[actix_web::test]
async fn a_users_own_limit_goes_before_the_roles_and_that_before_everybodys() {
    let crm = crm().await;
    let nancy = crm.user("Nancy", "sales", "own", None).await;
    let of = customer(&nancy.client, "Limited").await;
    let tea = sold(&crm, "TEA", "10").await;
    let lines = json!([{ "product_id": tea, "quantity": "1", "discount": "0.15" }]);
    let draft = quote(&nancy.client, &of, json!({ "lines": lines })).await;
    let refused = act(&nancy.client, &draft, "send?dry_run=true", json!({})).await;
    assert_eq!(refused.expect_problem(409, "approval_required")["max_discount"], "0.1");
    let role = json!({ "role": "sales", "max_discount": "0.12" });
    let role = crm.client.post("/v1/discount-limits", role).await.expect(201);
    let refused = act(&nancy.client, &draft, "send?dry_run=true", json!({})).await;
    assert_eq!(refused.expect_problem(409, "approval_required")["max_discount"], "0.12");
    let own = json!({ "user_id": nancy.id, "max_discount": "0.15" });
    let own = crm.client.post("/v1/discount-limits", own).await.expect(201);
    act(&nancy.client, &draft, "send?dry_run=true", json!({}))
        .await
        .expect(200);
    // A narrower one of her own counts too.
    let path = format!("/v1/discount-limits/{}", id(&own));
    let etag = crm.client.get(&path).await.etag();
    crm.client
        .patch_matching(&path, &etag, json!({ "max_discount": "0" }))
        .await
        .expect(200);
    let refused = act(&nancy.client, &draft, "send?dry_run=true", json!({})).await;
    assert_eq!(refused.expect_problem(409, "approval_required")["max_discount"], "0");
    crm.client.delete(&path).await.expect(204);
    crm.client
        .delete(&format!("/v1/discount-limits/{}", id(&role)))
        .await
        .expect(204);
    let refused = act(&nancy.client, &draft, "send", json!({})).await;
    assert_eq!(refused.expect_problem(409, "approval_required")["max_discount"], "0.1");
}

#[actix_web::test]
async fn limits_are_set_by_administrators_once_for_each() {
    let crm = crm().await;
    let (rep, manager) = people(&crm).await;
    for client in [&rep, &manager] {
        let mine = json!({ "role": "sales", "max_discount": "1" });
        client
            .post("/v1/discount-limits", mine)
            .await
            .expect_problem(403, "forbidden");
    }
    let roles: Vec<_> = rep.get("/v1/discount-limits").await.expect(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| (limit["role"].clone(), limit["max_discount"].clone()))
        .collect();
    assert_eq!(
        roles,
        [
            (json!(null), json!("0.1")),
            (json!("sales_manager"), json!("0.3")),
            (json!("admin"), json!("1"))
        ]
    );
    for (body, status, code) in [
        (json!({ "max_discount": "0.5" }), 409, "duplicate"),
        (json!({ "role": "admin", "max_discount": "0.5" }), 409, "duplicate"),
        (
            json!({ "user_id": crate::sales::new_id(), "max_discount": "0.5" }),
            422,
            "unknown_user",
        ),
        (
            json!({ "role": "sales", "user_id": crate::sales::new_id(), "max_discount": "0.5" }),
            422,
            "ambiguous",
        ),
    ] {
        crm.client
            .post("/v1/discount-limits", body)
            .await
            .expect_problem(status, code);
    }
}
