#!/usr/bin/python3
"""inside.py DIRECTORY ARGV…: runs a program as the owner of a directory.

PostgreSQL refuses to run as root. Where root asks, the program becomes the
directory's owner, and reaches it through a descriptor that root opened: so it
works, too, below a directory that only root may enter. Where the owner is root
(a container that has no other user), a user namespace gives root another name.
`{}` in an argument is the directory. Others than root simply run the program.
"""
import os
import sys

NAMELESS = 1000  # what root is called inside its namespace


def main(directory, *argv):
    path = directory
    if os.geteuid() == 0:
        opened = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        owner = os.fstat(opened)
        if owner.st_uid == 0:
            argv = ("unshare", f"--map-user={NAMELESS}", "--") + argv
        else:
            os.set_inheritable(opened, True)
            path = f"/proc/self/fd/{opened}"
            os.fchdir(opened)
            os.setgroups([])
            os.setgid(owner.st_gid)
            os.setuid(owner.st_uid)
    os.execvp(argv[0], [a.replace("{}", path) for a in argv])


if __name__ == "__main__":
    main(*sys.argv[1:])
