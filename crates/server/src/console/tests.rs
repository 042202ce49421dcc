// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page: to whom it is answered, and that what it holds cannot break out of its place.

use http_body_util::BodyExt;

use super::*;

fn page(secret: &str) -> Page {
    Page::new(&AppOptions::new("12345", "the-key", secret), "")
}

fn text(answer: Answer) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let body = runtime.block_on(answer.into_body().collect()).expect("a whole body").to_bytes();
    String::from_utf8(body.to_vec()).expect("UTF-8")
}

fn status(host: Option<&str>) -> u16 {
    page("s").respond("/", host).expect("a page").status().as_u16()
}

#[test]
fn it_is_answered_to_loopback_hosts_only() {
    for host in [
        "127.0.0.1:6001",
        "127.0.0.1",
        "127.0.0.2:80",
        "localhost:6001",
        "LocalHost",
        "[::1]:6001",
        "[::1]",
    ] {
        assert_eq!(status(Some(host)), 200, "{host}");
    }
    for host in [
        "example.com",
        "example.com:6001",
        "127.0.0.1.example.com",
        "localhost.example.com:6001",
        "localhost.",
        "10.0.0.1:6001",
        "0.0.0.0:6001",
        "[::]:6001",
        "[fe80::1]:6001",
        "::1",
        "127.1",
        "2130706433",
        "127.0.0.1:",
        "127.0.0.1:6001:6001",
        "127.0.0.1:+1",
        "127.0.0.1:99999",
        "127.0.0.1:6001 ws://evil",
        "evil@127.0.0.1:6001",
        "127.0.0.1:6001;x",
        "",
    ] {
        assert_eq!(status(Some(host)), 403, "{host:?}");
    }
    assert_eq!(status(None), 403);
}

#[test]
fn a_refusal_holds_no_credentials() {
    for path in ["/", "/console.js", "/console.css"] {
        let text = text(page("the-secret").respond(path, Some("evil.example")).expect("an answer"));
        assert!(!text.contains("the-secret") && !text.contains("the-key"), "{text}");
    }
}

#[test]
fn only_its_three_files_are_there_each_guarded() {
    for (path, kind) in
        [("/", "text/html"), ("/console.css", "text/css"), ("/console.js", "text/javascript")]
    {
        let answer = page("s").respond(path, Some("127.0.0.1:6001")).expect("a file");
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), format!("{kind}; charset=utf-8"));
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(policy.contains("connect-src 'self' ws://127.0.0.1:6001;"), "{policy}");
    }
    for path in ["/console", "/console.js/", "//", "/page.html", "/favicon.ico"] {
        assert!(page("s").respond(path, Some("127.0.0.1")).is_none(), "{path}");
    }
}

#[test]
fn the_html_has_the_credentials_and_the_script_does_not() {
    let get =
        |path| text(page("the-secret").respond(path, Some("localhost:7001")).expect("a file"));
    let html = get("/");
    for part in ["the-key", "the-secret", "12345", "localhost", "7001", "id=\"code-php\""] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("{{"), "every name is filled");
    assert!(!get("/console.js").contains("the-"));
}

#[test]
fn a_hostile_secret_stays_where_it_is() {
    let secret = "</script><script>alert(1)</script>\"'&{{tabs}}";
    let html = text(page(secret).respond("/", Some("127.0.0.1:1")).expect("a page"));
    assert!(!html.contains("<script>alert"), "{html}");
    let start = html.find("id=\"app\">").expect("the data") + 9;
    let end = start + html[start..].find("</script>").expect("its end");
    let app: serde_json::Value = serde_json::from_str(&html[start..end]).expect("JSON");
    assert_eq!(app["secret"], secret);
}

#[test]
fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
    let html = text(page("s").respond("/", Some("127.0.0.1:1")).expect("a page"));
    let handler = |at: usize| {
        let name =
            html[at + 1..].split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        html[at + 1 + name.len()..].starts_with('=')
    };
    assert!(!html.contains(" style=") && !html.match_indices(" on").any(|(at, _)| handler(at)));
    for file in [&*html, CSS, JS] {
        for address in file.match_indices("//").map(|(at, _)| &file[at.saturating_sub(6)..]) {
            assert!(
                !address.starts_with("https:") && !address.starts_with("@import"),
                "{address:.60}"
            );
        }
    }
}
