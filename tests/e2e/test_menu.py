"""`submit` alone, at a terminal: what somebody sees and types who does not live in
one. All of it is read as plain text: nothing is drawn, coloured or written over.
"""
import os
import re
import signal

import pytest

import canary
from house import until
from second_factor import code, early_in_step
from terminal import COLUMNS, PATIENCE, ROWS, Terminal
from test_first_day import scanned
from test_terminal import OTHER, PASSWORD, Profile, invited

# What a program sends to a terminal that only prints: text, and the ends of lines.
PLAIN = re.compile(rb"[\x20-\x7e\xc2-\xf4\x80-\xbf\r\n\t\x07]*")
QUESTION = "q quit): "


class Person(Profile):
    """Somebody at a terminal of the smallest size that counts."""

    def menu(self, rows=24, columns=80, **more):
        return Terminal(environment={**self.env, **more}, rows=rows, columns=columns)

    def quits(self, seen):
        seen.asks(QUESTION, "q").ends(0)


@pytest.fixture
def person(house, tmp_path):
    """A runner without commands, signed in."""
    them = Person(house, tmp_path / "profile")
    them.email = f"{house.fresh('menu')}@example.org"
    them.joins(them.email)
    return them


def gives(house, person, script, *header, target="dev"):
    name = house.command(script, *header, target=target)
    done = house.submit("assign", "add", name, person.email)
    assert done.returncode == 0, done.stderr
    return name


def squeezed(seen):
    """What was seen, however its lines were broken."""
    return " ".join(seen.text.split())


def ran(house, person):
    """What was accepted of theirs: (command, arguments), oldest first."""
    return house.rows(
        "SELECT c.name, r.arguments FROM runs r JOIN commands c ON c.id = r.command_id "
        "JOIN users u ON u.id = r.user_id WHERE u.email = %s ORDER BY r.id",
        person.email)


# From the list to the end

def test_a_command_is_chosen_asked_for_started_watched_and_its_end_told(
        house, person):
    name = gives(house, person, 'echo "hello, $ERRAND_PARAM_WHO"; sleep 1',
                 "#: description = Says hello", "#: [param who]",
                 "#: type = string", "#: help = Whom to greet",
                 "#: default = you")
    with person.menu() as seen:
        seen.sees(f"You are {person.email}.").sees(f"1  {name}: Says hello")
        seen.sees("Not run yet.").asks(QUESTION, "1")
        seen.sees("It runs on dev").sees("Question 1 of 1: who")
        seen.sees("Whom to greet").asks("(Enter for you, b back, q quit): ", "Vera")
        seen.sees("This is what will happen:").sees(f"{name} runs on dev.")
        seen.sees("who: Vera").sees("It has not started yet.")
        assert ran(house, person) == []
        seen.asks("Start it now (y yes, n no, b back, q quit): ", "y")
        seen.sees("hello, Vera").sees("It worked. It took 1 second.")
        seen.asks(QUESTION, "").sees("by you: it worked.")
        person.quits(seen)
    assert ran(house, person) == [(name, {"who": "Vera"})]
    assert PLAIN.fullmatch(seen.bytes), "only text, on no matter what terminal"


def test_a_secret_is_typed_unseen_when_it_starts_and_a_file_goes_along(
        house, person, tmp_path):
    name = gives(house, person, 'wc -c < "$ERRAND_PARAM_LIST"; echo "$ERRAND_PARAM_KEY"',
                 "#: [param key]", "#: type = secret", "#: required = true",
                 "#: [param list]", "#: type = file", "#: required = true")
    path = tmp_path / "list"
    path.write_bytes(bytes(1234))
    with person.menu() as seen:
        seen.asks(QUESTION, "1").sees("It asks 1 question")
        seen.sees("Where a file of yours is").asks("list (b back, q quit): ", "/no-such")
        seen.sees("Please try again").asks("list (b back, q quit): ", str(path))
        seen.sees("key: you type it when it starts; it is not shown")
        seen.sees(f"list: {path}")
        seen.asks("Start it now (y yes, n no, b back, q quit): ", "y")
        seen.asks("key (not shown): ", canary.keep("secret parameter", os.urandom(9).hex()),
                  hidden=True)
        seen.sees("1234").sees("***").sees("It worked.")
        seen.asks(QUESTION, "")
        person.quits(seen)
    [[ran_name, arguments]] = ran(house, person)
    assert (ran_name, arguments["key"]) == (name, "***")


def test_what_did_not_work_is_told_with_whom_to_tell(house, person):
    gives(house, person, "echo oh >&2; exit 3")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").asks("Start it now (", "y").sees("oh")
        seen.sees("It did not work. It ended with an error (number 3).")
        seen.sees(f"Tell {house.email_of('admin')}")
        number = re.compile(r"number of this run: ([0-9a-f]{12})")
        seen.asks(QUESTION, "").sees("by you: it did not work.")
        person.quits(seen)
    [[run]] = house.rows("SELECT right(id::text, 12) FROM runs ORDER BY id DESC "
                         "LIMIT 1")
    assert number.search(squeezed(seen))[1] == run


def test_what_takes_too_long_is_told_so(house, person):
    gives(house, person, "exec sleep 60", "#: timeout = 1s")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").sees("is stopped if it takes longer than 1 second")
        seen.asks("Start it now (", "y").sees("It did not work.")
        seen.sees(QUESTION)
        assert "It took longer than it may, and was stopped." in squeezed(seen)


def test_of_several_machines_each_is_told_and_how_many_worked(house, person):
    away = house.fresh("t")
    assert house.submit("target", "add", away).returncode == 0
    gives(house, person, "echo hello", "#: wait = 2s", target=f"dev, {away}")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").sees(f"It runs on dev and {away}")
        seen.asks("Start it now (", "y").sees("dev: hello").sees("On dev it worked.")
        seen.sees(f"On {away} it was not started.").sees("It worked on 1 of 2.")
        seen.sees("Tell ").asks(QUESTION, "").sees("by you: it was not started.")
        person.quits(seen)


def test_ctrl_c_stops_watching_and_the_run_goes_on(house, person):
    name = gives(house, person, "echo begun; sleep 2; echo done")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").asks("Start it now (", "y").sees("begun")
        seen.presses("c").sees("You stopped watching; it goes on.")
        until("the end", lambda: house.rows(
            "SELECT 1 FROM run_states s JOIN commands c ON c.id = s.command_id "
            "WHERE c.name = %s AND s.outcome = 'succeeded'", name))
        seen.asks(QUESTION, "").sees("by you: it worked.").asks(QUESTION, "h")
        seen.sees(f"1  {name}, today at").asks(QUESTION, "1")
        seen.sees("It worked. It took 2 seconds.").asks("(o what it wrote", "o")
        seen.sees("begun").sees("done")
        person.quits(seen)


def test_a_run_that_goes_on_is_watched_again_and_stopped(house, person):
    name = gives(house, person, "echo begun; trap '' TERM; while :; do sleep 0.2; done")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").asks("Start it now (", "y").sees("begun")
        seen.presses("c").sees("You stopped watching; it goes on.")
        seen.asks(QUESTION, "").asks(QUESTION, "h")
        seen.sees(f"1  {name}, today at").asks(QUESTION, "1")
        seen.sees("On dev it runs now.").sees("(w watch it, s stop it")
        seen.asks(QUESTION, "w").sees("begun").presses("c")
        seen.sees("You stopped watching; it goes on.").sees("On dev it runs now.")
        seen.asks(QUESTION, "s").sees("Stop it now (").asks(QUESTION, "n")
        seen.sees("On dev it runs now.")
        seen.asks(QUESTION, "s").sees("Stop it now (").asks(QUESTION, "y")
        seen.sees("It was cancelled").sees("(o what it wrote").asks(QUESTION, "")
        person.quits(seen)
    assert house.rows("SELECT s.outcome FROM run_states s JOIN commands c ON"
                      " c.id = s.command_id WHERE c.name = %s", name) == [("cancelled",)]


# Questions

ALL_KINDS = ["#: [param dir]", "#: type = path", "#: default = /var",
             "#: [param lines]", "#: type = int", "#: min = 1", "#: max = 50",
             "#: [param how]", "#: type = choice", "#: choices = fast, whole",
             "#: required = true", "#: [param loud]", "#: type = bool",
             "#: default = false", "#: [param day]", "#: type = date",
             "#: [param shop]", "#: type = string", "#: fixed = berlin"]


def test_each_kind_of_question_tells_what_is_wrong_in_words_and_asks_again(
        house, person):
    name = gives(house, person, "env | grep ^ERRAND_PARAM_ | sort", *ALL_KINDS)
    with person.menu() as seen:
        seen.asks(QUESTION, "1").sees("It asks 5 questions.")
        seen.sees("Question 1 of 5: dir").asks("(Enter for /var, ", "etc")
        seen.sees("dir: not an absolute path, such as /var/log")
        seen.asks("(Enter for /var, ", "")
        seen.sees("A whole number, at least 1, at most 50.")
        seen.asks("(Enter to leave it out, ", "lots").sees("not a whole number")
        seen.asks("lines (", "51").sees("50 at most. Please try again.")
        seen.asks("lines (", "7").sees("One of these:").sees("1  fast")
        seen.asks(QUESTION, "").sees("how: missing, and required.")
        seen.asks(QUESTION, "slow").sees("not one of fast or whole")
        seen.asks(QUESTION, "2").sees("Yes or no.")
        seen.asks("(Enter for no, ", "perhaps").sees("neither true nor false. Please type yes or no.")
        seen.asks("loud (", "Yes").sees("A date, such as 2026-11-24.")
        seen.asks("day (", "2026-02-30").sees("not a date").asks("day (", "")
        seen.sees("dir: /var").sees("lines: 7").sees("how: whole").sees("loud: yes")
        seen.sees("shop: berlin (set by your administrator)")
        seen.asks("Start it now (", "y").sees("ERRAND_PARAM_DIR=/var")
        seen.sees("HOW=whole").sees("LINES=7").sees("LOUD=true").sees("SHOP=berlin")
        seen.sees("It worked.")
        person.quits(seen)
    assert ran(house, person) == [
        (name, {"lines": "7", "how": "whole", "loud": "true"})]


@pytest.mark.parametrize("typed, given", [
    ("$(reboot); `x` 'y' \\ %s", "$(reboot); `x` 'y' \\ %s"),
    ("@/etc/passwd", "@/etc/passwd"), ("@@", "@@"), ("a=b", "a=b"),
    ('"b"', "b"), ('" q "', " q "), ('""b""', '"b"'), ("--target=x", "--target=x"),
    ("žluťoučký 日本", "žluťoučký 日本"), ('""', "")])
def test_a_text_is_taken_as_it_was_typed(house, person, typed, given):
    name = gives(house, person, "echo ok", "#: [param text]", "#: type = string",
                 "#: required = true")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").asks("text (", typed).asks("Start it now (", "y")
        seen.sees("It worked.")
        person.quits(seen)
    assert ran(house, person) == [(name, {"text": given})]


def test_choices_that_are_numbers_are_typed_as_they_are(house, person):
    name = gives(house, person, "echo ok", "#: [param port]", "#: type = choice",
                 "#: choices = 3, 2, 1")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").asks("Which one (", "1").sees("port: 1")
        seen.asks("Start it now (", "y").sees("It worked.")
        person.quits(seen)
    assert ran(house, person) == [(name, {"port": "1"})]


# Back and quit, anywhere

TWO = ["#: [param one]", "#: type = string", "#: [param two]", "#: type = string"]


def test_back_goes_a_question_back_and_keeps_what_was_answered(house, person):
    gives(house, person, "echo never", *TWO)
    with person.menu() as seen:
        seen.asks(QUESTION, "1").asks("one (", "first").asks("two (", "b")
        seen.asks("one (Enter for first, ", "").asks("two (", "second")
        seen.sees("one: first").asks("Start it now (", "B")
        seen.asks("two (Enter for second, ", "other")
        seen.sees("two: other").asks("Start it now (", "")
        seen.sees("Type y and press Enter").asks("Start it now (", "n")
        seen.sees("Nothing was started.").sees("Not run yet.")
        seen.asks(QUESTION, "1").asks("one (Enter to leave", "b").sees("Not run yet")
        person.quits(seen)
    assert ran(house, person) == []


def to_the_list(seen):
    return seen.sees("Which one (")


def to_a_question(seen):
    return seen.asks(QUESTION, "1").sees("one (")


def to_the_next(seen):
    return to_a_question(seen).types("x").sees("two (")


def to_the_plan(seen):
    return to_the_next(seen).types("x").sees("Start it now (")


def to_past_runs(seen):
    return seen.asks(QUESTION, "h").sees("Nothing was run yet.").sees("Which one (")


PLACES = [to_the_list, to_a_question, to_the_next, to_the_plan, to_past_runs]


@pytest.mark.parametrize("go", PLACES)
def test_q_and_ctrl_d_quit_anywhere_and_nothing_is_started(house, person, go):
    gives(house, person, "echo never", *TWO)
    for leave in (lambda seen: seen.types("q"), lambda seen: seen.presses("d")):
        with person.menu() as seen:
            leave(go(seen).sees(QUESTION)).ends(0)
        assert seen.text.count("never") == 0
    assert ran(house, person) == []


def test_ctrl_c_goes_back_from_anywhere_and_leaves_at_the_list(house, person):
    gives(house, person, "echo never", *TWO)
    with person.menu() as seen:
        to_the_plan(seen).sees(QUESTION).presses("c").sees("two (Enter for x")
        seen.sees(QUESTION).presses("c").sees("one (Enter for x").sees(QUESTION)
        seen.presses("c").sees("Which one (").sees(QUESTION).presses("c").ends(0)
    assert ran(house, person) == []


def test_what_was_typed_before_a_question_does_not_answer_it(house, person):
    gives(house, person, "echo never", *TWO)
    with person.menu() as seen:
        seen.asks(QUESTION, "1").asks("one (", "x\rx\ry\ry\r").sees("two (")
        seen.types("x").sees("Start it now (").sees(QUESTION)
        person.quits(seen.types(""))
    assert ran(house, person) == []


# Who is not in yet

def test_who_has_not_joined_is_led_there_and_told_who_invited_them(house, tmp_path):
    fresh = Person(house, tmp_path / "profile")
    email = f"{house.fresh('menu')}@example.org"
    given = invited(house, email)
    with fresh.menu() as seen:
        seen.sees("You have not joined on this computer yet.")
        seen.asks("Follow your invitation now (", "y")
        seen.asks("Verification code: ", "wrong").sees("That did not work: ")
        seen.asks("Enter to try again", "").asks("Follow your invitation", "y")
        seen.asks("Verification code: ", given)
        seen.sees("New password: ").presses("c")
        seen.asks("Follow your invitation now (", "y")
        seen.asks("Verification code: ", given)
        seen.asks("New password: ", PASSWORD, hidden=True)
        seen.asks("New password, again: ", PASSWORD, hidden=True)
        seen.sees(f"You are {email}.").sees("No command has been given to you yet.")
        seen.sees(f"{house.email_of('admin')} invited you")
        fresh.quits(seen)
    assert "broken off" not in seen.text
    assert "submit: " not in seen.text


def test_a_whole_first_day_needs_no_other_word_than_submit(house, tmp_path):
    runner = Person(house, tmp_path / "profile")
    del runner.env["ERRAND_BROKERS"]
    runner.email = f"{house.fresh('first-day')}@example.org"
    done = house.submit("user", "invite", runner.email, "--mfa")
    assert done.returncode == 0, done.stderr
    gives(house, runner, "echo hello", "#: description = Says hello")
    block = house.post.block(runner.email)
    early_in_step(15)
    with runner.menu(ROWS, COLUMNS) as seen:
        seen.asks("Follow your invitation now (", "y")
        seen.asks("Verification code: ", block)
        seen.asks("New password: ", PASSWORD, hidden=True)
        seen.asks("New password, again: ", PASSWORD, hidden=True)
        seen.sees("First code: ").types(code(scanned(seen, tmp_path)))
        seen.sees(f"Signed in as {runner.email}").sees(": Says hello")
        seen.asks(QUESTION, "1").asks("Start it now (", "y").sees("hello")
        seen.sees("It worked.").asks(QUESTION, "").asks(QUESTION, "o")
        seen.sees("Signed out.").ends(0)


def test_who_is_not_signed_in_is_led_there(house, person):
    gives(house, person, "echo hello")
    person.sign_out()
    with person.menu() as seen:
        seen.sees("You are not signed in.").sees(f"Password of {person.email}: ")
        assert seen.child.waitnoecho(PATIENCE)
        seen.presses("c").asks("Enter to try again", "")
        for _ in range(3):
            seen.asks("Password of ", OTHER, hidden=True)
        seen.sees("That did not work: ").sees(f"ask {house.email_of('admin')}.")
        seen.asks("Enter to try again", "")
        seen.asks("Password of ", PASSWORD, hidden=True)
        seen.sees("1  c").asks(QUESTION, "o").sees("Signed out.").ends(0)
    assert person.piped("whoami").returncode == 77


def test_a_session_that_ended_meanwhile_asks_for_the_password_and_goes_on(
        house, person):
    gives(house, person, "echo hello")
    with person.menu() as seen:
        seen.sees("Which one (")
        person.sign_out()
        seen.asks(QUESTION, "1").asks("Password of ", PASSWORD, hidden=True)
        seen.asks("Start it now (", "y").sees("It worked.")
        person.quits(seen)


def test_an_administrator_whom_nobody_confirmed_is_told_so(house, tmp_path):
    fresh = Person(house, tmp_path / "profile")
    fresh.email = f"{house.fresh('menu')}@example.org"
    fresh.joins(fresh.email, "administrator")
    with fresh.menu() as seen:
        seen.sees("That did not work: ").sees(f"ask {house.email_of('admin')}.")
        assert "waits to be confirmed by another administrator" in squeezed(seen)
        fresh.quits(seen)


def test_an_administrator_is_told_where_their_verbs_are(house, person):
    name = house.command("echo hello", "#: description = for administrators")
    admin = Person(house, house.env("admin")["ERRAND_PROFILE"])
    with admin.menu(rows=200) as seen:
        seen.sees("`submit help` tells what.").sees("Your commands:")
        seen.asks(QUESTION, name).asks("Start it now (", "y").sees("It worked.")
        admin.quits(seen)


def test_what_was_taken_away_meanwhile_is_told_and_nothing_starts(house, person):
    name = gives(house, person, "echo never")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").sees("Start it now (").sees(QUESTION)
        done = house.submit("assign", "remove", name, person.email)
        assert done.returncode == 0, done.stderr
        seen.types("y").sees("It was not started: no such thing, or not yours.")
        seen.asks(QUESTION, "").sees("No command has been given to you yet.")
        person.quits(seen)


def test_an_authorizer_that_is_away_is_told_and_asked_again(house, person):
    gives(house, person, "echo hello")
    pid = house.pid("authorizer-1")
    os.kill(pid, signal.SIGSTOP)
    try:
        with person.impatient(), person.menu() as seen:
            seen.sees("waiting for the authorizer's answer")
            seen.sees("That did not work: no answer within 6 s")
            os.kill(pid, signal.SIGCONT)
            seen.asks("Enter to try again", "").sees("Your command:")
            person.quits(seen)
    finally:
        os.kill(pid, signal.SIGCONT)


# Cards

def test_who_has_cards_enters_them_here_and_others_are_not_told(
        house, person, tmp_path):
    if house.submit("billing", "init", "--out", str(tmp_path / "billing.key"),
                    "--billing-password-file",
                    str(secret(tmp_path / "billing", OTHER))).returncode != 0:
        pytest.fail("no billing key")
    payer = Person(house, tmp_path / "payer")
    payer.email = f"{house.fresh('menu')}@example.org"
    payer.joins(payer.email, "runner_billing")
    with payer.menu() as seen:
        seen.asks("c payment cards, ", "c").sees("You have no payment card here.")
        seen.asks(QUESTION, "a").sees("never the code on its back")
        index = seen.child.expect_exact(["Password of ", "Card number: "])
        if index == 0:
            seen.types(PASSWORD).sees("Card number: ")
        seen.presses("c").asks("(a add a card, ", "a")
        index = seen.child.expect_exact(["Password of ", "Card number: "])
        if index == 0:
            seen.types(PASSWORD).sees("Card number: ")
        seen.types("4242 4242 4242 4242").asks("Name on the card: ", "Vera Fox")
        seen.asks("Expires (MM/YY): ", "12/39").sees("is added")
        seen.sees("1  Visa ending in 4242, good until 12/2039: the one that is charged")
        seen.asks(QUESTION, "b").sees("No command has been given")
        payer.quits(seen)
    assert b"4242 4242 4242 4242" not in seen.bytes.split(b"Name on the card")[1]
    with person.menu() as seen:
        seen.asks(QUESTION, "c").sees("'c' can't be chosen here.")
        person.quits(seen)
    assert "card" not in seen.text


def secret(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


# What a screen shows

def test_many_commands_come_in_pages_that_fit_the_screen(house, person):
    words = "what it does, in rather more words than fit one line of eighty columns"
    names = [gives(house, person, "echo hello", f"#: description = {words} {words}")
             for _ in range(9)]
    with person.menu() as seen:
        seen.sees("These are 1 to ").asks("n next page, q quit): ", "n")
        seen.sees(" of 9.").sees(QUESTION)
        page = seen.text[seen.text.index("n next page"):]
        assert len(page.splitlines()) <= 24 and "9  " + names[8] not in page
        seen.types("n").sees(f"9  {names[8]}").asks("p page before, q quit): ", "p")
        seen.sees(QUESTION).types("1").sees(names[0]).asks("Start it now (", "n")
        seen.sees("These are 1 to").asks(QUESTION, "10").sees("can't be chosen here")
        person.quits(seen)
    for line in seen.text.splitlines():
        assert len(line) <= 80, line


def test_what_others_wrote_moves_nothing_on_the_screen(house, person):
    gives(house, person, "printf '\\033[2J\\033]0;x\\007'",
          "#: description = harmful \u202e here", "#: [param a]", "#: type = string",
          "#: help = \u2066 turned")
    with person.menu() as seen:
        seen.asks(QUESTION, "1").asks("a (", "").asks("Start it now (", "y")
        seen.sees("It worked.")
        person.quits(seen)
    assert PLAIN.fullmatch(seen.bytes)
    for text in ("\u202e", "\u2066"):
        assert text.encode() not in seen.bytes


# Where nobody sits at a terminal

def test_without_a_terminal_submit_alone_asks_nothing(person):
    done = person.piped()
    assert (done.returncode, done.stdout) == (64, "")
    assert "submit help" in done.stderr
