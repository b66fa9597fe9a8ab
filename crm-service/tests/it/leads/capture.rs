use super::{act, items, lead, now};
use crate::activities::faults;
use crate::support::{crm, events, id};
use futures_util::future::join_all;
use serde_json::json;

#[actix_web::test]
async fn who_comes_again_touches_the_open_lead() {
    let crm = crm().await;
    let first = lead(
        &crm.client,
        json!({ "email": "Maria@Alfreds.example", "source": "fair", "utm_source": "booth", "message": "Tea?" }),
    )
    .await;
    assert_eq!(
        (&first["state"], &first["label"], &first["touch_count"]),
        (&json!("new"), &json!("Alfreds Futterkiste"), &json!(1))
    );
    let again = json!({ "email": "maria@ALFREDS.example", "phone": "+49 30 1234567", "name": "M. A.",
                        "source": "newsletter", "campaign": "autumn", "utm_medium": "mail" });
    let again = crm.client.post("/v1/leads", again).await.expect(200);
    assert_eq!(
        [
            &again["id"],
            &again["touch_count"],
            &again["source"],
            &again["name"],
            &again["phone"],
            &again["campaign"]
        ],
        [
            &first["id"],
            &json!(2),
            &json!("fair"),
            &json!("Maria Anders"),
            &json!("+49 30 1234567"),
            &json!("autumn")
        ]
    );
    // By the number, however it is written.
    let called = json!({ "name": "Somebody", "phone": "0049 (30) 123 45 67" });
    assert_eq!(
        crm.client.post("/v1/leads", called).await.expect(200)["id"],
        first["id"]
    );
    let touches = items(&crm.client, &format!("/v1/leads/{}/touches", id(&first))).await;
    let told: Vec<_> = touches
        .iter()
        .map(|touch| {
            (
                &touch["source"],
                &touch["campaign"],
                &touch["utm_source"],
                &touch["utm_medium"],
            )
        })
        .collect();
    let none = json!(null);
    assert_eq!(
        told,
        [
            (&json!("fair"), &none, &json!("booth"), &none),
            (&json!("newsletter"), &json!("autumn"), &none, &json!("mail")),
            (&none, &none, &none, &none)
        ]
    );
    assert_eq!(touches[0]["message"], "Tea?");
    // One that is closed is left alone, and one may be made by itself.
    let own = json!({ "email": "maria@alfreds.example", "join": false });
    assert_ne!(crm.client.post("/v1/leads", own).await.expect(201)["id"], first["id"]);
    act(&crm.client, &first, "disqualify", json!({ "reason": "no_need" }))
        .await
        .expect(200);
    let called = json!({ "phone": "+49301234567" });
    assert_ne!(
        crm.client.post("/v1/leads", called).await.expect(201)["id"],
        first["id"]
    );
    assert_eq!(events(&crm.client, "lead.changed", 6).await.len(), 6);
}

#[actix_web::test]
async fn of_thirty_two_at_once_one_makes_the_lead() {
    let crm = crm().await;
    let replies = join_all((0..32).map(|n| {
        let body = match n % 2 {
            0 => json!({ "email": "maria@alfreds.example", "phone": "+49 30 1234567" }),
            _ => json!({ "phone": "0049301234567", "email": "MARIA@alfreds.example" }),
        };
        crm.client.post("/v1/leads", body)
    }))
    .await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let joined = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((made, joined), (1, 31));
    assert_eq!(now(&crm.client, &replies[0].body).await["touch_count"], 32);
    let path = format!("/v1/leads/{}/touches?limit=500", id(&replies[0].body));
    assert_eq!(items(&crm.client, &path).await.len(), 32);
}

#[actix_web::test]
async fn a_touch_is_noted_by_hand_while_the_lead_is_open() {
    let crm = crm().await;
    let made = lead(&crm.client, json!({})).await;
    let touched = act(
        &crm.client,
        &made,
        "touches",
        json!({ "source": "phone", "message": "Called back" }),
    )
    .await
    .expect(200);
    assert_eq!(
        (&touched["touch_count"], &touched["source"]),
        (&json!(2), &json!("phone"))
    );
    act(&crm.client, &made, "disqualify", json!({ "reason": "other" }))
        .await
        .expect(200);
    act(&crm.client, &made, "touches", json!({ "source": "phone" }))
        .await
        .expect_problem(409, "illegal_transition");
}

#[actix_web::test]
async fn a_faulty_lead_is_answered_with_all_its_faults() {
    let crm = crm().await;
    let nobody = crm.client.clone();
    let body = json!({ "message": "Hello", "owner_id": "00000000-0000-7000-8000-000000000001",
                       "team_id": "00000000-0000-7000-8000-000000000002", "custom_fields": { "size": 1 } });
    let problem = nobody
        .post("/v1/leads", body)
        .await
        .expect_problem(422, "invalid_input");
    let expected = [
        ("/custom_fields/size", "unknown_field"),
        ("/email", "required"),
        ("/owner_id", "unknown_user"),
        ("/team_id", "unknown_team"),
    ];
    assert_eq!(
        faults(&problem),
        expected.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    let made = lead(&crm.client, json!({ "id": "00000000-0000-7000-8000-00000000000a" })).await;
    let body = json!({ "id": id(&made), "name": "Another" });
    crm.client
        .post("/v1/leads", body)
        .await
        .expect_problem(409, "duplicate");
    // What is there may change, but somebody must stay.
    let path = format!("/v1/leads/{}", id(&made));
    let patch = json!({ "name": null, "company": null });
    crm.client.patch(&path, patch).await.expect_problem(422, "required");
    let patch = json!({ "company": null, "email": "a@b.example", "country": "DE" });
    let changed = crm.client.patch(&path, patch).await.expect(200);
    assert_eq!(
        (&changed["label"], &changed["country"]),
        (&json!("Maria Anders"), &json!("DE"))
    );
}

#[actix_web::test]
async fn a_lead_has_custom_fields() {
    let crm = crm().await;
    let field = json!({ "record_type": "lead", "key": "seats", "label": "Seats", "type": "number" });
    crm.client.post("/v1/custom-fields", field).await.expect(201);
    let made = lead(&crm.client, json!({ "custom_fields": { "seats": "40" } })).await;
    assert_eq!(made["custom_fields"], json!({ "seats": "40" }));
    lead(
        &crm.client,
        json!({ "company": "Small", "custom_fields": { "seats": "4" } }),
    )
    .await;
    assert_eq!(
        super::labels(&crm.client, "/v1/leads?filter=custom.seats%20%3E%2010").await,
        ["Alfreds Futterkiste"]
    );
    assert_eq!(
        super::labels(&crm.client, "/v1/leads?sort=custom.seats").await,
        ["Small", "Alfreds Futterkiste"]
    );
}
