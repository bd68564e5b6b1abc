"""Host pages that tests put ECGs into."""

from __future__ import annotations

LETTER = """<?xml version="1.0" encoding="utf-8"?>
<!-- a letter -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:ink="http://example.org/ink" width="210mm" height="297mm"
     viewBox="0 0 210 297" fill="none" stroke="#0000FF" stroke-linecap="round">
  <style>path { stroke: #FF00FF; stroke-width: 3 } .trace { display: none } rect { fill: #FFFF00 }</style>
  <script>/* <![CDATA[ */ if (1 &lt; 2) { document.title = "ecg1" } /* ]]> */</script>
  <metadata><ink:note a="1">kept</ink:note></metadata>
  <g id="page" stroke="none" fill="#202020" font-family="Liberation Serif">
    <text id="greeting" x="25" y="30" font-size="5">Dear Dr Example,</text>
    <text x="25" y="40" font-size="3.6">Thank you for seeing this made-up patient on
        <tspan font-weight="bold">Monday</tspan>.</text>
    <text id="turned" x="8" y="280" font-size="4" transform="rotate(-90 8 280)">Archive copy 7, made up</text>
    <text id="below" x="60" y="120" font-size="4">hidden by an ECG</text>
  </g>
  <foreignObject x="0" y="290" width="10" height="5">
    <p xmlns="http://www.w3.org/1999/xhtml" id="p">html</p>
  </foreignObject>
</svg>
"""


def blank(width: str = "210mm", height: str = "297mm", more: str = "") -> str:
    """A page with nothing on it."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {more}></svg>'
