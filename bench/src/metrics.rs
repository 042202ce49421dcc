// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server says of itself over HTTP: its `/metrics`, and other pages that need no signature.

use crate::process::Server;
use crate::trouble::Trouble;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// The samples of a server's `/metrics` at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(String);

impl Metrics {
    /// Asks for them.
    pub(crate) fn of(server: &Server) -> Result<Self, Trouble> {
        get(server, "/metrics").map(Self).map_err(Trouble::io("reading /metrics"))
    }

    /// The sum of a metric's samples of all labels; `None` when the server has none.
    pub(crate) fn sum(&self, name: &str) -> Option<f64> {
        self.sum_where(name, "")
    }

    /// The sum of those whose labels contain some text, such as `outcome="truth"`.
    pub(crate) fn sum_where(&self, name: &str, labels: &str) -> Option<f64> {
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (of, value) = match rest.strip_prefix('{') {
                Some(labelled) => labelled.rsplit_once("} ")?,
                None => ("", rest.strip_prefix(' ')?),
            };
            of.contains(labels).then(|| value.split(' ').next()?.parse::<f64>().ok())?
        });
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }
}

/// The whole answer to a GET, with its head.
pub(crate) fn get(server: &Server, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(server.address())?;
    let host = server.address();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_summed_over_labels_and_names_are_whole() {
        let text = "# TYPE a counter\na_total{w=\"0\"} 3\na_total{w=\"1\"} 4\na 9\na_x 7.5\n";
        let metrics = Metrics(text.to_owned());
        assert_eq!(metrics.sum("a_total"), Some(7.0));
        assert_eq!(metrics.sum("a"), Some(9.0));
        assert_eq!(metrics.sum("a_x"), Some(7.5));
        assert_eq!(metrics.sum("b"), None);
        assert_eq!(metrics.sum_where("a_total", "w=\"1\""), Some(4.0));
        assert_eq!(metrics.sum_where("a_total", "w=\"2\""), None);
    }
}
