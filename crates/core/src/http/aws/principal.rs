//! Whose quota a key draws on.

use ring::digest;

use crate::hex::hex;

/// A name for the quota of the account of a key, at an endpoint in a region; it tells nothing of the key.
pub(super) fn name(key: &str, region: &str, endpoint: &str) -> String {
    let whose = account(key).unwrap_or_else(|| key.to_owned());
    let text = format!("{whose} {region} {endpoint}");
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    format!("emr-{region}-{}", hex(digest.as_ref().get(..8).unwrap_or_default()))
}

/// The account's number, which keys made since 2019 carry: 40 bits after the prefix and the first bit, in base 32
/// (<https://awsteele.com/blog/2020/09/26/aws-access-key-format.html>). Sessions of one account have keys of their own,
/// and new ones every hour, but share one quota.
fn account(key: &str) -> Option<String> {
    let coded = key.strip_prefix("AKIA").or_else(|| key.strip_prefix("ASIA"))?;
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u64::from(byte - b'A')),
        b'2'..=b'7' => Some(u64::from(byte - b'2') + 26),
        _ => None,
    };
    let digits: Option<Vec<u64>> = coded.bytes().map(digit).collect();
    let digits = digits.filter(|digits| digits.len() == 16)?;
    let bits = digits.iter().take(10).fold(0, |bits, digit| bits << 5 | digit);
    // Of these 50 bits, the first 48 count: one that keys before 2019 do not have, 40 and 7.
    let bits = bits >> 2;
    (bits >> 47 == 1).then(|| format!("{:012}", bits >> 7 & 0xff_ffff_ffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_carry_their_account() {
        // The example of the page above.
        assert_eq!(account("ASIAY34FZKBOKMUTVV7A").as_deref(), Some("609629065308"));
        for key in
            ["AKIDEXAMPLE", "AKIAIOSFODNN7EXAMPLE", "ASIAY34FZKBOKMUTVV7", "AKIAY34FZKBOKMUTVV71"]
        {
            assert_eq!(account(key), None, "{key}");
        }
    }

    #[test]
    fn sessions_of_an_account_share_and_nothing_else_does() {
        let name = |key| name(key, "eu-west-1", "https://e");
        assert_eq!(name("ASIAY34FZKBOKMUTVV7A"), name("AKIAY34FZKBOAAAAAAAA"));
        assert_ne!(name("AKIDEXAMPLE"), name("AKIDEXAMPLF"));
        assert_ne!(name("AKIDEXAMPLE"), super::name("AKIDEXAMPLE", "eu-west-1", "https://f"));
        assert!(!name("AKIDEXAMPLE").contains("AKID"));
    }
}
