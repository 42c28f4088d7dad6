"""post.py: mail as the other end sees it: the stack's sink, and an SMTP server of
a test's own that misbehaves as it is told.

aiosmtpd is the server, Python's email package reads what came: the product's own
code on neither side.
"""
import asyncio
import email
import email.policy
import re
import ssl
import subprocess

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

import overheard
from lone import until


def parsed(data):
    return email.message_from_bytes(data, policy=email.policy.default)


def plain(mail):
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def block(mail):
    """What is to be pasted, as it stands in the mail; or None. Its code is a secret
    from then on."""
    found = re.search("^-+BEGIN ERRAND.*?^-+END.*?$", plain(mail), re.M | re.S)
    if found is None:
        return None
    for code in overheard.CODE.findall(found.group(0)):
        overheard.keep_code(code)
    return found.group(0) + "\n"


class Sink:
    """The folder of ops/dev/mail.py."""

    def __init__(self, folder):
        self.folder = folder
        self.read = {}  # path: (its address, its mail); a mail never changes

    def files(self):
        return sorted(self.folder.glob("[0-9]*.eml"))

    def mail(self, path):
        if path not in self.read:
            mail = parsed(path.read_bytes())
            self.read[path] = mail["X-Rcpt-To"], mail
        return self.read[path]

    def mails(self, address, subject=""):
        """All that came to this address, the oldest first."""
        found = map(self.mail, self.files())
        return [mail for to, mail in found if to == address
                and subject in mail["Subject"]]

    def awaited(self, address, subject="", nth=1):
        """The nth to this address, once it is there."""
        return until(f"a mail to {address}",
                     lambda: self.mails(address, subject)[nth - 1:])[0]

    def block(self, address, nth=1):
        """Of the nth mail that brought one."""
        return block(until(f"a code for {address}", lambda: [
            mail for mail in self.mails(address)
            if "BEGIN ERRAND INVITATION" in plain(mail)][nth - 1:])[0])

    def code(self, address, nth=1):
        return re.search("^code = (.*)$", self.block(address, nth),
                         re.M).group(1)


def certificate(folder):
    """(certificate, key) of a server 127.0.0.1, signed by itself."""
    files = folder / "smtp.crt", folder / "smtp.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", files[1], "-out", files[0]],
        check=True, capture_output=True)
    return files


class Server:
    """An SMTP server; `faults` are what befalls the next mails, one each:

      "4xx rcpt", "5xx rcpt", "4xx data", "5xx data": it says so
      "dies before": the connection is cut while the text comes
      "dies after": it is cut when the text was taken, without a word
      "slow": no word at all
    """

    def __init__(self, port, tls=None, credentials=None):
        self.port, self.credentials = port, credentials
        self.faults, self.took, self.tried, self.logins = [], [], 0, 0
        self.put_off = None  # how addresses begin that wait
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
        self.options = {"tls_context": context, "require_starttls": bool(tls)}
        if credentials:
            self.options.update(authenticator=self.authenticate,
                                auth_required=True)
        self.controller = None

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        self.logins += 1
        good = (data.login.decode(), data.password.decode()) == self.credentials
        return AuthResult(success=good, handled=False)

    def __enter__(self):
        server = self

        class Own(Controller):
            def factory(self):
                return SMTP(server, hostname="sink.example",
                            timeout=30, **server.options)

        self.controller = Own(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()
        return self

    def __exit__(self, *_what):
        self.controller.stop()

    def fault(self, *kinds):
        """The next one, if it is of these."""
        if self.faults and self.faults[0] in kinds:
            return self.faults.pop(0)
        return None

    async def handle_RCPT(self, server, _session, envelope, address, _options):
        self.tried += 1
        fault = self.fault("4xx rcpt", "5xx rcpt", "slow", "dies before")
        if self.put_off and address.startswith(self.put_off):
            return "450 4.2.0 grey"
        if fault == "4xx rcpt":
            return "451 4.7.1 come back later"
        if fault == "5xx rcpt":
            return "550 5.1.1 no such user"
        if fault == "slow":
            await asyncio.sleep(20)
        if fault == "dies before":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 go on"

    async def handle_DATA(self, server, _session, envelope):
        fault = self.fault("4xx data", "5xx data", "dies after")
        if fault == "4xx data":
            return "452 4.3.1 no room"
        if fault == "5xx data":
            return "554 5.7.1 not this"
        self.took.append(envelope.content)
        if fault == "dies after":
            server.transport.abort()
        return "250 taken"

    def ids(self):
        return {parsed(data)["Message-ID"] for data in self.took}
