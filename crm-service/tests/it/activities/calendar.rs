use super::{activity, sql};
use crate::support::{crm, id};
use chrono::{Days, Utc};
use serde_json::{Value, json};
use service_kit::testing::{Client, User};

async fn address(user: &User) -> String {
    let made = user.client.post("/v1/me/calendar", json!({})).await.expect(201);
    made["path"].as_str().unwrap().to_owned()
}

/// The calendar with its folded lines put together.
async fn calendar(client: &Client, path: &str) -> String {
    let reply = client.with_key("").get(path).await;
    assert_eq!(
        (reply.status.as_u16(), reply.headers["content-type"].to_str().unwrap()),
        (200, "text/calendar; charset=utf-8")
    );
    let text = reply.body.as_str().unwrap().to_owned();
    assert!(text.lines().all(|line| line.len() <= 75), "{text}");
    assert!(text.replace("\r\n", "").find('\n').is_none(), "lines end in CR LF");
    text.replace("\r\n ", "")
}

#[actix_web::test]
async fn a_calendar_shows_what_its_owner_has_to_do() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let bob = crm.user("Bob", "sales", "all", None).await;
    let day = Utc::now().date_naive() + Days::new(10);
    let meeting = json!({ "kind": "meeting", "title": "Autumn range; prices, terms", "location": "Café René", "body": "Bring:\n- tea",
                          "starts_at": format!("{day}T09:00:00Z"), "ends_at": format!("{day}T10:30:00Z") });
    let meeting = activity(&ann.client, meeting).await;
    activity(
        &ann.client,
        json!({ "kind": "call", "title": "Ring", "direction": "out", "due_at": format!("{day}T14:00:00Z") }),
    )
    .await;
    activity(
        &ann.client,
        json!({ "kind": "task", "title": "Send the offer", "due_on": day }),
    )
    .await;
    activity(&ann.client, json!({ "kind": "task", "title": "Some day" })).await;
    activity(&ann.client, json!({ "kind": "note", "title": "Remember", "body": "x" })).await;
    activity(&bob.client, json!({ "kind": "task", "title": "Of Bob", "due_on": day })).await;
    let dropped = activity(
        &ann.client,
        json!({ "kind": "task", "title": "Dropped", "due_on": day }),
    )
    .await;
    ann.client
        .post(&format!("/v1/activities/{}/cancel", id(&dropped)), json!({}))
        .await
        .expect(200);
    for (title, days) in [("Lately", 89), ("Long ago", 92)] {
        let made = activity(&ann.client, json!({ "kind": "task", "title": title, "due_on": day })).await;
        let made = id(&made);
        sql(
            &crm,
            &format!(
                "UPDATE activities SET due_by = now() - interval '{days} days', due_on = current_date - {days} WHERE id = '{made}'"
            ),
        );
    }
    let text = calendar(&crm.client, &address(&ann).await).await;
    let compact = day.format("%Y%m%d");
    for line in [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        format!("UID:{}@tandem", id(&meeting)),
        r"SUMMARY:Autumn range\; prices\, terms".to_owned(),
        r"DESCRIPTION:Bring:\n- tea".to_owned(),
        "LOCATION:Café René".to_owned(),
        format!("DTSTART:{compact}T090000Z"),
        format!("DTEND:{compact}T103000Z"),
        format!("DTSTART:{compact}T140000Z"),
        format!("DTEND:{compact}T143000Z"),
        format!("DTSTART;VALUE=DATE:{compact}"),
        "SUMMARY:Send the offer".to_owned(),
        "SUMMARY:Lately".to_owned(),
        "END:VCALENDAR".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 4, "{text}");
    for absent in ["Some day", "Remember", "Of Bob", "Dropped", "Long ago"] {
        assert!(!text.contains(absent), "{absent} in\n{text}");
    }
}

#[actix_web::test]
async fn an_address_is_secret_and_can_be_ended() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let visitor = crm.client.with_key("");
    ann.client.get("/v1/me/calendar").await.expect_problem(404, "not_found");
    let first = address(&ann).await;
    calendar(&crm.client, &first).await;
    let shown: Value = ann.client.get("/v1/me/calendar").await.expect(200);
    assert_eq!(
        (shown["user_id"].as_str(), shown.get("path")),
        (Some(ann.id.as_str()), None)
    );
    // A new address ends the old one.
    let second = address(&ann).await;
    visitor.get(&first).await.expect_problem(404, "not_found");
    calendar(&crm.client, &second).await;
    // So does the end of its user.
    sql(
        &crm,
        &format!("UPDATE users SET active = false WHERE id = '{}'", ann.id),
    );
    visitor.get(&second).await.expect_problem(404, "not_found");
    sql(&crm, &format!("UPDATE users SET active = true WHERE id = '{}'", ann.id));
    ann.client.delete("/v1/me/calendar").await.expect(204);
    visitor.get(&second).await.expect_problem(404, "not_found");
    visitor
        .get("/v1/calendars/x.ics")
        .await
        .expect_problem(400, "invalid_path");
    let stored = crm.client.get("/v1/audit-log?limit=50").await.expect(200).to_string();
    assert!(!stored.contains(&first[14..40]) && !stored.contains(&second[14..40]));
}
