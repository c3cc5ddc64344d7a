//! Lower-case hexadecimal digits.

use std::fmt::Write as _;

/// The digits of `bytes`, two for each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(hex(&[0, 0xab, 0xff, 7]), "00abff07");
        assert_eq!(hex(&[]), "");
    }
}
