"""What changed between two versions of a command, as `patch` takes it; an older one
made the newest; and nobody but an administrator reads either.
"""
import subprocess

import pytest

from client import Person, accepted
from test_joining import told
from test_standing import done
from terminal import Terminal

BODIES = ["echo one\n" + "".join(f"# {i}\n" for i in range(30)) + "echo end",
          "echo two\n" + "".join(f"# {i}\n" for i in range(30)) + "echo the end",
          "printf '\\033[31mred\\n' # \x1b[31m\nexit 3"]


@pytest.fixture(scope="module")
def versions(house, tmp_path_factory):
    """A command that was saved three times: its name, and the files."""
    name = house.fresh("c")
    files = []
    for n, body in enumerate(BODIES):
        path = tmp_path_factory.mktemp("v") / f"v{n + 1}"
        path.write_text(house.file(name, body))
        done(house.submit("command", "save", str(path)))
        files.append(path.read_bytes())
    return name, files


def diff(house, *words, who="admin"):
    return house.submit("command", "diff", *words, who=who)


@pytest.mark.parametrize("words, old, new", [
    ((), 2, 3), (("1",), 1, 3), (("1", "2"), 1, 2), (("3", "1"), 3, 1)])
def test_patch_makes_the_one_of_the_other(house, versions, tmp_path, words, old, new):
    name, files = versions
    told_ = done(diff(house, name, *words)).stdout
    assert told_.startswith(f"--- {name} version {old}\t")
    assert f"\n+++ {name} version {new}\t" in told_ and house.email_of("admin") in told_
    path = tmp_path / "file"
    path.write_bytes(files[old - 1])
    subprocess.run(["patch", "-s", str(path)], input=told_.encode(), check=True)
    assert path.read_bytes() == files[new - 1]


def test_the_same_version_twice_is_no_change(house, versions):
    ran = done(diff(house, versions[0], "2", "2"))
    assert ran.stdout == "" and "are the same" in ran.stderr


def test_what_is_not_there_is_said(house, versions):
    name, _ = versions
    told(diff(house, name, "4"), 67, "no version 4")
    told(diff(house, name, "0"), 64, "'0' is no version")
    told(diff(house, name, "x"), 64, "'x' is no version")
    told(diff(house, "no-such"), 67)
    told(diff(house, house.command("true")), 65, "one version")
    told(house.submit("command", "restore", name, "9"), 67, "no version 9")
    told(house.submit("command", "restore", name), 64, "missing")


def test_on_a_terminal_nothing_of_a_script_is_control(house, versions):
    with Terminal("command", "diff", versions[0], environment=house.env("admin")) as seen:
        seen.ends(0)
        assert b"\x1b[31m" not in seen.bytes and "\\x1b[31m" in seen.text


def test_an_older_one_is_saved_again(house, tmp_path):
    name = house.fresh("c")
    path = tmp_path / "c"
    for word in ("first", "second"):
        path.write_text(house.file(name, f"echo {word}", "#: description = " + word))
        done(house.submit("command", "save", str(path)))
    shown = done(house.submit("command", "restore", name, "1")).stdout
    assert shown == f"{name} version 3 saved\n"
    path.write_text(house.file(name, "echo first", "#: description = first"))
    script = done(house.submit("command", "show", name, "--script")).stdout
    assert script == path.read_text()
    assert done(house.submit("run", name)).stdout == "first\n"
    assert "unchanged" in done(house.submit("command", "restore", name, "1")).stdout
    rows = house.rows("SELECT v.version, v.description, e.type FROM command_versions v"
                      " JOIN commands c ON c.id = v.command_id"
                      " JOIN envelopes e ON e.hash = v.hash"
                      " WHERE c.name = %s ORDER BY 1", name)
    assert rows == [(n, d, "errand.command.save.v1") for n, d in
                    ((1, "first"), (2, "second"), (3, "first"))]


def test_a_runner_reads_none_of_it(house, tmp_path):
    """Not even that there were versions before theirs."""
    name = house.fresh("c")
    path = tmp_path / "c"
    for word in ("first", "second"):
        path.write_text(house.file(name, f"echo {word}"))
        done(house.submit("command", "save", str(path), "--runner", house.runner_email))
    told(diff(house, name, who="runner"), 77, "not shown")
    told(diff(house, name, "1", "2", who="runner"), 77, "not shown")
    told(house.submit("command", "restore", name, "1", who="runner"), 67)
    asker = house.asker()
    runner = Person.read(house.env("runner")["ERRAND_PROFILE"], house.runner_email,
                         house.password_of("runner"))
    own, boss = asker.open_session(runner), asker.open_session(house.admin)

    def show(which, version, whose):
        return asker.ask("command.show", {"name": which, "version": version}, whose)
    none = show(house.fresh("none"), 1, own)
    for version in (1, 3):
        reply = show(name, version, own)
        assert (reply.status, reply.text, reply.body) == \
            ("not_found", none.text, none.body)
    assert "envelopes" not in accepted(show(name, 2, own)).answer
    assert accepted(show(name, 1, boss)).answer["envelopes"]
