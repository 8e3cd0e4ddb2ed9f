"""What the page says to whoever sees it, and what it begins with."""

import pytest

from mmcgan.demo.form import preferred, without_places
from mmcgan.demo.studio import Studio, load_models


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/models/whole/metadata.json is missing: make it", "metadata.json is missing: make it"),
        ("/tmp/page/uploads/a1/photo.png: unreadable image", "photo.png: unreadable image"),
        ("no such file: '/home/me/run/config.py'", "no such file: 'config.py'"),
        ("~/run/iter_3.pth and (/etc/passwd)", "iter_3.pth and (passwd)"),
        ("T-shirt/top, 3/4, see https://example.org/a/b", "T-shirt/top, 3/4, see https://example.org/a/b"),
    ],
)
def test_sentences_do_not_tell_where_things_lie(text, shown):
    assert without_places(text) == shown


def test_a_tab_begins_with_the_best_that_ships(tmp_path):
    painters = load_models(["spade-omni-long_scenes-64", "spade-omni_scenes-64"])
    for names in (list(painters), list(reversed(painters))):
        assert preferred(Studio(painters, tmp_path), names) == "spade-omni-long_scenes-64"
