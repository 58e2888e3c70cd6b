//! https out of two PEM files.

use super::{ServeError, config::TlsPaths};
use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{path::Path, sync::Arc};

/// Reads certificate and key. Only HTTP/1.1 is offered: web sockets need it.
pub fn load(paths: &TlsPaths) -> Result<RustlsConfig, ServeError> {
    let fail = |path: &Path, reason: &dyn std::fmt::Display| ServeError::Tls {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let chain = CertificateDer::pem_file_iter(&paths.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| fail(&paths.cert, &e))?;
    if chain.is_empty() {
        return Err(fail(&paths.cert, &"no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&paths.key).map_err(|e| fail(&paths.key, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| fail(&paths.cert, &e))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| fail(&paths.cert, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
