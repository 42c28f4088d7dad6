"""conftest.py: one stack for all end-to-end tests, beside a running demo.

ERRAND_TEST_HOME says where it lives (build/e2e); ERRAND_TEST_KEEP=1 leaves it
up for the next time. Its passwords are cheap to try: it is a test stack.
ERRAND_TEST_SHARE names a folder by which several pytests share the files: each
runs those that it was the first to take, and `last` ones in any case."""
import contextlib
import itertools
import os
import pathlib

import pytest

import canary
import house as house_module
import overheard

os.environ["ERRAND_TEST_LOCK_COST"] = "low"
# Nobody waits long for what is lost: the daemons of this stack are impatient.
for name, value in {"EXECUTOR_HEARTBEAT": "1s", "SCHEDULER_SILENT": "4s",
                    "SCHEDULER_LOST": "5s", "AUTHORIZER_RETENTION": "1s"}.items():
    os.environ.setdefault(f"ERRAND_CONF_{name}", value)


overheard.listen()


def pytest_configure(config):
    config.addinivalue_line("markers", "last: after all others: it looks back")


def pytest_collection_modifyitems(items):
    items.sort(key=is_last)


def is_last(item):
    return item.get_closest_marker("last") is not None


def taken(path):
    """True where this pytest is the first to take that file."""
    share = os.environ.get("ERRAND_TEST_SHARE")
    if share is None:
        return True
    with contextlib.suppress(FileExistsError):
        (pathlib.Path(share) / path.name).touch(exist_ok=False)
        return True
    return False


def our_own(items):
    """A file is taken when its turn comes."""
    ours = {}
    for (path, last), group in itertools.groupby(
            items, lambda item: (item.path, is_last(item))):
        if not last and path not in ours:
            ours[path] = taken(path)
        if last or ours[path]:
            yield from group


def pytest_runtestloop(session):
    """As pytest's own, but for the choice."""
    if session.testsfailed or session.config.option.collectonly:
        return None
    item, rest = None, our_own(session.items)
    for following in itertools.chain(rest, [None]):
        if item is not None:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.shouldstop:
                raise session.Failed(session.shouldfail or session.shouldstop)
        item = following
    return True


@pytest.fixture(scope="session")
def watch():
    """Sees the processes of the whole session."""
    eyes = canary.Watch(house_module.HOME / "run/supervisor.pid")
    eyes.start()
    yield eyes
    eyes.stop()


@pytest.fixture(scope="session")
def brokers_up(watch):
    house_module.stack("up")
    yield
    if os.environ.get("ERRAND_TEST_KEEP") != "1":
        house_module.stack("down")


@pytest.fixture(scope="session")
def house(brokers_up):
    here = house_module.House()
    yield here
    here.close()


@pytest.fixture(scope="session")
def brokers(brokers_up):
    return house_module.exported(house_module.stack("env"))["ERRAND_BROKERS"]
