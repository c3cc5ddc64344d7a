"""A Consul that asks who one is: tokens with rights, and TLS both ways."""

import json
import subprocess

from consul.parts import HELD, KEY, Runs, Server, check as ended_with
from ring import tools
from ring.lab import Lab

MANAGEMENT = "11111111-0000-4000-8000-000000000001"
ALLOWED = "22222222-0000-4000-8000-000000000002"
KEYS_ONLY = "33333333-0000-4000-8000-000000000003"
ACL = f'acl {{ enabled = true default_policy = "deny" tokens {{ initial_management = "{MANAGEMENT}" }} }}'
# As docs/locks.md has them.
KEY_RULE = 'key_prefix "locks/" { policy = "write" }'
SESSION_RULE = 'session_prefix "" { policy = "write" }'


def check(lab: Lab) -> None:
    tokens(lab)
    certificates(lab)


def tokens(lab: Lab) -> None:
    with Server(lab, ACL) as consul:
        grant(consul, ALLOWED, "locks", f"{KEY_RULE} {SESSION_RULE}")
        grant(consul, KEYS_ONLY, "keys", KEY_RULE)
        file = lab.work / "token"
        file.write_text(ALLOWED + "\n", encoding="ascii")
        denied = ("Permission denied", "CONSUL_HTTP_TOKEN")
        strange = "99999999-0000-4000-8000-000000000009"
        cases = [
            ({}, "--lock", 4, denied),
            ({}, "--softLock", 4, denied),
            ({"CONSUL_HTTP_TOKEN": strange}, "--lock", 4, ("ACL not found", "CONSUL_HTTP_TOKEN")),
            ({"CONSUL_HTTP_TOKEN": KEYS_ONLY}, "--lock", 0, ()),
            ({"CONSUL_HTTP_TOKEN": KEYS_ONLY}, "--softLock", 4, ("session:write", "CONSUL_HTTP_TOKEN")),
            ({"CONSUL_HTTP_TOKEN": ALLOWED}, "--lock", 0, ()),
            ({"CONSUL_HTTP_TOKEN": ALLOWED}, "--softLock", 0, ()),
            ({"CONSUL_HTTP_TOKEN": strange, "CONSUL_HTTP_TOKEN_FILE": str(file)}, "--softLock", 0, ()),
        ]
        for environment, kind, code, said in cases:
            ended = Runs(lab, "true", **environment).run(kind, KEY, "--consul", consul.address)
            ended_with(ended, code, *said)
            for token in environment.values():
                assert token == str(file) or token not in ended.stderr, "a token was shown"
        # A key that the token may not write.
        runs = Runs(lab, "true", CONSUL_HTTP_TOKEN=ALLOWED)
        for kind in ("--lock", "--softLock"):
            ended_with(runs.run(kind, "elsewhere", "--consul", consul.address), 4, "Permission denied")
        assert json.loads(consul.ask("GET", "/v1/session/list", token=MANAGEMENT)[1]) == [], "sessions were left"


def grant(consul: Server, token: str, name: str, rules: str) -> None:
    for path, body in (
        ("/v1/acl/policy", {"Name": name, "Rules": rules}),
        ("/v1/acl/token", {"SecretID": token, "Policies": [{"Name": name}]}),
    ):
        status, said = consul.ask("PUT", path, json.dumps(body), token=MANAGEMENT)
        assert status == 200, said


def certificates(lab: Lab) -> None:
    """Consul makes them itself; its server's are for `localhost`, 127.0.0.1 and `server.dc1.consul`."""
    for words in (("ca", "create"), ("cert", "create", "-server"), ("cert", "create", "-client")):
        subprocess.run([tools.consul(), "tls", *words], cwd=lab.work, check=True, capture_output=True)
    authority, server, client = ("consul-agent-ca", "dc1-server-consul-0", "dc1-client-consul-0")
    pem = {name: str(lab.work / f"{name}.pem") for name in (authority, server, client, f"{server}-key", f"{client}-key")}
    https = f'ca_file = "{pem[authority]}" cert_file = "{pem[server]}" key_file = "{pem[f"{server}-key"]}" verify_incoming = true'
    with Server(lab, f"tls {{ https {{ {https} }} }}", tls=True) as consul:
        trusted = {"CONSUL_CACERT": pem[authority]}
        known = {"CONSUL_CLIENT_CERT": pem[client], "CONSUL_CLIENT_KEY": pem[f"{client}-key"]}
        folder = lab.work / "authorities"
        folder.mkdir()
        (folder / "one.pem").symlink_to(pem[authority])
        url, address = f"https://127.0.0.1:{consul.https}", f"127.0.0.1:{consul.https}"
        cases = [
            (trusted | known, url, 0),
            (trusted | known | {"CONSUL_HTTP_SSL": "true"}, address, 0),
            (trusted | known | {"CONSUL_TLS_SERVER_NAME": "server.dc1.consul"}, url, 0),
            ({"CONSUL_CAPATH": str(folder)} | known, url, 0),
            ({"CONSUL_HTTP_SSL_VERIFY": "false"} | known, url, 0),
            (trusted | known | {"CONSUL_TLS_SERVER_NAME": "another"}, url, 4),
            (known, url, 4),
            (trusted, url, 4),
            (trusted | known, address, 4),
        ]
        for environment, where, code in cases:
            ended_with(Runs(lab, "true", **environment).run("--softLock", KEY, "--consul", where), code)
        assert consul.value() is None and consul.sessions() == []
        consul.ask("PUT", f"/v1/kv/{KEY}", "4711")
        ended_with(Runs(lab, "true", **trusted, **known).run("--lock", KEY, "--consul", url), HELD)
