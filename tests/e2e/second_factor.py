"""second_factor.py: second factors from the outside: oathtool makes the codes,
PyNaCl seals them, zbarimg reads the QR code, as an authenticator app would.

Nothing of our C code is on this end: what a code is, RFC 6238 says; how it is
sealed, common/trust/sealed.h's lines on the wire.
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import time

import nacl.public

from client import (HOUR, Envelope, Key, Session, accepted, b64, moment, now_ms,
                    sha256, tuple_hash, unb64, uuid7)

STEP = 30_000
SCALE = 6  # pixels of a module


def code(secret, steps=0, at=None):
    """Six digits, by oathtool; `steps` of 30 s from that moment, or from now."""
    at = now_ms() if at is None else at
    seconds = at // 1000 + 30 * steps
    return subprocess.run(
        ["oathtool", "--totp", "-b", "-N", f"@{seconds}", secret],
        capture_output=True, text=True, check=True).stdout.strip()


def wrong(secret):
    """Six digits that no step near has."""
    near = {code(secret, n) for n in range(-3, 4)}
    return next(c for c in map("{:06d}".format, range(20)) if c not in near)


def early_in_step(seconds=8):
    """Waits where this step's end is so near that a test could cross it."""
    left = STEP - now_ms() % STEP
    if left < seconds * 1000:
        time.sleep(left / 1000 + 0.05)


# Sealing

def authorizers(reply):
    """The box keys of those that may decide, from session.show."""
    found = [Envelope.from_dsse(e).fields for e in reply.answer["authorizers"]]
    assert all(f["kind"] == "authorizer" for f in found)
    return [unb64(f["box"]) for f in found]


def sealed(content, boxes):
    """One box for each; `content` without its recipient."""
    rows = []
    for box in boxes:
        recipient = sha256(box)
        inner = json.dumps({**content, "recipient": recipient},
                           separators=(",", ":")).encode()
        rows.append({"recipient": recipient, "box": b64(
            nacl.public.SealedBox(nacl.public.PublicKey(box)).encrypt(inner))})
    return rows


def recovery_hash(user, raw):
    return tuple_hash(b"errand.recovery", bytes.fromhex(user.replace("-", "")),
                      raw)


def recovery_text(raw):
    """As people get it: base32 of the code and of its checksum."""
    whole = raw + hashlib.sha256(raw).digest()[:4]
    text = base64.b32encode(whole).decode().rstrip("=").lower()
    return "-".join(text[i:i + 5] for i in range(0, len(text), 5))


class Device:
    """A person's second factor: the secret, and who to seal codes to."""

    def __init__(self, asker, person):
        self.asker = asker
        self.person = person
        self.boxes = authorizers(accepted(asker.ask("session.show", {}, person)))
        self.fresh()

    def fresh(self):
        raw = os.urandom(20)
        self.secret = base64.b32encode(raw).decode()
        self.raw = raw
        self.codes = [os.urandom(10) for _ in range(10)]

    def content(self, purpose, value, signer, request, **other):
        return {"root": self.asker.root, "purpose": purpose, "signer": signer,
                "request": request, "name": self.person.user,
                "value": b64(value), **other}

    # Setting up

    def set_request(self, current=None, first=None, session=None, **fields):
        request = uuid7()
        own = self.person.key.id

        def box(purpose, value):
            return sealed(self.content(purpose, value, own, request), self.boxes)
        first = code(self.secret) if first is None else first
        return self.asker.request("mfa.set", {
            "secret": box("totp secret", self.raw),
            "code": box("first code", first.encode()),
            "current": box("second factor", current.encode()) if current else None,
            "recovery": [recovery_hash(self.person.user, c) for c in self.codes],
            "session": b64(session.public) if session else None, **fields},
            self.person.by, self.person.key, request_id=request)

    def set_up(self, **more):
        accepted(self.asker.exchange(self.set_request(**more)))
        return self

    # Opening sessions

    def open_request(self, given=None, key=None, hours=8, **other):
        """session.open; `other`: members of the sealed content that are not as
        they should be."""
        key = key or Key()
        request = uuid7()
        boxes = None if given is None else sealed({**self.content(
            "second factor", given.encode(), key.id, request), **other}, self.boxes)
        return self.open_with(boxes, key, request, hours)

    def open_with(self, boxes, key, request, hours=8):
        return self.asker.request("session.open", {
            "key": b64(key.public), "box": b64(key.box),
            "until": moment(now_ms() + hours * HOUR - 1000), "code": boxes},
            self.person.by, self.person.key, key, request_id=request)

    def open(self, given=None, **more):
        return self.asker.exchange(self.open_request(given, **more))

    def signed_in(self, given):
        """The person, with a session that this code opened."""
        key = Key()
        envelope = self.open_request(given, key=key)
        accepted(self.asker.exchange(envelope))
        self.person.session = Session(self.person, key, envelope)
        return self.person


# Reading a screen as a phone does

def shade(colour, default):
    """0 (black) to 255 of a pyte colour."""
    if colour == "default":
        return default
    if re.fullmatch("[0-9a-f]{6}", colour):
        return sum(bytes.fromhex(colour)) // 3
    return {"black": 0, "white": 200, "brightwhite": 255}[colour]


def pixels(rows, background):
    """Two rows of shades for each line of a terminal."""
    ink = 255 - background
    for row in rows:
        above, below = [], []
        for cell in row:
            fore = shade(cell.fg, ink)
            back = shade(cell.bg, background)
            above.append(fore if cell.data in "\u2580\u2588" else back)
            below.append(fore if cell.data in "\u2584\u2588" else back)
        yield above
        yield below


def picture(screen, columns, background):
    """A PGM of all that a terminal has shown."""
    rows = [[row[x] for x in range(columns)] for row in screen.history.top]
    rows += [[screen.buffer[y][x] for x in range(columns)]
             for y in range(screen.lines)]
    lines = [bytes(shade for shade in line for _ in range(SCALE))
             for line in pixels(rows, background) for _ in range(SCALE)]
    head = f"P5 {columns * SCALE} {len(lines)} 255\n".encode()
    return head + b"".join(lines)


def scan(screen, columns, folder, background=0):
    """What zbarimg reads on it."""
    file = folder / "screen.pgm"
    file.write_bytes(picture(screen, columns, background))
    done = subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable",
                           "-Sqrcode.enable", str(file)],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip()
