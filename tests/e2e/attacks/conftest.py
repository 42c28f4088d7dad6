"""conftest.py: where attacks are made from."""
import os
import pathlib
import shutil
import tempfile

import pytest

from besieged import Besieged


@pytest.fixture(scope="module")
def folder():
    """Which other users may go through, as pytest's own are not."""
    if os.geteuid() != 0:
        pytest.skip("becomes other users")
    path = pathlib.Path(tempfile.mkdtemp(prefix="errand-attacks-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def stronghold(brokers, folder):
    here = Besieged(brokers, folder)
    here.start(env={**os.environ, "BASH_ENV": "/dev/stdin", "IFS": "/", "CANARY": "sings"})
    yield here
    here.close()


@pytest.fixture
def besieged(stronghold):
    """No attack may forget to look at what must hold after it."""
    yield stronghold
    stronghold.holds()
