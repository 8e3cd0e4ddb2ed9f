"""What .ci/run repeats for older processors."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def older_processor_tests():
    lines = (ROOT / ".ci" / "older_processor_tests").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_repeated_tests_are_there():
    listed = older_processor_tests()
    assert all((ROOT / path).exists() for path in listed)
    assert {"tests/test_parity/test_golden.py", "tests/test_engine/test_resume.py"} <= set(listed)


def test_the_plugin_lives_in_an_environment_of_its_own():
    assert "-m slow tests/test_plugins/test_example_plugin.py" in (ROOT / ".ci" / "run").read_text()


def test_the_script_is_sound():
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
