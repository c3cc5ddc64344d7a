//! What formatting would change, as a unified diff. Credentials are starred out, as everywhere.

use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};

use super::escape;
use super::mask::masked;

/// So many lines are shown around a change.
const CONTEXT: usize = 3;

/// A line of one text or of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Same(usize, usize),
    Removed(usize),
    Added(usize),
}

/// The difference between two texts of which only the white space differs; in colours for a terminal.
pub(crate) fn unified(name: &str, old: &str, new: &str) -> String {
    let stdout = io::stdout();
    let styled = stdout.is_terminal()
        && anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
    render(name, old, new, styled)
}

fn render(name: &str, old: &str, new: &str, styled: bool) -> String {
    let [was, is] = [old, new].map(lines);
    let shown = [masked(old), masked(new)];
    let [shown_was, shown_is] = [&shown[0], &shown[1]].map(|text| lines(text));
    let edits = edits(&was, &is);
    let name = escape::line(name);
    let mut text = String::new();
    let paint = |color: Option<AnsiColor>, line: &str| {
        let style = Style::new().fg_color(color.filter(|_| styled).map(Into::into));
        format!("{style}{line}{style:#}\n")
    };
    text += &paint(None, &format!("--- {name}"));
    text += &paint(None, &format!("+++ {name}"));
    for hunk in hunks(&edits) {
        let hunk = &edits[hunk];
        text += &paint(Some(AnsiColor::Cyan), &header(&edits, hunk));
        for edit in hunk {
            let (sign, line, color) = match *edit {
                Edit::Same(at, _) => (' ', shown_was[at], None),
                Edit::Removed(at) => ('-', shown_was[at], Some(AnsiColor::Red)),
                Edit::Added(at) => ('+', shown_is[at], Some(AnsiColor::Green)),
            };
            let body = line.strip_suffix('\n').unwrap_or(line);
            text += &paint(color, &format!("{sign}{}", escape::line(body.trim_end_matches('\r'))));
            if body.len() == line.len() {
                text += "\\ No newline at end of file\n";
            }
        }
    }
    text
}

/// The lines of a text with their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// All lines of both, removed ones before added ones. Since what is no white space is the same in both, it tells
/// which lines belong together.
fn edits(was: &[&str], is: &[&str]) -> Vec<Edit> {
    let solid = |line: &str| line.bytes().filter(|b| !b.is_ascii_whitespace()).count();
    let (mut edits, mut added) = (Vec::new(), Vec::new());
    let (mut old, mut new) = ((0, 0), (0, 0));
    while old.0 < was.len() || new.0 < is.len() {
        let (before, after) = (was.get(old.0), is.get(new.0));
        if before.is_some() && before == after && old.1 == new.1 {
            edits.append(&mut added);
            edits.push(Edit::Same(old.0, new.0));
            let length = before.map_or(0, |line| solid(line));
            old = (old.0 + 1, old.1 + length);
            new = (new.0 + 1, new.1 + length);
            continue;
        }
        let ends = |line: Option<&&str>, at: usize| line.map(|line| at + solid(line));
        match (ends(before, old.1), ends(after, new.1)) {
            (Some(end), other) if other.is_none_or(|other| end <= other) => {
                edits.push(Edit::Removed(old.0));
                old = (old.0 + 1, end);
            }
            (_, Some(end)) => {
                added.push(Edit::Added(new.0));
                new = (new.0 + 1, end);
            }
            (_, None) => break,
        }
    }
    edits.append(&mut added);
    edits
}

/// Changes with what is around them; those that are near each other are one.
fn hunks(edits: &[Edit]) -> Vec<std::ops::Range<usize>> {
    let mut hunks: Vec<std::ops::Range<usize>> = Vec::new();
    let changes = edits.iter().enumerate().filter(|(_, edit)| !matches!(edit, Edit::Same(..)));
    for (at, _) in changes {
        let (start, end) = (at.saturating_sub(CONTEXT), (at + 1 + CONTEXT).min(edits.len()));
        match hunks.last_mut().filter(|last| start <= last.end) {
            Some(last) => last.end = end,
            None => hunks.push(start..end),
        }
    }
    hunks
}

/// `@@ -1,2 +1,3 @@`.
fn header(all: &[Edit], hunk: &[Edit]) -> String {
    let place = |of: fn(&Edit) -> Option<usize>| {
        let lines = hunk.iter().filter_map(of).count();
        // Of no lines: behind which one.
        let first = hunk.iter().find_map(of).map(|at| at + 1);
        let before = || {
            let from = hunk.as_ptr_range().start;
            all.iter().take_while(|edit| !std::ptr::eq(*edit, from)).filter_map(of).count()
        };
        format!("{},{lines}", first.unwrap_or_else(before))
    };
    let old = place(|edit| match edit {
        Edit::Same(at, _) | Edit::Removed(at) => Some(*at),
        Edit::Added(_) => None,
    });
    let new = place(|edit| match edit {
        Edit::Same(_, at) | Edit::Added(at) => Some(*at),
        Edit::Removed(_) => None,
    });
    format!("@@ -{old} +{new} @@")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_what_is_around_them() {
        let old =
            "{\n  \"a\": 1,\n  \"b\": 1,\n  \"c\": 1,\n  \"d\": 1,\n\n\n  \"e\":1, \"f\": 1\n}";
        let new =
            "{\n  \"a\": 1,\n  \"b\": 1,\n  \"c\": 1,\n  \"d\": 1,\n\n  \"e\": 1,\n  \"f\": 1\n}\n";
        assert_eq!(
            render("a.json", old, new, false),
            "\
--- a.json
+++ a.json
@@ -4,6 +4,6 @@
   \"c\": 1,
   \"d\": 1,
 
-
-  \"e\":1, \"f\": 1
-}
\\ No newline at end of file
+  \"e\": 1,
+  \"f\": 1
+}
"
        );
        assert_eq!(
            render("a", "[1]\n", "[ 1]\n", true).lines().next_back(),
            Some("\u{1b}[32m+[ 1]\u{1b}[0m")
        );
    }

    #[test]
    fn far_changes_are_apart_and_credentials_starred_out() {
        let middle = "  \"x\": 1,\n".repeat(10);
        let [old, new] = ["\"secretAccessKey\":\"hunter2\"", "\"secretAccessKey\": \"hunter2\""]
            .map(|key| format!("{{\n{key},\n{middle}{key}\n}}\n"));
        let text = render("a", &old, &new, false);
        assert_eq!(text.matches("@@ -").count(), 2, "{text}");
        assert!(text.contains("\n@@ -10,5 +10,5 @@\n"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("+\"secretAccessKey\": \"*******\"\n"), "{text}");
    }

    #[test]
    fn a_minified_file_is_one_line_less() {
        let text = render("a", "[1,2]", "[\n  1,\n  2\n]\n", false);
        assert!(text.contains("@@ -1,1 +1,4 @@\n-[1,2]\n\\ No newline"), "{text}");
    }
}
