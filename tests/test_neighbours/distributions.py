"""Sets of vectors that break searches, and the plain float64 figures of all of them."""

import numpy as np
import torch


def _modes(x, rng):
    """A loose and a tight mode at squared distance 9."""
    tight = rng.random((len(x), 1)) < 0.5
    return np.where(tight, 0.02 * x, x) + 3 * tight / np.sqrt(x.shape[1])


def _clumps(x, rng):
    centres = rng.standard_normal((4, x.shape[1]))
    return centres[rng.integers(0, 4, len(x))] + x * 10.0 ** rng.integers(-9, 0, (len(x), 1))


def _outlier(x, rng):
    return x * np.where(np.arange(len(x)) == len(x) // 2, 1e6, 1)[:, None]


#: what makes a set of standard normal vectors one of a kind
MAKERS = {
    "normal": lambda x, rng: x,
    "copies of the other": lambda x, rng: x,
    # many equal distances, as of quantised features
    "grid": lambda x, rng: rng.integers(0, 3, x.shape).astype(float),
    # a large common offset, where |x|² + |y|² - 2xy loses its digits
    "far": lambda x, rng: x * 1e-3 + 1000 * rng.standard_normal(x.shape[1]),
    "duplicates": lambda x, rng: x[rng.integers(0, max(1, len(x) // 6), len(x))],
    "loose and tight": _modes,
    "clumps": _clumps,
    "outlier": _outlier,
    "with zeros": lambda x, rng: x * (rng.random((len(x), 1)) < 0.7),
    "some lengths": lambda x, rng: x * 10.0 ** rng.uniform(-5, 3, (len(x), 1)),
    "many lengths": lambda x, rng: x * 10.0 ** rng.uniform(-12, 3, (len(x), 1)),
    "one point": lambda x, rng: np.broadcast_to(x[:1], x.shape).copy(),
    # two clumps whose distance hides all others
    "far apart": lambda x, rng: 1e-6 * x + 1e3 * (np.arange(len(x))[:, None] % 2),
}
KINDS = tuple(MAKERS)
# beside a vector 1e12 times as long, distances differ by less than float64 can tell: no order is right
DISTINCT = tuple(kind for kind in KINDS if kind != "many lengths")


def draw(kind, count, width, seed):
    """Return vectors, float64 (count, width), of a kind."""
    rng = np.random.default_rng(seed)
    return MAKERS[kind](rng.standard_normal((count, width)), rng)


def pair(kind, counts, width, seed, scale=1.0, dtype=torch.float32):
    """Return two sets of a kind, the second with some vectors of the first."""
    first, second = (
        torch.from_numpy(draw(kind, count, width, seed + i) * scale).to(dtype)
        for i, count in enumerate(counts)
    )
    shared = min(*counts, counts[1] if kind == "copies of the other" else 5)
    second[:shared] = first[:shared]
    return first, second


def plain(first, second):
    """Return every distance by its own difference, in a type in which no square is lost."""
    wide = np.longdouble if first.dtype is torch.float64 else np.float64
    a, b = (x.double().numpy().astype(wide) for x in (first, second))
    return np.sqrt(np.square(a[:, None] - b).sum(-1))


def plain_prdc(real, fake, k, closed=False):
    """Return the four figures from every distance."""
    within = [np.sort(plain(side, side), axis=1)[:, k] for side in (real, fake)]
    across = plain(real, fake)
    inside = np.less_equal if closed else np.less
    in_real, in_fake = inside(across, within[0][:, None]), inside(across, within[1])
    return {
        "precision": in_real.any(0).mean(),
        "recall": in_fake.any(1).mean(),
        "density": in_real.sum(0).mean() / k,
        "coverage": in_real.any(1).mean(),
    }


def assert_nearest(distance, row, queries, bank):
    """Distances are the smallest to 1e-12, rows are those they belong to, lower ones first where equal."""
    truth = plain(queries, bank)
    best = np.sort(truth, axis=1)[:, : distance.shape[1]]
    row = row.numpy()
    np.testing.assert_allclose(distance.numpy(), best.astype(float), rtol=1e-12)
    np.testing.assert_allclose(
        np.take_along_axis(truth, row, 1).astype(float), best.astype(float), rtol=1e-12
    )
    _, same = np.unique(bank.double().numpy(), axis=0, return_inverse=True)
    for found in row.tolist():
        assert len(set(found)) == len(found)
        for place, column in enumerate(found):  # every equal vector before this one comes before it
            equal = np.flatnonzero(same[:column] == same[column])
            assert set(equal) <= set(found[:place])
