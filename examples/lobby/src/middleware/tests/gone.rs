// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whoever asks and does not wait for the answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use tokio::sync::{Notify, mpsc};
use tower::ServiceExt;

use super::{Answer, House};
use crate::app::App;
use crate::middleware::around;

#[tokio::test]
async fn what_was_begun_is_done_when_whoever_asked_for_it_has_gone() {
    let (commit, committed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, mut is_told) = mpsc::unbounded_channel();
    let change = {
        let (commit, committed) = (commit.clone(), committed.clone());
        async move || {
            commit.notify_one();
            committed.notified().await;
            told.send("changed").expect("the test waits for it");
        }
    };
    let router = router(&House::new(&[]).await, Router::new().route("/change", post(change)));
    let request = Request::post("/change").body(Body::empty()).expect("a request");
    tokio::select! {
        _ = router.oneshot(request) => unreachable!("it waits for the commit"),
        () = commit.notified() => {}
    }
    committed.notify_one();
    assert_eq!(is_told.recv().await, Some("changed"));
}

#[tokio::test]
async fn a_panic_is_told_like_other_errors() {
    let change = async || -> () { panic!("this is a test") };
    let router = router(&House::new(&[]).await, Router::new().route("/change", post(change)));
    let request = Request::post("/change").body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("no error is possible");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let page = Answer::read(response).await.text;
    assert!(page.contains("Something went wrong here. It was written down"), "{page}");
}

fn router(house: &House, routes: Router<App>) -> Router {
    around(routes, house.sessions.layer(&house.app.config), house.app.clone())
}
