//! Sizes in bytes: memory limits as Docker writes them, retention as Prometheus writes it.

/// A memory limit: a whole number and a unit.
///
/// `k`, `m`, `g`, also as `KB`/`KiB` and so on, in any case. All are powers of 1024, as Docker and Prometheus have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Memory(pub(crate) u64);

/// The most memory a limit may name; far above any machine, far below an overflow.
pub(crate) const MEMORY_CEILING: u64 = 1 << 40;

impl TryFrom<String> for Memory {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        memory(&text).map(Self).ok_or("not a memory size")
    }
}

/// The bytes that a memory limit means.
pub(crate) fn memory(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let shift = match unit.to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    scale(number, shift).filter(|bytes| *bytes <= MEMORY_CEILING)
}

/// The bytes that a retention size means to Prometheus (powers of 1024).
pub(crate) fn retention(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let shift = match unit {
        "B" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        "PB" => 50,
        "EB" => 60,
        _ => return None,
    };
    scale(number, shift).filter(|bytes| i64::try_from(*bytes).is_ok())
}

/// Bytes in the largest unit that divides them.
pub(crate) fn display(bytes: u64) -> String {
    match bytes {
        bytes if bytes.is_multiple_of(1 << 30) => format!("{}GiB", bytes >> 30),
        bytes if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        bytes => format!("{}KiB", bytes >> 10),
    }
}

/// Number and unit; a number with a leading zero is none, as nobody can say which base was meant.
fn split(text: &str) -> Option<(u64, &str)> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    if number.starts_with('0') {
        return None;
    }
    Some((number.parse().ok()?, unit))
}

fn scale(number: u64, shift: u32) -> Option<u64> {
    number.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_sizes() {
        for (text, bytes) in [
            ("256MiB", Some(256 << 20)),
            ("512MB", Some(512 << 20)),
            ("1GiB", Some(1 << 30)),
            ("1g", Some(1 << 30)),
            ("300m", Some(300 << 20)),
            ("65536k", Some(64 << 20)),
            ("64", None),
            ("1TB", None),
            ("1.5GiB", None),
            ("-1g", None),
            ("0g", None),
            ("010m", None),
            ("1 GiB", None),
            ("", None),
            ("g", None),
            ("99999999g", None),
            ("99999999999999999999g", None),
        ] {
            assert_eq!(memory(text), bytes, "{text}");
        }
    }

    #[test]
    fn retention_sizes() {
        for (text, bytes) in [
            ("10GB", Some(10 << 30)),
            ("512MB", Some(512 << 20)),
            ("1EB", Some(1 << 60)),
            ("8EB", None),
            ("10", None),
            ("10gb", None),
            ("10GiB", None),
            ("0GB", None),
            ("1.5GB", None),
        ] {
            assert_eq!(retention(text), bytes, "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_in_their_largest_unit() {
        assert_eq!([display(1 << 30), display(128 << 20), display(1 << 40)], ["1GiB", "128MiB", "1024GiB"]);
    }
}
