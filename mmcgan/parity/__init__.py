"""Agreement with the peers' own numbers: golden cases, checkers and their table."""

from mmcgan.parity.cases import CorruptCase, GoldenCase, find_cases, load_case
from mmcgan.parity.compare import Comparison, Tolerance
from mmcgan.parity.runner import Record, Unsupported, check_directory, check_file, checker

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
