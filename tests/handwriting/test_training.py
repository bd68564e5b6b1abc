"""Training: exact resumption, whole checkpoints, the network step by step as in one go, repeatable writing."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgvec.errors import SourceError
from ecgvec.handwriting.compose import compose
from ecgvec.handwriting.features import make_batch
from ecgvec.handwriting.glyphs import Hand
from ecgvec.handwriting.model import Mixture, Network, Sizes, TorchEngine, window_weights
from ecgvec.handwriting.recurrent import SHIPPED, NumpyLSTM, Style, read_weights
from ecgvec.handwriting.sample import Job, Sample, fault, sample
from ecgvec.handwriting.training import checkpoint
from ecgvec.handwriting.training import train as training
from ecgvec.handwriting.training.train import BEST, LATEST, LOG, STATE, Settings, learning_rate, train

TINY = Settings(steps=6, rows=4, every=2, lower=24, upper=24, warm_up=2)


@pytest.fixture(autouse=True)
def few_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_HELD_OUT_LINES", 4)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks so small are slower on several threads, above all where other tests run beside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def network() -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Network(Sizes(styles=2, lower=24, upper=32)).eval()


def test_a_killed_run_ends_in_the_same_bits(pen_data: Path, tmp_path: Path) -> None:
    train(pen_data, tmp_path / "whole", TINY, "cpu")

    def killed_at_5(step: int, settings: Settings) -> float:
        if step == 5:
            raise KeyboardInterrupt
        return learning_rate(step, settings)

    state = tmp_path / "parts" / STATE
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training, "learning_rate", killed_at_5)
        train(pen_data, tmp_path / "parts", TINY, "cpu")
    assert checkpoint.read_tensors(state)[1]["step"] == 4
    train(pen_data, tmp_path / "parts", TINY, "cpu")
    for name in (STATE, LATEST, BEST):
        whole, parts = (checkpoint.read_tensors(tmp_path / run / name)[0] for run in ("whole", "parts"))
        assert whole.keys() == parts.keys()
        assert all(torch.equal(whole[key], parts[key]) for key in whole), name


def test_the_log_has_each_step_once(pen_data: Path, tmp_path: Path) -> None:
    train(pen_data, tmp_path, Settings(**{**vars(TINY), "steps": 4}), "cpu")
    with (tmp_path / LOG).open("a") as log:
        log.write('{"step": 5, "seconds": 1.0, "total": 0.0}\n')  # logged, and killed before the checkpoint
    train(pen_data, tmp_path, TINY, "cpu")
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 6]
    assert all(np.isfinite(line["held_out"]) for line in lines)


def test_a_state_of_another_run_is_refused(pen_data: Path, tmp_path: Path) -> None:
    train(pen_data, tmp_path, TINY, "cpu")
    with pytest.raises(SourceError, match="was trained with seed = 6, not 7"):
        train(pen_data, tmp_path, Settings(**{**vars(TINY), "seed": 7}), "cpu")
    (tmp_path / STATE).write_bytes(b"cut")
    with pytest.raises(SourceError, match="no safetensors file"):
        train(pen_data, tmp_path, TINY, "cpu")


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "cuda:x", "gpu"])
def test_a_device_that_is_not_there_is_named(device: str, pen_data: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"--device {device}: .* use"):
        train(pen_data, tmp_path, TINY, device)


def test_a_kill_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    checkpoint.write_whole(path, b"old")

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write_whole(path, b"new and longer")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    checkpoint.write_whole(path, b"new and longer")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"] and path.read_bytes() == b"new and longer"


def test_training_leaves_global_random_state_alone(pen_data: Path, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    train(pen_data, tmp_path, Settings(**{**vars(TINY), "steps": 1}), "cpu")
    assert torch.equal(before, torch.get_rng_state())


def test_weights_say_what_they_are(network: Network, tmp_path: Path) -> None:
    styles = [Style("a", "person", "xyz"), Style("b", "font", "x")]
    checkpoint.write_network(tmp_path / "w", network, styles, {"step": 7})
    read, names, about = checkpoint.read_network(tmp_path / "w")
    assert list(names) == styles and about["step"] == 7 and not read.training
    pairs = zip(written(network, ["ab", "x"], [1, 2]), written(read, ["ab", "x"], [1, 2]), strict=True)
    assert all(np.array_equal(a.points, b.points) for a, b in pairs)
    checkpoint.write_tensors(tmp_path / "w", network.state_dict(), {"characters": "abc"})
    with pytest.raises(SourceError, match="holds no handwriting model"):
        checkpoint.read_network(tmp_path / "w")


def test_styles_that_are_not_offered_are_learnt_and_left_out(
    pen_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(pen_data, data)
    with gzip.open(data / "people.jsonl.gz", "rt") as lines:
        rows = lines.read()
    with gzip.open(data / "other.jsonl.gz", "wt") as lines:
        lines.write(rows.replace("ujiv1_w01", "ujiv1_w05"))
    monkeypatch.setattr(checkpoint, "NOT_OFFERED", ("uji-01", "font-unknown"))
    settings = Settings(**{**vars(TINY), "steps": 2})
    train(data, tmp_path, settings, "cpu")
    best, latest = (read_weights(tmp_path / name) for name in (BEST, LATEST))
    assert [style.name for style in latest.styles] == ["uji-01", "uji-05"]
    assert [style.name for style in best.styles] == ["uji-05"] and best.about["sizes"]["styles"] == 1
    for name, tensor in latest.tensors.items():
        assert np.array_equal(best.tensors[name], tensor[1:] if name.endswith("_style.weight") else tensor), name
    assert checkpoint.read_network(tmp_path / BEST)[0].lower_style.num_embeddings == 1
    train(data, tmp_path, Settings(**{**vars(TINY), "steps": 4}), "cpu")  # goes on with all of them
    assert checkpoint.read_tensors(tmp_path / STATE)[0]["network.lower_style.weight"].shape[0] == 2


def test_the_only_style_is_offered_whatever_it_is(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "NOT_OFFERED", ("a", "b"))
    checkpoint.write_published(tmp_path / "w", network, [Style("a", "person", "x"), Style("b", "font", "x")], {})
    assert [style.name for style in read_weights(tmp_path / "w").styles] == ["a", "b"]


def test_the_shipped_styles_are_those_offered() -> None:
    names = {style.name for style in read_weights(SHIPPED).styles}
    assert len(names) == 88 and not names & set(checkpoint.NOT_OFFERED) and {"uji-05", "font-EMSBird"} <= names


def test_the_network_steps_as_it_runs(network: Network, hand: Hand) -> None:
    rng = np.random.default_rng(0)
    batch = make_batch([(compose(hand, text, rng), i) for i, text in enumerate(("ab", "Q 7"))], None)
    inputs = [torch.from_numpy(a) for a in (batch.characters, batch.style, batch.features, batch.phase)]
    with torch.no_grad():
        whole = network(*inputs)
        state = network.first_state(2)
        for step in range(batch.pen.shape[1]):
            features, phase = (a[:, step : step + 1] for a in inputs[2:])
            head, ahead, state = network.step(inputs[0], inputs[1], features, phase, state)
            assert torch.allclose(head[:, 16:32], whole.mixture.x[:, step], atol=1e-5)
            assert torch.allclose(head[:, -4:-1], whole.pen[:, step], atol=1e-5)
            assert torch.allclose(ahead, whole.phase[:, step], atol=1e-5)


def test_padding_changes_nothing(network: Network, hand: Hand) -> None:
    rng = np.random.default_rng(1)
    lines = [(compose(hand, "ab", rng), 0), (compose(hand, "a longer text", rng), 1)]
    alone, beside = make_batch(lines[:1], None), make_batch(lines, None)
    device = torch.device("cpu")
    steps = len(lines[0][0].points) + 1
    outputs = []
    for batch in (alone, beside):
        inputs = [torch.from_numpy(a) for a in (batch.characters, batch.style, batch.features, batch.phase)]
        outputs.append(network(*inputs).mixture.x[0, :steps])
    assert torch.allclose(outputs[0], outputs[1], atol=1e-5)
    assert checkpoint.run(network, beside, device).total.isfinite()


def test_the_mixture_is_a_density() -> None:
    one = torch.ones(1)
    mixture = Mixture(one, 0.3 * one, -0.2 * one, 0.5 * one, 0.8 * one, 0.6 * one)
    axis = torch.arange(-5.0, 5.0, 0.05)
    grid = torch.cartesian_prod(axis, axis)
    total = torch.exp(-mixture.negative_log_likelihood(grid)).sum() * 0.05**2
    assert float(total) == pytest.approx(1.0, abs=1e-3)


def test_window_reads_the_characters_that_it_stands_on() -> None:
    real = torch.tensor([[True, True, True, False]])
    weights = window_weights(real, torch.tensor([[1.0, 0.5]]), torch.tensor([[8.0, 8.0]]))[0]
    assert weights[0].argmax() == 1 and weights[0, 1] > 0.99 and (weights[:, 3] == 0).all()
    assert torch.allclose(weights[1, :2], torch.tensor([0.5, 0.5]), atol=1e-3)


def written(network: Network, texts: list[str], seeds: list[int]) -> list[Sample]:
    """Texts in the two styles in turn."""
    jobs = [Job(t, i % 2, np.random.default_rng(s), 0.7) for i, (t, s) in enumerate(zip(texts, seeds, strict=True))]
    return sample(TorchEngine(network), jobs)


def test_writing_repeats(network: Network) -> None:
    texts = ["LBBB", "72 bpm", "x"]
    first, again = (written(network, texts, [5, 6, 7]) for _ in range(2))
    other = written(network, texts, [5, 6, 8])
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one.points, two.points) and np.array_equal(one.pen, two.pen)
    assert np.array_equal(first[0].points, other[0].points) and not np.array_equal(first[2].points, other[2].points)


def test_numpy_writes_what_pytorch_writes() -> None:
    """Both engines, with the shipped weights, until rounding may have led them apart."""
    network = checkpoint.read_network(SHIPPED)[0]
    texts, styles = ["LBBB", "72 bpm", "i"], [3, 20, 0]

    def jobs() -> list[Job]:
        return [Job(t, s, np.random.default_rng(s), 0.7) for t, s in zip(texts, styles, strict=True)]

    engines = TorchEngine(network), NumpyLSTM(read_weights(SHIPPED))
    for one, two in zip(*(sample(engine, jobs()) for engine in engines), strict=True):
        n = min(len(one.points), len(two.points), 60)
        assert n > 5 and np.abs(one.points[:n] - two.points[:n]).max() < 1e-3
        assert np.array_equal(one.pen[:n], two.pen[:n])


def test_the_window_tells_what_went_wrong() -> None:
    pen = np.zeros(6, dtype=np.int64)

    def told(characters: list[int], ended: bool = True, y: float = 0.0) -> str:
        return fault("abc", np.full((6, 2), y), pen, np.array(characters), ended)

    assert told([0, 0, 1, 1, 2, 2]) == ""
    assert told([0, 0, 1, 1, 2, 2], ended=False) == "ran away"
    assert told([0, 0, 0, 2, 2, 2]) == "skipped character 1"
    assert told([0, 1, 0, 1, 2, 2]) == "went back"
    assert told([0, 0, 1, 1, 2, 2], y=9.0) == "left the line"
