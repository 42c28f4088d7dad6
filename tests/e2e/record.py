"""record.py: what should be in PostgreSQL by the topics, reckoned here anew.

In: the whole of errand.results and of the claim logs, read by confluent-kafka,
signatures checked by PyNaCl under the keys of the enrolments. Out: the rows that
results and outputs must hold, to be compared with those that they do (P4).
"""
import hashlib

import client
from client import Envelope, unb64
from house import until


class Enrolled:
    """A service by its enrolment: kind, target, the key it signs with, until when."""

    def __init__(self, kind, target, key, revoked):
        self.kind, self.target, self.key, self.revoked = kind, target, key, revoked

    def signed(self, envelope, message):
        """While it was one."""
        return envelope.signed_by(self.key) and (
            self.revoked is None or message.timestamp()[1] <= self.revoked)


def enrolled(house):
    """{hash of service.enrol: Enrolled}"""
    rows = house.rows("SELECT encode(s.hash, 'hex'), s.kind, s.target, e.envelope,"
                      " (extract(epoch FROM s.revoked_at) * 1000)::bigint"
                      " FROM services s JOIN envelopes e USING (hash)")
    return {h: Enrolled(kind, target, unb64(Envelope.from_dsse(
        client.json.loads(envelope)).fields["key"]), revoked)
        for h, kind, target, envelope, revoked in rows}


def read_event(message, services):
    """(envelope, who signed it), or None: not by anybody who is enrolled."""
    try:
        envelope = Envelope.from_record(message)
        service = services[envelope.fields["by"]]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return (envelope, service) if service.signed(envelope, message) else None


def winners(house, services):
    """{execution: (incarnation, key)} of first claims that an executor of that
    target made; others' first claims: None."""
    found = {}
    targets = house.rows("SELECT name, generation FROM targets")
    there = house.kafka().list_topics(timeout=10).topics
    for target, generation in targets:
        topic = f"errand.claims.{target}.{generation}"
        for message in client.read_all(house.brokers, topic) if topic in there else []:
            key = (message.key() or b"").decode(errors="replace")
            if key in found:
                continue
            event = read_event(message, services)
            found[key] = None
            if event is not None and event[1].kind == "executor" and \
                    event[1].target == target and event[0].fields["execution"] == key:
                found[key] = event[0].fields.get("incarnation"), event[1].key
    return found


class Told:
    """What the topic tells of one execution."""

    def __init__(self):
        self.started = self.ending = None  # hashes
        self.said_by = None
        self.outcome = None
        self.chunks = {}  # number -> (hash, stream, data)

    def add(self, envelope, by):
        fields = envelope.fields
        kind = envelope.type.split(".")[2]
        if by == "scheduler":
            if self.outcome is None:
                self.end(envelope, by)
        elif kind == "started":
            self.started = self.started or envelope.hash
        elif kind == "output":
            self.chunks.setdefault(fields["number"], (
                envelope.hash, fields["stream"], unb64(fields["data"])))
        elif self.outcome in (None, "lost"):
            self.end(envelope, by)
            inside = fields.get("output", [])
            first = fields["chunks"] - len(inside) + 1
            for i, chunk in enumerate(inside):
                self.chunks.setdefault(first + i, (
                    envelope.hash, chunk["stream"], unb64(chunk["data"])))

    def end(self, envelope, by):
        self.ending, self.said_by = envelope.hash, by
        self.outcome = envelope.fields["outcome"]


def told(house):
    """{execution: Told} of all that counts on errand.results."""
    services = enrolled(house)
    won = winners(house, services)
    found = {}
    for message in client.read_all(house.brokers, "errand.results"):
        event = read_event(message, services)
        if event is None or not event[0].type.startswith("errand.execution."):
            continue
        envelope, service = event
        execution = envelope.fields["execution"]
        if service.kind == "executor" and won.get(execution) != (
                envelope.fields.get("incarnation"), service.key):
            continue
        if service.kind in ("executor", "scheduler"):
            found.setdefault(execution, Told()).add(envelope, service.kind)
    return found


def settled(house):
    """Until the recorder has read errand.results to its end."""
    def read():
        at = dict(house.rows("SELECT partition, next FROM positions WHERE reader ="
                             " 'recorder' AND topic = 'errand.results'"))
        return all(at.get(p) == end for p, end in house.ends("errand.results").items())
    until("the recorder has read everything", read, 60)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def compare(house):
    """Asserts that PostgreSQL holds what the topic tells: all, once, no more;
    returns how many executions that were."""
    settled(house)
    expected = told(house)
    rows = house.rows(
        "SELECT execution_id::text, encode(started_hash, 'hex'),"
        " encode(finished_hash, 'hex'), outcome::text, said_by FROM results")
    assert len(rows) == len({r[0] for r in rows})
    there = {r[0]: r[1:] for r in rows}
    wanted = {e: (t.started, t.ending, t.outcome, t.said_by)
              for e, t in expected.items() if t.started or t.ending}
    differ = {e: (wanted.get(e), there.get(e)) for e in wanted.keys() | there.keys()
              if wanted.get(e) != there.get(e)}
    assert not differ, f"(told, recorded): {differ}"
    outputs = [tuple(r) for r in house.rows(
        "SELECT execution_id::text, number, encode(hash, 'hex'), stream,"
        " encode(sha256(data), 'hex') FROM outputs")]
    chunks = [(e, n, h, s, digest(d)) for e, t in expected.items()
              for n, (h, s, d) in t.chunks.items()]
    assert sorted(outputs) == sorted(chunks)
    return len(wanted)
