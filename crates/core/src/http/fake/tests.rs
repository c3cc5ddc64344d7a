use std::io::{Read, Write};

use super::*;

fn exchange(server: &Server, bytes: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).expect("connects");
    stream.write_all(bytes.as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    answer
}

fn echo() -> Server {
    Server::start(|request| {
        let text = format!("{} {} {}", request.method, request.target, request.text());
        let headers = vec![("date".to_owned(), "today".to_owned())];
        Answer::Reply(Reply { status: 200, headers, body: text.into_bytes() })
    })
    .expect("starts")
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let answer = exchange(
        &echo(),
        "POST /a?b=c HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\
         PUT http://example.com/d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n\
         GET http://example.com HTTP/1.1\r\nConnection: close\r\n\r\n",
    );
    let head = "HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: ";
    assert_eq!(
        answer,
        format!("{head}14\r\n\r\nPOST /a?b=c hi{head}12\r\n\r\nPUT /d abcde{head}6\r\n\r\nGET / ")
    );
}

#[test]
fn garbage_ends_the_connection() {
    for garbage in ["what\r\n\r\n", "GET / HTTP/1.1\r\nno header\r\n\r\n", "G"] {
        let server = echo();
        let mut stream = TcpStream::connect(server.address()).expect("connects");
        stream.write_all(garbage.as_bytes()).expect("sends");
        stream.shutdown(Shutdown::Write).expect("ends");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{garbage:?}");
    }
}

#[test]
fn what_the_dead_have_asked_is_answered() {
    let answered = Arc::new(AtomicUsize::new(0));
    let server = Server::start({
        let answered = Arc::clone(&answered);
        move |_| {
            answered.fetch_add(1, Ordering::SeqCst);
            Answer::Cut
        }
    })
    .expect("starts");
    for asked in 1..=50 {
        let mut stream = TcpStream::connect(server.address()).expect("connects");
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sends");
        drop(stream);
        server.drain().expect("answers itself");
        assert_eq!(answered.load(Ordering::SeqCst), asked);
    }
}

#[test]
fn answers_can_be_cut_raw_or_stall() {
    let server = Server::start(|request| match request.path() {
        "/cut" => Answer::Cut,
        "/raw" => Answer::Raw(b"anything".to_vec()),
        _ => Answer::Stall(b"HTTP/1.1".to_vec()),
    })
    .expect("starts");
    assert_eq!(exchange(&server, "GET /cut HTTP/1.1\r\n\r\n"), "");
    assert_eq!(exchange(&server, "GET /raw HTTP/1.1\r\n\r\n"), "anything");
    let mut stream = TcpStream::connect(server.address()).expect("connects");
    stream.write_all(b"GET /stall HTTP/1.1\r\n\r\n").expect("sends");
    let mut start = [0; 8];
    stream.read_exact(&mut start).expect("starts to answer");
    assert_eq!(&start, b"HTTP/1.1");
    // Dropping the server ends the silence.
    drop(server);
    assert_eq!(stream.read(&mut start).unwrap_or(0), 0);
}

#[test]
fn bodies_go_out_in_chunks_and_not_at_all_on_head() {
    let server = Server::start(|_| {
        let headers = vec![
            ("transfer-encoding".to_owned(), "chunked".to_owned()),
            ("date".to_owned(), "today".to_owned()),
        ];
        Answer::Reply(Reply { status: 200, headers, body: vec![b'x'; 1025] })
    })
    .expect("starts");
    let answer = exchange(
        &server,
        "HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
    );
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ndate: today\r\n\r\n";
    let x = "x".repeat(1024);
    assert_eq!(
        answer,
        format!("{head}HTTP/1.1 100 Continue\r\n\r\n{head}400\r\n{x}\r\n1\r\nx\r\n0\r\n\r\n")
    );
}
