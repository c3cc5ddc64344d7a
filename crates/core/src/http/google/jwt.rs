//! JSON Web Tokens, signed with the RSA key of a service account
//! ([RFC 7515](https://www.rfc-editor.org/rfc/rfc7515), [RFC 7523](https://www.rfc-editor.org/rfc/rfc7523)).

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::base64;

/// A private key. Its `Debug` shows the public half.
#[derive(Debug)]
pub(super) struct Key(RsaKeyPair);

impl Key {
    /// A key in PEM, of PKCS #8 as Google writes it, or of PKCS #1 as old tools convert it; `None` if it is none. Why is
    /// not told, as that might quote it.
    pub(super) fn of_pem(text: &str) -> Option<Self> {
        let key = match PrivateKeyDer::from_pem_slice(text.as_bytes()).ok()? {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return None,
        };
        key.ok().map(Self)
    }

    /// A token that says `claims`; `id` is Google's name for the key. `None` if the key cannot sign.
    pub(super) fn sign(&self, id: Option<&str>, claims: &Value) -> Option<String> {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = id {
            header["kid"] = id.into();
        }
        let text = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
        let mut signature = vec![0; self.0.public().modulus_len()];
        let random = SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).ok()?;
        Some(format!("{text}.{}", part(signature)))
    }
}

/// Base64 for URLs, without padding.
fn part(data: impl AsRef<[u8]>) -> String {
    let text = base64::encode(data.as_ref());
    text.trim_end_matches('=').replace('+', "-").replace('/', "_")
}
