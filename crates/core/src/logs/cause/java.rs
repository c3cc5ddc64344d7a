//! Java's stack traces, as `Throwable.printStackTrace` writes them.

use super::{Trace, words};

/// A line with an exception's name so many lines before the first frame is its header: messages may have lines.
const FAR: u32 = 20;

/// Frames of platforms: where the user's own program is, is in none of them.
const PLATFORM: [&str; 14] = [
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "com.sun.",
    "scala.",
    "org.apache.",
    "com.amazon.",
    "com.amazonaws.",
    "software.amazon.",
    "com.google.common.",
    "py4j.",
    "io.netty.",
    "org.sparkproject.",
];

/// What only passes on that something else failed, or breaks while all is shut down.
const MESSENGERS: [&str; 18] = [
    "finished with failed status",
    "Job aborted due to stage failure",
    "Job aborted.",
    "Job failed!",
    "Error running job",
    "ExitCodeException",
    "InvocationTargetException",
    "UndeclaredThrowableException",
    "InterruptedException",
    "ClosedChannelException",
    "ClosedByInterruptException",
    "RejectedExecutionException",
    "stopped SparkContext",
    "Could not find CoarseGrainedScheduler",
    "SparkContext was shut down",
    "org.apache.spark.SparkUserAppException",
    "org.apache.spark.api.python.PythonException",
    "Exception while invoking ",
];

/// Finds traces.
#[derive(Debug, Default)]
pub(super) struct Java {
    /// The last line that has an exception in it, whether it was quiet, and how many lines ago.
    candidate: Option<(String, bool, u32)>,
    open: Option<Open>,
}

/// A trace whose end was not seen yet.
#[derive(Debug)]
struct Open {
    header: String,
    quiet: bool,
    /// What was thrown, what caused it, what caused that, …: only the first and the last are kept.
    first: Section,
    last: Option<Section>,
    /// What follows belongs to an exception that is beside the point.
    aside: bool,
}

/// An exception and where it was thrown.
#[derive(Debug, Default)]
struct Section {
    line: String,
    frame: Option<String>,
    /// The first frame that is not the platform's.
    own: Option<String>,
}

impl Section {
    fn of(line: &str) -> Self {
        Self { line: words::short(line), ..Self::default() }
    }

    fn see(&mut self, frame: &str) {
        if self.frame.is_none() {
            self.frame = Some(words::short(frame));
        }
        let of_platform = PLATFORM.iter().any(|platform| name_of(frame).starts_with(platform));
        if self.own.is_none() && !of_platform {
            self.own = Some(words::short(frame));
        }
    }

    fn evidence(&self) -> impl Iterator<Item = String> {
        let own = self.own.clone().filter(|own| self.frame.as_ref() != Some(own));
        [Some(self.line.clone()), self.frame.clone(), own].into_iter().flatten()
    }
}

impl Java {
    /// A line, and whether it only warns. Gives the trace that ended before it.
    pub(super) fn line(&mut self, line: &str, quiet: bool) -> Option<Trace> {
        if is_frame(line) {
            self.frame(line);
            return None;
        }
        if let Some(open) = &mut self.open {
            if line.starts_with("Caused by: ") && exception(line).is_some() {
                open.aside = false;
                open.last = Some(Section::of(line));
                return None;
            }
            let trimmed = line.trim_start();
            if trimmed.starts_with("Suppressed: ") {
                open.aside = true;
                return None;
            }
            // `... 12 more`, and what is suppressed has causes too, further in.
            if trimmed.starts_with("... ") || (open.aside && trimmed.starts_with("Caused by: ")) {
                return None;
            }
        }
        // Spark parts what an executor threw from what the driver did meanwhile, by an empty line and this.
        if self.open.is_some() && matches!(line, "" | "Driver stacktrace:") {
            return None;
        }
        let ended = self.close();
        match exception(line) {
            Some(_) => self.candidate = Some((line.to_owned(), quiet, 0)),
            None => {
                self.candidate = self
                    .candidate
                    .take()
                    .and_then(|(line, quiet, ago)| (ago < FAR).then_some((line, quiet, ago + 1)));
            }
        }
        ended
    }

    /// No more lines.
    pub(super) fn end(&mut self) -> Option<Trace> {
        let ended = self.close();
        self.candidate = None;
        ended
    }

    fn frame(&mut self, line: &str) {
        if self.open.is_none() {
            let Some((header, quiet, _)) = self.candidate.take() else { return };
            let first = Section::of(&header);
            self.open = Some(Open { header, quiet, first, last: None, aside: false });
        }
        if let Some(open) = self.open.as_mut().filter(|open| !open.aside) {
            open.last.as_mut().unwrap_or(&mut open.first).see(line);
        }
    }

    fn close(&mut self) -> Option<Trace> {
        let Open { header, quiet, first, last, .. } = self.open.take()?;
        let told = |line: &str| exception(line).unwrap_or(line).to_owned();
        let root = told(last.as_ref().map_or(&header, |last| &last.line));
        let inner = last.as_ref().unwrap_or(&first);
        let place = inner.own.as_ref().or(first.own.as_ref()).or(inner.frame.as_ref());
        let place = place.map(|frame| name_of(frame).to_owned());
        let evidence = first.evidence().chain(last.iter().flat_map(Section::evidence)).collect();
        let messenger = MESSENGERS.iter().any(|text| root.contains(text));
        Some(Trace { header: told(&header), root, place, evidence, quiet, messenger })
    }
}

/// Whether a line is a frame, indented: `at com.acme.Job.main(Job.java:3)`.
pub(super) fn is_frame(line: &str) -> bool {
    line.starts_with([' ', '\t']) && line.trim_start().starts_with("at ") && line.contains('(')
}

/// A frame without what is before its name.
fn name_of(frame: &str) -> &str {
    let name = frame.trim_start();
    name.strip_prefix("at ").unwrap_or(name)
}

/// An exception in a line, from its name on: a name with dots in it whose last part ends as such names do.
pub(super) fn exception(line: &str) -> Option<&str> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '$' | '/');
    let mut rest = line;
    loop {
        let begin = rest.find(part)?;
        let word = &rest[begin..];
        let end = word.find(|c| !part(c)).unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        if is_exception(word.trim_end_matches('.')) {
            return Some(&rest[begin..]);
        }
        rest = behind;
    }
}

fn is_exception(name: &str) -> bool {
    let Some((package, class)) = name.rsplit_once('.') else { return false };
    let ends = ["Exception", "Error", "Throwable", "Fault"];
    let class = class.rsplit('$').next().unwrap_or(class);
    package.starts_with(|c: char| c.is_ascii_lowercase())
        && !package.contains('/')
        && class.starts_with(|c: char| c.is_ascii_uppercase())
        && ends.iter().any(|end| class.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(log: &str) -> Vec<Trace> {
        let mut java = Java::default();
        let mut all: Vec<_> = log.lines().filter_map(|line| java.line(line, false)).collect();
        all.extend(java.end());
        all
    }

    #[test]
    fn the_root_and_the_users_own_frame_are_found() {
        let all = traces(
            "before\n\
             Exception in thread \"main\" java.lang.RuntimeException: outer\n\
             and a second line\n\
             \tat com.acme.Job.main(Job.java:9)\n\
             \tSuppressed: java.io.IOException: beside\n\
             \t\tat com.acme.Aside.close(Aside.java:1)\n\
             \t\tCaused by: java.io.IOException: beside, too\n\
             Caused by: java.lang.IllegalStateException: middle\n\
             \tat com.acme.Mid.run(Mid.java:2)\n\
             Caused by: java.lang.NumberFormatException: For input string: \"x\"\n\
             \tat java.base/java.lang.NumberFormatException.forInputString(NumberFormatException.java:67)\n\
             \tat java.lang.Integer.parseInt(Integer.java:652)\n\
             \tat com.acme.Load.parse(Load.java:42)\n\
             \t... 12 more\n\
             after\n",
        );
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].header, "java.lang.RuntimeException: outer");
        assert_eq!(all[0].root, "java.lang.NumberFormatException: For input string: \"x\"");
        assert_eq!(all[0].place.as_deref(), Some("com.acme.Load.parse(Load.java:42)"));
        assert_eq!(all[0].evidence.len(), 5, "{:?}", all[0].evidence);
    }

    #[test]
    fn a_frame_without_an_exception_is_nothing_and_so_is_an_exception_without_frames() {
        assert_eq!(traces("hello\n\tat a.B.c(D.java:1)\nbye\n"), []);
        assert_eq!(traces("java.lang.RuntimeException: x\nbye\n"), []);
        let far =
            format!("java.lang.RuntimeException: x\n{}\tat a.B.c(D.java:1)\n", "y\n".repeat(30));
        assert_eq!(traces(&far), []);
    }

    #[test]
    fn names_of_exceptions() {
        for (line, found) in [
            ("a: java.io.IOException: x", Some("java.io.IOException: x")),
            ("a.b.C$MyException", Some("a.b.C$MyException")),
            ("MyException: x", None),
            ("org.apache.log4j.Logger - ok", None),
            ("s3://b/com.acme.Exception/x", None),
            ("see java.lang.Exceptions", None),
            ("", None),
        ] {
            assert_eq!(exception(line), found, "{line}");
        }
    }
}
