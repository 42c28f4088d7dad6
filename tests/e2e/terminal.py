"""terminal.py: submit at a terminal: pexpect types, pyte shows what is seen.

A terminal is a person's: what is typed after a question, what the screen holds
then, how it ended. Waiting is for a text to appear, with a bound.
"""
import os
import termios

import pexpect
import pyte

import canary
from house import BIN, until

ROWS, COLUMNS = 30, 100
PATIENCE = 20


class Terminal:
    """submit with these words, at a terminal of its own."""

    def __init__(self, *words, environment, begin=None, rows=ROWS, columns=COLUMNS):
        def start():
            """Before it runs: pexpect says how large a terminal is when it runs already."""
            termios.tcsetwinsize(0, (rows, columns))
            if begin is not None:
                begin()

        self.bytes = b""
        self.screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(
            str(BIN / "submit"), list(words), dimensions=(rows, columns),
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color",
                 "LANG": "C.UTF-8", "TZ": "UTC", **environment},
            preexec_fn=start, timeout=PATIENCE)
        self.child.delaybeforesend = None
        self.child.logfile_read = self

    def write(self, data):
        """What pexpect has read."""
        self.bytes += data
        self.stream.feed(data)

    def flush(self):
        """As pexpect's log files want."""

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        self.child.close(force=True)

    def sees(self, text):
        """Waits until text appears, after what was waited for before."""
        try:
            self.child.expect_exact(text)
        except pexpect.ExceptionPexpect:
            raise AssertionError(
                f"{text!r} never came; the screen:\n{self.text}") from None
        return self

    def types(self, line):
        """A line, and Enter."""
        self.child.sendline(line)
        return self

    def asks(self, question, answer, hidden=False):
        """Sees a question, answers it; hidden where nothing may be echoed."""
        self.sees(question)
        if hidden:
            assert self.child.waitnoecho(PATIENCE), "the terminal echoes"
            canary.keep("password", answer)
        return self.types(answer)

    def listens(self):
        """Waits until it reads. A key in the moment between a hidden question and that
        is lost (readpassphrase(3)); a person is not so quick."""
        number = "0" if os.uname().machine == "x86_64" else "63"  # of read()
        def reads():
            with open(f"/proc/{self.child.pid}/syscall", encoding="ascii") as file:
                return file.read().split()[0] == number
        until("it reads", reads)
        return self

    def presses(self, key):
        """A control key, such as `c`."""
        self.child.sendcontrol(key)
        return self

    def ends(self, status):
        """Waits for the end, which has this exit status."""
        try:
            self.child.expect(pexpect.EOF)
        except pexpect.TIMEOUT:
            raise AssertionError(f"it goes on:\n{self.text}") from None
        self.child.wait()
        assert self.child.exitstatus == status, \
            f"{self.child.exitstatus or self.child.signalstatus}:\n{self.text}"
        return self

    @property
    def text(self):
        """What a person has seen so far, scrolled lines too."""
        above = ["".join(row[x].data for x in range(COLUMNS)).rstrip()
                 for row in self.screen.history.top]
        return "\n".join(above + [row.rstrip() for row in
                                  self.screen.display]).rstrip()
