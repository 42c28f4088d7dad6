"""client.py: Errand from the outside, by other people's libraries: PyNaCl signs
and opens, confluent-kafka produces and reads, json makes the payloads.

It knows the wire as design.md says it and nothing of our C code: so what it
makes by hand must be understood by the daemons, and what they make is checked
here. Tests use it to ask, to forge, to repeat, and to read what was answered.

    root = Root()                                   # a root key
    admin = root.first_administrator("a@x.example")
    asker = Asker(brokers, root.id)
    session = asker.open_session(admin)
    reply = asker.ask("target.set", {...}, admin)
    reply.status, reply.text, reply.answer
"""
import base64
import datetime
import hashlib
import json
import os
import time
import uuid

import confluent_kafka
import nacl.exceptions
import nacl.public
import nacl.pwhash
import nacl.secret
import nacl.signing

import canary

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZERO = "0" * 64


# Encodings

def now_ms():
    return int(time.time() * 1000)


def moment(ms):
    """RFC 3339 with milliseconds and Z."""
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


def moment_ms(text):
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return round(at.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)


def b64(data):
    return base64.b64encode(data).decode()


def unbase32(code):
    """A code for people: its bytes, the checksum too."""
    text = code.replace("-", "").upper()
    return base64.b32decode(text + "=" * (-len(text) % 8))


def unb64(text):
    return base64.b64decode(text, validate=True)


def uuid7(ms=None):
    ms = now_ms() if ms is None else ms
    raw = bytearray(ms.to_bytes(6, "big") + os.urandom(10))
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tuple_hash(*parts):
    """SHA-256 over the parts, each as LEN SP bytes."""
    return sha256(b"".join(b"%d " % len(p) + p for p in parts))


def id_of_hash(digest):
    return str(uuid.UUID(bytes=bytes.fromhex(digest)[:16]))


def user_id(root, key):
    return id_of_hash(tuple_hash(bytes.fromhex(root), key))


def id_at(like, digest):
    """A version 8 UUID: the milliseconds of another one's, then a hash's bits."""
    bits = bytearray(uuid.UUID(like).bytes[:6] + bytes.fromhex(digest)[6:16])
    bits[6] = bits[6] & 0x0f | 0x80
    bits[8] = bits[8] & 0x3f | 0x80
    return str(uuid.UUID(bytes=bytes(bits)))


def execution_id(run_id, run_hash, target, attempt=1):
    return id_at(run_id, tuple_hash(
        b"errand.execution", bytes.fromhex(run_hash), target.encode(),
        str(attempt).encode()))


def schedule_id(command, when, zone="UTC"):
    """Of a cron line, or of the moment of `at` as it is on the wire."""
    return id_of_hash(tuple_hash(b"errand.schedule", uuid.UUID(command).bytes,
                                 when.encode(), zone.encode()))


def tick_id(schedule, zone, ms, local=None, fold=0):
    """A UUIDv8 that begins with the tick's moment."""
    digest = tuple_hash(b"errand.tick", uuid.UUID(schedule).bytes, zone.encode(),
                        b"%d" % (ms if local is None else local), b"%d" % fold)
    raw = bytearray(ms.to_bytes(6, "big") + bytes.fromhex(digest)[6:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def advance_id(run, progress):
    """Of the run.advance that is asked for how a run is (a version 8 UUID)."""
    raw = bytearray.fromhex(tuple_hash(
        b"errand.advance", uuid.UUID(run).bytes, bytes.fromhex(progress)))[:16]
    raw[:6] = uuid.UUID(run).bytes[:6]
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def key_line_make(key):
    """What a daemon's --make-key would print."""
    raw = key.public + key.box
    raw += hashlib.sha256(raw).digest()[:4]
    return base64.b32encode(raw).decode().lower().rstrip("=")


def key_line_read(line):
    """The signing and the box key in a daemon's line."""
    text = line.strip().replace("-", "").replace(" ", "").upper()
    raw = base64.b32decode(text + "=" * (-len(text) % 8))
    if hashlib.sha256(raw[:64]).digest()[:4] != raw[64:]:
        raise ValueError("the line's checksum is wrong")
    return raw[:32], raw[32:64]


# Keys and envelopes

def private(path, flags):
    return os.open(path, flags, 0o600)


class Key:
    """A pair: Ed25519 to sign with, X25519 to open boxes with."""

    def __init__(self, seeds=None):
        self.seeds = seeds = seeds or os.urandom(64)
        canary.keep("key", seeds[:32])
        canary.keep("key", seeds[32:])
        self.signing = nacl.signing.SigningKey(seeds[:32])
        self.opening = nacl.public.PrivateKey(seeds[32:])

    @classmethod
    def of_invitation(cls, seed):
        """The one-time key behind a code's 16 bytes."""
        canary.keep("invitation seed", seed)
        return cls(bytes.fromhex(tuple_hash(b"errand.invitation", seed) +
                                 tuple_hash(b"errand.inv.box", seed)))

    @classmethod
    def read(cls, path, password=None):
        """A key file, of a person (locked) or of a daemon."""
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)
        if "seeds" in rows:
            return cls(unb64(rows["seeds"]))
        key = nacl.pwhash.argon2id.kdf(
            32, password.encode(), unb64(rows["argon2id_salt"]),
            rows["argon2id_ops"], rows["argon2id_memory"])
        return cls(nacl.secret.SecretBox(key).decrypt(unb64(rows["locked"])))

    def write(self, path):
        """In clear, as daemons keep theirs."""
        with open(path, "w", encoding="utf-8", opener=private) as file:
            json.dump({"format": "errand key 1", "key": b64(self.public),
                       "box": b64(self.box), "seeds": b64(self.seeds)}, file)

    @property
    def public(self):
        return bytes(self.signing.verify_key)

    @property
    def box(self):
        return bytes(self.opening.public_key)

    @property
    def id(self):
        return sha256(self.public)

    def open(self, box):
        return nacl.public.SealedBox(self.opening).decrypt(box)


def pae(kind, payload):
    """DSSE's pre-authentication encoding."""
    kind = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


class Envelope:
    """A type, the exact bytes of a payload, and signatures [(key id, bytes)]."""

    def __init__(self, kind, payload, signatures=()):
        self.type = kind
        self.payload = payload
        self.signatures = list(signatures)

    @classmethod
    def of(cls, kind, fields, *keys):
        """Signs a payload of these fields; `kind` without errand. and .v1."""
        payload = json.dumps(fields, ensure_ascii=False,
                             separators=(",", ":")).encode()
        return cls(f"errand.{kind}.v1", payload).sign(*keys)

    @classmethod
    def from_dsse(cls, document):
        return cls(document["payloadType"], unb64(document["payload"]),
                   [(s["keyid"], unb64(s["sig"]))
                    for s in document["signatures"]])

    @classmethod
    def from_record(cls, message):
        """What a Kafka message holds, its signatures not checked."""
        headers = message.headers() or []
        values = {}
        for name, value in headers:
            values.setdefault(name, []).append(value.decode())
        return cls(values["ce_type"][0], message.value(),
                   list(zip(values["errand-key"],
                            map(unb64, values["errand-sig"]))))

    def sign(self, *keys):
        data = pae(self.type, self.payload)
        self.signatures += [(k.id, k.signing.sign(data).signature)
                            for k in keys]
        return self

    def signed_by(self, public, index=0):
        """Whether the index-th signature is good under this raw public key."""
        try:
            nacl.signing.VerifyKey(public).verify(
                pae(self.type, self.payload), self.signatures[index][1])
        except (nacl.exceptions.BadSignatureError, IndexError):
            return False
        return self.signatures[index][0] == sha256(public)

    @property
    def hash(self):
        return sha256(pae(self.type, self.payload))

    @property
    def fields(self):
        return json.loads(self.payload)

    def dsse(self):
        return {"payloadType": self.type, "payload": b64(self.payload),
                "signatures": [{"keyid": k, "sig": b64(s)}
                               for k, s in self.signatures]}

    def headers(self, source="test"):
        fields = self.fields
        rows = [("ce_specversion", "1.0"), ("ce_id", fields["id"]),
                ("ce_source", source), ("ce_type", self.type),
                ("ce_time", fields["issued"]),
                ("content-type", "application/json")]
        for key, signature in self.signatures:
            rows += [("errand-key", key), ("errand-sig", b64(signature))]
        return [(name, value.encode()) for name, value in rows]


# People and roots

class Person:
    """Their own key, the hash that names it (`by`), and a session."""

    def __init__(self, email, key, by, user, chain=()):
        self.email = email
        self.key = key
        self.by = by
        self.user = user
        self.chain = list(chain)
        self.session = None

    @classmethod
    def read(cls, profile, email, password=None):
        """Somebody by the profile that `submit` keeps for them."""
        key = Key.read(os.path.join(profile, "key.json"), password)
        with open(os.path.join(profile, "enrolment.json"),
                  encoding="utf-8") as file:
            rows = json.load(file)
        chain = [Envelope.from_dsse(e) for e in rows["envelopes"]]
        names = next(e for e in chain if e.fields.get("key") == b64(key.public))
        return cls(email, key, names.hash, names.fields["user"], chain)

    @property
    def init(self):
        """The root.init that their chain ends in."""
        return next(e for e in self.chain if e.type == "errand.root.init.v1")


class Session:
    def __init__(self, person, key, envelope):
        self.person = person
        self.key = key
        self.envelope = envelope
        self.by = envelope.hash


class Root:
    """A root key, and what it signs off line."""

    def __init__(self):
        self.key = Key()
        self.id = self.key.id
        self.init = None

    def head(self, ms=None):
        ms = now_ms() if ms is None else ms
        return {"root": self.id, "id": uuid7(ms), "issued": moment(ms),
                "by": self.id}

    def first_administrator(self, email):
        key = Key()
        user = user_id(self.id, key.public)
        self.init = Envelope.of("root.init", {
            **self.head(), "email": email, "user": user,
            "key": b64(key.public)}, self.key)
        return Person(email, key, self.init.hash, user, [self.init])

    def enrol_authorizer(self, line, name="authorizer-1", days=90):
        key, box = key_line_read(line)
        return Envelope.of("service.enrol", {
            **self.head(), "kind": "authorizer", "name": name,
            "key": b64(key), "box": b64(box),
            "until": moment(now_ms() + days * DAY)}, self.key)

    def write(self, directory, line, name="authorizer-1"):
        """root.pub and NAME.enrol.json, as `submit init` writes them."""
        chain = [self.enrol_authorizer(line, name), self.init]
        (directory / "root.pub").write_text(b64(self.key.public) + "\n")
        (directory / f"{name}.enrol.json").write_text(json.dumps(
            {"envelopes": [e.dsse() for e in chain]}))


# Asking

class Reply:
    """The authorizer's answer: its parts joined, signatures checked."""

    def __init__(self, parts, sizes):
        self.parts = parts
        self.sizes = sizes  # of the records' values
        first = parts[0].fields
        self.fields = first
        self.status = first["status"]
        self.text = first.get("text")
        self.body = b"".join(unb64(p.fields.get("body", "")) for p in parts)
        self.answer = json.loads(self.body) if self.body else None

    def __repr__(self):
        return f"<{self.status} {self.text!r} {self.body[:200]!r}>"


class Coming:
    """The authorizer's reply to a request, as its parts come in."""

    def __init__(self, envelope, root):
        self.hash = envelope.hash
        self.root = root
        self.parts, self.sizes, self.key = [], [], None

    def take(self, part, size):
        """The whole reply, with its last part; else None."""
        fields = part.fields
        if fields["request"] != self.hash:
            return None
        if fields["part"] == 0:
            self.key = authorizer_key(fields, self.root)
            self.parts, self.sizes = [], []
        assert part.signed_by(self.key), "a reply with a bad signature"
        assert fields["part"] == len(self.parts), "a part is missing"
        self.parts.append(part)
        self.sizes.append(size)
        return Reply(self.parts, self.sizes) if fields["last"] else None


class Silence(Exception):
    """Nothing was answered in time."""


class Asker:
    """Produces requests and reads the replies of one partition."""

    def __init__(self, brokers, root, partition=0):
        self.brokers = brokers
        self.root = root  # its id
        self.partition = partition
        self.box = Key()
        self.log = 0, ZERO  # the newest (seq, head) that a reply named
        self.producer = confluent_kafka.Producer({
            "bootstrap.servers": brokers, "partitioner": "murmur2_random",
            "enable.idempotence": True, "linger.ms": 0,
            "message.max.bytes": 1_000_000})
        self.producer.list_topics("errand.requests", timeout=10)
        self.consumer = reader(brokers, "errand.replies", partition)

    # Making requests

    def request(self, kind, fields, by, *keys, issued=None, life=MINUTE,
                request_id=None, box=None):
        """A request's envelope. Members that are None are left out."""
        issued = now_ms() if issued is None else issued
        all_fields = {
            "root": self.root, "id": request_id or uuid7(issued),
            "issued": moment(issued), "by": by,
            "expires": moment(issued + life),
            "reply": {"partition": self.partition,
                      "box": b64((box or self.box).box)}, **fields}
        return Envelope.of(kind, {k: v for k, v in all_fields.items()
                                  if v is not None}, *keys)

    def produce(self, envelope, topic="errand.requests", key=None, **kwargs):
        """Sends it as a record and waits until it is there."""
        self.send(topic, envelope.payload, envelope.headers(),
                  key or envelope.signatures[0][0], **kwargs)

    def send(self, topic, value, headers, key, **kwargs):
        failed = []
        self.producer.produce(
            topic, value=value, headers=headers, key=key,
            on_delivery=lambda e, _: failed.append(e) if e else None, **kwargs)
        self.producer.flush(10)
        if failed:
            raise RuntimeError(str(failed[0]))

    # Reading answers

    def replies(self, envelope, timeout=10):
        """Yields the replies to a request, opened, as (envelope, size)."""
        wanted = envelope.fields["id"].encode()
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            message = self.consumer.poll(0.1)
            if message is None or message.error() or message.key() != wanted:
                continue
            box = unb64(json.loads(message.value())["box"])
            yield (Envelope.from_dsse(json.loads(self.box.open(box))),
                   len(message.value()))

    def wait(self, envelope, timeout=10):
        """The authorizer's whole reply, each part signed by the key that the
        first part's proof names."""
        coming = Coming(envelope, self.root)
        for part, size in self.replies(envelope, timeout):
            reply = coming.take(part, size)
            if reply is not None:
                return self.noted(reply)
        raise Silence(envelope.type)

    def noted(self, reply):
        """The revocation log's newest place is where the next entry goes."""
        place = reply.fields["seq"], reply.fields["head"]
        self.log = max(self.log, place)
        return reply

    # Many at once

    def send_all(self, envelopes):
        """Sends them as records, in this order, and waits for none."""
        for envelope in envelopes:
            self.producer.produce(
                "errand.requests", value=envelope.payload,
                headers=envelope.headers(), key=envelope.signatures[0][0])
            self.producer.poll(0)
        if self.producer.flush(30) != 0:
            raise RuntimeError("the broker is away")

    def gather(self, envelopes, timeout=30, until=lambda missing: False):
        """{request id: whole Reply}, of those that come before the time is over
        or `until`, asked with the ids that are missing, says that it is."""
        coming = {e.fields["id"]: Coming(e, self.root) for e in envelopes}
        found = {}
        end = time.monotonic() + timeout
        while coming and time.monotonic() < end and not until(coming):
            for message in self.consumer.consume(500, 0.05):
                name = (message.key() or b"").decode(errors="replace")
                if message.error() or name not in coming:
                    continue
                box = unb64(json.loads(message.value())["box"])
                part = Envelope.from_dsse(json.loads(self.box.open(box)))
                reply = coming[name].take(part, len(message.value()))
                if reply is not None:
                    found[name] = self.noted(reply)
                    del coming[name]
        return found

    def exchange_all(self, envelopes, timeout=30):
        """Asks all at once; the replies in the same order."""
        self.send_all(envelopes)
        found = self.gather(envelopes, timeout)
        silent = [e.type for e in envelopes if e.fields["id"] not in found]
        if silent:
            raise Silence(f"{len(silent)} of {len(envelopes)}: {silent[:5]}")
        return [found[e.fields["id"]] for e in envelopes]

    def exchange(self, envelope, timeout=10):
        self.produce(envelope)
        return self.wait(envelope, timeout)

    def ask(self, kind, fields, who, timeout=10, **kwargs):
        """Asks as a person (own key) or by a Session; the whole reply."""
        return self.exchange(
            self.request(kind, fields, who.by, who.key, **kwargs), timeout)

    def entry_request(self, kind, fields, who, *more_keys, place=None, **kwargs):
        """An entry of the revocation log in its next place that is known, or
        behind `place`, a (seq, head)."""
        seq, head = place or self.log
        return self.request(kind, {"seq": seq + 1, "prev": head, **fields},
                            who.by, who.key, *more_keys, **kwargs)

    def enter(self, kind, fields, who, *more_keys, **kwargs):
        """Asks for an entry; the reply, the second time where the place was
        another's."""
        for _ in range(8):
            reply = self.exchange(
                self.entry_request(kind, fields, who, *more_keys, **kwargs))
            if reply.status != "behind":
                break
        return reply

    # Short ways

    def session_request(self, person, key, hours=8, lasts=None, **kwargs):
        until = now_ms() + (hours * HOUR if lasts is None else lasts)
        return self.request("session.open", {
            "key": b64(key.public), "box": b64(key.box),
            "until": moment(until)}, person.by, person.key, key, **kwargs)

    def open_session(self, person):
        key = Key()
        envelope = self.session_request(person, key)
        accepted(self.exchange(envelope))
        person.session = Session(person, key, envelope)
        return person.session

    def invite(self, admin, email, role="runner", hours=72):
        """Invites; the invitation: its key, user id and hash."""
        invitation = self.invitation(admin, email, role, hours)
        accepted(self.exchange(invitation.envelope))
        return invitation

    def invitation(self, admin, email, role="runner", hours=72):
        """One that was not sent yet."""
        key = Key()
        user = user_id(self.root, key.public)
        return Invitation(key, user, email, self.request("user.invite", {
            "user": user, "invitation": b64(key.public), "email": email,
            "role": role,
            "until": moment(now_ms() + int(hours * HOUR) - MINUTE)},
            admin.by, admin.key))

    def verify(self, invitation):
        """Follows an invitation; the new Person."""
        key = Key()
        envelope = self.verify_request(invitation, key)
        accepted(self.exchange(envelope))
        return Person(invitation.email, key, envelope.hash, invitation.user)

    def verify_request(self, invitation, key, **kwargs):
        return self.request("user.verify", {
            "user": invitation.user, "invite": invitation.envelope.hash,
            "key": b64(key.public), "generation": 1},
            invitation.envelope.hash, invitation.key, key, **kwargs)

    def add_target(self, admin, name, max_wait=86400):
        return self.enter("target.set", {
            "name": name, "generation": 1, "max_wait": max_wait}, admin)

    def command_request(self, admin, name, script, targets, version=1,
                        command=None, previous=None, **fields):
        return self.request("command.save", {
            "command": command or uuid7(), "name": name, "version": version,
            "previous": previous, "script": b64(script), "parameters": [],
            "targets": targets, "timeout": 60, "wait": 60, **fields},
            admin.by, admin.key)

    def save_command(self, admin, name, script, targets, **fields):
        """Saves version 1 of a command; its id."""
        envelope = self.command_request(admin, name, script, targets, **fields)
        accepted(self.exchange(envelope))
        return envelope.fields["command"]

    def assign(self, admin, user, command, **fields):
        return self.ask("assignment.add",
                        {"user": user, "command": command, **fields}, admin)

    def run_request(self, session, command, targets, arguments=None,
                    wait=60, issued=None, **kwargs):
        issued = now_ms() if issued is None else issued
        return self.request("run.start", {
            "command": command, "arguments": arguments or {},
            "targets": targets, "deadline": moment(issued + wait * 1000),
            "follow": False}, session.by, session.key, issued=issued, **kwargs)


class Invitation:
    def __init__(self, key, user, email, envelope):
        self.key = key
        self.user = user
        self.email = email
        self.envelope = envelope


def accepted(reply):
    assert reply.status in ("accepted", "ok"), reply
    return reply


def authorizer_key(fields, root):
    """The key that a reply's proof enrols, checked up to the root."""
    proof = {e.hash: e for e in map(Envelope.from_dsse, fields["proof"])}
    enrol = proof[fields["by"]]
    named = enrol.fields
    init = next(e for e in proof.values() if e.type == "errand.root.init.v1")
    assert named["kind"] == "authorizer" and named["by"] == root
    assert init.fields["root"] == root
    assert enrol.signatures[0][0] == root, "not signed by the root"
    return unb64(named["key"])


# Topics

def reader(brokers, topic, partition=0, offset=None):
    """A consumer at a number: the end of a partition, or that offset."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": brokers, "group.id": "test",
        "enable.auto.commit": False, "auto.offset.reset": "error",
        "fetch.wait.max.ms": 50, "isolation.level": "read_uncommitted"})
    at = confluent_kafka.TopicPartition(topic, partition)
    if offset is None:
        offset = consumer.get_watermark_offsets(at, timeout=10)[1]
    consumer.assign([confluent_kafka.TopicPartition(topic, partition, offset)])
    return consumer


class Follower:
    """What comes to a topic, from these offsets on (each partition's earliest)."""

    def __init__(self, brokers, topic, starts=None):
        self.topic = topic
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": brokers, "group.id": "test",
            "enable.auto.commit": False, "auto.offset.reset": "error",
            "enable.partition.eof": True, "fetch.wait.max.ms": 50,
            "isolation.level": "read_uncommitted"})
        partitions = self.consumer.list_topics(topic, timeout=10).topics[topic].partitions
        self.next = {p: (starts or {}).get(p, self.bounds(p)[0]) for p in partitions}
        self.consumer.assign([confluent_kafka.TopicPartition(topic, p, at)
                              for p, at in self.next.items()])

    def bounds(self, partition):
        """A broker that stood still leads nothing for a moment."""
        end = time.monotonic() + 10
        while True:
            try:
                return self.consumer.get_watermark_offsets(
                    confluent_kafka.TopicPartition(self.topic, partition), timeout=10)
            except confluent_kafka.KafkaException as error:
                nobody = confluent_kafka.KafkaError.NOT_LEADER_FOR_PARTITION
                if error.args[0].code() != nobody or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def read(self):
        """What came since it was last asked, up to where each partition ends now."""
        ends = {p: self.bounds(p)[1] for p in self.next}
        behind = {p for p, end in ends.items() if self.next[p] < end}
        found = []
        while behind:
            first = self.consumer.poll(10)
            if first is None:
                raise RuntimeError(f"{self.topic} {self.next}: nothing comes")
            for message in [first, *self.consumer.consume(1000, 0)]:
                p = message.partition()
                if message.error() is None:
                    found.append(message)
                    self.next[p] = message.offset() + 1
                elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    self.next[p] = max(self.next[p], message.offset())
                elif not message.error().retriable():
                    raise RuntimeError(f"{self.topic} [{p}]: {message.error()}")
            behind = {p for p in behind if self.next[p] < ends[p]}
        return found

    def close(self):
        self.consumer.close()


def read_all(brokers, topic):
    """Every message of a topic, partition by partition."""
    follower = Follower(brokers, topic)
    messages = sorted(follower.read(), key=lambda m: (m.partition(), m.offset()))
    follower.close()
    return messages
