// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages of a running app, as a browser without scripts gets them.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use clap::Parser;
use http_body_util::BodyExt;
use oyez::Oyez;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::config::Config;
use crate::session::Store;

/// An app, and the pages of a user called ann.
struct House {
    router: Router,
    cookie: String,
    _running: (Oyez, TempDir),
}

struct Answer {
    status: StatusCode,
    location: Option<String>,
    cookie: Option<String>,
    page: String,
}

impl House {
    async fn open() -> House {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().to_str().expect("a path");
        let flags = ["lobby", "--listen", "127.0.0.1:0", "--games-per-minute", "2", "--data", data];
        let (app, oyez) = crate::open(Config::parse_from(flags)).await.expect("it starts");
        let sessions = Store::open(&app.database).await.expect("sessions");
        let router = super::router(&app, sessions.layer(&app.config));
        let mut house = House { router, cookie: String::new(), _running: (oyez, folder) };
        let ann = house.post("/register", "username=ann&password=eight of hearts").await;
        house.cookie = ann.cookie.expect("a cookie");
        house
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        self.send(Method::POST, path, form).await
    }

    async fn send(&self, method: Method, path: &str, form: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(COOKIE, &self.cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 50_000))))
            .body(Body::from(form.to_owned()))
            .expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("no error is possible");
        let header = |name| {
            let value = response.headers().get(name)?.to_str().expect("text");
            Some(value.split(';').next().unwrap_or_default().to_owned())
        };
        let (status, location, cookie) = (response.status(), header(LOCATION), header(SET_COOKIE));
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        let page = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status, location, cookie, page }
    }

    /// Makes a game; its lobby's path.
    async fn game(&self) -> String {
        self.post("/games", "").await.location.expect("a game")
    }
}

#[tokio::test]
async fn a_pasted_link_leads_to_its_table() {
    let house = House::open().await;
    let lobby = house.game().await;
    for link in
        [lobby.clone(), format!(" https://cards.test{lobby} "), lobby.replace("/lobby/", "")]
    {
        let answer = house.get(&format!("/?link={}", link.replace(' ', "+"))).await;
        assert_eq!((answer.status, answer.location), (StatusCode::SEE_OTHER, Some(lobby.clone())));
    }
    for link in ["", "//evil.test", "https://evil.test/x"] {
        let answer = house.get(&format!("/?link={link}")).await;
        assert_eq!((answer.status, answer.location), (StatusCode::UNPROCESSABLE_ENTITY, None));
        assert!(answer.page.contains("This does not look like a link"), "{}", answer.page);
    }
}

#[tokio::test]
async fn a_user_makes_only_so_many_games_a_minute() {
    let house = House::open().await;
    for _ in 0..2 {
        let game = house.game().await;
        let left = house.post(&format!("{game}/leave"), "").await;
        assert_eq!(left.location.as_deref(), Some("/"));
    }
    let answer = house.post("/games", "").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.page.contains("You open tables faster than others sit down."));
}

#[tokio::test]
async fn a_lobby_says_how_far_the_table_was() {
    let house = House::open().await;
    let lobby = house.game().await;
    let page = house.get(&lobby).await.page;
    assert!(page.contains(r#"data-move="0""#), "{page}");
}
