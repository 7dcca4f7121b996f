"""The table of a class at once."""

from benchmarks.visitors import COLUMNS, Round


def test_a_row_tells_medians_and_the_slowest():
    found = Round(2, seen=[0.5, 1.0], live=[1.0, 2.0], moves=[30.0, 30.0, 50.0], work=700, work_move=1.25, left=0)
    found.share, found.whole = [40.0, 42.0], [50.0, 60.0]
    row = found.row()
    assert list(row) == list(COLUMNS)
    assert (row["visitors"], row["seen s"], row["live s"]) == ("2: 2, 2", "0.8, 1.0", "1.5, 2.0")
    assert (row["move ms"], row["core ms"], row["MB"], row["left"]) == ("30, 48", "700, 1.2", "41, 55", "0")


def test_a_class_that_saw_nothing_is_a_row_too():
    assert Round(3).row()["live s"] == "-"
