"""`submit` alone, at a terminal: what somebody sees and types who does not live in
one. What is seen is checked as text alone: no drawing, no colour, no cursor."""
import re

import pytest

from house import BIN, until
from terminal import Terminal
from test_terminal import PASSWORD, Profile, invited

QUESTION = "q quit): "


@pytest.fixture
def runner(house, tmp_path):
    """A runner without commands, who is signed in."""
    them = Profile(house, tmp_path / "profile")
    them.email = f"{house.fresh('menu')}@example.org"
    them.joins(them.email)
    return them


def gives(house, person, script, *header):
    name = house.command(script, *header)
    done = house.submit("assign", "add", name, person.email)
    assert done.returncode == 0, done.stderr
    return name


def test_a_command_is_chosen_asked_for_started_watched_and_its_end_told(
        house, runner):
    name = gives(house, runner, 'echo "hello, $ERRAND_PARAM_WHO"; sleep 1',
                 "#: description = Says hello", "#: [param who]",
                 "#: type = string", "#: help = Whom to greet",
                 "#: default = you")
    with runner.at_terminal() as seen:
        seen.sees(f"You are {runner.email}.").sees(f"1  {name}: Says hello")
        seen.sees("Not run yet.").asks(QUESTION, "1")
        seen.sees("It runs on dev").sees("Question 1 of 1: who")
        seen.sees("Whom to greet").asks("Enter for you, b back, q quit): ", "Vera")
        seen.sees(f"{name} runs on dev.").sees("who: Vera")
        seen.sees("It has not started yet.").asks("Start it now (", "y")
        seen.sees("hello, Vera").sees("It worked. It took 1 second.")
        seen.asks(QUESTION, "").sees("by you: it worked.").asks(QUESTION, "q")
        seen.ends(0)
