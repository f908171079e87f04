// What a page shows, asked in the page itself: tests/support/browser.py runs each function. All give lists of sentences.
(() => {
  "use strict";
  const words = (text) => text.trim().replace(/\s+/g, " ").slice(0, 60);
  // Boxes may share a rounded pixel.
  const SLACK = 1.5;

  function visible(element) {
    return element.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true});
  }

  // For whoever hears the page alone: a box of one pixel.
  const heard = (element) => {
    const box = element.getBoundingClientRect();
    return box.width <= 1.5 && box.height <= 1.5;
  };

  // Each piece of text with its box: an SVG text as a whole, elsewhere a line of a text node.
  function texts() {
    const pieces = [];
    for (const text of document.querySelectorAll("svg text")) {
      const box = text.getBoundingClientRect(), matrix = text.getScreenCTM();
      const turned = matrix && Math.abs(matrix.a) > 0.01 && Math.abs(matrix.b) > 0.01;
      if (words(text.textContent) && visible(text) && box.width && box.height) pieces.push({element: text, box, turned, text: words(text.textContent)});
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, element = node.parentElement;
      if (!words(node.textContent) || element.closest("svg, script, style, noscript, option") || heard(element) || !visible(element)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width > 1 && box.height > 1) pieces.push({element, box, turned: false, text: words(node.textContent)});
      }
    }
    return pieces;
  }

  // The part of the window through which an element is seen, and whether one can scroll to the rest, sideways.
  function seen(element) {
    const window_ = {left: 0, right: document.documentElement.clientWidth};
    for (let outer = element; outer && outer !== document.documentElement; outer = outer.parentElement) {
      const flow = getComputedStyle(outer).overflowX;
      if (outer === document.body || flow === "visible") continue;
      if (flow === "auto" || flow === "scroll") return null;
      const box = outer.getBoundingClientRect();
      window_.left = Math.max(window_.left, box.left);
      window_.right = Math.min(window_.right, box.right);
    }
    return window_;
  }

  function cut() {
    const faults = [];
    if (document.scrollingElement.scrollWidth > document.documentElement.clientWidth + SLACK)
      faults.push(`the page is ${document.scrollingElement.scrollWidth} pixels wide, and the window ${document.documentElement.clientWidth}`);
    for (const element of document.body.querySelectorAll("*")) {
      const scrolls = ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
      if (scrolls && element.scrollWidth > element.clientWidth + SLACK && visible(element) && !element.matches("pre") && !element.querySelector("table, pre"))
        faults.push(`a part of the page scrolls sideways: ${element.id || element.className}`);
    }
    for (const {element, box, text} of texts()) {
      // A link to skip to the content waits beyond the edge until it has the focus.
      if (box.right <= 0) continue;
      const part = seen(element);
      if (part && (box.left < part.left - SLACK || box.right > part.right + SLACK)) faults.push(`text is cut: ${text}`);
    }
    return faults;
  }

  function overlapping() {
    const faults = [], pieces = texts().filter((piece) => !piece.turned);
    pieces.sort((a, b) => a.box.top - b.box.top);
    pieces.forEach((one, at) => {
      for (let next = at + 1; next < pieces.length && pieces[next].box.top < one.box.bottom; next++) {
        const other = pieces[next];
        const width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const height = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        const least = Math.min(one.box.width * one.box.height, other.box.width * other.box.height);
        // What scrolls away beneath a heading that stays is no fault.
        const stays = [one, other].some((piece) => piece.element.closest("svg") === null && sticky(piece.element));
        if (width > SLACK && height > SLACK && width * height > 0.2 * least && !stays) faults.push(`texts overlap: ${one.text} / ${other.text}`);
      }
    });
    return faults;
  }
  function sticky(element) {
    for (let outer = element; outer; outer = outer.parentElement)
      if (["sticky", "fixed"].includes(getComputedStyle(outer).position)) return true;
    return false;
  }

  // Figures of plotly: how many of its traces have values, and how many are drawn; whether it offers to upload itself.
  const MARKS = "path, image, rect, circle, text";
  const drawn = (layer) => [...layer.querySelectorAll(MARKS)].some((mark) => {
    const box = mark.getBoundingClientRect();
    return (box.width > 0 || box.height > 0) && visible(mark);
  });
  const holds = (values) => values !== undefined && values !== null && [...values].some((value) => value !== null && value !== undefined);
  function figures() {
    return [...document.querySelectorAll(".js-plotly-plot")].map((figure) => {
      const traces = (figure._fullData || []).filter((trace) =>
        trace.visible === true && (trace.dimensions || [trace.x, trace.y, trace.z, trace.values].some(holds))).length;
      const layers = [...figure.querySelectorAll(".mlayer > *, .trace.parcoords, .parcoords, .pielayer > *")].filter(drawn);
      const name = figure.id || figure.closest("[id]")?.id;
      return {name, traces, drawn: layers.length, uploads: [...figure.querySelectorAll("button")].some((one) => /share|cloud/i.test(one.getAttribute("aria-label")))};
    });
  }

  // Whether figures are drawn, in the theme that the reader prefers, with the width that the window leaves them.
  function settled() {
    const {drawn, theme} = document.documentElement.dataset, dark = matchMedia("(prefers-color-scheme: dark)").matches;
    if (drawn !== undefined && drawn !== (theme || (dark ? "dark" : "light"))) return false;
    if (document.querySelector("figure.drawing .plot:not(.js-plotly-plot)")) return false;
    return [...document.querySelectorAll(".js-plotly-plot")].every((figure) => {
      const drawing = figure.querySelector(".main-svg");
      return !drawing || Math.abs(drawing.getBoundingClientRect().width - figure.clientWidth) < 2;
    });
  }

  // Images that were not read, and canvases of one colour.
  function empty() {
    const faults = [];
    for (const image of document.images) if (!image.complete || !image.naturalWidth) faults.push(`an image is not drawn: ${words(image.alt)}`);
    for (const canvas of document.querySelectorAll("canvas")) {
      if (!visible(canvas) || canvas.closest(".js-plotly-plot")) continue;
      if (!canvas.width || !canvas.height) { faults.push(`a canvas has no size: ${canvas.id}`); continue; }
      const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
      pen.drawImage(canvas, 0, 0);
      const pixels = new Uint32Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      if (pixels.every((pixel) => pixel === pixels[0])) faults.push(`a canvas is of one colour: ${canvas.id || canvas.parentElement.id}`);
    }
    return faults;
  }

  // What the keyboard must reach: a number each, so that focus can be followed.
  const REACHED = "a[href], button, select, input, textarea, summary, [tabindex]";
  function stops() {
    const elements = [...document.querySelectorAll(REACHED)].filter(
      (one) => visible(one) && !one.disabled && one.tabIndex >= 0 && one.type !== "hidden");
    elements.forEach((one, number) => { one.dataset.stop = number; });
    return elements.map((one) => `${one.tagName.toLowerCase()} ${one.id || one.getAttribute("aria-label") || words(one.textContent)}`);
  }
  function focused() {
    const element = document.activeElement;
    if (!element || element === document.body || element.dataset.stop === undefined) return null;
    // A link that is stretched over a card has its mark on what follows it.
    const styles = [getComputedStyle(element), getComputedStyle(element, "::after")];
    const marked = styles.some((style) => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none");
    return {stop: Number(element.dataset.stop), marked};
  }

  window.pageChecks = {cut, overlapping, figures, settled, empty, stops, focused};
})();
