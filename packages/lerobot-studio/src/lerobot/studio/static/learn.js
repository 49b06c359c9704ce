"use strict";
// Curves of a training, read from what it keeps on disk; and the saved policies that a field can take.
(() => {
  const PERIOD_MS = 2000, ASIDE = new Set(["step", "samples", "epochs"]);

  function groups(columns) {
    const names = Object.keys(columns).filter((name) => !ASIDE.has(name) && columns[name].some((v) => v !== null));
    const losses = names.filter((name) => name.includes("loss"));
    const others = names.filter((name) => !losses.includes(name));
    return [losses, ...others.map((name) => [name])].filter((group) => group.length);
  }

  function plot(place, names, columns) {
    const colours = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2"];
    const text = getComputedStyle(document.body).color;
    const axis = { stroke: text, grid: { stroke: "#8884" }, ticks: { stroke: "#8884" } };
    const series = names.map((name, i) => ({ label: name, stroke: colours[i % colours.length], spanGaps: true,
      points: { show: columns.step.length < 60 } }));
    const cell = document.createElement("div");
    place.append(cell);
    const width = Math.max(240, cell.clientWidth), values = (_, splits) => splits.map((v) => (v && Math.abs(v) < 1e-3 ? v.toExponential(1) : String(Number(v.toPrecision(4)))));
    return new uPlot({ width, height: 220, title: names.length > 1 ? "loss" : names[0], scales: { x: { time: false } },
      axes: [axis, { ...axis, size: 64, values }], series: [{ label: "step" }, ...series] },
      [columns.step, ...names.map((name) => columns[name])], cell);
  }

  async function watch(place) {
    const plots = new Map();
    let known = "";
    for (;;) {
      try {
        const text = document.hidden && known ? known : await (await fetch(place.dataset.curves)).text();
        if (text !== known) {
          known = text;
          const columns = JSON.parse(text);
          for (const names of groups(columns)) {
            const key = names.join();
            if (plots.has(key)) plots.get(key).setData([columns.step, ...names.map((name) => columns[name])]);
            else plots.set(key, plot(place, names, columns));
          }
          place.nextElementSibling.hidden = plots.size > 0;
        }
      } catch (error) { console.warn("curves:", error); }  // the studio is away; the training goes on
      if (!("running" in place.dataset)) return;
      await new Promise((done) => setTimeout(done, PERIOD_MS));
    }
  }

  function offer() {
    const list = document.getElementById("policies"), field = document.getElementsByName("--policy.path")[0];
    if (list && field) field.setAttribute("list", "policies");
  }

  // Buttons only of what this run understands: another word would be lost without a trace.
  function allow() {
    const place = document.querySelector("[data-known]");
    if (!place) return;
    const known = place.dataset.known.split(" ");
    for (const button of document.querySelectorAll("#live [data-word]")) button.hidden = !known.includes(button.dataset.word);
  }

  document.querySelectorAll("[data-curves]").forEach(watch);
  const refresh = () => { offer(); allow(); };
  refresh();
  document.body.addEventListener("htmx:afterSwap", refresh);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tell]");
    if (button) studio.send({ type: "word", run: button.dataset.run, word: button.dataset.tell });
  });
  document.getElementById("checked")?.focus();
})();
