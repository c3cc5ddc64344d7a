//! The last lines of a log.

use std::collections::VecDeque;

/// However many lines are asked for, they are dropped from the front beyond so many bytes.
const MOST_BYTES: usize = 16 << 20;

/// Keeps the last lines it is given.
#[derive(Debug)]
pub(super) struct Tail {
    keep: usize,
    lines: VecDeque<String>,
    bytes: usize,
    dropped: u64,
}

impl Tail {
    /// So many lines at most.
    pub(super) fn new(keep: usize) -> Self {
        Self { keep, lines: VecDeque::new(), bytes: 0, dropped: 0 }
    }

    /// One more line.
    pub(super) fn push(&mut self, line: &str) {
        self.bytes += line.len();
        self.lines.push_back(line.to_owned());
        while self.lines.len() > self.keep || self.bytes > MOST_BYTES {
            let Some(first) = self.lines.pop_front() else { return };
            self.bytes -= first.len();
            self.dropped += 1;
        }
    }

    /// The last lines, and how many came before them.
    pub(super) fn end(self) -> (Vec<String>, u64) {
        (self.lines.into(), self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_the_others_counted() {
        for (keep, kept, earlier) in
            [(0, &[][..], 3), (2, &["b", "c"], 1), (3, &["a", "b", "c"], 0)]
        {
            let mut tail = Tail::new(keep);
            ["a", "b", "c"].iter().for_each(|line| tail.push(line));
            assert_eq!(tail.end(), (kept.iter().map(ToString::to_string).collect(), earlier));
        }
    }

    #[test]
    fn a_wish_for_very_many_lines_is_bounded_by_bytes() {
        let mut tail = Tail::new(usize::MAX);
        let line = "x".repeat(2000);
        for _ in 0..10_000 {
            tail.push(&line);
        }
        let (lines, earlier) = tail.end();
        assert_eq!(lines.len(), MOST_BYTES / 2000);
        assert_eq!(lines.len() as u64 + earlier, 10_000);
    }
}
