use rust_decimal::Decimal;

/// Pseudo-random numbers (SplitMix64): the same seed, the same sequence, whatever libraries change.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).expect("a range");
        low + i64::try_from(self.next() % span).expect("within the range")
    }

    pub fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let last = i64::try_from(from.len()).expect("a length") - 1;
        (last >= 0).then(|| from[usize::try_from(self.between(0, last)).expect("an index")].clone())
    }

    /// Mostly whole, now and then with decimals.
    pub fn quantity(&mut self, most: i64) -> Decimal {
        match self.chance(80) {
            true => Decimal::from(self.between(1, most)),
            false => Decimal::new(self.between(1, most * 1000), 3),
        }
    }

    pub fn price(&mut self) -> Decimal {
        match self.chance(70) {
            true => Decimal::new(self.between(50, 9_999), 2),
            false => Decimal::new(self.between(1_000, 999_999), 4),
        }
    }

    /// Some of it, or all.
    pub fn part(&mut self, of: Decimal) -> Decimal {
        match self.chance(50) {
            true => of,
            false => (of * Decimal::new(self.between(1, 99), 2))
                .round_dp(3)
                .max(Decimal::new(1, 3))
                .min(of),
        }
    }
}
