"""What ``ecgvec gallery`` writes, and what it says of images that it cannot show."""

from __future__ import annotations

import base64
import inspect
import json
import re
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from ecgvec.cli.inspect import gallery
from ecgvec.errors import ExportError, SourceError
from ecgvec.export.read import find_sidecars
from ecgvec.viewer import gallery_data
from ecgvec.viewer.gallery import MAX_IMAGES, write_gallery
from ecgvec.viewer.gallery_data import LAYERS, read_entry
from tests.program import program
from tests.viewer.conftest import NAMES, Shown


@pytest.fixture
def folder(shown: Shown, tmp_path: Path) -> Path:
    """A copy of the images, to be spoilt."""
    return Path(shutil.copytree(shown.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.html")))


def data(page: Path, name: str) -> bytes:
    """The content of one of the page's data scripts."""
    found = re.search(rf'<script type="text/plain" id="{name}" data-type="[a-z/]+">([^<]*)</script>', page.read_text())
    assert found is not None, name
    return base64.b64decode(found[1])


def test_the_same_command_twice_gives_the_same_bytes(folder: Path) -> None:
    pages = [folder / f"{i}.html" for i in range(2)]
    for page in pages:
        done = program("gallery", folder, "-o", page, "--title", "x")
        assert (done.code, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{page}: 4 images, ")
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_the_page_tells_nothing_of_where_it_was_made(shown: Shown) -> None:
    assert str(shown.folder).encode() not in shown.gallery.path.read_bytes()
    assert shown.gallery.size == shown.gallery.path.stat().st_size


def test_pictures_are_small_or_as_they_are(folder: Path) -> None:
    small, whole = (write_gallery(folder, folder / f"{i}.html", lossless=bool(i)) for i in range(2))
    files = {name: next(p for p in (folder / name).iterdir() if p.suffix in (".png", ".jpg")) for name in NAMES}
    for i, name in enumerate(NAMES):
        assert data(whole.path, f"picture-{i}") == files[name].read_bytes()
        assert data(small.path, f"picture-{i}").startswith(b"\xff\xd8")
    assert small.size < whole.size


def test_samples_come_back_to_a_thousandth(shown: Shown) -> None:
    """Unpacked as the page does it."""
    for i, name in enumerate(NAMES):
        content = zlib.decompress(data(shown.gallery.path, f"labels-{i}"))
        (length,) = struct.unpack("<I", content[:4])
        head, at = json.loads(content[4 : 4 + length]), 4 + length
        with np.load(next((shown.folder / name).glob("*.npz"))) as arrays:
            keys = list(dict.fromkeys(key.rpartition("/")[0] for key in arrays))
            for about, key in zip(head["traces"], keys, strict=True):
                n = about["samples"]
                planes = np.frombuffer(content, np.uint8, 16 * n, at).reshape(4, 4, n).astype(np.int64)
                unsigned = (planes * 256 ** np.arange(4)[None, :, None]).sum(axis=1)
                numbers = np.cumsum((unsigned >> 1) ^ -(unsigned & 1), axis=1) * np.array(about["steps"])[:, None]
                state = np.frombuffer(content, np.uint8, n, at + 16 * n)
                at += 17 * n
                known = state != gallery_data.GAP
                assert np.array_equal(known, np.isfinite(arrays[f"{key}/mv"]))
                for column, expected, step in (
                    (numbers[0] + about["t0"], arrays[f"{key}/t"], 1e-5),
                    (numbers[1], arrays[f"{key}/mv"], 1e-3),
                    (numbers[2], arrays[f"{key}/xy"][:, 0], 1e-2),
                    (numbers[3], arrays[f"{key}/xy"][:, 1], 1e-2),
                ):
                    assert np.abs(column - expected)[known].max() <= 0.5001 * step
                assert np.array_equal((state == gallery_data.VISIBLE)[known], arrays[f"{key}/visible"][known])
                hidden = ~arrays[f"{key}/visible"] & arrays[f"{key}/occluded"]
                assert np.array_equal((state == gallery_data.OCCLUDED_SAMPLE)[known], hidden[known])
        assert at == len(content)


def test_planes_hold_jumps_of_any_size() -> None:
    numbers = np.array([0, -1, 10**9, -(10**9), 5, 5, 5], dtype=np.int64)
    planes = np.frombuffer(gallery_data.planes(numbers), np.uint8).reshape(4, -1).astype(np.int64)
    unsigned = (planes * 256 ** np.arange(4)[:, None]).sum(axis=0)
    assert np.array_equal(np.cumsum((unsigned >> 1) ^ -(unsigned & 1)), numbers)


def test_numbers_in_names_are_sorted_by_value(tmp_path: Path) -> None:
    for name in ("r-0-v10", "r-0-v2", "q/r-0-v2", "9", "10"):
        for suffix in (".png", ".json"):
            path = tmp_path / (name + suffix)
            path.parent.mkdir(exist_ok=True)
            path.touch()
    (tmp_path / "alone.json").touch()
    assert find_sidecars(tmp_path) == ["9.json", "10.json", "q/r-0-v2.json", "r-0-v2.json", "r-0-v10.json"]


def test_no_more_images_than_asked_for(folder: Path) -> None:
    done = program("gallery", folder, "--max-images", 2)
    assert done.code == 0
    assert "2 images, the first of 4 (--max-images 4 shows all)" in done.stdout
    page = (folder / "gallery.html").read_text()
    assert page.count('<li class="card"') == 2
    assert '<p id="count" aria-live="polite">2 images, the first of 4</p>' in page
    assert "<title>copy</title>" in page


def test_a_damaged_image_does_not_keep_the_others_back(folder: Path) -> None:
    files = {name: next((folder / name).glob("*.json")) for name in NAMES}
    files["bent"].with_suffix(".npz").unlink()
    whole = files["evil"].with_suffix(".png").read_bytes()
    files["evil"].with_suffix(".png").write_bytes(whole[: len(whole) // 2])
    files["jpg"].write_text(files["jpg"].read_text()[:-40])
    done = program("gallery", folder)
    assert done.code == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("not shown: ") for line in lines)
    assert lines[0].endswith(
        "bent/ecgvec-demo-0.npz is missing, which holds the samples of the image's traces: render the image anew with "
        "--formats png,json"
    )
    assert "is not a whole image: render" in lines[1]
    assert "jpg/ecgvec-demo-0.json is not a whole sidecar JSON" in lines[2]
    page = (folder / "gallery.html").read_text()
    assert page.count('<li class="card"') == 1
    assert "<summary>3 not shown</summary>" in page
    assert str(folder) not in page


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda d: d["labels"].pop("grid"), "is not a whole sidecar JSON \\(KeyError"),
        (lambda d: d["image"].update(width=7), "but its labels are for 7 x"),
        (lambda d: d["labels"]["traces"][0].update(id="nobody"), "does not hold the samples"),
        (lambda d: d["labels"]["texts"][0].update(hull=[]), "is not a whole sidecar JSON"),
        (lambda d: d["plan"].pop("seed"), "plan.seed is wrong"),
        (lambda d: d.update(format="coco"), "is not a JSON that ecgvec has written"),
        (
            lambda d: d["files"].update({k: "0" for k in d["files"] if k.endswith("npz")}),
            "not the file that was written",
        ),
    ],
)
def test_a_broken_json_is_one_sentence(folder: Path, spoil: object, says: str) -> None:
    path = next((folder / "flat").glob("*.json"))
    document = json.loads(path.read_text())
    spoil(document)  # type: ignore[operator]
    path.write_text(json.dumps(document))
    with pytest.raises(SourceError, match=says):
        gallery_data.labels(read_entry(folder, path.relative_to(folder).as_posix()))
    assert write_gallery(folder).shown == 3


def test_what_cannot_be_a_gallery_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = program("gallery", empty)
    assert done.code == 2
    assert "no image with a JSON beside it was found" in done.stderr
    assert "--formats png,json" in done.stderr
    assert "is no folder" in program("gallery", tmp_path / "absent").stderr
    with pytest.raises(ExportError, match="let it end in"):
        write_gallery(folder, folder / "page.pdf")
    for path in folder.rglob("*.npz"):
        path.unlink()
    with pytest.raises(SourceError, match="none of the 4 images"):
        write_gallery(folder)
    assert not (folder / "gallery.html").exists()


def test_the_help_says_how_many_images_are_shown() -> None:
    assert inspect.signature(gallery).parameters["max_images"].default == MAX_IMAGES


def test_layers_have_keys_of_their_own() -> None:
    keys = [layer.key for layer in LAYERS]
    assert len(set(keys) | set("ac0+-=/")) == len(keys) + len("ac0+-=/")
