"""Arrays of other libraries: scipy reads its switch once, so the tests need their own process."""

import os
import subprocess
import sys
from pathlib import Path


def test_arrays_of_other_libraries():
    cases = Path(__file__).with_name("_array_api_cases.py")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(cases)],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-5000:]
