// SPDX-License-Identifier: MIT OR Apache-2.0
//! How whoever asks is answered, and where one gets to.

use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Ask, House, PASSWORD};

#[tokio::test]
async fn after_the_log_in_one_is_where_one_wanted_to_go() {
    let house = House::new(&[]).await;
    house.register("ann").await;
    let answer = house.send(Ask::get("/whoami?a=1&b=2")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let log_in = answer.header(LOCATION).expect("a location");
    assert_eq!(log_in, "/login?next=%2Fwhoami%3Fa%3D1%26b%3D2");

    let page = house.send(Ask::get(log_in)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains(r#"name="next" value="/whoami?a=1&#38;b=2""#), "{}", page.text);

    let form = [("username", "ann"), ("password", PASSWORD), ("next", "/whoami?a=1&b=2")];
    let answer = house.send(Ask::post("/login", &form)).await;
    assert_eq!(answer.header(LOCATION), Some("/whoami?a=1&b=2"));

    let cookie = answer.cookie().expect("a cookie");
    let answer = house.send(Ask::get("/login?next=/whoami").cookie(&cookie)).await;
    assert_eq!(answer.header(LOCATION), Some("/whoami"), "nobody logs in twice");
    let answer = house.send(Ask::get("/register").cookie(&cookie)).await;
    assert_eq!(answer.header(LOCATION), Some("/"));
}

#[tokio::test]
async fn no_link_leads_elsewhere_after_the_log_in() {
    let house = House::new(&[]).await;
    let cookie = house.register("ann").await;
    for next in ["//evil.test", "/\\evil.test", "https://evil.test", "/\t/evil.test", "evil"] {
        let form = [("username", "ann"), ("password", PASSWORD), ("next", next)];
        let answer = house.send(Ask::post("/login", &form)).await;
        assert_eq!(answer.header(LOCATION), Some("/"), "{next:?}");
        let form = utf8_percent_encode(next, NON_ALPHANUMERIC);
        let answer = house.send(Ask::get(&format!("/login?next={form}"))).await;
        assert!(answer.text.contains(r#"name="next" value="/""#), "{next:?}: {}", answer.text);
        let answer = house.send(Ask::get(&format!("/login?next={form}")).cookie(&cookie)).await;
        assert_eq!(answer.header(LOCATION), Some("/"), "{next:?}");
    }
}

#[tokio::test]
async fn whoever_sends_a_form_too_late_logs_in_and_is_back_at_its_page() {
    let house = House::new(&[]).await;
    for (page, next) in [
        (Some("http://here.test/whoami?a=1"), "/login?next=%2Fwhoami%3Fa%3D1"),
        (Some("http://here.test//evil.test/"), "/login?next=%2F"),
        (Some("nonsense"), "/login?next=%2F"),
        (None, "/login?next=%2F"),
    ] {
        let ask = Ask::post("/say", &[("text", "hi")]);
        let answer = house.send(page.map_or(ask.clone(), |page| ask.header("referer", page))).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header(LOCATION), Some(next), "{page:?}");
    }
}

#[tokio::test]
async fn a_script_of_nobody_is_told_so() {
    let house = House::new(&[]).await;
    for ask in [
        Ask::get("/whoami").fetch(),
        Ask::post("/say", &[("text", "hi")]).fetch(),
        Ask::post("/say", &[("text", "hi")]).header("sec-fetch-dest", "empty"),
    ] {
        let answer = house.send(ask).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.error(), "Please sign in first.");
    }
}

#[tokio::test]
async fn the_page_of_another_site_changes_nothing() {
    let house = House::new(&[]).await;
    let cookie = house.register("ann").await;
    let cross_site = |ask: Ask| ask.header("sec-fetch-site", "cross-site");
    for ask in [
        Ask::post("/say", &[("text", "hi")]).cookie(&cookie),
        Ask::post("/logout", &[]).cookie(&cookie),
        Ask::credentials("/login", "ann", PASSWORD),
        Ask::credentials("/register", "bob", PASSWORD),
        Ask::post("/nowhere", &[]),
    ] {
        let answer = house.send(cross_site(ask)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.cookie(), None);
        assert!(answer.text.contains("another site"), "{}", answer.text);
    }
    let mut old_browser = Ask::post("/say", &[("text", "hi")]).cookie(&cookie).fetch();
    old_browser.headers.remove("sec-fetch-site");
    let answer = house.send(old_browser.header(ORIGIN, "http://evil.test")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.error(), "This was sent by the page of another site.");

    assert!(house.who(&cookie).await.is_some(), "still signed in");
    let link = cross_site(Ask::get("/whoami").cookie(&cookie));
    assert_eq!(house.send(link).await.status, StatusCode::OK, "a link from elsewhere works");
}

#[tokio::test]
async fn errors_come_as_they_were_asked_for() {
    let house = House::new(&["--messages-per-minute=4"]).await;
    let cookie = house.register("ann").await;
    let say = |form: &[(&str, &str)]| Ask::post("/say", form).cookie(&cookie);
    let long = "a".repeat(20_000);
    for (ask, status, text) in [
        (Ask::get("/nowhere"), 404, "There is no such page."),
        (Ask::post("/nowhere", &[]), 404, "There is no such page."),
        (
            Ask::post("/whoami", &[]).cookie(&cookie),
            405,
            "Nothing can be sent to this address in this way.",
        ),
        (say(&[("word", "hi")]), 422, "Something is missing in what was sent, or wrong."),
        (say(&[]).header(CONTENT_TYPE, "text/plain"), 415, "Something is missing in what was sent"),
        (say(&[("text", &long)]), 413, "That is too long."),
        (Ask::get("/broken").cookie(&cookie), 500, "Something went wrong here. It was written"),
        (Ask::get("/unguarded").cookie(&cookie), 500, "Something went wrong here. It was written"),
    ] {
        let page = house.send(ask.clone()).await;
        assert_eq!(page.status.as_u16(), status, "{}", page.text);
        assert_eq!(page.header(CONTENT_TYPE), Some("text/html; charset=utf-8"));
        assert!(page.text.contains(text), "{text}: {}", page.text);
        assert!(!page.text.contains("secret"), "{}", page.text);

        let fetched = house.send(ask.fetch()).await;
        assert_eq!(fetched.status.as_u16(), status);
        assert_eq!(fetched.header(CONTENT_TYPE), Some("application/json"));
        assert!(fetched.error().starts_with(text), "{}", fetched.error());
    }
}

#[tokio::test]
async fn what_is_done_is_answered_as_it_was_asked_for() {
    let house = House::new(&["--messages-per-minute=8"]).await;
    let cookie = house.register("ann").await;
    let say = || Ask::post("/say", &[("text", "hi")]).cookie(&cookie);
    let answer = house.send(say()).await;
    assert_eq!((answer.status, answer.header(LOCATION)), (StatusCode::SEE_OTHER, Some("/said/2")));
    assert_eq!(house.send(say().fetch()).await.status, StatusCode::NO_CONTENT);
    let answer = house.send(say().fetch()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.error().starts_with("You write faster than others read."));
}

#[tokio::test]
async fn the_page_of_an_error_says_who_one_is() {
    let house = House::new(&[]).await;
    let cookie = house.register("ann").await;
    let answer = house.send(Ask::get("/broken").cookie(&cookie)).await;
    assert!(answer.text.contains("You are ann"), "{}", answer.text);
}

#[tokio::test]
async fn every_answer_says_what_browsers_shall_forbid() {
    let house = House::new(&[]).await;
    for path in ["/login", "/whoami", "/nowhere", "/kept"] {
        let answer = house.send(Ask::get(path)).await;
        let policy = answer.header(CONTENT_SECURITY_POLICY).expect("a policy");
        for rule in [
            "default-src 'self'",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|said| said == rule), "{rule}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header(X_CONTENT_TYPE_OPTIONS), Some("nosniff"));
        assert_eq!(answer.header(REFERRER_POLICY), Some("same-origin"));
        let kept = if path == "/kept" { "no-cache" } else { "no-store" };
        assert_eq!(answer.header(CACHE_CONTROL), Some(kept), "{path}");
    }
}
