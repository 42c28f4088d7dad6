"""test_audit.py: the audit log: every decided request as a row of a chain, who
sees which, and that `submit audit verify` names the first row that was altered,
removed or added.

The chain is recomputed here from psql's rows with hashlib and PyNaCl. What a
person with the database's superuser can do to it is done with psycopg; each
time the rows are put back after, from a copy.
"""
import contextlib
import json
import os
import signal
import subprocess
import uuid

import pytest

from client import (HOUR, Envelope, Key, Person, accepted, b64, moment, moment_ms, now_ms,
                    read_all, sha256, tuple_hash, unb64, uuid7)
from house import BIN, HOME, until

SCRIPT = b"#!/bin/sh\necho hello\n"

ROW = ("partition, number, previous, id, hash, verb, key_id, user_id, command,"
       " decision, status, reason, text, reply, size, to_ms(issued),"
       " to_ms(decided_at), record_offset, row_hash, envelope")


def digits(number):
    return str(number).encode()


def row_hash(row):
    """What model/audit.h says, from a row as psql has it."""
    (partition, number, previous, request, digest, verb, key, user, command,
     decision, status, reason, text, reply, size, issued, decided, offset,
     *_) = row
    optional = [(t or "").encode() for t in (command, decision, status, reason,
                                             text)]
    return tuple_hash(
        b"errand.audit.row", digits(partition), digits(number), previous,
        request.bytes, digest, verb.encode(), key, user.bytes if user else b"",
        *optional, bytes.fromhex(sha256(reply)) if reply is not None else b"",
        digits(size), digits(issued), digits(decided), digits(offset))


def chain(house):
    """{partition: its rows, in order}"""
    rows = {}
    for row in house.rows(f"SELECT {ROW} FROM requests WHERE number IS NOT NULL"
                          " ORDER BY partition, number"):
        rows.setdefault(row[0], []).append(row)
    return rows


def checkpoints(house):
    """[(partition, rows, head)] on errand.events, signed by the authorizer."""
    found = []
    for message in read_all(house.brokers, "errand.events"):
        if ("ce_type", b"errand.audit.checkpoint.v1") not in (
                message.headers() or []):
            continue  # other tests leave there what is no record
        envelope = Envelope.from_record(message)
        if envelope.signed_by(authorizer(house)):
            fields = envelope.fields
            assert message.key().decode() == f"audit-{fields['partition']}"
            found.append((fields["partition"], fields["rows"], fields["head"]))
    return found


def authorizer(house):
    with open(HOME / "keys/authorizer-1.enrol.json", encoding="utf-8") as file:
        enrol = Envelope.from_dsse(json.load(file)["envelopes"][0])
    assert enrol.signed_by(unb64((HOME / "root/root.pub").read_text().strip()))
    return unb64(enrol.fields["key"])


@pytest.fixture(scope="module")
def asker(house):
    return house.asker()


@pytest.fixture(scope="module")
def session(house, asker):
    return asker.open_session(house.admin)


@pytest.fixture(scope="module")
def target(house, asker):
    name = house.fresh("t")
    accepted(asker.add_target(house.admin, name))
    return name


@pytest.fixture(scope="module")
def hidden(house, asker, target):
    """(id, name) of a command that is assigned to nobody."""
    name = house.fresh("c")
    return asker.save_command(house.admin, name, SCRIPT, [target]), name


@pytest.fixture(scope="module")
def runner(house, asker):
    person = asker.verify(asker.invite(house.admin,
                                       house.fresh("r") + "@x.example"))
    asker.open_session(person)
    return person


def verify(house, *flags, who="admin"):
    return house.submit("audit", "verify", *flags, who=who, timeout=120)


def is_whole(house):
    done = verify(house)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("OK: ")
    return done


def names(house, *parts):
    """verify finds something, and says this of it."""
    done = verify(house)
    assert done.returncode == 65, (done.stdout, done.stderr)
    for part in parts:
        assert part in done.stderr, done.stderr


# The chain, from outside

def check_chain(house):
    """Every row of it with hashlib, and what cuts say of those that were dropped;
    {partition: (rows, head)}."""
    spans = {row[:2]: row[2:] for row in house.rows(
        "SELECT partition, first, last, previous, head FROM audit_spans")}
    ends = {}
    for partition, rows in chain(house).items():
        number, head = 0, bytes(32)
        for row in [*rows, None]:
            while (partition, number + 1) in spans:
                number, previous, after = spans[partition, number + 1]
                assert previous == head
                head = after
            if row is not None:
                number += 1
                assert row[:3] == (partition, number, head)
                assert row_hash(row) == row[18].hex()
                head = row[18]
        ends[partition] = number, head.hex()
    return ends


def test_the_chain_can_be_recomputed_by_others(house, asker, session):
    accepted(asker.ask("target.list", {}, session))
    ends = check_chain(house)
    assert {p: (n, head.hex()) for p, n, head in house.rows(
        "SELECT partition, rows, head FROM audit_chains WHERE rows > 0")} == ends
    is_whole(house)


def test_each_request_is_a_row_once(house, asker, session, hidden):
    read = asker.request("target.list", {}, session.by, session.key)
    refused = asker.request("command.show", {"name": house.fresh("none")},
                            session.by, session.key)
    change = asker.run_request(session, hidden[0], ["no-such-target"])
    for envelope in (read, refused, change):
        for _ in range(3):
            asker.exchange(envelope)
        rows = house.rows(f"SELECT {ROW} FROM requests WHERE id = %s",
                          envelope.fields["id"])
        assert len(rows) == 1 and row_hash(rows[0]) == rows[0][18].hex()
        kept = Envelope.from_dsse(json.loads(rows[0][19]))
        assert kept.payload == envelope.payload
        assert kept.signed_by(session.key.public)


def test_what_was_accepted_is_kept_once(house, asker, target):
    envelope = asker.command_request(house.admin, house.fresh("c"), SCRIPT,
                                     [target])
    accepted(asker.exchange(envelope))
    assert house.rows("SELECT r.envelope IS NULL, e.hash IS NOT NULL FROM"
                      " requests r LEFT JOIN envelopes e USING (hash)"
                      " WHERE r.id = %s", envelope.fields["id"]) == [(True, True)]


def test_what_is_signed_of_a_run_is_kept_with_its_row(house, asker, session, target):
    """It gives nobody a right, and goes with its month."""
    command = asker.save_command(house.admin, house.fresh("c"), SCRIPT, [target])
    run = asker.run_request(session, command, [target])
    accepted(asker.exchange(run))
    (kept,), = house.rows("SELECT envelope FROM requests WHERE id = %s", run.fields["id"])
    assert Envelope.from_dsse(json.loads(kept)).payload == run.payload
    assert not house.rows("SELECT FROM envelopes WHERE hash = %s", bytes.fromhex(run.hash))


def test_a_refused_envelope_allows_nothing(house, asker, session):
    """It is kept where no proof looks for it."""
    key = Key()
    envelope = asker.session_request(house.admin, key, hours=9)
    assert asker.exchange(envelope).status == "invalid"
    assert house.rows("SELECT count(*) FROM envelopes WHERE hash = %s",
                      bytes.fromhex(envelope.hash)) == [(0,)]


def test_a_large_refusal_keeps_its_hash_alone(house, asker):
    envelope = asker.command_request(house.admin, house.fresh("c"),
                                     SCRIPT + b"#" * 200_000, ["no-such"])
    assert asker.exchange(envelope).status != "accepted"
    assert house.rows("SELECT envelope IS NULL, size FROM requests"
                      " WHERE id = %s", envelope.fields["id"]) \
        == [(True, len(envelope.payload))]
    assert "too large to be kept" in is_whole(house).stderr


def test_each_reply_and_each_batch_bears_the_end(house, asker, session):
    reply = asker.ask("target.list", {}, session)
    told = reply.fields["audit"]
    row = house.rows(f"SELECT {ROW} FROM requests WHERE partition = %s"
                     " AND number = %s", told["partition"], told["rows"])[0]
    assert row[18].hex() == told["head"]
    assert str(row[3]) == reply.fields["to"]
    until("the checkpoint is on errand.events",
          lambda: (told["partition"], told["rows"], told["head"])
          in checkpoints(house))


def test_an_invitation_s_requests_are_signed_too(house, asker):
    invitation = asker.invite(house.admin, house.fresh("r") + "@x.example")
    head = {"root": None, "root_half": str(uuid.UUID(house.admin.init.fields[
        "root"][:32]))}
    show = asker.request("invitation.show", head, invitation.key.id,
                         invitation.key)
    accepted(asker.exchange(show))
    asker.verify(invitation)
    assert asker.exchange(asker.verify_request(invitation, Key())).status \
        == "conflict"
    is_whole(house)


def test_a_session_that_has_ended_is_checked_as_of_then(house, asker):
    key = Key()
    opened = asker.request("session.open", {
        "key": b64(key.public), "box": b64(key.box),
        "until": moment(now_ms() + 1000)}, house.admin.by, house.admin.key, key)
    accepted(asker.exchange(opened))
    accepted(asker.exchange(asker.request("target.list", {}, opened.hash, key)))
    until("it has ended",
          lambda: now_ms() > moment_ms(opened.fields["until"]))
    late = asker.request("target.list", {}, opened.hash, key)
    assert asker.exchange(late).status == "denied"
    is_whole(house)


def test_people_who_changed_since_are_checked_as_of_then(house, asker):
    """Each key asks while it counts, and once more when it is of the past."""
    person = asker.verify(asker.invite(house.admin,
                                       house.fresh("r") + "@x.example"))
    user, new, later = {"user": person.user}, Key(), Key()
    accepted(asker.ask("session.show", {}, person))

    def becomes(kind, fields, key, by, *more):
        nonlocal person
        reply = accepted(asker.enter(kind, {**user, **fields}, by, *more))
        assert asker.ask("session.show", {}, person).status == "denied"
        if key:
            person = Person(person.email, key, reply.answer["hash"], person.user)
            accepted(asker.ask("session.show", {}, person))

    becomes("key.rotate", {"naming": person.by, "key": b64(new.public),
                           "generation": 2}, new, person, new)
    becomes("user.role", {"naming": person.by, "key": b64(new.public),
                          "role": "runner_billing"}, new, house.admin)
    becomes("user.suspend", {}, None, house.admin)
    becomes("user.reinvite", {
        "invitation": b64(later.public), "email": person.email,
        "role": "runner_billing", "generation": 3, "until": moment(now_ms() + HOUR)},
        None, house.admin)
    becomes("user.remove", {}, None, house.admin)
    is_whole(house)
    check_chain(house)


# Who sees what

def listed(asker, who, **filters):
    reply = asker.ask("audit.list", {"limit": 100, **filters}, who)
    return accepted(reply).answer["entries"]


def test_a_runner_sees_their_own_rows_as_they_were_told(
        house, asker, session, runner, hidden):
    run = asker.run_request(runner.session, hidden[0], ["dev"])
    told = asker.exchange(run)
    assert told.status == "not_found"
    entries = listed(asker, runner.session)
    assert {e["email"] for e in entries} == {runner.email}
    entry = next(e for e in entries if e["id"] == run.fields["id"])
    assert (entry["status"], entry["reason"]) == ("not_found", told.text)
    assert "command" not in entry and hidden[1] not in json.dumps(entries)
    assert entry["request"] == run.hash and entry["outcome"] == "refused"
    full = next(e for e in listed(asker, session, email=runner.email)
                if e["id"] == run.fields["id"])
    assert full["command"] == hidden[1]
    assert "no assignment" in full["reason"]


def test_no_filter_tells_a_runner_more(house, asker, runner, hidden):
    asker.exchange(asker.run_request(runner.session, hidden[0], ["dev"]))
    assert listed(asker, runner.session, command=hidden[1]) \
        == listed(asker, runner.session, command=house.fresh("none")) == []
    replies = [asker.ask("audit.list", {"limit": 9, "email": email},
                         runner.session)
               for email in (house.admin.email, "nobody@x.example")]
    assert {(r.status, r.text, r.body) for r in replies} \
        == {("not_found", replies[0].text, b"")}
    assert asker.ask("audit.rows", {"partition": 0, "after": 0},
                     runner.session).status == "denied"


def test_what_is_theirs_has_its_name(house, asker, runner, target):
    name = house.fresh("c")
    command = asker.save_command(house.admin, name, SCRIPT, [target])
    accepted(asker.assign(house.admin, runner.user, command))
    good = asker.run_request(runner.session, command, [target])
    accepted(asker.exchange(good))
    bad = asker.run_request(runner.session, command, [target], {"no": "such"})
    assert asker.exchange(bad).status == "invalid"
    assert [(e["id"], e["outcome"]) for e in
            listed(asker, runner.session, command=name)] \
        == [(bad.fields["id"], "refused"), (good.fields["id"], "accepted")]
    assert [e["id"] for e in listed(asker, runner.session, command=name,
                                    outcome="refused")] == [bad.fields["id"]]


def test_filters_and_pages(house, asker, session, runner):
    began = moment(now_ms())
    asked = [asker.request("session.show", {}, runner.session.by,
                           runner.session.key) for _ in range(7)]
    for envelope in asked:
        accepted(asker.exchange(envelope))
    filters = {"email": runner.email, "verb": "session.show", "since": began}
    wanted = sorted((e.fields["id"] for e in asked), reverse=True)
    assert [e["id"] for e in listed(asker, session, **filters)] == wanted
    got, before = [], {}
    while True:
        page = accepted(asker.ask("audit.list", {
            **filters, **before, "limit": 3}, session)).answer
        got += [e["id"] for e in page["entries"]]
        if not page.get("more"):
            break
        before = {"before": got[-1]}
    assert got == wanted
    assert listed(asker, session, **{**filters, "verb": "user.list"}) == []


def test_submit_lists_it(house):
    name = house.command("true", runner=True)
    assert house.submit("run", name, who="runner").returncode == 0
    assert house.submit("run", name, "no=such", who="runner").returncode != 0
    for who in ("runner", "admin"):
        done = house.submit("audit", "--command", name, "--verb", "run.start",
                            "--user", house.runner_email, "--since", "1h",
                            "--outcome", "accepted", "-o", "json", who=who)
        assert done.returncode == 0, done.stderr
        [entry] = json.loads(done.stdout)
        assert (entry["verb"], entry["command"], entry["email"]) \
            == ("run.start", name, house.runner_email)
    given = house.submit("audit", "--command", name, "--verb", "assignment.add", "-o",
                         "json")
    assert [e["about"] for e in json.loads(given.stdout)] == [house.runner_email]
    asked = house.submit("audit", "--command", name, "-o", "json", who="runner")
    assert all("about" not in e for e in json.loads(asked.stdout))
    done = house.submit("audit", "-n", "3", who="runner")
    assert done.stdout.startswith("DECIDED") and done.stdout.count("\n") == 4
    done = house.submit("audit", "--user", "admin@example.org", who="runner")
    assert done.returncode == 67


@pytest.mark.parametrize("flags, said", [
    (["--verb", "run.strat"], "did you mean run.start?"),
    (["--outcome", "perhaps"], "accepted or refused"),
    (["--since", "tomorrow"], "how long ago"),
    (["-n", "0"], "a number from 1"),
])
def test_a_filter_that_is_none_is_refused(house, flags, said):
    done = house.submit("audit", *flags)
    assert done.returncode == 64 and said in done.stderr


def test_a_runner_verifies_nothing(house):
    assert verify(house, who="runner").returncode == 77


# What is done to it behind Errand's back

def quiet_partition(house):
    """One where nobody who asks now writes."""
    assert house.submit("list").returncode == 0
    busy = {p for (p,) in house.rows(
        "SELECT DISTINCT partition FROM requests WHERE key_id IN (SELECT"
        " key_id FROM requests ORDER BY decided_at DESC LIMIT 5)")}
    return next(p for p in range(8) if p not in busy)


class Plot:
    """A partition where nobody else writes, with some rows at its end."""

    def __init__(self, house, asker, session):
        self.house = house
        self.partition = quiet_partition(house)
        for n in range(6):
            envelope = asker.request(
                *[("target.list", {}), ("command.show", {"name": "no-such"}),
                  ("session.show", {})][n % 3], session.by, session.key)
            asker.produce(envelope, partition=self.partition)
            asker.wait(envelope)
        self.last = house.rows("SELECT rows FROM audit_chains"
                               " WHERE partition = %s", self.partition)[0][0]

    def row(self, back):
        """The number of a row, so many before the last."""
        return self.last - back

    def name(self, back, to=None):
        first = f"partition {self.partition}, row"
        return f"{first} {self.row(back)}" if to is None \
            else f"{first}s {self.row(back)} to {self.row(to)}"

    def change(self, statement, back, *parameters):
        done = self.house.superuser.execute(
            f"{statement} WHERE partition = %s AND number = %s",
            (*parameters, self.partition, self.row(back)))
        assert done.rowcount == 1

    def copy(self, number, content):
        """Writes the row of this number, {column: value}."""
        columns = ", ".join(content)
        self.house.change(
            f"INSERT INTO requests ({columns}) VALUES"
            f" ({', '.join(['%s'] * len(content))})",
            *{**content, "number": number}.values())

    def content(self, back):
        cursor = self.house.superuser.execute(
            "SELECT * FROM requests WHERE partition = %s AND number = %s",
            (self.partition, self.row(back)))
        return dict(zip([c.name for c in cursor.description],
                        cursor.fetchone()))

    def rewrite(self, back):
        """The chain anew, from this row on, as somebody who knows how."""
        number = self.row(back)
        rows = self.house.rows(
            f"SELECT {ROW} FROM requests WHERE partition = %s AND number >= %s"
            " ORDER BY number", self.partition, number - 1)
        head = rows[0][18]
        for row in rows[1:]:
            row = (*row[:2], head, *row[3:])
            head = bytes.fromhex(row_hash(row))
            self.house.change("UPDATE requests SET previous = %s, row_hash = %s"
                              " WHERE id = %s", row[2], head, row[3])
        self.house.change("UPDATE audit_chains SET head = %s WHERE"
                          " partition = %s", head, self.partition)


@pytest.fixture
def plot(house, asker, session):
    """What is done there is undone after."""
    here = Plot(house, asker, session)
    house.change("SET session_replication_role = replica")
    for table in ("requests", "audit_chains"):
        house.change(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}"
                     f" WHERE partition = {here.partition}")
    yield here
    for table in ("requests", "audit_chains"):
        house.change(f"DELETE FROM {table} WHERE partition = %s",
                     here.partition)
        house.change(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        house.change(f"DROP TABLE kept_{table}")
    house.change("SET session_replication_role = origin")
    is_whole(house)


@pytest.mark.parametrize("what", [
    "reason = 'another'", "decision = 'accepted', status = 'ok'",
    "decided_at = decided_at - interval '1 h'", "reply = 'x'", "user_id = NULL",
    "hash = sha256(hash::bytea)", "row_hash = sha256(row_hash::bytea)",
    "number = number + 1000",
])
def test_an_altered_row_is_named(house, plot, what):
    plot.change(f"UPDATE requests SET {what}", 4)
    names(house, plot.name(4) + (": removed" if what.startswith("number")
                                 else " was altered"))


def test_a_row_that_is_gone_is_named(house, plot):
    plot.change("DELETE FROM requests", 3)
    names(house, plot.name(3) + ": removed")


def test_rows_that_are_gone_from_the_end_are_named(house, plot):
    for back in (1, 0):
        plot.change("DELETE FROM requests", back)
    names(house, plot.name(1, 0) + ": removed from the end")


def test_also_where_the_chain_s_end_was_set_back(house, plot):
    for back in (1, 0):
        plot.change("DELETE FROM requests", back)
    house.change("UPDATE audit_chains SET rows = %s, head = (SELECT row_hash"
                 " FROM requests WHERE partition = %s AND number = %s)"
                 " WHERE partition = %s", plot.row(2), plot.partition,
                 plot.row(2), plot.partition)
    names(house, plot.name(1, 0) + ": removed from the end")


def test_a_row_that_was_added_is_named(house, plot):
    row = {**plot.content(0), "id": uuid7(), "number": plot.last + 1}
    row["previous"] = row["row_hash"]
    plot.copy(plot.last + 1, row)
    names(house, plot.name(-1) + " was altered or added")


def test_so_is_one_that_fits_and_is_signed_but_was_never_decided(
        house, asker, session, plot):
    """All but a checkpoint: that, only the authorizer could sign."""
    stray = asker.request("session.show", {}, session.by, session.key)
    row = {**plot.content(0), "id": stray.fields["id"],
           "hash": bytes.fromhex(stray.hash), "number": plot.last + 1,
           "size": len(stray.payload), "issued": stray.fields["issued"],
           "envelope": json.dumps(stray.dsse()).encode()}
    plot.copy(plot.last + 1, row)
    plot.rewrite(-1)
    house.change("UPDATE audit_chains SET rows = %s WHERE partition = %s",
                 plot.last + 1, plot.partition)
    names(house, plot.name(-1) + ": added at the end")


def test_swapped_rows_are_named(house, plot):
    one, other = plot.row(4), plot.row(3)
    for number, to in ((one, 10**9), (other, one), (10**9, other)):
        house.change("UPDATE requests SET number = %s WHERE partition = %s"
                     " AND number = %s", to, plot.partition, number)
    names(house, plot.name(4) + " was altered")


@pytest.mark.parametrize("where", ["payload", "sig"])
def test_a_byte_of_an_envelope_is_named(house, plot, where):
    kept = bytes(plot.content(4)["envelope"])
    at = kept.index(b'"%s":"' % where.encode()) + len(where) + 24
    other = b"B" if kept[at:at + 1] == b"A" else b"A"
    plot.change("UPDATE requests SET envelope = %s", 4,
                kept[:at] + other + kept[at + 1:])
    names(house, plot.name(4) + " was altered")


def test_a_chain_that_was_written_anew_is_named(house, plot):
    """Consistent in itself; only what was signed before tells."""
    plot.change("UPDATE requests SET reason = 'another'", 4)
    plot.rewrite(4)
    check_chain(house)
    names(house, plot.name(4) + ": altered, and the chain written anew")


def test_a_checkpoint_of_nobody_s_is_passed_over(house, asker, plot):
    forged = Envelope.of("audit.checkpoint", {
        "root": asker.root, "id": uuid7(), "issued": moment(now_ms()),
        "by": house.admin.by, "partition": plot.partition, "rows": 10**6,
        "head": sha256(b"x")}, house.admin.key)
    asker.produce(forged, topic="errand.events", key="audit-0")
    assert "signed by nobody" in is_whole(house).stderr


# What submit saw

@contextlib.contextmanager
def seen(house, change):
    """The profile's audit.json, changed for a while."""
    path = os.path.join(house.env("admin")["ERRAND_PROFILE"], "audit.json")
    assert house.submit("list").returncode == 0
    with open(path, encoding="utf-8") as file:
        kept = file.read()
    rows = json.loads(kept)
    change(rows["checkpoints"])
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rows, file)
    yield rows["checkpoints"]
    with open(path, "w", encoding="utf-8") as file:
        file.write(kept)


def own_partition(house):
    """Where the profile's session writes."""
    assert house.submit("list").returncode == 0
    return house.rows("SELECT partition FROM requests WHERE verb ="
                      " 'command.list' ORDER BY decided_at DESC LIMIT 1")[0][0]


def test_an_answer_that_goes_back_is_told(house):
    partition = own_partition(house)

    def later(rows):
        for row in rows:
            row["rows"] += 100 if row["partition"] == partition else 0
    with seen(house, later):
        done = house.submit("list")
        assert done.returncode == 0  # refuses nothing
        assert "the audit log went back" in done.stderr
        names(house, f"partition {partition}, rows", "removed from the end",
              "an answer that this profile got")
    assert "audit" not in house.submit("list").stderr


def test_an_answer_that_forks_is_told(house):
    partition = own_partition(house)

    def other(rows):
        for row in rows:
            if row["partition"] == partition:
                row["rows"] += 1
                row["head"] = sha256(b"another")
    with seen(house, other):
        done = house.submit("list")
        assert done.returncode == 0
        assert "the audit log was written anew" in done.stderr
        names(house, "signed for another row",
              "an answer that this profile got")


# Several authorizers, and their end

def ask_many(asker, session, n):
    """So many reads over all partitions, without waiting; their ids."""
    ids = []
    for i in range(n):
        envelope = asker.request("session.show", {}, session.by, session.key)
        ids.append(envelope.fields["id"])
        asker.producer.produce(
            "errand.requests", value=envelope.payload, key=session.key.id,
            headers=envelope.headers(), partition=i % 8)
        asker.producer.poll(0)
    return ids


def all_decided(house, ids):
    until("all are decided", lambda: house.rows(
        "SELECT count(*) FROM requests WHERE id = ANY(%s::uuid[])",
        ids) == [(len(ids),)], 60)


def test_a_kill_in_the_middle_leaves_the_chain_whole(house, asker, session):
    pid = house.pid("authorizer-1")
    ids = ask_many(asker, session, 100)
    asker.producer.flush(10)
    ids += ask_many(asker, session, 100)
    until("some are decided", lambda: house.rows(
        "SELECT count(*) FROM requests WHERE id = ANY(%s::uuid[])",
        ids)[0][0] > 20)
    os.kill(pid, signal.SIGKILL)
    asker.producer.flush(10)
    all_decided(house, ids)
    check_chain(house)
    is_whole(house)


@contextlib.contextmanager
def second_authorizer(folder):
    """Of the same enrolment, in the same group."""
    config = (HOME / "conf/authorizer-1.ini").read_text()
    ready = HOME / "run/authorizer-1.ready"
    path = folder / "second.ini"
    path.write_text(config.replace(str(ready), str(folder / "ready")))
    with open(folder / "log", "w", encoding="utf-8") as log:
        with subprocess.Popen([BIN / "errand-authorizer", "--config", path],
                              stdout=log, stderr=log) as process:
            until("it is ready", (folder / "ready").exists)
            yield process
            process.send_signal(signal.SIGCONT)
            process.terminate()
            assert process.wait(10) == 0


def test_two_authorizers_keep_one_chain_also_where_one_was_away(
        house, asker, session, tmp_path):
    """The one that was stopped carries on with what it had in hand, which the
    other has decided meanwhile."""
    with second_authorizer(tmp_path) as second:
        ids = ask_many(asker, session, 40)
        asker.producer.flush(10)
        all_decided(house, ids)
        ids = ask_many(asker, session, 400)
        until("some are decided", lambda: house.rows(
            "SELECT count(*) FROM requests WHERE id = ANY(%s::uuid[])",
            ids)[0][0] > 20)
        second.send_signal(signal.SIGSTOP)
        asker.producer.flush(10)
        all_decided(house, ids)
        second.send_signal(signal.SIGCONT)
        more = ask_many(asker, session, 40)
        asker.producer.flush(10)
        all_decided(house, more)
        check_chain(house)
    is_whole(house)


@pytest.mark.last
def test_what_all_other_tests_asked_is_whole(house):
    is_whole(house)
