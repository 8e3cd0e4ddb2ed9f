"""Neighbours are those of a float64 search, in every corner."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from mmcgan.instances import arrays, matrix_units, ranking
from mmcgan.instances.arrays import RowArray, allocate, write_rows
from mmcgan.instances.matrix_units import MatrixUnitSearch
from mmcgan.instances.neighbours import NeighbourSearch, TensorRows, own_search_pays
from tests.test_neighbours.distributions import KINDS, pair


def brute_force(table):
    """Return every similarity in float64, that of a row with itself -infinity; summed by numpy."""
    wide = table.double().numpy()
    similarity = np.stack([(wide * row).sum(1) for row in wide])
    np.fill_diagonal(similarity, -np.inf)
    return similarity


def random_table(size, dim, seed=0, spread=1.5):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(max(1, size // 40), dim, generator=generator)
    choice = torch.randint(len(centres), (size,), generator=generator)
    return normalize((centres[choice] + spread * torch.randn(size, dim, generator=generator)).relu())


def search(table, k, **options):
    return NeighbourSearch(TensorRows(table), k, **options).search(0, len(table))


def assert_exact(found, table, k):
    """Similarities are the largest, to rounding; indices are theirs, equal images by ascending index."""
    similarity = brute_force(table)
    index = found.index.long().numpy()
    longest = float(table.double().norm(dim=1).max())
    rounding = 1e-14 * longest**2  # a sum of products that cancel has no relative precision
    given = np.take_along_axis(similarity, index, axis=1)
    best = -np.sort(-similarity, axis=1)[:, :k]
    np.testing.assert_allclose(given, best, rtol=1e-12, atol=rounding)
    np.testing.assert_allclose(found.similarity, given, rtol=1e-12, atol=rounding)
    assert not (index == np.arange(len(table))[:, None]).any()
    last = table.double()[torch.from_numpy(index[:, -1])]
    np.testing.assert_allclose(found.radius, (table.double() - last).norm(dim=1).float(), rtol=2e-7)
    _, same = np.unique(table.numpy(), axis=0, return_inverse=True)
    for own, row in enumerate(index.tolist()):
        assert len(set(row)) == k
        for place, column in enumerate(row):  # every equal image before this one comes before it
            assert set(np.flatnonzero(same[:column] == same[column])) - {own} <= set(row[:place])


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.sampled_from(KINDS),
    st.tuples(st.integers(2, 150), st.sampled_from([1, 2, 17, 64])),
    st.integers(0, 999),
    st.sampled_from([-110, -80, 0, 20, 63, 100]),
    st.sampled_from(["bfloat16", "float32"]),
    st.data(),
)
def test_whatever_the_vectors_are_like(kind, shape, seed, scale, precision, data):
    """Not of length 1 either: bounds are of no use then, results are exact all the same."""
    table = pair(kind, (shape[0], 2), shape[1], seed, 2.0**scale)[0]
    k = data.draw(st.integers(1, shape[0] - 1))
    assert_exact(search(table, k, precision=precision), table, k)


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_unit_vectors_of_every_kind(kind, precision):
    table = normalize(pair(kind, (300, 2), 32, 5)[0])
    assert_exact(search(table, 7, precision=precision, memory=1 << 19), table, 7)


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize(("size", "dim", "k"), [(2500, 200, 50), (70, 33, 5), (6, 3, 5), (3000, 8, 10)])
def test_neighbours_equal_brute_force(precision, size, dim, k):
    table = random_table(size, dim)
    assert_exact(search(table, k, precision=precision), table, k)


def test_little_memory_and_parts_give_the_same():
    table = random_table(2300, 64)
    whole = search(table, 10)
    small = NeighbourSearch(TensorRows(table), 10, memory=1 << 19)
    assert small.source.block_rows < 2300
    parts = [small.search(start, min(start + 700, 2300)) for start in range(0, 2300, 700)]
    assert torch.equal(torch.cat([part.index for part in parts]), whole.index)
    assert torch.equal(torch.cat([part.similarity for part in parts]), whole.similarity)


def test_equal_images_are_neighbours_in_order_of_their_index():
    table = random_table(300, 31)
    table[[40, 7, 200, 111, 250]] = table[100].clone()
    index = search(table, 5).index.tolist()
    assert index[100] == [7, 40, 111, 200, 250]
    assert index[7] == [40, 100, 111, 200, 250]


def test_all_images_equal():
    table = normalize(torch.ones(50, 7))
    assert search(table, 3).index[10].tolist() == [0, 1, 2]
    assert search(table, 3).index[1].tolist() == [0, 2, 3]


def test_more_equal_images_than_candidates_are_kept(monkeypatch):
    monkeypatch.setattr(matrix_units, "MAX_CANDIDATES", 20)
    table = random_table(200, 16)
    table[50:150] = table[0].clone()
    found = search(table, 105, precision="bfloat16")  # so many are wanted that all equal ones are searched
    assert found.uncertified >= 100
    assert_exact(found, table, 105)
    assert found.index[120].tolist()[:5] == [0, 50, 51, 52, 53]


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize("k", [3, 60])
def test_equal_images_in_all_places_and_parts(precision, k):
    generator = torch.Generator().manual_seed(0)
    some = random_table(100, 24)
    some[1] = 0
    choice = torch.cat([torch.arange(100), torch.arange(3).repeat_interleave(80)])
    table = some[choice[torch.randperm(len(choice), generator=generator)]]
    whole = search(table, k, precision=precision)
    assert_exact(whole, table, k)
    searcher, work = NeighbourSearch(TensorRows(table), k, precision=precision), []
    parts = [searcher.search(start, min(start + 90, 340), work.append) for start in range(0, 340, 90)]
    for name in ("index", "similarity", "radius"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    assert sum(work) == 340 * 340


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_ten_thousand_equal_images_are_not_compared_pair_by_pair(precision, monkeypatch):
    """A hundred million pairs, of which those of a few images are computed at all."""
    computed, original = [], ranking.pair_products

    def watched(table, query, row, column):
        computed.append(len(row))
        return original(table, query, row, column)

    for module in ("ranking", "neighbours"):
        monkeypatch.setattr(f"mmcgan.instances.{module}.pair_products", watched)
    table = torch.cat([normalize(torch.ones(10_000, 8)), random_table(200, 8)])
    searcher = NeighbourSearch(TensorRows(table), 5, precision=precision)
    assert searcher.size == 206
    found = searcher.search(0, len(table))
    assert found.index[9_999].tolist() == [0, 1, 2, 3, 4]
    assert found.index[3].tolist() == [0, 1, 2, 4, 5]
    assert sum(computed) < 206 * 206


def test_a_zero_vector_has_similarity_zero():
    table = random_table(60, 12)
    table[5] = 0
    found = search(table, 4)
    assert found.similarity[5].tolist() == [0, 0, 0, 0]
    assert found.index[5].tolist() == [0, 1, 2, 3]


def test_rows_without_a_proof_are_searched_in_float64(monkeypatch):
    table = random_table(1200, 64)
    monkeypatch.setattr(matrix_units, "SLACK", -0.02)  # far too few candidates
    found = search(table, 10, precision="bfloat16")
    assert found.uncertified > 0
    assert_exact(found, table, 10)


def test_negative_similarities():
    table = normalize(torch.tensor([[1.0, 0], [-1, 0.1], [0, 1], [-0.5, -1]]))
    assert_exact(search(table, 3), table, 3)


@pytest.mark.parametrize(("k", "message"), [(0, "at least 1"), (10, "at least 11 images, there are 10")])
def test_impossible_k(k, message):
    with pytest.raises(ValueError, match=message):
        search(random_table(10, 4), k)


@pytest.mark.parametrize("start", [0, 64, 192])
def test_products_inside_a_range_are_shared(monkeypatch, start):
    monkeypatch.setattr(matrix_units, "QUERY_ROWS", 64)
    monkeypatch.setattr(matrix_units, "BLOCK_ROWS", 256)
    monkeypatch.setattr(matrix_units, "GROUP", 8)
    table = random_table(900, 48)
    wanted = NeighbourSearch(TensorRows(table), 3, precision="float32").search(0, 900)
    search = NeighbourSearch(TensorRows(table), 3, precision="bfloat16")
    assert search.source._shared_from(start, 900) < 900
    work = []
    found = search.search(start, 900, work.append)
    assert torch.equal(found.index, wanted.index[start:])
    assert sum(work) == 900 * (900 - start)


def test_a_table_on_disk_is_searched_and_handed_back(tmp_path, monkeypatch):
    """More is read than may stay: pages are released, similarities are those of the table in memory."""
    table = random_table(700, 64)
    allocate(tmp_path / "table.npy", (700, 64), "<f4")
    write_rows(tmp_path / "table.npy", 0, table)
    released = []
    original = RowArray.release
    monkeypatch.setattr(arrays, "RELEASE_BYTES", 1 << 14)
    monkeypatch.setattr(RowArray, "release", lambda self: (released.append(1), original(self)))
    on_disk = RowArray(tmp_path / "table.npy")
    found = NeighbourSearch(on_disk, 10, memory=1 << 16).search(0, 700)
    wanted = search(table, 10)
    assert len(released) > 10
    assert torch.equal(found.index, wanted.index) and torch.equal(found.similarity, wanted.similarity)


def test_candidates_stay_within_the_memory(monkeypatch):
    """All images alike: every pair is a candidate, few are kept, the neighbours are exact all the same."""
    noise = torch.randn(1000, 32, generator=torch.Generator().manual_seed(0))
    table = normalize(1 + 1e-4 * noise)
    kept, original = [], MatrixUnitSearch._prune

    def watched(self, candidates):
        original(self, candidates)
        kept.append(len(candidates.rows[0]) / len(candidates.best))

    monkeypatch.setattr(MatrixUnitSearch, "_prune", watched)
    found = search(table, 5, memory=1 << 21, precision="bfloat16")
    assert max(kept) <= (1 << 21) * matrix_units.CANDIDATE_SHARE / matrix_units.PAIR_BYTES / 1000
    assert found.uncertified > 500
    assert_exact(found, table, 5)


def test_the_faster_search_is_taken_and_both_find_the_same(monkeypatch):
    table = random_table(700, 64)
    found = []
    monkeypatch.setattr("mmcgan.instances.neighbours.MANY_IMAGES", 701)
    gains = {1.3: (False, False), 2.1: (False, True), 5.0: (True, True)}
    for gain, (few, many) in gains.items():
        monkeypatch.setattr("mmcgan.instances.neighbours.bfloat16_gain", lambda device, gain=gain: gain)
        assert (own_search_pays(700), own_search_pays(701)) == (few, many)
        searcher = NeighbourSearch(TensorRows(table), 10)
        assert type(searcher.source).__name__ == ("MatrixUnitSearch" if few else "FaissSearch")
        found.append(searcher.search(0, 700))
    for name in ("index", "similarity", "radius"):
        assert torch.equal(getattr(found[0], name), getattr(found[2], name))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_vector_that_is_not_finite_is_named(value):
    table = random_table(20, 4)
    table[13, 2] = value
    with pytest.raises(ValueError, match="the feature of image 13 is NaN or infinite"):
        search(table, 3)
