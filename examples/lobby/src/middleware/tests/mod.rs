// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that stands between the port and the handlers, without a port: requests go into the router
//! as they would come from the network, answers are what would go out.

mod accounts;
mod answers;
mod gone;
mod sessions;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::header::{
    ACCEPT, AsHeaderName, CACHE_CONTROL, CONTENT_TYPE, COOKIE, IntoHeaderName, SET_COOKIE,
};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use clap::Parser;
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tempfile::TempDir;
use tower::ServiceExt;

use super::around;
use super::is_authed::{CurrentUser, is_authed};
use super::pace::Paces;
use super::wants::Wants;
use crate::app::App;
use crate::config::Config;
use crate::database::Database;
use crate::error::Error;
use crate::routes::{login, register};
use crate::session::Store;

const PASSWORD: &str = "eight of hearts";

/// The app's port, with a page and a form behind `is_authed`.
struct House {
    router: Router,
    app: App,
    sessions: Store,
    /// The folder of the database, for as long as the test runs.
    folder: TempDir,
}

impl House {
    async fn new(flags: &[&str]) -> House {
        House::in_folder(tempfile::tempdir().expect("a folder"), flags).await
    }

    async fn in_folder(folder: TempDir, flags: &[&str]) -> House {
        let config = Config::parse_from(["lobby"].iter().chain(flags));
        let database = Database::open(&folder.path().join("lobby.db")).await.expect("a database");
        let sessions = Store::open(&database).await.expect("sessions");
        let app = App {
            paces: Arc::new(Paces::new(&config.limits)),
            config: Arc::new(config),
            database,
            pusher: Default::default(),
            audience: Arc::default(),
            referee: Arc::default(),
        };
        let behind = Router::new()
            .route("/whoami", get(who_am_i))
            .route("/say", post(say))
            .route("/broken", get(broken))
            .route_layer(from_fn_with_state(app.clone(), is_authed));
        let routes = behind
            .merge(login::routes())
            .merge(register::routes())
            .route("/unguarded", get(who_am_i))
            .route("/kept", get(async || [(CACHE_CONTROL, "no-cache")]));
        let router = around(routes, sessions.layer(&app.config), app.clone());
        House { router, app, sessions, folder }
    }

    /// The program ends and starts anew, with the same database.
    async fn restart(self) -> House {
        House::in_folder(self.folder, &[]).await
    }

    async fn send(&self, ask: Ask) -> Answer {
        let mut request = Request::builder().method(ask.method).uri(ask.path);
        *request.headers_mut().expect("a request") = ask.headers;
        let mut request = request.body(Body::from(ask.body)).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((ask.from, 50_000))));
        let response = self.router.clone().oneshot(request).await.expect("no error is possible");
        Answer::read(response).await
    }

    /// Registers somebody; the cookie.
    async fn register(&self, username: &str) -> String {
        let answer = self.send(Ask::credentials("/register", username, PASSWORD)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.cookie().expect("a cookie")
    }

    async fn who(&self, cookie: &str) -> Option<String> {
        let answer = self.send(Ask::get("/whoami").cookie(cookie)).await;
        (answer.status == StatusCode::OK).then_some(answer.text)
    }

    async fn count_sessions(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM tower_sessions");
        count.fetch_one(self.app.database.reads()).await.expect("a number")
    }
}

async fn who_am_i(user: CurrentUser) -> String {
    format!("{} {}", user.id, user.username)
}

#[derive(Deserialize)]
struct Said {
    text: String,
}

async fn say(
    State(app): State<App>,
    user: CurrentUser,
    wants: Wants,
    Form(said): Form<Said>,
) -> Result<Response, Error> {
    app.paces.message(user.id)?;
    Ok(wants.done(&format!("/said/{}", said.text.len())))
}

async fn broken() -> Error {
    Error::Broken("a secret of the house".to_owned())
}

/// A request.
#[derive(Clone)]
struct Ask {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: String,
    from: [u8; 4],
}

impl Ask {
    fn get(path: &str) -> Ask {
        let (headers, body) = Default::default();
        Ask { method: Method::GET, path: path.to_owned(), headers, body, from: [192, 0, 2, 1] }
    }

    fn post(path: &str, form: &[(&str, &str)]) -> Ask {
        let pair = |(name, value): &(&str, &str)| {
            format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
        };
        let body = form.iter().map(pair).collect::<Vec<_>>().join("&");
        let ask = Ask { method: Method::POST, body, ..Ask::get(path) };
        let form = "application/x-www-form-urlencoded";
        ask.header(CONTENT_TYPE, form).header("sec-fetch-site", "same-origin")
    }

    fn credentials(path: &str, username: &str, password: &str) -> Ask {
        Ask::post(path, &[("username", username), ("password", password)])
    }

    fn header(mut self, name: impl IntoHeaderName, value: &str) -> Ask {
        self.headers.insert(name, value.parse().expect("a value"));
        self
    }

    fn cookie(self, cookie: &str) -> Ask {
        self.header(COOKIE, cookie)
    }

    fn fetch(self) -> Ask {
        self.header(ACCEPT, "application/json")
    }

    fn from(self, last: u8) -> Ask {
        Ask { from: [192, 0, 2, last], ..self }
    }
}

/// What comes back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    async fn read(response: Response) -> Answer {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status: head.status, headers: head.headers, text }
    }

    fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// The cookie, as the browser sends it from now on.
    fn cookie(&self) -> Option<String> {
        let (cookie, _attributes) = self.header(SET_COOKIE)?.split_once(';')?;
        Some(cookie.to_owned())
    }

    /// The error that a script is told.
    fn error(&self) -> String {
        let json: serde_json::Value = serde_json::from_str(&self.text).expect("JSON");
        json["error"].as_str().expect("an error").to_owned()
    }
}
