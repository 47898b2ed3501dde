"""What every test may ask for."""

import os
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["tests.support.command_line", "tests.support.postgres", "tests.support.providers"]

# Generated cases take as long as a busy machine needs; a failing one prints how to repeat it.
hypothesis.settings.register_profile("steadystate", deadline=None, print_blob=True)
hypothesis.settings.load_profile("steadystate")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real logs that imports are held against."""
    folder = os.environ.get("STEADYSTATE_TEST_DATA")
    if not folder:
        pytest.skip("real logs: set STEADYSTATE_TEST_DATA to the folder that holds them")
    return Path(folder)
