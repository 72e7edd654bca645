"""docs/architecture.md names files and folders that are there."""

import re

import pytest

from kata_lib.machine import PROJECT

TEXT = (PROJECT / "docs" / "architecture.md").read_text()
PATHS = sorted(set(re.findall(r"`([\w./-]+(?:/|\.py|\.yaml))`", TEXT)))
PLACES = [PROJECT, PROJECT / "kata_lib", PROJECT / "kata_lib" / "engines" / "embedded"]


@pytest.mark.parametrize("path", PATHS)
def test_what_the_picture_names_is_there(path: str) -> None:
    assert any((place / path).exists() for place in PLACES)
