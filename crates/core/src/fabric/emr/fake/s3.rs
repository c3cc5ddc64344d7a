//! As much of S3 as reading logs needs: `ListObjectsV2` and `GetObject`, path style and virtual-hosted style.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ring::digest;

use super::bucket::Object;
use super::refusal::Refusal;
use super::world::World;
use crate::hex::hex;
use crate::http::Reply;
use crate::http::aws::xml::escape;
use crate::http::aws::{Service, refusal};
use crate::http::encode::{decode, encode_path};
use crate::http::fake::Received;

/// What a request to S3 is about.
#[derive(Debug)]
pub(super) struct Ask {
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
}

impl Ask {
    pub(super) fn read(received: &Received) -> Self {
        let path = decode(received.path().trim_start_matches('/'));
        let (bucket, key) = match virtual_host(received.header("host").unwrap_or_default()) {
            Some(bucket) => (bucket.to_owned(), path),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
                (bucket.to_owned(), key.to_owned())
            }
        };
        let pairs = received.query().split('&').filter(|pair| !pair.is_empty());
        let query = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self {
            bucket,
            key,
            query: query.map(|(name, value)| (decode(name), decode(value))).collect(),
        }
    }

    pub(super) fn operation(&self, method: &str) -> &'static str {
        match (method, self.key.is_empty(), self.value("list-type")) {
            ("GET", true, Some("2")) => "ListObjectsV2",
            ("GET", false, _) => "GetObject",
            _ => "unknown operation of S3",
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// `bucket.s3.region.amazonaws.com` and `bucket.localhost`, but not `s3.region.amazonaws.com`.
fn virtual_host(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let end = host.find(".s3.").or(host.find(".s3-")).or(host.find(".localhost"));
    end.map(|end| &host[..end])
}

/// The reply to a request that is believed, signed for a region.
pub(super) fn reply(world: &World, received: &Received, region: &str) -> Reply {
    let ask = Ask::read(received);
    let operation = ask.operation(&received.method);
    let Some(home) = world.region_of(&ask.bucket) else {
        return refusal(Service::S3, 404, "NoSuchBucket", "The specified bucket does not exist");
    };
    if home != region {
        return elsewhere(home);
    }
    if world.denied.contains(operation) {
        return refusal(Service::S3, 403, "AccessDenied", "Access Denied");
    }
    let objects = world.objects(&ask.bucket);
    match operation {
        "ListObjectsV2" => list(&ask, &objects, world.script.keys),
        _ => match objects.iter().find(|object| object.key == ask.key) {
            Some(object) => get(object, received.header("range")),
            // Who may not list is not told what is not there.
            None if world.denied.contains("ListObjectsV2") => {
                refusal(Service::S3, 403, "AccessDenied", "Access Denied")
            }
            None => refusal(Service::S3, 404, "NoSuchKey", "The specified key does not exist."),
        },
    }
}

/// An error of the services in general in S3's own words.
pub(super) fn dressed(refused: &Refusal) -> Reply {
    let (status, code) = match refused.code {
        "ThrottlingException" => (503, "SlowDown"),
        "InternalFailure" => (500, "InternalError"),
        "AccessDeniedException" => (403, "AccessDenied"),
        "ExpiredTokenException" => (400, "ExpiredToken"),
        code => (refused.status, code),
    };
    refusal(Service::S3, status, code, &refused.message)
}

fn elsewhere(home: &str) -> Reply {
    let message =
        "The bucket you are attempting to access must be addressed using the specified endpoint.";
    let mut reply = refusal(Service::S3, 301, "PermanentRedirect", message);
    reply.headers.push(("x-amz-bucket-region".to_owned(), home.to_owned()));
    reply
}

fn list(ask: &Ask, objects: &[Object], largest: usize) -> Reply {
    let prefix = ask.value("prefix").unwrap_or_default();
    let after = match ask.value("continuation-token").map(read_token) {
        Some(None) => {
            let message = "The continuation token provided is incorrect";
            return refusal(Service::S3, 400, "InvalidArgument", message);
        }
        Some(Some(after)) => Some(after),
        None => ask.value("start-after").map(str::to_owned),
    };
    let size =
        ask.value("max-keys").and_then(|keys| keys.parse().ok()).unwrap_or(1000).min(largest);
    // Sorted by key, with what lies below a delimiter as one.
    let group = |key: &str| {
        let delimiter = ask.value("delimiter").filter(|delimiter| !delimiter.is_empty())?;
        let rest = &key[prefix.len()..];
        rest.find(delimiter).map(|at| key[..prefix.len() + at + delimiter.len()].to_owned())
    };
    let entries: BTreeSet<(String, Option<usize>)> = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| object.key.starts_with(prefix))
        .map(|(n, object)| match group(&object.key) {
            Some(group) => (group, None),
            None => (object.key.clone(), Some(n)),
        })
        .filter(|(name, _)| after.as_ref().is_none_or(|after| name > after))
        .collect();
    let more = entries.len() > size;
    let shown: Vec<_> = entries.into_iter().take(size).collect();
    let url = ask.value("encoding-type") == Some("url");
    let text = |key: &str| if url { encode_path(key) } else { escape(key) };
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{size}</MaxKeys><IsTruncated>{more}</IsTruncated>",
        escape(&ask.bucket),
        text(prefix),
        shown.len()
    );
    if url {
        out += "<EncodingType>url</EncodingType>";
    }
    if let Some((last, _)) = shown.last().filter(|_| more) {
        let _ = write!(out, "<NextContinuationToken>{}</NextContinuationToken>", token(last));
    }
    for (name, n) in &shown {
        match n {
            Some(n) => contents(&mut out, &text(name), &objects[*n]),
            None => {
                let _ =
                    write!(out, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", text(name));
            }
        }
    }
    out += "</ListBucketResult>";
    xml(out)
}

fn contents(out: &mut String, key: &str, object: &Object) {
    let _ = write!(
        out,
        "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>\
         <StorageClass>STANDARD</StorageClass></Contents>",
        object.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        escape(&etag(object)),
        object.body.len()
    );
}

fn xml(body: String) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
    Reply { status: 200, headers, body: body.into_bytes() }
}

/// Opaque, and full of what must be encoded.
fn token(last: &str) -> String {
    format!("1/{}+==", hex(last.as_bytes()))
}

fn read_token(token: &str) -> Option<String> {
    let digits = token.strip_prefix("1/")?.strip_suffix("+==")?;
    let pairs = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    String::from_utf8(pairs.collect::<Option<Vec<u8>>>()?).ok()
}

fn etag(object: &Object) -> String {
    let digest = digest::digest(&digest::SHA256, &object.body);
    format!("\"{}\"", hex(&digest.as_ref()[..16]))
}

fn get(object: &Object, range: Option<&str>) -> Reply {
    let all = object.body.len();
    let (status, from, to) = match range.map(|range| bounds(range, all)) {
        Some(None) => {
            let message = "The requested range is not satisfiable";
            let mut reply = refusal(Service::S3, 416, "InvalidRange", message);
            reply.headers.push(("content-range".to_owned(), format!("bytes */{all}")));
            return reply;
        }
        Some(Some((from, to))) => (206, from, to),
        None => (200, 0, all),
    };
    let mut headers = vec![
        ("accept-ranges".to_owned(), "bytes".to_owned()),
        // EMR puts its logs there so, and no client is to unpack them unasked.
        ("content-type".to_owned(), "binary/octet-stream".to_owned()),
        ("etag".to_owned(), etag(object)),
        ("last-modified".to_owned(), object.at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    ];
    if status == 206 {
        headers.push(("content-range".to_owned(), format!("bytes {from}-{}/{all}", to - 1)));
    }
    Reply { status, headers, body: object.body[from..to].to_vec() }
}

/// From and to (not included) of `bytes=from-last`, `bytes=from-` and `bytes=-so many`, if there is any such byte.
fn bounds(range: &str, all: usize) -> Option<(usize, usize)> {
    let (from, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from, last) {
        ("", last) => (all.saturating_sub(last.parse().ok()?), all),
        (from, "") => (from.parse().ok()?, all),
        (from, last) => {
            (from.parse().ok()?, last.parse::<usize>().ok()?.saturating_add(1).min(all))
        }
    };
    (from < to).then_some((from, to))
}
