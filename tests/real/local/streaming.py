"""STREAMING steps with a real Hadoop: programs beside the playbook and of the machine, and one that fails."""

from local import parts
from ring import tools
from ring.lab import Lab, check_counts, counted
from ring.program import FAILED, OK, RUN_FAILED, SUCCEEDED

SPLIT = "#!/bin/sh\nexec tr -s ' ' '\\n'\n"

# What it reads is sorted.
COUNT = """
import itertools, sys
for word, same in itertools.groupby(line.split("\\t")[0].strip() for line in sys.stdin):
    print(word, sum(1 for _ in same), sep="\\t")
"""


def check(lab: Lab) -> None:
    cluster = parts.cluster(lab, roots={"s3://ring-bucket/": str(lab.work)}, tools={"hadoop": str(tools.yarn())})
    (lab.work / "split.sh").write_text(SPLIT, encoding="utf-8")
    (lab.work / "split.sh").chmod(0o755)
    (lab.work / "count.py").write_text(COUNT, encoding="utf-8")

    def streaming(step: str, mapper: str, **more) -> dict:
        return {
            "id": step,
            "type": "STREAMING",
            "mapper": mapper,
            "reducer": "python3 count.py",
            "files": ["./count.py"],
            "source": "s3://ring-bucket/input",
            "destination": f"s3://ring-bucket/{step}",
            "properties": {"hadoop.tmp.dir": str(lab.work / "scratch"), "mapreduce.framework.name": "local"},
            **more,
        }

    plain = streaming("plain", "cat")
    del plain["reducer"], plain["files"]
    run = lab.run([streaming("count", "./split.sh"), streaming("mapped", "s3://ring-bucket/split.sh"), plain], cluster)
    run.check(OK, "succeeded", dict.fromkeys(("count", "mapped", "plain"), SUCCEEDED))
    check_counts(lab.work / "count", counted())
    check_counts(lab.work / "mapped", counted())
    lines = [line.strip() for path in (lab.work / "plain").glob("part-*") for line in path.read_text().splitlines()]
    assert sorted(lines) == sorted(line for path in lab.input.iterdir() for line in path.read_text().splitlines()), lines

    run = lab.run([streaming("wrong", "sh -c 'exit 3'"), streaming("after", "cat")], cluster)
    run.check(RUN_FAILED, "failed", {"wrong": FAILED}, skipped=("after",))
    assert run.exit_code("wrong") not in (0, None)
    assert not (lab.work / "after").exists()
