"""What a project on GitHub and PyPI is expected to have agrees with itself."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from mmcgan.cli import COMMANDS
from mmcgan.version import __version__

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_the_citation_names_this_version_and_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__ and citation["license"] == "Apache-2.0"
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


def test_the_changelog_has_this_version_or_what_comes_after_it():
    headings = re.findall(r"^## \[?([^\]\n]+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    assert headings[0].startswith("Unreleased") or headings[0].startswith(__version__)


def test_the_workflow_runs_the_script_that_people_run():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step.get("run", "") for step in workflow["jobs"]["checks"]["steps"]]
    assert ".ci/run" in steps
    assert workflow["permissions"] == {"contents": "read"}
    oldest = re.search(r'python_requires=">=([\d.]+)"', (ROOT / "setup.py").read_text()).group(1)
    assert oldest in workflow["jobs"]["checks"]["strategy"]["matrix"]["python"]


@pytest.mark.parametrize(
    "path", [p for p in TEMPLATES if p.name not in ("config.yml", "feature.yml")], ids=lambda p: p.stem
)
def test_reports_of_faults_come_with_what_doctor_says(path):
    fields = yaml.safe_load(path.read_text())["body"]
    (doctor,) = [field for field in fields if field["id"] == "doctor"]
    assert "mmcgan doctor" in str(doctor["attributes"]) and doctor["validations"]["required"]
    assert "doctor" in COMMANDS


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_an_image_installs_extras_that_there_are_and_is_no_root(name):
    text = (ROOT / "docker" / f"{name}.Dockerfile").read_text()
    extras = re.search(r"^ARG EXTRAS=(.*)$", text, flags=re.M).group(1).split(",")
    setup = (ROOT / "setup.py").read_text()
    assert all(f'"{extra}":' in setup for extra in extras)
    assert re.findall(r"^USER (\w+)$", text, flags=re.M) == ["user"]
    assert 'ENTRYPOINT ["mmcgan"]' in text
    # what it copies must not be shut out
    assert not {"setup.py", "README.md", "mmcgan", "configs", "tools"} & set(
        (ROOT / ".dockerignore").read_text().split()
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_shells_complete_every_command_and_its_options(shell, capsys):
    pytest.importorskip("shtab", reason="the extra completion is not installed")
    from mmcgan.cli import main

    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in COMMANDS)
    assert "--truncation" in script or shell == "tcsh"


#: what is typed, and one of the words that a shell offers
TYPED = {
    "mmcgan ne": "new",
    "mmcgan sample --tr": "--truncation",
    "mmcgan train --tra": "--track",
    "mmcgan new photos --h": "--hours",
}
COMPLETE = """
source "$1"
words=($2)
COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
called=$(complete -p mmcgan | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$called" mmcgan "${words[-1]}" "${words[-2]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("typed", TYPED)
def test_bash_completes_what_is_typed(typed, tmp_path, capsys):
    pytest.importorskip("shtab", reason="the extra completion is not installed")
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    from mmcgan.cli import main

    assert main(["completion", "bash"]) == 0
    script = tmp_path / "mmcgan.bash"
    script.write_text(capsys.readouterr().out)
    done = subprocess.run(
        ["bash", "-c", COMPLETE, "-", str(script), typed], capture_output=True, text=True, check=True
    )
    assert TYPED[typed] in done.stdout.split() and done.stderr == ""


def test_one_parser_knows_every_command():
    from mmcgan.commands.completion import whole_parser

    given = whole_parser().parse_args(["sample", "biggan_digits-16", "--num", "3"])
    assert given.command == "sample" and given.num == 3


def test_without_the_library_the_extra_is_named(monkeypatch, capsys):
    import sys

    from mmcgan.cli import main

    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert 'pip install "mmcgan[completion]"' in capsys.readouterr().err
