// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Query`]: the parameters of a request, decoded once and sorted as signatures need them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use smallvec::SmallVec;

/// A signed publish carries five parameters.
const USUAL: usize = 6;

/// The parameters of a query: keys in lower case, values decoded (`%2C` is `,` and `+` is a
/// space), sorted by key. Of two with one key the first counts; both are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query<'a> {
    parameters: SmallVec<[Parameter<'a>; USUAL]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameter<'a> {
    key: Cow<'a, str>,
    value: Cow<'a, str>,
    /// The key as it was sent, where that is not in lower case.
    sent: Option<Cow<'a, str>>,
}

/// A key or a value is not UTF-8 once it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query is not properly encoded: its keys and values must be percent-encoded UTF-8")]
pub struct QueryError;

impl<'a> Query<'a> {
    /// Reads what stands after the `?`.
    pub fn parse(raw: &'a str) -> Result<Query<'a>, QueryError> {
        let mut query = Query::default();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.parameters.push(Parameter::new(decode(key)?, decode(value)?));
        }
        query.parameters.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(query)
    }

    /// The value of a parameter; `key` is in lower case.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    /// All parameters, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|p| (p.key.as_ref(), p.value.as_ref()))
    }

    /// All parameters in the same order, with each key in the case in which it was sent; `None`
    /// when all were sent in lower case.
    pub fn as_sent(&self) -> Option<impl Iterator<Item = (&str, &str)>> {
        self.parameters.iter().any(|p| p.sent.is_some()).then(|| {
            self.parameters
                .iter()
                .map(|p| (p.sent.as_ref().unwrap_or(&p.key).as_ref(), p.value.as_ref()))
        })
    }
}

fn decode(text: &str) -> Result<Cow<'_, str>, QueryError> {
    if !text.bytes().any(|b| b == b'%' || b == b'+') {
        return Ok(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| QueryError)?;
    Ok(Cow::Owned(decoded.into_owned()))
}

impl<'a> Parameter<'a> {
    fn new(key: Cow<'a, str>, value: Cow<'a, str>) -> Parameter<'a> {
        if key.bytes().any(|b| b.is_ascii_uppercase()) {
            let lower = Cow::Owned(key.to_ascii_lowercase());
            return Parameter { key: lower, value, sent: Some(key) };
        }
        Parameter { key, value, sent: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p064_parameters_are_decoded_once_and_sorted_by_lower_cased_key() {
        let query = Query::parse("&b=%2c%252C&A=x+y%20z&&c&d==&b=2").expect("well encoded");
        let all: Vec<_> = query.iter().collect();
        assert_eq!(all, [("a", "x y z"), ("b", ",%2C"), ("b", "2"), ("c", ""), ("d", "=")]);
        let sent: Vec<_> = query.as_sent().expect("a key in upper case").collect();
        assert_eq!(sent, [("A", "x y z"), ("b", ",%2C"), ("b", "2"), ("c", ""), ("d", "=")]);
        assert!(Query::parse("b=B&a=A").expect("well encoded").as_sent().is_none());
        assert_eq!(query.get("b"), Some(",%2C"));
        assert_eq!(query.get("B"), None);
        assert_eq!(Query::parse("a=%ff"), Err(QueryError));
        assert_eq!(Query::parse("a=%zz").expect("taken as it is").get("a"), Some("%zz"));
    }
}
