// SPDX-License-Identifier: MIT OR Apache-2.0
//! A slow JSON reader that is plainly right: it goes through a text character by character along
//! RFC 8259 and remembers what was written, numbers and escapes included. Wherever serde_json's
//! `Value` can say the same, it must.

use serde_json::Value;

/// A value, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Json<'a> {
    /// Its text, without white space around it.
    pub(crate) text: &'a str,
    pub(crate) kind: Kind<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    Number,
    /// Without the text when half of a surrogate pair is missing: no string of Unicode says that.
    String(Option<String>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Json<'a>, Json<'a>)>),
}

/// A text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// What is between two halves of [`Fields`]: a field that is `null` is as good as none.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a, 'j>(Vec<(&'j str, &'j Json<'a>)>);

/// Reads a whole text, and compares it with what serde_json makes of it.
pub(crate) fn read(text: &str) -> Result<Json<'_>, Refused> {
    let mut reader = Reader { text, at: 0 };
    reader.blank();
    let json = reader.value().and_then(|json| {
        reader.blank();
        if reader.at == text.len() { Ok(json) } else { Err(Refused) }
    });
    match &json {
        Ok(json) => json.agrees_with_serde(),
        Err(Refused) => assert!(serde_json::from_str::<Value>(text).is_err()),
    }
    json
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Result<char, Refused> {
        let next = self.peek().ok_or(Refused)?;
        self.at += next.len_utf8();
        Ok(next)
    }

    fn take(&mut self, wanted: char) -> bool {
        let taken = self.peek() == Some(wanted);
        if taken {
            self.at += wanted.len_utf8();
        }
        taken
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Json<'a>, Refused> {
        let from = self.at;
        let kind = match self.next()? {
            'n' => self.word("ull", Kind::Null)?,
            't' => self.word("rue", Kind::Bool(true))?,
            'f' => self.word("alse", Kind::Bool(false))?,
            '"' => Kind::String(self.string()?),
            '[' => self.array()?,
            '{' => self.object()?,
            first => self.number(first)?,
        };
        Ok(Json { text: &self.text[from..self.at], kind })
    }

    fn word(&mut self, rest: &str, kind: Kind<'a>) -> Result<Kind<'a>, Refused> {
        for wanted in rest.chars() {
            if self.next()? != wanted {
                return Err(Refused);
            }
        }
        Ok(kind)
    }

    fn digits(&mut self) -> Result<(), Refused> {
        if !self.next()?.is_ascii_digit() {
            return Err(Refused);
        }
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self, first: char) -> Result<Kind<'a>, Refused> {
        let leading = if first == '-' { self.next()? } else { first };
        match leading {
            '0' => {}
            '1'..='9' => {
                self.at -= 1;
                self.digits()?;
            }
            _ => return Err(Refused),
        }
        if self.take('.') {
            self.digits()?;
        }
        if self.take('e') || self.take('E') {
            let _ = self.take('+') || self.take('-');
            self.digits()?;
        }
        Ok(Kind::Number)
    }

    fn string(&mut self) -> Result<Option<String>, Refused> {
        let mut units = Vec::new();
        loop {
            match self.next()? {
                '"' => return Ok(String::from_utf16(&units).ok()),
                '\\' => units.push(self.escape()?),
                control if control < ' ' => return Err(Refused),
                other => units.extend_from_slice(other.encode_utf16(&mut [0; 2])),
            }
        }
    }

    /// One UTF-16 unit.
    fn escape(&mut self) -> Result<u16, Refused> {
        Ok(match self.next()? {
            'u' => {
                let mut unit = 0;
                for _ in 0..4 {
                    unit = unit * 16 + self.next()?.to_digit(16).ok_or(Refused)?;
                }
                unit as u16
            }
            'b' => 8,
            't' => 9,
            'n' => 10,
            'f' => 12,
            'r' => 13,
            itself @ ('"' | '\\' | '/') => itself as u16,
            _ => return Err(Refused),
        })
    }

    fn array(&mut self) -> Result<Kind<'a>, Refused> {
        let mut items = Vec::new();
        self.blank();
        while !self.take(']') {
            if !items.is_empty() && !self.take(',') {
                return Err(Refused);
            }
            self.blank();
            items.push(self.value()?);
            self.blank();
        }
        Ok(Kind::Array(items))
    }

    fn object(&mut self) -> Result<Kind<'a>, Refused> {
        let mut fields = Vec::new();
        self.blank();
        while !self.take('}') {
            if !fields.is_empty() && !self.take(',') {
                return Err(Refused);
            }
            self.blank();
            let key = self.value()?;
            self.blank();
            if !matches!(key.kind, Kind::String(_)) || !self.take(':') {
                return Err(Refused);
            }
            self.blank();
            fields.push((key, self.value()?));
            self.blank();
        }
        Ok(Kind::Object(fields))
    }
}

impl<'a> Json<'a> {
    /// The text without the white space between its tokens.
    pub(crate) fn compact(&self) -> String {
        let join = |parts: Vec<String>| parts.join(",");
        match &self.kind {
            Kind::Array(items) => format!("[{}]", join(items.iter().map(Json::compact).collect())),
            Kind::Object(fields) => {
                let field = |(key, value): &(Json<'_>, Json<'_>)| {
                    format!("{}:{}", key.text, value.compact())
                };
                format!("{{{}}}", join(fields.iter().map(field).collect()))
            }
            _ => self.text.to_owned(),
        }
    }

    /// A string of Unicode.
    pub(crate) fn string(&self) -> Result<String, Refused> {
        match &self.kind {
            Kind::String(Some(text)) => Ok(text.clone()),
            _ => Err(Refused),
        }
    }

    /// An object's fields. Each of those that are known may be there once.
    pub(crate) fn fields<'j>(&'j self, known: &[&str]) -> Result<Fields<'a, 'j>, Refused> {
        let Kind::Object(fields) = &self.kind else { return Err(Refused) };
        let mut found: Vec<(&str, &Json<'a>)> = Vec::new();
        for (key, value) in fields {
            let Kind::String(Some(key)) = &key.kind else { return Err(Refused) };
            if !known.contains(&key.as_str()) {
                continue;
            }
            if found.iter().any(|(other, _)| other == key) {
                return Err(Refused);
            }
            found.push((key, value));
        }
        Ok(Fields(found))
    }

    fn agrees_with_serde(&self) {
        /// serde_json goes no deeper, for its stack's sake.
        const DEPTH: usize = 127;
        if self.depth() <= DEPTH
            && let Some(value) = self.to_serde()
        {
            let theirs: Value = serde_json::from_str(self.text).expect("valid JSON");
            assert_eq!(theirs, value);
        }
    }

    fn depth(&self) -> usize {
        match &self.kind {
            Kind::Array(items) => 1 + items.iter().map(Json::depth).max().unwrap_or(0),
            Kind::Object(fields) => 1 + fields.iter().map(|(_, v)| v.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// As a `Value`, if all of it can be one: not every number can, and not every string.
    fn to_serde(&self) -> Option<Value> {
        Some(match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(bool) => Value::Bool(*bool),
            Kind::Number => serde_json::from_str(self.text).ok()?,
            Kind::String(text) => Value::String(text.clone()?),
            Kind::Array(items) => {
                Value::Array(items.iter().map(Json::to_serde).collect::<Option<_>>()?)
            }
            Kind::Object(fields) => {
                let field = |(key, value): &(Json<'_>, Json<'_>)| {
                    Some((key.string().ok()?, value.to_serde()?))
                };
                Value::Object(fields.iter().map(field).collect::<Option<_>>()?)
            }
        })
    }
}

impl<'a, 'j> Fields<'a, 'j> {
    /// A field, be it `null`.
    pub(crate) fn even_null(&self, key: &str) -> Option<&'j Json<'a>> {
        self.0.iter().find(|(k, _)| *k == key).map(|(_, value)| *value)
    }

    /// A field that is not `null`.
    pub(crate) fn get(&self, key: &str) -> Option<&'j Json<'a>> {
        self.even_null(key).filter(|json| json.kind != Kind::Null)
    }

    /// A string, if it is there.
    pub(crate) fn string(&self, key: &str) -> Result<Option<String>, Refused> {
        self.get(key).map(Json::string).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_and_what_is_not() {
        for good in [
            "0",
            "-0.10e+5",
            "1E400",
            " [ ] ",
            "{}",
            r#"{"a":[1,{"b":null}],"a":true}"#,
            r#""\u00e9\ud83d\ude00\/\b""#,
            r#""\ud800""#,
            "\"\u{7f}\u{2028}\"",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "01",
            "-",
            "1.",
            ".1",
            "1e",
            "+1",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{1:2}",
            "nul",
            "truex",
            "\"\t\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"",
            "1 2",
            "{\"a\":1,}",
            "NaN",
            "'a'",
        ] {
            assert_eq!(read(bad), Err(Refused), "{bad}");
        }
    }

    #[test]
    fn compact_keeps_how_things_were_written() {
        let json = read(" { \"\\u0061 b\" : [ 1.50 , \" \\\" \" ] , \"c\" : { } } ").expect("JSON");
        assert_eq!(json.compact(), r#"{"\u0061 b":[1.50," \" "],"c":{}}"#);
    }
}
