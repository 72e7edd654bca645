"""Writes notebooks/*.ipynb anew, and the documents that list them."""

from kata_lib.course.notebooks import FOLDER, write
from kata_lib.course.notebooks.listings import LISTINGS
from kata_lib.machine import PROJECT


def write_all() -> None:
    """Write every notebook and every list of them, and print which."""
    for written in write(FOLDER, solutions=False):
        print(written.relative_to(PROJECT))
    for document, listing in LISTINGS.items():
        place = PROJECT / document
        place.write_text(listing.of(place.read_text()))
        print(document)


if __name__ == "__main__":
    write_all()
