"""Header and footer lines."""

from __future__ import annotations

from ecgvec.graphics.nodes import Group
from ecgvec.graphics.text import text_mark
from ecgvec.layout.place import FOOTER_HEIGHT, QR_SIZE, Layout
from ecgvec.layout.style import Colors
from ecgvec.plan.model import Plan

FOOTER_FACE, FOOTER_SIZE = "sans", 2.7


def header(layout: Layout, plan: Plan, colors: Colors) -> Group | None:
    """The print-out's header, or None where the page has none."""
    if plan.header is None:
        return None
    box = layout.header_box
    right = box.x1 - (QR_SIZE + 3.0 if plan.page.style.qr_code else 0.0)
    marks = []
    for i, cell in enumerate(plan.header.cells):
        at = (right - cell.x if cell.from_right else box.x0 + cell.x, box.y0 + cell.y)
        mark = text_mark(f"header-{i}", "header-text", cell.text, at, (cell.font, cell.size, colors.text), cell.align)
        marks += [mark] if mark else []
    return Group("header", "header", tuple(marks), {"template": plan.header.name})


def footer(layout: Layout, plan: Plan, colors: Colors) -> Group | None:
    """Speed, gain and filter below the traces, or None."""
    if not plan.footer:
        return None
    box = layout.footer_box
    at = (layout.panels[0].box.x0, box.y1 - FOOTER_HEIGHT / 4)
    mark = text_mark("footer-0", "footer-text", plan.footer, at, (FOOTER_FACE, FOOTER_SIZE, colors.text))
    return Group("footer", "footer", (mark,)) if mark else None
