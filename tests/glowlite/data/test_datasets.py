"""Data sets by name: from an archive on a server to tensors, with small archives of the official form."""

import functools
import gzip
import hashlib
import http.server
import io
import struct
import tarfile
import threading

import numpy as np
import pytest
import torch

from glowlite.data import datasets
from glowlite.data.pictures import load
from glowlite.errors import GlowliteError

COUNTS = {"train": 10, "test": 3}


def pictures(*shape):
    """Random pictures and labels for both splits."""
    random = np.random.default_rng(0)
    return {
        split: (
            random.integers(0, 256, (n, *shape), dtype=np.uint8),
            random.integers(0, 10, n, dtype=np.uint8),
        )
        for split, n in COUNTS.items()
    }


def idx(values) -> bytes:
    """The form of MNIST's files: 0, 0, 8 for uint8, the number of axes, each axis, then the values."""
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(head + values.tobytes())


def mnist_files(content) -> dict[str, bytes]:
    return {
        f"{prefix}-{kind}": idx(content[split][index])
        for split, prefix in (("train", "train"), ("test", "t10k"))
        for index, kind in enumerate(("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"))
    }


def cifar10_files(content) -> dict[str, bytes]:
    """Content is (N, 3, 32, 32); five training files of two records each and one for the test split."""
    records = {s: np.concatenate([y[:, None], x.reshape(len(x), -1)], 1) for s, (x, y) in content.items()}
    members = {f"data_batch_{i + 1}.bin": records["train"][2 * i : 2 * i + 2] for i in range(5)}
    members["test_batch.bin"] = records["test"]
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, values in members.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = values.nbytes
            tar.addfile(member, io.BytesIO(values.tobytes()))
    return {"cifar-10-binary.tar.gz": file.getvalue()}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("GLOWLITE_DATA", str(folder))
    return folder


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """serve(name, files): the data set `name` now comes from a server on this machine that has `files`."""
    site = tmp_path / "site"
    site.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def start(name, files):
        for file, data in files.items():
            (site / file).write_bytes(data)
        source = datasets.SOURCES[name]
        archives = []
        for archive in source.archives:
            file = archive.url.rpartition("/")[2]
            url = f"http://127.0.0.1:{server.server_port}/{file}"
            archives.append(datasets.Archive(url, hashlib.md5(files[file]).hexdigest()))
        monkeypatch.setitem(datasets.SOURCES, name, source._replace(archives=tuple(archives)))
        return site

    yield start
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "files", "shape"),
    [
        ("mnist", mnist_files, (28, 28)),
        ("fashion-mnist", mnist_files, (28, 28)),
        ("cifar10", cifar10_files, (3, 32, 32)),
    ],
)
def test_a_set_is_downloaded_once_and_kept(cache, serve, name, files, shape):
    content = pictures(*shape)
    site = serve(name, files(content))
    for _ in range(2):
        for split, (images, labels) in content.items():
            found = load(name, split)
            assert found.images.dtype == torch.uint8 and found.labels.dtype == torch.int64
            expected = images if images.ndim == 4 else images[:, None]
            assert np.array_equal(found.images.numpy(), expected) and found.images.is_contiguous()
            assert np.array_equal(found.labels.numpy(), labels)
        for file in site.iterdir():  # gone from the server: the second round reads what was kept
            file.unlink()
    assert [file.name for file in cache.iterdir()] == [f"{name}.npz"]
    with np.load(cache / f"{name}.npz", allow_pickle=False) as kept:
        assert kept["train_images"].shape == ((10, 32, 32, 3) if name == "cifar10" else (10, 28, 28))


def test_the_official_checksums_are_asked_for(cache, serve, monkeypatch):
    official = datasets.SOURCES["mnist"]
    serve("mnist", mnist_files(pictures(28, 28)))
    pairs = zip(datasets.SOURCES["mnist"].archives, official.archives, strict=True)
    archives = tuple(here._replace(md5=published.md5) for here, published in pairs)
    monkeypatch.setitem(datasets.SOURCES, "mnist", official._replace(archives=archives))
    with pytest.raises(GlowliteError, match="not what its authors published"):
        load("mnist")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_a_network_one_sentence_says_what_to_do(cache, serve, name, monkeypatch):
    content = pictures(28, 28) if name == "mnist" else pictures(3, 32, 32)
    site = serve(name, (mnist_files if name == "mnist" else cifar10_files)(content))
    for file in site.iterdir():
        file.unlink()
    with pytest.raises(GlowliteError, match="cannot be downloaded now.*GLOWLITE_DATA") as caught:
        load(name)
    assert caught.value.__suppress_context__ and "\n" not in str(caught.value)
    archives = tuple(a._replace(url="http://127.0.0.1:9/x") for a in datasets.SOURCES[name].archives)
    monkeypatch.setitem(datasets.SOURCES, name, datasets.SOURCES[name]._replace(archives=archives))
    with pytest.raises(GlowliteError, match="cannot be downloaded now"):
        load(name)
    assert list(cache.iterdir()) == []


def test_a_set_of_ones_own_lies_beside_them(cache):
    cache.mkdir()
    images = np.random.default_rng(1).integers(0, 256, (4, 8, 6, 3), dtype=np.uint8)
    np.savez(cache / "mine.npz", train_images=images, test_images=images[:1], test_labels=np.array([3], np.int32))
    found = load("mine")
    assert found.labels is None and np.array_equal(found.images.numpy(), images.transpose(0, 3, 1, 2))
    assert load("mine", "test").labels.tolist() == [3]


def test_mistakes_are_one_sentence(cache):
    cache.mkdir()
    for name, split, match in (
        ("mnist", "valid", 'splits "train" and "test", not \'valid\''),
        ("mnits", "train", "There is no data set 'mnits': mnist, fashion-mnist, cifar10 and celeba are known"),
    ):
        with pytest.raises(GlowliteError, match=match):
            load(name, split)


def test_damaged_and_foreign_files_are_one_sentence(cache):
    cache.mkdir()
    good = np.zeros((5, 8, 8), np.uint8)

    def refused(match):
        with pytest.raises(GlowliteError, match=match):
            load("mine")

    (cache / "mine.npz").write_bytes(b"")
    refused("damaged or incomplete")
    np.savez(cache / "mine.npz", train_images=good)
    (cache / "mine.npz").write_bytes((cache / "mine.npz").read_bytes()[:200])
    refused("damaged or incomplete")
    np.savez(cache / "mine.npz", images=good)
    refused("damaged or incomplete.*train_images")
    np.savez(cache / "mine.npz", train_images=np.array([{}, {}], object))
    refused("damaged or incomplete")
    np.savez(cache / "mine.npz", train_images=good.astype(np.float32))
    refused("float32.*to be uint8")
    np.savez(cache / "mine.npz", train_images=good.reshape(5, 4, 4, 4))
    refused("to be uint8")
    np.savez(cache / "mine.npz", train_images=good, train_labels=np.zeros(4, np.int64))
    refused("give one for each")


def test_columns_of_a_set_are_its_attributes(cache):
    cache.mkdir()
    columns = {"train_smile": [0.5, np.nan], "train_age": [3, 4], "train_labels": [0, 1], "test_smile": [1.0]}
    columns |= {"train_images": np.zeros((2, 8, 8), np.uint8), "train_landmarks": np.zeros((2, 5))}
    np.savez(cache / "mine.npz", **columns)
    found = datasets.load_attributes("mine")
    assert set(found) == {"smile", "age"} and found["age"].dtype == torch.float32
    assert found["smile"][0] == 0.5 and found["smile"][1].isnan()
    assert datasets.load_attributes("mine", "test")["smile"].tolist() == [1]
    np.savez(cache / "mine.npz", **columns | {"train_age": [3, 4, 5]})
    with pytest.raises(GlowliteError, match="train_smile 2, train_age 3.: give one a picture"):
        datasets.load_attributes("mine")
