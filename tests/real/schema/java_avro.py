"""The files and the schemas of ours, as Avro for Java sees them."""

import json
import os
import subprocess
from pathlib import Path

from ring import program, tools

from . import parts, python_avro

SOURCE = Path(__file__).resolve().parent / "java" / "Verdicts.java"
LIMIT_SECONDS = 300

PASSES = {
    "json-depth": python_avro.PASSES["json-depth"],
    "json-surrogate": "Jackson's strings hold half of a surrogate pair",
    "json-empty": "Jackson has a value for nothing at all",
    "duplicate-key": python_avro.PASSES["duplicate-key"],
}


def check(lab) -> None:
    java = Java(lab)
    verdicts = parts.agree("avro for Java", java, parts.Exceptions(PASSES))
    passed = [case for case in parts.every() if verdicts.get(case.name) == parts.PASSED and is_told_of_text(case)]
    told_of_encoded_files(lab, {case.name: case for case in passed}, java.encoded)


def is_told_of_text(case) -> bool:
    """Whether what we say of a case is said of its text alone, as it comes from a parser."""
    # A rendered text does not tell what in it is secret, and a parser keeps one of two tags.
    return "secret-in-name" not in case.codes() and not case.name.endswith(" twice")


def told_of_encoded_files(lab, passed: dict, encoded: dict) -> None:
    """Avro's JSON encoding of a datum is a file that we say the same of as of the one that the datum was made of."""
    folder = lab.work / "encoded"
    folder.mkdir()
    files = {f"{index}.json": case for index, case in enumerate(passed.values())}
    for name, case in files.items():
        (folder / name).write_text(encoded[case.text], encoding="utf-8")
    wrong = []
    for name, (errors, warnings) in parts.said(folder, list(files)).items():
        # Who has it from a parser has each key once.
        before = files[name].codes() - {"duplicate-key"}
        after = {reason.code for reason in errors + warnings}
        if before != after:
            wrong.append(f"{files[name].name}: {before} before, {after} after")
    assert not wrong, "\n".join([f"{len(wrong)} are not the same to us:", *wrong[: parts.MOST_SHOWN]])
    print(f"info  avro for Java: {len(files)} files written in Avro's own encoding of JSON", flush=True)


class Java:
    """Avro for Java, as a validator."""

    def __init__(self, lab) -> None:
        self.lab = lab
        self.lib = tools.avro() / "lib"
        self.jar = tools.jar(SOURCE, self.lib, lab.work)
        # Avro's JSON encoding of the datum in a text.
        self.encoded = {}

    def __call__(self, items: list) -> list:
        files = {}
        for key in {key for key, _ in items}:
            file = self.lab.work / f"{key.replace('/', '-')}.avsc"
            file.write_text(parts.schema(key).text, encoding="utf-8")
            files[key] = str(file)
        # These are read, and no more.
        schemas = sorted((program.ROOT / "schemas").rglob("*.avsc"))
        asked = "".join(json.dumps({"schema": files[key], "text": text}) + "\n" for key, text in items)
        ran = subprocess.run(
            ["java", "-cp", f"{self.jar}:{self.lib}/*", "Verdicts", *files.values(), *map(str, schemas)],
            input=asked.encode(),
            env={name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ},
            capture_output=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr.decode()
        verdicts = [parts.Verdict(**json.loads(line)) for line in ran.stdout.decode().split("\n")[:-1]]
        self.encoded |= {text: verdict.encoded for (_, text), verdict in zip(items, verdicts, strict=True) if verdict.encoded}
        return verdicts
