"""Writing a file: whole or not at all, regular files only, one sentence where it cannot be."""

import os
import subprocess
import sys
import time

import pytest

from glowlite import files
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced_whole(tmp_path):
    path = tmp_path / "new" / "a b.bin"
    write_atomically(path, b"one")
    write_atomically(str(path), lambda file: file.write(b"two"))
    assert path.read_bytes() == b"two" and names(path.parent) == ["a b.bin"]


@pytest.mark.parametrize("where", ["fsync", "replace", "chmod"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, where):
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, where, fail)
    with pytest.raises(GlowliteError, match=r"a\.bin cannot be written: No space left on device\.$"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and names(tmp_path) == ["a.bin"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_disk_that_is_full_is_told(tmp_path):
    def fill(file):
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        file.write(b"much")

    with pytest.raises(GlowliteError, match="No space left on device"):
        write_atomically(tmp_path / "full.bin", fill)
    assert names(tmp_path) == []


def special(folder):
    """Everything that has a name and is no regular file: a folder, a pipe, a device, and links to them."""
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "link to a pipe").symlink_to("pipe")
    (folder / "link to a device").symlink_to(os.devnull)
    return ["folder", "pipe", "link to a pipe", "link to a device"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_only_regular_files_are_replaced(tmp_path):
    before = [(name, os.lstat(tmp_path / name)) for name in special(tmp_path)]
    for name, status in before:
        with pytest.raises(GlowliteError, match="is a folder or a device, not a file"):
            write_atomically(tmp_path / name, b"content")
        assert os.lstat(tmp_path / name).st_ino == status.st_ino
    with pytest.raises(GlowliteError, match="not a file"):
        write_atomically(os.devnull, b"content")
    write = "from glowlite.files import write_atomically; write_atomically('/dev/stdout', b'content')"
    run = subprocess.run([sys.executable, "-c", write], capture_output=True, text=True, check=False)
    assert "/dev/stdout is a folder or a device" in run.stderr and os.path.islink("/dev/stdout")


def test_a_link_stays_and_its_file_is_written(tmp_path):
    (tmp_path / "other disk").mkdir()
    link = tmp_path / "a.bin"
    try:
        link.symlink_to(tmp_path / "other disk" / "b.bin")
    except OSError:
        pytest.skip("this person may not make links here")
    for content in (b"new", b"newer"):
        write_atomically(link, content)
        assert link.is_symlink() and (tmp_path / "other disk" / "b.bin").read_bytes() == content
    assert names(tmp_path / "other disk") == ["b.bin"]


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5000, "file/a.bin", "ä" * 200])
def test_a_name_that_cannot_be_says_so(tmp_path, name):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(GlowliteError, match="cannot be written: .+") as caught:
        write_atomically(tmp_path / name, b"content")
    assert "\n" not in str(caught.value) and names(tmp_path) == ["file"]


def test_the_longest_name_that_can_be_is_written(tmp_path):
    write_atomically(tmp_path / ("x" * 255), b"content")
    assert (tmp_path / ("x" * 255)).read_bytes() == b"content"


def test_what_killed_writers_left_is_removed_and_a_write_going_on_is_not(tmp_path):
    kill = f"""
import os, signal
from glowlite.files import write_atomically
write_atomically({str(tmp_path / "a.bin")!r}, lambda file: os.kill(os.getpid(), signal.SIGTERM))
"""
    subprocess.run([sys.executable, "-c", kill], check=False, capture_output=True)
    (left,) = tmp_path.iterdir()
    write_atomically(tmp_path / "b.bin", b"content")
    assert names(tmp_path) == sorted([left.name, "b.bin"]), "another process may be writing it"
    os.utime(left, (time.time() - 700,) * 2)
    write_atomically(tmp_path / "b.bin", b"content")
    assert names(tmp_path) == ["b.bin"]
