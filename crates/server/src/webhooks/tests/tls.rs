// SPDX-License-Identifier: MIT OR Apache-2.0
//! Receivers behind TLS.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::receiver::Receiver;
use super::*;

/// A receiver named `localhost`, and what a client must trust to believe it.
async fn receiver() -> (Receiver, RootCertStore) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![cert.der().clone()], key)
    .unwrap();
    (Receiver::with_tls(TlsAcceptor::from(Arc::new(tls))).await, roots)
}

fn start_trusting(url: String, roots: RootCertStore) -> Webhooks {
    let apps = Apps::new(vec![app(&[url])]).unwrap();
    let bounds = Bounds::new(&Limits::default());
    Webhooks::start_with(&apps, bounds, None, short(), Trust::Roots(roots)).unwrap()
}

#[tokio::test]
async fn an_https_receiver_gets_its_events() {
    let (mut receiver, roots) = receiver().await;
    let webhooks =
        start_trusting(format!("https://localhost:{}/", receiver.address().port()), roots);
    webhooks.send(APP, event("a"));
    assert_eq!(receiver.next().await.channels(), ["a"]);
    until(&webhooks, |outcomes| outcomes.delivered() == 1).await;
}

#[tokio::test]
async fn an_https_receiver_that_is_not_who_the_url_says_gets_nothing() {
    let (mut receiver, roots) = receiver().await;
    for (host, roots) in [("127.0.0.1", roots), ("localhost", RootCertStore::empty())] {
        let webhooks =
            start_trusting(format!("https://{host}:{}/", receiver.address().port()), roots);
        webhooks.send(APP, event("a"));
        until(&webhooks, |outcomes| outcomes.failed_attempts() >= 2).await;
        assert!(receiver.come().is_none());
    }
}
