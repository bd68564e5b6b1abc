"""Which samples a picture shows, and which its labels call visible."""

from __future__ import annotations

import ecgvec

LABELLED = ("pulse", "trace", "lead-name", "header-text", "footer-text", "qr-code")
FAINT = 3  # pixels: an element that shows so few may or may not be called visible


def seen_by_label(sheet: ecgvec.Sheet) -> dict[str, bool]:
    labels = sheet.labels
    seen = {t.id: bool(t.visible.any()) for t in labels.traces}
    seen |= {t.id: t.visible for t in labels.texts} | {p.id: p.visible for p in labels.pulses}
    return seen | ({"qr-code": labels.qr.visible} if labels.qr else {})
