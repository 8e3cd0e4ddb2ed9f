"""What the page says to whoever sees it."""

import pytest

from mmcgan.demo.form import without_places


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
