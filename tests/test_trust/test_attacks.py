"""Files made to attack their readers end in a sentence, or do nothing."""

import pytest

from tests.test_trust.reports import report_of

#: says nothing that anybody would act on: text, facts about the run, a member that nobody reads, settings of
#: somebody else's beside weights, which then have to say it all; numbers of a byte, which are numbers
HARMLESS = (
    *("config \"a = '{{{{ fileDirname", "meta ", "zip attack/link", "settings "),
    "tensor of one byte exported",
)


pytestmark = pytest.mark.broad  # hundreds of files: half a minute of processes


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return report_of("run_attacks", tmp_path_factory.mktemp("attacks"))


def test_nothing_runs_and_nothing_elsewhere_is_opened(report):
    assert len(report) > 250
    assert [call["case"] for call in report if call["ran"]] == []
    assert {call["case"]: call["violations"] for call in report if call["violations"]} == {}


def test_attacks_end_in_a_sentence(report):
    assert {call["case"]: call["text"] for call in report if call["ended"] is None} == {}
    quiet = [call["case"] for call in report if call["ended"] == "harmless"]
    assert [case for case in quiet if not case.startswith(HARMLESS)] == []


def test_sentences_are_short_and_give_no_dangerous_advice(report):
    said = {call["case"]: call["text"] for call in report if call["ended"] == "sentence"}
    assert {case: text[:300] for case, text in said.items() if len(text) > 1000} == {}
    advice = ("weights_only", "allow_pickle", "arbitrary code")
    assert {case: text for case, text in said.items() if any(words in text for words in advice)} == {}
