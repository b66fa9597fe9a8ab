use super::room;
use crate::activities::faults;
use crate::support::{crm, id};
use serde_json::json;

#[actix_web::test]
async fn a_resource_has_hours_on_its_own_wall_clock() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let more = json!({ "name": "Ann", "kind": "person", "user_id": ann.id, "time_zone": "Europe/Berlin" });
    let made = room(&crm.client, more).await;
    assert_eq!((&made["user_id"], &made["active"]), (&json!(ann.id), &json!(true)));
    room(&crm.client, json!({})).await;
    let list = crm.client.get("/v1/resources?kind=person&q=an").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let path = format!("/v1/resources/{}", id(&made));
    let hours = json!([{ "weekday": 1, "from": "22:00", "to": "24:00" }]);
    let changed = crm
        .client
        .patch(&path, json!({ "working_hours": hours }))
        .await
        .expect(200);
    assert_eq!((&changed["working_hours"], &changed["revision"]), (&hours, &json!(2)));
    // Who sells books, and does not say when it is open.
    ann.client.get(&path).await.expect(200);
    ann.client
        .patch(&path, json!({ "active": false }))
        .await
        .expect_problem(403, "forbidden");
}

#[actix_web::test]
async fn faulty_hours_are_answered_with_all_their_faults() {
    let crm = crm().await;
    let day = "2026-12-24";
    let body = json!({
        "name": "Bad", "kind": "room", "time_zone": "Europe/Atlantis", "user_id": "00000000-0000-7000-8000-000000000001",
        "working_hours": [{ "weekday": 1, "from": "09:00", "to": "12:00" }, { "weekday": 1, "from": "11:00", "to": "13:00" },
                          { "weekday": 2, "from": "12:00", "to": "12:00" }],
        "exceptions": [{ "date": day, "hours": [] }, { "date": day, "hours": [{ "from": "10:00", "to": "09:00" }] }],
    });
    let problem = crm
        .client
        .post("/v1/resources", body)
        .await
        .expect_problem(422, "invalid_input");
    let expected = [
        ("/exceptions/1/date", "duplicate"),
        ("/exceptions/1/hours/0/to", "out_of_range"),
        ("/time_zone", "unknown_time_zone"),
        ("/user_id", "not_allowed"),
        ("/user_id", "unknown_user"),
        ("/working_hours/1/from", "overlaps"),
        ("/working_hours/2/to", "out_of_range"),
    ];
    assert_eq!(
        faults(&problem),
        expected.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    let body =
        json!({ "name": "Bad", "kind": "room", "working_hours": [{ "weekday": 8, "from": "9:00", "to": "24:01" }] });
    let problem = crm
        .client
        .post("/v1/resources", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3);
}
