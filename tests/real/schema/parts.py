"""What our files are, what we say of them, and what somebody else's validator has to say of them then.

A validator has to refuse what we refuse for a reason that a schema can tell (`SCHEMA_REASONS`), and to pass what we
accept, or refuse for any other reason. Where it means something else by a schema than we do, an exception of its
component says so, and why. A component fails for want of an exception, and for one that nothing needs.
"""

import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ring import program, tools
from ring.datum import Schema
from ring.mutants import mutants as mutants_of

HERE = Path(__file__).resolve().parent
FIXTURES = program.ROOT / "fixtures"
RUN_LIMIT_SECONDS = 120
# So many cases that do not agree are shown.
MOST_SHOWN = 20
# So many files are linted by one process.
FILES_AT_ONCE = 500
# What examples are rendered with, besides the vars.json of one.
EXAMPLE_VARIABLES = ("day=2026-11-22", "bucket=words", "subnet=subnet-0a1b2c3d")

# Kinds whose files of model 1 are read as 0.7.x read them, by the newest schema of that model.
LENIENT = ("ClusterConfig", "PlaybookConfig")

# What a validator says of a file: of the right schema, not so, or not even JSON.
PASSED, REFUSED, UNREADABLE = "passed", "refused", "unreadable"

# Our codes of faults that a schema can tell; where a code also tells of other rules, the messages that are meant. All
# other codes are of rules that no Avro schema can say: a validator has to pass what has only those.
SCHEMA_REASONS = {
    "wrong-type": ("a value of another type", None),
    "missing-field": ("a field without a default is absent", r"`[^`]*` has no `[^`]+`(?: \(.*)?$"),
    "unknown-field": ("a field that the schema has not", None),
    "miscased-key": ("the same: names are as they are written", None),
    "empty-field": ("missing-field in a file of 0.7.x that is read all the same", None),
    "unknown-symbol": ("no symbol of the enum", None),
    "not-an-integer": ("a number with a fraction for an int or a long", None),
    "number-range": (
        "beyond 32 or 64 bits",
        r".* (?:must be between (?:-2147483648 and 2147483647|-9223372036854775808 and 9223372036854775807)"
        r"|is beyond the range of numbers)(?: \(.*)?$",
    ),
    "duplicate-key": ("a field or a key twice", None),
    "missing-schema": ("missing-field of the file itself", None),
    "unknown-schema": ("it is not for this schema: an Avro schema does not tell that, a JSON Schema does", None),
}

# Cases, by a pattern of their names, and what every validator says of them although our codes are no reason for that.
NAMED = {
    "invalid/emr-steps-missing": (REFUSED, NO_STEPS := "no-steps is said of no list as of an empty one, in the words of 0.7.x"),
    "PlaybookConfig/1-0-1: .data.steps removed": (REFUSED, NO_STEPS),
    "PlaybookConfig/1-0-1: .data.steps = null": (REFUSED, NO_STEPS),
    "*.Classic twice": (PASSED, TAGS := "a parser keeps the last of two tags, so that there is but one"),
    "*.Core twice": (PASSED, TAGS),
    "*.Retries twice": (PASSED, TAGS),
    "*.array twice": (PASSED, TAGS),
    "*.string twice": (PASSED, TAGS),
}


@dataclass(frozen=True)
class Reason:
    """One of our diagnostics."""

    code: str
    message: str

    def is_of_schema(self) -> bool:
        """Whether a schema can tell it."""
        _, pattern = SCHEMA_REASONS.get(self.code, (None, "(?!)"))
        return pattern is None or re.match(pattern, self.message) is not None


@dataclass
class Case:
    """A rendered file, with what we say of it."""

    name: str
    text: str
    errors: list = field(default_factory=list)
    warnings: list = field(default_factory=list)

    def codes(self) -> set:
        """All codes that are said of it."""
        return {reason.code for reason in self.errors + self.warnings}

    def keys(self) -> list:
        """The schema that reads it; all where none does."""
        key = reader_of(self.text)
        return [key] if key else newest()


@dataclass
class Verdict:
    """What a validator says of a text."""

    kind: str
    why: str = ""
    # The same datum as Avro's JSON encoding has it, where the validator can write that.
    encoded: str | None = None


@dataclass
class Exceptions:
    """Where a validator and we mean something else; each with the reason why."""

    # Our codes that are no reason for this validator to refuse.
    passes: dict
    # What we only warn of in files of 0.7.x, and that tells nothing of what it says.
    either: dict = field(default_factory=dict)
    # Cases, by a pattern of their names, and what it says of them against all codes; `None`: either.
    named: dict = field(default_factory=lambda: dict(NAMED))
    # Whether what we only warn of in files of 0.7.x is a reason to refuse, as for Avro.
    refuses_warned: bool = True
    # Whether a file of another schema is refused as that. Else there is nothing that such a file could be held against.
    knows_keys: bool = False

    def expected(self, case: Case) -> set:
        """What the validator may say of a case, but for its exceptions."""
        heeded = case.errors + (case.warnings if self.refuses_warned else [])
        if any(reason.code.startswith("json-") for reason in heeded):
            return {UNREADABLE}
        return {REFUSED if any(reason.is_of_schema() for reason in heeded) else PASSED}

    def excused(self, case: Case) -> tuple:
        """The same with its exceptions, and which of them those are."""
        if names := {name for name in self.named if fnmatch.fnmatchcase(case.name, name)}:
            kinds = {self.named[name][0] for name in names}
            return {PASSED, REFUSED} if None in kinds else kinds, names
        if warned := {reason.code for reason in case.warnings} & self.either.keys():
            return {PASSED, REFUSED}, warned
        codes = case.codes() & self.passes.keys()
        if any(code.startswith("json-") for code in codes):
            # What else is wrong with a text that is no JSON was not looked at.
            return {PASSED, REFUSED}, codes
        rest = [[reason for reason in some if reason.code not in codes] for some in (case.errors, case.warnings)]
        return self.expected(Case(case.name, case.text, *rest)), codes

    def judge(self, cases: list, validate) -> dict:
        """The verdicts, by name of the case. Fails where one is not as expected, and where an exception is not needed."""
        verdicts, needed, wrong = self.compare(cases, validate)
        assert not wrong, f"{len(wrong)} do not agree:\n" + "\n".join(wrong[:MOST_SHOWN])
        unneeded = (self.passes.keys() | self.either.keys() | self.named.keys()) - needed
        assert not unneeded, f"exceptions that nothing needs: {sorted(unneeded)}"
        return verdicts

    def compare(self, cases: list, validate) -> tuple:
        """The verdicts, by name of the case; the exceptions that it takes; and what is wrong all the same."""
        verdicts, needed, wrong = {}, set(), []
        cases = [case for case in cases if self.knows_keys or "unknown-schema" not in case.codes()]
        pairs = [(case, key) for case in cases for key in case.keys()]
        for (case, _), verdict in zip(pairs, validate([(key, case.text) for case, key in pairs]), strict=True):
            verdicts[case.name] = verdict.kind
            excused, exceptions = self.excused(case)
            if verdict.kind not in excused:
                told = [f"{reason.code}: {reason.message}" for reason in case.errors + case.warnings]
                wrong.append(f"{case.name} is {verdict.kind} ({verdict.why}), not {excused}; we say {told}")
            elif verdict.kind not in self.expected(case):
                needed |= exceptions
        return verdicts, needed, wrong


def run(*arguments, cwd: Path = HERE, check: bool = True) -> subprocess.CompletedProcess:
    """The program, with nothing in its environment but a word for templates."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PASS": "hunter2"}
    return subprocess.run(
        [str(word) for word in (program.binary(), *arguments)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=check,
        timeout=RUN_LIMIT_SECONDS,
    )


@cache
def published() -> list:
    """`NAME/VERSION` of each schema that the program has, in its order."""
    keys = run("schema").stdout.decode().split()
    return [key.removeprefix(f"{program.SCHEMAS}/").replace("/avro/", "/") for key in keys]


@cache
def newest() -> list:
    """Those that read files: the newest of each model."""
    return list({key.split("-")[0]: key for key in published()}.values())


@cache
def reader_of(text: str) -> str | None:
    """The schema that reads a file, if it is JSON; its `schema` may be written in other upper and lower case."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    keys = [value[key] for key in value if key.lower() == "schema"]
    key = value.get("schema", keys[-1] if keys else None)
    found = re.fullmatch(re.escape(program.SCHEMAS) + r"/([A-Za-z]+)/avro/([0-9]+)(-[0-9]+-[0-9]+)", str(key))
    if found is None:
        return None
    name, model, rest = found.groups()
    if name in LENIENT and model == "1":
        return next(key for key in newest() if key.startswith(f"{name}/1-"))
    exact = f"{name}/{model}{rest}"
    return exact if exact in published() else None


@cache
def schema(key: str) -> Schema:
    """The schema `NAME/VERSION`."""
    return Schema(json.loads(run("schema", key).stdout))


def reasons(told: str, severity: str) -> list:
    """The errors or the warnings in what the program says, or in what stands beside a fixture."""
    return [Reason(*found) for found in re.findall(severity + r"\[([a-z0-9-]+)\]: (.*)", told)]


def render(path: Path, folder: Path) -> str | None:
    """A file as its template renders it; `None` where it cannot be rendered, or is no text then."""
    rendered = run("render", path, *variables_of(path), cwd=folder, check=False)
    assert rendered.returncode in (program.OK, program.INVALID), rendered.stderr.decode()
    try:
        return rendered.stdout.decode() if rendered.returncode == program.OK else None
    except UnicodeDecodeError:
        return None


def variables_of(path: Path) -> list:
    """What a file is rendered with."""
    beside = [path.with_suffix(".vars.json"), path.with_name("vars.json")]
    found = [word for file in beside if file.exists() for word in ("--vars-file", file)]
    if path.is_relative_to(program.ROOT / "examples"):
        found += [f"--var={one}" for one in EXAMPLE_VARIABLES]
    return found


def sources() -> list:
    """Every example and every fixture."""
    examples = [path for path in (program.ROOT / "examples").glob("*/*.json") if path.stem in ("cluster", "playbook")]
    fixtures = [path for folder in ("valid", "warned", "invalid") for path in (FIXTURES / folder).glob("*.json")]
    return sorted(path for path in examples + fixtures if not path.name.endswith(".vars.json"))


@cache
def cases() -> list:
    """All of them that can be rendered. Of the others it has to be said that they cannot be."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pass").write_text("hunter2", encoding="utf-8")
        texts = {path: render(path, Path(folder)) for path in sources()}
    found = []
    for path, text in texts.items():
        beside = path.with_suffix(".txt")
        told = beside.read_text(encoding="utf-8") if beside.exists() else ""
        name = f"{path.parent.name}/{path.stem}"
        case = Case(name, text, reasons(told, "error"), reasons(told, "warning"))
        assert (path.parent.name == "invalid") == bool(case.errors), f"{name} has the errors {case.errors}"
        unrendered = any(code.startswith("template-") or code == "not-utf-8" for code in case.codes())
        assert unrendered or text is not None, f"{name} cannot be rendered, and we say {told}"
        if not unrendered:
            found.append(case)
    return found


def use_packages() -> None:
    """Lets this process import the validators."""
    folder = str(tools.python_packages("schema", HERE / "requirements.txt"))
    if folder not in sys.path:
        sys.path.insert(0, folder)


def loads(text: str):
    """JSON, without the words for numbers that are none which Python takes."""

    def refuse(word: str):
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@cache
def amended() -> list:
    """The files of 0.7.x that we warn of, as 0.7.x took them: nothing of the schema is left to warn of then."""
    found = []
    for case in cases():
        of_schema = [reason for reason in case.warnings if reason.is_of_schema()]
        if of_schema and not case.errors:
            (key,) = case.keys()
            text = json.dumps(schema(key).amended(json.loads(case.text)))
            others = [reason for reason in case.warnings if reason not in of_schema]
            found.append(Case(f"{case.name}, amended", text, warnings=others))
    assert found, "no file is amended"
    return found


@cache
def wholes() -> list:
    """Files that have every field of a schema, and each symbol of its enums."""
    texts = {}
    for key in newest():
        name, version = key.split("/")
        for turn in range(schema(key).symbols()):
            file = schema(key).whole(turn) | {"schema": f"{program.SCHEMAS}/{name}/avro/{version}"}
            texts[f"{key}, all of it, {turn}"] = json.dumps(file)
    return told_of(texts)


@cache
def mutants() -> list:
    """Files that differ by one change each from those that are of their schema, as far as we say."""
    found = {}
    for case in cases() + wholes():
        if not any(reason.is_of_schema() or reason.code.startswith("json-") for reason in case.errors):
            (key,) = case.keys()
            for what, text in mutants_of(json.loads(case.text), schema(key).tags):
                found.setdefault(f"{key}: {what}", text)
    return told_of(found)


def told_of(texts: dict) -> list:
    """Cases of these texts, with what the program says of them."""
    found = [Case(name, text) for name, text in texts.items()]
    with tempfile.TemporaryDirectory() as folder:
        files = {f"{index}.json": case for index, case in enumerate(found)}
        for name, case in files.items():
            (Path(folder) / name).write_text(case.text, encoding="utf-8")
        for name, told in said(Path(folder), list(files)).items():
            files[name].errors, files[name].warnings = told
    return found


@cache
def lints() -> set:
    """The codes of what is valid and looks like a mistake, which is no matter of schemas: those of that part of the page."""
    page = (program.ROOT / "docs/diagnostics.md").read_text(encoding="utf-8")
    (part,) = re.findall(r"^## What looks like a mistake$(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^### ([a-z0-9-]+)$", part, re.MULTILINE))


def said(folder: Path, names: list) -> dict:
    """The errors and the warnings of each file, but for those of lints."""
    found = {name: ([], []) for name in names}
    for first in range(0, len(names), FILES_AT_ONCE):
        some = names[first : first + FILES_AT_ONCE]
        linted = run("lint", *some, cwd=folder, check=False)
        told = re.findall(r"^(error|warning)\[([a-z0-9-]+)\]: (.*)\n *--> ([^:]+):", linted.stderr.decode(), re.MULTILINE)
        for severity, code, message, name in told:
            if code in lints():
                continue
            found[name][severity == "warning"].append(Reason(code, message))
        expected = program.INVALID if any(found[name][0] for name in some) else program.OK
        assert linted.returncode == expected, linted.stderr.decode()
    return found


def groups() -> dict:
    """All cases, by what they are."""
    return {"files": cases(), "as 0.7.x took them": amended(), "with every field": wholes(), "with one change each": mutants()}


def every() -> list:
    """All cases."""
    return [case for group in groups().values() for case in group]


def agree(name: str, validate, exceptions: Exceptions) -> dict:
    """Fails unless a validator agrees with us on all files, and on others that are made of them. Gives its verdicts.

    `validate` takes pairs of a schema's `NAME/VERSION` and a text, and gives a verdict on each.
    """
    verdicts = exceptions.judge(every(), validate)
    for group, members in groups().items():
        counts = Counter(verdicts[case.name] for case in members if case.name in verdicts)
        told = ", ".join(f"{counts[kind]} {kind}" for kind in (PASSED, REFUSED, UNREADABLE))
        print(f"info  {name}: {group}: {told}", flush=True)
    return verdicts
