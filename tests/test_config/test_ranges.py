"""What numbers settings may have, in words."""

from mmcgan.config.ranges import Range


def test_a_bound_is_said_with_all_of_its_digits():
    assert (
        str(Range(least=0, most=2**32 - 1, whole=True))
        == "a whole number of at least 0 and at most 4294967295"
    )
    assert str(Range(least=0.5, most=1)) == "a number of at least 0.5 and at most 1"
