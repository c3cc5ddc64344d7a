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
from ring.mutants import UNKNOWN
from ring.mutants import mutants as mutants_of

HERE = Path(__file__).resolve().parent
FIXTURES = program.ROOT / "fixtures"
RUN_LIMIT_SECONDS = 120
# What a type is in JSON, as Python has it.
KINDS = {"null": type(None), "boolean": bool, "array": list, "map": dict, "record": dict}
KINDS |= dict.fromkeys(("int", "long", "float", "double"), (int, float))
KINDS |= dict.fromkeys(("string", "bytes", "fixed", "enum"), str)
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
    "not-bytes": ("characters that are no bytes", None),
    "number-range": (
        "beyond 32 or 64 bits",
        r".* (?:must be between (?:-2147483648 and 2147483647|-9223372036854775808 and 9223372036854775807)"
        r"|is beyond the range of numbers)(?: \(.*)?$",
    ),
    "duplicate-key": ("a field or a key twice", None),
    "missing-schema": ("missing-field of the file itself", None),
    "unknown-schema": ("it is not for this schema: an Avro schema does not tell that, a JSON Schema does", None),
}

# What any validator refuses, although we have another word for it.
REFUSES = {"invalid/emr-steps-missing": "no-steps is said of an absent list as of an empty one, in the words of 0.7.x"}


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
        try:
            key = reader(json.loads(self.text))
        except (ValueError, RecursionError):
            key = None
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
    # Names of cases that it refuses although no code of ours is of the schema.
    refuses: dict
    # Whether what we only warn of in files of 0.7.x is a reason to refuse, as for Avro.
    refuses_warned: bool = True
    # Whether a file of another schema is refused as that. Else there is nothing that such a file could be held against.
    knows_keys: bool = False

    def expected(self, case: Case, passes: dict) -> set:
        """What the validator may say of a case."""
        heeded = case.errors + (case.warnings if self.refuses_warned else [])
        reasons = [reason for reason in heeded if reason.code not in passes]
        if any(reason.code.startswith("json-") for reason in reasons):
            return {UNREADABLE}
        if any(code.startswith("json-") for code in case.codes()):
            # What else is wrong with it was not looked at.
            return {PASSED, REFUSED}
        of_schema = any(reason.is_of_schema() for reason in reasons)
        return {REFUSED if of_schema else PASSED}

    def judge(self, cases: list, validate) -> dict:
        """The verdicts, by name of the case. Fails where one is not as expected, and where an exception is not needed."""
        wrong, needed, verdicts = [], set(), {}
        cases = [case for case in cases if self.knows_keys or "unknown-schema" not in case.codes()]
        pairs = [(case, key) for case in cases for key in case.keys()]
        for (case, _), verdict in zip(pairs, validate([(key, case.text) for case, key in pairs]), strict=True):
            verdicts[case.name] = verdict.kind
            strictly = self.expected(case, {})
            refusing = {name for name in self.refuses if fnmatch.fnmatchcase(case.name, name)}
            expected = {REFUSED} if refusing else self.expected(case, self.passes)
            if verdict.kind not in expected:
                told = [f"{reason.code}: {reason.message}" for reason in case.errors + case.warnings]
                wrong.append(f"{case.name} is {verdict.kind} ({verdict.why}), not {expected}; we say {told}")
            elif verdict.kind not in strictly:
                needed |= refusing or case.codes() & self.passes.keys()
        assert not wrong, f"{len(wrong)} do not agree:\n" + "\n".join(wrong[:20])
        unneeded = (self.passes.keys() | self.refuses.keys()) - needed
        assert not unneeded, f"exceptions that nothing needs: {sorted(unneeded)}"
        return verdicts


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


def is_lenient(key: str) -> bool:
    """Whether its files are read as 0.7.x read them."""
    name, version = key.split("/")
    return name in LENIENT and version.startswith("1-")


def reader(value) -> str | None:
    """The schema that reads a file; its `schema` may be written in other upper and lower case."""
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


class Schema:
    """The Avro schema of whole files, as far as one has to know it to make a datum of a file."""

    def __init__(self, key: str) -> None:
        data = json.loads(run("schema", key).stdout)
        self.namespace = data["namespace"]
        fields = [{"name": "schema", "type": "string"}, {"name": "data", "type": data}]
        self.root = {"type": "record", "name": "File", "fields": fields}
        self.text = json.dumps(self.root)
        self.named = {}
        self._collect(self.root)

    def _collect(self, avro) -> None:
        for inner in avro if isinstance(avro, list) else avro.values() if isinstance(avro, dict) else ():
            self._collect(inner)
        if isinstance(avro, dict) and avro.get("type") in ("record", "enum", "fixed"):
            assert avro["name"] not in self.named and avro.get("namespace", self.namespace) == self.namespace
            self.named[avro["name"]] = avro

    def of(self, avro) -> tuple:
        """The kind of a type, and what says more of it."""
        avro = self.named.get(avro, avro) if isinstance(avro, str) else avro
        if isinstance(avro, dict):
            return (avro["type"], avro) if isinstance(avro["type"], str) else self.of(avro["type"])
        return ("union", avro) if isinstance(avro, list) else (avro, avro)

    def branch(self, union: list, value) -> tuple:
        """The branch of a union that a value is of, if any, and the value without the tag of Avro's JSON encoding."""
        tags = {}
        for one in union:
            kind, avro = self.of(one)
            names = (avro["name"], f"{self.namespace}.{avro['name']}") if kind in ("record", "enum", "fixed") else (kind,)
            tags |= dict.fromkeys(names, one)
        if isinstance(value, dict) and len(value) == 1:
            ((key, inner),) = value.items()
            if key in tags and self.is_kind(tags[key], inner):
                return tags[key], inner
        fitting = [one for one in union if self.is_kind(one, value)]
        return fitting[0] if fitting else None, value

    def is_kind(self, avro, value) -> bool:
        """Whether a value is of the kind of JSON that a type is written in."""
        return isinstance(value, KINDS[self.of(avro)[0]]) and (not isinstance(value, bool) or avro == "boolean")

    def datum(self, value, avro=None, fill: bool = True):
        """A file as a datum: unions without tags, and what is absent filled in. What is wrong with it stays in it."""
        kind, avro = self.of(avro or self.root)
        if kind == "union":
            one, value = self.branch(avro, value)
            return value if one is None else self.datum(value, one, fill)
        if kind == "array" and isinstance(value, list):
            return [self.datum(item, avro["items"], fill) for item in value]
        if kind == "map" and isinstance(value, dict):
            return {key: self.datum(item, avro["values"], fill) for key, item in value.items()}
        if kind == "record" and isinstance(value, dict):
            types = {one["name"]: one["type"] for one in avro["fields"]}
            defaults = {one["name"]: one["default"] for one in avro["fields"] if fill and "default" in one}
            whole = defaults | value
            return {key: self.datum(item, types[key], fill) if key in types else item for key, item in whole.items()}
        return value

    def amended(self, value, avro=None):
        """A file as 0.7.x took it: keys in any case, unknown ones left out, what is absent or null taken for empty."""
        kind, avro = self.of(avro or self.root)
        if kind == "union":
            one, value = self.branch(avro, value)
            return value if one is None else self.amended(value, one)
        if kind == "array" and isinstance(value, list):
            return [self.amended(item, avro["items"]) for item in value]
        if kind == "record":
            given = {key.lower(): item for key, item in value.items() if item is not None}
            names = {one["name"]: one for one in avro["fields"]}
            taken = {name: self.amended(given[name.lower()], names[name]["type"]) for name in names if name.lower() in given}
            absent = {name: self._empty(names[name]["type"]) for name in names if "default" not in names[name]}
            return absent | taken
        return value

    def _empty(self, avro):
        kind, avro = self.of(avro)
        if kind == "record":
            return self.amended({}, avro)
        return {"string": "", "long": 0, "boolean": False, "array": [], "map": {}}[kind]


@cache
def schema(key: str) -> Schema:
    """The schema `NAME/VERSION`."""
    return Schema(key)


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
def mutants() -> list:
    """Files that differ from those that we accept by one change each, with what the program says of them."""
    found = {}
    for case in cases():
        if not case.errors:
            (key,) = case.keys()
            tags = (*schema(key).named, "string", "long", "array", "map", "null", UNKNOWN)
            for what, text in mutants_of(json.loads(case.text), tags):
                found.setdefault(f"{key}: {what}", Case(f"{key}: {what}", text))
    files = {f"{index}.json": case for index, case in enumerate(found.values())}
    with tempfile.TemporaryDirectory() as folder:
        for name, case in files.items():
            (Path(folder) / name).write_text(case.text, encoding="utf-8")
        for first in range(0, len(files), FILES_AT_ONCE):
            for name, told in said(Path(folder), list(files)[first : first + FILES_AT_ONCE]).items():
                files[name].errors, files[name].warnings = told
    return list(files.values())


def said(folder: Path, names: list) -> dict:
    """The errors and the warnings of each file."""
    linted = run("lint", *names, cwd=folder, check=False)
    assert linted.returncode in (program.OK, program.INVALID), linted.stderr.decode()
    found = {name: ([], []) for name in names}
    told = re.findall(r"^(error|warning)\[([a-z0-9-]+)\]: (.*)\n *--> ([^:]+):", linted.stderr.decode(), re.MULTILINE)
    for severity, code, message, name in told:
        found[name][severity == "warning"].append(Reason(code, message))
    invalid = any(errors for errors, _ in found.values())
    assert invalid == (linted.returncode == program.INVALID), linted.stderr.decode()
    return found


def agree(name: str, validate, exceptions: Exceptions) -> dict:
    """Fails unless a validator agrees with us on all files, and on others that are made of them. Gives its verdicts.

    `validate` takes pairs of a schema's `NAME/VERSION` and a text, and gives a verdict on each.
    """
    groups = {"files": cases(), "as 0.7.x took them": amended(), "with one change each": mutants()}
    verdicts = exceptions.judge([case for group in groups.values() for case in group], validate)
    for group, members in groups.items():
        counts = Counter(verdicts[case.name] for case in members if case.name in verdicts)
        told = ", ".join(f"{counts[kind]} {kind}" for kind in (PASSED, REFUSED, UNREADABLE))
        print(f"info  {name}: {group}: {told}", flush=True)
    return verdicts
