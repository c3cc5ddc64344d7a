//! Logs of a step: from its node while it runs, then from where the launcher left them, else from the JobHistoryServer.

use super::application::logs_of;
use super::reply::App;
use super::rest::{Call, Service};
use super::status::is_over;
use super::{Yarn, error};
use crate::fabric::{Chunk, ErrorKind, LogFile, Result, StepId};

/// Where a log lies: the beginning of its place.
const NODE: &str = "node:";
const FILES: &str = "hdfs:";
const HISTORY: &str = "history:";

/// What the launcher writes, those first that tell most.
const NAMES: [&str; 2] = ["stderr", "stdout"];

/// So much is read at once, in bytes.
const PIECE: u64 = 1 << 20;

impl Yarn {
    pub(super) fn step_logs(&self, id: &StepId) -> Result<Vec<LogFile>> {
        if let Some(app) = self.rest.application(id)?.filter(|app| !is_over(app)) {
            return Ok(self.on_its_node(&app));
        }
        let folder = logs_of(&self.config, id);
        let saved = self.rest.files(&folder)?;
        if !saved.is_empty() {
            let log = |name: &str| {
                let file = saved.iter().find(|file| file.path_suffix == name)?;
                let place = format!("{FILES}{folder}/{name}");
                Some(LogFile { name: name.to_owned(), place, size: Some(file.length) })
            };
            return Ok(NAMES.into_iter().filter_map(log).collect());
        }
        // It was killed before it could leave them.
        match (&self.config.history, self.rest.application(id)?) {
            (Some(_), Some(app)) => {
                let log = |container: &str| {
                    NAMES.map(|name| LogFile {
                        name: name.to_owned(),
                        place: format!("{HISTORY}/ws/v1/history/containerlogs/{container}/{name}"),
                        size: None,
                    })
                };
                Ok(app.container().map(log).into_iter().flatten().collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn on_its_node(&self, app: &App) -> Vec<LogFile> {
        let (Some(container), node) = (app.container(), &app.am_host_http_address) else {
            return Vec::new();
        };
        if node.is_empty() {
            return Vec::new();
        }
        let scheme = app.am_container_logs.split("://").next().unwrap_or("http");
        let base = format!("{scheme}://{node}/ws/v1/node/containerlogs/{container}");
        let log = |name: &str| LogFile {
            name: name.to_owned(),
            place: format!("{NODE}{base}/{name}"),
            size: None,
        };
        NAMES.into_iter().map(log).collect()
    }

    /// A log that was on a node just now.
    fn read_moved(&self, file: &LogFile, url: &str, from: u64) -> Result<Chunk> {
        let all = application_of(url).map(|id| self.step_logs(&id)).transpose()?;
        let same = |other: &&LogFile| other.name == file.name && !other.place.starts_with(NODE);
        match all.iter().flatten().find(same) {
            Some(moved) => self.read_log(moved, from),
            None => Ok(Chunk { bytes: Vec::new(), at_end: true }),
        }
    }

    pub(super) fn read_log(&self, file: &LogFile, from: u64) -> Result<Chunk> {
        const READ: &str = "read";
        if let Some(path) = file.place.strip_prefix(FILES) {
            if file.size.is_some_and(|size| from >= size) {
                return Ok(Chunk { bytes: Vec::new(), at_end: true });
            }
            let bytes = self.rest.read_file(path, from, PIECE)?;
            let at_end = (bytes.len() as u64) < PIECE;
            return Ok(Chunk { bytes, at_end });
        }
        let reply = if let Some(url) = file.place.strip_prefix(NODE) {
            match self.rest.there(READ, "GET", url, "text/plain") {
                // It has ended since, and the node knows it no more.
                Err(error) if error.kind == ErrorKind::NotFound => {
                    return self.read_moved(file, url, from);
                }
                answer => answer,
            }
        } else if let Some(path) = file.place.strip_prefix(HISTORY) {
            self.rest.send(&Call {
                service: Service::History,
                operation: READ,
                method: "GET",
                path: path.to_owned(),
                query: &[],
                body: None,
                order: false,
            })
        } else {
            let message = format!("`{}` is no place of a log of YARN", file.place);
            Err(error(ErrorKind::NotFound, READ, message))
        }?;
        let whole = unwrapped(&reply.body);
        let start = usize::try_from(from).unwrap_or(usize::MAX).min(whole.len());
        Ok(Chunk { bytes: whole[start..].to_vec(), at_end: true })
    }
}

/// The application of the container in a URL: `container_e2_1795340501355_0007_01_000001` is of
/// `application_1795340501355_0007`. What begins with `e` counts how often the ResourceManager began, and may be missing.
fn application_of(url: &str) -> Option<StepId> {
    let container = url.split('/').find_map(|part| part.strip_prefix("container_"))?;
    let mut numbers = container.split('_').skip_while(|part| part.starts_with('e'));
    let (began, number) = (numbers.next()?, numbers.next()?);
    Some(StepId::new(format!("application_{began}_{number}")))
}

/// A log without what YARN's web services put around it: `… LogLength:n\nLogContents:\n`, so many bytes, and what comes
/// then. Of a running program's there is no line's end before that.
fn unwrapped(text: &[u8]) -> &[u8] {
    const BEGIN: &[u8] = b"LogContents:\n";
    let Some(begin) = text.windows(BEGIN.len()).position(|part| part == BEGIN) else {
        // It says in a sentence that there is none.
        return if text.starts_with(b"Can not find logs") { b"" } else { text };
    };
    let (head, rest) = (&text[..begin], &text[begin + BEGIN.len()..]);
    let lines = head.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let length =
        lines.filter_map(|line| line.strip_prefix("LogLength:")?.trim().parse().ok()).next_back();
    &rest[..length.unwrap_or(rest.len()).min(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::application_of;

    #[test]
    fn a_container_tells_its_application() {
        let of = |url| application_of(url).map(|id| id.to_string());
        let id = Some("application_1795_0007".to_owned());
        assert_eq!(of("http://n:8042/x/container_1795_0007_01_000001/stdout"), id);
        assert_eq!(of("http://n:8042/x/container_e17_1795_0007_01_000001/stdout"), id);
        assert_eq!(of("http://n:8042/x/container_1795"), None);
        assert_eq!(of("http://n:8042/x/stdout"), None);
    }
}
