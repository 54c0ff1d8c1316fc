"""Rows on wide and narrow terminals."""

from __future__ import annotations

from shoestring.layout import ENDLESS, fold, prose, table

ROWS = [
    ["2030-01-31T12:00:00", "Completed", "churn-0123456789ab", "$0.00038", "test_auc 0.98", "loss 0.1"],
    ["2030-01-31T11:00:00", "Failed", "breast-cancer-0123456789ab-2", "-", ""],
]


def test_columns_stand_below_each_other_where_there_is_room() -> None:
    assert table(ROWS, 4, ENDLESS).splitlines() == [
        "2030-01-31T12:00:00  Completed  churn-0123456789ab            $0.00038  test_auc 0.98  loss 0.1",
        "2030-01-31T11:00:00  Failed     breast-cancer-0123456789ab-2  -",
    ]
    assert table(ROWS, 4, 95) == table(ROWS, 4, ENDLESS) != table(ROWS, 4, 94)


def test_a_narrow_terminal_tears_nothing_apart() -> None:
    assert table(ROWS, 4, 60).splitlines() == [
        "2030-01-31T12:00:00  Completed  churn-0123456789ab  $0.00038",
        "    test_auc 0.98  loss 0.1",
        "2030-01-31T11:00:00  Failed  breast-cancer-0123456789ab-2  -",
    ]
    for width in range(28, 100):
        shown = table(ROWS, 4, width)
        assert all(part in shown for row in ROWS for part in row)
        assert all(len(line) <= width or not line[4:].strip().count("  ") for line in shown.splitlines())


def test_a_column_that_is_empty_takes_no_room() -> None:
    assert table([["1", "", "a"], ["2", "", "b"]], 3, ENDLESS) == "1  a\n2  b"


def test_what_is_longer_than_a_line_stands_alone() -> None:
    assert fold(["a", "b" * 30, "c"], 20) == f"a\n    {'b' * 30}\n    c"
    assert fold([], 20) == ""


def test_words_are_not_torn_apart() -> None:
    shown = prose("failed after 6 s: AlgorithmError: no such column-name", 30)
    assert shown == "failed after 6 s:\n    AlgorithmError: no such\n    column-name"
