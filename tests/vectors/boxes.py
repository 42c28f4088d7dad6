"""boxes.py: what is not a record: envelopes at rest, and replies in their box."""
import hashlib

import nacl.bindings
import nacl.public

from forged import malleable
from installation import Envelope, b64, key, unb64
from shapes import compact, flipped, near


def envelopes(case):
    """DSSE envelopes that are none, or not of what was signed."""
    dsse = case.envelope.dsse()
    sig = dsse["signatures"][0]

    def put(**changes):
        return compact({**dsse, **changes})

    def signed(**changes):
        return put(signatures=[{**sig, **changes}])

    yield "S + L at rest", "forged", "", signed(sig=b64(malleable(unb64(sig["sig"]))))
    yield ("an unknown type", "refused", "unknown type",
           put(payloadType="application/vnd.in-toto+json"))
    yield "no type", "refused", "payloadType: missing", compact(
        {k: v for k, v in dsse.items() if k != "payloadType"})
    yield "an unknown member", "refused", "unknown field", put(zz=1)
    yield "an unknown member beside a signature", "refused", "unknown field", signed(zz=1)
    for name, other in near(dsse["payload"])[:6]:
        yield f"its payload in base64 with {name}", "refused", "payload: ", put(payload=other)
    for name, other in near(sig["sig"]):
        yield (f"its signature in base64 with {name}", "refused",
               "sig: not the base64 of 64 bytes", signed(sig=other))
    yield "no signature", "refused", "0 signatures", put(signatures=[])
    yield "three signatures", "refused", "over 2 entries", put(signatures=[sig] * 3)
    yield ("the same signature twice", "refused", "2 signatures instead of 1",
           put(signatures=[sig] * 2))
    yield "its payload twice", "refused", "duplicate", put()[:-1] + ',"payload":"e30="}'
    yield "a key id in capitals", "refused", "keyid", signed(keyid=sig["keyid"].upper())


def at_rest(here):
    case = here.cases["claim"][0]
    for name, verdict, reason, text in envelopes(case):
        yield {"name": name, "verdict": verdict, "reason": reason,
               "type": case.envelope.type,
               "keys": [b64(k.public) for k in case.keys], "envelope": text}


def seal(data, to):
    """A sealed box (crypto_box_seal) whose one-time key is no chance."""
    one_time = nacl.public.PrivateKey(hashlib.sha256(b"one time" + data).digest())
    public = bytes(one_time.public_key)
    nonce = hashlib.blake2b(public + to.box, digest_size=24).digest()
    return public + nacl.bindings.crypto_box(data, nonce, to.box, bytes(one_time))


def sealed(here):
    """Replies as they stand on errand.replies: (theme, case)."""
    case, asker = here.reply, here.asker
    dsse = compact(case.envelope.dsse())
    box = seal(dsse.encode(), asker)
    held = {"type": case.envelope.type, "keys": [b64(k.public) for k in case.keys],
            "opener": b64(asker.seeds), "record_key": case.record_key}

    def one(name, verdict, reason, value):
        return {"name": name, "verdict": verdict, "reason": reason, **held,
                "value": value}

    def boxed(data):
        return compact({"box": b64(data)})

    yield "good", {**one("a reply, sealed to the asker", "good", "", boxed(box)),
                   "envelope": dsse, "hash": case.hash}
    for bit in (0, 255, 256, 400, len(box) * 8 - 1):
        yield "bad", one(f"bit {bit} of the box flipped", "refused",
                         "not for this key, or was changed", boxed(flipped(box, bit)))
    for name, data in (("to somebody else", seal(dsse.encode(), here.runner)),
                       ("cut short", box[:-1]), ("of 47 bytes", box[:47]),
                       ("of nothing", b"")):
        yield "bad", one(f"a box {name}", "refused", "not for this key", boxed(data))
    yield "bad", one("no box", "refused", "box: missing", "{}")
    yield "bad", one("an unknown member", "refused", "unknown field",
                     compact({"box": b64(box), "zz": 1}))
    yield "bad", one("a box not in base64", "refused", "not base64",
                     compact({"box": b64(box)[:-1] + "*"}))
    yield "bad", one("a box of other JSON", "refused", "missing", boxed(seal(b"{}", asker)))
    forged_ = Envelope(case.envelope.type, case.envelope.payload).sign(key("thief"))
    yield "bad", one("signed by somebody else, sealed to the asker", "forged", "", boxed(
        seal(compact(forged_.dsse()).encode(), asker)))
