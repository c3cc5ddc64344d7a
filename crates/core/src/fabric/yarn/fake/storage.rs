//! WebHDFS: a NameNode, and the DataNode to which it sends.

use serde_json::json;

use super::refusal::Refusal;
use super::serve::{Ask, json, text};
use super::world::World;
use crate::http::Reply;
use crate::http::encode::encode_path;

/// What a NameNode answers; `None` where it knows of no such operation.
pub(super) fn name_node(
    world: &mut World,
    node: &str,
    ask: &Ask,
) -> Option<Result<Reply, Refusal>> {
    let done = |it: bool| Ok(json(200, &json!({"boolean": it})));
    let (path, now) = (ask.path.as_str(), world.now.as_millisecond());
    Some(match ask.operation {
        "GETFILESTATUS" => world.files.status(path).map(|it| json(200, &it)),
        "LISTSTATUS" => world.files.list(path).map(|it| json(200, &it)),
        "MKDIRS" => {
            let rights = ask.query("permission").unwrap_or("755");
            let above = world.files.make(path, rights, now);
            // Others look for their own files in and through the folders of users.
            let is_shared = |path: &str| match path.strip_prefix("/user/") {
                Some(user) => !user.contains('/'),
                None => !path[1..].contains('/'),
            };
            let shared = above.filter(|above| rights != "755" && is_shared(above));
            if let Some(shared) = shared {
                world.note(format!("{shared} was closed by the way, for {path}"));
            }
            done(true)
        }
        "RENAME" => {
            let to = ask.query("destination").unwrap_or_default();
            done(world.files.rename(path, to))
        }
        "DELETE" => done(world.files.remove(path)),
        "CREATE" if !world.files.has_folder_of(path) => {
            world.note(format!("the folder of {path} is not there"));
            Err(Refusal::no_file(path))
        }
        "CREATE" => Ok(sent_to(node, ask)),
        "OPEN" if world.files.get(path).is_none_or(|file| file.bytes.is_none()) => {
            Err(Refusal::no_file(path))
        }
        "OPEN" => Ok(sent_to(node, ask)),
        _ => return None,
    })
}

fn sent_to(node: &str, ask: &Ask) -> Reply {
    let query: Vec<String> =
        ask.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = query.join("&");
    let path = encode_path(&ask.path);
    let place = format!("http://{node}/webhdfs/v1{path}?{query}&namenoderpcaddress=fake:9000");
    let headers = vec![
        ("location".to_owned(), place),
        ("content-type".to_owned(), "application/octet-stream".to_owned()),
    ];
    Reply { status: 307, headers, body: Vec::new() }
}

/// What a DataNode answers.
pub(super) fn data_node(
    world: &mut World,
    ask: &Ask,
    bytes: &[u8],
) -> Option<Result<Reply, Refusal>> {
    let now = world.now.as_millisecond();
    match ask.operation {
        "CREATE data" => {
            world.files.write(&ask.path, bytes, ask.query("permission").unwrap_or("644"), now);
            let mut reply = text(201, "");
            reply.headers.push(("location".to_owned(), ask.path.clone()));
            Some(Ok(reply))
        }
        "OPEN data" => Some(open(world, ask)),
        _ => None,
    }
}

fn open(world: &World, ask: &Ask) -> Result<Reply, Refusal> {
    let bytes = world.files.get(&ask.path).and_then(|file| file.bytes.as_deref());
    let bytes = bytes.ok_or_else(|| Refusal::no_file(&ask.path))?;
    let number = |name: &str| ask.query(name).and_then(|text| text.parse::<usize>().ok());
    let from = number("offset").unwrap_or(0);
    if from > bytes.len() {
        let message = format!("Offset={from} out of the range [0, {})", bytes.len());
        return Err(Refusal { package: "java.io", ..Refusal::new(403, "IOException", message) });
    }
    let rest = &bytes[from..];
    let most = number("length").unwrap_or(rest.len()).min(rest.len());
    let headers = vec![("content-type".to_owned(), "application/octet-stream".to_owned())];
    Ok(Reply { status: 200, headers, body: rest[..most].to_vec() })
}
