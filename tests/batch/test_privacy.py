"""Nothing personal of a record's header reaches an output: not its pixels, not its bytes, not a file's name."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import struct
import unicodedata
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pypdf
import pytest

import ecgvec
from ecgvec.export.formats import FORMATS
from ecgvec.export.write import select_formats
from ecgvec.graphics import pdf
from ecgvec.graphics.shapes import Group, Scene, text_shape
from ecgvec.recipe.recipe import load_recipe
from ecgvec.resources import folder, listing
from tests.conftest import Run
from tests.program import RUN_FILE, contents, program

DEMO = folder("demo") / "ecgvec-demo"
ALL_FORMATS = ("--formats", ",".join(select_formats(FORMATS.names())))

# Each is found nowhere by chance. Those with letters beyond ASCII are looked for in every usual encoding.
RECORD_LINE_NAME = "KOWALCZYK_ZOFIA"
BASE_TIME, BASE_DATE = "03:41:27", "23/11/1976"
SIGNAL_FILE = "zofias-herz.dat"
COMMENTS = {
    "Name: Zofia Kowalczyk-Łęcka": ("Zofia", "Kowalczyk", "Łęcka"),
    "Patient ID: PID-88341907": ("88341907",),
    "Date of birth: 14.02.1977 (1977-02-14)": ("14.02.1977", "1977-02-14"),
    "Recorded on 2024-07-19 in room Q-4471": ("2024-07-19", "Q-4471"),
    "Phone: +48 601 555 817": ("601 555 817",),
    "Address: ulica Chłopska 17, 80-375 Gdańsk-Przymorze": ("Chłopska", "80-375", "Przymorze"),
    "Referring physician: Dr. Wiśniewski-Okoń": ("Wiśniewski", "Okoń"),
    "Insurance no. 77021412349, e-mail zk@przyklad.example": ("77021412349", "przyklad"),
    "She fainted twice at her daughter's wedding": ("fainted", "wedding"),
    "<name>: Zofinka <age>: 47 <sex>: F <diagnoses>: hypochondria": ("Zofinka", "hypochondria"),
}
PASSABLE = ("Age: 47", "Sex: Female", "Dx: 164889003")
DIAGNOSIS = "164889003"
REMARKS = tuple(f"remark-{i}-of-nurse-Jagoda" for i in range(13))
"""A comment line after every line of the header."""

ALWAYS_SECRET = (
    *RECORD_LINE_NAME.split("_"),
    BASE_TIME,
    BASE_DATE,
    SIGNAL_FILE.removesuffix(".dat"),
    *(word for words in COMMENTS.values() for word in words),
    "Jagoda",
)


# ---------------------------------------------------------------- records, and the search through outputs


def write_record(where: Path, name: str, sex: str = "Female") -> Path:
    """The embedded record under a header full of personal data; its path without extension."""
    where.mkdir(parents=True, exist_ok=True)
    lines = DEMO.with_suffix(".hea").read_text().splitlines()
    lines = [line.replace("ecgvec-demo.dat", SIGNAL_FILE) for line in lines if not line.startswith("#")]
    lines[0] = f"{RECORD_LINE_NAME} 12 500 5000 {BASE_TIME} {BASE_DATE}"
    with_remarks = [part for line, remark in zip(lines, REMARKS, strict=True) for part in (line, f"#{remark}")]
    comments = [f"# {line.replace('<sex>: F', f'<sex>: {sex[0]}')}" for line in COMMENTS]
    passable = [f"# {line.replace('Female', sex)}" for line in PASSABLE]
    text = "\n".join([*with_remarks, *comments, *passable]) + "\n"
    (where / f"{name}.hea").write_text(text, encoding="utf-8")
    shutil.copy(DEMO.with_suffix(".dat"), where / SIGNAL_FILE)
    return where / name


def write_plain_record(where: Path, name: str) -> Path:
    """The same samples under a header that says nothing of anybody."""
    where.mkdir(parents=True, exist_ok=True)
    lines = DEMO.with_suffix(".hea").read_text().replace("ecgvec-demo", name).splitlines()
    (where / f"{name}.hea").write_text("\n".join(line for line in lines if not line.startswith("#")) + "\n")
    shutil.copy(DEMO.with_suffix(".dat"), where / f"{name}.dat")
    return where / name


@cache
def spellings(secret: str) -> set[bytes]:
    """``secret`` as it may stand in a file: in any usual encoding, escaped for JSON or XML, its ASCII in lower case."""
    found = set()
    cases = {secret, secret.lower(), secret.upper()}  # bytes.lower knows no letters beyond ASCII
    for text in {unicodedata.normalize(form, case) for case in cases for form in ("NFC", "NFD")}:
        found |= {text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), html.escape(text).encode()}
        found |= {json.dumps(text)[1:-1].encode(), text.encode("ascii", "xmlcharrefreplace")}
        if max(text) <= "\xff":
            found.add(text.encode("latin-1"))
    return {spelling.lower() for spelling in found}


def found_in(content: bytes, secrets: Iterable[str]) -> set[str]:
    """Those of ``secrets`` that ``content`` holds in any spelling, whatever the case."""
    small = content.lower()
    return {secret for secret in secrets if any(spelling in small for spelling in spellings(secret))}


def unpacked(path: Path) -> bytes:
    """A file's bytes, and of an archive those of its members too; of a PDF its words, its title and its operators."""
    raw = path.read_bytes()
    if path.suffix == ".pdf":
        document = pypdf.PdfReader(path)
        words = "".join(part.extract_text() for part in document.pages) + str(document.metadata)
        contents = (part.get_contents() for part in document.pages)
        return raw + words.encode() + b"".join(content.get_data() for content in contents if content is not None)
    if path.suffix != ".npz":
        return raw
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return raw + b"".join(archive.read(name) for name in archive.namelist())


def leaks(out: Path, secrets: Iterable[str]) -> dict[str, set[str]]:
    """File name -> those of ``secrets`` that its name below ``out`` or its content holds."""
    secrets = tuple(secrets)
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        hits = found_in(name.encode(), secrets) | (found_in(unpacked(path), secrets) if path.is_file() else set())
        if hits:
            found[name] = hits
    return found


def png_chunks(path: Path) -> list[str]:
    """The types of a PNG's chunks, up to the file's last byte."""
    raw, at, types = path.read_bytes(), 8, []
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        types.append(raw[at + 4 : at + 8].decode("ascii"))
        at += length + 12
    assert at == len(raw)
    return types


def texts(page: Path, role: str | None = None) -> list[str]:
    """What the text of an SVG page says; of one role, or all."""
    elements = ElementTree.parse(page).getroot().iter()
    return [str(e.get("data-text")) for e in elements if e.get("data-text") and role in (None, e.get("class"))]


def sidecar(path: Path) -> dict[str, Any]:
    """The JSON beside an image."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def qr_text(image: Path) -> str:
    """What a phone would read from the page's QR code."""
    picture = cv2.imread(str(image))
    assert picture is not None
    return cv2.QRCodeDetector().detectAndDecode(picture)[0]


def draw(record: Path, out: Path, *words: str) -> str:
    """Draw one record in all formats, small unless ``words`` say how large; what the program said."""
    done = program("single", "-i", record, "-o", out, *ALL_FORMATS, "--dpi", "60", *words)
    assert done.code == 0, done.stderr
    return done.stdout + done.stderr


# ---------------------------------------------------------------- tests


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    # Without this, a search that finds nothing anywhere would pass every other test.
    record = write_record(tmp_path / "in", "p7")
    assert leaks(tmp_path / "in", ALWAYS_SECRET)["p7.hea"] == set(ALWAYS_SECRET)
    assert found_in(record.with_suffix(".hea").read_bytes(), [DIAGNOSIS, *REMARKS]) == {DIAGNOSIS, *REMARKS}
    np.savez(tmp_path / "in/x.npz", zofia=np.zeros(3))
    (tmp_path / "in/x.json").write_text(json.dumps({"name": "Łęcka"}))
    (tmp_path / "in/Wedding.txt").touch()
    word = text_shape("t", "header-text", "Dr. Łęcka", (5.0, 20.0), ("sans", 3.0, "#000000"))
    assert word is not None
    (tmp_path / "in/x.pdf").write_bytes(pdf.write([Scene(50.0, 50.0, "Zofia's", (Group("g", "g", (word,)),))]))
    found = leaks(tmp_path / "in", ("Zofia", "Łęcka", "wedding"))
    assert found["x.pdf"] == {"Zofia", "Łęcka"}
    assert found["x.npz"] == {"Zofia"}
    assert found["x.json"] == {"Łęcka"}
    assert found["Wedding.txt"] == {"wedding"}


@pytest.mark.parametrize("header", listing("headers"))
def test_nothing_personal_is_in_any_output(header: str, tmp_path: Path) -> None:
    record = write_record(tmp_path / "in", "p7")
    out = tmp_path / "out"
    said = draw(record, out, "--print_header", "--header", header, "--add_qr_code")
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    ends = (".png", ".svg", "-gt.png", "-gt.svg", ".json", ".npz")
    assert names >= {RUN_FILE, "kit/gridsize.csv", "kit/text_bounding_box/p7-0.txt", *(f"p7-0{end}" for end in ends)}
    assert leaks(out, [*ALWAYS_SECRET, DIAGNOSIS]) == {}
    assert found_in(said.encode(), [*ALWAYS_SECRET, DIAGNOSIS]) == set()
    for name in names:
        if name.endswith(".png"):  # neither tEXt, zTXt and iTXt nor eXIf and tIME
            assert set(png_chunks(out / name)) <= {"IHDR", "PLTE", "pHYs", "IDAT", "IEND"}, name


def test_the_header_is_the_plans_and_marked_synthetic(tmp_path: Path) -> None:
    record = write_record(tmp_path / "in", "p7")
    draw(record, tmp_path / "out", "--print_header")
    document = sidecar(tmp_path / "out/p7-0.json")
    assert document["header"] == {"printed": True, "synthetic": True, "from_record": []}
    planned = [cell["text"] for cell in document["plan"]["header"]["cells"]]
    assert len(planned) > 10
    assert texts(tmp_path / "out/p7-0.svg", "header-text") == planned
    drawn = {label["text"] for label in document["labels"]["texts"] if label["role"] == "header-text"}
    assert drawn == set(planned)
    draw(record, tmp_path / "without")
    document = sidecar(tmp_path / "without/p7-0.json")
    assert document["header"] == {"printed": False, "synthetic": False, "from_record": []}
    assert document["plan"]["header"] is None
    assert texts(tmp_path / "without/p7-0.svg", "header-text") == []


def test_pages_do_not_depend_on_what_a_header_says(tmp_path: Path) -> None:
    for place, write in (("full", write_record), ("plain", write_plain_record)):
        record = write(tmp_path / place / "in", "p7")
        draw(record, tmp_path / place / "out", "--print_header", "--add_qr_code", "-se", "5")
    full, plain = (cv2.imread(str(tmp_path / place / "out/p7-0.png")) for place in ("full", "plain"))
    assert full is not None
    assert plain is not None
    assert full.shape == plain.shape
    assert np.array_equal(full, plain)
    # Nor does anything else that is written: were a single byte of the header to pass, it would stand in one of these.
    made = contents(tmp_path / "full/out")
    assert len(made) >= 8
    assert made == contents(tmp_path / "plain/out")
    assert (tmp_path / "full/out" / RUN_FILE).read_bytes() == (tmp_path / "plain/out" / RUN_FILE).read_bytes()


def test_what_is_asked_for_passes_and_nothing_else(tmp_path: Path) -> None:
    record = write_record(tmp_path / "in", "p7")
    out = tmp_path / "out"
    draw(record, out, "--print_header", "--header-fields", "age,sex,dx")
    words = texts(out / "p7-0.svg", "header-text")
    assert [w for w in words if DIAGNOSIS in w] == [DIAGNOSIS]
    assert [w for w in words if "Female" in w] == ["Female"]
    assert [w for w in words if "40-49" in w] == ["40-49 yr"]
    assert sidecar(out / "p7-0.json")["header"]["from_record"] == ["age", "sex", "dx"]
    # The age itself stays behind: only the band is there.
    assert not [w for w in words if re.search(r"\b47\b", w)]
    assert leaks(out, ALWAYS_SECRET) == {}


@pytest.mark.parametrize("asked", [(), ("age",), ("sex",), ("dx",), ("age", "sex"), ("sex", "dx")])
def test_each_fact_passes_only_if_it_is_asked_for(asked: tuple[str, ...], tmp_path: Path) -> None:
    wanted = {"header.fields": asked, "page.print_header": True}
    pages = {}
    for sex in ("Female", "Male"):
        record = ecgvec.read_record(write_record(tmp_path / sex, "p7", sex))
        pages[sex] = ecgvec.render(record, load_recipe("clean", wanted))
        assert found_in(repr(record).encode() + repr(pages[sex]).encode(), ALWAYS_SECRET) == set()
    cells = {sex: [cell.text for cell in page.plan.header.cells] for sex, page in pages.items() if page.plan.header}
    assert (DIAGNOSIS in cells["Female"]) == ("dx" in asked)
    assert any(DIAGNOSIS in content for content in (pages["Female"].svg, str(pages["Female"].plan))) == ("dx" in asked)
    # What is made up knows nothing of the record: then a woman's page is a man's.
    assert (cells["Female"] == cells["Male"]) == ("sex" not in asked)
    if "sex" in asked:
        assert "Female" in cells["Female"]
        assert "Male" in cells["Male"]
    if "age" in asked:
        assert "40-49 yr" in cells["Female"]
    # With this seed the made-up age is another, so that the band is not there by chance.
    assert ("40-49 yr" in cells["Female"]) == ("age" in asked)


def test_fields_pass_only_onto_a_page_that_prints_a_header(tmp_path: Path) -> None:
    record = write_record(tmp_path / "in", "p7")
    draw(record, tmp_path / "out", "--header-fields", "age,sex,dx")
    assert leaks(tmp_path / "out", [*ALWAYS_SECRET, DIAGNOSIS, "40-49", "Female"]) == {}
    assert sidecar(tmp_path / "out/p7-0.json")["header"]["from_record"] == []


def test_names_and_qr_code_carry_the_records_name_as_it_was_given(tmp_path: Path, ecgvec_run: Run) -> None:
    # The name of the file, that is: the one in its record line goes nowhere, and is not even needed to be the same.
    write_record(tmp_path / "in/ward-b", "zk-1977")
    done = ecgvec_run(
        "batch", "-i", tmp_path / "in", "-o", tmp_path / "out", *ALL_FORMATS, "--add_qr_code", "--dpi", "120"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/ward-b/zk-1977-0.png").is_file()
    assert qr_text(tmp_path / "out/ward-b/zk-1977-0.png") == "ward-b/zk-1977"
    assert sidecar(tmp_path / "out/ward-b/zk-1977-0.json")["labels"]["qr"]["text"] == "ward-b/zk-1977"
    assert leaks(tmp_path / "out", ALWAYS_SECRET) == {}


def test_anonymous_names_are_numbers(tmp_path: Path, ecgvec_run: Run) -> None:
    # Names of records and of folders, and an input folder that is itself called after somebody.
    source = tmp_path / "patients-of-wanda"
    write_record(source / "borowska", "nowicki")
    write_plain_record(source, "zielinska")
    common = ("batch", "-i", source, *ALL_FORMATS, "--add_qr_code", "--print_header", "--dpi", "120")
    done = ecgvec_run(*common, "-o", tmp_path / "out", "--anonymous-names")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    assert {p.name.split("-0.")[0] for p in out.glob("*.png") if "-gt" not in p.name} == {
        "record-000001",
        "record-000002",
    }
    assert not (out / "borowska").exists()
    assert qr_text(out / "record-000001-0.png") == "record-000001"
    rows = list(csv.DictReader((out / "kit/gridsize.csv").open()))
    assert {row["filename"] for row in rows} == {"record-000001-0.png", "record-000002-0.png"}
    # The run file says where the input lies, so that an image can be made again; it says no more than that.
    run = sidecar(out / RUN_FILE)
    (run,) = run["runs"]
    assert run.pop("input") == "../patients-of-wanda"
    (out / RUN_FILE).write_text(json.dumps(run))
    assert leaks(out, ("wanda", "borowska", "nowicki", "zielinska")) == {}


def test_anonymous_name_of_a_single_record(tmp_path: Path) -> None:
    record = write_record(tmp_path / "in", "nowicki-jan")
    draw(record, tmp_path / "out", "--anonymous-names", "--add_qr_code", "--dpi", "120")
    assert (tmp_path / "out/record-000001-0.png").is_file()
    assert qr_text(tmp_path / "out/record-000001-0.png") == "record-000001"
    assert leaks(tmp_path / "out", [*ALWAYS_SECRET, "nowicki"]) == {}


def test_comments_of_segments_stay_behind_too(tmp_path: Path) -> None:
    write_record(tmp_path / "in", "part")
    (tmp_path / "in/whole.hea").write_text(
        f"{RECORD_LINE_NAME}/2 12 500 10000 {BASE_TIME} {BASE_DATE}\n# {next(iter(COMMENTS))}\npart 5000\npart 5000\n",
        encoding="utf-8",
    )
    draw(tmp_path / "in/whole", tmp_path / "out", "--print_header", "--add_qr_code")
    assert (tmp_path / "out/whole-1.png").is_file()
    assert leaks(tmp_path / "out", [*ALWAYS_SECRET, DIAGNOSIS]) == {}


def test_a_remark_behind_a_line_is_a_comment(tmp_path: Path, ecgvec_run: Run) -> None:
    # header(5) knows whole lines of comment only, but the wfdb package writes and reads them at a line's end as well,
    # and people take notes there. A remark must not become the name of a lead, which is printed.
    record = write_plain_record(tmp_path / "in", "p7")
    lines = record.with_suffix(".hea").read_text().splitlines()
    marked = [f"{line} # {remark}" for line, remark in zip(lines, REMARKS, strict=True)]
    record.with_suffix(".hea").write_text("\n".join(marked) + "\n")
    done = ecgvec_run("single", "-i", record, "-o", tmp_path / "out", *ALL_FORMATS, "--dpi", "50")
    assert leaks(tmp_path / "out", ["Jagoda"]) == {}
    assert found_in((done.stdout + done.stderr).encode(), ["Jagoda"]) == set()
    if done.returncode == 0:  # to refuse such a header would do as well
        names = texts(tmp_path / "out/p7-0.svg", "lead-name")
        assert set(names) == {"I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"}


def test_what_is_wrong_with_a_header_is_said_without_quoting_it(tmp_path: Path, ecgvec_run: Run) -> None:
    # The quarantine is an output as well, and people mail it around.
    record = write_record(tmp_path / "in", "p0")
    text = record.with_suffix(".hea").read_text(encoding="utf-8")
    comment = f"# {next(iter(COMMENTS))}\n"
    broken = {
        "p1": comment.lstrip("# ") + text,  # the '#' forgotten: above the record line,
        "p2": text.replace(comment, comment.lstrip("# ")),  # below the signals,
        "p3": text.replace(f"{SIGNAL_FILE} 16 1000(0)/mV", "Zofia's first lead is", 1),  # in place of a signal line
        "p4": f"Letter of Dr. Wiśniewski-Okoń on {BASE_DATE}\n",
        "p5": text.replace("12 500 5000", "12 500 5000 Zofia"),  # in the record line
    }
    for name, header in broken.items():
        (tmp_path / "in" / f"{name}.hea").write_text(header, encoding="utf-8")
    done = ecgvec_run("batch", "-i", tmp_path / "in", "-o", tmp_path / "out", *ALL_FORMATS, "--dpi", "50")
    assert done.returncode == 1
    rows = list(csv.DictReader((tmp_path / "out/quarantine.csv").open(encoding="utf-8", newline="")))
    assert {"p1", "p2", "p3", "p4"} <= {row["record"] for row in rows}
    assert leaks(tmp_path / "out", ALWAYS_SECRET) == {}
    assert found_in((done.stdout + done.stderr).encode(), ALWAYS_SECRET) == set()
