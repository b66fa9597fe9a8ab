/// Mistakes that the comparison must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A return enters at the average of today instead of its delivery's cost.
    ReturnAtCurrentAverage,
    /// What the rate moved between receipt and bill counts as a difference of the price.
    RateCountsAsPrice,
    /// The exposure counts an order and its invoice.
    ExposureCountedTwice,
    /// A cash discount leaves the tax as it was.
    DiscountWithoutTax,
    /// The last unit leaves with its share instead of the rest of the value.
    LastUnitLeavesCents,
    /// A bill's difference goes to the variance although the goods are still there.
    VarianceNeverRevaluesStock,
    /// A settlement in a foreign currency clears at the rate of the day.
    SettlementWithoutExchangeDifference,
    /// The tax is rounded for each line.
    TaxRoundedPerLine,
    /// A reversed payment does not open its invoice again.
    ReversalKeepsInvoicePaid,
    /// What a receipt brings does not go to the orders that wait.
    ReceiptFillsNoBackorder,
    /// A partial payment of the base value rounds down instead of half to even.
    BaseShareRoundedDown,
    /// The final invoice taxes again what was taxed when the prepayment came.
    PrepaymentTaxedTwice,
    /// Every exchange difference is a gain.
    ExchangeDifferenceWithoutSign,
    /// A credit note forgets the discount of its invoice.
    CreditAtListPrice,
    /// What was credited can be invoiced again.
    CreditInvoiceableAgain,
    /// Stock that an amendment frees goes to nobody.
    AmendmentFreesNothing,
    /// A reversed bill takes back from stock what has left with its goods.
    BillReversalTakesAllFromStock,
    /// An advance in a foreign currency is cleared at the rate of the invoice.
    AdvanceRevalued,
}

impl Bug {
    pub const ALL: [Bug; 18] = [
        Bug::ReturnAtCurrentAverage,
        Bug::RateCountsAsPrice,
        Bug::ExposureCountedTwice,
        Bug::DiscountWithoutTax,
        Bug::LastUnitLeavesCents,
        Bug::VarianceNeverRevaluesStock,
        Bug::SettlementWithoutExchangeDifference,
        Bug::TaxRoundedPerLine,
        Bug::ReversalKeepsInvoicePaid,
        Bug::ReceiptFillsNoBackorder,
        Bug::BaseShareRoundedDown,
        Bug::PrepaymentTaxedTwice,
        Bug::ExchangeDifferenceWithoutSign,
        Bug::CreditAtListPrice,
        Bug::CreditInvoiceableAgain,
        Bug::AmendmentFreesNothing,
        Bug::BillReversalTakesAllFromStock,
        Bug::AdvanceRevalued,
    ];
}
