// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an embedded server stops.

use std::sync::mpsc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use oyez::CallError;

use super::page::{PATIENCE, Page};
use super::web::Web;
use super::{server, wait};

#[test]
fn a_drain_finishes_what_has_begun_closes_with_4200_and_tells_its_end() {
    let (enter, entered) = mpsc::channel();
    let (go, wait_for_it) = tokio::sync::watch::channel(false);
    let handler = move || {
        let mut wait_for_it = wait_for_it.clone();
        let _ = enter.send(());
        async move {
            wait_for_it.wait_for(|go| *go).await.expect("it is told");
            "finished"
        }
    };
    let builder = server().router(Router::new().route("/slow", get(handler)));
    let builder = builder.configure(|options| options.drain = Duration::from_millis(500));
    let oyez = builder.start().expect("it starts");
    let mut page = Page::open(oyez.address(), "key");
    page.subscribe("a");
    let mut web = Web::open(oyez.address());
    web.send("GET /slow HTTP/1.1\r\nhost: h\r\n\r\n", b"");
    entered.recv_timeout(PATIENCE).expect("it is called");
    wait(oyez.trigger("a", "LAST", &1)).expect("sent");

    let end = oyez.drain();
    assert!(matches!(wait(oyez.trigger("a", "LATE", &2)), Err(CallError::Draining)));
    assert_eq!(page.hear("LAST"), 1, "what was accepted arrives");
    assert_eq!(u16::from(page.closed()), 4200);
    drop(page);
    go.send(true).expect("the handler waits");
    let answer = web.answer();
    assert_eq!((answer.text(), answer.header("connection")), ("finished", Some("close")));
    drop(web);
    wait(end).expect("it ended well");
    wait(oyez.ended()).expect("and says so again");
    assert!(std::net::TcpStream::connect(oyez.address()).is_err());
    let late = wait(oyez.trigger("a", "LATE", &3)).expect_err("it has ended");
    assert!(matches!(late, CallError::Ended(_)), "{late}");
}

#[test]
fn a_server_goes_on_when_nobody_holds_it() {
    let oyez = super::start(server());
    let (address, clone) = (oyez.address(), oyez.clone());
    drop(clone);
    Page::open(address, "key").ping();
}
