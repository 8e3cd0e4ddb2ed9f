"""What README, pages and configs tell people to type is accepted by the commands as they are."""

import re

import pytest

from mmcgan.cli import COMMANDS, command_parser
from mmcgan.config import all_configs
from mmcgan.weights import read_index
from tests.test_cli.documented import ROOT, shown_commands

SHOWN = shown_commands()
PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*")
#: arguments that name a config or a trained generator
NAMES = ("config", "configs", "model", "dataset", "data", "source", "weights")


def known_names():
    from mmcgan.extractor_training.train_classifier import RECIPES
    from mmcgan.extractor_training.train_segmenter import SEGMENTER_RECIPES
    from mmcgan.zoo import published_records

    plugins = [file.stem for file in ROOT.glob("projects/**/configs/*.py")]
    configs = [file.stem for file in all_configs()]
    return {*configs, *plugins, *read_index(), *published_records(), *RECIPES, *SEGMENTER_RECIPES}


def commands_of_plugins():
    """Return the commands that the plugins of the repository bring, which are not installed here."""
    texts = [file.read_text(encoding="utf-8") for file in ROOT.glob("projects/*/pyproject.toml")]
    sections = re.findall(
        r'\[project\.entry-points\."mmcgan\.commands"\]\n((?:[^\[\n].*\n)+)', "\n".join(texts)
    )
    return {line.partition("=")[0].strip() for section in sections for line in section.splitlines()}


def test_there_is_something_to_check():
    pages = {shown.page for shown in SHOWN}
    assert {"README.md", "docs/icgan.md", "docs/evaluation/reference_statistics.md"} <= pages
    assert any(page.startswith("configs/") for page in pages)
    # the usual ways of calling them
    assert {"tools/check_parity.py", "tools/dist_train.sh"} <= {shown.script for shown in SHOWN}


@pytest.mark.parametrize("shown", SHOWN, ids=str)
def test_a_shown_command_can_be_typed(shown, capsys):
    if shown.script is not None:
        assert (ROOT / shown.script).is_file()
    if not shown.words:
        return
    name, *arguments = shown.words
    if name in commands_of_plugins():
        return
    assert name in COMMANDS, f"no command {name}"
    try:
        parsed = command_parser(name).parse_args(arguments)
    except SystemExit:
        pytest.fail(capsys.readouterr().err)
    options = getattr(parsed, "cfg_options", [])
    assert all(PLACEHOLDER.fullmatch(option) or "=" in option for option in options)


def test_a_shown_name_exists():
    known, missing = known_names(), []
    for shown in SHOWN:
        if not shown.words or shown.words[0] in commands_of_plugins():
            continue
        if shown.words[0] == "convert":  # which takes the files of other people
            continue
        page = (ROOT / shown.page).read_text(encoding="utf-8")
        parsed = vars(command_parser(shown.words[0]).parse_args(shown.words[1:]))
        given = [parsed[key] for key in NAMES if parsed.get(key) is not None]
        for value in (each for entry in given for each in (entry if isinstance(entry, list) else [entry])):
            made = re.search(rf"^[^|`]*`+{re.escape(value)}`", page, flags=re.M) or page.count(value) > 1
            is_file = "/" in value or "." in value
            if PLACEHOLDER.fullmatch(value) or value in known or (is_file and made):
                continue
            if not (ROOT / value).exists() and not re.search(r"\.(pth|safetensors)$", value):
                missing.append(f"{shown}: {value}")
    assert not missing, "\n".join(missing)


def test_the_readme_shows_commands_under_their_groups():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    headings = [text.index(f"# {group}\n") for group in dict.fromkeys(c.group for c in COMMANDS.values())]
    assert headings == sorted(headings)
    for shown in SHOWN:
        if shown.page == "README.md" and shown.words and "&&" not in shown.text:
            place = text.index(shown.text)
            if place > headings[0]:
                heading = text.rfind("\n# ", 0, place)
                assert text[heading + 3 :].split("\n")[0] == COMMANDS[shown.words[0]].group, shown
