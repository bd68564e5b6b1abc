"""From a plan and a record to the whole page."""

from __future__ import annotations

from ecgvec.layout.place import Box, Layout
from ecgvec.plan.model import Plan
from ecgvec.record.model import Record
from ecgvec.scene.grid import grid, paper
from ecgvec.scene.header import footer, header
from ecgvec.scene.names import lead_names
from ecgvec.scene.nodes import Group, Scene, TextInfo, TraceInfo
from ecgvec.scene.pulse import pulses, separators
from ecgvec.scene.qr import qr_code
from ecgvec.scene.trace import traces
from ecgvec.style import page_colors


def build(plan: Plan, layout: Layout, record: Record) -> Scene:
    """The page of ``plan``. ``record`` is the prepared record that the plan was made for."""
    style, colors = plan.page.style, page_colors(plan.page.style)
    lines = traces(layout, plan, record, colors)
    marks, bars = pulses(layout, style, colors), separators(layout, style, colors)
    top, bottom = header(layout, plan, colors), footer(layout, plan, colors)
    code = qr_code(plan.qr_text, layout.qr_box) if plan.qr_text is not None else None
    infos = {mark.id: mark.info for mark in lines.marks if isinstance(mark.info, TraceInfo)}
    names = lead_names(style, colors, infos, _obstacles([marks, bars, top, bottom, code]))
    groups = [paper(layout, colors), grid(layout, style, colors), bars, marks, lines, names, top, bottom, code]
    title = f"ECG {plan.record.name}, image {plan.window.index}"
    return Scene(layout.width, layout.height, title, tuple(group for group in groups if group is not None))


def _obstacles(groups: list[Group | None]) -> list[Box]:
    """The boxes of all marks of these groups, for the lead names to keep off."""
    found = []
    for group in groups:
        for mark in group.marks if group else ():
            found.append(mark.info.ink if isinstance(mark.info, TextInfo) else Box(*mark.path.bounds()))
    return found
