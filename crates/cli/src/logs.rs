//! Shows the logs of a step that failed.

use dataflow_runner_core::fabric::{Chunk, ClusterId, Fabric, LogFile, Result, StepId};

use crate::args::Level;
use crate::ui::{Ui, escape};

/// So many lines of the end of `stderr` are shown unasked.
const TAIL_LINES: usize = 10;
/// They are looked for in so many bytes.
const TAIL_BYTES: u64 = 8 << 10;

/// Shows all logs of a step, each from its beginning to its end.
pub(crate) fn show_all(fabric: &dyn Fabric, cluster: &ClusterId, id: &StepId, ui: &mut Ui) {
    match fabric.logs(cluster, id) {
        Ok(files) if files.is_empty() => {
            ui.message(Level::Warning, format!("There are no logs for step {id}"));
        }
        Ok(files) => {
            for file in files {
                ui.message(
                    Level::Info,
                    format!("Content of log file '{}' for step {id}:", file.name),
                );
                if let Err(error) = copy(fabric, &file, ui) {
                    ui.message(Level::Warning, format!("cannot read {}: {error}", file.place));
                }
            }
        }
        Err(error) => {
            ui.message(Level::Warning, format!("cannot list the logs of step {id}: {error}"));
        }
    }
}

/// Shows the last lines a step wrote to `stderr`, and where its logs are.
pub(crate) fn show_tail(
    fabric: &dyn Fabric,
    cluster: &ClusterId,
    id: &StepId,
    link: Option<&str>,
    ui: &mut Ui,
) {
    // Nobody asked for it, so what cannot be had is left out.
    let Ok(files) = fabric.logs(cluster, id) else { return };
    let Some(file) = files.iter().find(|file| file.name == "stderr") else { return };
    if let Ok(tail) = tail(fabric, file)
        && !tail.is_empty()
    {
        let lines = tail.lines().map(|line| format!("    {line}\n"));
        ui.text(&lines.collect::<String>());
    }
    ui.message(Level::Info, format!("Its logs: {}", link.unwrap_or(&file.place)));
}

fn copy(fabric: &dyn Fabric, file: &LogFile, ui: &mut Ui) -> Result<()> {
    let (mut from, mut held) = (0, Vec::new());
    loop {
        let chunk = fabric.read(file, from)?;
        from += chunk.bytes.len() as u64;
        let end = is_end(file, &chunk, from);
        held.extend(chunk.bytes);
        // A character that goes over the end of a chunk waits for its other half.
        let rest = held.split_off(if end { held.len() } else { whole(&held) });
        let text = escape::lines(&std::mem::replace(&mut held, rest));
        ui.text(&text);
        if end {
            if !text.is_empty() && !text.ends_with('\n') {
                ui.text("\n");
            }
            return Ok(());
        }
    }
}

/// Whether a log was read to where it ended when it was listed: what a step has left behind may write on for
/// ever, and faster than we read.
fn is_end(file: &LogFile, chunk: &Chunk, read: u64) -> bool {
    chunk.at_end || chunk.bytes.is_empty() || file.size.is_some_and(|size| read >= size)
}

/// The last lines of a file.
fn tail(fabric: &dyn Fabric, file: &LogFile) -> Result<String> {
    let mut from = file.size.unwrap_or(0).saturating_sub(TAIL_BYTES);
    let cut = from > 0;
    let mut last = Vec::new();
    loop {
        let chunk = fabric.read(file, from)?;
        from += chunk.bytes.len() as u64;
        let end = is_end(file, &chunk, from);
        last.extend(chunk.bytes);
        let surplus = last.len().saturating_sub(TAIL_BYTES as usize);
        last.drain(..surplus);
        if end {
            break;
        }
    }
    let text = escape::lines(&last);
    // Half a line at the front is no line.
    let lines: Vec<_> = text.lines().skip(usize::from(cut)).collect();
    Ok(lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n"))
}

/// How many of the bytes end with a whole character: only what may still become one is left out.
fn whole(bytes: &[u8]) -> usize {
    let last = bytes.len();
    for at in (last.saturating_sub(3)..last).rev() {
        let needs = match bytes[at] {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => return last,
        };
        return if at + needs > last { at } else { last };
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_grows_while_it_is_read_has_an_end() {
        let chunk = |at_end| Chunk { bytes: b"more".to_vec(), at_end };
        let file = |size| LogFile { name: String::new(), place: String::new(), size };
        assert!(!is_end(&file(Some(10)), &chunk(false), 8));
        assert!(is_end(&file(Some(10)), &chunk(false), 12), "the rest came later");
        assert!(!is_end(&file(None), &chunk(false), 12));
        assert!(is_end(&file(None), &chunk(true), 12));
    }

    #[test]
    fn half_a_character_is_held_back() {
        for (bytes, kept) in [
            (&b""[..], 0),
            (b"ab", 2),
            ("añ".as_bytes(), 3),
            (&"añ".as_bytes()[..2], 1),
            (&"€".as_bytes()[..2], 0),
            (&"😀".as_bytes()[..3], 0),
            (b"\x80\x80\x80\x80", 4),
            (b"\xff", 1),
        ] {
            assert_eq!(whole(bytes), kept, "{bytes:?}");
        }
    }
}
