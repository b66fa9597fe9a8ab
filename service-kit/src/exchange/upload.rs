//! A file on its way in: bytes as they arrive, rows, batches, and where an earlier request ended.

use super::Importable;
use super::batch::{self, Work};
use super::fields::Header;
use super::imports::{self, Checkpoint, ImportStatus, Left};
use super::reader::{Opening, Reader, Record};
use super::settings::ImportSettings;
use crate::auth::ImportRecords;
use crate::command::Command;
use crate::http::Answer;
use crate::problem::Problem;
use crate::server::Kit;
use crate::tx::Context;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// A batch ends when its rows have this size, however few they are.
const LARGEST_BATCH: usize = 2 * 1024 * 1024;
/// How long the sender may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// What is asked for, before the first byte of the file.
pub(super) struct Upload {
    kit: Kit,
    context: Context,
    kind: &'static Importable,
    dry_run: bool,
    settings: ImportSettings,
    id: Uuid,
    /// The id was made from the `Idempotency-Key`.
    by_key: bool,
    content_length: Option<i64>,
}

impl Upload {
    /// # Errors
    /// 415 when what is sent does not call itself CSV in UTF-8.
    pub fn of(
        command: Command<ImportRecords>,
        kind: &'static Importable,
        id: Option<Uuid>,
        settings: ImportSettings,
    ) -> Result<Self, Problem> {
        let (kit, request, context, key) = command.into_parts();
        let text = |name: header::HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        require_csv(text(header::CONTENT_TYPE).unwrap_or_default())?;
        if text(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            return Err(unsupported("send the file as it is, not compressed"));
        }
        let dry_run = context.dry_run;
        let by_key = id.is_none() && key.is_some();
        let made = key.map(|key| {
            let name = format!("{} {dry_run} {key}", context.operation);
            Uuid::new_v5(&context.actor.id, name.as_bytes())
        });
        Ok(Upload {
            kit: (**kit).clone(),
            // The answers are stored in a dry run too; each batch rolls back what it has done.
            context: Context {
                dry_run: false,
                ..context
            },
            kind,
            dry_run,
            settings,
            id: id.or(made).unwrap_or_else(Uuid::now_v7),
            by_key,
            content_length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        })
    }

    /// Another file under the id of this one.
    fn other_file(&self) -> Problem {
        let detail = "under this id another file was sent, or the same one for something else";
        match self.by_key {
            true => Problem::rule("idempotency_key_reused", detail),
            false => Problem::conflict("other_file", detail),
        }
    }

    /// Whether what was left is an import like this one.
    fn check(&self, left: &Left) -> Result<(), Problem> {
        let lengths = left.content_length.zip(self.content_length);
        let same = left.import.kind == self.kind.kind
            && left.import.dry_run == self.dry_run
            && serde_json::from_value(left.settings.clone()).is_ok_and(|then: ImportSettings| then == self.settings)
            && lengths.is_none_or(|(then, now)| then == now);
        if same { Ok(()) } else { Err(self.other_file()) }
    }
}

fn require_csv(content_type: &str) -> Result<(), Problem> {
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media = parts.next().unwrap_or_default();
    let charset = parts.find_map(|part| {
        part.strip_prefix("charset=")
            .map(|charset| charset.trim_matches('"').to_owned())
    });
    let utf8 = charset.is_none_or(|charset| matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii"));
    match (media.as_str(), utf8) {
        ("text/csv", true) => Ok(()),
        ("text/csv", false) => Err(unsupported("send the file in UTF-8")),
        _ => Err(unsupported("send the file as text/csv")),
    }
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}

/// Reads the file and applies it; goes on where an earlier request ended.
pub(super) async fn run(upload: Upload, payload: Payload) -> Result<Answer, Problem> {
    let id = upload.id;
    let left = upload.kit.run_read(move |conn| Ok(imports::left(conn, id)?)).await?;
    if let Some(left) = &left {
        upload.check(left)?;
    }
    let mut incoming = Incoming {
        payload,
        shutdown: upload.kit.shutdown.clone(),
    };
    match left {
        Some(left) if left.import.status == ImportStatus::Completed => compare(&upload, left, incoming).await,
        left => {
            let created = left.is_none() && !upload.dry_run;
            let answer = Running::start(upload, left, &mut incoming)
                .await?
                .run(&mut incoming)
                .await?;
            Ok(match created {
                true => Answer {
                    status: 201,
                    location: Some(format!("/v1/imports/{id}")),
                    ..answer
                },
                false => answer,
            })
        }
    }
}

/// A file that was read to its end before: the same one gets the same answer.
async fn compare(upload: &Upload, left: Left, mut incoming: Incoming) -> Result<Answer, Problem> {
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    while let Some(chunk) = incoming.chunk().await? {
        hasher.update(&chunk);
        bytes += chunk.len() as i64;
    }
    let digest: [u8; 32] = hasher.finalize().into();
    if (bytes, digest) != (left.checkpoint.bytes, left.checkpoint.digest) {
        return Err(upload.other_file());
    }
    Answer::ok(&left.import).map_err(|error| crate::Error::from(error).into_problem(&[]))
}

/// The bytes of a request.
struct Incoming {
    payload: Payload,
    shutdown: tokio::sync::watch::Receiver<bool>,
}

impl Incoming {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        if *self.shutdown.borrow() {
            let detail = "the service stops; send the same file again under the same id to go on";
            return Err(Problem::unavailable("stopping", detail));
        }
        let broken = |detail| Err(Problem::bad_request("incomplete_body", detail));
        match tokio::time::timeout(SILENCE, self.payload.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
            Ok(Some(Err(_))) => broken("the body ended early; send the same file again under the same id to go on"),
            Err(_) => broken("nothing came for 30 s; send the same file again under the same id to go on"),
        }
    }
}

/// A file whose header has been understood.
struct Running {
    upload: Upload,
    reader: Reader,
    header: Arc<Header>,
    /// Bytes that came with the header and are not read yet.
    rest: Vec<u8>,
    /// Rows read so far, and of these how many were answered before.
    read: i64,
    answered_before: i64,
    /// Up to where an earlier request has seen the file.
    known: Option<Checkpoint>,
    /// Up to where the file is applied.
    checkpoint: Checkpoint,
}

impl Running {
    async fn start(upload: Upload, left: Option<Left>, incoming: &mut Incoming) -> Result<Self, Problem> {
        let mut opening = Opening::default();
        while let Some(chunk) = incoming.chunk().await? {
            if opening.take(&chunk) {
                break;
            }
        }
        // What cannot be begun is certainly not what was begun.
        let refused = |problem| if left.is_some() { upload.other_file() } else { problem };
        let (mut reader, bytes) = opening.reader().map_err(refused)?;
        let mut input = &bytes[..];
        let exported = upload
            .kit
            .document
            .current(&upload.kit)
            .await?
            .tables
            .column_names(upload.kind.list);
        // A file of one line without a line break ends here.
        let first = reader.next(&mut input).or_else(|| reader.finish());
        let nothing = || Problem::rule("empty_file", "the first line must name the columns");
        let first = first.ok_or_else(nothing).map_err(refused)?;
        let header = Arc::new(Header::of(&first, upload.kind, &exported, &upload.settings).map_err(refused)?);
        let (bytes, digest) = reader.checkpoint();
        let mut running = Running {
            upload,
            rest: input.to_vec(),
            reader,
            header,
            read: 0,
            answered_before: left.as_ref().map_or(0, |left| left.import.rows),
            known: left.as_ref().map(|left| left.checkpoint),
            checkpoint: Checkpoint { rows: 0, bytes, digest },
        };
        running.recognise()?;
        Ok(running)
    }

    /// Where an earlier request has looked up to, the file must be the same.
    fn recognise(&mut self) -> Result<(), Problem> {
        let Some(known) = self.known.filter(|known| known.rows == self.read) else {
            return Ok(());
        };
        let (bytes, digest) = self.reader.checkpoint();
        if (bytes, digest) != (known.bytes, known.digest) {
            return Err(self.upload.other_file());
        }
        (self.known, self.checkpoint) = (None, known);
        Ok(())
    }

    async fn run(mut self, incoming: &mut Incoming) -> Result<Answer, Problem> {
        let mut records: Vec<Record> = Vec::new();
        let mut size = 0;
        let first = std::mem::take(&mut self.rest);
        let mut chunk = Some(Bytes::from(first));
        while let Some(bytes) = chunk {
            let mut input = &bytes[..];
            while let Some(record) = self.reader.next(&mut input) {
                size += self.keep(record, &mut records)?;
                if records.len() >= self.upload.kind.batch || size >= LARGEST_BATCH {
                    self.apply(std::mem::take(&mut records), false).await?;
                    size = 0;
                }
            }
            chunk = incoming.chunk().await?;
        }
        if let Some(record) = self.reader.finish() {
            self.keep(record, &mut records)?;
        }
        // The file has ended, and it was longer the last time.
        if self.known.is_some() || self.read < self.answered_before {
            return Err(self.upload.other_file());
        }
        self.apply(records, true).await
    }

    /// Keeps a record unless it was answered before; says how large it is.
    fn keep(&mut self, record: Record, records: &mut Vec<Record>) -> Result<usize, Problem> {
        if record.is_blank() {
            return Ok(0);
        }
        self.read += 1;
        let size = record.size();
        let before = self.read <= self.answered_before;
        if !before {
            records.push(record);
        }
        self.recognise()?;
        Ok(if before { 0 } else { size })
    }

    /// Applies a batch; in more than one transaction if it takes long.
    async fn apply(&mut self, records: Vec<Record>, last: bool) -> Result<Answer, Problem> {
        let (bytes, digest) = self.reader.checkpoint();
        let end = Checkpoint {
            rows: self.read,
            bytes,
            digest,
        };
        let records: Arc<[Record]> = records.into();
        let settings =
            serde_json::to_value(&self.upload.settings).map_err(|error| crate::Error::from(error).into_problem(&[]))?;
        let mut from = 0;
        loop {
            let work = Arc::new(Work {
                id: self.upload.id,
                kind: self.upload.kind,
                dry_run: self.upload.dry_run,
                header: self.header.clone(),
                settings: settings.clone(),
                content_length: self.upload.content_length,
                before: self.read - (records.len() - from) as i64,
                records: records.clone(),
                from,
                start: self.checkpoint,
                end,
                last,
                constraints: self.upload.kit.constraints,
                validators: self.upload.kit.validators.clone(),
                answered: AtomicUsize::new(0),
            });
            let todo = work.clone();
            let context = self.upload.context.clone();
            let answer = self
                .upload
                .kit
                .run_command(context, move |tx| batch::store(tx, &todo))
                .await?;
            from += work.answered.load(Ordering::SeqCst);
            if from >= records.len() {
                self.checkpoint = end;
                return Ok(answer);
            }
        }
    }
}
