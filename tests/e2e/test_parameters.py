"""What a runner says reaches the script whole, as environment and as words, or is
refused; and what the administrator said of it holds, whoever checks.
"""
import json

import pytest

from test_standing import done, told

# What a shell, a terminal or a careless script could take for something else.
HOSTILE = [
    "; rm -rf /", "$(id)", "`id`", "a b  c", "-rf", "--", "../../etc/passwd", "'\"\\",
    "two\nlines", "tab\there", "{dir}", "%s%n", "*", "~", "", "=", "grüße 世界 🙂",
    "x" * 4000, "$ERRAND_PARAM_TEXT", "\\0", "#: name = y", "!!", "&& true", "|cat", ">f",
]
WITNESS = 'printf "%s\\0" "$#" "$@" "${ERRAND_PARAM_TEXT-unset}"'


def seen(out):
    """(words, the variable) of what the witness printed."""
    n, *rest = out.split("\0")[:-1]
    assert len(rest) == int(n) + 1, out
    return rest[:-1], rest[-1]


@pytest.fixture(scope="module")
def witness(house):
    return house.command(WITNESS, "#: args = --text={text} {text} -- {{{text}}}",
                         "#: [param text]", "#: type = string", runner=True)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_arrives_whole_and_is_only_text(house, witness, text):
    ran = done(house.submit("run", witness, f"text={'@' if text[:1] == '@' else ''}{text}",
                            who="runner"))
    assert seen(ran.stdout) == ([f"--text={text}", text, "--", "{" + text + "}"], text)


def test_what_has_no_value_is_left_out(house, witness):
    assert seen(done(house.submit("run", witness, who="runner")).stdout) == (["--"], "unset")


@pytest.mark.parametrize("text, said", [
    (b"\xff", "UTF-8"), (b"\xc0\x80", "UTF-8"), (b"\xed\xa0\x80", "UTF-8"),
    (b"x" * 4001, "4000"), (b"\x1b[31m", "control bytes"),
])
def test_what_is_no_text_is_refused(house, witness, text, said):
    told(house.submit("run", witness, b"text=" + text, who="runner"), 65, "text", said)


def test_a_value_comes_from_a_file(house, witness, tmp_path):
    path = tmp_path / "value"
    for content, value in (("one\n", "one"), ("one\n\n", "one\n"), ("", ""), ("@x", "@x")):
        path.write_text(content)
        ran = done(house.submit("run", witness, f"text=@{path}", who="runner"))
        assert seen(ran.stdout)[1] == value
    with open(path, encoding="utf-8") as file:
        ran = done(house.submit("run", witness, "text=@-", who="runner", stdin=file))
    assert seen(ran.stdout)[1] == "@x"
    ran = done(house.submit("run", witness, "text=@@x", who="runner"))
    assert seen(ran.stdout)[1] == "@x"
    path.write_bytes(b"a\0b")
    told(house.submit("run", witness, f"text=@{path}", who="runner"), 65, "UTF-8")
    path.write_bytes(b"x" * (1 << 20))
    told(house.submit("run", witness, f"text=@{path}", who="runner"), 66, str(path))
    told(house.submit("run", witness, f"text=@{path}.not", who="runner"), 66, f"{path}.not")
    told(house.submit("run", witness, "text=@", who="runner"), 64, "@@")


def test_values_come_from_a_json_object(house, tmp_path):
    name = house.command('echo "$ERRAND_PARAM_A|$ERRAND_PARAM_B|$ERRAND_PARAM_C'
                         '|$ERRAND_PARAM_D"',
                         "#: [param a]", "#: type = string", "#: [param b]", "#: type = int",
                         "#: [param c]", "#: type = bool", "#: [param d]",
                         "#: type = number", runner=True)
    path = tmp_path / "values"
    path.write_text(json.dumps({"a": "x; y", "b": 12, "c": True, "d": 0.5}))
    ran = done(house.submit("run", name, "--params", str(path), who="runner"))
    assert ran.stdout == "x; y|12|true|0.5\n"
    path.write_text('{"a": "x"}')
    with open(path, encoding="utf-8") as file:
        ran = done(house.submit("run", name, "b=3", "--params", "-", who="runner",
                                stdin=file))
    assert ran.stdout == "x|3||\n"
    for text, said in (('{"a": null}', "a: neither a text"), ('{"a": ["x"]}', "neither a text"),
                       ("[1]", "not an object"), ('{"a": ', "line 1"),
                       ('{"a": "1", "a": "2"}', "duplicate"), ('{"e": "1"}', "'e'")):
        path.write_text(text)
        told(house.submit("run", name, "--params", str(path), who="runner"), 65, said)
    path.write_text('{"a": "x"}')
    told(house.submit("run", name, "a=y", "--params", str(path), who="runner"), 64, "twice")
    told(house.submit("run", name, "a=@-", "--params", "-", who="runner"), 64, "once")


@pytest.fixture(scope="module")
def limited(house):
    return house.command(
        'echo "$ERRAND_PARAM_HOST $ERRAND_PARAM_N $ERRAND_PARAM_HOW $*"',
        "#: args = {how}", "#: [param host]", "#: type = string", "#: pattern = web-[0-9]+",
        "#: max_length = 8", "#: [param n]", "#: type = int", "#: min = 1", "#: max = 5",
        "#: default = 3", "#: [param how]", "#: type = string", "#: fixed = gently", runner=True)


BAD = [("host", "db-1", "not of the form"), ("host", "web-12345", "8 can be"),
       ("host", "web-1\n", "not of the form"), ("n", "6", "5 at most"),
       ("n", "0", "1 at least"), ("how", "roughly", "fixed it"),
       ("how", "gently", "fixed it")]


@pytest.mark.parametrize("name, value, said", BAD)
def test_limits_hold_here_and_at_the_authorizer(house, limited, name, value, said):
    told(house.submit("run", limited, f"{name}={value}", who="runner"), 65, name, said)
    asker = house.asker()
    session = asker.open_session(house.admin)
    command = house.rows("SELECT id::text FROM commands WHERE name = %s", limited)[0][0]
    run = asker.run_request(session, command, ["dev"], arguments={name: value})
    reply = asker.exchange(run)
    assert (reply.status, said in reply.text) == ("invalid", True), reply.text


def test_within_them_it_runs_and_what_is_fixed_is_shown(house, limited):
    ran = done(house.submit("run", limited, "host=web-7", "n=5", who="runner"))
    assert ran.stdout == "web-7 5 gently gently\n"
    shown = done(house.submit("show", limited, who="runner")).stdout
    for part in ("gently (always)", "at least 1, at most 5", "of the form web-[0-9]+",
                 "at most 8 characters"):
        assert part in shown
    assert "how=" not in shown
