//! Quotes: what a customer is offered, and what became of it.
//!
//! A quote belongs to a customer, may belong to one of its deals, has an owner and follows that
//! owner's visibility: [`queries::get`] and [`queries::lock`] are the only ways to one. One record is
//! one **version**; the versions of a quote share `root_id` and, once one was sent, the number. Making
//! the next version takes back what was sent, so that a customer has one offer in hand.
//!
//! **States** ([`status`]): `draft` → (`in_approval` →) `sent` → `accepted`, `declined`, `expired` or
//! `superseded`. A quote is valid until its last day has passed in the company's time zone; from then
//! on it is shown as expired, before [`expiry`] writes that down.
//!
//! **Prices** ([`lines`]): a line without a price of its own gets the list price of the customer's tier
//! on the day it is written, with the trace of which price answered; it keeps both until its quantity
//! changes or somebody asks to `reprice`. All from the replica: quoting needs no ERP. What there is of
//! the products is looked up whenever a quote is shown ([`availability`]) and no part of it.
//!
//! **Discounts** ([`limits`], [`approval`]): what is offered further below the list price than the
//! sender may, needs an approval by somebody who neither made nor changed the quote and may allow as
//! much. An approval is for a content, by its hash: any change asks for another. Those who may decide are
//! told that it waits, those who asked what was decided ([`notices`]).
//!
//! **What was sent** ([`sending`]) does not change: content, document and number are under a hash
//! ([`content`]), and the database refuses changes of them. If asked, the document goes to the customer by
//! e-mail in the same transaction ([`mailing`]). **Accepting** ([`deciding`]) makes exactly
//! one order, whose lines are the quote's at the quote's prices, whatever the lists say by then. It wins
//! the quote's deal if that is open; where its pipeline still asks for steps, the deal stays open and its
//! owner is told. Declining leaves the deal as it is: another version may follow.
//!
//! **Documents** ([`document`], [`templates`]): HTML made for print, from the published template of the
//! customer's language or the built-in one; a sent quote keeps the one that it was sent with.
//!
//! **Concurrency.** Every command locks the quote and then looks at its state: of many that would
//! accept, decline or send it one does, and the others are told what it is now.
//!
//! Reading order: [`model`], [`status`], [`stored`], [`content`], then the verbs: [`editing`],
//! [`approval`], [`sending`], [`deciding`].

pub mod approval;
pub mod assignment;
pub mod availability;
pub mod content;
pub mod deciding;
pub mod document;
pub mod editing;
pub mod expiry;
mod handlers;
pub mod limits;
pub mod lines;
pub mod list;
pub mod mailing;
pub mod model;
pub mod notices;
pub mod queries;
pub mod sending;
pub mod status;
pub mod stored;
pub mod templates;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "quote_lines_pkey",
        "duplicate",
        "/lines",
        "another quote has a line with the id of one of these",
    ),
    Constraint::conflict(
        "discount_limits_key",
        "duplicate",
        "",
        "there is a limit for this role or user already",
    ),
    Constraint::conflict("discount_limits_pkey", "duplicate", "/id", "another limit has this id"),
    Constraint::rule(
        "discount_limits_user_known",
        "unknown_user",
        "/user_id",
        "there is no such user",
    ),
    Constraint::conflict(
        "quote_templates_language_key",
        "duplicate",
        "/language",
        "there is a template of this language already",
    ),
    Constraint::conflict(
        "quote_templates_pkey",
        "duplicate",
        "/id",
        "another template has this id",
    ),
    Constraint::rule(
        "quotes_customer_known",
        "unknown_customer",
        "/customer_id",
        "there is no such customer",
    ),
    Constraint::rule(
        "quotes_owner_known",
        "unknown_user",
        "/owner_id",
        "there is no such active user",
    ),
    Constraint::rule("quotes_team_known", "unknown_team", "/team_id", "there is no such team"),
];

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    limits::routes(routes);
    templates::routes(routes);
}
