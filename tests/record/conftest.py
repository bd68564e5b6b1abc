from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    return Path("/work/shared")
