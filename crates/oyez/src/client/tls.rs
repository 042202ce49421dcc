// SPDX-License-Identifier: MIT OR Apache-2.0
//! TLS of the client commands: it trusts whom this machine trusts, a company's own authority too.

use std::sync::Arc;

use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Chooses the one implementation of TLS's cryptography that is built in.
pub(super) fn choose_cryptography() {
    // An error says that it was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The settings of HTTP calls.
pub(super) fn config() -> TlsConfig {
    choose_cryptography();
    // A certificate of the machine that cannot be read is none to trust.
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
    TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build()
}
