"""conftest.py: one stack for all end-to-end tests, beside a running demo.

ERRAND_TEST_HOME says where it lives (build/e2e); ERRAND_TEST_KEEP=1 leaves it
up for the next time. Its passwords are cheap to try: it is a test stack."""
import os

import pytest

import canary
import house as house_module
import overheard

os.environ["ERRAND_TEST_LOCK_COST"] = "low"
# Nobody waits long for what is lost: the daemons of this stack are impatient.
for name, value in {"EXECUTOR_HEARTBEAT": "1s", "SCHEDULER_SILENT": "4s",
                    "SCHEDULER_LOST": "5s"}.items():
    os.environ.setdefault(f"ERRAND_CONF_{name}", value)


overheard.listen()


def pytest_configure(config):
    config.addinivalue_line("markers", "last: after all others: it looks back")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


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
