"""test_retention.py: months that go by the policy, with a signed cut of the audit
log in their place; and that nothing else goes.

The old month is in the stack's database as in that of an installation of that
age: requests that were signed then, in the same chain as those of today, some of
them decided late, between today's; and a run with its result and output. Only
their rows were put there by hand.

A month goes once: on a stack that was kept, it has to be made anew first.
"""
import datetime
import json
import uuid

import psycopg
import pytest

from client import (DAY, HOUR, MINUTE, Envelope, Key, Session, accepted, b64, id_at,
                    moment, moment_ms, now_ms, read_all, unb64, uuid7)
from house import HOME, until
from test_audit import authorizer, check_chain, is_whole, names, quiet_partition, row_hash

TABLES = ("requests", "outputs")
ROW = ("partition", "number", "previous", "id", "hash", "verb", "key_id", "user_id",
       "command", "decision", "status", "reason", "text", "reply", "size", "issued",
       "decided_at", "record_offset")


def month_before(n):
    """The first day of the month so many before this one."""
    day = datetime.datetime.now(datetime.timezone.utc).date().replace(day=1)
    for _ in range(n):
        day = (day - datetime.timedelta(days=1)).replace(day=1)
    return day


def as_role(house, role, statement, *parameters):
    """What a statement tells that role; it changes nothing."""
    with house.connect() as other:
        other.autocommit = False
        other.execute(f"SET ROLE {role}")
        rows = other.execute(statement, parameters).fetchall()
        other.rollback()
        return rows


class Old:
    """A month of long ago, in a partition where nobody else writes."""

    def __init__(self, house, asker, session):
        self.house, self.asker, self.today = house, asker, session
        self.month = month_before(5)
        self.clock = int(datetime.datetime.combine(
            self.month, datetime.time(9), datetime.timezone.utc).timestamp()) * 1000
        self.partition = quiet_partition(house)
        with house.connect() as owner:
            owner.execute("SET ROLE errand_owner")
            owner.execute("SELECT retention_make(%s)", [self.month])
        key = Key()
        opened = asker.request("session.open", {
            "key": b64(key.public), "box": b64(key.box),
            "until": moment(self.clock + HOUR)}, house.admin.by, house.admin.key, key,
            issued=self.clock)
        self.session = Session(house.admin, key, opened)
        self.rows, self.signed = [], []
        self.asked_today()
        self.decided(opened)

    def tick(self):
        self.clock += MINUTE
        return self.clock

    def decided(self, envelope):
        """As the authorizer would have written it then."""
        fields, kept = envelope.fields, json.dumps(envelope.dsse()).encode()
        accepts = envelope.type in ("errand.session.open.v1", "errand.run.start.v1")
        lasts = envelope.type == "errand.session.open.v1"
        with self.house.connect() as other, other.transaction():
            (rows, head), = other.execute(
                "SELECT rows, head FROM audit_chains WHERE partition = %s FOR UPDATE",
                [self.partition]).fetchall()
            at = moment_ms(fields["issued"]) + 5
            row = [self.partition, rows + 1, head, uuid.UUID(fields["id"]),
                   bytes.fromhex(envelope.hash), envelope.type[7:-3],
                   bytes.fromhex(envelope.signatures[0][0]),
                   uuid.UUID(self.house.admin.user), None, "accepted",
                   "accepted" if accepts else "ok", None, None,
                   b"{}" if accepts else None, len(envelope.payload),
                   moment_ms(fields["issued"]), at, 0]
            digest = bytes.fromhex(row_hash(row))
            row[15:17] = [fields["issued"], moment(at)]
            other.execute(
                f"INSERT INTO requests ({', '.join(ROW)}, row_hash, type, topic, envelope)"
                f" VALUES ({', '.join(['%s'] * (len(ROW) + 4))})",
                [*row, digest, envelope.type, "errand.requests",
                 None if lasts else kept])
            if lasts:
                other.execute("INSERT INTO envelopes VALUES (%s, %s, %s)",
                              [bytes.fromhex(envelope.hash), envelope.type, kept])
                other.execute("INSERT INTO sessions (hash, user_id, key_id, until,"
                              " opened_at) VALUES (%s, %s, %s, %s, %s)",
                              [bytes.fromhex(envelope.hash), self.house.admin.user,
                               bytes.fromhex(envelope.signatures[1][0]),
                               fields["until"], fields["issued"]])
            other.execute("UPDATE audit_chains SET rows = %s, head = %s, moved_at = %s"
                          " WHERE partition = %s",
                          [rows + 1, digest, row[16], self.partition])
        self.rows.append((rows + 1, digest.hex(), head.hex()))
        self.signed.append(envelope.hash)

    def asked(self, n=1):
        for _ in range(n):
            self.decided(self.asker.request(
                "session.show", {}, self.session.by, self.session.key,
                issued=self.tick()))

    def strayed(self):
        """Under ids of no month: of long before, of long after, of no time."""
        for named in (uuid7(self.clock - 9000 * DAY), uuid7(self.clock + 9000 * DAY),
                      str(uuid.uuid4())):
            self.decided(self.asker.request(
                "session.show", {}, self.session.by, self.session.key,
                issued=self.tick(), request_id=named))

    def asked_today(self, n=1):
        """By the real authorizer, behind them in the same chain."""
        for _ in range(n):
            envelope = self.asker.request("session.show", {}, self.today.by,
                                          self.today.key)
            self.asker.produce(envelope, partition=self.partition)
            accepted(self.asker.wait(envelope))

    def ran(self, run):
        """A copy of a run of today, as of then; its id."""
        (command, target), = self.house.rows(
            "SELECT r.command_id, e.target FROM runs r JOIN executions e ON"
            " e.run_id = r.id WHERE r.id = %s", run)
        start = self.asker.run_request(self.session, str(command), [target],
                                       issued=self.tick())
        self.decided(start)
        old, execution = start.fields["id"], id_at(start.fields["id"], start.hash)
        with self.house.connect() as other:
            other.execute("SET session_replication_role = replica")
            for table, key, columns in (
                    ("runs", "id", {"id": old, "hash": bytes.fromhex(start.hash),
                                    "asked_at": start.fields["issued"],
                                    "deadline": start.fields["deadline"]}),
                    ("run_outcomes", "id", {"id": old,
                                            "asked_at": start.fields["issued"]}),
                    ("executions", "run_id", {"id": execution, "run_id": old}),
                    ("results", "execution_id", {
                        "execution_id": execution,
                        "recorded_at": start.fields["issued"]}),
                    ("claims", "execution_id", {"execution_id": execution}),
                    ("outputs", "execution_id", {"execution_id": execution})):
                where = run if key != "execution_id" else self.house.rows(
                    "SELECT id FROM executions WHERE run_id = %s", run)[0][0]
                cursor = other.execute(f"SELECT * FROM {table} WHERE {key} = %s", [where])
                names_, rows = [c.name for c in cursor.description], cursor.fetchall()
                assert rows
                for row in rows:
                    row = {**dict(zip(names_, row)), **columns}
                    row.pop("place", None)  # PostgreSQL's own
                    row = {k: json.dumps(v) if isinstance(v, dict) else v
                           for k, v in row.items()}
                    other.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES"
                                  f" ({', '.join(['%s'] * len(row))})", list(row.values()))
        return old, execution

    def spans(self):
        """(first, last, previous, head) of its rows in the chain, as they follow."""
        spans = []
        for number, head, previous in self.rows:
            if spans and spans[-1][1] == number - 1:
                spans[-1] = (spans[-1][0], number, spans[-1][2], head)
            else:
                spans.append((number, number, previous, head))
        return spans

    def tables(self):
        """Those of this month that are there."""
        wanted = [f"{name}_{self.month:%Y%m}" for name in TABLES]
        return {name for name, in self.house.rows(
            "SELECT tablename FROM pg_tables WHERE tablename = ANY(%s)", wanted)}

    def is_gone(self):
        return not self.tables()

    def left(self):
        """What is still there of it, anywhere."""
        places = [(table, f"{key} < uuid_at(month_end(%s))", self.month)
                  for table, key in (
                      ("outputs", "execution_id"), ("runs", "id"),
                      ("executions", "id"), ("run_outcomes", "id"),
                      ("results", "execution_id"), ("claims", "execution_id"),
                      ("approvals", "run_id"), ("cancellations", "execution_id"))]
        places.append(("requests", "decided_at < month_end(%s)", self.month))
        places += [(table, "hash = %s", bytes.fromhex(hash))
                   for table in ("envelopes", "requests") for hash in self.signed
                   if hash != self.session.by]
        return {table for table, where, value in places if self.house.rows(
            f"SELECT FROM {table} WHERE {where} LIMIT 1", value)}


@pytest.fixture(scope="module")
def asker(house):
    return house.asker()


@pytest.fixture(scope="module")
def command(house):
    return house.command("echo of long ago", runner=True)


@pytest.fixture(scope="module")
def old(house, asker, command):
    """Of an old month: rows in a row, and one decided between two of today."""
    done = house.submit("run", "-d", command)
    assert done.returncode == 0, done.stderr
    run = done.stdout.strip()
    (run,), = until("it is recorded", lambda: house.rows(
        "SELECT id FROM run_outcomes WHERE id::text LIKE '%%' || %s", run))
    month = Old(house, asker, asker.open_session(house.admin))
    month.run, month.execution = month.ran(run)
    month.asked(3)
    month.asked_today()
    month.asked(1)
    month.strayed()
    month.asked_today(2)
    yield month
    assert house.submit("policy", "set", "keep=forever").returncode == 0


def raises(house, role, statement, *parameters):
    with pytest.raises(psycopg.Error) as error:
        as_role(house, role, statement, *parameters)
    return str(error.value)


def cuts(house):
    """The audit.cut of errand.events."""
    found = []
    for message in read_all(house.brokers, "errand.events"):
        if ("ce_type", b"errand.audit.cut.v1") in (message.headers() or []):
            found.append(Envelope.from_record(message))
    return found


def test_the_policy_says_how_long(house):
    shown = house.submit("policy", "list")
    assert ["keep", "forever"] in [row.split() for row in shown.stdout.splitlines()]
    for value, said in (("30d", "keep is 31d at least and 3650d at most"),
                        ("soon", "keep: not a duration")):
        done = house.submit("policy", "set", f"keep={value}")
        assert done.returncode == 65 and said in done.stderr


def test_what_is_old_is_kept_for_ever_unless_the_policy_says(house, old):
    assert len(old.tables()) == len(TABLES)
    assert as_role(house, "errand_authorizer", "SELECT * FROM retention_due()") == []
    is_whole(house)
    check_chain(house)
    shown = house.submit("output", old.run)
    assert (shown.returncode, shown.stdout) == (0, "of long ago\n")


def test_the_authorizer_can_drop_nothing_by_itself(house, old):
    name = f"requests_{old.month:%Y%m}"
    for statement in (f"DROP TABLE {name}", f"DELETE FROM {name}", "DELETE FROM requests",
                      f"ALTER TABLE requests DETACH PARTITION {name}",
                      "SELECT retention_make('2020-01-01')", "DELETE FROM months",
                      "INSERT INTO months VALUES ('2020-01-01')"):
        said = raises(house, "errand_authorizer", statement)
        assert "permission denied" in said or "must be owner" in said, said
    for month in (old.month, month_before(0)):
        assert "is not to be dropped" in raises(
            house, "errand_authorizer", "SELECT retention_cut(%s)", month)


def read_in_slices(other, month, at_once):
    """How many rows each slice had."""
    return list(iter(lambda: other.execute(
        "SELECT retention_read(%s, %s)", [month, at_once]).fetchone()[0], 0))


def spans_read(other, partition):
    return [(first, last, previous.hex(), head.hex()) for first, last, previous, head in
            other.execute("SELECT first, last, previous, head FROM spans_read"
                          " WHERE partition = %s ORDER BY first", [partition])]


def test_slices_of_a_month_give_the_spans_of_the_whole(house, old):
    """Also where rows come meanwhile; and from the beginning, where a month is made:
    what had none may go there."""
    house.change("UPDATE executions SET ended = false WHERE id = %s", old.execution)
    assert house.submit("policy", "set", "keep=90d").returncode == 0
    with house.connect() as other:
        other.autocommit = False
        other.execute("SET session_replication_role = replica")
        other.execute("UPDATE executions SET ended = true WHERE id = %s", [old.execution])
        other.execute("SET ROLE errand_owner")
        for at_once in (1, 2, 5, 10000):
            other.execute("DELETE FROM spans_read")
            sizes = read_in_slices(other, old.month, at_once)
            assert max(sizes) <= at_once and sum(sizes) >= len(old.rows)
            assert spans_read(other, old.partition) == old.spans()
            old.asked_today()
            old.asked(1)
            assert read_in_slices(other, old.month, 1) == [1]
            assert spans_read(other, old.partition) == old.spans()
        other.execute("SELECT retention_make(%s)", [month_before(9)])
        assert spans_read(other, old.partition) == []
        other.rollback()
    old.asked_today(2)


def test_a_month_where_something_is_open_stays(house, old):
    house.change("UPDATE executions SET ended = false WHERE id = %s", old.execution)
    assert house.submit("policy", "set", "keep=90d").returncode == 0
    opens = {
        "executions": ("UPDATE executions SET ended = false WHERE id = %s", old.execution),
        "advancing": ("UPDATE runs SET advancing = true WHERE id = %s", old.run),
        "pending": ("INSERT INTO approvals (run_id, wanted, until) VALUES (%s, 1, now())",
                    old.run),
        "untold": ("INSERT INTO notices VALUES (%s, 'failed')", old.run)}
    for what, (opening, which) in opens.items():
        with house.connect() as other:
            other.autocommit = False
            other.execute("SET session_replication_role = replica")
            other.execute("UPDATE executions SET ended = true WHERE id = %s",
                          [old.execution])
            assert len(other.execute("SELECT FROM retention_due()").fetchall()) == 1
            other.execute(opening, [which])
            assert not other.execute("SELECT FROM retention_due()").fetchall(), what
            other.execute("SELECT retention_clear(100)")
            assert other.execute("SELECT FROM runs WHERE id = %s", [old.run]).rowcount == 1
            other.rollback()
    assert "something of it is open" in raises(
        house, "errand_authorizer", "SELECT retention_cut(%s)", old.month)
    assert len(old.tables()) == len(TABLES)


def test_a_month_without_its_signed_cut_stays(house, old):
    """Also where the functions are asked that drop it: as the owner, with a month
    that nobody else sees."""
    assert house.submit("policy", "set", "keep=90d").returncode == 0
    with house.connect() as other:
        other.autocommit = False
        other.execute("SET ROLE errand_owner")
        before = month_before(9)
        other.execute("SELECT retention_make(%s)", [before])
        other.execute("UPDATE requests SET id = uuid_at(%s) WHERE id = (SELECT id FROM"
                      " requests WHERE partition = %s ORDER BY number DESC LIMIT 1)",
                      [before + datetime.timedelta(days=1), old.partition])
        assert [m for m, *_ in other.execute("SELECT * FROM retention_due()")] == [before]
        with pytest.raises(psycopg.Error, match="is not of what is there"):
            other.execute("SELECT retention_cut(%s)", [before])
        other.rollback()


def test_then_it_goes_and_the_log_ends_well(house, asker, old):
    """Not so what is decided today, also under an id of no month, or by a session of
    then, which has to be known for it."""
    young = asker.request("session.show", {}, old.today.by, old.today.key,
                          request_id=uuid7(old.clock - 9000 * DAY))
    late = asker.request("session.show", {}, old.session.by, old.session.key)
    assert [r.status for r in asker.exchange_all([young, late])] == ["stale", "denied"]
    stay = "SELECT FROM requests WHERE id = ANY(%s)"
    assert len(house.rows(stay, [young.fields["id"], late.fields["id"]])) == 2
    house.change("UPDATE executions SET ended = true WHERE id = %s", old.execution)
    until("the month is dropped", old.is_gone, 100)  # a lock: again in 60 s
    assert old.left() == set()
    assert len(house.rows(stay, [young.fields["id"], late.fields["id"]])) == 2
    assert asker.exchange(young).status == "stale"
    done = is_whole(house)
    assert f"checked since {old.month + datetime.timedelta(days=31):%Y-%m}-01" in done.stderr
    told = json.loads(house.submit("audit", "verify", "-o", "json", timeout=120).stdout)
    assert told["dropped"] == len(old.rows)
    assert house.rows("SELECT count(*) FROM months WHERE month = %s", old.month) == [(0,)]


def test_what_went_is_signed_for_others_too(house, old):
    cut, = until("it is told", lambda: [
        c for c in cuts(house) if c.fields["spans"]])
    assert cut.signed_by(authorizer(house))
    policy, = house.rows("SELECT e.envelope FROM policies p JOIN envelopes e USING (hash)"
                         " WHERE p.hash = %s", bytes.fromhex(cut.fields["policy"]))[0]
    policy = Envelope.from_dsse(json.loads(policy))
    assert policy.signed_by(house.admin.key.public)
    keep = policy.fields["rules"]["keep"] * 1000
    assert moment_ms(cut.fields["until"]) + keep <= moment_ms(cut.fields["issued"])
    assert [(s["first"], s["last"], s["previous"], s["head"])
            for s in cut.fields["spans"] if s["partition"] == old.partition] == old.spans()
    assert len(old.spans()) > 1


def test_a_run_that_went_is_like_one_that_never_was(house, old):
    never = str(uuid.uuid4())
    for verb in ("result", "output"):
        gone, absent = (house.submit(verb, run) for run in (old.run, never))
        assert gone.returncode == absent.returncode == 67
        assert gone.stderr.replace(old.run, never) == absent.stderr
    assert old.run[-8:] not in house.submit("history").stdout


# What is done to it behind Errand's back

@pytest.fixture
def kept(house, old):
    """The cuts, put back after."""
    for table in ("audit_spans", "audit_cuts", "requests", "audit_chains"):
        house.change(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
    house.change("CREATE TABLE kept_envelopes AS SELECT e.* FROM envelopes e JOIN"
                 " audit_cuts USING (hash)")
    house.change("SET session_replication_role = replica")
    yield
    house.change("DELETE FROM envelopes WHERE type = 'errand.audit.cut.v1'")
    house.change("INSERT INTO envelopes SELECT * FROM kept_envelopes")
    for table in ("audit_spans", "audit_cuts"):
        house.change(f"DELETE FROM {table}")
        house.change(f"INSERT INTO {table} SELECT * FROM kept_{table}")
    house.change("INSERT INTO requests SELECT k.* FROM kept_requests k WHERE NOT EXISTS"
                 " (SELECT FROM requests r WHERE r.id = k.id)")
    for table in ("audit_spans", "audit_cuts", "requests", "audit_chains", "envelopes"):
        house.change(f"DROP TABLE kept_{table}")
    house.change("SET session_replication_role = origin")
    is_whole(house)


def are_removed(house, old, *more):
    """verify names the first of those that went."""
    first, last, *_ = old.spans()[0]
    names(house, f"partition {old.partition}, rows {first} to {last}: removed", *more)


def test_rows_that_went_without_a_cut_are_named(house, old, kept):
    house.change("DELETE FROM audit_spans")
    house.change("DELETE FROM audit_cuts")
    are_removed(house, old)


def test_a_cut_that_was_altered_is_not_believed(house, old, kept):
    (envelope,), = house.rows("SELECT envelope FROM kept_envelopes LIMIT 1")
    document = json.loads(envelope)
    fields = json.loads(unb64(document["payload"]))
    fields["spans"][0]["last"] += 1
    document["payload"] = b64(json.dumps(fields).encode())
    house.change("UPDATE envelopes SET envelope = %s WHERE type = 'errand.audit.cut.v1'",
                 json.dumps(document).encode())
    are_removed(house, old, "is not believed")


def test_cuts_are_found_behind_however_many(house, asker, old, kept):
    """They come in pages."""
    for _ in range(120):
        junk = Envelope.of("audit.cut", {
            "root": asker.root, "id": uuid7(), "issued": moment(now_ms()),
            "by": house.admin.by, "until": moment(old.clock), "policy": "78" * 32,
            "spans": []}, house.admin.key)
        digest = bytes.fromhex(junk.hash)
        house.change("INSERT INTO envelopes VALUES (%s, %s, %s)", digest, junk.type,
                     json.dumps(junk.dsse()).encode())
        house.change("INSERT INTO audit_cuts VALUES (%s, %s, %s, true)", digest, old.month,
                     moment(old.clock))
    assert is_whole(house).stderr.count("is not believed") == 120


def test_who_has_the_database_can_cut_nothing(house, asker, old, kept):
    """Rows of today are gone, and a cut says so, signed by an administrator."""
    rows = house.rows("SELECT number, previous, row_hash, id FROM requests WHERE"
                      " partition = %s ORDER BY number DESC LIMIT 2", old.partition)
    house.change("DELETE FROM requests WHERE id = ANY(%s)", [r[3] for r in rows])
    last = rows[0]
    (policy,), = house.rows("SELECT hash FROM policies ORDER BY version DESC LIMIT 1")
    forged = Envelope.of("audit.cut", {
        "root": asker.root, "id": uuid7(), "issued": moment(now_ms()),
        "by": house.admin.by, "until": moment(old.clock), "policy": policy.hex(),
        "spans": [{"partition": old.partition, "first": rows[-1][0], "last": last[0],
                   "previous": rows[-1][1].hex(), "head": last[2].hex()}]},
        house.admin.key)
    digest = bytes.fromhex(forged.hash)
    house.change("INSERT INTO envelopes VALUES (%s, %s, %s)", digest, forged.type,
                 json.dumps(forged.dsse()).encode())
    house.change("INSERT INTO audit_cuts VALUES (%s, %s, now(), true)", digest, old.month)
    names(house, f"partition {old.partition}, rows {rows[-1][0]} to",
          "removed from the end", "is not believed")


def test_who_has_the_database_s_clock_clears_nothing(house, old):
    """It says that this month is due: the authorizer looks at its own clock first."""
    log = HOME / "log/authorizer-1.log"
    (source,), = house.rows("SELECT pg_get_functiondef('retention_due'::regproc)")
    before, runs = log.stat().st_size, house.rows("SELECT count(*) FROM runs")
    house.change("CREATE OR REPLACE FUNCTION retention_due() RETURNS TABLE (month date,"
                 " until timestamptz, policy sha256) LANGUAGE sql STABLE SECURITY DEFINER AS"
                 " 'SELECT m, public.month_end(m), p.hash FROM (SELECT"
                 " public.month_of(now()) AS m) x, (SELECT hash FROM public.policies WHERE"
                 " keep IS NOT NULL ORDER BY version DESC LIMIT 1) p'")
    try:
        until("it refuses", lambda: b"the policy wants to be kept"
              in log.read_bytes()[before:])
    finally:
        house.change(source)
    assert runs[0][0] > 0 and house.rows("SELECT count(*) FROM runs") >= runs
