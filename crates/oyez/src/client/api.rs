// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signed calls of the HTTP API (protocol section 6).

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use md5::{Digest, Md5};
use oyez_protocol::channel::ChannelName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::target::{Target, Transport};
use super::tls;
use crate::failure::Failure;

/// How long a call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of the longest answer: a list of a million channels.
const ANSWER: u64 = 256 * 1024 * 1024;

/// What needs no escape in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What needs no escape in a part of a path.
const PATH: &AsciiSet = &QUERY.remove(b'=').remove(b'@').remove(b',').remove(b';');

/// Characters of an answer that is not the API's that an error shows.
const SHOWN: usize = 200;

/// The HTTP API of one app.
pub(crate) struct Api<'a> {
    target: &'a Target,
    agent: ureq::Agent,
}

impl<'a> Api<'a> {
    /// A client of that app.
    pub(crate) fn new(target: &'a Target) -> Api<'a> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .user_agent(concat!("oyez/", env!("CARGO_PKG_VERSION")));
        // A proxy of the environment cannot reach the loopback of this machine.
        let (host, _) = target.host_and_port();
        let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let config = if here { config.proxy(None) } else { config };
        let config = match target.transport {
            Transport::Plain => config,
            Transport::Tls => config.tls_config(tls::config()),
        };
        Api { target, agent: config.build().new_agent() }
    }

    /// A call that asks. `call` begins with a slash.
    pub(crate) fn get(&self, call: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.get_text(call, query).map(|answer| parsed(&answer))
    }

    /// A call that asks; the answer is JSON, as it was sent.
    pub(crate) fn get_text(&self, call: &str, query: &[(&str, &str)]) -> Result<String, Failure> {
        let url = self.url("GET", call, query, None);
        self.answer(self.agent.get(&url).call())
    }

    /// A call that does.
    pub(crate) fn post(&self, call: &str, body: &Value) -> Result<Value, Failure> {
        self.post_text(call, &body.to_string()).map(|answer| parsed(&answer))
    }

    /// A call that does, with a JSON text; the answer is JSON, as it was sent.
    pub(crate) fn post_text(&self, call: &str, body: &str) -> Result<String, Failure> {
        let url = self.url("POST", call, &[], Some(body.as_bytes()));
        let request = self.agent.post(&url).header("content-type", "application/json");
        self.answer(request.send(body.as_bytes()))
    }

    fn url(&self, method: &str, call: &str, query: &[(&str, &str)], body: Option<&[u8]>) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let path = self.target.path(call);
        let query = signed_query(self.target, method, &path, query, body, now);
        let scheme = match self.target.transport {
            Transport::Plain => "http",
            Transport::Tls => "https",
        };
        format!("{scheme}://{}{path}?{query}", self.target.authority)
    }

    fn answer(
        &self,
        answer: Result<http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<String, Failure> {
        // The library's error may hold the URL, which holds a signature.
        let target = self.target;
        let unreachable = |error: ureq::Error| {
            let why = match error {
                ureq::Error::Io(error) => error.to_string(),
                ureq::Error::Timeout(_) => format!("no answer within {} s", PATIENCE.as_secs()),
                ureq::Error::HostNotFound => "there is no such host".to_owned(),
                ureq::Error::BadUri(_) => "the URL is not valid".to_owned(),
                other => other.to_string(),
            };
            Failure::impossible(format!("cannot reach {target}: {why}; does the server run there?"))
        };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let body =
            answer.body_mut().with_config().limit(ANSWER).read_to_vec().map_err(unreachable)?;
        let text = String::from_utf8_lossy(&body);
        let value: Option<Value> = serde_json::from_str(&text).ok();
        let error = value.as_ref().and_then(|value| refusal(status.as_u16(), value));
        match (status.is_success(), error, value) {
            (true, _, Some(_)) => Ok(text.into_owned()),
            (false, Some(error), _) => {
                Err(Failure::impossible(format!("{target} refused {error}")))
            }
            _ => {
                let text: String = text.chars().take(SHOWN).collect();
                Err(Failure::impossible(format!(
                    "{target} answered {} and not as a Pusher Channels server does: {:?}",
                    status.as_u16(),
                    text.trim()
                )))
            }
        }
    }
}

/// The path of a call about a channel.
pub(crate) fn channel_path(channel: &ChannelName, call: &str) -> String {
    format!("/channels/{}/{call}", utf8_percent_encode(channel.as_str(), PATH))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// What a refusal says: status, name, text, and where the channel is if that is why.
fn refusal(status: u16, answer: &Value) -> Option<String> {
    let error = answer["error"].as_str()?;
    let code = answer["code"].as_str().map_or_else(String::new, |code| format!(", {code}"));
    let place = match (&answer["epoch"], &answer["term"], &answer["offset"]) {
        (Value::String(epoch), Value::String(term), Value::Number(offset)) => {
            format!("; it is at offset {offset} of epoch {epoch}, term {term}")
        }
        _ => String::new(),
    };
    Some(format!("({status}{code}): {error}{place}"))
}

/// The query with its signature: over the values as they are, escaped only for the way.
fn signed_query(
    target: &Target,
    method: &str,
    path: &str,
    query: &[(&str, &str)],
    body: Option<&[u8]>,
    now: u64,
) -> String {
    let mut pairs: Vec<(&str, String)> = query.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    pairs.push(("auth_key", target.key.clone()));
    pairs.push(("auth_timestamp", now.to_string()));
    pairs.push(("auth_version", "1.0".to_owned()));
    if let Some(body) = body {
        let md5 = Md5::digest(body);
        pairs.push(("body_md5", md5.iter().map(|byte| format!("{byte:02x}")).collect()));
    }
    pairs.sort();
    let join = |value: &dyn Fn(&str) -> String| {
        let parts: Vec<_> = pairs.iter().map(|(k, v)| format!("{k}={}", value(v))).collect();
        parts.join("&")
    };
    let text = format!("{method}\n{path}\n{}", join(&|value| value.to_owned()));
    let signature = target.secret.sign_text(&[text.as_bytes()]);
    let escaped = join(&|value| utf8_percent_encode(value, QUERY).to_string());
    format!("{escaped}&auth_signature={signature}")
}

#[cfg(test)]
mod tests {
    use oyez_protocol::secret::Secret;

    use super::*;

    #[test]
    fn a_refusal_is_passed_on_with_its_name_and_place() {
        let plain = serde_json::json!({"error": "no truth", "code": "no_truth"});
        assert_eq!(refusal(404, &plain).as_deref(), Some("(404, no_truth): no truth"));
        let gone = serde_json::json!({"error": "gone", "epoch": "e", "term": "t", "offset": 4});
        let expected = "(410): gone; it is at offset 4 of epoch e, term t";
        assert_eq!(refusal(410, &gone).as_deref(), Some(expected));
        assert_eq!(refusal(502, &serde_json::json!({})), None);
    }

    #[test]
    fn p061_the_worked_example_is_signed_as_documented() {
        let target = Target {
            transport: Transport::Plain,
            authority: "api.example".to_owned(),
            prefix: String::new(),
            id: "3".to_owned(),
            key: "278d425bdf160c739803".to_owned(),
            secret: Secret::new("7ad3773142a6692b25b8"),
        };
        let body = br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#;
        let query =
            signed_query(&target, "POST", &target.path("/events"), &[], Some(body), 1_353_088_179);
        assert_eq!(
            query,
            "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0\
             &body_md5=ec365a775a4cd0599faeb73354201b6f\
             &auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"
        );
    }
}
