use super::{pdf, upload};
use crate::deals::support::{ids, team, user};
use crate::support::{crm, id};
use serde_json::json;

#[actix_web::test]
async fn a_file_follows_its_own_owner() {
    let crm = crm().await;
    let (north, south) = (team(&crm, "North").await, team(&crm, "South").await);
    let (anna, anna_id) = user(&crm, "Anna", "own", Some(&north)).await;
    let (bert, bert_id) = user(&crm, "Bert", "own", Some(&south)).await;
    let (lead, _) = user(&crm, "Lead", "team", Some(&north)).await;
    let of = anna
        .post("/v1/customers", json!({ "name": "Hers", "kind": "company" }))
        .await
        .expect(201);
    let subject = ("customer", id(&of));
    // A customer out of sight is not there to hang a file on.
    upload(&bert, subject, "a.pdf", "", b"x")
        .await
        .expect_problem(422, "unknown_subject");
    let mine = pdf(&anna, subject, "a.pdf").await;
    assert_eq!((&mine["owner_id"], &mine["team_id"]), (&json!(anna_id), &json!(north)));
    // A client with a key files for whom the customer belongs to.
    assert_eq!(pdf(&crm.client, subject, "b.pdf").await["owner_id"], json!(anna_id));

    let path = format!("/v1/attachments/{}", id(&mine));
    lead.get(&path).await.expect(200);
    let etag = anna.get(&path).await.etag();
    for path in [path.clone(), format!("{path}/content")] {
        bert.get(&path).await.expect_problem(404, "not_found");
        // Knowing what is in it does not help.
        let known = bert
            .request(reqwest::Method::GET, &path)
            .header("If-None-Match", format!("\"{}\"", mine["sha256"].as_str().unwrap()));
        bert.send(known).await.expect_problem(404, "not_found");
    }
    let delete = bert.request(reqwest::Method::DELETE, &path).header("If-Match", &etag);
    bert.send(delete).await.expect_problem(404, "not_found");
    let take = json!({ "owner_id": bert_id });
    bert.post(&format!("{path}/assign"), take.clone())
        .await
        .expect_problem(404, "not_found");
    assert_eq!(ids(&bert.get("/v1/attachments").await.expect(200)), [""; 0]);
    assert_eq!(ids(&anna.get("/v1/attachments").await.expect(200)).len(), 2);

    // Who gets it sees it; who sees the customer alone does not any more.
    let given = anna.post(&format!("{path}/assign"), take).await.expect(200);
    assert_eq!(
        (&given["owner_id"], &given["team_id"], &given["revision"]),
        (&json!(bert_id), &json!(south), &json!(2))
    );
    bert.get(&path).await.expect(200);
    anna.get(&path).await.expect_problem(404, "not_found");
    let timeline = anna
        .get(&format!("/v1/customers/{}/timeline?subject={}", id(&of), id(&mine)))
        .await
        .expect(200);
    assert_eq!(timeline["items"], json!([]));
}
