"""Writes notebooks/*.ipynb anew, the documents that list them, and the quiz on paper."""

from kata_lib.course.notebooks import FOLDER, write
from kata_lib.course.notebooks.listings import LISTINGS
from kata_lib.course.quiz import paper
from kata_lib.machine import PROJECT


def write_all() -> None:
    """Write every notebook, every list of them and the quiz on paper, and print which."""
    for written in write(FOLDER, solutions=False):
        print(written.relative_to(PROJECT))
    for document, listing in LISTINGS.items():
        place = PROJECT / document
        place.write_text(listing.of(place.read_text()))
        print(document)
    (PROJECT / paper.FILE).write_text(paper.text())
    print(paper.FILE)


if __name__ == "__main__":
    write_all()
