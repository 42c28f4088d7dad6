"""test_schemas.py: the C field tables and the JSON Schemas give one verdict.

Every type that can be signed, every schema in schema/events. From each schema
good documents are drawn, and one is spoilt in each way at each place; python3-jsonschema
and the tables (build/<variant>/tests/verdict) judge them all. No stack is needed.

The one difference that is allowed is told in `told_in_bytes`: C counts a text's
bytes, a schema its characters. What no schema can see (duplicate keys, surrogates,
depth, 1.0 for 1) is not drawn: tests/vectors has it.
"""
import base64
import copy
import json
import os
import pathlib
import random
import re
import string
import subprocess
import zlib

import jsonschema
import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = TOP / "schema" / "events"
BUILD = pathlib.Path(os.environ.get("ERRAND_BIN", TOP / "build" / "plain"))
VERDICT = BUILD / "tests" / "verdict"

SEED = int(os.environ.get("ERRAND_TEST_SEED", 2026))
GOOD = 20  # documents of a type, beside the spoilt ones
BYTES_MAX = 1 << 20
PAIR_NAME_MAX = 4000  # C's reason names the bound of the value


def texts(value):
    """Yields all texts in a document, names of members too."""
    if isinstance(value, str):
        yield value
    for inner in value if isinstance(value, (list, dict)) else ():
        yield from texts(inner)
        if isinstance(value, dict):
            yield from texts(value[inner])


def told_in_bytes(document, reason):
    """A bound in bytes, passed by fewer characters: no schema can say that."""
    found = re.search(r"(?:over|text of at most) (\d+) bytes", reason)
    bounds = (int(found[1]), PAIR_NAME_MAX) if found else ()
    return any(len(text) <= bound < len(text.encode())
               for text in texts(document) for bound in bounds)


# Both judges

def load():
    rows = {path.name.removesuffix(".schema.json"): json.loads(path.read_text())
            for path in FOLDER.glob("*.json")}
    return rows, {schema["$id"]: schema for schema in rows.values()}


SCHEMAS, BY_ID = load()
COMMON = SCHEMAS["common"]["$defs"]


def validator(name):
    schema = SCHEMAS[name]
    return jsonschema.Draft202012Validator(
        schema, resolver=jsonschema.RefResolver(schema["$id"], schema, BY_ID))


def tables(lines):
    """The reasons why the C tables refuse; None: they take it."""
    text = "".join(f"{kind}\t{document}\n" for kind, document in lines)
    done = subprocess.run([VERDICT], input=text.encode(), stdout=subprocess.PIPE,
                          check=True).stdout.decode(errors="replace")
    said = done.split("\n")[:-1]
    assert len(said) == len(lines)
    return [None if row == "ok" else row.removeprefix("bad\t") for row in said]


def types():
    """{type: the name of its schema}: its own, or that of its table's."""
    done = subprocess.run([VERDICT, "--types"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    rows = dict(row.split("\t")[:2] for row in done.splitlines())
    own = {kind: kind.removeprefix("errand.").removesuffix(".v1") for kind in rows}
    return {kind: own[kind] if own[kind] in SCHEMAS else table
            for kind, table in rows.items()}


# Good documents

def merged(schema):
    """A schema with what it refers to, and that one's name as "kind"."""
    ref = schema.get("$ref")
    if ref is None:
        return schema
    file, _, name = ref.partition("#/$defs/")
    found = COMMON[name] if name else SCHEMAS[file.removesuffix(".schema.json")]
    rest = {key: value for key, value in schema.items() if key != "$ref"}
    return {**found, "kind": name or "object", **rest}


def kind_of(schema):
    if "enum" in schema:
        return "word"
    kind = schema.get("kind", schema.get("type"))
    return kind if kind in DRAW else schema["type"]


def b64(data):
    return base64.b64encode(data).decode()


def bytes_bound(schema):
    """How many bytes its longest text in base64 holds."""
    if "maxLength" not in schema:
        return BYTES_MAX
    held = schema["maxLength"] // 4 * 3
    return held - 2 if "anyOf" in schema else held


def draw_id(r, _):
    digits = r.randbytes(16).hex()
    return "-".join(digits[a:b] for a, b in
                    ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))


def draw_time(r, _):
    return (f"{r.randint(1970, 9999)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"
            f"T{r.randint(0, 23):02}:{r.randint(0, 59):02}:{r.randint(0, 59):02}"
            f".{r.randint(0, 999):03}Z")


def draw_name(r, _):
    letters = string.ascii_lowercase + string.digits
    return r.choice(letters) + "".join(r.choices(letters + "-",
                                                 k=r.choice([0, 2, 62])))


def draw_where(r, schema):
    value = r.choice(string.ascii_letters + string.digits) + "".join(
        r.choices(string.ascii_letters + string.digits + "._-",
                  k=r.choice([0, 2, 62])))
    name = draw_name(r, schema)
    return r.choice([name, "@all", f"@{name}={value}"])


def draw_text(r, schema):
    bound = schema["maxLength"]
    return r.choice(["", "x", "x" * bound, "é\n\"\\", "\u2028\U0001f600\x7f"[:bound]])


def draw_bytes(r, _):
    return b64(r.randbytes(r.choice([0, 1, 2, 3, 50])))


def draw_pairs(r, schema):
    value = merged(schema["additionalProperties"])
    return {r.choice(["a", "log-dir", "é", ""]): draw_text(r, value)
            for _ in range(r.randint(0, 3))}


def draw_array(r, schema):
    most = min(schema["maxItems"], 3)
    return [draw(r, schema["items"]) for _ in range(r.randint(0, most) or r.full)]


def draw_object(r, schema):
    rows = {key: draw(r, value) for key, value in schema["properties"].items()
            if key in schema["required"] or r.full or r.random() < .5}
    if is_open(schema) and r.random() < .2:
        rows["later"] = r.choice([1, "x", [], {"a": None}])
    return rows


def is_open(schema):
    return schema.get("additionalProperties", True) is not False


class Draw(random.Random):
    """A source of chance; `full` leaves out nothing that may be left out."""

    def __init__(self, seed, full=False):
        super().__init__(seed)
        self.full = full


DRAW = {
    "hash": lambda r, _: r.randbytes(32).hex(),
    "id": draw_id,
    "time": draw_time,
    "name": draw_name,
    "user": lambda r, _: draw_name(r, _)[:32],
    "where": draw_where,
    "share": lambda r, _: r.choice(["1", "10", "9999", "1%", "25%", "100%"]),
    "text": draw_text,
    "key": lambda r, _: b64(r.randbytes(32)),
    "signature": lambda r, _: b64(r.randbytes(64)),
    "bytes": draw_bytes,
    "pairs": draw_pairs,
    "arguments": draw_pairs,
    "word": lambda r, schema: r.choice(schema["enum"]),
    "integer": lambda r, schema: r.choice(
        [schema["minimum"], schema["maximum"],
         r.randint(schema["minimum"], schema["maximum"])]),
    "boolean": lambda r, _: r.random() < .5,
    "array": draw_array,
    "object": draw_object,
}


def draw(r, schema):
    schema = merged(schema)
    return DRAW[kind_of(schema)](r, schema)


# Spoilt ones

def places(schema, value, path=()):
    """Yields (path, schema) of all that a document holds."""
    schema = merged(schema)
    yield path, schema
    if isinstance(value, dict):
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                yield from places(inner, value[key], path + (key,))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from places(schema["items"], inner, path + (i,))


def near_base64(r, text):
    """Texts close to this one in base64, most of them not canonical."""
    at = r.randrange(len(text) or 1)
    bare = text.rstrip("=")
    stray = bare[:-1] + r.choice(string.ascii_letters + string.digits + "+/")
    return [bare, bare + "=", bare + "==", stray + "=" * (len(text) - len(bare)),
            text + "AAAA", "AAAA" + text, text + text, text[:at] + "-" + text[at + 1:],
            text[:at] + "\u00fc" + text[at + 1:], text[:at] + "=" + text[at + 1:],
            text[:at] + "\n" + text[at:], text.swapcase()]


def near_time(_, text):
    return [text.lower(), text.replace("T", " "), text.replace("Z", "+00:00"),
            text[:-1], text[:19] + "Z", text[:-2] + "Z", text[:5] + "02-29" + text[10:],
            text[:5] + "02-30" + text[10:], text[:5] + "04-31" + text[10:],
            text[:5] + "00-10" + text[10:], text[:5] + "13-10" + text[10:],
            text[:11] + "24" + text[13:], text[:14] + "60" + text[16:],
            text[:17] + "60" + text[19:], "1969" + text[4:], "0000" + text[4:],
            "+" + text, "٢" + text[1:], "2100-02-29" + text[10:],
            "2000-02-29" + text[10:], "2400-02-29" + text[10:]]


def near_hex(r, text):
    at = r.randrange(len(text))
    return [text.upper(), text[:-1], text + "0", text[:at] + "g" + text[at + 1:],
            text[:at] + "-" + text[at + 1:], text.replace("-", ""), "{%s}" % text]


def near_text(_, schema):
    bound = schema["maxLength"]
    return ["x" * bound, "x" * (bound + 1), "é" * bound, "é" * (bound // 2),
            "\U0001f600" * (bound // 4 + 1), "a\0b", "\0", "\n", ""]


def near_bytes(r, schema, text):
    bound = bytes_bound(schema)
    return near_base64(r, text) + [b64(bytes(bound + n)) for n in range(-2, 4)]


def near_array(r, schema, value):
    bound = schema["maxItems"]
    short = min((draw(r, schema["items"]) for _ in range(5)),
                key=lambda item: len(json.dumps(item)))
    return [value + [None], value + [[]], {}, {"0": 1}, [short] * bound,
            [short] * (bound + 1)]


def near_pairs(_, schema):
    bound = merged(schema["additionalProperties"])["maxLength"]
    return [{"a": "x" * bound}, {"a": "x" * (bound + 1)}, {"a": 1}, {"a": None},
            {"a": {}}, {"k" * 4000: ""}, {"k" * 4001: ""}, {"": ""}, {"a": "\0"},
            {"a\0": "b"}, {"é" * 2001: ""},
            {str(n): "" for n in range(1000)}, {str(n): "" for n in range(1001)}]


NEAR = {
    "hash": lambda r, _, v: near_hex(r, v),
    "id": lambda r, _, v: near_hex(r, v),
    "time": lambda r, _, v: near_time(r, v),
    "name": lambda r, _, v: ["", "-a", "a-", "A", "a_b", "a.b", "a b", "é", "a\0",
                             "0", "a" * 63, "a" * 64],
    "user": lambda r, _, v: ["", "-a", ".a", "a b", "é", "a$", "a/b", "a\0", "a\n", "_",
                             "0", "a" * 32, "a" * 33],
    "share": lambda r, _, v: ["", "0", "01", "10000", "0%", "101%", "1.5%", "%", "-1",
                              "1\n", "1%\n", " 1"],
    "where": lambda r, _, v: ["", "@", "@a", "@a=", "@=b", "@a=b=c", "@A=b", "@a=-b",
                              "@a=.b", "@a=b.", "@a=b c", "@a=é", "@all", "@all=x",
                              "@ALL", "all", "a_b", "a=b", "@a=" + "b" * 63,
                              "@a=" + "b" * 64, "@" + "a" * 64 + "=b", "@a=b\0"],
    "text": lambda r, s, v: near_text(r, s),
    "key": lambda r, _, v: near_base64(r, v) + [b64(bytes(31)), b64(bytes(33)), ""],
    "signature": lambda r, _, v: near_base64(r, v) + [b64(bytes(63)), ""],
    "bytes": near_bytes,
    "pairs": lambda r, s, v: near_pairs(r, s),
    "arguments": lambda r, s, v: near_pairs(r, s),
    "word": lambda r, _, v: ["", v.upper(), v[:-1], v + "x", " " + v, v + "\0"],
    "integer": lambda r, s, v: [s["minimum"] - 1, s["maximum"] + 1, -1, 0, 2**53 - 1,
                                2**53, 2**63, 2**64, str(v), .5, v * 10],
    "boolean": lambda r, _, v: [0, 1, "true", "", not v],
    "array": near_array,
    "object": lambda r, s, v: [{}, {**v, "zz": 1}, {**v, "zz": None}, {**v, "": ""}],
}
STRAY = [None, True, 0, -1, 1.5, 2**53, "", "x", "x" * 4001, [], {}, ["x"], {"a": 1},
         {"": ""}]


def changed(document, path, change):
    """A copy, in which change(holder, last step) was done at a place."""
    copied = copy.deepcopy(document)
    holder = copied
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return copied


def put(value):
    def change(holder, last):
        holder[last] = value
    return change


def rename(holder, last):
    if isinstance(holder, dict):
        holder[last + "x"] = holder.pop(last)


def spoilt(r, schema, document):
    """Yields copies, each with one thing removed, renamed, added or changed."""
    yield from NEAR["object"](r, schema, document)
    for path, at in list(places(schema, document))[1:]:
        value = document
        for step in path:
            value = value[step]
        near = NEAR[kind_of(at)](r, at, value) + STRAY
        if isinstance(value, str):
            near += [value + "\n", " " + value, "\ufeff" + value]
        yield changed(document, path, lambda holder, last: holder.pop(last))
        yield changed(document, path, rename)
        for other in near:
            yield changed(document, path, put(other))


# Tests

TYPES = types()


def documents(kind):
    """(good ones, spoilt ones) of a type, the same each time."""
    schema, seed = SCHEMAS[TYPES[kind]], SEED + zlib.crc32(kind.encode())
    full = Draw(seed, full=True)
    whole = draw(full, schema)
    r = Draw(seed)
    return ([whole] + [draw(r, schema) for _ in range(GOOD)],
            list(spoilt(full, schema, whole)))


def test_every_type_has_a_schema_and_every_schema_a_type():
    assert sorted(set(TYPES.values()) | {"common"}) == sorted(SCHEMAS)
    titles = {kind for kind in TYPES if kind == SCHEMAS[TYPES[kind]]["title"]}
    shared = {kind for kind in TYPES if TYPES[kind] in ("change", "mail.fate")}
    assert titles | shared == set(TYPES) and not titles & shared


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_one(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_each_payload_is_told_to_other_peoples_tools():
    asyncapi = (TOP / "schema" / "asyncapi.yaml").read_text()
    told = set(re.findall(r"\./events/([a-z_.]+)\.schema\.json", asyncapi))
    # These travel inside of others, or never: an envelope in a proof, a reply in
    # its box, root.init in a file.
    assert sorted(told | {"common", "envelope", "reply", "root.init"}) == sorted(SCHEMAS)


def check_alike(document, schema, reason):
    """Fails where one takes what the other refuses."""
    errors = list(schema.iter_errors(document))
    if bool(errors) != bool(reason) and (errors or not told_in_bytes(document, reason)):
        told = "; ".join(error.message[:200] for error in errors)
        pytest.fail(f"C: {reason or 'takes it'}; schema: {told or 'takes it'}; "
                    f"{json.dumps(document)[:2000]}")
    for error in errors:
        if error.validator == "enum" and "not one of" in reason:
            words = reason.partition("not one of ")[2]
            assert re.split(", | or ", words) == error.validator_value
    return not errors


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_tables_and_schema_give_one_verdict(kind):
    good, bad = documents(kind)
    schema = validator(TYPES[kind])
    r = random.Random(SEED)
    said = tables([(kind, json.dumps(d, ensure_ascii=r.random() < .5))
                   for d in good + bad])
    taken = [check_alike(d, schema, reason) for d, reason in zip(good + bad, said)]
    assert all(taken[:len(good)]), "a good one is refused"
    assert sum(taken[len(good):]) < len(bad) / 2, "spoiling spoils too little"
