use super::support::{act, begun, deal, euro, in_days, pipeline, stage, team, today, user};
use crate::support::{crm, customer, id};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

async fn board(client: &Client, pipeline: &Value, more: &str) -> Value {
    let path = format!("/v1/pipelines/{}/board{more}", id(pipeline));
    client.get(&path).await.expect(200)
}

fn counts(board: &Value) -> Vec<(&str, i64)> {
    let columns = board["columns"].as_array().expect("columns").iter();
    columns
        .map(|column| (column["stage"].as_str().unwrap(), column["count"].as_i64().unwrap()))
        .collect()
}

fn names(column: &Value) -> Vec<&str> {
    let deals = column["deals"].as_array().expect("deals").iter();
    deals.map(|deal| deal["name"].as_str().unwrap()).collect()
}

/// Groups whose kept totals are not what the deals say.
fn wrong_totals(crm: &TestService) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    let found: Count = diesel::sql_query(
        "WITH counted AS (
             SELECT pipeline_id, stage_key, owner_id, team_id, currency, count(*) AS deals, count(amount) AS valued,
                    coalesce(sum(amount), 0) AS amount, coalesce(sum(weighted_amount), 0) AS weighted
             FROM deals WHERE state = 'open' GROUP BY 1, 2, 3, 4, 5),
         kept AS (SELECT * FROM open_deal_totals WHERE (deals, valued, amount, weighted) <> (0, 0, 0, 0))
         SELECT count(*) AS count FROM ((TABLE counted EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE counted)) d",
    )
    .get_result(&mut conn)
    .unwrap();
    found.count
}

#[actix_web::test]
async fn the_board_counts_sums_and_shows_the_first_deals_of_each_stage() {
    let crm = crm().await;
    euro(&crm, "1.10", today()).await;
    let (of, plain, _) = begun(&crm, json!({ "name": "Undated", "amount": "1000" })).await;
    for (name, days) in [("Third", 30), ("First", 1), ("Second", 7)] {
        let more = json!({ "name": name, "amount": "10", "expected_close_on": in_days(days) });
        deal(&crm.client, &of, &plain, more).await;
    }
    let euros = json!({ "name": "Euros", "amount": "4000", "currency": "EUR" });
    let moved = deal(&crm.client, &of, &plain, euros).await;
    act(&crm.client, &moved, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    deal(&crm.client, &of, &plain, json!({ "name": "Unvalued" })).await;
    let won = deal(&crm.client, &of, &plain, json!({ "amount": "5" })).await;
    act(&crm.client, &won, "win", json!({})).await.expect(200);

    let shown = board(&crm.client, &plain, "?deals=3").await;
    assert_eq!(counts(&shown), [("a", 5), ("b", 1), ("c", 0)]);
    let (first, second) = (&shown["columns"][0], &shown["columns"][1]);
    assert_eq!(names(first), ["First", "Second", "Third"]);
    assert_eq!(
        first["totals"],
        json!([{ "currency": "USD", "count": 5, "unvalued": 1, "amount": "1030.00", "weighted": "309.00" }])
    );
    assert_eq!(
        second["totals"],
        json!([{ "currency": "EUR", "count": 1, "unvalued": 0, "amount": "4000.00", "weighted": "2000.00" }])
    );
    assert_eq!(
        second["value"],
        json!({ "currency": "USD", "amount": "4400.00", "weighted": "2200.00", "unvalued": 0 })
    );
    assert_eq!(second["deals"][0]["customer_name"], "Rancho grande");
    let rows = super::support::list(&crm.client, first["list"].as_str().unwrap()).await;
    assert_eq!(rows.len(), 5);
    let few = board(&crm.client, &plain, "?deals=0").await;
    assert_eq!(names(&few["columns"][0]), [""; 0]);
    assert_eq!(wrong_totals(&crm), 0);
}

#[actix_web::test]
async fn a_stage_of_an_older_version_stands_behind_the_others_while_deals_are_in_it() {
    let crm = crm().await;
    let (of, plain, _) = begun(&crm, json!({})).await;
    let path = format!("/v1/pipelines/{}", id(&plain));
    let next = json!({ "stages": [stage("new", "0.1", &["b"]), stage("b", "0.6", &[])] });
    crm.client.post(&format!("{path}/draft"), next).await.expect(200);
    crm.client.post(&format!("{path}/publish"), json!({})).await.expect(200);
    deal(&crm.client, &of, &plain, json!({})).await;
    let shown = board(&crm.client, &plain, "").await;
    assert_eq!(counts(&shown), [("new", 1), ("b", 0), ("a", 1)]);
    assert_eq!(
        (&shown["columns"][2]["current"], &shown["columns"][2]["name"]),
        (&json!(false), &json!("A"))
    );
}

#[actix_web::test]
async fn the_board_shows_what_is_in_sight() {
    let crm = crm().await;
    let (north, south) = (team(&crm, "North").await, team(&crm, "South").await);
    let (anna_client, anna) = user(&crm, "Anna", "own", Some(&north)).await;
    let (_, bert) = user(&crm, "Bert", "own", Some(&north)).await;
    let (lead, _) = user(&crm, "Lead", "team", Some(&north)).await;
    let (_, carl) = user(&crm, "Carl", "own", Some(&south)).await;
    let of = customer(&crm.client, "Shared").await;
    let plain = pipeline(&crm.client, "Plain").await;
    for (owner, name) in [(&anna, "A1"), (&anna, "A2"), (&bert, "B1"), (&carl, "C1")] {
        let more = json!({ "name": name, "owner_id": owner, "amount": "10", "expected_close_on": in_days(5) });
        deal(&crm.client, &of, &plain, more).await;
    }
    let seen = async |client: &Client, more: &str| -> (i64, Vec<String>) {
        let shown = board(client, &plain, more).await;
        let column = shown["columns"][0].clone();
        let list = super::support::list(client, column["list"].as_str().unwrap()).await;
        assert_eq!(column["count"].as_i64(), Some(list.len() as i64), "{more}");
        let mut names: Vec<String> = names(&column).into_iter().map(str::to_owned).collect();
        names.sort();
        (column["count"].as_i64().unwrap(), names)
    };
    let some = |names: &[&str]| {
        (
            names.len() as i64,
            names.iter().map(|name| (*name).to_owned()).collect(),
        )
    };
    assert_eq!(seen(&crm.client, "").await, some(&["A1", "A2", "B1", "C1"]));
    assert_eq!(seen(&anna_client, "").await, some(&["A1", "A2"]));
    assert_eq!(seen(&lead, "").await, some(&["A1", "A2", "B1"]));
    assert_eq!(seen(&lead, &format!("?owner_id={bert}")).await, some(&["B1"]));
    assert_eq!(seen(&lead, &format!("?owner_id={carl}")).await, some(&[]));
    assert_eq!(seen(&lead, &format!("?team_id={south}")).await, some(&[]));
    assert_eq!(
        seen(&anna_client, &format!("?team_id={north}")).await,
        some(&["A1", "A2"])
    );
    assert_eq!(
        seen(&crm.client, &format!("?team_id={north}")).await,
        some(&["A1", "A2", "B1"])
    );
}

#[actix_web::test]
async fn the_totals_are_true_after_many_changes_at_once() {
    let crm = crm().await;
    let (_, anna) = user(&crm, "Anna", "own", None).await;
    let of = customer(&crm.client, "Busy").await;
    let plain = pipeline(&crm.client, "Plain").await;
    let deals = join_all((0..24).map(|n| {
        let (of, plain, crm) = (&of, &plain, &crm);
        async move {
            let made = deal(&crm.client, of, plain, json!({ "amount": n.to_string() })).await;
            act(&crm.client, &made, "move", json!({ "stage": "b" }))
                .await
                .expect(200);
            made
        }
    }))
    .await;
    let changes = deals.iter().enumerate().map(|(n, deal)| {
        let (crm, anna) = (&crm, &anna);
        async move {
            let path = format!("/v1/deals/{}", id(deal));
            let reply = match n % 6 {
                0 => act(&crm.client, deal, "move", json!({ "stage": "a" })).await,
                1 => act(&crm.client, deal, "move", json!({ "stage": "c" })).await,
                2 => act(&crm.client, deal, "win", json!({})).await,
                3 => act(&crm.client, deal, "assign", json!({ "owner_id": anna })).await,
                4 => crm.client.patch(&path, json!({ "currency": "EUR" })).await,
                _ => crm.client.patch(&path, json!({ "amount": null })).await,
            };
            reply.expect(200);
        }
    });
    join_all(changes).await;
    assert_eq!(wrong_totals(&crm), 0);
    let shown = board(&crm.client, &plain, "").await;
    assert_eq!(counts(&shown), [("a", 4), ("b", 12), ("c", 4)]);
}

/// 100,000 deals: the board touches no more rows than it shows and groups that there are.
#[actix_web::test]
async fn a_board_of_a_hundred_thousand_deals_is_no_scan() {
    let crm = crm().await;
    let of = customer(&crm.client, "Huge").await;
    let plain = pipeline(&crm.client, "Plain").await;
    let (anna_client, anna) = user(&crm, "Anna", "own", None).await;
    let stages = plain["published"]["stages"].as_array().unwrap();
    super::support::sql(
        &crm,
        &format!(
            "ALTER TABLE deals DISABLE TRIGGER deals_one_stay;
             INSERT INTO deals (id, name, customer_id, pipeline_id, stage_id, stage_key, state, currency, amount,
                 amount_given, probability, weighted_amount, expected_close_on, owner_id, stage_entered_at, version,
                 revision, created_at, updated_at)
             SELECT gen_random_uuid(), 'Deal ' || n, '{}', '{}', CASE n % 2 WHEN 0 THEN '{}'::uuid ELSE '{}'::uuid END,
                 CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END, 'open', 'USD', 100, true, 0.5, 50,
                 current_date + (n * 7919 % 365)::int, CASE WHEN n % 50 = 0 THEN '{anna}'::uuid END, now(), 1, 1, now(), now()
             FROM generate_series(1, 100000) AS n;
             ALTER TABLE deals ENABLE TRIGGER deals_one_stay;
             ANALYZE deals",
            id(&of),
            id(&plain),
            id(&stages[0]),
            id(&stages[1]),
        ),
    );
    let shown = board(&crm.client, &plain, "").await;
    assert_eq!(counts(&shown), [("a", 50_000), ("b", 50_000), ("c", 0)]);
    assert_eq!(shown["columns"][0]["totals"][0]["weighted"], "2500000.00");
    assert_eq!(
        counts(&board(&anna_client, &plain, "").await),
        [("a", 2_000), ("b", 0), ("c", 0)]
    );
    let read = || -> (i64, i64) {
        #[derive(QueryableByName)]
        struct Counts {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            scans: i64,
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            read: i64,
        }
        let mut conn = PgConnection::establish(&crm.database.url).unwrap();
        let counts: Counts = diesel::sql_query(
            "SELECT coalesce(sum(idx_scan), 0)::bigint AS scans, coalesce(sum(idx_tup_read), 0)::bigint AS read
             FROM pg_stat_user_indexes WHERE relname = 'deals'",
        )
        .get_result(&mut conn)
        .unwrap();
        (counts.scans, counts.read)
    };
    // A session tells what it has counted when it ends: that of the insert before, all others below.
    let before = settled(&read).await;
    let started = std::time::Instant::now();
    for client in [&crm.client, &anna_client] {
        for _ in 0..10 {
            board(client, &plain, "").await;
        }
    }
    eprintln!("20 boards of 100,000 deals: {:?}", started.elapsed());
    // Each board looks at least once into an index for each of its three stages.
    let mut after = read();
    for _ in 0..600 {
        if after.0 >= before.0 + 60 {
            break;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
        after = read();
    }
    assert!(after.0 >= before.0 + 60, "{before:?} {after:?}");
    let after = settled(&read).await;
    let touched = after.1 - before.1;
    assert!(touched < 5_000, "20 boards read {touched} index entries");
}

/// The counts, once they have stayed the same for a while.
async fn settled(read: &impl Fn() -> (i64, i64)) -> (i64, i64) {
    let mut seen = read();
    loop {
        actix_web::rt::time::sleep(std::time::Duration::from_millis(1_500)).await;
        let now = read();
        if now == seen {
            return now;
        }
        seen = now;
    }
}
