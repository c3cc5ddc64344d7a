"""Files of ours as data of their Avro schemas."""

import json

from .mutants import UNKNOWN

# What a type is in JSON, as Python has it.
KINDS = {"null": type(None), "boolean": bool, "array": list, "map": dict, "record": dict}
KINDS |= dict.fromkeys(("int", "long", "float", "double"), (int, float))
KINDS |= dict.fromkeys(("string", "bytes", "fixed", "enum"), str)


class Schema:
    """The Avro schema of whole files, as far as one has to know it to make a datum of a file."""

    def __init__(self, data: dict) -> None:
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
        if kind in ("float", "double") and type(value) is int:
            return float(value)
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

    def whole(self, turn: int, avro=None, inside: tuple = ()):
        """A file with every field, and of each enum the symbol whose turn it is."""
        kind, avro = self.of(avro or self.root)
        if kind == "union":
            # What is inside itself is so once.
            others = [one for one in avro if one != "null" and self.of(one)[1] not in inside]
            return self.whole(turn, others[0], inside) if others else None
        if kind == "record":
            return {one["name"]: self.whole(turn, one["type"], (*inside, avro)) for one in avro["fields"]}
        if kind == "enum":
            return avro["symbols"][turn % len(avro["symbols"])]
        if kind in ("array", "map"):
            inner = avro["items" if kind == "array" else "values"]
            item = None if self.of(inner)[1] in inside else self.whole(turn, inner, inside)
            return {"array": [item], "map": {"x": item}}[kind] if item is not None else []
        return {"string": "x", "int": 1, "long": 1, "double": 1.5, "boolean": True}[kind]

    def tags(self, value) -> list:
        """The tags that a value may be in, and some that it may not be in."""
        names = [one for one in self.named if self.is_kind(one, value)]
        return [*names, *(kind for kind in ("string", "long", "array", "map") if self.is_kind(kind, value)), "null", UNKNOWN]

    def symbols(self) -> int:
        """So many turns it takes until each symbol had one."""
        return max((len(one["symbols"]) for one in self.named.values() if one["type"] == "enum"), default=1)

    def _empty(self, avro):
        kind, avro = self.of(avro)
        if kind == "record":
            return self.amended({}, avro)
        return {"string": "", "long": 0, "boolean": False, "array": [], "map": {}}[kind]
