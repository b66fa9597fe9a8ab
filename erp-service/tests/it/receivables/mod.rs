//! What customers owe: terms, invoices, credit notes, exposure, prepayments, statements, reminders.

mod payment_terms;
