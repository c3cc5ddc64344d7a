//! Cloud Storage's method to write: at once, with its metadata, or piece by piece
//! (<https://cloud.google.com/storage/docs/performing-resumable-uploads>).

use serde_json::{Value, json};

use super::refusal::Refusal;
use super::serve::{Ask, json as as_json};
use super::storage::{Session, crc32c};
use super::world::World;
use super::{gcs, shapes};
use crate::http::Reply;
use crate::http::fake::Received;

/// All pieces but the last are multiples of this.
const PIECE: usize = 256 * 1024;

/// What a request brings.
struct Parts {
    metadata: Value,
    content_type: String,
    body: Vec<u8>,
}

/// A new object, or the beginning of its upload.
pub(super) fn insert(
    world: &mut World,
    ask: &Ask,
    received: &Received,
    url: &str,
) -> Result<Reply, Refusal> {
    let bucket = gcs::bucket(world, ask)?.to_owned();
    let how = ask.query("uploadType").unwrap_or_default();
    let Parts { metadata, content_type, body } = parts(how, received)?;
    shapes::described("storage.Object", &metadata)?;
    let text = |name: &str| metadata[name].as_str();
    let name = ask.query("name").or(text("name")).unwrap_or_default().to_owned();
    if name.is_empty() || name.len() > 1024 || name.contains(['\r', '\n']) {
        return Err(
            Refusal::invalid(format!("'{name}' is no name of an object.")).because("required")
        );
    }
    if text("bucket").is_some_and(|named| named != bucket) {
        return Err(Refusal::invalid("The bucket of the metadata is not that of the request."));
    }
    let session = Session {
        bucket,
        name,
        content_type: text("contentType").map_or(content_type, str::to_owned),
        generation: ask.number("ifGenerationMatch")?,
        crc32c: text("crc32c").map(str::to_owned),
        body,
        pieces: 0,
        done: None,
    };
    if how == "resumable" {
        may_write(world, &session)?;
        return Ok(begin(world, session, url));
    }
    let told = write(world, &session, url)?;
    Ok(as_json(200, &told))
}

fn parts(how: &str, received: &Received) -> Result<Parts, Refusal> {
    let given = received.header("content-type").unwrap_or("application/octet-stream");
    match how {
        "media" => {
            let (content_type, body) = (given.to_owned(), received.body.clone());
            Ok(Parts { metadata: json!({}), content_type, body })
        }
        "multipart" => related(given, &received.body)
            .ok_or_else(|| Refusal::invalid("Malformed multipart body.").because("badContent")),
        "resumable" => {
            let content_type = received.header("x-upload-content-type");
            let content_type = content_type.unwrap_or("application/octet-stream").to_owned();
            let metadata = if received.body.is_empty() { b"{}" } else { &received.body[..] };
            let metadata = serde_json::from_slice(metadata);
            let metadata = metadata.map_err(|_| Refusal::invalid("Parse Error"))?;
            Ok(Parts { metadata, content_type, body: Vec::new() })
        }
        other => Err(Refusal::invalid(format!("Upload type '{other}' is not known."))),
    }
}

/// The two parts of `multipart/related` (RFC 2387): JSON, and the bytes.
fn related(content_type: &str, body: &[u8]) -> Option<Parts> {
    let boundary = content_type.strip_prefix("multipart/related;")?.split("boundary=").nth(1)?;
    let boundary = boundary.split(';').next()?.trim().trim_matches(['"', '\'']);
    let line = format!("--{boundary}");
    let rest = after(body, line.as_bytes())?;
    let (metadata, rest) = before(rest, format!("\r\n{line}").as_bytes())?;
    let (media, rest) = before(rest, format!("\r\n{line}--").as_bytes())?;
    if boundary.is_empty() || !rest.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let (head, metadata) = before(metadata, b"\r\n\r\n")?;
    header(head).filter(|kind| kind.starts_with("application/json"))?;
    let metadata = serde_json::from_slice(metadata).ok()?;
    let (head, body) = before(media, b"\r\n\r\n")?;
    let content_type = header(head).unwrap_or_else(|| "application/octet-stream".to_owned());
    Some(Parts { metadata, content_type, body: body.to_vec() })
}

/// The content type that a part's head names.
fn header(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-type"));
    found.map(|(_, value)| value.trim().to_owned())
}

fn before<'b>(bytes: &'b [u8], what: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes.windows(what.len()).position(|part| part == what)?;
    Some((&bytes[..at], &bytes[at + what.len()..]))
}

fn after<'b>(bytes: &'b [u8], what: &[u8]) -> Option<&'b [u8]> {
    before(bytes, what).map(|(_, rest)| rest)
}

/// Whether the condition of a request holds; 0: nothing may be there.
fn may_write(world: &World, session: &Session) -> Result<(), Refusal> {
    let there = world.object(&session.bucket, &session.name).map_or(0, |object| object.generation);
    match session.generation {
        Some(wanted) if wanted != there => Err(Refusal::condition()),
        _ => Ok(()),
    }
}

fn write(world: &mut World, session: &Session, url: &str) -> Result<Value, Refusal> {
    may_write(world, session)?;
    let Session { bucket, name, content_type, body, .. } = session;
    let sum = crc32c(body);
    if let Some(wanted) = session.crc32c.as_ref().filter(|wanted| **wanted != sum) {
        let message =
            format!("Provided CRC32C \"{wanted}\" doesn't match calculated CRC32C \"{sum}\".");
        return Err(Refusal::invalid(message));
    }
    let now = world.now;
    Ok(world.storage.put(bucket, name, body, content_type, now).told(url))
}

fn begin(world: &mut World, session: Session, url: &str) -> Reply {
    let bucket = session.bucket.clone();
    let id = world.storage.begin(session);
    let place = format!("{url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={id}");
    let headers = [("location", place), ("x-guploader-uploadid", id)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value));
    Reply { status: 200, headers: headers.to_vec(), body: Vec::new() }
}

/// A piece of an upload, or a question how much of it is there.
pub(super) fn piece(
    world: &mut World,
    ask: &Ask,
    received: &Received,
    url: &str,
) -> Result<Reply, Refusal> {
    let id = ask.query("upload_id").unwrap_or_default().to_owned();
    let gone = || Refusal::new(404, "NOT_FOUND", "No such upload.").because("notFound");
    let session = world.storage.sessions.get(&id).ok_or_else(gone)?;
    if session.bucket != ask.var("bucket") {
        return Err(gone());
    }
    let mut session = session.clone();
    if let Some(told) = &session.done {
        return Ok(as_json(200, told));
    }
    let piece = Piece::read(received)?;
    if !piece.is_question && piece.from > session.body.len() {
        return Err(Refusal::new(503, "UNAVAILABLE", "A piece is missing.").because("backendError"));
    }
    if !piece.is_question {
        // What is there already is not written again.
        let skip = session.body.len() - piece.from;
        session.body.extend(received.body.iter().skip(skip));
        session.pieces += 1;
        if let Some(keeps) = world.script.keeps.filter(|_| session.pieces == 1) {
            session.body.truncate(keeps);
        }
    }
    let whole = piece.total == Some(session.body.len());
    if !whole {
        let reply = incomplete(session.body.len());
        world.storage.sessions.insert(id, session);
        return Ok(reply);
    }
    let told = write(world, &session, url)?;
    session.done = Some(told.clone());
    world.storage.sessions.insert(id, session);
    Ok(as_json(200, &told))
}

fn incomplete(there: usize) -> Reply {
    let mut headers = Vec::new();
    if let Some(last) = there.checked_sub(1) {
        headers.push(("range".to_owned(), format!("bytes=0-{last}")));
    }
    Reply { status: 308, headers, body: Vec::new() }
}

/// What `content-range` says of a piece.
struct Piece {
    from: usize,
    total: Option<usize>,
    is_question: bool,
}

impl Piece {
    fn read(received: &Received) -> Result<Self, Refusal> {
        let length = received.body.len();
        let Some(text) = received.header("content-range") else {
            // All of it at once.
            return Ok(Self { from: 0, total: Some(length), is_question: false });
        };
        let wrong = || Refusal::invalid(format!("Invalid Content-Range '{text}'."));
        let rest = text.strip_prefix("bytes ").ok_or_else(wrong)?;
        let (range, total) = rest.split_once('/').ok_or_else(wrong)?;
        let total = match total {
            "*" => None,
            total => Some(total.parse().map_err(|_| wrong())?),
        };
        if range == "*" {
            // Of nothing this is the whole.
            let is_question = length == 0;
            return if is_question {
                Ok(Self { from: 0, total, is_question })
            } else {
                Err(wrong())
            };
        }
        let (from, last) = range.split_once('-').ok_or_else(wrong)?;
        let from: usize = from.parse().map_err(|_| wrong())?;
        let last: usize = last.parse().map_err(|_| wrong())?;
        if last.checked_sub(from).map(|more| more + 1) != Some(length)
            || total.is_some_and(|total| total <= last)
        {
            return Err(wrong());
        }
        if total.is_none_or(|total| total != last + 1) && !length.is_multiple_of(PIECE) {
            let message = format!("All pieces but the last must be multiples of {PIECE} bytes.");
            return Err(Refusal::invalid(message));
        }
        Ok(Self { from, total, is_question: false })
    }
}
