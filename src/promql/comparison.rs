//! How two values are compared.

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    Unequal,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::AtLeast, Self::AtMost, Self::Equal, Self::Unequal, Self::Above, Self::Below];

    /// The one that a sign stands for.
    #[must_use]
    pub fn of(sign: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.sign() == sign)
    }

    /// The one with which a text begins, and what follows it.
    #[must_use]
    pub fn leading(text: &str) -> Option<(Self, &str)> {
        // The longer signs come first: `>=` begins with `>`.
        Self::ALL.into_iter().find_map(|of| Some((of, text.strip_prefix(of.sign())?)))
    }

    /// The sign in an expression.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::Unequal => "!=",
        }
    }

    /// The word between a value and a limit: `is above 5`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::AtLeast => "at least",
            Self::Below => "below",
            Self::AtMost => "at most",
            Self::Equal => "equal to",
            Self::Unequal => "other than",
        }
    }

    /// Whether it holds; never for what is no number, but that it is unequal to all.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "as Prometheus compares")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::Unequal => left != right,
        }
    }
}
