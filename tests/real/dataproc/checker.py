"""The checks of `contract` themselves: what the tests of a cluster's fields exchange passes, and bent a little does not."""

import json
from dataclasses import replace

from ring import recorded
from ring.google_calls import Judge


def check(lab) -> None:
    exchanges = recorded.record(lab, "dataproc::fields::")
    judge, known = Judge(exchanges), {}
    for exchange in exchanges:
        call, faults = judge.check(exchange, broken=recorded.broken_on_purpose(exchange) is not None)
        assert not faults, faults
        if exchange.reply == "whole" and (exchange.status < 300 or exchange.status == 308):
            known[call.name] = max(known.get(call.name, exchange), exchange, key=size)
    for number, (name, bend, expected) in enumerate(BENT):
        bent = bend(known[name])
        assert bent != known[name], f"bent {number} is not bent"
        try:
            _, faults = Judge(exchanges).check(bent, broken=False)
        except ValueError as error:
            faults = [str(error)]
        assert any(expected in fault for fault in faults), f"bent {number}: {expected!r} is not in {faults}"


def size(exchange) -> int:
    """The one with the most in it has what is bent."""
    return len(exchange.url) + len(exchange.body) + len(exchange.reply_body)


def of(part: str, change):
    """Bends the JSON of a `body` or a `reply_body`."""

    def bend(exchange):
        body = json.loads(getattr(exchange, part))
        change(body)
        return replace(exchange, **{part: json.dumps(body).encode()})

    return bend


def sent(change):
    return of("body", change)


def answered(change):
    return of("reply_body", change)


def url(old: str, new: str):
    return lambda exchange: replace(exchange, url=exchange.url.replace(old, new))


def header(name: str, value: str | None, part: str = "headers"):
    """With another header, or without it."""

    def bend(exchange):
        rest = [pair for pair in getattr(exchange, part) if pair[0].lower() != name]
        return replace(exchange, **{part: rest + ([[name, value]] if value is not None else [])})

    return bend


def disks(body: dict) -> dict:
    return body["config"]["masterConfig"]["diskConfig"]


# A method, what is done to its exchange, and a part of what has to be said about it.
BENT = [
    ("clusters.create", sent(lambda b: b.update(name="x")), "Cluster.name is unknown"),
    ("clusters.create", sent(lambda b: b.pop("clusterName")), "lacks clusterName"),
    ("clusters.create", sent(lambda b: b.update(clusterUuid="x")), "is Google's to say"),
    ("clusters.create", sent(lambda b: disks(b).update(bootDiskProvisionedIops=4000)), "is int, not string"),
    ("clusters.create", sent(lambda b: disks(b).update(bootDiskProvisionedIops="many")), "no int64"),
    ("clusters.create", sent(lambda b: disks(b).update(bootDiskSizeGb="200")), "is str, not integer"),
    ("clusters.create", sent(lambda b: b["config"]["lifecycleConfig"].update(idleDeleteTtl="1h")), "no duration"),
    ("clusters.create", sent(lambda b: b["config"]["secondaryWorkerConfig"].update(preemptibility="X")), "none of"),
    ("clusters.create", sent(lambda b: b["labels"].update(a=1)), "is int, not string"),
    ("clusters.create", url("requestId", "requestID"), "an unknown parameter 'requestID'"),
    ("clusters.create", url("DELETE", "REPAIR"), "none of"),
    ("clusters.create", url("/clusters", "/cluster"), "no method of dataproc"),
    ("clusters.create", header("content-type", "text/plain"), "the body is 'text/plain'"),
    ("clusters.create", header("authorization", None), "no token"),
    ("clusters.create", answered(lambda b: b.update(state="x")), "is unknown"),
    ("clusters.create", answered(lambda b: b["metadata"].update(clusterId="x")), "is unknown"),
    ("clusters.create", header("content-type", "text/html", "reply_headers"), "is 'text/html'"),
    ("clusters.get", answered(lambda b: b["status"].update(state="READY")), "none of"),
    ("clusters.get", answered(lambda b: b["status"].update(stateStartTime="now")), "no time"),
    ("clusters.get", lambda e: replace(e, body=b"{}"), "there is a body"),
    ("clusters.get", lambda e: replace(e, status=404), "is no error of Google's"),
    ("jobs.submit", sent(lambda b: b["job"].pop("placement")), "lacks placement"),
    ("objects.list", answered(lambda b: b.update(kind="x")), "which was not selected"),
    ("objects.list", url("items", "item"), "which is not there"),
    ("objects.media", header("content-range", "bytes 1-2/3", "reply_headers"), "is answered with"),
    ("objects.insert:media", url("uploadType=media", "uploadType=all"), "uploadType is 'all'"),
    ("objects.insert:resumable", header("location", None, "reply_headers"), "a session at"),
    ("objects.piece", header("content-range", "bytes 5-9/10"), "bytes as bytes 5-9/10"),
    ("objects.piece", url("upload_id=", "upload_id=x"), "no server has named"),
    ("objects.piece", header("range", "bytes=1-2", "reply_headers"), "308 with"),
]
