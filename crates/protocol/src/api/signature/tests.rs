// SPDX-License-Identifier: MIT OR Apache-2.0
use proptest::prelude::*;

use super::*;
use crate::secret::Secret;

// The worked example of the public documentation of the HTTP API.
const KEY: &str = "278d425bdf160c739803";
const SECRET: &str = "7ad3773142a6692b25b8";
const TIME: u64 = 1_353_088_179;
const BODY: &[u8] = br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
const QUERY: &str = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0\
    &body_md5=ec365a775a4cd0599faeb73354201b6f\
    &auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";

/// Checks a request of the example's app.
fn check(
    method: &str,
    path: &str,
    query: &str,
    body: &[u8],
    now: u64,
) -> Result<(), SignatureError> {
    with_prefix("", method, path, query, body, now)
}

fn with_prefix(
    prefix: &str,
    method: &str,
    path: &str,
    query: &str,
    body: &[u8],
    now: u64,
) -> Result<(), SignatureError> {
    let query = Query::parse(query).expect("well encoded");
    let request = SignedRequest { method, path, prefix, query: &query };
    request.check(Credentials { key: KEY, secret: &Secret::new(SECRET) }, now)?;
    request.check_body(body)
}

/// A query signed by the book, with further parameters as they were before encoding.
fn signed(method: &str, path: &str, more: &[(&str, &str)], time: u64) -> String {
    let time = time.to_string();
    let mut all = vec![("auth_key", KEY), ("auth_timestamp", &time), ("auth_version", "1.0")];
    all.extend(more);
    all.sort_by_key(|(key, _)| key.to_lowercase());
    let pairs: Vec<_> = all.iter().map(|(k, v)| format!("{}={v}", k.to_lowercase())).collect();
    let string = format!("{method}\n{path}\n{}", pairs.join("&"));
    let signature = Secret::new(SECRET).sign_text(&[string.as_bytes()]);
    let encode = |v| percent_encoding::utf8_percent_encode(v, percent_encoding::NON_ALPHANUMERIC);
    let mut query: Vec<_> = all.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect();
    query.push(format!("auth_signature={signature}"));
    query.join("&")
}

#[test]
fn p061_the_worked_example_of_the_documentation() {
    assert_eq!(check("POST", "/apps/3/events", QUERY, BODY, TIME), Ok(()));
}

#[test]
fn p062_each_wrong_signature_has_its_own_reason() {
    let without = |key: &str| {
        let kept: Vec<_> = QUERY.split('&').filter(|pair| !pair.starts_with(key)).collect();
        kept.join("&")
    };
    for key in ["auth_key", "auth_timestamp", "auth_version", "auth_signature"] {
        let error = check("POST", "/apps/3/events", &without(key), BODY, TIME);
        assert_eq!(error, Err(SignatureError::Missing(key)));
    }
    let error = |from: &str, to: &str| {
        let query = QUERY.replace(from, to);
        assert_ne!(query, QUERY);
        check("POST", "/apps/3/events", &query, BODY, TIME).expect_err("refused")
    };
    assert_eq!(error(KEY, "someone-else"), SignatureError::UnknownKey);
    assert_eq!(error("version=1.0", "version=1.1"), SignatureError::Version);
    for bad in ["soon", "-1", "+1353088179", "", "1e9", "99999999999999999999999"] {
        assert_eq!(error("=1353088179", &format!("={bad}")), SignatureError::Timestamp, "{bad}");
    }
    let wrong = |error| matches!(error, SignatureError::Signature { .. });
    assert!(wrong(error("=da454824", "=DA454824")));
    assert!(wrong(error("f457e6c", "f457e6")));
    assert!(wrong(error("auth_signature=da", "auth_signature=&x=da")));
    assert!(wrong(error("ec365a", "ffffff")));
    assert!(wrong(check("GET", "/apps/3/events", QUERY, BODY, TIME).expect_err("other method")));
    assert!(wrong(check("POST", "/apps/4/events", QUERY, BODY, TIME).expect_err("other path")));
}

#[test]
fn p062_a_refusal_shows_the_signed_string_and_never_the_signature() {
    let query = QUERY.replace("f457e6c", "f457e6d");
    let error = check("POST", "/apps/3/events", &query, BODY, TIME).expect_err("refused");
    let api = ApiError::from(error);
    assert_eq!(api.code, ErrorCode::BadSignature);
    let string = "POST\n/apps/3/events\nauth_key=278d425bdf160c739803&auth_timestamp=1353088179\
                  &auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f";
    assert!(api.text.ends_with(string), "{api}");
    assert!(!api.text.contains("da454824") && !api.text.contains(SECRET), "{api}");

    let long = format!("{QUERY}&x={}", "y".repeat(100_000));
    let error = check("POST", "/apps/3/events", &long, BODY, TIME).expect_err("refused");
    assert!(error.to_string().len() < 2000);
}

#[test]
fn p063_the_clock_may_be_off_by_600_seconds() {
    for (now, ok) in [
        (TIME + 500, true),
        (TIME - 500, true),
        (TIME + 600, true),
        (TIME - 600, true),
        (TIME + 601, false),
        (TIME - 601, false),
        (TIME + 700, false),
        (TIME - 700, false),
    ] {
        assert_eq!(check("POST", "/apps/3/events", QUERY, BODY, now).is_ok(), ok, "{now}");
    }
    let error = check("POST", "/apps/3/events", QUERY, BODY, TIME + 700).expect_err("too old");
    assert!(error.to_string().contains("700 s behind this server's clock"), "{error}");
    let error = check("POST", "/apps/3/events", QUERY, BODY, TIME - 700).expect_err("too new");
    assert!(error.to_string().contains("700 s ahead of this server's clock"), "{error}");
}

#[test]
fn p064_every_encoding_of_a_value_is_signed_as_the_value() {
    let path = "/apps/3/channels";
    let info = ("info", "user_count,subscription_count");
    let query = signed("GET", path, &[info, ("Filter_By_Prefix", "presence-é x")], TIME);
    assert!(query.contains("%2C") && query.contains("%20") && query.contains("Filter_By"));
    let variants = [
        query.clone(),
        query.replace("%2C", ","),
        query.replace("%2C", "%2c"),
        query.replace("%20", "+"),
        format!("&{query}&"),
        query.split('&').rev().collect::<Vec<_>>().join("&"),
    ];
    for variant in variants {
        assert_eq!(check("GET", path, &variant, b"", TIME), Ok(()), "{variant}");
    }
    let double = query.replace("%2C", "%252C");
    assert!(check("GET", path, &double, b"", TIME).is_err());
}

#[test]
fn p064_keys_are_signed_in_lower_case_or_as_they_were_sent() {
    let (method, path) = ("GET", "/apps/3/channels");
    let unsigned = |zeta: &str, alpha: &str| {
        format!("{alpha}=a&auth_key={KEY}&auth_timestamp={TIME}&auth_version=1.0&info=X&{zeta}=z")
    };
    let sent = unsigned("Zeta", "ALPHA");
    let outcome = |signed: &str| {
        let string = format!("{method}\n{path}\n{signed}");
        let signature = Secret::new(SECRET).sign_text(&[string.as_bytes()]);
        let query = format!("{sent}&AUTH_Signature={signature}");
        check(method, path, &query, b"", TIME)
    };
    assert_eq!(outcome(&unsigned("zeta", "alpha")), Ok(()));
    assert_eq!(outcome(&sent), Ok(()));
    // All in one way or all in the other, and sorted by lower-cased key in both.
    let by_code = sent.split_once('&').map(|(alpha, rest)| format!("{rest}&{alpha}"));
    for other in [unsigned("Zeta", "alpha"), sent.to_uppercase(), by_code.expect("two")] {
        let error = outcome(&other).expect_err("signed otherwise");
        let shown = format!("{method}\n{path}\n{}", unsigned("zeta", "alpha"));
        assert_eq!(error, SignatureError::Signature { signed: shown });
    }
}

#[test]
fn p065_a_replaced_body_is_refused() {
    let body = br#"{"name":"bar","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
    let error = check("POST", "/apps/3/events", QUERY, body, TIME).expect_err("another body");
    assert!(matches!(error, SignatureError::BodyMd5 { bytes: 68, .. }), "{error:?}");
    assert_eq!(ApiError::from(error).code, ErrorCode::BodyMd5);

    let query = signed("POST", "/apps/3/events", &[], TIME);
    let error = check("POST", "/apps/3/events", &query, BODY, TIME);
    assert_eq!(error, Err(SignatureError::NoBodyMd5));
}

#[test]
fn an_empty_body_may_carry_the_md5_of_nothing() {
    let nothing = ("body_md5", "d41d8cd98f00b204e9800998ecf8427e");
    for more in [&[][..], &[nothing]] {
        let query = signed("GET", "/apps/3/channels", more, TIME);
        assert_eq!(check("GET", "/apps/3/channels", &query, b"", TIME), Ok(()));
    }
    let query = signed("GET", "/apps/3/channels", &[("body_md5", "00")], TIME);
    assert!(check("GET", "/apps/3/channels", &query, b"", TIME).is_err());
}

#[test]
fn a_path_counts_as_it_was_sent_or_as_it_was_meant() {
    let sent = "/apps/3/users/auth0%7C1/terminate_connections";
    let meant = "/apps/3/users/auth0|1/terminate_connections";
    let check = |prefix: &str, path: &str, signed_path: &str| {
        let query = signed("POST", signed_path, &[], TIME);
        with_prefix(prefix, "POST", path, &query, b"", TIME).is_ok()
    };
    assert!(check("", sent, sent) && check("", sent, meant) && check("", meant, meant));
    assert!(!check("", meant, sent));

    let prefixed = format!("/rt{sent}");
    for path in [&*prefixed, &format!("/rt{meant}"), sent, meant] {
        assert!(check("/rt", &prefixed, path), "{path}");
    }
    assert!(!check("/rt", &prefixed, "/other/apps/3/users/auth0|1/terminate_connections"));
    assert!(!check("", &prefixed, sent));
}

proptest! {
    /// The string that is signed, worked out slowly, equals what is checked, in whichever order
    /// and encoding the parameters come.
    #[test]
    fn p064_any_order_and_encoding_equals_a_slow_reference(
        more in proptest::collection::vec(("[a-zA-Z_]{1,8}", "\\PC{0,12}"), 0..8),
        seed in any::<u64>(),
    ) {
        let more: Vec<(&str, &str)> = more.iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .filter(|(k, _)| !k.to_lowercase().starts_with("auth_") && !k.eq_ignore_ascii_case("body_md5"))
            .collect();
        let mut distinct = std::collections::HashSet::new();
        let more: Vec<_> = more.into_iter().filter(|(k, _)| distinct.insert(k.to_lowercase())).collect();
        let query = signed("GET", "/apps/3/channels", &more, TIME);
        let mut pairs: Vec<_> = query.split('&').collect();
        let mut state = seed;
        for last in (1..pairs.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            pairs.swap(last, (state >> 33) as usize % (last + 1));
        }
        let shuffled = pairs.join("&");
        prop_assert_eq!(check("GET", "/apps/3/channels", &shuffled, b"", TIME), Ok(()));
        let changed = shuffled.replacen("auth_version=1%2E0", "auth_version=1%2E0&zz=1", 1);
        prop_assert!(check("GET", "/apps/3/channels", &changed, b"", TIME).is_err());
    }

    #[test]
    fn p074_random_queries_never_panic(raw in ".{0,200}", path in ".{0,50}", now in any::<u64>()) {
        if let Ok(query) = Query::parse(&raw) {
            let request = SignedRequest { method: "POST", path: &path, prefix: "/é", query: &query };
            let app = Credentials { key: KEY, secret: &Secret::new(SECRET) };
            prop_assert!(request.check(app, now).is_err());
        }
    }
}
