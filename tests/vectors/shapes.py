"""shapes.py: what a vector looks like, for make.py and its parts.

A case is a record: its type, the keys of its signers, its value and headers; a
verdict (good, forged, refused); and what goes with that. See README.md.
"""
import json

from installation import b64, pae


LETTERS = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
           "0123456789+/")


def raw(payload):
    """A payload as a text, where it is one that JSON can hold, else in base64."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return {"value_base64": b64(payload)}
    return {"value_base64": b64(payload)} if "\0" in text else {"value": text}


def headers(envelope, fields, source="vectors"):
    rows = [("ce_specversion", "1.0"), ("ce_id", fields["id"]),
            ("ce_source", source), ("ce_type", envelope.type),
            ("ce_time", fields["issued"]), ("content-type", "application/json")]
    for key_id, signature in envelope.signatures:
        rows += [("errand-key", key_id), ("errand-sig", b64(signature))]
    return rows


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def record(case, envelope=None, rows=None):
    """What both good and bad cases have."""
    envelope = envelope or case.envelope
    rows = headers(envelope, case.envelope.fields) if rows is None else rows
    return {"type": envelope.type, "keys": [b64(k.public) for k in case.keys],
            "record_key": case.record_key, **raw(envelope.payload),
            "headers": [{"name": n, "value": v} for n, v in rows]}


def good(case):
    return {"name": case.name, "verdict": "good", **record(case),
            "seeds": [b64(k.seeds) for k in case.keys],
            "pae": b64(pae(case.envelope.type, case.envelope.payload)),
            "hash": case.hash, "envelope": compact(case.envelope.dsse())}


def forged(name, case, envelope):
    """Its headers agree with the changed payload: who forges sees to that."""
    rows = headers(envelope, envelope.fields)
    return {"name": name, "verdict": "forged", **record(case, envelope, rows)}


def refused(name, reason, case, envelope=None, rows=None):
    return {"name": name, "verdict": "refused", "reason": reason,
            **record(case, envelope, rows)}


def flipped(data, bit):
    """Bytes with one bit changed."""
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def near(value):
    """(name, other): texts that are near some base64, and not its only form."""
    bare = value.rstrip("=")
    pads = "=" * (len(value) - len(bare))
    stray = bare[:-1] + LETTERS[LETTERS.index(bare[-1]) + 1] + pads
    return [("a stray bit", stray), ("no padding", bare), ("too much padding", value + "="),
            ("the alphabet of URLs", bare[:4] + "-_" + bare[6:] + pads),
            ("a newline at the end", value + "\n"),
            ("a newline within", bare[:8] + "\n" + bare[8:] + pads),
            ("a blank before", " " + value),
            ("a byte above 0x7f", "\u00fc" + value[2:]),
            ("four letters more", "AAAA" + value),
            ("four letters less", value[4:]), ("nothing", "")]
