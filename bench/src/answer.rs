// SPDX-License-Identifier: MIT OR Apache-2.0
//! The answer to an HTTP request, as far as the bench reads it: whether it is whole, its status,
//! the few headers that matter, its body. It borrows what it reads, and never guesses: bytes that
//! are not an answer are told apart from an answer that has not come yet.

use crate::wire;

/// Headers of one answer at most.
const HEADERS: usize = 32;

/// What some bytes are as an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading<'a> {
    /// More must come.
    Incomplete,
    /// All of it is there.
    Whole(Answer<'a>),
    /// It is none.
    Broken,
}

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    /// Its status.
    pub(crate) status: u16,
    /// Bytes of head and body.
    pub(crate) length: usize,
    /// What becomes of the connection.
    pub(crate) then: Then,
    /// The body; with its chunks as they came, if it was sent in chunks.
    pub(crate) body: &'a [u8],
    /// Where it leads.
    pub(crate) location: Option<&'a str>,
    /// The cookie that it sets, with its attributes.
    pub(crate) set_cookie: Option<&'a str>,
}

/// What a server does with a connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It waits for the next request.
    KeepAlive,
    /// It closes it.
    Close,
}

/// Status 204: success without a body, whatever the headers say.
const NO_CONTENT: u16 = 204;

impl<'a> Answer<'a> {
    /// Reads the answer at the start of `bytes`.
    pub(crate) fn read(bytes: &'a [u8]) -> Reading<'a> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let head = match response.parse(bytes) {
            Ok(httparse::Status::Complete(head)) => head,
            Ok(httparse::Status::Partial) => return Reading::Incomplete,
            Err(_) => return Reading::Broken,
        };
        let value = |name: &str| {
            let header =
                response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        let Some(status) = response.code else { return Reading::Broken };
        let is = |name: &str, word: &str| {
            value(name).is_some_and(|value: &str| value.eq_ignore_ascii_case(word))
        };
        let length = if status == NO_CONTENT {
            Some(0)
        } else if let Some(length) = value("content-length") {
            let Ok(length) = length.trim().parse::<usize>() else { return Reading::Broken };
            Some(length)
        } else if is("transfer-encoding", "chunked") {
            const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
            wire::find(&bytes[head..], LAST_CHUNK).map(|at| at + LAST_CHUNK.len())
        } else {
            return Reading::Broken;
        };
        let Some(body) = length.and_then(|length| bytes.get(head..head + length)) else {
            return Reading::Incomplete;
        };
        Reading::Whole(Self {
            status,
            length: head + body.len(),
            then: if is("connection", "close") { Then::Close } else { Then::KeepAlive },
            body,
            location: value("location"),
            set_cookie: value("set-cookie"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Option<Answer<'_>> {
        match Answer::read(bytes) {
            Reading::Whole(answer) => Some(answer),
            Reading::Incomplete | Reading::Broken => None,
        }
    }

    #[test]
    fn an_answer_is_whole_at_its_last_byte_and_not_before() {
        let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let closing = b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\n{}";
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
        let empty = b"HTTP/1.1 204 No Content\r\n\r\n";
        for (bytes, then) in [
            (&plain[..], Then::KeepAlive),
            (&closing[..], Then::Close),
            (&chunked[..], Then::KeepAlive),
            (&empty[..], Then::KeepAlive),
        ] {
            for cut in 0..bytes.len() {
                assert_eq!(Answer::read(&bytes[..cut]), Reading::Incomplete, "cut at {cut}");
            }
            let answer = whole(bytes).unwrap();
            assert_eq!((answer.length, answer.then), (bytes.len(), then));
        }
    }

    #[test]
    fn status_body_and_headers_are_those_of_the_answer() {
        let bytes = b"HTTP/1.1 303 See Other\r\nLocation: /lobby/7\r\nSet-Cookie: a=b; Path=/\r\n\
                      Content-Length: 3\r\n\r\nabcHTTP/1.1 200";
        let answer = whole(bytes).unwrap();
        assert_eq!((answer.status, answer.body), (303, &b"abc"[..]));
        assert_eq!((answer.location, answer.set_cookie), (Some("/lobby/7"), Some("a=b; Path=/")));
        assert_eq!(&bytes[answer.length..], b"HTTP/1.1 200");
    }

    #[test]
    fn what_has_no_end_or_is_no_answer_is_broken() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00",
        ] {
            assert_eq!(Answer::read(bytes), Reading::Broken);
        }
    }
}
