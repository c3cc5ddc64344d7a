//! Whom TLS believes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::environment::Environment;

/// Whom to believe, and as whom to appear.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Who vouches for servers.
    pub authorities: Authorities,
    /// Files with our certificate chain and its key, in PEM, for servers that ask who we are.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name that the server's certificate is to be of, if not the one in the URL.
    pub server_name: Option<String>,
    /// Believe everybody. Only where the user says so.
    pub unchecked: bool,
}

/// Who vouches for servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authorities {
    /// Mozilla's, as they were when this program was built: nothing is read at run time.
    #[default]
    BuiltIn,
    /// Those of a PEM file, or of all files of a folder, and no others.
    File(PathBuf),
    /// Those of the machine; reading them takes some milliseconds.
    System,
}

impl Trust {
    /// What the environment says: `AWS_CA_BUNDLE`, else `SSL_CERT_FILE`, else those of the machine if
    /// `DATAFLOW_RUNNER_SYSTEM_ROOTS` is `true`, else the built-in ones.
    pub fn of(environment: &Environment) -> Self {
        let file = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"].iter().find_map(|it| environment.get(it));
        let system = environment.get("DATAFLOW_RUNNER_SYSTEM_ROOTS") == Some("true");
        let authorities = match file {
            Some(file) => Authorities::File(file.into()),
            None if system => Authorities::System,
            None => Authorities::BuiltIn,
        };
        Self { authorities, ..Self::default() }
    }

    /// Whether nothing needs to be read for it, so that nothing can be wrong with it.
    pub(super) fn is_plain(&self) -> bool {
        self.authorities == Authorities::BuiltIn && self.identity.is_none()
    }

    /// # Errors
    /// A file that cannot be read or holds no certificate.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| format!("TLS cannot be set up: {e}"))?;
        let builder = match self.unchecked {
            true => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
            }
            false => builder.with_root_certificates(self.authorities.roots()?),
        };
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
                .map_err(|e| format!("`{}` is not usable: {e}", certificate.display()))?,
        };
        Ok(Arc::new(config))
    }
}

impl Authorities {
    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        match self {
            Self::BuiltIn => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Self::System => {
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                if roots.is_empty() {
                    return Err("this machine has no root certificates that can be read; name a \
                                file of them in `SSL_CERT_FILE`"
                        .to_owned());
                }
            }
            Self::File(path) => {
                roots.add_parsable_certificates(bundle(path)?);
                if roots.is_empty() {
                    return Err(format!("`{}` holds no certificate in PEM", path.display()));
                }
            }
        }
        Ok(roots)
    }
}

fn bundle(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    if !path.is_dir() {
        return certificates(path);
    }
    let files = fs::read_dir(path).map_err(|e| unreadable(path, &e))?;
    let mut all = Vec::new();
    for file in files.flatten().filter(|file| file.path().is_file()) {
        // Such folders hold other things, too.
        all.extend(certificates(&file.path()).unwrap_or_default());
    }
    Ok(all)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = fs::read(path).map_err(|e| unreadable(path, &e))?;
    CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|e| format!("`{}` is no PEM file of certificates: {e}", path.display()))
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let pem = fs::read(path).map_err(|e| unreadable(path, &e))?;
    // The reason may quote what it met, which is a key.
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| format!("`{}` is no PEM file of a private key", path.display()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read `{}`: {error}", path.display())
}

/// Believes everybody, but not signatures that are wrong.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
