import math

import pytest
import torch

from tests.parity import Comparison, Tolerance
from tests.parity.compare import relative_error

LOOSE = Tolerance(rtol=0.1, atol=0.2)


@pytest.mark.parametrize(
    ("ours", "theirs", "agree"),
    [
        (1.0, 1.0, True),
        (10.0 + 1.19, 10.0, True),  # atol + rtol * |theirs| = 1.2
        (10.0 + 1.21, 10.0, False),
        (0.19, 0.0, True),
        (0.21, 0.0, False),
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (1.0, math.nan, False),
        (math.inf, math.inf, True),
        (-math.inf, math.inf, False),
    ],
)
def test_agreement_is_atol_plus_rtol_times_the_peers_value(ours, theirs, agree):
    error = relative_error(torch.tensor([ours]), torch.tensor([theirs]), LOOSE)
    assert (error <= LOOSE.rtol) is agree


def test_other_shapes_never_agree():
    assert relative_error(torch.zeros(2), torch.zeros(3), LOOSE) == math.inf


def test_a_column_equals_a_vector_but_a_matrix_does_not():
    comparison = Comparison()
    comparison.equal("column", torch.ones(3), torch.ones(3, 1))
    comparison.equal("matrix", torch.ones(6), torch.ones(2, 3))
    assert [measured.ok for measured in comparison.measured] == [True, False]


def test_failures_are_sorted_in_units_of_their_own_tolerance():
    comparison = Comparison()
    comparison.equal("loose", 1.3, 1.0, Tolerance(0.1, 1e-9))
    comparison.equal("fine", 1.05, 1.0, Tolerance(0.1, 1e-9))
    comparison.equal("tight", 1.001, 1.0, Tolerance(1e-4, 1e-9))
    assert [failure.name for failure in comparison.failures] == ["tight", "loose"]


def test_a_key_we_lack_fails():
    comparison = Comparison()
    comparison.equal_all("state ", {}, {"weight": torch.zeros(1)})
    assert [failure.name for failure in comparison.failures] == ["state weight"]
