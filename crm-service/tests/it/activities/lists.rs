use super::{activity, customer_of, sql, titles};
use crate::support::{crm, customer, id};
use chrono::{Days, Duration, Utc};
use reqwest::Method;
use serde_json::json;

#[actix_web::test]
async fn lists_are_narrowed_and_ordered() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "all", None).await;
    let of = customer(&crm.client, "Bon app'").await;
    let today = Utc::now().date_naive();
    let (yesterday, soon) = (today - Days::new(1), today + Days::new(3));
    for body in [
        json!({ "kind": "task", "title": "late", "due_on": yesterday, "subject_type": "customer", "subject_id": of["id"] }),
        json!({ "kind": "task", "title": "later", "due_on": soon, "priority": "high" }),
        json!({ "kind": "call", "title": "just late", "direction": "out", "due_at": Utc::now() - Duration::minutes(1) }),
        json!({ "kind": "task", "title": "whenever" }),
        json!({ "kind": "note", "title": "noted", "body": "x", "subject_type": "customer", "subject_id": of["id"] }),
    ] {
        activity(&crm.client, body).await;
    }
    activity(&ann.client, json!({ "kind": "task", "title": "hers", "due_on": today })).await;
    let list = async |query: &str| titles(&ann.client, &format!("/v1/activities{query}")).await;
    assert_eq!(
        list("").await,
        ["hers", "noted", "whenever", "just late", "later", "late"]
    );
    assert_eq!(list("?sort=created_at&limit=2").await, ["late", "later"]);
    assert_eq!(list("?sort=due").await, ["late", "just late", "hers", "later"]);
    assert_eq!(list("?sort=-due").await, ["later", "hers", "just late", "late"]);
    assert_eq!(list("?overdue=true&sort=due").await, ["late", "just late"]);
    assert_eq!(list("?overdue=false").await, ["hers", "noted", "whenever", "later"]);
    assert_eq!(list(&format!("?due_on={soon}")).await, ["later"]);
    assert_eq!(
        list(&format!("?due_from={today}&due_to={soon}&kind=task")).await,
        ["hers", "later"]
    );
    assert_eq!(list("?mine=true").await, ["hers"]);
    assert_eq!(list(&format!("?owner_id={}", ann.id)).await, ["hers"]);
    assert_eq!(
        titles(&crm.client, "/v1/activities?mine=true").await,
        [""; 0],
        "a key is nobody"
    );
    assert_eq!(list("?kind=call").await, ["just late"]);
    assert_eq!(list("?state=done").await, ["noted"]);
    assert_eq!(list("?priority=high").await, ["later"]);
    let (customer, subject) = (format!("?customer_id={}", id(&of)), format!("?subject_id={}", id(&of)));
    assert_eq!(list(&customer).await, ["noted", "late"]);
    assert_eq!(
        list(&format!("{subject}&subject_type=customer&state=open")).await,
        ["late"]
    );
    assert_eq!(list(&format!("{subject}&subject_type=deal")).await, [""; 0]);
    ann.client
        .get("/v1/activities?q=x&sort=due")
        .await
        .expect_problem(400, "invalid_parameter");
}

#[actix_web::test]
async fn pages_join_without_gap_or_twin() {
    let crm = crm().await;
    let north = crm.team("North", None).await;
    let west = crm.team("West", Some(&north)).await;
    let boss = crm.user("Boss", "sales", "team", Some(&north)).await;
    let ann = crm.user("Ann", "sales", "own", Some(&west)).await;
    for n in 0..7 {
        for who in [&boss, &ann] {
            activity(
                &who.client,
                json!({ "kind": "task", "title": format!("{n}"), "due_on": "2030-01-01" }),
            )
            .await;
        }
    }
    // One instant for all: the id decides.
    sql(&crm, "UPDATE activities SET created_at = '2026-01-01'");
    for order in ["-created_at", "created_at", "due", "-due"] {
        for query in ["", "&kind=task"] {
            let (mut seen, mut path) = (Vec::new(), format!("/v1/activities?limit=3&sort={order}{query}"));
            loop {
                let page = boss.client.get(&path).await.expect(200);
                let items = page["items"].as_array().unwrap().clone();
                seen.extend(items.iter().map(|item| id(item).to_owned()));
                match page["next_cursor"].as_str() {
                    Some(cursor) => path = format!("/v1/activities?limit=3&sort={order}{query}&cursor={cursor}"),
                    None => break,
                }
            }
            let count = seen.len();
            seen.sort();
            seen.dedup();
            assert_eq!((count, seen.len()), (14, 14), "{order} {query}");
        }
    }
}

#[actix_web::test]
async fn text_is_found_whichever_way() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let of = customer_of(&crm, "Wolski Zajazd", &ann.id).await;
    // Enough that a common word fills the page in order, a rare one is asked of the index, and one
    // that is neither is read on.
    sql(
        &crm,
        &format!(
            "INSERT INTO activities (id, kind, state, title, body, priority, owner_id, revision, created_at, updated_at)
             SELECT gen_random_uuid(), 'task', 'open',
                    'Call number ' || n || CASE WHEN n % 3000 = 1 THEN ' żurek' ELSE '' END
                        || CASE WHEN n <= 5500 THEN ' early' ELSE '' END,
                    CASE WHEN n = 777 THEN '100%_sure \\ thing' END,
                    'normal', CASE WHEN n % 2 = 0 THEN '{}'::uuid END, 1,
                    timestamptz '2026-01-01' + n * interval '1 minute', now()
             FROM generate_series(1, 9000) n",
            ann.id
        ),
    );
    let body = json!({ "kind": "note", "title": "Recipe", "body": "Żurek with EGG", "subject_type": "customer", "subject_id": of["id"] });
    activity(&ann.client, body).await;
    let all = async |q: &str| titles(&crm.client, &format!("/v1/activities?limit=3&q={q}")).await;
    let hers = async |q: &str| titles(&ann.client, &format!("/v1/activities?limit=3&q={q}")).await;
    // Common: the newest of nearly all.
    assert_eq!(
        all("call%20NUMBER").await,
        ["Call number 9000", "Call number 8999", "Call number 8998"]
    );
    assert_eq!(
        hers("call%20number").await,
        ["Call number 9000", "Call number 8998", "Call number 8996"]
    );
    // Rare: from the index, in any spelling of capitals.
    assert_eq!(
        all("%C5%BBUREK").await,
        ["Recipe", "Call number 6001 żurek", "Call number 3001 żurek early"]
    );
    assert_eq!(hers("%C5%BCurek").await, ["Recipe"]);
    assert_eq!(
        all("100%25_sure%20%5C").await,
        ["Call number 777 early"],
        "nothing in a text is a pattern"
    );
    assert_eq!(all("100%25%25sure").await, [""; 0]);
    assert_eq!(all("nowhere").await, [""; 0]);
    // Neither: more than the index gives, and none among the newest.
    assert_eq!(
        all("early").await,
        [
            "Call number 5500 early",
            "Call number 5499 early",
            "Call number 5498 early"
        ]
    );
    // No trigram.
    assert_eq!(all("%25_").await, ["Call number 777 early"]);
    // With filters, and from page to page.
    assert_eq!(all("egg&kind=note").await, ["Recipe"]);
    assert_eq!(all("egg&kind=task").await, [""; 0]);
    assert_eq!(all(&format!("egg&customer_id={}", id(&of))).await, ["Recipe"]);
    assert_eq!(
        all(&format!("egg&owner_id={}&due_from=2026-01-01", ann.id)).await,
        [""; 0]
    );
    assert_eq!(all("egg&overdue=false&due_to=2999-01-01").await, [""; 0]);
    let (mut path, mut found) = ("/v1/activities?limit=2&q=number%201".to_owned(), 0);
    loop {
        let page = crm.client.get(&path).await.expect(200);
        found += page["items"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(cursor) if found < 40 => path = format!("/v1/activities?limit=400&q=number%201&cursor={cursor}"),
            Some(cursor) => path = format!("/v1/activities?limit=500&q=number%201&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(found, 1 + 10 + 100 + 1_000, "1, 10 to 19, 100 to 199, 1000 to 1999");
}

#[actix_web::test]
async fn a_list_goes_out_as_csv_as_far_as_it_is_in_sight() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    for who in [&ann.client, &crm.client] {
        activity(who, json!({ "kind": "task", "title": "=1+1" })).await;
    }
    let request = ann
        .client
        .request(Method::GET, "/v1/activities")
        .header("Accept", "text/csv");
    let reply = ann.client.send(request).await;
    let text = reply.body.as_str().unwrap().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with("id,kind,state,title,") && lines[1].contains(",task,open,'=1+1,"),
        "{text}"
    );
}
