//! Replays are harmless: the answer of a command is stored under its `Idempotency-Key`.
//!
//! Claiming the key is the first statement of the transaction. A concurrent twin waits on that
//! row and then answers from it. Only successes are stored, because a failure rolls back.

use crate::db::sql;
use crate::http::Answer;
use crate::problem::{Error, Problem};
use diesel::sql_types::{Binary, Nullable, SmallInt, Text};
use diesel::{PgConnection, QueryableByName};
use uuid::Uuid;

/// A key with what it stands for.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    pub api_key_id: Uuid,
    /// Method and path, so that one key may serve several operations.
    pub operation: String,
    pub key: String,
    pub body_hash: [u8; 32],
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Binary)]
    body_hash: Vec<u8>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    status: Option<i16>,
    #[diesel(sql_type = Nullable<Text>)]
    location: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    etag: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    body: Option<String>,
}

impl IdempotencyKey {
    /// Claims the key, or returns the answer stored by an earlier request.
    ///
    /// # Errors
    /// 422 `idempotency_key_reused` when the earlier request had another body.
    pub(crate) fn claim(&self, conn: &mut PgConnection) -> Result<Option<Answer>, Error> {
        let claimed = sql("INSERT INTO idempotency_keys (api_key_id, operation, key, body_hash)
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        .bind::<diesel::sql_types::Uuid, _>(self.api_key_id)
        .bind::<Text, _>(&self.operation)
        .bind::<Text, _>(&self.key)
        .bind::<Binary, _>(&self.body_hash[..])
        .run(conn)?;
        if claimed == 1 {
            return Ok(None);
        }
        let stored: Stored = sql("SELECT body_hash, status, location, etag, body FROM idempotency_keys
             WHERE api_key_id = $1 AND operation = $2 AND key = $3")
        .bind::<diesel::sql_types::Uuid, _>(self.api_key_id)
        .bind::<Text, _>(&self.operation)
        .bind::<Text, _>(&self.key)
        .row(conn)?;
        if stored.body_hash != self.body_hash {
            return Err(Problem::rule(
                "idempotency_key_reused",
                "this Idempotency-Key was used with another body",
            )
            .into());
        }
        let status = stored
            .status
            .ok_or_else(|| Error::Bug("a claimed key was committed without its answer".into()))?;
        Ok(Some(Answer {
            status: status.unsigned_abs(),
            location: stored.location,
            etag: stored.etag,
            body: stored.body.unwrap_or_default(),
            media_type: None,
        }))
    }

    /// Stores the answer that a repeat will get.
    pub(crate) fn store(&self, conn: &mut PgConnection, answer: &Answer, body: &str) -> Result<(), Error> {
        let status = i16::try_from(answer.status).map_err(|_| Error::Bug("a status beyond 599".into()))?;
        sql(
            "UPDATE idempotency_keys SET status = $1, location = $2, etag = $3, body = $4
             WHERE api_key_id = $5 AND operation = $6 AND key = $7",
        )
        .bind::<SmallInt, _>(status)
        .bind::<Nullable<Text>, _>(answer.location.as_deref())
        .bind::<Nullable<Text>, _>(answer.etag.as_deref())
        .bind::<Text, _>(body)
        .bind::<diesel::sql_types::Uuid, _>(self.api_key_id)
        .bind::<Text, _>(&self.operation)
        .bind::<Text, _>(&self.key)
        .run(conn)?;
        Ok(())
    }
}
