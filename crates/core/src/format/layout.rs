//! Where lines begin, and how far in.

use super::WIDTH;
use super::tokens::{Kind, Tokens};

/// So many spaces a level.
const INDENT: usize = 2;

/// A list, an object, or the parts of an action, while it is written.
struct Scope {
    /// The token that opens it.
    start: usize,
    /// What is in it stands further in, on lines of its own.
    indents: bool,
    /// All of it stands on one line.
    flat: bool,
}

struct Writer<'t> {
    tokens: &'t Tokens<'t>,
    /// How the file ends its lines.
    line_end: &'static str,
    /// Line breaks in the gap behind each token.
    breaks: Vec<usize>,
    /// Gaps next to a line that has to stay as it is.
    frozen: Vec<bool>,
    /// For each token: the characters before it on a single line, the line breaks in the source, and those
    /// of them that stay.
    columns: Vec<usize>,
    lines: Vec<usize>,
    hard: Vec<usize>,
    scopes: Vec<Scope>,
    out: String,
    level: usize,
    column: usize,
    /// The token written last begins a line.
    began_line: bool,
    /// How many scopes are flat, and how many are lists or objects.
    flat: usize,
    groups: usize,
}

/// The tokens in our style.
pub(super) fn write(tokens: &Tokens<'_>) -> String {
    if tokens.list.is_empty() {
        return tokens.text.to_owned();
    }
    let mut writer = Writer::new(tokens);
    writer.out.push_str(tokens.prefix());
    for at in 0..tokens.list.len() {
        writer.began_line = at == 0 || writer.gap(at - 1);
        writer.token(at);
    }
    writer.out.push_str(writer.line_end);
    writer.out
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

impl<'t> Writer<'t> {
    fn new(tokens: &'t Tokens<'t>) -> Self {
        let count = tokens.list.len();
        // Line breaks within strings and actions are no lines of ours.
        let mut gaps = (0..count).map(|at| tokens.gap(at));
        let first = gaps.find(|gap| gap.contains('\n')).unwrap_or(tokens.text);
        let crlf = first[..first.find('\n').unwrap_or(0)].ends_with('\r');
        let mut writer = Self {
            tokens,
            line_end: if crlf { "\r\n" } else { "\n" },
            breaks: (0..count).map(|at| tokens.gap(at).matches('\n').count()).collect(),
            frozen: Vec::new(),
            columns: vec![0],
            lines: vec![0],
            hard: vec![0],
            scopes: Vec::new(),
            out: String::with_capacity(tokens.text.len() + tokens.text.len() / 8),
            level: 0,
            column: 0,
            began_line: true,
            flat: 0,
            groups: 0,
        };
        writer.frozen = writer.frozen();
        let (mut columns, mut lines, mut hard) = (0, 0, 0);
        for at in 0..count {
            let token = &tokens.list[at];
            columns += characters(tokens.text_of(at)) + characters(writer.inline(at));
            lines += token.breaks + writer.breaks[at];
            hard += token.breaks.min(1) + usize::from(writer.stays(at));
            writer.columns.push(columns);
            writer.lines.push(lines);
            writer.hard.push(hard);
        }
        writer
    }

    /// Gaps next to a line that a comment for `lint` is about: its own and the next one. Nothing may join such a
    /// line or leave it.
    fn frozen(&self) -> Vec<bool> {
        let list = &self.tokens.list;
        let mut spans = Vec::with_capacity(list.len());
        let mut line = 0;
        for (token, breaks) in list.iter().zip(&self.breaks) {
            spans.push((line, line + token.breaks));
            line += token.breaks + breaks;
        }
        let mut lines = vec![false; line + 2];
        for (at, (first, last)) in spans.iter().enumerate() {
            let comment = self.tokens.kind(at) == Some(Kind::Comment);
            if comment && self.tokens.text_of(at).contains("lint:") {
                lines[*first..=*last + 1].fill(true);
            }
        }
        let pairs = spans.windows(2);
        pairs.map(|pair| lines[pair[0].1] || lines[pair[1].0]).chain([false]).collect()
    }

    fn kinds(&self, at: usize) -> (Kind, Kind) {
        let kind = |at: usize| self.tokens.kind(at).unwrap_or(Kind::Close);
        (kind(at), kind(at + 1))
    }

    /// Whether a line break of the author's in the gap behind a token stays whatever happens.
    fn stays(&self, at: usize) -> bool {
        if self.breaks[at] == 0 || at + 1 == self.tokens.list.len() {
            return false;
        }
        match self.kinds(at) {
            _ if self.frozen[at] => true,
            (Kind::Open, Kind::Close) => false,
            (Kind::Comment, _) | (_, Kind::Comment) => true,
            (_, Kind::Close) => false,
            (a, b) if a.is_control() || b.is_control() => true,
            (Kind::Comma | Kind::Colon, _) | (_, Kind::Comma | Kind::Colon) => false,
            // Who begins a list or an object with one wants it open. The rest are values without a comma.
            _ => true,
        }
    }

    /// What stands in the gap behind a token if both its sides are on one line.
    fn inline(&self, at: usize) -> &'t str {
        let gap = self.tokens.gap(at);
        let as_before = if gap.is_empty() { "" } else { " " };
        let object = |at: usize| matches!(self.tokens.text_of(at), "{" | "}");
        if at + 1 == self.tokens.list.len() {
            return "";
        }
        match self.kinds(at) {
            (Kind::Open, Kind::Close) => "",
            (Kind::Open, _) if object(at) => " ",
            (_, Kind::Close) if object(at + 1) => " ",
            (Kind::Open, Kind::Comment) | (Kind::Comment, Kind::Close) => as_before,
            (Kind::Open, _) | (_, Kind::Close) => "",
            (Kind::Colon, _) => " ",
            (_, Kind::Comma | Kind::Colon) => "",
            (Kind::Comma, Kind::Value | Kind::Open) => " ",
            // An action might begin a string, and then this is a part of it.
            (Kind::Value, Kind::Value) if self.breaks[at] == 0 => gap,
            _ => as_before,
        }
    }

    /// Whether a line begins behind a token: then, whether an empty one goes before it.
    fn begins_line(&self, at: usize) -> Option<bool> {
        let breaks = self.breaks[at];
        let touch = self.tokens.gap(at).is_empty();
        let (a, b) = self.kinds(at);
        if self.frozen[at] {
            return (breaks > 0).then_some(breaks > 1);
        }
        if self.flat > 0 {
            return None;
        }
        match (a, b) {
            (Kind::Open, Kind::Close) => None,
            (Kind::Open, Kind::Comment) if breaks == 0 => None,
            (Kind::Open, _) => Some(false),
            (_, Kind::Close) => Some(a == Kind::Comment && breaks > 1),
            _ if self.stays(at) => Some(breaks > 1),
            _ if self.groups == 0 => None,
            // A comma at the beginning of a line belongs to what follows it.
            (Kind::Comma, _) if self.began_line && breaks == 0 => None,
            (Kind::Comma, Kind::Value | Kind::Open) if self.shares(at) => None,
            (Kind::Comma, Kind::Value | Kind::Open | Kind::Comma) => Some(breaks > 1),
            (Kind::Comma, Kind::Start) if !touch => Some(false),
            (Kind::End, Kind::Value | Kind::Open | Kind::Start) if !touch => {
                let comma = self.tokens.kind(at - 1) == Some(Kind::Comma);
                comma.then_some(false)
            }
            _ => None,
        }
    }

    /// Whether the value behind a comma stays on the line of the one before it: in a list of which the author has
    /// begun the lines, such as those of a command's arguments.
    fn shares(&self, at: usize) -> bool {
        let Some(scope) = self.scopes.last() else { return false };
        let kind = |at: usize| self.tokens.kind(at);
        let list = self.tokens.text_of(scope.start) == "[" && self.breaks[scope.start] > 0;
        let before = at >= 2
            && kind(at - 1) == Some(Kind::Value)
            && matches!(kind(at - 2), Some(Kind::Comma | Kind::Open));
        let behind = matches!(kind(at + 2), Some(Kind::Comma | Kind::Close));
        let comma = usize::from(kind(at + 2) == Some(Kind::Comma));
        let width = 1 + characters(self.tokens.text_of(at + 1)) + comma;
        list && self.breaks[at] == 0 && before && behind && self.column + width <= WIDTH
    }

    /// Writes the gap behind a token. Whether a line begins behind it.
    fn gap(&mut self, at: usize) -> bool {
        let line = self.begins_line(at);
        let (_, next) = self.kinds(at);
        if matches!(next, Kind::Close | Kind::End) {
            self.leave();
        }
        let Some(blank) = line else {
            let gap = self.inline(at);
            self.out.push_str(gap);
            self.column += characters(gap);
            return false;
        };
        for _ in 0..=usize::from(blank) {
            self.out.push_str(self.line_end);
        }
        let outside = next == Kind::Else && self.scopes.last().is_some_and(|s| s.indents);
        self.column = (self.level - usize::from(outside)) * INDENT;
        self.out.extend(std::iter::repeat_n(' ', self.column));
        true
    }

    fn token(&mut self, at: usize) {
        let text = self.tokens.text_of(at);
        match self.tokens.kind(at) {
            Some(Kind::Open) => self.enter_group(at),
            Some(Kind::Start) => self.enter_parts(at),
            _ => {}
        }
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(last) => self.column = characters(&text[last + 1..]),
            None => self.column += characters(text),
        }
    }

    fn enter_group(&mut self, at: usize) {
        let close = self.tokens.list[at].mate;
        let width = self.columns[close] - self.columns[at] + 1;
        let comma = usize::from(self.tokens.kind(close + 1) == Some(Kind::Comma));
        let open = self.hard[close] > self.hard[at] || self.column + width + comma > WIDTH;
        let flat = self.flat > 0 || !open;
        self.groups += 1;
        self.enter(Scope { start: at, indents: !flat, flat });
    }

    /// An action with parts stands on lines of its own if both its ends begin one.
    fn enter_parts(&mut self, at: usize) {
        let end = self.tokens.list[at].mate;
        let flat = self.lines[end] == self.lines[at];
        let indents = !flat && self.flat == 0 && self.began_line && self.breaks[end - 1] > 0;
        self.enter(Scope { start: at, indents, flat });
    }

    fn enter(&mut self, scope: Scope) {
        self.level += usize::from(scope.indents);
        self.flat += usize::from(scope.flat);
        self.scopes.push(scope);
    }

    fn leave(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.level -= usize::from(scope.indents);
            self.flat -= usize::from(scope.flat);
            let group = self.tokens.kind(scope.start) == Some(Kind::Open);
            self.groups -= usize::from(group);
        }
    }
}
