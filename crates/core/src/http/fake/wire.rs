//! Requests from bytes, replies to bytes.

use std::io::{self, BufRead, BufReader, Read, Write};

use super::Received;
use crate::clock::timestamp;
use crate::http::Reply;

/// The largest head and body that are taken.
const HEAD: u64 = 64 * 1024;
const BODY: usize = 64 * 1024 * 1024;

/// One connection.
pub(super) struct Wire<S: Read + Write>(BufReader<S>);

impl<S: Read + Write> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// The next request, and whether the connection goes on after it; `None` when there is none.
    pub(super) fn read(&mut self) -> io::Result<Option<(Received, bool)>> {
        let Some(first) = self.line()?.filter(|line| !line.is_empty()) else { return Ok(None) };
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(garbage("a request line"));
        };
        let (method, target) = (method.to_owned(), origin_form(target).to_owned());
        let newer = version == "HTTP/1.1";
        let mut request = Received { method, target, headers: self.headers()?, body: Vec::new() };
        if request.header("expect").is_some_and(|it| it.eq_ignore_ascii_case("100-continue")) {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = self.body(&request)?;
        let keep = match request.header("connection").map(str::to_ascii_lowercase).as_deref() {
            Some("close") => false,
            Some("keep-alive") => true,
            _ => newer,
        };
        Ok(Some((request, keep)))
    }

    /// Sends a reply.
    pub(super) fn reply(&mut self, request: &Received, reply: Reply) -> io::Result<()> {
        let has = |name| reply.header(name).is_some();
        let chunked = reply.header("transfer-encoding") == Some("chunked");
        let mut out = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
        for (name, value) in &reply.headers {
            out += &format!("{name}: {value}\r\n");
        }
        if !has("date") {
            out += &format!("date: {}\r\n", timestamp().strftime("%a, %d %b %Y %H:%M:%S GMT"));
        }
        if !chunked && !has("content-length") && reply.status != 204 && reply.status != 304 {
            out += &format!("content-length: {}\r\n", reply.body.len());
        }
        let mut out = (out + "\r\n").into_bytes();
        if request.method != "HEAD" {
            match chunked {
                true => out.extend(chunks(&reply.body)),
                false => out.extend(&reply.body),
            }
        }
        self.write(&out)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.0.get_mut();
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// Until the other side hangs up.
    pub(super) fn wait(&mut self) -> io::Result<()> {
        io::copy(&mut self.0, &mut io::sink()).map(drop)
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        self.0.by_ref().take(HEAD).read_line(&mut line)?;
        match line.strip_suffix('\n') {
            Some(line) => Ok(Some(line.strip_suffix('\r').unwrap_or(line).to_owned())),
            None if line.is_empty() => Ok(None),
            None => Err(garbage("a line")),
        }
    }

    fn headers(&mut self) -> io::Result<Vec<(String, String)>> {
        let mut headers = Vec::new();
        loop {
            let line = self.line()?.ok_or_else(|| garbage("a header"))?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| garbage("a header"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn body(&mut self, request: &Received) -> io::Result<Vec<u8>> {
        let chunked = request
            .header("transfer-encoding")
            .is_some_and(|it| it.eq_ignore_ascii_case("chunked"));
        if chunked {
            return self.chunked();
        }
        let length = request.header("content-length").unwrap_or("0");
        self.exactly(length.parse().map_err(|_| garbage("a length"))?)
    }

    fn chunked(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?.ok_or_else(|| garbage("a chunk"))?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = usize::from_str_radix(digits, 16).map_err(|_| garbage("a chunk"))?;
            if length == 0 {
                self.headers()?;
                return Ok(body);
            }
            body.extend(self.exactly(length)?);
            self.line()?;
            if body.len() > BODY {
                return Err(garbage("a body"));
            }
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > BODY {
            return Err(garbage("a body"));
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }
}

fn origin_form(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphabetic()) => {
            rest.find('/').map_or("/", |path| &rest[path..])
        }
        _ => target,
    }
}

fn chunks(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(1024) {
        out.extend(format!("{:x}\r\n", chunk.len()).bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n\r\n");
    out
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Other",
    }
}

fn garbage(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} that makes no sense"))
}
