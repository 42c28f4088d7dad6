"""Secret parameters: from the hand that types them to the child that they are for,
and in clear nowhere else (P9; test_canary.py looks everywhere for all of them).
"""
import os

import pytest

import canary
from test_joining import told
from test_standing import done

PARAMETERS = ("#: [param token]", "#: type = secret", "#: required = true",
              "#: [param pin]", "#: type = secret")
# What the script finds, told by a digest: in clear it would be hidden.
DIGESTS = 'for v in "${ERRAND_PARAM_TOKEN-unset}" "${ERRAND_PARAM_PIN-unset}"; do\n' \
          'printf %s "$v" | sha256sum | cut -c 1-16; done'


def secret(*parts):
    """A new one that the whole session's scan looks for."""
    return canary.keep("secret parameter", "".join([os.urandom(16).hex(), *parts]))


def kept(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return f"@{path}"


@pytest.fixture(scope="module")
def digests(house):
    return house.command(DIGESTS, *PARAMETERS, runner=True)


def digest(text):
    import hashlib
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_a_secret_comes_from_a_file_to_the_child(house, digests, tmp_path):
    token = secret()
    ran = done(house.submit("run", digests, f"token={kept(tmp_path / 't', token)}",
                            who="runner"))
    assert ran.stdout.split() == [digest(token), digest("unset")]


def test_a_secret_is_not_taken_from_the_command_line(house, digests):
    told(house.submit("run", digests, "token=hunter2", who="runner"), 64, "token",
         "token=@FILE")


def test_output_hides_them_however_it_comes(house, tmp_path):
    slow = 'echo "say $ERRAND_PARAM_TOKEN!"; printf "%.10s" "$ERRAND_PARAM_TOKEN"\n' \
           'sleep 0.3; printf "%s\\n" "${ERRAND_PARAM_TOKEN#??????????}"\n' \
           'echo "e: $ERRAND_PARAM_TOKEN" >&2'
    name = house.command(slow, *PARAMETERS, runner=True)
    ran = done(house.submit("run", name, f"token={kept(tmp_path / 't', secret())}",
                            who="runner"))
    assert ran.stdout == "say ***!\n***\n"
    assert "e: ***\n" in ran.stderr
