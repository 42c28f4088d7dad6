# litter.py: a child that leaves traps in its directory for whoever removes it:
# links to `kept`, hard links to a file in it, names that mean something, and
# `moved`, a directory of its own in which there is somebody else's.
import socket

kept, moved = given("kept"), given("moved")
os.rename(moved, "moved")
for name in ("link", ".errand-0", "-rf", "a\nb", " ", "\u202e", "x" * 255, "*"):
    os.symlink(kept, name)
os.symlink("/etc", "etc")
os.symlink(".", "loop")
os.symlink("..", "above")
os.link(kept + "/file", "hard")
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
for n in range(3):
    os.makedirs(f"deep{n}/b/c")
    os.symlink(kept, f"deep{n}/link")
    os.link(kept + "/file", f"deep{n}/b/c/hard")
    os.mkdir(f"deep{n}/.errand-{n}")
    os.chmod(f"deep{n}/b", 0)
    os.chmod(f"deep{n}", 0)
for n in range(300):
    os.mkdir("d")
    os.chdir("d")
os.chmod("..", 0)
os.chmod(os.environ["HOME"], 0o777)
