"""Agreement with the peers' own numbers: golden cases, checkers and their table."""

import tests.parity.spade_parts  # noqa: F401
from tests.parity.cases import CorruptCase, GoldenCase, find_cases, load_case
from tests.parity.compare import Comparison, Tolerance
from tests.parity.runner import Record, Unsupported, check_directory, check_file, checker

__all__ = [
    "Comparison",
    "CorruptCase",
    "GoldenCase",
    "Record",
    "Tolerance",
    "Unsupported",
    "check_directory",
    "check_file",
    "checker",
    "find_cases",
    "load_case",
]
