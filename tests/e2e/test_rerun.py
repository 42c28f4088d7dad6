"""The same once more: by its arguments and targets, in the version that counts today,
for whoever may; and what a run would be, told without one.
"""
import json
import re

import pytest

from test_joining import folder, told  # noqa: F401  pylint: disable=unused-import
from test_standing import Guest, done

PARAMETERS = ("#: args = --depth {depth} {dir}", "#: [param dir]", "#: type = string",
              "#: [param depth]", "#: type = int", "#: default = 3",
              "#: [param how]", "#: type = string", "#: fixed = gently")
# What a shell sets by itself.
SHELLS = {"PWD", "OLDPWD", "SHLVL", "_"}


def named(ran):
    """The run that was told of, above the table."""
    return [line for line in ran.stderr.splitlines()
            if "; run " in line][-1].rsplit("run ", 1)[1]


def refused(ran, status, *words):
    """The last line tells why, under what was said of the version."""
    assert ran.returncode == status, ran
    *before, last = ran.stderr.splitlines()
    assert last.startswith("submit: ") and all(w in last for w in words), ran.stderr
    return before


def run_of(ran):
    """The id's ending that the last line names."""
    return ran.stderr.strip().rsplit("run ", 1)[1]


def rows_of(house, run):
    """(version, arguments, targets) as PostgreSQL has them."""
    [row] = house.rows(
        "SELECT r.version, r.arguments, (SELECT array_agg(e.target::text ORDER BY e.target)"
        " FROM executions e WHERE e.run_id = r.id) FROM runs r"
        " WHERE r.id::text LIKE '%%' || %s", run)
    return row


@pytest.fixture(scope="module")
def ghost(house):
    """A target that nobody serves."""
    name = house.fresh("ghost")
    done(house.submit("target", "add", name))
    return name


def test_it_runs_with_the_same_values_again(house):
    name = house.command('echo "$ERRAND_PARAM_DIR|$*"', *PARAMETERS, runner=True)
    values = {"dir": "@a 'b'; $(id)\n-x", "depth": "7"}
    ran = done(house.submit("run", name, f"dir=@{values['dir']}", "depth=7", who="runner"))
    again = done(house.submit("rerun", run_of(ran), who="runner"))
    assert again.stdout == ran.stdout
    assert run_of(again) != run_of(ran)
    assert rows_of(house, run_of(again)) == (1, values, ["dev"])
    last = done(house.submit("rerun", "--detach", who="runner"))
    assert rows_of(house, last.stdout.strip())[1] == values
    assert "version" not in again.stderr


def test_the_newest_version_runs_and_it_is_said(house, tmp_path):
    name = house.fresh("c")
    path = tmp_path / "c"
    ran = None
    for n in (1, 2):
        path.write_text(house.file(name, f"echo {n}", "#: [param a]", "#: type = string"))
        done(house.submit("command", "save", str(path), "--runner", house.runner_email))
        ran = ran or done(house.submit("run", name, "a=x", who="runner"))
    again = done(house.submit("rerun", run_of(ran), who="runner"))
    assert again.stdout == "2\n"
    assert f"{name} is version 2 now; that run was of version 1\n" in again.stderr
    path.write_text(house.file(name, "echo 3", "#: [param b]", "#: type = string"))
    done(house.submit("command", "save", str(path)))
    [line] = refused(house.submit("rerun", run_of(ran), who="runner"), 65, name, "'a'")
    assert "is version 3 now" in line
    # Who is held to a version is told of that one.
    done(house.submit("assign", "add", name, house.runner_email, "--pin", "1"))
    again = done(house.submit("rerun", run_of(ran), who="runner"))
    assert (again.stdout, "is version" in again.stderr) == ("1\n", False)


def test_only_where_it_failed(house, ghost):
    name = house.command("true", "#: wait = 1s", target=f"dev, {ghost}", runner=True)
    ran = done(house.submit("run", name, who="runner"), 1)
    run = named(ran)
    failed = done(house.submit("rerun", run, "--failed", who="runner"), 1)
    assert "dev" not in failed.stderr and ghost in failed.stderr
    again = named(failed)
    assert rows_of(house, again)[2] == [ghost]
    whole = done(house.submit("rerun", run, "-d", who="runner")).stdout.strip()
    assert rows_of(house, whole)[2] == sorted(["dev", ghost])


def test_where_all_went_well_nothing_is_run(house):
    ran = done(house.submit("run", house.command("true", runner=True), who="runner"))
    runs = house.rows("SELECT count(*) FROM runs")
    again = done(house.submit("rerun", run_of(ran), "--failed", who="runner"))
    assert "all of it succeeded" in again.stderr
    assert house.rows("SELECT count(*) FROM runs") == runs


def test_what_goes_on_has_not_failed_yet(house, ghost):
    name = house.command("true", "#: wait = 5m", target=f"dev, {ghost}")
    run = done(house.submit("run", name, "-d")).stdout.strip()
    told(house.submit("rerun", run, "--failed"), 75, "goes on")


def test_a_target_that_is_the_command_s_no_more_is_named(house, ghost, tmp_path):
    name = house.command("true", "#: wait = 1s", target=f"dev, {ghost}")
    ran = done(house.submit("run", name), 1)
    path = tmp_path / "c"
    path.write_text(house.file(name, "true"))
    done(house.submit("command", "save", str(path)))
    run = named(ran)
    refused(house.submit("rerun", run), 65, ghost, "it is for: dev")


def test_another_runner_of_the_command_may_too_and_nobody_else(house, folder):
    guest = Guest(house, folder, "guest").settled()
    name = house.command('echo "$ERRAND_PARAM_DIR"', *PARAMETERS, runner=True)
    run = run_of(done(house.submit("run", name, "dir=x", who="runner")))
    told(guest.submit("rerun", run), 67)
    done(house.submit("assign", "add", name, guest.email))
    again = done(guest.submit("rerun", run))
    assert again.stdout == "x\n"
    done(house.submit("assign", "remove", name, guest.email))
    told(guest.submit("rerun", run), 67)
    told(guest.submit("rerun", run_of(again)), 67)


def test_a_name_that_is_another_command_s_since_is_not_run(house, tmp_path):
    name = house.command("echo old")
    run = run_of(done(house.submit("run", name)))
    done(house.submit("command", "remove", name, "--yes"))
    told(house.submit("rerun", run), 67)
    path = tmp_path / "c"
    path.write_text(house.file(name, "echo new"))
    done(house.submit("command", "save", str(path)))
    told(house.submit("rerun", run), 67, "was removed", "is another")


# What would run

def ends(house):
    return house.ends("errand.dispatch.dev.1"), house.rows("SELECT count(*) FROM runs")


def test_a_dry_run_tells_what_the_script_will_find(house):
    """To the byte, but for what is not there before; and it starts nothing."""
    name = house.command('env -0; printf "=argv\\0"; printf "%s\\0" "$@"', *PARAMETERS,
                         runner=True)
    asked = (name, "dir=a 'b'; $(id)\n-x", "depth=7")
    before = ends(house)
    dry = done(house.submit("run", "--dry-run", *asked, "-o", "json", who="runner"))
    assert ends(house) == before
    [planned] = json.loads(dry.stdout)["executions"]
    out = done(house.submit("run", *asked, who="runner")).stdout
    environment, argv = out.split("=argv\0")
    real = {w for w in environment.split("\0")[:-1] if w.split("=")[0] not in SHELLS}
    told_ = [w for w in planned["environment"] if "=(" not in w]
    assert set(told_) <= real and len(told_) == len(set(told_))
    names = {w.split("=")[0] for w in planned["environment"]}
    assert names == {w.split("=")[0] for w in real}
    assert planned["argv"] == [name, *argv.split("\0")[:-1]]
    assert "ERRAND_PARAM_HOW=gently" in told_


def test_a_dry_run_for_people(house, ghost):
    name = house.command("secret-word", *PARAMETERS, target=f"dev, {ghost}", runner=True)
    dry = done(house.submit("run", name, "--dry-run", "dir=it's", who="runner"))
    lines = [re.sub("  +", "  ", line) for line in dry.stdout.splitlines()]
    for line in ("version  1", f"targets  dev, {ghost}", "ERRAND_PARAM_DIR=it's",
                 f"argv  {name} --depth 3 'it'\\''s'", "ERRAND_PARAM_DEPTH=3",
                 "ERRAND_TARGET=(the target's name)"):
        assert line in lines, dry.stdout
    assert "nothing was run" in dry.stderr
    one = done(house.submit("run", name, "--dry-run", "-t", "dev", who="runner"))
    assert "ERRAND_TARGET=dev" in one.stdout and ghost not in one.stdout
    told(house.submit("run", name, "--dry-run", "depth=x", who="runner"), 65, "depth")
    told(house.submit("run", name, "--dry-run", "-t", "x", who="runner"), 65, "x")
    for output in ("table", "json"):
        seen = done(house.submit("run", name, "--dry-run", "-o", output, who="runner"))
        assert "secret-word" not in seen.stdout + seen.stderr
    told(house.submit("run", house.command("true"), "--dry-run", who="runner"), 67)


def test_a_rerun_is_shown_first_too(house):
    name = house.command("true", *PARAMETERS)
    run = run_of(done(house.submit("run", name, "dir=x")))
    before = ends(house)
    dry = done(house.submit("rerun", run, "--dry-run"))
    assert f"{name} --depth 3 x" in dry.stdout and ends(house) == before
