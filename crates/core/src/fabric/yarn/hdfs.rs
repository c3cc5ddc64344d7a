//! Files of HDFS, through WebHDFS or HttpFS.

use super::error;
use super::reply::{Done, FileStatus, Status, Statuses};
use super::rest::{Call, Rest, Service};
use crate::fabric::content::Content;
use crate::fabric::{ErrorKind, Result};
use crate::http::Reply;
use crate::http::encode::encode_path;

/// Where WebHDFS begins.
const PREFIX: &str = "/webhdfs/v1";

impl Rest {
    fn file<'a>(
        operation: &'static str,
        method: &'static str,
        path: &str,
        query: &'a [(&'a str, &'a str)],
    ) -> Call<'a> {
        let path = format!("{PREFIX}{}", encode_path(path));
        Call { service: Service::Files, operation, method, path, query, body: None, order: false }
    }

    /// What a file is, if it is there.
    pub(super) fn file_status(&self, path: &str) -> Result<Option<FileStatus>> {
        let query = [("op", "GETFILESTATUS")];
        let call = Self::file("GETFILESTATUS", "GET", path, &query);
        match self.ask::<Status>(&call) {
            Ok(status) => Ok(Some(status.file)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The files of a folder; none if it is not there.
    pub(super) fn files(&self, path: &str) -> Result<Vec<FileStatus>> {
        let query = [("op", "LISTSTATUS")];
        match self.ask::<Statuses>(&Self::file("LISTSTATUS", "GET", path, &query)) {
            Ok(statuses) => Ok(statuses.all.files),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Makes a folder with these rights, such as `700`, and all above it that are not there: those get the same rights. What
    /// is there stays as it is.
    pub(super) fn make_folder(&self, path: &str, rights: &str) -> Result<()> {
        let query = [("op", "MKDIRS"), ("permission", rights)];
        let done: Done = self.ask(&Self::file("MKDIRS", "PUT", path, &query))?;
        sure("MKDIRS", path, &done)
    }

    /// Writes a file whole, in place of one of the same name.
    pub(super) fn write_file(&self, path: &str, content: &Content) -> Result<()> {
        let query = [("op", "CREATE"), ("overwrite", "true"), ("permission", "600")];
        let reply = self.send(&Self::file("CREATE", "PUT", path, &query))?;
        let to = elsewhere("CREATE", &reply)?;
        self.upload("CREATE", &to, content)
    }

    /// Takes a file away.
    pub(super) fn remove_file(&self, path: &str) -> Result<()> {
        let query = [("op", "DELETE")];
        self.send(&Self::file("DELETE", "DELETE", path, &query)).map(drop)
    }

    /// Gives a file another name.
    pub(super) fn rename_file(&self, from: &str, to: &str) -> Result<()> {
        let query = [("op", "RENAME"), ("destination", to)];
        let done: Done = self.ask(&Self::file("RENAME", "PUT", from, &query))?;
        sure("RENAME", from, &done)
    }

    /// A piece of a file; shorter only at its end.
    pub(super) fn read_file(&self, path: &str, from: u64, most: u64) -> Result<Vec<u8>> {
        let (from, most) = (from.to_string(), most.to_string());
        let query = [("op", "OPEN"), ("offset", from.as_str()), ("length", most.as_str())];
        let reply = self.send(&Self::file("OPEN", "GET", path, &query))?;
        if reply.status < 300 {
            return Ok(reply.body);
        }
        let to = elsewhere("OPEN", &reply)?;
        self.there("OPEN", "GET", &to, "*/*").map(|reply| reply.body)
    }
}

/// Where a NameNode sends us: to a DataNode.
fn elsewhere(operation: &'static str, reply: &Reply) -> Result<String> {
    reply.header("location").map(str::to_owned).ok_or_else(|| {
        let message = format!("it answers with status {} and no `Location`", reply.status);
        error(ErrorKind::Protocol, operation, message)
    })
}

fn sure(operation: &'static str, path: &str, done: &Done) -> Result<()> {
    match done.boolean {
        true => Ok(()),
        false => Err(error(ErrorKind::Conflict, operation, format!("`{path}` cannot be made"))),
    }
}
