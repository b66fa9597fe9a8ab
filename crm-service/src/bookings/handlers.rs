//! Bookings over HTTP.

use super::booking::{
    self, Booking, BookingCancelIn, BookingIn, BookingMoveIn, BookingPatch, BookingRow, BookingState,
};
use crate::may;
use crate::schema::bookings;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    keyset_page, visible,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct BookingsQuery {
    resource_id: Option<Uuid>,
    #[param(inline)]
    state: Option<BookingState>,
    /// Ending after this instant.
    from: Option<DateTime<Utc>>,
    /// Beginning before this instant.
    to: Option<DateTime<Utc>>,
    /// Those about a record.
    subject_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `starts_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_bookings)
        .add(create_booking)
        .add(get_booking)
        .add(update_booking)
        .add(move_booking)
        .add(cancel_booking);
}

/// Bookings that the caller sees.
#[utoipa::path(tag = "bookings", params(BookingsQuery), security(("api_key" = ["bookings:read"])),
    responses((status = 200, description = "A page of bookings", body = Page<Booking>)))]
#[get("/bookings")]
async fn list_bookings(read: Read<may::ReadBookings>, query: Query<BookingsQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        let mut rows = bookings::table.select(BookingRow::as_select()).into_boxed();
        rows = rows.filter(visible!(&sight, bookings));
        if let Some(resource) = query.resource_id {
            rows = rows.filter(bookings::resource_id.eq(resource));
        }
        if let Some(state) = query.state {
            rows = rows.filter(bookings::state.eq(state));
        }
        if let Some(from) = query.from {
            rows = rows.filter(bookings::ends_at.gt(from));
        }
        if let Some(to) = query.to {
            rows = rows.filter(bookings::starts_at.lt(to));
        }
        if let Some(subject) = query.subject_id {
            rows = rows.filter(bookings::subject_id.eq(subject));
        }
        if let Some(customer) = query.customer_id {
            rows = rows.filter(bookings::customer_id.eq(customer));
        }
        if let Some(owner) = query.owner_id {
            rows = rows.filter(bookings::owner_id.eq(owner));
        }
        if let Some(team) = query.team_id {
            rows = rows.filter(bookings::team_id.eq(team));
        }
        let page: Result<Page<BookingRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: bookings::id as Uuid => |row: &BookingRow| row.id, [
            "starts_at" => bookings::starts_at as DateTime<Utc> => |row: &BookingRow| row.starts_at,
        ]);
        Ok(page?.map(Booking::from))
    })
    .await
}

/// Book a resource within its working hours.
///
/// 409 `already_booked` names the times that are taken; 422 `outside_working_hours`.
#[utoipa::path(tag = "bookings", request_body = BookingIn, security(("api_key" = ["bookings:write"])),
    responses((status = 201, description = "The booking", body = Booking)))]
#[post("/bookings")]
async fn create_booking(command: Command<may::WriteBookings>, body: Body<BookingIn>) -> Result<Answer, Problem> {
    command.create(move |tx| booking::book(tx, &body.0)).await
}

/// One booking.
#[utoipa::path(tag = "bookings", params(IdPath), security(("api_key" = ["bookings:read"])),
    responses((status = 200, description = "The booking", body = Booking)))]
#[get("/bookings/{id}")]
async fn get_booking(read: Read<may::ReadBookings>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| booking::get(conn, &sight, path.id)).await
}

/// Change what a booking is called and says, or where and when it is.
///
/// Another time or resource is checked as a move is: 409 `already_booked`, 422 `outside_working_hours`.
#[utoipa::path(tag = "bookings", params(IdPath), request_body = BookingPatch, security(("api_key" = ["bookings:write"])),
    responses((status = 200, description = "The booking", body = Booking)))]
#[patch("/bookings/{id}")]
async fn update_booking(
    command: Command<may::WriteBookings>,
    path: Path<IdPath>,
    body: Body<BookingPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| booking::change(tx, path.id, &body.0)).await
}

/// Move a booking to another time or resource.
#[utoipa::path(tag = "bookings", params(IdPath), request_body = BookingMoveIn, security(("api_key" = ["bookings:write"])),
    responses((status = 200, description = "The booking", body = Booking)))]
#[post("/bookings/{id}/move")]
async fn move_booking(
    command: Command<may::WriteBookings>,
    path: Path<IdPath>,
    body: Body<BookingMoveIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| booking::shift(tx, path.id, &body.0)).await
}

/// Cancel a booking: its time is free again.
#[utoipa::path(tag = "bookings", params(IdPath), request_body = BookingCancelIn, security(("api_key" = ["bookings:write"])),
    responses((status = 200, description = "The booking", body = Booking)))]
#[post("/bookings/{id}/cancel")]
async fn cancel_booking(
    command: Command<may::WriteBookings>,
    path: Path<IdPath>,
    body: OptionalBody<BookingCancelIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| booking::cancel(tx, path.id, &body.0)).await
}
