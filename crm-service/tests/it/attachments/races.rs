use super::upload;
use crate::deals::support::sql;
use crate::support::{crm, customer, id};
use futures_util::future::join_all;
use serde_json::json;

#[actix_web::test]
async fn the_last_place_of_a_record_is_taken_once() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    let fill = format!(
        "INSERT INTO attachments (id, subject_type, subject_id, name, content_type, size, sha256, added_by, revision, created_at, updated_at)
         SELECT gen_random_uuid(), 'customer', '{}', 'x', 'text/plain', 1, repeat('0', 64), 'test', 1, now(), now()
         FROM generate_series(1, 99)",
        id(&of)
    );
    sql(&crm, &fill);
    let replies = join_all((0..32).map(|_| upload(&crm.client, ("customer", id(&of)), "a.pdf", "", b"x"))).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let refused = replies
        .iter()
        .filter(|reply| reply.body["code"] == "too_many_attachments")
        .count();
    assert_eq!((made, refused), (1, 31));
}

#[actix_web::test]
async fn thirty_two_remove_a_file_once() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    let file = super::pdf(&crm.client, ("customer", id(&of)), "a.pdf").await;
    let path = format!("/v1/attachments/{}", id(&file));
    let delete = || {
        crm.client.send(
            crm.client
                .request(reqwest::Method::DELETE, &path)
                .header("If-Match", "\"1\""),
        )
    };
    let replies = join_all((0..32).map(|_| delete())).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (204, &[404; 31][..]));
    let kinds = crate::support::timeline_kinds(&crm.client, id(&of)).await;
    assert_eq!(
        json!(kinds),
        json!(["attachment_removed", "attachment_added", "customer_created"])
    );
}
