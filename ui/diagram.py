"""The process diagram as a Streamlit component: drag to move, Ctrl and wheel to zoom, click a task."""

from __future__ import annotations

from typing import Any

import streamlit as st

_HTML = """
<div class="frame">
  <div class="stage"></div>
  <div class="tools">
    <button type="button" data-zoom="1.25" title="Zoom in">+</button>
    <button type="button" data-zoom="0.8" title="Zoom out">−</button>
    <button type="button" data-zoom="0" title="Show all">⤢</button>
  </div>
</div>
"""

_CSS = """
.frame { position: relative; border: 1px solid var(--st-border-color); border-radius: 8px; overflow: hidden; }
.stage { touch-action: none; cursor: grab; }
.stage.moving { cursor: grabbing; }
.stage svg { display: block; width: 100%; height: 100%; user-select: none; }
.task, .gateway { cursor: pointer; outline: none; }
.task:hover rect, .gateway:hover path { stroke: var(--st-primary-color); }
.task:focus-visible rect, .gateway:focus-visible path { stroke: var(--st-primary-color); stroke-width: 3; }
.tools { position: absolute; right: 8px; top: 8px; display: flex; gap: 4px; }
.tools button {
  width: 28px; height: 28px; border: 1px solid var(--st-border-color); border-radius: 6px; cursor: pointer;
  background: var(--st-background-color); color: var(--st-text-color); font-size: 15px; line-height: 1;
}
"""

# Parsed as SVG, never as HTML, and only the drawing is kept: no scripts, no foreign content, no handlers.
_JS = """
function drawing(text) {
  const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  svg.querySelectorAll("script, foreignObject, a, image, use").forEach((node) => node.remove());
  svg.querySelectorAll("*").forEach((node) => {
    for (const { name } of [...node.attributes]) {
      if (name.startsWith("on") || name.endsWith("href")) node.removeAttribute(name);
    }
  });
  return document.importNode(svg, true);
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const stage = parentElement.querySelector(".stage");
  const nodes = () => stage.querySelectorAll(".task, .gateway");
  const mark = (id) => nodes().forEach((node) => node.classList.toggle("selected", node.dataset.node === id));

  if (stage.source !== data.svg) {
    stage.source = data.svg;
    const svg = drawing(data.svg);
    stage.whole = svg.getAttribute("viewBox").split(" ").map(Number);
    stage.view = [...stage.whole];
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    stage.style.height = `${data.height}px`;
    stage.replaceChildren(svg);
    nodes().forEach((node) => {
      node.setAttribute("tabindex", "0");
      node.setAttribute("role", "button");
    });
  }
  const svg = stage.querySelector("svg");
  const show = () => svg.setAttribute("viewBox", stage.view.join(" "));
  const scale = () => Math.max(stage.view[2] / stage.clientWidth, stage.view[3] / stage.clientHeight);
  const zoom = (factor) => {
    const [x, y, w, h] = stage.view;
    const by = Math.min(Math.max(factor, (stage.whole[2] / 8) / w), (stage.whole[2] * 3) / w);
    stage.view = factor ? [x + (w * (1 - by)) / 2, y + (h * (1 - by)) / 2, w * by, h * by] : [...stage.whole];
    show();
  };
  const choose = (node) => {
    if (!node) return;
    mark(node.dataset.node);
    setStateValue("selected", node.dataset.node);
  };
  mark(data.selected);

  let from = null;
  let moved = 0;
  stage.onpointerdown = (event) => { from = [event.clientX, event.clientY, ...stage.view]; moved = 0; };
  stage.onpointermove = (event) => {
    if (!from) return;
    const dx = event.clientX - from[0];
    const dy = event.clientY - from[1];
    moved = Math.max(moved, Math.abs(dx) + Math.abs(dy));
    if (moved < 4) return;
    stage.classList.add("moving");
    const unit = scale();
    stage.view = [from[2] - dx * unit, from[3] - dy * unit, from[4], from[5]];
    show();
  };
  stage.onpointerup = stage.onpointerleave = () => { from = null; stage.classList.remove("moving"); };
  stage.onclick = (event) => { if (moved < 4) choose(event.target.closest(".task, .gateway")); };
  stage.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(event.target.closest(".task, .gateway"));
  };
  stage.onwheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.12 : 0.89);
  };
  parentElement.querySelectorAll("[data-zoom]").forEach((button) => {
    button.onclick = () => zoom(Number(button.dataset.zoom) && 1 / Number(button.dataset.zoom));
  });
}
"""

_component = st.components.v2.component("tracetwin_diagram", html=_HTML, css=_CSS, js=_JS)


def diagram(svg: str, *, key: str, selected: str | None = None, height: int = 440) -> str | None:
    """Show the diagram (as drawn by metagraph.drawing); the id of the node that was clicked last."""
    result: Any = _component(
        key=key,
        data={"svg": svg, "selected": selected, "height": height},
        default={"selected": selected},
        on_selected_change=lambda: None,
    )
    chosen = result.selected
    return str(chosen) if chosen else None
