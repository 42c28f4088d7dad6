# swap.py: another run of the same user, that is in the directory of the first one
# (`home`) while that is removed: it swaps directories for links to `kept`, all the
# time, and makes new ones.
EXCHANGE, RENAMEAT2 = 2, 316


def exchange(one, other):
    LIBC.renameat2(-100, one, -100, other, EXCHANGE)


while not os.path.exists(given("meet") + "/ready"):
    time.sleep(0.01)
os.chdir(given("home"))
print("in", flush=True)
open(given("meet") + "/in", "w").close()
end = time.monotonic() + float(given("seconds"))
n = 0
while time.monotonic() < end:
    for i in range(50):
        exchange(b"d%d" % i, b"l%d" % i)
    n += 1
    try:
        os.mkdir(f"n{n}")
        os.mkdir(f"n{n}/m")
        os.symlink(given("kept"), f"n{n}/l")
    except OSError:
        pass
