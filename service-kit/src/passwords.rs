//! Passwords: argon2id with the parameters that OWASP recommends, a few at a time.
//!
//! A hash takes some 20 ms of one core and 19 MiB, on purpose. So it is made on a thread that may
//! block, never inside of a transaction, and only `AT_ONCE` at a time: a crowd that signs in
//! waits for itself, not the service for it.

use crate::problem::Problem;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use serde::Deserialize;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// Hashes that are computed at once.
pub(crate) const AT_ONCE: usize = 2;

/// A password in a body: 12 to 128 characters. It is never written anywhere, not even by mistake.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a password)")
    }
}

impl utoipa::PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(12))
            .max_length(Some(128))
            .write_only(true)
            .into()
    }
}

impl ToSchema for Password {}

/// What is verified where there is nothing to verify: the work is the same.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| {
    let password: [u8; 32] = rand::random();
    hash(&password)
});

/// Computes hashes.
#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    wait: Duration,
}

impl Passwords {
    pub(crate) fn new(wait: Duration) -> Self {
        Passwords {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            wait,
        }
    }

    /// The hash of a new password, in PHC format.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, Problem> {
        self.run(move || hash(password.0.as_bytes()))
            .await?
            .ok_or_else(Problem::internal)
    }

    /// Whether it is the password of that hash; takes as long where there is none, and says no.
    pub(crate) async fn verify(&self, password: Password, stored: Option<String>) -> Result<bool, Problem> {
        self.run(move || {
            let known = stored.is_some();
            let Some(against) = stored.as_deref().or(NOBODYS.as_deref()) else {
                return false;
            };
            let verified = Argon2::default()
                .verify_password(password.0.as_bytes(), against)
                .is_ok();
            known && verified
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let waiting = self.permits.clone().acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(self.wait, waiting).await else {
            return Err(Problem::unavailable(
                "overloaded",
                "too many sign in at this moment; try again",
            ));
        };
        let work = move || {
            let done = work();
            // Held by the work, not by the request: a client that hangs up makes no room.
            drop(permit);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())
    }
}

fn hash(password: &[u8]) -> Option<String> {
    let params = Params::new(19 * 1024, 2, 1, None).ok()?;
    let salt: [u8; 16] = rand::random();
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = hasher.hash_password_with_salt(password, &salt).ok()?;
    Some(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let passwords = Passwords::new(Duration::from_secs(5));
        let hashes = [
            passwords
                .hash(password("correct horse battery"))
                .await
                .unwrap_or_default(),
            passwords
                .hash(password("correct horse battery"))
                .await
                .unwrap_or_default(),
        ];
        assert!(
            hashes[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hashes[0]
        );
        assert_ne!(hashes[0], hashes[1], "each has a salt of its own");
        for (stored, given, fits) in [
            (Some(&hashes[0]), "correct horse battery", true),
            (Some(&hashes[0]), "Correct horse battery", false),
            (None, "correct horse battery", false),
            (Some(&"garbage".to_owned()), "correct horse battery", false),
        ] {
            let verified = passwords.verify(password(given), stored.cloned()).await;
            assert_eq!(verified, Ok(fits), "{stored:?} {given}");
        }
        assert_eq!(format!("{:?}", password("correct horse battery")), "(a password)");
    }
}
