"""Pages for PyTorch: the same bytes whatever draws them, each once, labels as of ecgvec.render, nothing on disk."""

from __future__ import annotations

import os
import pickle
import runpy
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

import ecgvec  # noqa: E402
from ecgvec.datasets import (  # noqa: E402
    BOX_CLASSES,
    FILL,
    IGNORE,
    LABELS,
    MASK_CLASSES,
    EcgImages,
    EcgStream,
    collate,
    datasets,
)
from ecgvec.errors import RecipeError, RecordError  # noqa: E402
from ecgvec.export.instances import instances  # noqa: E402
from ecgvec.export.masks import mask_arrays  # noqa: E402
from ecgvec.handwriting import Writer as Hand  # noqa: E402
from ecgvec.pipeline import render_plan  # noqa: E402
from ecgvec.planning.make import make_plans  # noqa: E402
from ecgvec.recipe.recipe import load_mix, load_recipe  # noqa: E402
from ecgvec.record.model import Record  # noqa: E402
from ecgvec.sheet import Sheet  # noqa: E402
from tests.batch.runs import write_record  # noqa: E402
from tests.conftest import ROOT  # noqa: E402

Item = dict[str, Any]
PLAIN = load_recipe("clean", {"page.dpi": 50})
NOTED = load_recipe("clean", {"page.dpi": 50, "notes.probability": 1, "notes.words": 1, "page.grid_color": "blue"})
ONE_COLUMN = {"page.dpi": 50, "layout.template": "1-column"}  # for two leads
NAMES = ["a-0", "b/c-0", "b/c-1", "d-0"]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three records of ten seconds, the one in a folder of 21."""
    folder = tmp_path_factory.mktemp("records")
    write_record(folder, "a", 10)
    write_record(folder / "b", "c", 21)
    write_record(folder, "d", 10)
    return folder


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Four records, the second of them without signals."""
    for number in range(4):
        write_record(tmp_path / "in", f"r{number}", 10)
    (tmp_path / "in" / "r1.dat").unlink()
    return tmp_path / "in"


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        same = torch.equal(one.nan_to_num(-1e9), other.nan_to_num(-1e9)) if one.is_floating_point() else None
        return bool(one.dtype == other.dtype and (torch.equal(one, other) if same is None else same))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other)


def alone(batch: list[Item]) -> Item:
    return batch[0]


def test_an_item_holds_what_is_promised(records: Path) -> None:
    pages = EcgImages(records, PLAIN)
    assert len(pages) == 4
    item = pages[1]
    height, width = item["size"].tolist()
    assert item["image"].shape == (3, height, width) and item["image"].dtype == torch.uint8
    assert item["mask"].shape == (height, width) and item["mask"].dtype == torch.uint8
    assert item["mask"].max() < len(MASK_CLASSES)
    assert item["boxes"].shape == (len(item["box_names"]), 4) and item["boxes"].dtype == torch.float32
    assert [BOX_CLASSES[number] for number in item["box_classes"]] == item["box_names"]
    samples = sum(item["trace_counts"])
    assert item["trace_points"].shape == item["trace_values"].shape == (samples, 2)
    assert item["trace_visible"].shape == item["trace_occluded"].shape == (samples,)
    assert item["signal"].shape == (1000, 2) and item["signal_leads"] == ["I", "II"] and item["fs"] == 100
    assert (item["name"], item["window"], item["epoch"], item["start"]) == ("b/c-0", 0, 0, 0.0)


def test_labels_are_those_of_render(records: Path) -> None:
    recipe = load_recipe("phone-photo", ONE_COLUMN)
    pages = EcgImages([records / "a", records / "b" / "c.hea"], recipe, seed=3, target=partial(Sheet.__repr__))
    pages.set_epoch(2)
    item = pages[2]
    sheet = ecgvec.render(records / "b" / "c", recipe, seed=3, window=1, variant=2)
    assert np.array_equal(item["image"].permute(1, 2, 0).numpy(), sheet.image)
    assert np.array_equal(item["mask"].numpy(), mask_arrays(sheet)[0])
    seen = [one for one in instances(sheet)[0] if one.visible]
    assert item["box_names"] == [one.category for one in seen]
    assert np.allclose(item["boxes"].numpy(), [one.box for one in seen], atol=1e-3)
    points = torch.split(item["trace_points"], item["trace_counts"])
    values = torch.split(item["trace_values"], item["trace_counts"])
    visible = torch.split(item["trace_visible"], item["trace_counts"])
    assert item["trace_leads"] == [trace.lead for trace in sheet.labels.traces]
    for trace, xy, tmv, one in zip(sheet.labels.traces, points, values, visible, strict=True):
        assert np.allclose(xy.numpy(), trace.points, atol=1e-3, equal_nan=True)
        assert np.array_equal(tmv.numpy(), np.column_stack([trace.t, trace.mv]), equal_nan=True)
        assert np.array_equal(one.numpy(), trace.visible)
    assert np.allclose(item["signal"].numpy(), sheet.signals, atol=1e-4, equal_nan=True)
    assert (item["start"], item["window"], item["epoch"]) == (10.0, 1, 2)
    assert item["target"] == repr(sheet)


def test_a_folder_is_drawn_as_batch_draws_it(records: Path) -> None:
    item = EcgImages(records, NOTED, seed=5)[2]
    record = ecgvec.read_record(records / "b" / "c")
    plan = make_plans(record, NOTED, path="b/c", seed=5).plans[1]
    assert np.array_equal(item["image"].permute(1, 2, 0).numpy(), render_plan(record, plan).image)


def test_epochs_differ_and_come_again(records: Path) -> None:
    recipe = load_recipe("phone-photo", ONE_COLUMN)
    pages = EcgImages(records / "a", recipe, labels=["mask"])
    first = pages[0]
    pages.set_epoch(1)
    second = pages[0]
    pages.set_epoch(0)
    assert equal(pages[0], first)
    assert not equal(first["image"], second["image"]) and not equal(first["mask"], second["mask"])
    assert not equal(EcgImages(records / "a", recipe, seed=1, labels=())[0]["image"], first["image"])


@pytest.mark.parametrize(("context", "name"), [("fork", "phone-photo"), ("spawn", "clean")])
def test_workers_draw_the_same_bytes_and_hear_of_epochs(records: Path, context: str, name: str) -> None:
    recipe = load_recipe(name, {**ONE_COLUMN, "notes.probability": 1, "notes.words": 1})
    pages = EcgImages(records, recipe)
    expected: dict[tuple[int, str], Item] = {}
    for epoch in (0, 1):
        pages.set_epoch(epoch)
        expected |= {(epoch, item["name"]): item for item in (pages[i] for i in range(len(pages)))}
    loader = DataLoader(
        pages, 2, shuffle=True, num_workers=2, multiprocessing_context=context, persistent_workers=True,
        collate_fn=list, timeout=120,
    )  # fmt: skip
    for epoch in (1, 0):
        pages.set_epoch(epoch)
        items = [item for batch in loader for item in batch]
        assert sorted(item["name"] for item in items) == NAMES
        assert all(equal(item, expected[epoch, item["name"]]) for item in items)


def test_a_batch_is_padded_below_and_on_the_right(demo_record: Record) -> None:
    small = EcgImages(demo_record, dpi=50)[0]
    large = EcgImages(demo_record, dpi=60)[0]
    batch = collate([small, large], multiple=32)
    (height, width), (most, widest) = small["size"].tolist(), large["size"].tolist()
    assert batch["image"].shape == (2, 3, -(-most // 32) * 32, -(-widest // 32) * 32)
    assert batch["mask"].shape == batch["image"][:, 0].shape
    assert batch["sizes"].tolist() == [[height, width], [most, widest]]
    assert equal(batch["image"][0, :, :height, :width], small["image"])
    assert (batch["image"][0, :, height:] == FILL).all() and (batch["image"][0, :, :, width:] == FILL).all()
    assert equal(batch["mask"][0, :height, :width], small["mask"])
    assert (batch["mask"][0, height:] == IGNORE).all() and (batch["mask"][0, :, width:] == IGNORE).all()
    assert equal(batch["mask"][1, :most, :widest], large["mask"])
    assert batch["boxes"][1] is large["boxes"] and batch["trace_leads"][0] == small["trace_leads"]
    assert collate([small, large])["image"].shape[-2:] == (most, widest)
    with pytest.raises(ValueError, match="multiple is 0"):
        collate([small], multiple=0)


def test_datasets_can_be_pickled(records: Path) -> None:
    for pages in (EcgImages(records, PLAIN, labels=["mask"]), EcgStream(records, PLAIN, labels=["mask"])):
        first = next(iter(pages))
        pages.set_epoch(4)
        copy = pickle.loads(pickle.dumps(pages))
        assert copy.epoch == 4
        copy.set_epoch(0)
        assert pages.epoch == 4, "a copy has epochs of its own"
        assert equal(next(iter(copy)), first)


def test_only_what_is_asked_for_is_made(records: Path) -> None:
    keys = {label: set(make(ecgvec.render(records / "a", PLAIN))) for label, make in LABELS.items()}
    bare = set(EcgImages(records, PLAIN, labels=())[0])
    assert bare == {"image", "size", "name", "window", "epoch"}
    for label, own in keys.items():
        assert set(EcgImages(records, PLAIN, labels=[label])[0]) == bare | own
        assert set(EcgImages(records, PLAIN, labels=label)[0]) == bare | own


def test_first_windows_alone(records: Path) -> None:
    pages = EcgImages(records, PLAIN, windows="first", labels=())
    assert [item["name"] for item in pages] == ["a-0", "b/c-0", "d-0"]
    assert pages[-1]["name"] == "d-0"
    with pytest.raises(IndexError, match="there are 3 pages: choose 0 to 2, not 3"):
        pages[3]
    stream = EcgStream(records, PLAIN, windows="first", shuffle=False, labels=())
    assert [item["name"] for item in stream] == ["a-0", "b/c-0", "d-0"]


def test_the_length_stays_where_chance_decides_how_long_pages_are(tmp_path: Path) -> None:
    write_record(tmp_path, "long", 40)
    pages = EcgImages(tmp_path, load_recipe("clean", {"page.dpi": 50, "page.seconds": {"choice": [5, 10]}}), labels=())
    stream = EcgStream(tmp_path, load_recipe("clean", {"page.dpi": 50, "page.seconds": {"choice": [5, 10]}}), labels=())
    lengths, shown = set(), set()
    for epoch in range(6):
        pages.set_epoch(epoch)
        stream.set_epoch(epoch)
        lengths.add(len(pages))
        windows = [item["window"] for item in pages]
        assert windows == sorted(windows)
        whole = [item["window"] for item in stream]
        assert whole == list(range(len(whole))) and set(windows) <= set(whole)
        shown.add(len(whole))
    assert len(lengths) == 1
    assert shown == {4, 8}, "the case was met"


def test_records_of_one_name_are_not_drawn_alike(demo_record: Record) -> None:
    recipe = load_recipe("phone-photo", {"page.dpi": 50})
    pages = EcgImages([demo_record, demo_record], recipe, labels=())
    assert [item["name"] for item in pages] == ["ecgvec-demo-0", "ecgvec-demo (2)-0"]
    assert not equal(pages[0]["image"], pages[1]["image"])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("world", [1, 2])
def test_a_stream_gives_each_page_once(records: Path, workers: int, world: int) -> None:
    pages = EcgImages(records, PLAIN, labels=["mask"])
    expected = {item["name"]: item for item in pages}
    found: list[Item] = []
    for rank in range(world):
        stream = EcgStream(records, PLAIN, labels=["mask"], rank=rank, world=world)
        loader = DataLoader(stream, 1, num_workers=workers, collate_fn=alone, timeout=60 if workers else 0)
        found += list(loader)
    assert sorted(item["name"] for item in found) == NAMES
    assert all(equal(item, expected[item["name"]]) for item in found)


def test_a_stream_has_another_order_in_each_epoch(records: Path) -> None:
    stream, orders = EcgStream(records, PLAIN, labels=()), set()
    for epoch in range(8):
        stream.set_epoch(epoch)
        orders.add(tuple(item["name"] for item in stream))
    assert len(orders) > 2 and all(sorted(order) == NAMES for order in orders)
    stream.set_epoch(0)
    assert tuple(item["name"] for item in stream) in orders
    assert [item["name"] for item in EcgStream(records, PLAIN, labels=(), shuffle=False)] == NAMES


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.filterwarnings("ignore:.*r1 is left out")
def test_a_stream_leaves_a_bad_record_out(spoilt: Path, workers: int) -> None:
    stream = EcgStream(spoilt, PLAIN, labels=())
    names = [item["name"] for item in DataLoader(stream, None, num_workers=workers)]
    assert sorted(names) == ["r0-0", "r2-0", "r3-0"]
    assert stream.skipped == 1


def test_a_stream_warns_of_what_it_leaves_out(spoilt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(record: Record, plan: Any) -> Sheet:
        if record.name == "r2":
            raise ZeroDivisionError("here")
        return render_plan(record, plan)

    monkeypatch.setattr(datasets, "render_plan", failing)
    stream = EcgStream(spoilt, PLAIN, labels=(), shuffle=False)
    with pytest.warns(RuntimeWarning) as told:
        names = [item["name"] for item in stream]
    assert names == ["r0-0", "r3-0"] and stream.skipped == 2
    first, second = (str(one.message) for one in told)
    assert first.startswith(f"{spoilt / 'r1'} is left out (1 so far): ") and "r1.dat" in first
    assert second == f"{spoilt / 'r2'} is left out (2 so far): unexpected ZeroDivisionError: here; please report it"


def test_notes_that_cannot_be_written_cost_their_own_page_alone(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = datasets.finish_plans

    def failing(pages: Any) -> Any:
        if any(page.plan.record.path == "a" for page in pages):
            raise RecipeError("no ink")
        return true(pages)

    monkeypatch.setattr(datasets, "finish_plans", failing)
    stream = EcgStream(records, NOTED, labels=(), shuffle=False)
    with pytest.warns(RuntimeWarning, match=r"a is left out \(1 so far\): no ink"):
        assert [item["name"] for item in stream] == NAMES[1:]


def test_a_fault_of_a_target_is_not_hidden(records: Path) -> None:
    def target(_: Sheet) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        list(EcgStream(records, PLAIN, labels=(), target=target))


def test_pages_by_number_raise_what_is_wrong(spoilt: Path) -> None:
    pages = EcgImages(spoilt, PLAIN, labels=())
    assert len(pages) == 4, "a record that cannot be read is not passed over"
    assert pages[2]["name"] == "r2-0"
    with pytest.raises(RecordError, match=r"r1\.dat"):
        pages[1]
    with pytest.raises(RecordError, match=r"r1\.dat"):
        list(DataLoader(pages, 4, num_workers=1, collate_fn=list, timeout=60))


def test_notes_of_many_pages_are_written_in_one_pass(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = EcgImages(records, NOTED, labels=["mask"])
    single = {item["name"]: item for item in pages}
    calls, true = [], Hand.write

    def counted(self: Hand, texts: list[str], *more: object) -> object:
        calls.append(len(texts))
        return true(self, texts, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Hand, "write", counted)
    streamed = list(EcgStream(records, NOTED, labels=["mask"]))
    assert calls[0] == 4 and len(calls) == 1
    batch = pages.__getitems__([0, 1, 2, 3])
    assert calls[1] == 4 and len(calls) == 2
    assert Counter(item["name"] for item in streamed) == Counter(item["name"] for item in batch) == Counter(NAMES)
    assert all(equal(item, single[item["name"]]) for item in [*streamed, *batch])


_WATCH = """
import os, sys
heard = []
def hook(event, arguments):
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        if (mode and set(mode) & set("wax+")) or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            heard.append(arguments[0])
    if event in ("os.mkdir", "os.rename", "os.symlink"):
        heard.append(arguments[0])
import ecgvec
from ecgvec.datasets import EcgImages, EcgStream
records = [ecgvec.read_record(os.path.join(sys.argv[1], name)) for name in ("a", "d")]
sys.addaudithook(hook)
open(os.devnull, "w").close()
assert heard.pop() == os.devnull and not heard  # the hook hears
recipe = ecgvec.load_recipe("phone-photo", {"layout.template": "1-column", "notes.probability": 1})
items = [EcgImages(records, recipe, dpi=50)[0], *EcgStream(records, dpi=50)]
print(len(items), heard)
items = list(EcgStream(sys.argv[1], dpi=50, labels=()))
folder = os.environ["TMPDIR"]
print(len(items), [one for one in heard if not os.fspath(one).startswith((folder, sys.argv[1]))])
"""


def test_nothing_is_written(records: Path, tmp_path: Path) -> None:
    """Only the reader of records lays a header and links into the temporary folder, and takes them away again."""
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    for folder in (here, temporary):
        folder.mkdir()
    before = {path: path.stat().st_mtime_ns for path in records.rglob("*")}
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(temporary),
    }
    command = [sys.executable, "-c", _WATCH, str(records)]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.splitlines() == ["3 []", "4 []"], done.stderr
    assert not [*here.iterdir(), *temporary.iterdir()]
    assert {path: path.stat().st_mtime_ns for path in records.rglob("*")} == before


def test_torch_is_wanted_here_and_nowhere_else() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import ecgvec; ecgvec.render; ecgvec.read_record\n"
        "try: import ecgvec.datasets\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "ecgvec.datasets needs PyTorch: pip install 'ecgvec[train]'", done.stderr


def test_dpi_is_stronger_than_the_recipe(demo_record: Record) -> None:
    wanted = EcgImages(demo_record, "clean", dpi=60, labels=())[0]["size"].tolist()
    mix = {"clean": 1, "printed": 0}
    for recipe in (PLAIN, mix, load_mix(mix)):
        assert EcgImages(demo_record, recipe, dpi=60, labels=())[0]["size"].tolist() == wanted


def test_wrong_arguments_are_named(records: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="labels: 'masks' is unknown; did you mean 'mask'"):
        EcgImages(records, labels=["masks"])
    with pytest.raises(RecipeError, match="windows is 'last'"):
        EcgImages(records, windows="last")  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match=r"page\.dpi is 5"):
        EcgImages(records, PLAIN, dpi=5)
    with pytest.raises(RecordError, match="no record was given"):
        EcgImages([])
    with pytest.raises(RecordError, match="no record was found"):
        EcgImages(tmp_path)
    with pytest.raises(RecordError, match="is no record"):
        EcgImages(tmp_path / "absent")
    with pytest.raises(ValueError, match="rank is 2 of a world of 2"):
        EcgStream(records, rank=2, world=2)
    with pytest.raises(ValueError, match="epoch is -1"):
        EcgImages(records).set_epoch(-1)


def test_the_example_learns(capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(ROOT / "examples" / "train_segmentation.py"))
    losses = example["main"](["--steps", "10", "--dpi", "50"])
    assert np.mean(losses[-3:]) < 0.7 * losses[0]
    assert len(capsys.readouterr().out.splitlines()) == 10
