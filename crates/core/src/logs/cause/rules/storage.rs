//! What is not there, is there already, or may not be touched.

use super::super::words::{after, between, uri, word, word_after};
use super::memory::container_exit;
use super::{Rule, Weight};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "bad-credentials",
        weight: Weight::Known,
        says: |line| {
            let codes = [
                "InvalidAccessKeyId",
                "ExpiredToken",
                "SignatureDoesNotMatch",
                "InvalidToken",
                "Unable to load AWS credentials",
                "Unable to locate credentials",
                "NoAuthWithAWSException",
                "NoCredentialsError",
            ];
            let code = codes.iter().find(|code| line.contains(**code))?;
            Some(format!("the step has no valid AWS credentials ({code})"))
        },
        advice: "let the step use the cluster's instance role, or renew the keys it is given",
    },
    Rule {
        name: "hdfs-denied",
        weight: Weight::Known,
        says: |line| {
            let user = between(line, "Permission denied: user=", ",")?;
            let access = word_after(line, "access=").unwrap_or("access");
            let inode = word_after(line, "inode=").map(|inode| format!(" on `{inode}`"));
            Some(format!("HDFS refuses `{user}` {access}{}", inode.unwrap_or_default()))
        },
        advice: "let the step run as the owner, write elsewhere, or change the rights with `hdfs dfs -chmod`",
    },
    Rule {
        name: "access-denied",
        weight: Weight::Known,
        says: |line| {
            let texts = [
                "AccessDenied",
                "Access Denied",
                "Status Code: 403",
                "403 Forbidden",
                "AccessControlException",
                "is not authorized to perform",
            ];
            texts.iter().find(|text| line.contains(**text))?;
            Some(format!("access was denied{}", request(line)))
        },
        advice: "let the cluster's instance role do that (for S3: the bucket's policy and the KMS key, too)",
    },
    Rule {
        name: "no-bucket",
        weight: Weight::Known,
        says: |line| {
            let found = line.contains("NoSuchBucket")
                || line.contains("The specified bucket does not exist");
            found.then(|| format!("the bucket does not exist{}", request(line)))
        },
        advice: "check the bucket's name and region",
    },
    Rule {
        name: "s3-slow-down",
        weight: Weight::Known,
        says: |line| {
            let found = line.contains("SlowDown") || line.contains("reduce your request rate");
            found.then(|| "S3 refused more requests: too many at once under one prefix".to_owned())
        },
        advice: "spread the objects over more prefixes, use larger files, or fewer writers at once",
    },
    Rule {
        name: "output-exists",
        weight: Weight::Known,
        says: |line| {
            let directory = between(line, "Output directory ", " already exists");
            let path = || {
                Some(between(line, "path ", " already exists")?.trim_start_matches("file "))
                    .and_then(word)
            };
            let code =
                || line.contains("[PATH_ALREADY_EXISTS]").then(|| uri(line).unwrap_or("the path"));
            let taken = directory.or_else(path).or_else(code)?;
            Some(format!("`{taken}` already exists, and the step does not write over it"))
        },
        advice: "remove it before the step, write elsewhere, or let the step overwrite it",
    },
    Rule {
        name: "no-match",
        weight: Weight::Known,
        says: |line| {
            let pattern = between(line, "Input Pattern ", " matches 0 files")?;
            Some(format!("no file matches `{pattern}`"))
        },
        advice: "check the pattern, and that the step before wrote there",
    },
    Rule {
        name: "no-jar",
        weight: Weight::Known,
        says: |line| {
            let before = [
                "JAR does not exist or is not a normal file: ",
                "Unable to access jarfile ",
                "Error opening job jar: ",
                "Not a valid JAR: ",
                "Cannot load main class from JAR ",
            ];
            let jar = before.iter().find_map(|before| word_after(line, before))?;
            Some(format!("the jar `{jar}` is not there, or is none"))
        },
        advice: "check the path of the jar in the playbook, and that the cluster may read it",
    },
    Rule {
        name: "no-program",
        weight: Weight::Known,
        says: |line| {
            let program =
                between(line, "Cannot run program \"", "\"").filter(|_| line.contains("error=2"));
            let shell = || {
                line.strip_suffix(": command not found")
                    .and_then(|line| line.rsplit([' ', ':']).next())
            };
            if let Some(program) = program.or_else(shell) {
                return Some(format!("the program `{program}` is not there"));
            }
            (container_exit(line)? == 127)
                .then(|| "a container has a command that is not there (127)".to_owned())
        },
        advice: "install it with a bootstrap action, or check its name and PATH",
    },
    Rule {
        name: "not-executable",
        weight: Weight::Known,
        says: |line| {
            let program =
                between(line, "Cannot run program \"", "\"").filter(|_| line.contains("error=13"));
            if let Some(program) = program {
                return Some(format!("the program `{program}` cannot be executed"));
            }
            (container_exit(line)? == 126)
                .then(|| "a container has a command that cannot be executed (126)".to_owned())
        },
        advice: "make it executable (chmod +x), and check its first line",
    },
    Rule {
        name: "permission-denied",
        weight: Weight::Known,
        says: |line| {
            let found = line.contains("Permission denied") || line.contains("PermissionError");
            let what = uri(line).map(|uri| format!(": `{uri}`"));
            found.then(|| {
                format!("the step may not do what it tries to{}", what.unwrap_or_default())
            })
        },
        advice: "check the rights of the files it names, and as whom the step runs",
    },
    Rule {
        name: "missing-input",
        weight: Weight::Known,
        says: |line| missing(line).map(|what| format!("`{what}` does not exist")),
        advice: "check the path, and that the step before wrote it",
    },
    Rule {
        name: "no-key",
        weight: Weight::Known,
        says: |line| {
            let found =
                line.contains("NoSuchKey") || line.contains("The specified key does not exist");
            found.then(|| format!("an object does not exist{}", request(line)))
        },
        advice: "check the path, and that the step before wrote it",
    },
    Rule {
        name: "dist-cp",
        weight: Weight::Known,
        says: |line| {
            let count = word_after(line, "Reducer task failed to copy ")?;
            let first = uri(line).map(|uri| format!(", such as `{uri}`"));
            Some(format!("s3-dist-cp could not copy {count} files{}", first.unwrap_or_default()))
        },
        advice: "look at the containers' logs for why: most often access is denied, a file vanished, or memory ran out",
    },
    Rule {
        name: "safe-mode",
        weight: Weight::Known,
        says: |line| {
            let found =
                line.contains("SafeModeException") || line.contains("Name node is in safe mode");
            found.then(|| "HDFS is in safe mode: it takes no writes".to_owned())
        },
        advice: "wait until enough of its nodes are up; if it stays so, HDFS is full or has lost blocks",
    },
];

/// What does not exist.
fn missing(line: &str) -> Option<&str> {
    let before = [
        "Input path does not exist: ",
        "Path does not exist: ",
        "PATH_NOT_FOUND] Path does not exist: ",
        "File does not exist: ",
        "No such file or directory: ",
        "No such file or directory ",
        "does not exist: ",
        "NoSuchFileException: ",
    ];
    if let Some(what) = before.iter().find_map(|before| word_after(line, before)) {
        // The rest of the sentence is no name.
        return (what.contains(['/', '.', '\\']) || what.len() > 3).then_some(what);
    }
    if let Some(rest) = after(line, "FileNotFoundException: ") {
        return uri(rest).or_else(|| word(rest));
    }
    // As shells say it: `cat: /x/y: No such file or directory`.
    let shell = line.strip_suffix(": No such file or directory")?;
    shell.rsplit([' ', ':']).next().and_then(word)
}

/// What was asked for, as far as a line tells.
fn request(line: &str) -> String {
    let operation = between(line, "when calling the ", " operation")
        .or_else(|| word_after(line, "perform: "))
        .map(|name| format!(" to {name}"));
    let place = uri(line).map(|uri| format!(" on `{uri}`"));
    let id = between(line, "Request ID: ", ";").map(|id| format!(" (request {id})"));
    [operation, place, id].into_iter().flatten().collect()
}
