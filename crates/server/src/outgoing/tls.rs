// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whom to trust as a receiver.

use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::{ClientConfig, RootCertStore};

/// Whom to trust.
pub(crate) enum Trust {
    /// Whom the machine trusts.
    System,
    /// A test's own authority.
    #[cfg(test)]
    Roots(RootCertStore),
}

/// The settings of a client that trusts those. The certificates of the machine, which is where an
/// operator adds a private authority (`SSL_CERT_FILE` names another place), are read only when
/// there is an https URL; without one nobody is trusted.
///
/// # Errors
/// When the machine's certificates are needed and cannot be read.
pub(crate) fn config(trust: Trust, any_https: bool) -> Result<ClientConfig, std::io::Error> {
    let builder =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring can do the default versions of TLS");
    let builder = match trust {
        Trust::System if any_https => builder.with_native_roots()?,
        Trust::System => builder.with_root_certificates(RootCertStore::empty()),
        #[cfg(test)]
        Trust::Roots(roots) => builder.with_root_certificates(roots),
    };
    Ok(builder.with_no_client_auth())
}
