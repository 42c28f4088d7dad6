"""Files that come with a command: what an administrator saved is what stands in the
run's private directory, byte for byte, and a runner sees none of it."""
import hashlib
import json
import os

import pytest

from client import b64


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data.bin").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "check_2.sh").write_text("#!/bin/sh\necho checked \"$1\"\n")
    (tmp_path / "check_2.sh").chmod(0o755)
    return tmp_path


def saved(house, folder, script, files="data.bin, check_2.sh", name=None, status=0):
    name = name or house.fresh("c")
    path = folder / "command.sh"
    path.write_text(house.file(name, script, f"#: files = {files}"))
    done = house.submit("command", "save", str(path), "--runner", house.runner_email)
    assert done.returncode == status, done.stderr
    return name, done


def test_what_was_saved_stands_where_the_script_begins(house, folder):
    name, _ = saved(house, folder,
                    "sha256sum < data.bin; ./check_2.sh yes; stat -c '%a %n' *; pwd")
    done = house.submit("run", name, who="runner")
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256((folder / "data.bin").read_bytes()).hexdigest()
    lines = done.stdout.splitlines()
    assert lines[:4] == [f"{digest}  -", "checked yes", "700 check_2.sh",
                         "600 data.bin"]
    assert not os.path.exists(lines[4]), "the directory outlived the run"


def test_it_is_listed_with_its_hash_and_given_back(house, folder):
    name, _ = saved(house, folder, "true")
    rows = house.submit("command", "show", name, "--files").stdout.splitlines()[1:]
    for row, file in zip(rows, ("data.bin", "check_2.sh"), strict=True):
        data = (folder / file).read_bytes()
        assert row.split() == [file, str(len(data)),
                               "yes" if file.endswith(".sh") else "no",
                               hashlib.sha256(data).hexdigest()]
    back = house.start("command", "show", name, "--file", "data.bin", text=False)
    with back:
        assert back.stdout.read() == (folder / "data.bin").read_bytes()
    none = house.submit("command", "show", name, "--file", "nothing")
    assert none.returncode == 67 and "no file nothing comes with" in none.stderr


def test_a_runner_sees_none_of_it(house, folder):
    name, _ = saved(house, folder, "true")
    for flags in (["--files"], ["--file", "data.bin"]):
        refused = house.submit("command", "show", name, *flags, who="runner")
        assert refused.returncode in (67, 77), refused.stderr
        assert refused.stdout == ""
    shown = house.submit("show", name, "-o", "json", who="runner").stdout
    assert "data.bin" not in shown and json.loads(shown)


def test_a_changed_file_is_a_new_version_and_the_same_is_none(house, folder):
    name, first = saved(house, folder, "cat data.bin")
    assert first.stdout == f"{name} version 1 saved\n"
    assert saved(house, folder, "cat data.bin", name=name)[1].stdout == \
        f"{name} version 1 unchanged\n"
    (folder / "data.bin").write_text("two\n")
    assert saved(house, folder, "cat data.bin", name=name)[1].stdout == \
        f"{name} version 2 saved\n"
    assert house.submit("run", name).stdout == "two\n"


def test_an_older_version_comes_back_with_its_files(house, folder):
    name, _ = saved(house, folder, "cat data.bin", "data.bin")
    old = (folder / "data.bin").read_bytes()
    (folder / "data.bin").write_text("two\n")
    saved(house, folder, "cat data.bin; ls", name=name)
    told = house.submit("command", "diff", name).stdout
    assert "File data.bin is another\nFile check_2.sh is new\n" in told, told
    done = house.submit("command", "restore", name, "1")
    assert done.returncode == 0, done.stderr
    back = house.start("run", name, text=False)
    with back:
        assert back.stdout.read() == old
    told = house.submit("command", "diff", name, "1", "3")
    assert "are the same" in told.stderr


def test_what_can_t_go_with_it_is_refused_by_name(house, folder):
    _, done = saved(house, folder, "true", "no-such-file", status=66)
    assert "no-such-file: No such file" in done.stderr, done.stderr
    _, done = saved(house, folder, "true", "../data.bin", status=65)
    assert "'../data.bin' can't be" in done.stderr
    (folder / "big").write_bytes(b"x" * 400 * 1024)
    _, done = saved(house, folder, "true", "data.bin, big", status=65)
    assert "bytes with the script, and at most 409600 can be" in done.stderr
    (folder / "big").write_bytes(b"x" * 399 * 1024)
    name, _ = saved(house, folder, "wc -c < big", "big")
    assert house.submit("run", name).stdout.split() == [str(399 * 1024)]


def test_twice_the_same_and_too_much_is_refused_by_the_authorizer(house):
    asker = house.asker()
    for files in ([{"name": "a", "data": b64(b"x")}] * 2,
                  [{"name": n, "data": b64(b"x" * 205 * 1024)} for n in "ab"]):
        save = asker.command_request(house.admin, house.fresh("c"),
                                     b"#!/bin/sh\ntrue\n", ["dev"], files=files)
        reply = asker.exchange(save)
        assert reply.status == "invalid" and "files: " in reply.text, reply


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".x", "-x", "\u00fc"])
def test_a_name_with_a_folder_is_refused_by_the_authorizer(house, name):
    asker = house.asker()
    save = asker.command_request(house.admin, house.fresh("c"), b"#!/bin/sh\ntrue\n",
                                 ["dev"], files=[{"name": name, "data": b64(b"x")}])
    reply = asker.exchange(save)
    assert reply.status == "invalid" and "files: " in reply.text, reply
