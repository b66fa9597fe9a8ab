//! Who sees what: each record follows its own owner, and what is out of sight is not there.

mod customers;
mod matrix;
mod orders;

use crate::support::crm;
use serde_json::{Value, json};
use service_kit::testing::{TestService, User};

/// A sales team: Ana works in North, Nils in Nordic below it, Sofia in South. Lea leads North and sees
/// her team, Otto sees everything.
pub struct Company {
    pub crm: TestService,
    pub ana: User,
    pub nils: User,
    pub sofia: User,
    pub lea: User,
    pub otto: User,
    pub north: String,
    pub nordic: String,
    pub south: String,
}

pub async fn company() -> Company {
    let crm = crm().await;
    let north = crm.team("North", None).await;
    let nordic = crm.team("Nordic", Some(&north)).await;
    let south = crm.team("South", None).await;
    Company {
        ana: crm.user("Ana", "sales", "own", Some(&north)).await,
        nils: crm.user("Nils", "sales", "own", Some(&nordic)).await,
        sofia: crm.user("Sofia", "sales", "own", Some(&south)).await,
        lea: crm.user("Lea", "sales", "team", Some(&north)).await,
        otto: crm.user("Otto", "sales", "all", None).await,
        crm,
        north,
        nordic,
        south,
    }
}

impl Company {
    /// Whether Ana, Nils, Sofia, Lea and Otto get something at a path; else it is not there for them.
    pub async fn who_gets(&self, path: &str) -> [bool; 5] {
        let mut who = [false; 5];
        for (gets, user) in who
            .iter_mut()
            .zip([&self.ana, &self.nils, &self.sofia, &self.lea, &self.otto])
        {
            let reply = user.client.get(path).await;
            *gets = reply.status == 200;
            if !*gets {
                reply.expect_problem(404, "not_found");
            }
        }
        who
    }

    /// How many items of a list Ana, Nils, Sofia, Lea and Otto get.
    pub async fn how_many(&self, path: &str) -> [usize; 5] {
        let mut counts = [0; 5];
        for (count, user) in counts
            .iter_mut()
            .zip([&self.ana, &self.nils, &self.sofia, &self.lea, &self.otto])
        {
            let page = user.client.get(path).await.expect(200);
            *count = page["items"].as_array().unwrap().len();
        }
        counts
    }
}

pub fn to(user: &User) -> Value {
    json!({ "owner_id": user.id })
}
