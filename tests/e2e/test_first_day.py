"""A runner's first day, at one terminal after the other: from the mail in the sink
to the first result, and home again.

The machine knows nothing of Errand but the mail. The phone is zbarimg, which reads
the screen, and oathtool; none of it is our own code.
"""
import re
import urllib.parse

from second_factor import code, early_in_step, scan
from terminal import COLUMNS
from test_terminal import PASSWORD, Profile


def scanned(seen, folder):
    """The secret, as an authenticator app takes it from the screen."""
    uri = urllib.parse.urlsplit(scan(seen.screen, COLUMNS, folder))
    assert uri.scheme == "otpauth", seen.text
    return urllib.parse.parse_qs(uri.query)["secret"][0]


def follows(runner, block, folder):
    """From the mail's block to the end of verify; a recovery code."""
    with runner.at_terminal("verify") as seen:
        seen.asks("Verification code: ", block)
        seen.asks("New password: ", PASSWORD, hidden=True)
        seen.asks("New password, again: ", PASSWORD, hidden=True)
        seen.sees("First code: ")
        seen.types(code(scanned(seen, folder)))
        seen.sees(f"Signed in as {runner.email} (runner)").ends(0)
    return re.search(r"^ +((?:[a-z2-7]{5}-){4}[a-z2-7]{3})$", seen.text, re.M)[1]


def test_a_runners_first_day(house, tmp_path):
    runner = Profile(house, tmp_path / "profile")
    del runner.env["ERRAND_BROKERS"]
    runner.email = house.fresh("first-day") + "@example.org"
    admin = house.submit("user", "invite", runner.email, "--mfa", "--name", "Vera Fox")
    assert admin.returncode == 0, admin.stderr
    greeting = house.command('echo "hello, $ERRAND_PARAM_WHO"',
                             "#: description = says hello", "#: [param who]",
                             "#: type = string", "#: default = you")
    others = house.command("echo not for them")
    assert house.submit("assign", "add", greeting, runner.email).returncode == 0
    block = house.post.block(runner.email)
    early_in_step(15)
    recovery = follows(runner, block, tmp_path)

    with runner.at_terminal("list") as seen:
        seen.sees(greeting).ends(0)
    assert "says hello" in seen.text and others not in seen.text
    with runner.at_terminal("show", greeting) as seen:
        seen.sees("who").ends(0)
    with runner.at_terminal("run", greeting, "who=Vera") as seen:
        seen.sees("hello, Vera").sees("succeeded").ends(0)
    with runner.at_terminal("result") as seen:
        seen.sees("succeeded").ends(0)
    with runner.at_terminal("run", others) as seen:
        seen.sees("no such thing, or not yours").ends(67)
    with runner.at_terminal("user", "list") as seen:
        seen.ends(77)
    with runner.at_terminal("logout") as seen:
        seen.ends(0)

    # The telephone is lost in the evening: one of the ten codes does.
    with runner.at_terminal("history") as seen:
        seen.asks("Password", PASSWORD, hidden=True)
        seen.asks("Code of your second factor: ", recovery)
        seen.sees(greeting).ends(0)
