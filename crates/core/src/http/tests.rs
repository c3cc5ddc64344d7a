use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Mutex;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::fake::{Answer, Received, Server};
use super::*;

const LONG: Duration = Duration::from_secs(30);

fn client(variables: &[(&str, &str)]) -> Client {
    let environment = variables.iter().copied().collect();
    Client::new(&environment, Arc::new(Bell::new())).expect("makes sense")
}

fn get(url: impl Into<String>) -> Request {
    Request { method: "GET", url: url.into(), headers: Vec::new(), body: Vec::new() }
}

fn post(url: impl Into<String>, body: &str) -> Request {
    Request { method: "POST", body: body.into(), ..get(url) }
}

fn server(handler: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Server {
    Server::start(handler).expect("starts")
}

fn reply(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Answer::Reply(Reply { status: 200, headers, body: body.into() })
}

fn lost(result: Result<Reply, Fault>) -> String {
    match result {
        Err(Fault::Lost(message)) => message,
        other => panic!("not lost: {other:?}"),
    }
}

fn not_sent(result: Result<Reply, Fault>) -> String {
    match result {
        Err(Fault::NotSent(message)) => message,
        other => panic!("not «not sent»: {other:?}"),
    }
}

#[test]
fn requests_arrive_as_they_are() {
    let server = server(|it| {
        let headers: BTreeMap<_, _> = it.headers.iter().cloned().collect();
        Answer::new(
            418,
            "text/plain",
            format!("{} {} {headers:?} {}", it.method, it.target, it.text()),
        )
    });
    let mut request = post(server.url() + "/a%20b?c=d%2Fe", "{}");
    request.headers = vec![("x-a".to_owned(), "b".to_owned())];
    let reply = client(&[]).send(&request, LONG).expect("answers");
    assert_eq!(reply.status, 418);
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    let text = String::from_utf8(reply.body).expect("is text");
    assert!(text.starts_with("POST /a%20b?c=d%2Fe {"), "{text}");
    assert!(text.ends_with(" {}"), "{text}");
    for part in
        ["\"x-a\": \"b\"", "\"content-length\": \"2\"", "\"user-agent\": \"dataflow-runner/"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Without a body, but a method that has one.
    let reply = client(&[]).send(&post(server.url(), ""), LONG).expect("answers");
    assert!(String::from_utf8_lossy(&reply.body).contains("\"content-length\": \"0\""));
}

#[test]
fn a_body_is_read_while_it_is_sent() {
    let server = server(|it| {
        let length = it.header("content-length").unwrap_or_default().to_owned();
        Answer::new(201, "text/plain", format!("{} {length} {}", it.method, it.body.len()))
    });
    let request = Request { method: "PUT", ..get(server.url()) };
    let client = client(&[]);
    for size in [0, 1, 100_000] {
        let mut body = std::io::repeat(7);
        let reply = client.upload(&request, &mut body, size, LONG).expect("answers");
        assert_eq!(String::from_utf8_lossy(&reply.body), format!("PUT {size} {size}"));
    }
    // The connection is not used again for anything else.
    let short = lost(client.upload(&request, &mut &b"short"[..], 10, LONG));
    assert!(short.contains("the last 5 of 10 bytes are missing"), "{short}");
    client.bell().signal(15);
    let (Fault::Lost(why) | Fault::NotSent(why)) = client
        .upload(&request, &mut std::io::repeat(7), 100, LONG)
        .expect_err("it is not sent in spite of a signal");
    assert!(why.contains("a signal came first"), "{why}");
}

#[test]
fn replies_may_come_in_chunks_packed_or_as_a_redirect() {
    let packed = unpack::pack(&[b'x'; 5000]).expect("packs");
    let server = server(move |it| match it.path() {
        "/chunked" => reply(&[("transfer-encoding", "chunked")], "y".repeat(3000)),
        "/gzip" => reply(&[("content-encoding", "gzip")], packed.clone()),
        "/notgzip" => reply(&[("content-encoding", "gzip")], "no"),
        _ => Answer::Reply(Reply {
            status: 307,
            headers: vec![("location".to_owned(), "/gzip".to_owned())],
            body: b"there".to_vec(),
        }),
    });
    let client = client(&[]);
    let ask = |path: &str| client.send(&get(server.url() + path), LONG);
    assert_eq!(ask("/chunked").expect("answers").body, [b'y'; 3000]);
    let unpacked = ask("/gzip").expect("answers");
    assert_eq!(unpacked.body, [b'x'; 5000]);
    assert_eq!(unpacked.header("content-encoding"), None);
    lost(ask("/notgzip"));
    let redirect = ask("/redirect").expect("answers");
    assert_eq!((redirect.status, redirect.header("location")), (307, Some("/gzip")));
    assert_eq!(redirect.body, b"there");
}

#[test]
fn what_was_sent_and_not_answered_is_lost() {
    let server = server(|it| match it.path() {
        "/cut" => Answer::Cut,
        "/head" => Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        "/body" => Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()),
        "/chunk" => {
            Answer::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf".to_vec())
        }
        "/garbage" => Answer::Raw(b"what do you want?\r\n\r\n".to_vec()),
        path => panic!("{path}"),
    });
    let client = client(&[]);
    for path in ["/cut", "/head", "/body", "/chunk", "/garbage"] {
        for way in [Way::Kept, Way::Heeding, Way::Afresh] {
            let request = post(server.url() + path, "{}");
            let message = lost(client.exchange(&request, LONG, way));
            assert!(message.contains("127.0.0.1"), "{path}: {message}");
        }
    }
}

#[test]
fn a_reply_has_a_largest_size() {
    let packed = |size| unpack::pack(&vec![0; size]).expect("packs");
    let (bomb, fits) = (packed(1024 * 1024 + 1), packed(1024 * 1024));
    let server = server(move |it| match it.path() {
        "/bomb" => reply(&[("content-encoding", "gzip")], bomb.clone()),
        "/packed" => reply(&[("content-encoding", "gzip")], fits.clone()),
        "/fits" => reply(&[], vec![0; 1024 * 1024]),
        _ => reply(&[], vec![0; 1024 * 1024 + 1]),
    });
    let client = Client { longest: 1024 * 1024, ..client(&[]) };
    for path in ["/large", "/bomb"] {
        let message = lost(client.send(&get(server.url() + path), LONG));
        assert!(message.contains("larger than 1 MiB"), "{message}");
    }
    for path in ["/fits", "/packed"] {
        let reply = client.send(&get(server.url() + path), LONG).expect("fits");
        assert_eq!(reply.body.len(), 1024 * 1024);
    }
}

#[test]
fn silence_ends_at_the_deadline() {
    let server = server(|it| match it.path() {
        "/none" => Answer::Stall(Vec::new()),
        _ => Answer::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()),
    });
    for path in ["/none", "/half"] {
        // Long enough to connect on a machine that is busy.
        let limit = Duration::from_secs(1);
        let message = lost(client(&[]).send(&get(server.url() + path), limit));
        assert!(message.contains("longer than 1s"), "{message}");
    }
}

#[test]
fn a_signal_ends_the_wait_for_an_answer_but_not_for_that_of_an_order() {
    let Authority { pem, config } = authority();
    let bundle = tempfile::NamedTempFile::new().expect("has a file");
    std::fs::write(bundle.path(), pem).expect("writes");
    let stall = |_: &Received| Answer::Stall(b"HTTP/1.1 200 OK\r\ncontent-len".to_vec());
    let bell = Arc::new(Bell::new());
    let variables = [("SSL_CERT_FILE", bundle.path().to_str().expect("is text"))];
    let environment = variables.into_iter().collect();
    let client = Client::new(&environment, Arc::clone(&bell)).expect("makes sense");
    bell.signal(15);
    for server in [server(stall), Server::start_tls(Arc::clone(&config), stall).expect("starts")] {
        let url = server.url();
        let message = lost(client.ask(&get(&url), LONG));
        assert!(message.ends_with("a signal came first"), "{message}");
        let limit = Duration::from_millis(600);
        let message = lost(client.send(&get(&url), limit));
        assert!(message.contains("longer than 600ms"), "{message}");
    }
    // Without one, slow answers are waited for.
    bell.take();
    let slow = |_: &Received| {
        Bell::new().pause(Duration::from_millis(500));
        reply(&[], "late")
    };
    for server in [server(slow), Server::start_tls(config, slow).expect("starts")] {
        assert_eq!(client.ask(&get(server.url()), LONG).expect("answers").body, b"late");
    }
}

/// Each byte of its answer comes in time, its end never does.
#[test]
fn a_proxy_that_trickles_ends_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let proxy = format!("http://{}", listener.local_addr().expect("has an address"));
    let trickle = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody comes");
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\nx: ").expect("writes");
        // Ended some seconds later, so that a failure is one.
        let pause = Bell::new();
        for _ in 0..200 {
            if std::io::Write::write_all(&mut stream, b"x").is_err() {
                break;
            }
            pause.pause(Duration::from_millis(50));
        }
    });
    let limit = Duration::from_millis(300);
    let client = client(&[("HTTP_PROXY", &proxy)]);
    let message = not_sent(client.send(&post("http://origin.example/", "{}"), limit));
    assert!(message.contains("no connection within 300ms"), "{message}");
    trickle.join().expect("ends");
}

#[test]
fn what_cannot_be_reached_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let closed = listener.local_addr().expect("has an address");
    drop(listener);
    let message = not_sent(client(&[]).send(&post(format!("http://{closed}/"), "{}"), LONG));
    assert!(message.contains(&closed.to_string()), "{message}");
    not_sent(client(&[]).send(&get("http://nowhere.invalid/"), LONG));
    let message = not_sent(client(&[]).send(&get("no url?secret"), LONG));
    assert!(!message.contains("secret"), "{message}");
    let request = Request { headers: vec![("x".into(), "a\nb".into())], ..get("http://a/") };
    not_sent(client(&[]).send(&request, LONG));
}

#[test]
fn connections_are_kept_unless_a_request_wants_one_of_its_own() {
    let server = server(|it| reply(&[], it.path()));
    let client = client(&[]);
    for _ in 0..3 {
        client.send(&get(server.url()), LONG).expect("answers");
    }
    assert_eq!(server.accepted(), 1);
    client.send_afresh(&get(server.url()), LONG).expect("answers");
    assert_eq!(server.accepted(), 2);
    // Whatever was open has ended, which a connection of its own does not notice.
    server.hang_up();
    client.send_afresh(&get(server.url()), LONG).expect("answers");
    let url = server.url();
    drop(server);
    // Nobody listens any more: that is known before anything is sent.
    not_sent(client.send_afresh(&get(url), LONG));
}

#[test]
fn the_proxy_is_asked_for_the_way() {
    let origin =
        server(|it| reply(&[], format!("{} to {}", it.path(), it.header("host").unwrap_or("?"))));
    let to = origin.address();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let proxy = server({
        let seen = Arc::clone(&seen);
        move |it| {
            let auth = it.header("proxy-authorization").unwrap_or("none").to_owned();
            seen.lock().expect("is whole").push(format!("{} {} {auth}", it.method, it.target));
            match it.target.as_str() {
                "refused.example:80" => Answer::new(403, "text/plain", "no"),
                "cut.example:80" => Answer::Cut,
                _ => Answer::Tunnel(to),
            }
        }
    });
    let address = proxy.url().replace("http://", "http://me:pass@");
    let client = client(&[("HTTP_PROXY", &address), ("NO_PROXY", "direct.invalid")]);
    let reply = client.send(&get("http://origin.example/x"), LONG).expect("answers");
    assert_eq!(reply.body, b"/x to origin.example");
    assert_eq!(*seen.lock().expect("is whole"), ["CONNECT origin.example:80 Basic bWU6cGFzcw=="]);
    for host in ["refused.example", "cut.example"] {
        let message = not_sent(client.send(&post(format!("http://{host}/"), "{}"), LONG));
        assert!(message.contains("through the proxy"), "{message}");
        assert!(!message.contains("pass"), "{message}");
    }
    let message = not_sent(client.send(&get("http://direct.invalid/"), LONG));
    assert!(!message.contains("proxy"), "{message}");
}

struct Authority {
    pem: String,
    config: Arc<rustls::ServerConfig>,
}

fn authority() -> Authority {
    let key = KeyPair::generate().expect("makes a key");
    let mut params = CertificateParams::new(Vec::new()).expect("makes sense");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).expect("signs");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("makes a key");
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned(), "named.example".to_owned()])
        .expect("makes sense")
        .signed_by(&key, &issuer)
        .expect("signs");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("makes sense")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("makes sense");
    Authority { pem: root.pem(), config: Arc::new(config) }
}

#[test]
fn tls_trusts_whom_the_user_names() {
    let authority = authority();
    let server = Server::start_tls(authority.config, |it| reply(&[], it.text())).expect("starts");
    let folder = tempfile::tempdir().expect("has a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).expect("writes");
    let request = post(server.url(), "hello");
    for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE"] {
        for path in [file.as_path(), folder.path()] {
            let client = client(&[(variable, path.to_str().expect("is text"))]);
            // Twice: the second goes over the connection of the first.
            for _ in 0..2 {
                assert_eq!(client.send(&request, LONG).expect("answers").body, b"hello");
            }
            assert_eq!(client.send_afresh(&request, LONG).expect("answers").body, b"hello");
        }
    }
    let message = not_sent(client(&[]).send(&request, LONG));
    assert!(message.contains("not trusted") && message.contains("SSL_CERT_FILE"), "{message}");
    let trust = Trust { unchecked: true, ..Trust::default() };
    let environment = Environment::default();
    let client = Client::trusting(&environment, Arc::new(Bell::new()), trust).expect("makes sense");
    assert_eq!(client.send(&request, LONG).expect("answers").body, b"hello");
}

#[test]
fn tls_through_a_proxy() {
    let authority = authority();
    let origin = Server::start_tls(authority.config, |it| reply(&[], it.text())).expect("starts");
    let to = origin.address();
    let proxy = server(move |_| Answer::Tunnel(to));
    let folder = tempfile::tempdir().expect("has a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).expect("writes");
    let file = file.to_str().expect("is text");
    let url = proxy.url();
    let ask = |host: &str, variables: &[(&str, &str)]| {
        client(variables).send(&post(format!("https://{host}/"), "hello"), LONG)
    };
    let variables = [("HTTPS_PROXY", url.as_str()), ("SSL_CERT_FILE", file)];
    assert_eq!(ask("named.example", &variables).expect("answers").body, b"hello");
    // What was said to the proxy and of TLS is not the request.
    not_sent(ask("other.example", &variables));
    not_sent(ask("named.example", &variables[..1]));
}

#[test]
fn what_is_no_tls_was_not_sent() {
    let plain = server(|_| Answer::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()));
    not_sent(client(&[]).send(&get(plain.url().replace("http:", "https:")), LONG));
}

#[test]
fn authorities_that_are_not_there_are_found_out_at_once() {
    let folder = tempfile::tempdir().expect("has a folder");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").expect("writes");
    for path in [empty, folder.path().join("absent.pem")] {
        let path = path.to_str().expect("is text");
        let environment = [("SSL_CERT_FILE", path)].into_iter().collect();
        let error = Client::new(&environment, Arc::new(Bell::new())).expect_err("is refused");
        assert!(error.contains(path), "{error}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let request = Request {
        headers: vec![("authorization".to_owned(), "hunter2".to_owned())],
        ..post("http://a/b?key=hunter2", "hunter2")
    };
    assert_eq!(format!("{request:?}"), "POST http://a/b [\"authorization\"] 7 bytes");
    for url in
        ["http://me:hunter2@a/b", "http://me:hunter2@a b/", "me:hunter2@a b", "x://h?hunter2"]
    {
        let shown = format!("{:?}", get(url));
        assert!(!shown.contains("hunter2"), "{shown}");
        let message = client(&[]).send(&get(url), Duration::ZERO).expect_err("goes nowhere");
        assert!(!message.to_string().contains("hunter2"), "{message}");
    }
    let reply = Reply { status: 200, headers: request.headers, body: request.body };
    assert_eq!(format!("{reply:?}"), "200 [\"authorization\"] 7 bytes");
}
