//! Hostile templates end in an error, soon, and on a small stack.

use super::super::exec::MAX_DEPTH;
use super::super::parse::MAX_NESTING;
use super::super::{Error, ErrorKind, Limits, Rendered, Template};
use super::{render, render_within, source};

/// Half a megabyte: a sixteenth of what the program's main thread has.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(test).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn limit_message(text: &str, limits: Limits) -> String {
    let error = render_within(text, "{}", limits).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    error.to_string()
}

#[test]
fn nesting_is_bounded() {
    on_a_small_stack(|| {
        let deep = MAX_NESTING as usize;
        let parens = |n: usize| format!("{{{{{}1{}}}}}", "(".repeat(n), ")".repeat(n));
        assert_eq!(render(&parens(deep), "{}").expect("just so").bytes(), b"1");
        let blocks = |n: usize| format!("{}x{}", "{{if 1}}".repeat(n), "{{end}}".repeat(n));
        assert_eq!(render(&blocks(deep), "{}").expect("just so").bytes(), b"x");
        for text in [parens(deep + 1), blocks(deep + 1), parens(1 << 18), blocks(1 << 16)] {
            let message = limit_message(&text, Limits::default());
            assert_eq!(message, "max expression depth exceeded");
        }
        let with_else = "{{with 1}}{{else}}".repeat(1 << 16);
        limit_message(&with_else, Limits::default());
        // A chain is no nesting.
        let chain = format!("{{{{if 0}}}}{}y{{{{end}}}}", "{{else if 1}}".repeat(1 << 14));
        assert_eq!(render(&chain, "{}").expect("long").bytes(), b"");
    });
}

#[test]
fn recursion_is_bounded() {
    on_a_small_stack(|| {
        let calls =
            |body: &str| format!("{{{{define \"r\"}}}}{body}{{{{end}}}}{{{{template \"r\" .}}}}");
        let message = limit_message(&calls("{{template \"r\" .}}"), Limits::default());
        assert_eq!(message, format!("exceeded maximum template depth ({MAX_DEPTH})"));
        // The worst of both: as deep as may be, and there the deepest expression.
        let n = MAX_NESTING as usize - 8;
        let call = format!("{}1{}", "(or 0 ".repeat(n), ")".repeat(n));
        for block in ["{{range 1}}", "{{with 1}}", "{{if 1}}"] {
            let body = format!(
                "{}{{{{print {call}}}}}{{{{template \"r\" (print {call})}}}}{}",
                block.repeat(4),
                "{{end}}".repeat(4)
            );
            assert_eq!(limit_message(&calls(&body), Limits::default()), message);
        }
        let json = format!("{{\"deep\": {}1{}}}", "[".repeat(120), "]".repeat(120));
        let body = "{{if gt . 0}}{{template \"r\" 0}}{{end}}{{printf \"%v\" $}}".to_owned();
        assert!(render(&calls(&body).replace("\"r\" .}}", "\"r\" 1}}"), &json).is_ok());
        let print = format!("{}{{{{.deep}}}}{}", "{{if 1}}".repeat(n), "{{end}}".repeat(n));
        assert!(render(&print, &json).is_ok());
    });
}

#[test]
fn steps_are_bounded() {
    let limits = Limits { steps: 10_000, ..Limits::default() };
    for text in [
        "{{range 1000000000}}{{end}}",
        "{{range 9223372036854775807}}{{range 9223372036854775807}}{{end}}{{end}}",
        "{{define \"r\"}}{{range 9}}{{if lt (len $) 9}}{{template \"r\" (print $ 1)}}{{end}}{{end}}{{end}}{{template \"r\" \"\"}}",
        "{{$a := \"0123456789abcdef\"}}{{range 99}}{{$a = print $a $a}}{{end}}",
        "{{$a := printf \"%99999d\" 1}}{{range 99}}{{if eq $a $a}}{{end}}{{end}}",
        "{{$a := printf \"%99999d\" 1}}{{range 99}}{{$b := slice $a 1}}{{end}}",
    ] {
        let message = limit_message(text, limits);
        assert_eq!(message, "rendering takes more than 10000 steps", "{text}");
    }
    // Thousands of variables, of which the first is wanted again and again.
    let declared: String = (0..3_000).map(|i| format!("{{{{$v{i} := 1}}}}")).collect();
    let wanted = "{{if $v0}}{{end}}".repeat(3_000);
    limit_message(&(declared + &wanted), Limits { steps: 100_000, ..Limits::default() });
}

#[test]
fn output_is_bounded() {
    let limits = Limits { output: 1_000, ..Limits::default() };
    assert_eq!(
        render_within("{{printf \"%1000d\" 1}}", "{}", limits).expect("fits").bytes().len(),
        1000
    );
    for text in [
        "{{printf \"%1001d\" 1}}",
        "{{printf \"%.1001f\" 1.0}}",
        "{{printf \"%*d\" 1000000 1}}",
        "{{printf \"%999s%999s\" 1 1}}",
        "{{len (html (printf \"<%0999d\" 1))}}",
        "{{len (base64 (printf \"%0999d\" 1))}}",
        "{{range 1001}}x{{end}}",
        "{{range 1001}}{{true}}{{end}}",
        "{{$a := printf \"%999s\" \"\"}}{{print $a $a}}",
        "{{$a := printf \"%999s\" \"\"}}{{print 1}}{{$a}}{{$a}}",
    ] {
        let message = limit_message(text, limits);
        assert!(message.ends_with("the output is larger than 1000 bytes"), "{text}: {message}");
    }
    // A list is no text.
    let list = format!("{{\"l\": {:?}}}", [1; 100]);
    assert!(render_within("{{len (slice .l 1)}}", &list, limits).is_ok());
    let long = "x".repeat(1_001);
    limit_message(&long, limits);
}

#[test]
fn templates_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Template>();
    crosses::<Rendered>();
    crosses::<Error>();
}

/// Work, not time: quadratic parsing of this would take minutes.
#[test]
fn long_templates_are_linear() {
    let plain = "{\"a\": \"b\"},\n".repeat(300_000);
    let rendered = render(&plain, "{}").expect("plain");
    assert!(rendered.is_plain());
    assert_eq!(rendered.bytes(), plain.as_bytes());
    let many = "{{.x}} {{- /* c */ -}} \n".repeat(50_000);
    assert_eq!(render(&many, "{\"x\": 1}").expect("many").bytes(), b"1".repeat(50_000));
    let declared: String =
        (0..20_000).map(|i| format!("{{{{$v{i} := 1}}}}{{{{$v0}}}}\n")).collect();
    assert!(Template::parse(&source(&declared)).is_ok());
    let open = "{{/*".repeat(50_000) + &"{{\"".repeat(50_000);
    assert!(Template::parse(&source(&open)).is_err());
    let spaces = format!("{}{{{{- 1}}}}", " ".repeat(1 << 20));
    assert_eq!(render(&spaces, "{}").expect("spaces").bytes(), b"1");
}
