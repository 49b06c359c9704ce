"use strict";
// What a page shows of a running command: pictures, numbers, curves, episodes; and the controls that move a robot.
addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll("section[data-run]")) livePanel(place, place.dataset.run);
});

const GATE = {
  range: "kept inside its range", velocity: "slowed to its highest velocity", step: "kept from a jump",
  stopped: "held: stopped", missing: "held: no command", "not a number": "held: the command is no number",
  "stale command": "held: the command is old", "stale state": "held: its position is old",
};
const LATE_S = 1.0;
const LITTLE_DISK = 5e9;

function livePanel(place, run) {
  const show = (name, text) => { place.querySelector(`[data-show="${name}"]`).textContent = text; };
  const isMine = (message) => message.run === run;
  const pictures = cameraPictures(place.querySelector(".pictures"));
  const curves = jointCurves(place.querySelector(".plots"));
  const jog = jogControls(place.querySelector(".jog"), run, show);
  let since = null;

  function watch() {
    studio.send({ type: "watch", run, cameras: document.hidden ? [] : null, width: innerWidth < 700 ? 320 : 640 });
  }

  function showEpisode(episode) {
    if (!episode) return;
    const outcome = episode.metadata.outcome;
    const ended = episode.type === "episode_end";
    show("episode", `Episode ${episode.index}${ended ? ` ended${outcome ? `: ${outcome}` : ""}` : " runs"}`);
    show("saved", `${episode.saved} before it in this run`);
  }

  studio.on("open", watch);
  document.addEventListener("visibilitychange", watch);
  studio.on("state", (state) => {
    const facts = state.runs.find(isMine);
    place.classList.toggle("away", !facts);
    if (!facts) return;
    place.querySelector(".episode").hidden = !["record", "rollout", "eval"].includes(facts.command);
    jog.offer(facts.jog, state.control === "you");
    showEpisode(facts.episode);
  });
  for (const kind of ["episode_start", "episode_end"]) {
    studio.on(kind, (message) => { if (isMine(message)) showEpisode(message); });
  }
  studio.on("run_end", (message) => {
    if (isMine(message)) show("held", message.error ? `Ended: ${message.error}` : "Ended.");
  });
  studio.on("picture", (data) => {
    const length = new DataView(data).getUint16(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 2, length)));
    if (isMine(header)) pictures.take(header, new Blob([new Uint8Array(data, 2 + length)], { type: "image/jpeg" }));
  });
  studio.on("tick", (tick) => {
    if (!isMine(tick)) return;
    place.hidden = false;
    const reasons = Object.entries(tick.interventions).map(([key, reason]) => `${key} ${GATE[reason] || reason}`);
    const why = Object.values(tick.interventions)[0];
    const stop = studio.state.stop;
    const held = stop ? `${stop.reason} (${stop.source})` : GATE[why] || why;
    show("held", tick.stopped ? `The robot holds: ${held}.` : "");
    show("gate", tick.stopped || !reasons.length ? "" : `Safety gate: ${reasons.join("; ")}.`);
    if (!since || tick.index < since.index) since = tick;
    if (tick.time_s - since.time_s >= 0.5) {
      show("rate", `${((tick.index - since.index) / (tick.time_s - since.time_s)).toFixed(1)} ticks a second`);
      since = tick;
    }
    show("missed", `${tick.missed} missed${tick.safety ? "" : " · SAFETY GATE OFF"}`);
    const free = tick.disk_free;
    show("disk", free === null ? "" : `${(free / 1e9).toFixed(1)} GB of disk left${free < LITTLE_DISK ? ": LITTLE" : ""}`);
    pictures.ages(tick.cameras);
    curves.add(tick);
  });

  function word(button) { studio.send({ type: "word", run, word: button.dataset.word }); }
  for (const button of place.querySelectorAll("[data-word]")) button.addEventListener("click", () => word(button));
  addEventListener("keydown", (event) => {
    if (event.repeat || isTyping(event) || place.querySelector(".episode").hidden) return;
    const buttons = [...place.querySelectorAll("[data-word]:not([hidden])")];
    const button = buttons.find((each) => each.dataset.keys.split(" ").includes(event.key));
    if (button) { event.preventDefault(); word(button); }
  });
}

function isTyping(event) {
  return event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input:not([type=range]), select, textarea");
}

// One canvas a camera; a picture that comes while one is being decoded waits, and only the newest waits.
function cameraPictures(place) {
  const cameras = new Map();

  function camera(name) {
    if (!cameras.has(name)) {
      const figure = document.createElement("figure");
      const canvas = Object.assign(document.createElement("canvas"), { width: 4, height: 3 });
      const caption = document.createElement("figcaption");
      canvas.dataset.camera = name;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Picture of camera ${name}`);
      figure.append(canvas, caption);
      place.append(figure);
      cameras.set(name, { name, figure, canvas, caption, waiting: null, isBusy: false, taken: -Infinity, silent: false });
    }
    return cameras.get(name);
  }

  async function draw(each) {
    each.isBusy = true;
    while (each.waiting) {
      const { header, blob } = each.waiting;
      each.waiting = null;
      try {
        const bitmap = await createImageBitmap(blob);
        if (each.canvas.width !== bitmap.width) Object.assign(each.canvas, { width: bitmap.width, height: bitmap.height });
        each.canvas.getContext("2d").drawImage(bitmap, 0, 0);
        bitmap.close();
        each.taken = performance.now() / 1000 - header.age_s;
      } catch { /* it is not a picture: the age shows that none came */ }
    }
    each.isBusy = false;
  }

  setInterval(() => {
    for (const each of cameras.values()) {
      const age = performance.now() / 1000 - each.taken;
      const isLate = age > LATE_S || each.silent;
      each.figure.classList.toggle("late", isLate);
      const text = Number.isFinite(age) ? `${age.toFixed(1)} s old` : "no picture yet";
      each.caption.textContent = `${each.name} · ${text}${each.silent ? " · THE CAMERA GIVES NOTHING NEW" : ""}`;
    }
  }, 200);

  return {
    take(header, blob) {
      const each = camera(header.camera);
      each.waiting = { header, blob };
      if (!each.isBusy) draw(each);
    },
    ages(told) {
      for (const [name, age] of Object.entries(told)) camera(name).silent = age !== null && age > LATE_S;
    },
  };
}

// Curves of the keys that are picked.
function jointCurves(place) {
  const COLORS = ["#2f7bd6", "#d95f02", "#1b9e77", "#c2378a", "#7d6fd0", "#8a7a00"];
  const SPAN_S = 30;
  const picked = place.querySelector(".picked");
  let ticks = [];
  let keys = [];
  let plot = null;
  let isDue = false;

  function choose(all) {
    keys = all;
    picked.replaceChildren(...all.map((key, index) => {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: key, checked: index < 3 });
      box.addEventListener("change", build);
      label.append(box, key);
      return label;
    }));
    build();
  }

  function chosen() { return [...picked.querySelectorAll("input:checked")].map((box) => box.value); }

  function build() {
    plot?.destroy();
    const axis = { stroke: getComputedStyle(place).color, grid: { stroke: "#8884" } };
    const series = chosen().flatMap((key) => {
      const stroke = COLORS[keys.indexOf(key) % COLORS.length];
      return [{ label: key, stroke, width: 2 }, { label: `${key} sent`, stroke, dash: [6, 4] }];
    });
    const size = { width: Math.max(200, place.clientWidth - 8), height: 220 };
    const options = { ...size, series: [{ label: "s", value: (_, s) => s?.toFixed(1) }, ...series], axes: [axis, axis] };
    plot = new uPlot({ ...options, scales: { x: { time: false } }, legend: { live: false } }, [[]], place.querySelector(".plot"));
    draw();
  }

  function draw() {
    isDue = false;
    const end = ticks.at(-1)?.time_s ?? 0;
    const rows = chosen().flatMap((key) => [
      ticks.map((tick) => tick.observation[key] ?? null), ticks.map((tick) => tick.sent[key] ?? null),
    ]);
    if (place.open && plot) plot.setData([ticks.map((tick) => tick.time_s - end), ...rows]);
  }

  return {
    add(tick) {
      if (ticks.length && tick.time_s < ticks.at(-1).time_s) ticks = [];
      ticks.push(tick);
      while (tick.time_s - ticks[0].time_s > SPAN_S) ticks.shift();
      const all = Object.keys(tick.sent);
      if (all.join() !== keys.join()) choose(all);
      if (!isDue) { isDue = true; setTimeout(() => requestAnimationFrame(draw), 100); }
    },
  };
}
