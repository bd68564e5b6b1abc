"""Records from URLs and images to URLs: what a folder gives, and holds, to the byte."""

from __future__ import annotations

import csv
import functools
import http.server
import json
import os
import posixpath
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import numpy as np
import pytest
import wfdb
from fsspec.registry import _registry, known_implementations

from ecgvec.batch.estimate import estimate
from ecgvec.batch.jobs import find_jobs
from ecgvec.batch.local import RunOptions, Summary, run
from ecgvec.batch.manifest import MANIFEST, Manifest
from ecgvec.batch.replay import RUN_FILE, replay_image
from ecgvec.cli import main
from ecgvec.errors import ExportError, RecordError, SourceError
from ecgvec.export.storage import Place, Url, place
from ecgvec.recipe.recipe import load_recipe
from tests.batch.runs import write_record
from tests.conftest import ROOT, Run

FORMATS = ["png", "json", "kit", "coco", "wfdb"]
RECIPE = load_recipe("clean", {"page.dpi": 50, "output.formats": FORMATS})
BROKEN = "s0/r 0"  # without signals


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names that are not easy for URLs; a record with beats; one of two segments; one without signals."""
    folder = tmp_path_factory.mktemp("records")
    for at, name in enumerate((BROKEN, "s1/r[1]*", "s1/r#2%20?", "é/r3", "r4")):
        write_record(folder / Path(name).parent, "plain", 21 if at == 3 else 10)
        for ending in (".hea", ".dat"):
            path = (folder / name).parent / f"plain{ending}"
            (folder / f"{name}{ending}").write_bytes(path.read_bytes().replace(b"plain", Path(name).name.encode()))
            path.unlink()
    (folder / f"{BROKEN}.dat").unlink()
    wfdb.wrann("r4", "atr", np.array([100, 300]), symbol=["N", "V"], write_dir=str(folder))
    for name in ("m01", "m02"):
        write_record(folder / "m", name, 5)
    (folder / "m/m.hea").write_text("m/2 2 100 1000\nm01 500\nm02 500\n")
    return folder


@pytest.fixture(scope="module")
def whole(records: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run from folder to folder makes."""
    out = tmp_path_factory.mktemp("whole")
    summary = drawn(records, out, out / MANIFEST)
    assert (summary.images, summary.done, [name for name, _ in summary.quarantined]) == (6, 5, [BROKEN])
    assert "segment of another record" in summary.skipped[0][1] and len(summary.skipped) == 2
    labels = json.loads((out / "r4-0.json").read_bytes())["labels"]
    assert len(labels["beats"]) == 2
    return without_reasons(contents(out))


def contents(where: Place) -> dict[str, bytes]:
    """All files but the manifest and those that say where the run was."""
    if isinstance(where, Path):
        names = [path.relative_to(where).as_posix() for path in where.rglob("*") if path.is_file()]
        found = {name: (where / name).read_bytes() for name in names}
    else:
        found = {name: (where / name).read() or b"" for name in where.names()}
    return {name: data for name, data in found.items() if not name.startswith((MANIFEST, RUN_FILE))}


def without_reasons(files: dict[str, bytes]) -> dict[str, bytes]:
    """Reasons name the place; the records are the same."""
    rows = list(csv.DictReader(files["quarantine.csv"].decode().splitlines()))
    return files | {"quarantine.csv": repr([row["record"] for row in rows]).encode()}


def drawn(source: Place, out: Place, manifest: Path | None, **options: Any) -> Summary:
    made = RunOptions(manifest=manifest, **options)
    return run(source, lambda: find_jobs(source, out, False), out, RECIPE, made)


def memory() -> Url:
    found = place(f"memory://{uuid4().hex}/")
    assert isinstance(found, Url)
    return found


def uploaded(folder: Path, url: Url) -> Url:
    url.put({path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()})
    return url


def test_memory_holds_what_a_folder_holds(
    records: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out, temporary = uploaded(records, memory()), memory(), tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    summary = drawn(source, out, tmp_path / "m.sqlite", workers=2)
    assert without_reasons(contents(out)) == whole
    reason = dict(summary.quarantined)[BROKEN]
    assert reason.startswith(f"{source}/{BROKEN}.dat, which {source}/{BROKEN}.hea names, is missing")
    assert reason in contents(out)["quarantine.csv"].decode().replace('""', '"')
    assert list(temporary.iterdir()) == []
    assert {name.rpartition("/")[0] for name in out.names()} == {
        "", "s1", "é", "m", "kit", "kit/s1", "kit/é", "kit/m", "kit/text_bounding_box", "kit/text_bounding_box/s1",
        "kit/text_bounding_box/é", "kit/text_bounding_box/m", "coco", "wfdb", "wfdb/s1", "wfdb/é", "wfdb/m",
    }  # fmt: skip


def test_lost_and_damaged_objects_are_made_anew_and_no_others(
    records: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, scratch, manifest = memory(), tmp_path / "scratch", tmp_path / "m.sqlite"
    drawn(records, out, manifest)
    (out / "r4-0.png").remove()
    scratch.write_bytes(b"{}")
    out.put({"é/r3-1.json": scratch})
    put: list[str] = []
    put_all, listed, sizes = Url.put, [], Url.sizes
    monkeypatch.setattr(Url, "put", lambda self, files: put.extend(files) or put_all(self, files))
    monkeypatch.setattr(Url, "sizes", lambda self: listed.append(str(self)) or sizes(self))
    drawn(records, out, manifest, resume=True)
    assert without_reasons(contents(out)) == whole
    images = {name for name in put if name.endswith(".png")}
    assert images == {"r4-0.png", "é/r3-0.png", "é/r3-1.png"}, "no others are drawn"
    assert put.index("é/r3-1.json") > put.index("é/r3-1.png") < put.index("kit/é/r3-1.json"), "the JSON is the last"
    assert len(listed) == len(set(listed)) <= 17, "one request for a folder, not for a file"
    content = bytearray(whole["r4-0.png"])
    content[200] ^= 1
    scratch.write_bytes(content)
    put_all(out, {"r4-0.png": scratch})
    drawn(records, out, manifest, resume=True)
    assert contents(out)["r4-0.png"] == bytes(content), "its size is right"
    drawn(records, out, manifest, resume=True, rehash=True)
    assert without_reasons(contents(out)) == whole


def test_a_mended_record_is_drawn_and_leaves_the_quarantine(tmp_path: Path) -> None:
    write_record(tmp_path / "in", "a", 10)
    source, out = memory(), memory()
    source.put({"a.hea": tmp_path / "in/a.hea"})
    assert len(drawn(source, out, tmp_path / "m").quarantined) == 1 and "quarantine.csv" in out.names()
    source.put({"a.dat": tmp_path / "in/a.dat"})
    assert drawn(source, out, tmp_path / "m", resume=True).done == 1 and "quarantine.csv" not in out.names()


def test_shards(records: Path, tmp_path: Path) -> None:
    out, local = memory(), tmp_path / "local"
    drawn(records, local, local / MANIFEST, shards=2)
    (tmp_path / "old").write_bytes(b"")
    out.put({"shards/shard-000009.tar": tmp_path / "old", "shards/mine.tar": tmp_path / "old"})
    drawn(uploaded(records, memory()), out, tmp_path / "m", shards=2)
    (out / "shards/mine.tar").remove()
    assert without_reasons(contents(out)) == without_reasons(contents(local))
    assert [name for name in out.names() if name.endswith(".tar")] == [f"shards/shard-00000{i}.tar" for i in range(3)]
    (out / "shards/shard-000001.tar").remove()
    drawn(records, memory(), None)  # another run
    with pytest.raises(ExportError, match="begun with another input"):
        drawn(records, out, tmp_path / "m", shards=2, resume=True)


def test_names_that_lead_nowhere_and_an_output_inside_the_input(tmp_path: Path) -> None:
    write_record(tmp_path / "in", "a", 10)
    source, files = memory(), {ending: tmp_path / f"in/a{ending}" for ending in (".hea", ".dat")}
    for name in ("a", "x/../../a", "x//a", "out/stray"):
        source.put({name + ending: file for ending, file in files.items()})
    out = source / "out"
    summary = drawn(source, out, None)
    assert [name for name, _ in summary.quarantined] == ["x/../../a", "x//a"] and summary.done == 1
    assert all("is in no folder of that name: rename its objects" in reason for _, reason in summary.quarantined)
    with pytest.raises(ExportError, match="is the input folder"):
        drawn(source, source, None)
    long = "n" * 1020
    assert "give the record a shorter name" in _refused(lambda: out.put({long: files[".hea"]}), RecordError)


def _refused(call: Any, kind: type[Exception]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_replay_finds_records_at_urls(records: Path, tmp_path: Path) -> None:
    source, out = uploaded(records, memory()), tmp_path / "out"
    drawn(source, out, None)
    assert [one["input"] for one in json.loads((out / RUN_FILE).read_text())["runs"]] == [str(source)]
    result = replay_image(out / "r4-0.json", None, tmp_path / "again")
    assert len(result) > 4 and all(result.values())
    (source / "r4.hea").remove()
    assert f"{source}/r4 is no record" in _refused(
        lambda: replay_image(out / "r4-0.json", None, tmp_path / "again"), RecordError
    )
    away = memory()
    drawn(records, away, None)
    run_file = (away / RUN_FILE).read() or b""
    assert json.loads(run_file)["runs"][0]["input"] is None and str(records).encode() not in run_file
    (tmp_path / "copy").mkdir()
    for name in (RUN_FILE, "r4-0.json"):
        (tmp_path / "copy" / name).write_bytes((away / name).read() or b"")
    assert "say where the record is with -i" in _refused(
        lambda: replay_image(tmp_path / "copy/r4-0.json", None, tmp_path / "x"), SourceError
    )


def test_a_plan_of_records_at_a_url(records: Path) -> None:
    source = uploaded(records, memory())
    local = estimate(records, find_jobs(records, records, False).jobs, RECIPE, 1)
    there = estimate(source, find_jobs(source, source, False).jobs, RECIPE, 2)
    assert (there.images, there.bytes_by_format) == (local.images, local.bytes_by_format)
    assert there.failed == 1 and f"{source}/{BROKEN}.dat" in there.reasons[0]


def test_no_header_is_opened_to_list_but_those_that_may_have_segments(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, opened, fetch = uploaded(records, memory()), [], Url.fetch
    monkeypatch.setattr(Url, "fetch", lambda self, files: opened.extend(files) or fetch(self, files))
    assert find_jobs(source, source, False) == find_jobs(records, records, False)
    assert opened == ["m/m.hea"]
    empty = memory()
    assert f"{empty} cannot be listed" in _refused(lambda: find_jobs(empty, empty, False), RecordError)


def test_a_file_url_is_a_path(tmp_path: Path, ecgvec_run: Run) -> None:
    assert place("file:///a%20b/c") == place("file://localhost/a%20b/c") == Path("/a b/c")
    assert place("a/b") == Path("a/b") and place("a:b/c") == Path("a:b/c")
    write_record(tmp_path / "in put", "a", 10)
    flags = ("-r", "50", "--formats", "png,json")
    source, out = ((tmp_path / name).as_uri() for name in ("in put", "url"))
    assert "%20" in source
    done = ecgvec_run("batch", "-i", source, "-o", out, *flags)
    assert done.returncode == 0, done.stderr
    assert ecgvec_run("batch", "-i", tmp_path / "in put", "-o", tmp_path / "path", *flags).returncode == 0
    assert contents(tmp_path / "url") == contents(tmp_path / "path")
    assert (tmp_path / "url" / RUN_FILE).read_bytes() == (tmp_path / "path" / RUN_FILE).read_bytes()
    with pytest.raises(SourceError, match="write file:///PATH"):
        place("file://data/x")


def test_urls_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match=r"s4://b/x has the protocol 's4', which fsspec does not know: give a path"):
        place("s4://b/x")
    for protocol, library in (("s3", "s3fs"), ("gs", "gcsfs")):
        monkeypatch.delitem(_registry, protocol, raising=False)
        absent = {"class": "absent_driver.X", "err": f"Install {library}"}
        monkeypatch.setitem(known_implementations, protocol, absent)
        with pytest.raises(SourceError, match=rf"\(Install {library}\): pip install 'ecgvec\[cloud\]'"):
            place(f"{protocol}://b/x")
    with pytest.raises(SourceError, match="holds a password") as caught:
        place("ftp://me:secret@host/x")
    assert "secret" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(SourceError, match=r"s3://b/x cannot be reached .*fsspec.*: pip install 'ecgvec\[cloud\]'"):
        place("s3://b/x")


def test_what_the_command_line_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record(tmp_path, "a", 10)
    monkeypatch.chdir(tmp_path)

    def said(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["ecgvec", *map(str, arguments), "-r", "50"])
        with pytest.raises(SystemExit) as ended:
            main()
        text = capsys.readouterr().err
        assert ended.value.code == 2 and text.startswith("ecgvec: ") and text.count("\n") == 1
        return text

    assert "memory://x is empty when a program begins" in said("batch", "-i", tmp_path, "-o", "memory://x")
    http_out = ("batch", "-i", tmp_path, "-o", "http://localhost/x")
    assert "say with --manifest FILE where on this machine" in said(*http_out)
    assert "half of a file would be seen there" in said(*http_out, "--manifest", tmp_path / "m")
    assert "is a URL: give a file on a disk" in said(*http_out, "--manifest", "http://localhost/m")
    assert "looks like a URL, which `ecgvec batch` alone writes to" in said("single", "-i", "a", "-o", "s3://b/x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dat", "a.hea"]


def test_folders_are_listed_without_fsspec(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert len(find_jobs(records, records, False).jobs) == 6


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: the log of pytest is not its place."""


def test_records_over_http_drawn_by_processes(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in ("a/r0", "a/r1", "r2"):
        write_record((folder / name).parent, Path(name).name, 10)
    (folder / "a/r1.dat").unlink()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        source = place(f"http://127.0.0.1:{server.server_port}/")
        summary = drawn(source, tmp_path / "http", None, workers=2)
    finally:
        server.shutdown()
        server.server_close()
    drawn(folder, tmp_path / "path", None)
    assert without_reasons(contents(tmp_path / "http")) == without_reasons(contents(tmp_path / "path"))
    assert dict(summary.quarantined)["a/r1"].startswith(f"{source}/a/r1.dat, which {source}/a/r1.hea names, is missing")
    assert "cannot be listed" in _refused(lambda: find_jobs(source, tmp_path, False), RecordError)


# S3: a server on this machine -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3_environment() -> Iterator[dict[str, str]]:
    """Of processes that are to find the server. Where s3fs is installed, and moto: see the Makefile."""
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
    yield names | {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_EC2_METADATA_DISABLED": "true"}
    server.stop()


@pytest.fixture
def bucket(s3_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Url:
    for name, value in s3_environment.items():
        monkeypatch.setenv(name, value)
    where = place(f"s3://b-{uuid4().hex}")
    assert isinstance(where, Url)
    fsspec.filesystem("s3").mkdir(where.path)
    return where


def test_a_killed_run_from_s3_to_s3_is_resumed(
    records: Path, whole: dict[str, bytes], bucket: Url, tmp_path: Path
) -> None:
    source, out, manifest = uploaded(records, bucket / "in"), bucket / "a/b", tmp_path / "m.sqlite"
    flags = ["-r", "50", "--formats", ",".join(FORMATS), "--workers", "2", "--manifest", str(manifest)]
    command = [sys.executable, str(ROOT / "cli.py"), "batch", "-i", f"{source}/", "-o", str(out), *flags]
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path / "temporary")})
    end = time.monotonic() + 120
    while not _jsons(bucket) and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    time.sleep(2)  # its processes notice at the end of their records
    for name in _jsons(bucket):
        files = json.loads((bucket / name).read() or b"")["files"]
        missing = {posixpath.normpath(f"{name}/../{file}") for file in files} - set(bucket.names())
        assert not missing, "the JSON is the last"
    with Manifest(manifest) as held:
        done = held.counts().get("done", 0)
    assert done < 5
    summary = drawn(source, out, manifest, resume=True, workers=2)
    assert (summary.images, summary.done) == (6, 5)
    assert without_reasons(contents(out)) == whole
    assert dict(summary.quarantined)[BROKEN].startswith(f"{source}/{BROKEN}.dat, which {source}/{BROKEN}.hea names")
    assert {name.partition("/")[0] for name in bucket.names()} == {"in", "a"}, "no staging folder"


def _jsons(bucket: Url) -> list[str]:
    try:
        names = bucket.names()
    except RecordError:
        return []
    return [name for name in names if name.startswith("a/b/") and "/kit/" not in name and name.endswith("-0.json")]


def test_what_s3_refuses(
    bucket: Url, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ecgvec_run: Run, ecgvec_process: Run
) -> None:
    write_record(tmp_path / "in", "a", 10)
    absent = Url("s3", f"{bucket.path}-absent/x")
    said = _refused(lambda: find_jobs(absent, tmp_path, False), RecordError)
    assert f"{absent} cannot be listed (The specified bucket does not exist)" in said
    flags = ("-i", tmp_path / "in", "-r", "50", "--manifest")
    done = ecgvec_run("batch", *flags, tmp_path / "m", "-o", absent)
    assert done.returncode == 2 and f"{absent}/{RUN_FILE} cannot be written (The specified bucket" in done.stderr
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    done = ecgvec_process("batch", *flags, tmp_path / "other", "-o", bucket)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"{bucket}/{RUN_FILE} cannot be" in done.stderr and "the network" in done.stderr


def test_shards_on_s3(records: Path, bucket: Url, tmp_path: Path) -> None:
    out = bucket / "out"
    drawn(records, out, tmp_path / "m", shards=3, workers=2)
    drawn(records, tmp_path / "local", None, shards=3)
    assert without_reasons(contents(out)) == without_reasons(contents(tmp_path / "local"))
    (out / "shards/shard-000000.tar").remove()
    before = {name: (out / name).read() for name in out.names()}
    drawn(records, out, tmp_path / "m", shards=3, resume=True)
    assert {name: (out / name).read() for name in out.names() if name in before} == before
    assert len([name for name in out.names() if name.endswith(".tar")]) == 2
