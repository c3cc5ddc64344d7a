//! Stars out the literal credentials of a piece of a file, before anybody is shown it.

use dataflow_runner_core::lint::secrets;
use dataflow_runner_core::secret::{literals, names_credential};
use dataflow_runner_core::suggest::suggest;

/// The piece with its literal credentials starred out, byte for byte, so that places stay right.
///
/// It is shown because of a fault, which may be a key that is misspelt.
pub(super) fn masked(text: &str) -> String {
    let is_credential = |key: &str| {
        names_credential(key) || suggest(key, ["accessKeyId", "secretAccessKey"]).is_some()
    };
    let mut masked = text.as_bytes().to_vec();
    for literal in literals(text, &is_credential) {
        star_out(&mut masked[literal.range]);
    }
    for secret in secrets(text) {
        star_out(&mut masked[secret.range]);
    }
    // Literals begin and end between characters.
    String::from_utf8(masked).unwrap_or_default()
}

fn star_out(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'*');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_credentials_are_starred_out() {
        for (text, shown) in [
            (
                r#"{"accessKeyId": "AKIA1", "SecretAccessKey" :"s/+", "x": "y"}"#,
                r#"{"accessKeyId": "*****", "SecretAccessKey" :"***", "x": "y"}"#,
            ),
            (r#""accessKeyId": "env","#, r#""accessKeyId": "env","#),
            (r#""secretAccessKey": ñab"#, r#""secretAccessKey": ****"#),
            // Misspelt, in the wrong quotes, without quotes.
            (r#""secretAccesKey": "a", "x": 1"#, r#""secretAccesKey": "*", "x": 1"#),
            (r#""acessKyId": "a""#, r#""acessKyId": "*""#),
            (r"'secretAccessKey': 'a\'b', 'x': 'y'", r"'secretAccessKey': '****', 'x': 'y'"),
            (
                r#"{accessKeyId: "a", secretAccessKey: 12}"#,
                r#"{accessKeyId: "*", secretAccessKey: **}"#,
            ),
            // Commas and quotes are part of a string.
            (r#""secretAccessKey": "a,b\"c", "x": 1"#, r#""secretAccessKey": "******", "x": 1"#),
            (r#""secretAccessKey": "\ñb", "x": 1"#, r#""secretAccessKey": "****", "x": 1"#),
            (r#""secretAccessKey": "abc"#, r#""secretAccessKey": "***"#),
            // No strings.
            (r#""secretAccessKey": ["a"], "x": 1"#, r#""secretAccessKey": *****, "x": 1"#),
            ("\"secretAccessKey\": hunter2\n \"x\": 1", "\"secretAccessKey\": *******\n \"x\": 1"),
            // In the properties of others.
            (
                r#""fs.s3a.secret.key": "a", "DB_PASSWORD":"b""#,
                r#""fs.s3a.secret.key": "*", "DB_PASSWORD":"*""#,
            ),
            // Known by their form, or by the option before them.
            (r#"["--password", "hunter2", "x"]"#, r#"["--password", "*******", "x"]"#),
            (r#""https://u:hunter2@h/""#, r#""https://u:*******@h/""#),
            // Actions stay.
            (
                r#""secretAccessKey": "a{{systemEnv "S"}}b""#,
                r#""secretAccessKey": "*{{systemEnv "S"}}*""#,
            ),
            // All else stays.
            (
                r#""keyName": "k", "jar": "s3://x/y.jar""#,
                r#""keyName": "k", "jar": "s3://x/y.jar""#,
            ),
        ] {
            assert_eq!(masked(text), shown, "{text}");
        }
    }
}
