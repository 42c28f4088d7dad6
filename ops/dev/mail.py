#!/usr/bin/python3
"""mail.py DIRECTORY PORT: an SMTP server that puts each message into a file.

Whoever they are addressed to, on 127.0.0.1 only; NNNNNN.eml, whole from the
moment that it is there, with the envelope's sender and recipients on top.
"""
import asyncio
import itertools
import os
import pathlib
import signal
import sys

from aiosmtpd.smtp import SMTP

SIZE_MAX = 32 << 20


class Sink:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        there = [int(p.stem) for p in self.directory.glob("[0-9]*.eml")]
        self.numbers = itertools.count(max(there, default=0) + 1)

    async def handle_DATA(self, _server, _session, envelope):
        to = ", ".join(envelope.rcpt_tos)
        top = f"X-Mail-From: {envelope.mail_from}\r\nX-Rcpt-To: {to}\r\n"
        path = self.directory / f"{next(self.numbers):06}.eml"
        new = path.with_suffix(".new")
        new.write_bytes(top.encode() + envelope.content)
        new.rename(path)
        print(f"{path.name}: to {to}", flush=True)
        return "250 kept"


async def main(directory, port):
    sink, loop = Sink(directory), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(sink, data_size_limit=SIZE_MAX, loop=loop),
        "127.0.0.1", int(port))
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    print(f"listening on 127.0.0.1:{port}", flush=True)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(main(*sys.argv[1:]))
