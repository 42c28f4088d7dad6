"""test_as_signed.py: whatever is saved, changed and asked for at once, what an
executor runs is the version, the values and the targets that were signed.

Some commands, each edited again and again while runs of it are asked for; each
version has other bytes, parameters and words for its script. Edits and runs go to
the topic together, by two keys, so which version a run gets is a race; but it must
be one of those that were saved by then, and then it must be that one to the byte.
The script itself says what it found: it reads its own bytes, and writes them down
outside of everything. What was refused has left nothing there.

ERRAND_TEST_SEED=n plays another game (2026).
"""
import os
import random
import re

from client import sha256, unb64
from host import Host
from house import HOME, until
from test_parameters import HOSTILE

SEED = int(os.environ.get("ERRAND_TEST_SEED", 2026))
COMMANDS, ROUNDS, EDITS, RUNS = 3, 8, 4, 8
WITNESS = """#!/bin/sh
# {mark}
record=$(
    printf '%s\\n' "${{PWD%/*}}" "$(sha256sum /dev/fd/3 | cut -d ' ' -f 1)" $#
    for word in "$@"; do printf '%s' "$word" | od -An -v -tx1 | tr -d ' \\n'; echo; done
    env -0 | grep -z ^ERRAND_PARAM_ | sort -z | od -An -v -tx1 | tr -d ' \\n'
)
echo "$record" >>"{folder}/$ERRAND_RUN_ID $ERRAND_TARGET $ERRAND_ATTEMPT"
"""
# In order, each with one more than the one before.
PARAMETERS = ["text", "n", "how"]
WORDS = ["{text}", "--n={n}", "-- {how}", "{how}{text}", "{{n}}", "$ERRAND_PARAM_N", "*"]
PIECES = re.compile(r"\{\{|\}\}|\{(\w+)\}")


class Game:
    def __init__(self, house, folder, targets):
        self.house, self.folder, self.targets = house, folder, list(targets)
        self.places = targets  # where each has its private directories
        self.chance = random.Random(SEED)
        self.asker = house.asker()
        self.session = self.asker.open_session(house.admin)
        self.names = [house.fresh("signed") for _ in range(COMMANDS)]
        self.saved = {name: [] for name in self.names}  # accepted, oldest first
        self.runs = []     # (run.start, the versions that it may have got)
        self.refused = []  # run.start

    # What is asked

    def some(self, items, least=0):
        """A few of them, in their order."""
        n = self.chance.randint(least, len(items))
        return sorted(self.chance.sample(items, n), key=items.index)

    def value(self, name):
        return str(self.chance.randint(-99, 99)) if name == "n" \
            else self.chance.choice([h for h in HOSTILE if h and h.isprintable()])

    def parameter(self, name):
        how = self.chance.choice(["default", "fixed", None])
        return {"name": name, "type": "int" if name == "n" else "string",
                **({how: self.value(name)} if how else {})}

    def edit(self, name, last):
        """The next version of a command, after `last`."""
        script = WITNESS.format(mark=self.chance.random(), folder=self.folder)
        parameters = [self.parameter(p) for p in self.some(PARAMETERS)]
        known = {p["name"] for p in parameters}
        words = [w for w in self.some(WORDS) if known.issuperset(named(w))]
        return self.asker.command_request(
            self.house.admin, name, script.encode(), self.some(self.targets, 1),
            last.fields["version"] + 1 if last else 1,
            last.fields["command"] if last else None, last.hash if last else None,
            parameters=parameters, args=words)

    def run(self, name):
        """Mostly what the newest that is known would take."""
        newest = self.saved[name][-1].fields
        free = [p["name"] for p in newest["parameters"] if "fixed" not in p]
        given = self.some(free if self.chance.random() < 0.8 else PARAMETERS)
        return self.asker.run_request(
            self.session, newest["command"], self.some(newest["targets"], 1),
            {p: self.value(p) for p in given})

    def begin(self):
        first = [self.edit(name, None) for name in self.names]
        for name, save, reply in zip(self.names, first, self.asker.exchange_all(first)):
            assert reply.status == "accepted", reply
            self.saved[name].append(save)

    def play(self):
        """Edits and runs at once; then what has been said to each."""
        before = {n: len(saves) for n, saves in self.saved.items()}
        last = {n: saves[-1] for n, saves in self.saved.items()}
        asked = []
        for kind in self.chance.sample(["edit"] * EDITS + ["run"] * RUNS, EDITS + RUNS):
            name = self.chance.choice(self.names)
            if kind == "edit":
                last[name] = self.edit(name, last[name])
            asked.append((name, last[name] if kind == "edit" else self.run(name)))
        replies = self.asker.exchange_all([envelope for _, envelope in asked])
        took = [(n, e) for (n, e), r in zip(asked, replies) if r.status == "accepted"]
        self.refused += [e for (_, e), r in zip(asked, replies)
                         if r.status != "accepted" and e.type == "errand.run.start.v1"]
        for name, envelope in took:
            if envelope.type == "errand.command.save.v1":
                self.saved[name].append(envelope)
        self.runs += [(e, self.saved[n][before[n] - 1:]) for n, e in took
                      if e.type == "errand.run.start.v1"]

    # What was seen

    def witnessed(self):
        """{(run, target, attempt): what each start of it wrote}"""
        return {tuple(path.name.split(" ")): path.read_text()
                for path in self.folder.iterdir()}

    def ended(self):
        ids = [run.fields["id"] for run, _ in self.runs]
        return self.house.rows(
            "SELECT count(*) FILTER (WHERE outcome IS NULL) FROM execution_states"
            " WHERE run_id = ANY(%s::uuid[])", ids) == [(0,)]

    def record(self, run, save, target):
        """What a run of this version has to write down there."""
        values = {p["name"]: p[how] for p in save["parameters"]
                  for how in ("default", "fixed") if how in p} | run["arguments"]
        words = [expanded(w, values) for w in save["args"]]
        words = [w for w in words if w is not None]
        pairs = sorted(f"ERRAND_PARAM_{n.upper()}={v}\0".encode() for n, v in values.items())
        return "\n".join([self.places[target], sha256(unb64(save["script"])),
                          str(len(words)), *(w.encode().hex() for w in words),
                          b"".join(pairs).hex()]).rstrip("\n") + "\n"


def named(word):
    """The parameters that a word of `args` asks for."""
    return {name for name in PIECES.findall(word) if name}


def expanded(word, values):
    """A word of `args`; None: it asks for a value that there is none of."""
    if not named(word) <= set(values):
        return None
    return PIECES.sub(lambda m: values[m[1]] if m[1] else m[0][0], word)


def test_what_runs_is_the_version_and_the_values_that_were_signed(house, tmp_path):
    (tmp_path / "host").mkdir()
    (tmp_path / "seen").mkdir()
    host = Host(house, tmp_path / "host", slots=2).start()
    try:
        game = Game(house, tmp_path / "seen",
                    {"dev": f"{HOME}/state/executor-1/children",
                     host.target: f"{tmp_path}/host/{host.name}.state/children"})
        game.begin()
        for _ in range(ROUNDS):
            game.play()
        until("all has ended", game.ended, 60)
    finally:
        host.stop()
    seen = game.witnessed()
    hashes = dict(house.rows("SELECT id::text, encode(command_hash, 'hex') FROM runs WHERE id ="
                             " ANY(%s::uuid[])", [r.fields["id"] for r, _ in game.runs]))
    for run, versions in game.runs:
        got = hashes[run.fields["id"]]
        save = next(v for v in versions if v.hash == got)
        for target in run.fields["targets"]:
            wrote = seen.pop((run.fields["id"], target, "1"))
            assert wrote == game.record(run.fields, save.fields, target), \
                f"{run.payload} of {save.payload}"
    assert not seen
    assert len(game.runs) > len(game.refused) > 0
    # The race was one: some got a version that came after they were asked for.
    assert any(hashes[r.fields["id"]] != v[0].hash for r, v in game.runs)
