"""The marks of a plan on the page: what is put on it, and what the pen left undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ecgvec.geometry.path import Box
from ecgvec.graphics.shapes import AddedInfo, Group, Shape, TextInfo
from ecgvec.layout.place import Layout, TraceInfo
from ecgvec.marks.base import AddedMark, PageContext, PageMark, PenFault


def apply_faults(traces: Group, faults: Sequence[PageMark]) -> Group:
    """``traces`` as a pen with ``faults`` leaves them; what else it leaves lies beneath."""
    marks, others = list(traces.shapes), []
    for fault in faults:
        if isinstance(fault, PenFault):
            left = [fault.write(m, m.info) if isinstance(m.info, TraceInfo) else (m,) for m in marks]
            marks = [mark for mark, *_ in left]
            others += [mark for _, *rest in left for mark in rest]
    return replace(traces, shapes=(*others, *marks))


def place_marks(marks: Sequence[PageMark], layout: Layout, printed: Sequence[Group | None], ink: str) -> list[Group]:
    """A group for each mark that finds its place on the page where ``printed`` stands, those that lie below the print
    among them (see ``lies_under``)."""
    board = _board(layout, printed, ink)
    groups = []
    for i, mark in enumerate(marks):
        drawing = mark.draw(board) if isinstance(mark, AddedMark) else None
        if drawing is None or not isinstance(mark, AddedMark):
            continue
        name, role = f"mark-{i}-{mark.kind}", _role(mark)
        info = AddedInfo(mark.kind, drawing.text, drawing.trace, drawing.ring, mark.opaque)
        data = {"kind": mark.kind, **({"text": drawing.text} if drawing.text else {})}
        data |= {"trace": drawing.trace} if drawing.trace is not None else {}
        parts = [Shape(f"{name}-{k}", role, path.round(), pen) for k, (path, pen) in enumerate(drawing.strokes)]
        parts[0] = replace(parts[0], id=name, info=info, data=data)
        groups.append(Group(f"{name}-group", role, tuple(parts)))
    return groups


def _role(mark: AddedMark) -> str:
    return "mark-under" if mark.under else "mark"


def lies_under(group: Group) -> bool:
    """Whether a group of ``added`` lies below the print."""
    return group.role == "mark-under"


def _board(layout: Layout, printed: Sequence[Group | None], ink: str) -> PageContext:
    marks = [mark for group in printed if group is not None for mark in group.shapes if mark.role != "trace-ghost"]
    traces = {mark.id: mark.info for mark in marks if isinstance(mark.info, TraceInfo)}
    texts = [(mark, mark.info.ink) for mark in marks if isinstance(mark.info, TextInfo)]
    names = {mark.data["trace"]: box for mark, box in texts if mark.role == "lead-name"}
    header = tuple(box for mark, box in texts if mark.role == "header-text")
    return PageContext(layout, traces, tuple(boxes([m for m in marks if m.id not in traces])), ink, names, header)


def boxes(marks: Sequence[Shape]) -> list[Box]:
    """The boxes of marks: a text's is that of its ink."""
    return [mark.info.ink if isinstance(mark.info, TextInfo) else Box(*mark.path.bounds()) for mark in marks]
