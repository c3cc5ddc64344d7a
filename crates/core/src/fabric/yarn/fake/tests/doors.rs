//! Who is let in, and who is active.

use super::*;

#[test]
fn nobody_is_let_in_without_a_name() {
    let bench = Bench::new(Script::default());
    for url in [
        format!("{}/ws/v1/cluster/info", bench.fake.managers()[0]),
        format!("{}/webhdfs/v1/?op=GETFILESTATUS", bench.fake.name_nodes()[0]),
        format!("{}/ws/v1/node/containerlogs/c/stdout", bench.fake.node.url()),
        format!("{}/ws/v1/history/containerlogs/c/stdout", bench.fake.history()),
    ] {
        let reply = bench.send("GET", url.clone(), &[]);
        assert_eq!(reply.status, 401, "{url}");
        assert_eq!(body(&reply)["RemoteException"]["exception"], "AuthenticationException");
    }
}

#[test]
fn a_gateway_wants_its_authorization_and_nodes_must_not_see_it() {
    let script = Script { access: Access::Gateway("Bearer x".to_owned()), ..Script::default() };
    let bench = Bench::new(script);
    assert_eq!(bench.get("/ws/v1/cluster/info").status, 401);
    let ask = |url: String| {
        let headers = [("accept", "application/json"), ("authorization", "Bearer x")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let request = Request { method: "GET", url, headers, body: Vec::new() };
        bench.client.ask(&request, Duration::from_secs(20)).expect("it answers").status
    };
    assert_eq!(ask(format!("{}/ws/v1/cluster/info", bench.fake.managers()[0])), 200);
    assert_eq!(bench.violations(), [""; 0]);
    ask(format!("{}/webhdfs/v1/x?op=OPEN", bench.fake.node.url()));
    assert_eq!(bench.violations(), ["a node was given what is the gateway's"]);
}

#[test]
fn kerberos_lets_nobody_in_and_says_how_it_would() {
    let bench = Bench::new(Script { access: Access::Kerberos, ..Script::default() });
    let reply = bench.get("/ws/v1/cluster/info");
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Negotiate")));
}

#[test]
fn who_stands_by_says_so_but_answers_for_itself() {
    let bench = Bench::new(Script { managers: 2, ..Script::default() });
    bench.fake.activate_manager(Some(1));
    assert_eq!(body(&bench.get("/ws/v1/cluster/info"))["clusterInfo"]["haState"], "STANDBY");
    let path = "/ws/v1/cluster/apps/application_1_0001";
    let reply = bench.get(path);
    let place = format!("{}{}", bench.fake.managers()[1], named(path));
    assert_eq!((reply.status, reply.header("location")), (307, Some(place.as_str())));
    bench.fake.activate_manager(None);
    let reply = bench.get(path);
    assert_eq!(reply.status, 200);
    assert!(reply.header("refresh").is_some());

    bench.fake.activate_name_node(None);
    let reply = bench.files("GET", "/?op=GETFILESTATUS");
    assert_eq!(reply.status, 403);
    assert_eq!(body(&reply)["RemoteException"]["exception"], "StandbyException");
}
