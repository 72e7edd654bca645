"""A sentence in a table is read to its end, without a setting of pandas for everybody."""

import pandas as pd
from IPython.core.formatters import DisplayFormatter

from kata_lib.lab import whole_tables

SENTENCE = "A sentence that is longer than the fifty letters at which pandas would cut it."


def test_a_table_is_shown_with_its_whole_sentences() -> None:
    display = DisplayFormatter()
    whole_tables.teach(display)
    shown, _ = display.format(pd.DataFrame({"seen": [SENTENCE]}))
    assert SENTENCE in shown["text/html"]
    assert SENTENCE in shown["text/plain"]
    assert pd.get_option("display.max_colwidth") == 50
