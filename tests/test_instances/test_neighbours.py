"""Neighbours are those of a float64 search, in every corner."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from mmcgan.instances import arrays, neighbours
from mmcgan.instances.arrays import RowArray, allocate, write_rows
from mmcgan.instances.neighbours import NeighbourSearch, TensorRows


def brute_force(table, k):
    """Return neighbours by (similarity, index) in float64, rounded so that equal rows tie."""
    similarity = (table.double() @ table.double().T).numpy().round(9)
    np.fill_diagonal(similarity, -np.inf)
    order = np.lexsort((np.broadcast_to(np.arange(len(table)), similarity.shape), -similarity))
    return order[:, :k], similarity


def random_table(size, dim, seed=0, spread=1.5):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(max(1, size // 40), dim, generator=generator)
    choice = torch.randint(len(centres), (size,), generator=generator)
    return normalize((centres[choice] + spread * torch.randn(size, dim, generator=generator)).relu())


def search(table, k, **options):
    return NeighbourSearch(TensorRows(table), k, **options).search(0, len(table))


def assert_exact(found, table, k):
    """No neighbour left out is nearer than one given, beyond float32 rounding; order and self are right."""
    _, similarity = brute_force(table, k)
    index = found.index.long().numpy()
    given = np.take_along_axis(similarity, index, axis=1)
    best = -np.sort(-similarity, axis=1)[:, :k]
    np.testing.assert_allclose(given, best, atol=3e-7)
    assert (np.diff(given, axis=1) <= 3e-7).all()
    assert not (index == np.arange(len(table))[:, None]).any()
    assert all(len(set(row)) == k for row in index.tolist())
    np.testing.assert_allclose(found.similarity, given, atol=3e-7)
    np.testing.assert_allclose(found.radius, np.sqrt(np.maximum(0, 2 - 2 * given[:, -1])), atol=1e-3)


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
@pytest.mark.parametrize(("size", "dim", "k"), [(2500, 200, 50), (70, 33, 5), (6, 3, 5), (3000, 8, 10)])
def test_neighbours_equal_brute_force(precision, size, dim, k):
    table = random_table(size, dim)
    assert_exact(search(table, k, precision=precision), table, k)


def test_little_memory_and_parts_give_the_same():
    table = random_table(2300, 64)
    whole = search(table, 10)
    small = NeighbourSearch(TensorRows(table), 10, memory=1 << 19)
    assert small.block_rows < 2300 and small._copy is None
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
    monkeypatch.setattr(neighbours, "MAX_CANDIDATES", 20)
    table = random_table(200, 16)
    table[50:150] = table[0].clone()
    found = search(table, 5)
    assert found.uncertified >= 100
    assert_exact(found, table, 5)
    assert found.index[120].tolist() == [0, 50, 51, 52, 53]


def test_a_zero_vector_has_similarity_zero():
    table = random_table(60, 12)
    table[5] = 0
    found = search(table, 4)
    assert found.similarity[5].tolist() == [0, 0, 0, 0]
    assert found.index[5].tolist() == [0, 1, 2, 3]


def test_rows_without_a_proof_are_searched_in_float32(monkeypatch):
    table = random_table(1200, 64)
    monkeypatch.setattr(neighbours, "SLACK", -0.02)  # far too few candidates
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
    monkeypatch.setattr(neighbours, "QUERY_ROWS", 64)
    monkeypatch.setattr(neighbours, "BLOCK_ROWS", 256)
    monkeypatch.setattr(neighbours, "GROUP", 8)
    table = random_table(900, 48)
    wanted = NeighbourSearch(TensorRows(table), 3, precision="float32").search(0, 900)
    search = NeighbourSearch(TensorRows(table), 3)
    assert search._shared_from(start, 900) < 900
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
    found = NeighbourSearch(on_disk, 10, memory=1 << 19).search(0, 700)
    wanted = search(table, 10)
    assert len(released) > 10
    assert torch.equal(found.index, wanted.index) and torch.equal(found.similarity, wanted.similarity)


def test_candidates_stay_within_the_memory(monkeypatch):
    """All images alike: every pair is a candidate, few are kept, the neighbours are exact all the same."""
    noise = torch.randn(1000, 32, generator=torch.Generator().manual_seed(0))
    table = normalize(1 + 1e-4 * noise)
    kept, original = [], NeighbourSearch._prune

    def watched(self, candidates):
        original(self, candidates)
        kept.append(len(candidates.rows[0]) / len(candidates.best))

    monkeypatch.setattr(NeighbourSearch, "_prune", watched)
    found = search(table, 5, memory=1 << 21)
    assert max(kept) <= (1 << 21) * neighbours.CANDIDATE_SHARE / neighbours.PAIR_BYTES / 1000
    assert found.uncertified > 500
    assert_exact(found, table, 5)
