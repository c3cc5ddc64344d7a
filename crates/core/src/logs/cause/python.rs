//! Python's tracebacks, as the `traceback` module writes them.

use super::{Trace, words};

/// How every traceback begins.
const BEGIN: &str = "Traceback (most recent call last):";

/// Parts of paths of what is not the user's own.
const PLATFORM: [&str; 7] = [
    "site-packages/",
    "dist-packages/",
    "/lib/python",
    "/lib64/python",
    "/pyspark/",
    "/py4j/",
    "<frozen ",
];

/// What only passes on that something else failed.
const MESSENGERS: [&str; 5] = [
    "py4j.protocol.Py4JJavaError",
    "Py4JJavaError",
    "subprocess.CalledProcessError",
    "SystemExit",
    "KeyboardInterrupt",
];

/// Finds tracebacks.
#[derive(Debug, Default)]
pub(super) struct Python {
    open: Option<Open>,
}

/// A traceback whose last line was not seen yet.
#[derive(Debug, Default)]
struct Open {
    /// The last frame, with the line of the program if it is shown.
    last: Vec<String>,
    /// The last frame that is the user's own.
    own: Vec<String>,
    /// The last frame was the user's own.
    in_own: bool,
}

impl Python {
    /// A line. Gives the traceback that ends with it.
    pub(super) fn line(&mut self, line: &str) -> Option<Trace> {
        // What runs in another process is quoted, so it need not begin the line.
        if line.trim_end().ends_with(BEGIN) {
            self.open = Some(Open::default());
            return None;
        }
        let open = self.open.as_mut()?;
        if line.starts_with("  File ") {
            open.in_own = !PLATFORM.iter().any(|platform| line.contains(platform));
            open.last = vec![words::short(line)];
            if open.in_own {
                open.own.clone_from(&open.last);
            }
            None
        } else if line.starts_with(' ') {
            // The line of the program, and marks below it.
            if open.last.len() == 1 {
                open.last.push(words::short(line));
                if open.in_own {
                    open.own.clone_from(&open.last);
                }
            }
            None
        } else if line.is_empty() {
            None
        } else {
            self.open.take().map(|open| open.close(line))
        }
    }

    /// No more lines: a traceback without its last line tells nothing.
    pub(super) fn end(&mut self) -> Option<Trace> {
        self.open = None;
        None
    }
}

impl Open {
    fn close(self, line: &str) -> Trace {
        let frame = if self.own.is_empty() { self.last } else { self.own };
        let place = frame.first().and_then(|frame| place(frame));
        let evidence = frame.into_iter().chain([words::short(line)]).collect();
        let root = line.to_owned();
        let messenger = MESSENGERS.iter().any(|name| line.starts_with(name));
        Trace { header: root.clone(), root, place, evidence, quiet: false, messenger }
    }
}

/// `  File "job.py", line 3, in main` as `job.py line 3`.
fn place(frame: &str) -> Option<String> {
    let (file, rest) = frame.trim_start().strip_prefix("File \"")?.split_once('"')?;
    let line = rest.strip_prefix(", line ")?;
    let line = line.split(',').next().unwrap_or(line);
    Some(format!("{file} line {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(log: &str) -> Vec<Trace> {
        let mut python = Python::default();
        log.lines().filter_map(|line| python.line(line)).collect()
    }

    #[test]
    fn the_last_line_and_the_users_own_frame_are_found() {
        let all = traces(
            "Traceback (most recent call last):\n\
             \x20 File \"/home/hadoop/job.py\", line 7, in <module>\n\
             \x20   main()\n\
             \x20 File \"/usr/lib/python3.9/site-packages/x.py\", line 1, in f\n\
             \x20   g()\n\
             \x20   ^^^\n\
             KeyError: 'day'\n\
             after\n",
        );
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].root, "KeyError: 'day'");
        assert_eq!(all[0].place.as_deref(), Some("/home/hadoop/job.py line 7"));
        let own = "  File \"/home/hadoop/job.py\", line 7, in <module>";
        assert_eq!(all[0].evidence, [own, "    main()", "KeyError: 'day'"]);
    }

    #[test]
    fn without_a_last_line_there_is_none() {
        assert_eq!(traces("Traceback (most recent call last):\n  File \"a\", line 1, in b\n"), []);
        assert_eq!(traces("  File \"a\", line 1, in b\nKeyError: 1\n"), []);
    }
}
