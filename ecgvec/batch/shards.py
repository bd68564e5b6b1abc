"""A run's images in tar files, as WebDataset reads them, each with the images of a few records in a row.

    shards/shard-000000.tar    records 0 to SIZE - 1, in the order of their paths; those in quarantine are not in it
    shards/shards.json         an index after the manner of wids: of each tar its images, its bytes and its SHA-256
    shards/README.md           a dataset card, which tells ``datasets.load_dataset("OUT/shards")`` what the members are

A tar appears when it is whole, and its bytes do not depend on who drew it: the headers hold no time, no owner. What an
image's files are called in it, see `ecgvec.export.files`.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ecgvec.batch.manifest import Chunk, Entry, Task
from ecgvec.batch.pool import Draw, Pool, Pooled
from ecgvec.batch.work import Work, drawer
from ecgvec.errors import ExportError
from ecgvec.export.files import FileSet, Tar, Written, names_in, remove_file, write_file
from ecgvec.export.storage import Place, Url
from ecgvec.export.write import Writer
from ecgvec.recipe.recipe import Recipe

FOLDER = "shards"
INDEX = f"{FOLDER}/shards.json"
CARD = f"{FOLDER}/README.md"
PARTS = "shards"  # under which the manifest keeps what the members are called
UNFIT = ("hf", "nnunet", "yolo")  # are for programs that read folders of a certain shape
_NAME = re.compile(r"shard-\d{6,}\.tar")
_PICTURES, _TEXTS, _JSONS = ("png", "jpg", "webp"), ("txt",), ("json", "npy")
_NOT_IN_CARD = ("npz",)  # `datasets` would make lists of them, a number at a time

Arguments = tuple[Place, Recipe, Place, Path | None, Path | None]  # of `work.drawer`


def refuse_unfit(formats: Iterable[str] | None) -> None:
    """ExportError for formats that make no sense without a folder of images."""
    for name in formats or ():
        if name in UNFIT:
            raise ExportError(
                f"the format {name} is a folder for other programs, which do not look into shards: "
                f"leave {name} out of --formats, or --shards"
            )


@dataclass(frozen=True)
class Shard(Task):
    """``tasks`` that go into the tar ``path``; it is known by the first of them. ``doomed``: reasons why some of them
    are not even tried, by their number."""

    path: str = ""
    tasks: tuple[Task, ...] = ()
    doomed: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Packed(Entry):
    """What became of a shard: ``entries`` of its jobs, each of which has the tar as its file."""

    entries: tuple[Entry, ...] = ()


def shard_drawer(
    folder: Place, recipe: Recipe, out: Place, staging: Path | None, header: Path | None, most: int | None = None
) -> Draw:
    """What draws shards; the arguments are those of `work.drawer`."""
    left = most

    def draw(chunk: Sequence[Task]) -> Iterator[Entry]:
        nonlocal left
        for shard in cast(Sequence[Shard], chunk):
            packed = _packed(shard, (folder, recipe, out, staging, header), left)
            left = None if left is None else left - packed.images
            yield packed

    return draw


def _packed(shard: Shard, arguments: Arguments, most: int | None) -> Packed:
    folder, recipe, out, staging, header = arguments
    ended = [Entry(number, "quarantined", reason=reason) for number, reason in shard.doomed.items()]
    with FileSet(out, staging) as staged:
        tar = Tar(staged, shard.path)
        work = Work(
            folder, recipe, Writer(out, recipe.output.formats_to_write, staging, tar.add), ended.append, header, most
        )
        for task in shard.tasks:
            if task.number not in shard.doomed:
                work.add(task)
        work.finish()
        files = tar.close()
    ended.sort(key=lambda entry: entry.number)
    entries = [replace(entry, files=files) for entry in ended]
    entries[0] = replace(entries[0], parts=(*entries[0].parts, (PARTS, sorted(tar.fields))))
    return Packed(shard.number, "done", images=sum(entry.images for entry in ended), entries=tuple(entries))


def draw_shards(
    chunks: Iterable[Chunk],
    size: int,
    arguments: Arguments,
    workers: int,
    most: int | None = None,
    make: Callable[..., Draw] = shard_drawer,
    probe: Callable[..., Draw] = drawer,
    pool: Pooled = Pool,
) -> Iterator[tuple[Entry, ...]]:
    """Draw ``chunks``, each of which is all of a shard of ``size`` jobs: what became of the jobs, shard by shard."""
    shards = (_shard(chunk, size) for chunk in chunks)
    if workers == 0 or most is not None:  # one process knows how many images there are
        draw = make(*arguments, most)
        for shard in shards:
            yield from (cast(Packed, packed).entries for packed in draw([shard]))
        return
    under_way: dict[int, Shard] = {}
    with pool(workers, make, *arguments) as drawing:
        for told in drawing.draw(_noted(shards, under_way)):
            if isinstance(told, Packed):
                del under_way[told.number]
                yield told.entries
    for shard in under_way.values():
        yield _without_fatal(shard, arguments, workers, make, probe, pool)


def _noted(shards: Iterable[Shard], under_way: dict[int, Shard]) -> Iterator[Chunk]:
    for shard in shards:
        under_way[shard.number] = shard
        yield [shard]


def _shard(chunk: Chunk, size: int) -> Shard:
    first = chunk[0]
    path = f"{FOLDER}/shard-{first.number // size:06d}.tar"
    return Shard(first.number, first.job, path, tuple(chunk))


def _without_fatal(
    shard: Shard,
    arguments: Arguments,
    workers: int,
    make: Callable[..., Draw],
    probe: Callable[..., Draw],
    pool: Pooled,
) -> tuple[Entry, ...]:
    """Draw a shard that has killed its processes: each record is drawn alone, to no use but to see which it is."""
    folder, recipe, _, staging, header = arguments
    alone = Url("memory", "alone") if staging is None else staging / "alone"
    with pool(min(workers, len(shard.tasks)), probe, folder, recipe, alone, None, header) as drawing:
        ended = list(drawing.draw([task] for task in shard.tasks))
    if isinstance(alone, Path):
        shutil.rmtree(alone, ignore_errors=True)
    doomed = {entry.number: entry.reason for entry in ended if entry.state == "quarantined"}
    with pool(1, make, *arguments) as drawing:
        for told in drawing.draw([[replace(shard, doomed=doomed)]]):
            if isinstance(told, Packed):
                return told.entries
            reason = told.reason
    raise ExportError(
        f"{shard.path} cannot be drawn, though its records can, each alone: {reason}; "
        "go on by --resume with fewer --workers, or begin anew with fewer records a shard"
    )


def finish(out: Place, tars: Iterable[tuple[Written, int]], fields: Iterable[Sequence[str]]) -> None:
    """Write index and card of ``tars``, (file, images), whose members end in ``fields``; remove tars of other runs."""
    listed = [
        {
            "url": tar.path.removeprefix(f"{FOLDER}/"),
            "nsamples": images,
            "filesize": tar.size,
            "sha256": tar.sha256,
        }
        for tar, images in tars
    ]
    index = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": listed}
    write_file(out / INDEX, (json.dumps(index, indent=1) + "\n").encode())
    names = sorted({name for some in fields for name in some})
    write_file(out / CARD, _card(names).encode())
    here = {tar["url"] for tar in listed}
    for name in names_in(out / FOLDER):
        if _NAME.fullmatch(name) and name not in here:
            remove_file(out / FOLDER / name)


def _card(fields: Sequence[str]) -> str:
    """What https://huggingface.co/docs/hub/datasets-cards says of README.md; its YAML is JSON here."""
    features = [{"name": name, "dtype": kind} for name in fields if (kind := _kind(name))]
    features += [{"name": name, "dtype": "string"} for name in ("__key__", "__url__")]
    configs: list[dict[str, Any]] = [
        {"config_name": "default", "data_files": [{"split": "train", "path": "shard-*.tar"}]}
    ]
    return (
        f"---\nconfigs: {json.dumps(configs)}\ndataset_info: {json.dumps({'features': features})}\n---\n\n"
        "# Pictures of paper ECGs\n\nMade by ecgvec: WebDataset tars, listed in `shards.json`.\n"
        f"Members of a sample: {', '.join(f'`{name}`' for name in fields) or 'none'}.\n"
    )


def _kind(name: str) -> str | None:
    """The type that `datasets` gives a member, by its last extension."""
    last = name.rpartition(".")[2]
    if last in _NOT_IN_CARD:
        return None
    kinds = {"image": _PICTURES, "string": _TEXTS, "json": _JSONS}
    return next((kind for kind, ends in kinds.items() if last in ends), "binary")
