use super::{at, book, monday, room};
use crate::activities::faults;
use crate::support::{crm, customer, events, id, timeline_kinds};
use chrono::Days;
use futures_util::future::join_all;
use serde_json::{Value, json};

#[actix_web::test]
async fn thirty_two_book_a_room_once() {
    let crm = crm().await;
    let (showroom, day) = (room(&crm.client, json!({})).await, monday());
    // All overlap each other, though no two are the same.
    let replies = join_all((0..32).map(|n| {
        let (from, to) = (format!("10:{n:02}"), format!("11:{n:02}"));
        let (client, showroom) = (crm.client.clone(), showroom.clone());
        async move { book(&client, &showroom, day, (&from, &to)).await }
    }))
    .await;
    let won: Vec<&Value> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| &reply.body)
        .collect();
    assert_eq!(won.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        let problem = reply.clone().expect_problem(409, "already_booked");
        let taken = json!([{ "starts_at": won[0]["starts_at"], "ends_at": won[0]["ends_at"] }]);
        assert_eq!(problem["taken"], taken);
    }
    let list = crm.client.get("/v1/bookings").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_booking_lies_within_the_working_hours() {
    let crm = crm().await;
    let day = monday();
    let closed = json!([{ "date": day + Days::new(1), "hours": [] },
                        { "date": day + Days::new(5), "hours": [{ "from": "10:00", "to": "11:00" }] }]);
    let showroom = room(&crm.client, json!({ "exceptions": closed })).await;
    for (days, times) in [
        (0, ("08:59", "10:00")),
        (0, ("11:00", "13:30")),
        (0, ("16:30", "17:01")),
        (1, ("10:00", "11:00")),
        (5, ("09:00", "10:30")),
        (6, ("10:00", "11:00")),
    ] {
        let refused = book(&crm.client, &showroom, day + Days::new(days), times).await;
        let problem = refused.expect_problem(422, "outside_working_hours");
        assert_eq!(problem["errors"][0]["pointer"], "/starts_at");
    }
    for (days, times) in [
        (0, ("09:00", "12:00")),
        (0, ("13:00", "17:00")),
        (5, ("10:00", "11:00")),
    ] {
        book(&crm.client, &showroom, day + Days::new(days), times)
            .await
            .expect(201);
    }
    // What only touches is no overlap.
    let tuesday = day + Days::new(2);
    book(&crm.client, &showroom, tuesday, ("09:00", "10:00"))
        .await
        .expect(201);
    book(&crm.client, &showroom, tuesday, ("10:00", "11:00"))
        .await
        .expect(201);
    book(&crm.client, &showroom, tuesday, ("09:59", "10:01"))
        .await
        .expect_problem(409, "already_booked");
}

#[actix_web::test]
async fn a_booking_is_moved_and_its_time_given_back() {
    let crm = crm().await;
    let (showroom, day) = (room(&crm.client, json!({})).await, monday());
    let kit = room(&crm.client, json!({ "name": "Demo kit", "kind": "equipment" })).await;
    let first = book(&crm.client, &showroom, day, ("09:00", "10:00")).await.expect(201);
    let second = book(&crm.client, &showroom, day, ("10:00", "11:00")).await.expect(201);
    assert_eq!(first["allowed_actions"], json!(["edit", "move", "cancel"]));
    let path = |booking: &Value, verb: &str| format!("/v1/bookings/{}/{verb}", id(booking));
    let to = |from: &str, to: &str| json!({ "starts_at": at(day, from), "ends_at": at(day, to) });
    crm.client
        .post(&path(&first, "move"), to("09:30", "10:30"))
        .await
        .expect_problem(409, "already_booked");
    crm.client
        .post(&path(&first, "move"), to("12:00", "13:00"))
        .await
        .expect_problem(422, "outside_working_hours");
    // Its own time is not in its way.
    let moved = crm
        .client
        .post(&path(&second, "move"), to("10:30", "11:30"))
        .await
        .expect(200);
    assert_eq!(
        (&moved["starts_at"], &moved["revision"]),
        (&json!(at(day, "10:30")), &json!(2))
    );
    let mut other = to("09:30", "10:30");
    other["resource_id"] = kit["id"].clone();
    let moved = crm.client.post(&path(&first, "move"), other).await.expect(200);
    assert_eq!(moved["resource_id"], kit["id"]);
    let body = json!({ "reason": "Ill" });
    let cancel = path(&second, "cancel");
    let replies = join_all((0..8).map(|_| crm.client.post(&cancel, body.clone()))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    let refused = replies.into_iter().find(|reply| reply.status != 200).unwrap();
    refused.expect_problem(409, "illegal_transition");
    crm.client
        .post(&path(&second, "move"), to("10:30", "11:30"))
        .await
        .expect_problem(409, "illegal_transition");
    book(&crm.client, &showroom, day, ("09:00", "12:00")).await.expect(201);
    assert_eq!(events(&crm.client, "booking.changed", 6).await.len(), 6);
}

#[actix_web::test]
async fn a_booking_follows_its_owner_and_is_about_what_is_in_sight() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let bob = crm.user("Bob", "sales", "own", None).await;
    let (showroom, day) = (room(&crm.client, json!({})).await, monday());
    let of = customer(&ann.client, "Alfreds Futterkiste").await;
    let about = |from: &str, to: &str| {
        json!({ "resource_id": id(&showroom), "title": "Tasting", "starts_at": at(day, from), "ends_at": at(day, to),
                "subject_type": "customer", "subject_id": id(&of) })
    };
    bob.client
        .post("/v1/bookings", about("09:00", "10:00"))
        .await
        .expect_problem(422, "unknown_subject");
    let mine = ann
        .client
        .post("/v1/bookings", about("09:00", "10:00"))
        .await
        .expect(201);
    assert_eq!((&mine["owner_id"], &mine["customer_id"]), (&json!(ann.id), &of["id"]));
    assert_eq!(
        timeline_kinds(&ann.client, id(&of)).await,
        ["booking_made", "customer_created"]
    );
    let path = format!("/v1/bookings/{}", id(&mine));
    bob.client.get(&path).await.expect_problem(404, "not_found");
    bob.client
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .expect_problem(404, "not_found");
    let list = bob.client.get("/v1/bookings").await.expect(200);
    assert_eq!(list["items"], json!([]));
    // To others its time is taken, and nothing more.
    let refused = book(&bob.client, &showroom, day, ("09:30", "10:30")).await;
    let problem = refused.expect_problem(409, "already_booked");
    assert_eq!(
        problem["taken"],
        json!([{ "starts_at": at(day, "09:00"), "ends_at": at(day, "10:00") }])
    );
    let list = format!("/v1/bookings?customer_id={}&from={}", id(&of), at(day, "09:59"));
    assert_eq!(ann.client.get(&list).await.expect(200)["items"][0]["id"], mine["id"]);
}

#[actix_web::test]
async fn a_faulty_booking_is_answered_with_all_its_faults() {
    let crm = crm().await;
    let nobody = "00000000-0000-7000-8000-000000000001";
    let body = json!({ "resource_id": nobody, "title": "x", "starts_at": "2020-01-06T10:00:00Z", "ends_at": "2020-01-06T10:00:00Z",
                       "subject_type": "deal", "activity_id": nobody, "owner_id": nobody });
    let problem = crm
        .client
        .post("/v1/bookings", body)
        .await
        .expect_problem(422, "invalid_input");
    let expected = [
        ("/activity_id", "unknown_activity"),
        ("/ends_at", "out_of_range"),
        ("/owner_id", "unknown_user"),
        ("/resource_id", "unknown_resource"),
        ("/starts_at", "out_of_range"),
        ("/subject_id", "required"),
    ];
    assert_eq!(
        faults(&problem),
        expected.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
}

#[actix_web::test]
async fn a_booking_is_renamed_and_moved_and_the_calendar_follows() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let (showroom, day) = (room(&crm.client, json!({})).await, monday());
    let of = customer(&ann.client, "Alfreds Futterkiste").await;
    let body = json!({ "resource_id": id(&showroom), "title": "Tasting", "starts_at": at(day, "10:00"), "ends_at": at(day, "11:00"),
                       "subject_type": "customer", "subject_id": of["id"] });
    let booking = ann.client.post("/v1/bookings", body).await.expect(201);
    book(&crm.client, &showroom, day, ("13:00", "14:00")).await.expect(201);
    let feed = ann.client.post("/v1/me/calendar", json!({})).await.expect(201);
    let calendar = || async {
        let reply = crm.client.with_key("").get(feed["path"].as_str().unwrap()).await;
        reply.body.as_str().unwrap().replace("\r\n ", "")
    };
    let compact = day.format("%Y%m%d");
    let before = calendar().await;
    for line in [
        format!("UID:{}@tandem", id(&booking)),
        "SUMMARY:Tasting".to_owned(),
        "LOCATION:Showroom".to_owned(),
        "SEQUENCE:1".to_owned(),
        format!("DTSTART:{compact}T100000Z"),
    ] {
        assert!(before.lines().any(|found| found == line), "{line} in\n{before}");
    }
    let path = format!("/v1/bookings/{}", id(&booking));
    let renamed = json!({ "title": "Autumn tasting", "description": "Bring the Oolong" });
    let renamed = ann.client.patch(&path, renamed).await.expect(200);
    assert_eq!(
        [
            &renamed["title"],
            &renamed["description"],
            &renamed["revision"],
            &renamed["starts_at"]
        ],
        [
            &json!("Autumn tasting"),
            &json!("Bring the Oolong"),
            &json!(2),
            &booking["starts_at"]
        ]
    );
    let same = ann
        .client
        .patch(&path, json!({ "title": "Autumn tasting" }))
        .await
        .expect(200);
    assert_eq!(same["revision"], 2, "nothing changed");
    let taken = json!({ "starts_at": at(day, "13:30"), "ends_at": at(day, "14:30") });
    ann.client
        .patch(&path, taken)
        .await
        .expect_problem(409, "already_booked");
    let late = json!({ "starts_at": at(day, "16:30"), "ends_at": at(day, "18:30") });
    ann.client
        .patch(&path, late)
        .await
        .expect_problem(422, "outside_working_hours");
    let moved = json!({ "description": null, "starts_at": at(day, "14:00"), "ends_at": at(day, "15:00") });
    let moved = ann.client.patch(&path, moved).await.expect(200);
    assert_eq!((&moved["revision"], &moved["description"]), (&json!(3), &json!(null)));
    let after = calendar().await;
    for line in [
        "SUMMARY:Autumn tasting".to_owned(),
        "SEQUENCE:3".to_owned(),
        format!("DTSTART:{compact}T140000Z"),
    ] {
        assert!(after.lines().any(|found| found == line), "{line} in\n{after}");
    }
    let told = timeline_kinds(&ann.client, id(&of)).await;
    assert_eq!(told[..3], ["booking_moved", "booking_changed", "booking_made"]);
    // Of others, whom nobody named, the calendar shows nothing; what is cancelled is gone.
    assert_eq!(after.matches("BEGIN:VEVENT").count(), 1);
    ann.client.post(&format!("{path}/cancel"), json!({})).await.expect(200);
    assert_eq!(calendar().await.matches("BEGIN:VEVENT").count(), 0);
    ann.client
        .patch(&path, json!({ "title": "Again" }))
        .await
        .expect_problem(409, "illegal_transition");
}

#[actix_web::test]
async fn thirty_two_bookings_are_moved_to_one_slot() {
    let crm = crm().await;
    let day = monday();
    let (showroom, mut bookings) = (room(&crm.client, json!({})).await, Vec::new());
    for n in 0..32 {
        let other = room(&crm.client, json!({ "name": format!("Room {n}") })).await;
        bookings.push(book(&crm.client, &other, day, ("10:00", "11:00")).await.expect(201));
    }
    let replies = join_all(bookings.iter().map(|booking| {
        let body = json!({ "resource_id": id(&showroom), "title": "Mine" });
        async { crm.client.patch(&format!("/v1/bookings/{}", id(booking)), body).await }
    }))
    .await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    for reply in replies.into_iter().filter(|reply| reply.status != 200) {
        reply.expect_problem(409, "already_booked");
    }
}
