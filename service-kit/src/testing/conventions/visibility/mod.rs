//! Who sees what, of every operation: from the route table × sights × records of every kind.
//!
//! People who see their own records, those of their team, and all make one record of each kind. Then
//! nobody may learn anything of a record that is out of their sight:
//! - **Nothing moves.** Everything that can be read (lists, counts, figures, children, CSV) answers the
//!   same before and after others have made their records.
//! - **A foreign id is an unknown id.** Every operation on it, of any verb, answers 404, in the words
//!   in which it answers an id that nobody has; and changes nothing.
//! - **A foreign reference is an unknown one**, in every parameter and every field of a body.
//!
//! A module says in one place how its records are made ([`Visibility`]). An operation on a kind of
//! record that nobody has named fails the test, so that a module that comes later is not forgotten.

mod references;
mod requests;
mod snapshots;

use super::Findings;
use crate::server::Service;
use crate::testing::{Client, TestService, User};
use futures_util::future::LocalBoxFuture;
use requests::Requests;
use serde_json::Value;
use snapshots::Snapshot;

/// What the test has to be told of a service.
pub struct Visibility {
    /// Made once, for all to see: pipelines, products and the like.
    pub shared: Make,
    /// Made by everybody, in this order.
    pub recipes: &'static [Make],
    /// The kinds of records that these make: each follows an owner.
    pub owned: &'static [&'static str],
    /// Kinds of records that are there for everybody who may read them.
    pub for_all: &'static [&'static str],
    /// Kinds that are tested elsewhere, and why.
    pub elsewhere: &'static [(&'static str, &'static str)],
    /// Bodies that cannot be made up from their schema, by operation, such as `POST /v1/deals/{id}/move`.
    pub body: fn(&str, &Making<'_>) -> Option<Value>,
    /// What a list or report cannot do without, by path.
    pub query: fn(&str) -> Option<&'static str>,
    /// Fields that differ from one moment to the next.
    pub changing: &'static [&'static str],
}

/// Makes records for somebody; the marks in them are theirs alone.
pub type Make = for<'a> fn(&'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>>;

/// For whom records are made, and what they have already.
pub struct Making<'a> {
    pub test: &'a TestService,
    pub client: &'a Client,
    /// A word that nobody else's records have: names begin with it.
    pub mark: &'a str,
    pub made: &'a [Made],
}

/// A record, by its kind: the segment of the path before its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub kind: &'static str,
    pub id: String,
}

impl Made {
    pub fn of(kind: &'static str, record: &Value) -> Self {
        Made {
            kind,
            id: record["id"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

impl Making<'_> {
    /// The record of a kind that was made last.
    ///
    /// # Panics
    /// When there is none.
    pub fn id(&self, kind: &str) -> &str {
        match self.made.iter().rfind(|made| made.kind == kind) {
            Some(made) => &made.id,
            None => panic!("nobody has made one of the {kind} yet"),
        }
    }
}

/// Somebody with their records.
struct Person {
    client: Client,
    mark: &'static str,
    made: Vec<Made>,
}

impl Person {
    fn new(user: User, mark: &'static str) -> Self {
        Person {
            client: user.client,
            mark,
            made: Vec::new(),
        }
    }

    fn making<'a>(&'a self, test: &'a TestService) -> Making<'a> {
        Making {
            test,
            client: &self.client,
            mark: self.mark,
            made: &self.made,
        }
    }

    async fn work(&mut self, test: &TestService, recipes: &[Make], shared: &[Made]) {
        self.made.extend_from_slice(shared);
        for recipe in recipes {
            let made = recipe(&self.making(test)).await;
            self.made.extend(made);
        }
    }

    /// What they made themselves, and what is there for all, of a kind.
    fn ids<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        let of_kind = self.made.iter().filter(move |made| made.kind == kind);
        of_kind.map(|made| made.id.as_str())
    }
}

/// # Panics
/// Naming everything by which somebody learns of a record that is out of their sight.
pub async fn assert_visibility(test: &TestService, service: &Service, told: &Visibility) {
    let requests = Requests::of(service, told);
    let mut findings = Findings::default();
    requests.assert_registered(&mut findings);

    let (north, south) = (
        test.team("Matrix North", None).await,
        test.team("Matrix South", None).await,
    );
    let below = test.team("Matrix Nordic", Some(&north)).await;
    let mut own = Person::new(test.user("Matrix own", "admin", "own", Some(&north)).await, "Vermilion");
    let mut below = Person::new(
        test.user("Matrix below", "admin", "own", Some(&below)).await,
        "Chartreuse",
    );
    let mut team = Person::new(
        test.user("Matrix team", "admin", "team", Some(&north)).await,
        "Aubergine",
    );
    let mut foreign = Person::new(
        test.user("Matrix foreign", "admin", "own", Some(&south)).await,
        "Periwinkle",
    );
    let all = Person::new(test.user("Matrix all", "admin", "all", None).await, "Turquoise");
    // Records without an owner are there for those who see all.
    let mut nobody = Person {
        client: test.client.clone(),
        mark: "Cinnabar",
        made: Vec::new(),
    };
    let shared = (told.shared)(&all.making(test)).await;

    own.work(test, told.recipes, &shared).await;
    let before_own = Snapshot::of(&requests, &own.client, &[&own]).await;
    below.work(test, told.recipes, &shared).await;
    team.work(test, told.recipes, &shared).await;
    let before_team = Snapshot::of(&requests, &team.client, &[&own, &below, &team]).await;
    foreign.work(test, told.recipes, &shared).await;
    nobody.work(test, told.recipes, &shared).await;

    let after_own = Snapshot::of(&requests, &own.client, &[&own]).await;
    let after_team = Snapshot::of(&requests, &team.client, &[&own, &below, &team]).await;
    before_own.compare(&after_own, "who sees their own", &mut findings);
    before_team.compare(&after_team, "who sees their team's", &mut findings);
    let everybody = [&own, &below, &team, &foreign, &nobody];
    snapshots::assert_lists_show(&requests, &all.client, &everybody, &mut findings).await;

    let others_of_own = [&below, &foreign, &nobody];
    let others_of_team = [&foreign, &nobody];
    requests::assert_not_there(&requests, test, &own, &others_of_own, &mut findings).await;
    requests::assert_not_there(&requests, test, &team, &others_of_team, &mut findings).await;
    // And whatever else their role may be.
    for role in service.all_roles().iter().filter(|role| role.name != "integration") {
        let user = test
            .user(&format!("Matrix {}", role.name), role.name, "own", Some(&south))
            .await;
        let mut with_role = Person::new(user, "Ochre");
        with_role.made = shared.clone();
        requests::assert_not_there(&requests, test, &with_role, &others_of_team, &mut findings).await;
    }
    references::assert_unknown(&requests, test, &own, &others_of_own, &mut findings).await;
    findings.assert_none();
}
