"""The folder of the static edition: whole at any time, complete, and never in the place of something else."""

import re

import pytest

from glowlab import pages, site
from glowlab.explorers.models import MODELS
from glowlab.pages import course
from glowlab.web import export
from glowlite.errors import GlowliteError
from tests.helpers import glowlite


@pytest.fixture
def few(monkeypatch):
    """A site of two small files, whose content a test sets."""
    content = {"index.html": "first", "deep/down/page.html": "second"}

    def files(folder):
        for name in [*content, site.MARK]:
            yield site.File(name, lambda name=name: content.get(name, "ours"), page=name in content)

    monkeypatch.setattr(site, "list_files", files)
    return content


def tree(folder) -> dict:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_it_is_written_and_replaced_as_a_whole(few, tmp_path):
    out = tmp_path / "new" / "site"
    told = []
    assert site.build(out, lambda file, size: told.append((file.name, size))) == {
        "index.html": 5,
        "deep/down/page.html": 6,
    }
    assert tree(out) == {**few, site.MARK: "ours"} and told[0] == ("index.html", 5)
    del few["deep/down/page.html"]
    few["index.html"] = "again"
    site.build(out)
    assert tree(out) == {"index.html": "again", site.MARK: "ours"}
    assert list(out.parent.iterdir()) == [out]  # nothing is left beside it


def test_a_page_that_fails_leaves_the_old_site(few, tmp_path):
    out = tmp_path / "site"
    site.build(out)
    before = tree(out)
    few["index.html"] = "new"
    few["broken.html"] = None  # has no len
    with pytest.raises(TypeError):
        site.build(out)
    assert tree(out) == before and list(tmp_path.iterdir()) == [out]


def test_what_is_not_an_earlier_site_is_left_alone(few, tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    assert glowlite("site", "--out", mine) == 2
    assert "not of an earlier site" in capsys.readouterr().err
    assert tree(mine) == {"thesis.tex": "years of work"}
    with pytest.raises(GlowliteError, match="no folder"):
        site.build(mine / "thesis.tex")
    (tmp_path / "link").symlink_to(mine)
    with pytest.raises(GlowliteError, match="no folder"):
        site.build(tmp_path / "link")


def test_an_empty_folder_is_filled(few, tmp_path):
    (tmp_path / "site").mkdir()
    site.build(tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "first"


def test_the_command_says_what_it_wrote(few, tmp_path, capsys):
    assert glowlite("site", "--out", tmp_path / "site") == 0
    said = capsys.readouterr().out
    assert "2 pages" in said and "heaviest is deep/down/page.html" in said and "http.server" in said


def test_every_page_is_in_it_once(tmp_path):
    names = [file.name for file in site.list_files(tmp_path)]
    assert len(names) == len(set(names)) and names[0] == "index.html"
    assert {f"notebooks/{lesson.page}" for lesson in course.list_lessons()} < set(names)
    for explorer in course.EXPLORERS:
        assert f"explore/{explorer.name}.html" in names
    assert {f"models/{model}.bin" for model in MODELS} | {"explorers.js"} < set(names) and names[-1] == "sw.js"


def test_the_files_of_a_model_are_those_of_its_export(monkeypatch, tmp_path):
    made = {f"{model}{kind}": f"{model}{kind}".encode() for model in MODELS for kind in export.KINDS}
    monkeypatch.setattr(export, "files", lambda model: {name: made[name] for name in made if name.startswith(model)})
    files = {file.name: file.make for file in site.list_files(tmp_path) if file.name.startswith("models/")}
    assert {name: make() for name, make in files.items()} == {f"models/{name}": text for name, text in made.items()}


def test_the_service_worker_keeps_apart_what_sites_hold(tmp_path):
    """Another page makes another cache of pages, and leaves that of models, which are large."""

    def names() -> list[str]:
        return re.findall(r"`\$\{OURS\} (?:pages|models) (\w{16})`", pages.render_worker(tmp_path))

    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.bin").write_text("a model")
    first = names()
    (tmp_path / "index.html").write_text("a page")
    second = names()
    (tmp_path / "models" / "a.bin").write_text("another")
    third = names()
    assert first[0] != second[0] == third[0] and first[1] == second[1] != third[1] and len(first) == 2
