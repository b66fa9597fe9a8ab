use super::pdf;
use crate::deals::support::{act, deal, pipeline, stage};
use crate::sales::new_id;
use crate::support::{crm, customer, id};
use serde_json::json;

#[actix_web::test]
async fn a_document_on_the_deal_proves_a_step_and_stays() {
    let crm = crm().await;
    let mut first = stage("first", "0.1", &["second"]);
    first["steps"] = json!([{ "key": "offer", "name": "Offer", "evidence": "document" }]);
    let body = json!({ "name": "Proved", "publish": true, "stages": [first, stage("second", "0.5", &[])] });
    let proved = crm.client.post("/v1/pipelines", body).await.expect(201);
    let of = customer(&crm.client, "Proved").await;
    let asked = deal(&crm.client, &of, &proved, json!({})).await;
    let other = deal(&crm.client, &of, &pipeline(&crm.client, "Plain").await, json!({})).await;
    let on_deal = pdf(&crm.client, ("deal", id(&asked)), "offer.pdf").await;
    let elsewhere = pdf(&crm.client, ("deal", id(&other)), "offer.pdf").await;
    let on_customer = pdf(&crm.client, ("customer", id(&of)), "offer.pdf").await;
    act(&crm.client, &asked, "move", json!({ "stage": "second" }))
        .await
        .expect_problem(409, "steps_missing");
    for wrong in [id(&elsewhere), id(&on_customer), &new_id()] {
        act(
            &crm.client,
            &asked,
            "steps/offer/complete",
            json!({ "evidence_id": wrong }),
        )
        .await
        .expect_problem(422, "unknown_evidence");
    }
    let done = act(
        &crm.client,
        &asked,
        "steps/offer/complete",
        json!({ "evidence_id": on_deal["id"] }),
    )
    .await
    .expect(200);
    assert_eq!(
        (&done["steps"][0]["done"], &done["steps"][0]["evidence_id"]),
        (&json!(true), &on_deal["id"])
    );
    let path = format!("/v1/attachments/{}", id(&on_deal));
    let delete = crm
        .client
        .request(reqwest::Method::DELETE, &path)
        .header("If-Match", "\"1\"");
    crm.client
        .send(delete)
        .await
        .expect_problem(409, "attachment_is_evidence");
    act(&crm.client, &asked, "move", json!({ "stage": "second" }))
        .await
        .expect(200);
}
