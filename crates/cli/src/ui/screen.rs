//! Lines on a terminal that take the place of those before.

use std::fmt::Write;

/// As large as terminals are that do not tell.
const SIZE: (usize, usize) = (80, 24);

/// What is on the terminal.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// So many rows are to be drawn over.
    rows: usize,
}

impl Screen {
    /// What to print for the next view; `lines` is asked for as many lines as there is room for.
    pub(crate) fn next(&mut self, lines: impl FnOnce(usize) -> Vec<String>) -> String {
        let size = terminal_size::terminal_size_of(std::io::stdout());
        let size = size.map_or(SIZE, |(width, height)| (width.0.into(), height.0.into()));
        self.draw(size, lines)
    }

    /// What to print for the last one, which stays, with all its lines as long as they are.
    pub(crate) fn last(&mut self, text: &str) -> String {
        self.clear() + text
    }

    fn draw(
        &mut self,
        (width, height): (usize, usize),
        lines: impl FnOnce(usize) -> Vec<String>,
    ) -> String {
        // The cursor stands below the last line.
        let mut lines = lines(height.saturating_sub(1));
        lines.truncate(height.saturating_sub(1));
        let mut text = self.clear();
        for line in &lines {
            text += cut(line, width);
            text.push('\n');
        }
        self.rows = lines.len();
        text
    }

    /// Up to the first row, and all from there on away (ECMA-48: CUU, ED).
    fn clear(&mut self) -> String {
        let mut text = String::new();
        if self.rows > 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "\x1b[{}A\r\x1b[J", self.rows);
        }
        self.rows = 0;
        text
    }
}

/// So much of a line as surely fits one row: no character is wider than two columns.
fn cut(line: &str, width: usize) -> &str {
    let mut columns = 0;
    for (at, c) in line.char_indices() {
        columns += if c.is_ascii() { 1 } else { 2 };
        if columns > width {
            return &line[..at];
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> impl FnOnce(usize) -> Vec<String> {
        move |_| (0..count).map(|n| format!("line {n}")).collect()
    }

    #[test]
    fn each_view_takes_the_place_of_the_one_before() {
        let mut screen = Screen::default();
        assert_eq!(screen.draw((80, 24), lines(2)), "line 0\nline 1\n");
        assert_eq!(screen.draw((80, 24), lines(1)), "\x1b[2A\r\x1b[Jline 0\n");
        assert_eq!(screen.last("the end\n"), "\x1b[1A\r\x1b[Jthe end\n");
        assert_eq!(screen.last("again\n"), "again\n");
    }

    #[test]
    fn it_never_scrolls_and_no_line_takes_two_rows() {
        let mut screen = Screen::default();
        assert_eq!(screen.draw((4, 3), lines(9)), "line\nline\n");
        assert_eq!(screen.draw((4, 3), |room| vec![room.to_string()]), "\x1b[2A\r\x1b[J2\n");
        assert_eq!((cut("aä…b", 4), cut("aä…b", 6), cut("", 0)), ("aä", "aä…b", ""));
    }
}
