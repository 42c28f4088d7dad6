"""Which runs there were: by every filter, page by page, for whoever may see them; as
a table, CSV or JSON; and as cheap among thousands as among few.
"""
import csv
import io
import itertools
import json

import pytest

from client import Person, accepted, moment
from house import until
from terminal import ROWS, Terminal
from test_joining import folder, told  # noqa: F401  pylint: disable=unused-import
from test_standing import Guest, done

PARAMETERS = ("#: [param how]", "#: type = string")
MANY = 2500


@pytest.fixture(scope="module")
def ghost(house):
    """A target that nobody serves."""
    name = house.fresh("ghost")
    done(house.submit("target", "add", name))
    return name


@pytest.fixture(scope="module")
def sessions(house):
    asker = house.asker()
    runner = Person.read(house.env("runner")["ERRAND_PROFILE"], house.runner_email,
                         house.password_of("runner"))
    return asker, {"admin": asker.open_session(house.admin),
                   "runner": asker.open_session(runner)}


@pytest.fixture(scope="module")
def runs(house, ghost):
    """Runs of each kind, all ended: the runner's commands, and one that is not."""
    ours = [house.command('exit "${ERRAND_PARAM_HOW:-0}"', "#: wait = 1s", *PARAMETERS,
                          target=f"dev, {ghost}", runner=True) for _ in range(2)]
    theirs = house.command("true")
    asked = [(ours[n], who, how, target) for n in (0, 1) for who in ("admin", "runner")
             for how, target in (("0", "dev"), ("3", "dev"), ("0", ghost))]
    for name, who, how, target in asked:
        house.submit("run", "-t", target, name, "how=" + how, who=who)
    done(house.submit("run", theirs))
    until("all of them have ended", lambda: not house.rows(
        "SELECT FROM run_states s JOIN commands c ON c.id = s.command_id"
        " WHERE c.name = ANY (%s) AND s.outcome IS NULL", [*ours, theirs]))
    return ours, theirs


def history(sessions, who, **filters):
    """All pages of it, as far as there are any."""
    asker, keys = sessions
    found, before = [], None
    while True:
        answer = accepted(asker.ask("run.history", {
            "limit": 100, **filters, **({"before": before} if before else {})},
            keys[who])).answer
        found += [r["run"] for r in answer["runs"]]
        if not answer.get("more"):
            return found
        before = answer["further"]


def expected(house, who, runs_, filters):
    """What the database says, asked in another way; the newest first."""
    rows = house.rows(
        "SELECT r.id::text, c.name, u.email, r.arguments, s.outcome, r.asked_at,"
        " (SELECT array_agg(e.target::text) FROM executions e WHERE e.run_id = r.id)"
        " FROM runs r JOIN run_states s USING (id) JOIN users u ON u.id = r.user_id"
        " JOIN commands c ON c.id = r.command_id WHERE c.name = ANY (%s)"
        " ORDER BY r.asked_at DESC, r.id DESC", [*runs_[0], runs_[1]])
    return [id_ for id_, name, email, arguments, outcome, _, targets in rows
            if filters.get("command", name) == name
            and filters.get("email", email) == email
            and filters.get("outcome", outcome) == outcome
            and filters.get("target", targets[0]) in targets
            and filters.get("arguments", {}).items() <= arguments.items()
            and (who == "admin" or name in runs_[0])]


def test_each_filter_and_any_of_them_together(house, sessions, runs, ghost):
    """For both, in every set of up to three."""
    (one, two), theirs = runs
    choices = {"command": [one, two, theirs], "email": [house.runner_email,
                                                        house.email_of("admin")],
               "outcome": ["succeeded", "failed", "expired", "lost"],
               "target": ["dev", ghost], "arguments": [{"how": "3"}, {"how": "0"}]}
    ours = set(expected(house, "admin", runs, {}))
    seen = 0
    for values in itertools.product(*([None, *v] for v in choices.values())):
        filters = {n: v for n, v in zip(choices, values) if v is not None}
        if len(filters) > 3:
            continue
        for who in ("admin", "runner"):
            found = [r for r in history(sessions, who, **filters) if r in ours]
            wanted = expected(house, who, runs, filters)
            assert found == wanted, (who, filters)
            seen += len(found)
    assert seen > 500


def test_runs_that_have_not_ended_are_found_by_how_they_are(house, sessions, ghost,
                                                           tmp_path):
    """For whoever may see them, with other filters, and no longer than that; a run
    that has begun on one of its targets runs."""
    hold = tmp_path / "hold"
    hold.touch()
    name = house.command(f"while [ -e {hold} ]; do sleep 0.05; done",
                         target=f"dev, {ghost}", runner=True)
    asks = house.command("true", "#: approve = any administrator", target=ghost,
                         runner=True)

    def asked(*words):
        tail = done(house.submit("run", "-d", *words, who="runner")).stdout.strip()
        return house.rows("SELECT id::text FROM runs WHERE id::text LIKE '%%' || %s",
                          tail)[0][0]
    runs_ = {"waiting": asked(name, "-t", ghost), "running": asked(name),
             "pending": asked(asks)}
    until("it runs", lambda: runs_["running"] in history(
        sessions, "runner", state="running"))
    for state, run in runs_.items():
        command = asks if state == "pending" else name
        for who in ("admin", "runner"):
            for more in ({}, {"target": ghost}, {"email": house.runner_email}):
                assert history(sessions, who, state=state, command=command,
                               **more) == [run], (state, who, more)
        assert run in history(sessions, "admin", state=state)
        assert not history(sessions, "admin", state=state, command=command,
                           email=house.email_of("admin"))
        assert not history(sessions, "admin", state=state, outcome="failed")
        [row] = json.loads(done(house.submit("history", "--command", command, "-o", "json",
                                             "--outcome", state)).stdout)
        assert (row["run"], row["state"], row.get("outcome")) == (run, state, None)
        listed = done(house.submit("history", "--command", command)).stdout
        assert {"pending": "waits for 1 approval"}.get(state, state) in listed, listed
    hold.unlink()
    for run in runs_.values():
        house.submit("cancel", run)
    until("all of them have ended", lambda: not any(
        history(sessions, "admin", state=state, command=command)
        for state in runs_ for command in (name, asks)))


def test_moments_bound_it_exactly(house, sessions, runs):
    """From the very moment on, and up to it."""
    command = runs[0][0]
    rows = house.rows("SELECT r.id::text, (extract(epoch FROM r.asked_at) * 1000)::bigint"
                      " FROM runs r JOIN commands c ON c.id = r.command_id"
                      " WHERE c.name = %s ORDER BY 2 DESC", command)
    ids, (middle, at) = [r for r, _ in rows], rows[2]
    assert history(sessions, "runner", command=command, since=moment(at)) == ids[:3]
    assert history(sessions, "runner", command=command, until=moment(at)) == ids[3:]
    assert history(sessions, "runner", command=command, since=moment(at),
                   until=moment(at + 1)) == [middle]


def test_pages_of_any_size_make_the_same_whole(sessions, runs):
    asker, keys = sessions
    whole = history(sessions, "runner", command=runs[0][0])
    for limit in (1, 2, 5):
        found, before = [], {}
        for _ in range(20):
            answer = accepted(asker.ask("run.history", {
                "limit": limit, "command": runs[0][0], **before}, keys["runner"])).answer
            assert len(answer["runs"]) <= limit
            found += [r["run"] for r in answer["runs"]]
            before = {"before": found[-1]}
            if not answer.get("more"):
                break
        assert found == whole


def test_a_runner_sees_only_theirs(house, sessions, runs, folder):
    """Filters and places of what is not theirs are as of what is not there."""
    asker, keys = sessions
    theirs = expected(house, "admin", runs, {"command": runs[1]})[0]
    assert theirs not in history(sessions, "runner")
    assert theirs in history(sessions, "admin", limit=100)

    def told_to(**filters):
        reply = accepted(asker.ask("run.history", {"limit": 100, **filters},
                                   keys["runner"]))
        return reply.body
    for named, absent in (({"command": runs[1]}, {"command": house.fresh("none")}),
                          ({"before": theirs}, {"before": "0" * 8 + theirs[8:]}),
                          ({"command": runs[1], "count": True},
                           {"command": house.fresh("none"), "count": True})):
        assert told_to(**named) == told_to(**absent)
    guest = Guest(house, folder, "guest").settled()
    assert json.loads(done(guest.submit("history", "-o", "json")).stdout) == []
    done(house.submit("assign", "add", runs[0][0], guest.email))
    found = json.loads(done(guest.submit("history", "-o", "json")).stdout)
    assert [r["run"] for r in found] == expected(house, "admin", runs,
                                                 {"command": runs[0][0]})
    done(house.submit("assign", "remove", runs[0][0], guest.email))
    assert done(guest.submit("history", "--count")).stdout == "0\n"


# Many of them

@pytest.fixture(scope="module")
def many(house):
    """A command with thousands of runs, all of them copies of one."""
    name = house.command("true", *PARAMETERS, runner=True)
    run = done(house.submit("run", "-d", name, "how=first")).stdout.strip()
    house.change("SET session_replication_role = replica")
    house.change(
        "INSERT INTO runs SELECT (lpad(to_hex((extract(epoch FROM r.asked_at) * 1000)"
        "::bigint - n), 12, '0') || substr(replace(gen_random_uuid()::text, '-', ''), 13))"
        "::uuid, sha256(convert_to(r.id || ' ' || n, 'UTF8')), r.command_id, r.version, r.command_hash, r.user_id,"
        " r.asked_at - n * interval '1 ms', r.deadline,"
        " json_build_object('how', n::text)"
        " FROM runs r, generate_series(1, %s) n WHERE r.id::text LIKE '%%' || %s",
        MANY, run)
    house.change("SET session_replication_role = DEFAULT")
    yield name
    house.change("DELETE FROM runs WHERE arguments ->> 'how' <> 'first' AND command_id ="
                 " (SELECT id FROM commands WHERE name = %s)", name)


def test_a_list_says_of_how_many_it_is_the_newest(house, many, runs):
    listed = done(house.submit("history", "--command", many))
    assert len(listed.stdout.splitlines()) == 21
    assert "the newest 20 of 1,000+ runs" in listed.stderr
    assert done(house.submit("history", "--command", many, "--count")).stdout \
        == f"{MANY + 1}\n"
    assert done(house.submit("history", "--command", many, "--count", "-o",
                             "json")).stdout == '{"count":%d}\n' % (MANY + 1)
    few = done(house.submit("history", "--command", runs[0][0], "-n", "2"))
    assert "the newest 2 of 6 runs" in few.stderr
    all_ = done(house.submit("history", "--command", runs[0][0], "-n", "6"))
    assert "of 6 runs" not in all_.stderr
    lines = done(house.submit("history", "--command", many, "-n", "100000", "-o",
                              "jsonl")).stdout.splitlines()
    assert len({json.loads(line)["run"] for line in lines}) == MANY + 1


def test_what_is_rare_is_found_in_steps(house, many, sessions):
    """A step looks at so many, and says how far it got; submit goes on from there."""
    asker, keys = sessions
    asked = {"limit": 5, "command": many, "arguments": {"how": str(MANY)}}
    answer = accepted(asker.ask("run.history", asked, keys["runner"])).answer
    assert (answer["runs"], answer["more"]) == ([], True)
    [row] = json.loads(done(house.submit(
        "history", "--command", many, "--param", f"how={MANY}", "-o", "json",
        who="runner")).stdout)
    assert row["arguments"] == {"how": str(MANY)}
    assert done(house.submit("history", "--command", many, "--param", f"how={MANY}",
                             "--count")).stdout == "1\n"


def test_who_asks_for_their_last_run_is_not_told_of_others(house, many):
    """Theirs is behind thousands."""
    name = house.command("true", runner=True)
    done(house.submit("run", name, who="runner"))
    shown = done(house.submit("show", many, who="runner")).stdout
    assert "your last run" not in shown
    assert f"command    {name}\n" in done(house.submit("result", who="runner")).stdout


# Forms

def test_csv_is_for_spreadsheets(house, tmp_path):
    """RFC 4180; nothing in it is a formula, and moments are in UTC."""
    name = house.command("true", *PARAMETERS)
    values = ["=1+1", 'a,"b"\nc', "@x", "-5"]
    for value in values:
        path = tmp_path / "value"
        path.write_text(value + "\n")
        done(house.submit("run", name, f"how=@{path}"))
    done_ = done(house.submit("history", "--command", name, "-o", "csv"))
    raw = house.submit("history", "--command", name, "-o", "csv", text=False).stdout
    assert raw.count(b"\r\n") == 5
    rows = list(csv.DictReader(io.StringIO(raw.decode(), newline=""), strict=True))
    assert [r["arguments"] for r in reversed(rows)] == ["how=" + v for v in values]
    assert list(rows[0]) == ["asked", "command", "outcome", "arguments", "by", "run"]
    assert rows[0]["asked"].endswith("Z") and len(rows[0]["run"]) == 36
    assert done_.stderr == ""
    described = house.command("true", "#: description = =HYPERLINK(1)")
    listed = done(house.submit("command", "list", "-o", "csv")).stdout
    assert f"{described},1,'=HYPERLINK(1),dev,0," in listed
    told(house.submit("result", "-o", "csv"), 64, "lists")


def test_watching_tells_what_comes_and_what_ends_once_each(house, runs, ghost):
    name = house.command("true", "#: wait = 2s", target=f"dev, {ghost}")
    told(house.submit("history", "--watch", "-o", "csv"), 64, "jsonl")
    with house.start("history", "--watch", "--command", name, "-o", "jsonl") as watching:
        asked = house.submit("run", name, "-d")
        lines = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.kill()
        rest = watching.stdout.read()
    assert [(line["run"], line.get("outcome")) for line in lines] == [
        (asked.stdout.strip(), None), (asked.stdout.strip(), "expired")]
    assert rest == ""
    with house.start("history", "--watch", "--command", runs[0][0], "-n", "2") as watching:
        shown = [watching.stdout.readline() for _ in range(2)]
        watching.kill()
    assert all(runs[0][0] in line and "run " in line for line in shown), shown


def test_what_is_no_filter_is_said(house):
    for words, said in ((("--outcome", "good"), "expected succeeded"),
                        (("--outcome", "good"), "pending, waiting"),
                        (("--command", "X"), "not a name"),
                        (("--target", "a b"), "not a name"),
                        (("--user", "a@"), "--user"),
                        (("--since", "soon"), "--since"),
                        (("--until", "soon"), "--until"),
                        (("--since", "1h", "--until", "2h"), "nothing lies between"),
                        (("--param", "x"), "NAME=VALUE"),
                        (("--param", "x=1", "--param", "x=2"), "twice"),
                        (("--limit", "0"), "--limit")):
        told(house.submit("history", *words), 64, said)
    empty = done(house.submit("history", "--command", house.fresh("none")))
    assert (empty.stdout, empty.stderr) == ("", "there is no such run\n")


def paged(house, pager, *words):
    environment = {**house.env("admin"), "PAGER": pager}
    with Terminal("history", *words, environment=environment) as seen:
        seen.ends(0)
        return seen.text


def test_on_a_terminal_a_long_list_goes_to_a_pager(house, many):
    long = ("--command", many, "-n", str(2 * ROWS))
    assert paged(house, "sed s/^/paged:/", *long).count("paged:") == 2 * ROWS + 1
    assert "paged:" not in paged(house, "sed s/^/paged:/", "--command", many, "-n", "5")
    assert paged(house, "no-such-pager", *long).count(many) == 2 * ROWS
    assert paged(house, "head -n 2", *long).count(many) == 1
    assert paged(house, "", *long).count(many) == 2 * ROWS


def test_less_shows_it_and_a_key_ends_it(house, many):
    with Terminal("history", "--command", many, "-n", str(2 * ROWS),
                  environment=house.env("admin")) as seen:
        seen.sees(many).sees(":")
        seen.child.send("q")
        seen.ends(0)


# How runs ended, as a table

def test_it_follows_each_execution(house, ghost):
    """Lost, then known after all; another attempt, and it goes on. Nothing of it
    stays."""
    name = house.command("true", "#: wait = 5m", target=ghost)
    run = done(house.submit("run", name, "-d")).stdout.strip()
    [(run,)] = house.rows("SELECT id FROM runs WHERE id::text LIKE '%%' || %s", run)
    with house.connect() as other:
        other.autocommit = False

        def outcome():
            return [row for row, in other.execute(
                "SELECT outcome FROM run_outcomes WHERE id = %s", [run]).fetchall()]
        assert outcome() == []
        other.execute(
            "INSERT INTO results (execution_id, service_hash, finished_at,"
            " finished_hash, outcome, said_by) SELECT e.id, s.hash, now(), s.hash, 'lost',"
            " 'scheduler' FROM executions e, runs s WHERE e.run_id = %s AND s.id = %s",
            [run, run])
        assert outcome() == ["lost"]
        other.execute("UPDATE results SET outcome = 'failed', said_by = 'executor' WHERE"
                      " execution_id = (SELECT id FROM executions WHERE run_id = %s)", [run])
        assert outcome() == ["failed"]
        other.execute("INSERT INTO executions SELECT (left(id::text, 24) || '000000000000')::uuid, run_id, target,"
                      " generation, 2, dispatch, issued, expires FROM executions"
                      " WHERE run_id = %s", [run])
        assert outcome() == []
        other.rollback()


def test_it_says_what_the_view_says(house, runs):
    """Of all that this stack ever ran."""
    assert runs
    assert house.rows("SELECT count(*) > 5 FROM run_outcomes") == [(True,)]
    assert not house.rows(
        "SELECT s.id, s.outcome, o.outcome FROM run_states s FULL JOIN run_outcomes o"
        " USING (id) WHERE s.outcome IS DISTINCT FROM o.outcome::text")
