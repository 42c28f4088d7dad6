"""refused.py: records that are signed as they should be, and are none."""
import copy

from installation import Envelope, b64, moment, moment_ms, nested
from shapes import compact, headers, near, refused


def bad_json(case):
    """(name, reason, bytes) made of a good payload's text."""
    text = compact(case.envelope.fields)
    whole, rest = text.encode(), text[1:].encode()

    def ends(more):
        return whole[:-1] + more + b"}"

    deep = compact(nested(16)).encode()
    yield "depth 17", "nested over 16", b'{"later":' + deep + b"," + rest
    yield "depth 5,001", "nested over 16", ends(b',"zz":' + b"[" * 5000 + b"]" * 5000)
    for name, payload in (
            ("a member twice, alike", b'{"number":1,' + rest),
            ("a member twice, the second one other", ends(b',"stream":"stderr"')),
            ("a member twice, once in escapes", ends(b',"\\u0069d":"x"')),
            ("an unknown member twice", ends(b',"zz":1,"zz":1')),
            ("a member twice, further down", ends(b',"zz":{"a":1,"a":1}'))):
        yield name, "duplicate", payload
    for name, payload in (
            ("NUL in escapes", ends(b',"zz":"\\u0000"')),
            ("NUL in a name", ends(b',"z\\u0000":1')),
            ("NUL as a byte", ends(b',"zz":"\0"')),
            ("NUL at the end", whole + b"\0"),
            ("bytes after the end", whole + b"x"),
            ("two objects", whole + whole),
            ("nothing", b""),
            ("a blank", b" "),
            ("half of it", whole[:len(whole) // 2]),
            ("a byte order mark", b"\xef\xbb\xbf" + whole),
            ("UTF-16", text.encode("utf-16-le")),
            ("Latin-1", ends(b',"zz":"\xfc"')),
            ("an overlong form", ends(b',"zz":"\xc0\xaf"')),
            ("half a surrogate", ends(b',"zz":"\\ud800"')),
            ("half a surrogate in UTF-8", ends(b',"zz":"\xed\xa0\x80"')),
            ("beyond Unicode", ends(b',"zz":"\xf4\x90\x80\x80"')),
            ("a newline in a text", ends(b',"zz":"\n"')),
            ("a comma at the end", ends(b",")),
            ("a comment", whole + b"//"),
            ("single quotes", whole.replace(b'"', b"'")),
            ("NaN", ends(b',"zz":NaN')),
            ("a list", b"[" + whole + b"]"),
            ("a text", b'"x"'),
            ("null", b"null")):
        yield name, "not a JSON object", payload


def numbers(case):
    """The same of numbers: whole ones below 2^53, written as such."""
    text = compact(case.envelope.fields)
    for name, digits in (("1.0", "1.0"), ("1e0", "1e0"), ("1E+2", "1E+2"),
                         ("a half", "0.5"), ("2^53", str(2**53)),
                         ("2^53 + 1", str(2**53 + 1)), ("2^63", str(2**63)),
                         ("2^64 + 1", str(2**64 + 1)), ("-1", "-1"), ("01", "01"),
                         ("+1", "+1"), ("0x1", "0x1"), ("a text", '"1"'),
                         ("true", "true"), ("null", "null"), ("a list", "[1]")):
        yield (f"a number that is {name}", "",
               text.replace('"number":1,', f'"number":{digits},', 1).encode())


def member(case, name, reason, **changes):
    """A payload with other members, None for one that is left out."""
    fields = copy.deepcopy(case.envelope.fields)
    fields.update(changes)
    return name, reason, compact({k: v for k, v in fields.items()
                                  if v is not ...}).encode()


def members(case):
    """Of a run.start: members that are missing, unknown or no such thing."""
    fields = case.envelope.fields
    issued, box = fields["issued"], fields["reply"]
    yield member(case, "an unknown member", "unknown field 'zz'", zz=1)
    yield member(case, "an unknown member that is null", "unknown field 'zz'", zz=None)
    yield member(case, "an unknown member further down", "unknown field 'zz'",
                 reply={**box, "zz": 1})
    yield member(case, "a name in capitals", "unknown field 'Follow'", Follow=True)
    for name in ("root", "id", "issued", "by", "command", "arguments", "targets",
                 "deadline", "follow"):
        yield member(case, f"{name} is missing", f"{name}: missing", **{name: ...})
        yield member(case, f"{name} is null", f"{name}: ", **{name: None})
    yield member(case, "reply is half there", "box: missing", reply={"partition": 1})
    for name, other in near(box["box"]):
        yield member(case, f"base64 with {name}", "box: not the base64 of 32 bytes",
                     reply={**box, "box": other})
    for name, other in (("in capitals", fields["root"].upper()),
                        ("too short", fields["root"][:-1]),
                        ("too long", fields["root"] + "0"), ("none", "")):
        yield member(case, f"a hash that is {name}", "root: not a hash", root=other)
    for name, other in (("in capitals", fields["id"].upper()),
                        ("without dashes", fields["id"].replace("-", "")),
                        ("in braces", "{" + fields["id"] + "}")):
        yield member(case, f"an id that is {name}", "id: not an id", id=other)
    for name, other in (("without milliseconds", issued[:19] + "Z"),
                        ("with an offset", issued[:-1] + "+00:00"),
                        ("in lower case", issued.lower()),
                        ("on a day that is none", issued[:5] + "02-30" + issued[10:]),
                        ("in a leap second", issued[:17] + "60" + issued[19:]),
                        ("before 1970", "1969" + issued[4:]),
                        ("that is a number", moment_ms(issued))):
        yield member(case, f"a time {name}", "issued: ", issued=other)
    for name in ("", "-a", "A", "a_b", "a b", "\u00e4", "a" * 64, "../a"):
        yield member(case, f"'{name[:8]}' as a name", "targets[0]", targets=[name])
    yield member(case, "65 targets", "over 64 entries", targets=["a"] * 65)
    yield member(case, "a text of 54,617 bytes", "54616 bytes",
                 arguments={"dir": "x" * 54617})
    yield member(case, "a text of 27,309 letters of two bytes", "54616 bytes",
                 arguments={"dir": "\u00fc" * 27309})
    yield member(case, "an argument that is a number", "arguments", arguments={"dir": 1})
    yield member(case, "0 for false", "neither true nor false", follow=0)
    yield member(case, "an object for a list", "not a list", targets={"0": "web-1"})


def hints(case, pair):
    """Headers that are not those of the payload."""
    rows = headers(case.envelope, case.envelope.fields)
    fields = case.envelope.fields

    def put(name, value):
        return [(n, value if n == name else v) for n, v in rows
                if n != name or value is not None]

    yield "another ce_id", "ce_id: not the signed id", put("ce_id", fields["command"])
    yield "no ce_id", "ce_id", put("ce_id", None)
    yield "ce_id in capitals", "ce_id", put("ce_id", fields["id"].upper())
    later = moment(moment_ms(fields["issued"]) + 1)
    yield "another ce_time", "ce_time: not the signed time", put("ce_time", later)
    yield "the same time, written otherwise", "ce_time", put(
        "ce_time", fields["issued"][:-1] + "+00:00")
    yield "no ce_time", "ce_time", put("ce_time", None)
    yield "no ce_type", "ce_type: missing", put("ce_type", None)
    for other in ("errand.run.start.v2", "errand.run.start", "run.start", "",
                  "ERRAND.RUN.START.V1", "errand.run.start.v1 ", "errand.nothing.v1"):
        yield f"'{other}' as ce_type", "unknown type", put("ce_type", other)
    yield "the type of another payload", "unknown field", put("ce_type", "errand.user.list.v1")
    yield "no errand-sig", "errand-sig", put("errand-sig", None)
    yield "no errand-key", "errand-key", put("errand-key", None)
    yield ("no signature at all", "0 signatures instead of 1",
           [row for row in rows if not row[0].startswith("errand-")])
    yield "errand-key in capitals", "errand-key", put("errand-key", case.keys[0].id.upper())
    for name, other in near(b64(case.envelope.signatures[0][1])):
        yield f"errand-sig with {name}", "errand-sig", put("errand-sig", other)
    yield ("two signatures where one belongs", "2 signatures instead of 1",
           rows + headers(pair.envelope, fields)[-2:])


def with_envelope(case, payload):
    """Bad bytes, signed as they should be."""
    return Envelope(case.envelope.type, payload).sign(*case.keys)


def all_refused(here):
    output, start = here.cases["execution.output"][0], here.cases["run.start"][0]
    verify = here.cases["user.verify"][0]
    rows = headers(verify.envelope, verify.envelope.fields)
    return {
        "json": [refused(name, reason, output, with_envelope(output, payload))
                 for name, reason, payload in bad_json(output)],
        "numbers": [refused(name, reason, output, with_envelope(output, payload))
                    for name, reason, payload in numbers(output)],
        "members": [refused(name, reason, start, with_envelope(start, payload))
                    for name, reason, payload in members(start)],
        "headers": [refused(name, reason, start, rows=found)
                    for name, reason, found in hints(start, verify)] +
        [refused("one signer where two belong", "1 signatures instead of 2", verify,
                 rows=rows[:-2]),
         refused("three signers where two belong", "3 signatures instead of 2", verify,
                 rows=rows + rows[-2:])],
    }
