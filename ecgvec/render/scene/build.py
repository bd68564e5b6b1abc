"""From a plan and a record to the whole page."""

from __future__ import annotations

from ecgvec.graphics.nodes import Scene, TraceInfo
from ecgvec.layout.place import Layout
from ecgvec.layout.style import page_colors
from ecgvec.plan.model import Plan
from ecgvec.record.model import Record
from ecgvec.render.scene.added import added, boxes, lies_under, written
from ecgvec.render.scene.grid import grid, paper
from ecgvec.render.scene.header import footer, header
from ecgvec.render.scene.names import lead_names
from ecgvec.render.scene.notes import notes
from ecgvec.render.scene.pulse import pulses, separators
from ecgvec.render.scene.qr import qr_code
from ecgvec.render.scene.trace import traces


def build(plan: Plan, layout: Layout, record: Record) -> Scene:
    """The page of ``plan``. ``record`` is the prepared record that the plan was made for."""
    style, colors = plan.page.style, page_colors(plan.page.style)
    lines = written(traces(layout, plan, record, colors), plan.marks)
    marks, bars = pulses(layout, style, colors), separators(layout, style, colors)
    top, bottom = header(layout, plan, colors), footer(layout, plan, colors)
    code = qr_code(plan.qr_text, layout.qr_box) if plan.qr_text is not None else None
    infos = {mark.id: mark.info for mark in lines.marks if isinstance(mark.info, TraceInfo)}
    fixed = [group for group in (marks, bars, top, bottom, code) if group is not None]
    names = lead_names(style, colors, infos, boxes([mark for group in fixed for mark in group.marks]))
    printed = [bars, marks, lines, names, top, bottom, code]
    put = added(plan.marks, layout, printed, colors.trace)
    under, over = [g for g in put if lies_under(g)], [g for g in put if not lies_under(g)]
    # Ink lets black print show through: as if the print lay over it. What is blacked out is so for good.
    hands = notes(plan.notes, layout, [*printed, *put])
    groups = [paper(layout, colors), grid(layout, style, colors), *under, *hands, *printed, *over]
    title = f"ECG {plan.record.name}, image {plan.window.index}"
    return Scene(layout.width, layout.height, title, tuple(group for group in groups if group is not None))
