use super::books::Books;
use crate::given;
use serde_json::json;

#[tokio::test]
async fn departments_and_projects_divide_the_lines() {
    let books = Books::open().await;
    let erp = &books.erp;
    let sales = erp
        .post("/v1/departments", json!({ "code": "S", "name": "Sales" }))
        .await
        .expect(201);
    erp.post("/v1/departments", json!({ "code": "S", "name": "Sales" }))
        .await
        .expect_problem(409, "duplicate");
    let project = erp.post("/v1/projects", json!({ "code": "S", "name": "Shop" })).await;
    assert_eq!(
        project.headers["location"].to_str().unwrap(),
        format!("/v1/projects/{}", project.body["id"].as_str().unwrap())
    );
    let project = project.expect(201);
    erp.get(&given::path("departments", &project))
        .await
        .expect_problem(404, "not_found");
    let line = |department: &serde_json::Value| {
        json!({ "date": "2026-03-05", "description": "x", "post": true, "lines": [
            { "account": "6010", "debit": "10", "department_id": department["id"], "project_id": project["id"] },
            { "account": "1020", "credit": "10" } ] })
    };
    let entry = erp.post("/v1/journal-entries", line(&sales)).await.expect(201);
    assert_eq!(entry["lines"][0]["project_id"], project["id"]);
    let problem = erp
        .post("/v1/journal-entries", line(&project))
        .await
        .expect_problem(422, "unknown_department");
    assert_eq!(
        given::faults(&problem),
        [("/lines/0/department_id", "unknown_department")]
    );
    let retired = erp
        .patch(&given::path("departments", &sales), json!({ "status": "retired" }))
        .await
        .expect(200);
    assert_eq!(retired["status"], "retired");
    erp.post("/v1/journal-entries", line(&sales))
        .await
        .expect_problem(422, "department_retired");
    let listed = erp.get("/v1/departments?status=retired").await.expect(200);
    assert_eq!(listed["items"], json!([retired]));
}
