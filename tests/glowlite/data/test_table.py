"""A CSV file of attributes: numbers by picture, and one sentence with the line for each mistake."""

import math

import pytest
import torch

from glowlite.data.table import read_attributes
from glowlite.errors import GlowliteError

NAMES = ["a.png", "b/1.jpg", "b/2.jpg"]


def read(tmp_path, text, names=NAMES, encoding="utf-8"):
    (tmp_path / "table.csv").write_text(text, encoding=encoding)
    return read_attributes(tmp_path / "table.csv", names)


def test_numbers_come_in_the_order_of_the_names(tmp_path):
    found = read(tmp_path, "file,smile,age\nb/2.jpg,3,30\na.png,1,10\nelsewhere.png,9,90\nb/1.jpg,2,-2e1\n")
    assert list(found) == ["smile", "age"] and found["age"].dtype == torch.float32
    assert found["smile"].tolist() == [1, 2, 3] and found["age"].tolist() == [10, -20, 30]


def test_what_is_missing_is_nan(tmp_path):
    smile = read(tmp_path, "file,smile\na.png,\nb/1.jpg, 0.5 \n")["smile"].tolist()
    assert math.isnan(smile[0]) and smile[1] == 0.5 and math.isnan(smile[2])
    assert math.isnan(read(tmp_path, "file,smile\na.png,NA\n")["smile"][0])


def test_what_spreadsheets_write_is_read(tmp_path):
    text = '\ufefffile,"smile, wide"\r\n"b\\1.jpg",2\r\n./a.png,1\r\n,\r\n'
    assert read(tmp_path, text)["smile, wide"].tolist()[:2] == [1, 2]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the head is to be"),
        ("name,smile\na.png,1\n", "line 1: the head is to be"),
        ("file\na.png\n", "line 1: the head is to be"),
        ("file;smile\na.png;1\n", "line 1: the head is to be .* commas"),
        ("file,smile,smile\na.png,1,2\n", "line 1: .*each once"),
        ("file,smile\na.png,1\n\nb/1.jpg,1,2\n", "line 4: 1 values are to follow the file, not 2"),
        ("file,smile\na.png,1\nb/1.jpg\n", "line 3: 1 values are to follow the file, not 0"),
        ("file,smile\na.png,1\nb/1.jpg,wide\n", "line 3: 'wide' is no number"),
        ("file,smile\na.png,inf\n", "line 2: 'inf' is no number"),
        ("file,smile\na.png,1\nb/1.jpg,2\n./a.png,1\n", r"line 4: ./a.png has a line already \(2\)"),
        ("file,smile\nA.PNG,1\n", "names none of the 3 pictures: write paths as this one, a.png"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(tmp_path, text, says):
    with pytest.raises(GlowliteError, match=says) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_none_or_no_text(tmp_path):
    with pytest.raises(GlowliteError, match="cannot be read .No such file"):
        read_attributes(tmp_path / "none.csv", NAMES)
    (tmp_path / "book.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(GlowliteError, match="give a CSV file in UTF-8"):
        read_attributes(tmp_path / "book.csv", NAMES)
