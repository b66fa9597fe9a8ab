//! Analyses: customers, products or categories in classes, kept as they were found.
//!
//! A run keeps its parameters, its period and the class of everybody in it, so that it can be made again
//! and compared with another; it never changes. The definitions, over the orders that count:
//!
//! - **ABC** (net): from the largest down, whose cumulative share before it is below `a_share` (80 %) is
//!   `A`, below `b_share` (95 %) `B`, else `C`.
//! - **XYZ** (monthly quantity): the population's standard deviation ÷ the mean over all months of the
//!   period, those without sales included; at most `x_variation` (0.5) is `X`, at most `y_variation` (1)
//!   `Y`, else `Z`. The period is whole months.
//! - **BCG** (net against an earlier period): relative size = net ÷ the largest; at least `relative_size`
//!   (0.5) is large; growing is what grows no less than the total. Large and growing is a `star`, large a
//!   `cow`, growing a `question_mark`, neither a `dog`.
//! - **RFM** (customers): each of recency, frequency and net scores 1 + ⌊`scores` × (how many are worse) ÷
//!   n⌋, ties equal, `scores` is 5; the class is the three digits, `555` the best.
//!
//! Everybody who is active is in exactly one class. Who sold or bought nothing is `inactive`, of whom
//! nothing has a price and rate `unvalued`.
//!
//! **Sight.** A run sums what its maker saw. One over everything is there for those who see all; any
//! other for them and for its maker.
//!
//! Making a run reads the lines of its period and writes a row a subject; reading one reads a page.

mod compare;
mod handlers;
mod make;
mod model;
mod queries;
mod rules;

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
