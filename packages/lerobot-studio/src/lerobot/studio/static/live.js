"use strict";
// The connection of every page to the studio: signs of life, who controls, the emergency stop. Pages use `studio`.
const studio = (() => {
  const LOST_MS = 1500;
  const ASK = "Release the stop";
  const listeners = new Map();
  let socket = null;
  let heard = performance.now();
  let state = { control: "nobody", stop: null, runs: [] };
  let page = sessionStorage.getItem("studio-page") || newPage();

  function newPage() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("studio-page", id);
    return id;
  }

  function on(kind, listener) {
    if (!listeners.has(kind)) listeners.set(kind, []);
    listeners.get(kind).push(listener);
  }

  function emit(kind, message) {
    for (const listener of listeners.get(kind) || []) listener(message);
  }

  function send(message) {
    const isOpen = socket !== null && socket.readyState === WebSocket.OPEN;
    if (isOpen) socket.send(JSON.stringify(message));
    return isOpen;
  }

  function connect() {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { send({ type: "hello", page }); emit("open", {}); };
    socket.onmessage = (event) => {
      heard = performance.now();
      if (typeof event.data === "string") take(JSON.parse(event.data));
      else emit("picture", event.data);
    };
    socket.onclose = (event) => {
      if (event.code === 4001) page = newPage();  // the tab was duplicated: this one is another page from now on
      setTimeout(connect, 300);
    };
  }

  function take(message) {
    // Answered here and not by a timer: timers of hidden tabs are slowed down, messages are not.
    if (message.type === "ping") send({ type: "alive", n: message.n });
    if (message.type === "state") { state = message; show(); }
    if (message.type === "error") say(message.text);
    emit(message.type, message);
  }

  function stop(reason) {
    send({ type: "stop", reason });
    // Once more on a way of its own, should the connection hang.
    fetch("/stop", { method: "POST", keepalive: true }).catch(() => say("STOP did not reach the studio."));
  }

  function say(text) {
    const place = document.getElementById("said");
    place.textContent = text;
    place.hidden = !text;
  }

  function show() {
    const control = {
      you: "This page controls.",
      other: "Another page controls; this one watches.",
      nobody: "No page controls.",
    }[state.control];
    const stopped = state.stop ? `STOPPED by ${state.stop.source}: ${state.stop.reason}. ` : "";
    document.getElementById("control-state").textContent = stopped + control;
    document.getElementById("take-control").hidden = state.control === "you";
    const release = document.getElementById("release");
    release.hidden = !state.stop || state.control !== "you";
    if (release.hidden) Object.assign(release, { textContent: ASK }).dataset.sure = "";
    document.body.classList.toggle("stopped", state.stop !== null);
  }

  function start() {
    const element = (id) => document.getElementById(id);
    element("stop").addEventListener("submit", (event) => { event.preventDefault(); stop("the button STOP"); });
    element("take-control").addEventListener("click", () => send({ type: "take_control" }));
    // Asked by a second click and not by a dialog: while one is open a page gives no sign of life.
    const release = element("release");
    release.addEventListener("click", () => {
      if (release.dataset.sure) send({ type: "release" });
      release.textContent = release.dataset.sure ? ASK : "Is everybody out of the way? Release";
      release.dataset.sure = release.dataset.sure ? "" : "yes";
    });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.repeat) stop("the key Esc");
    }, true);
    document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Studio-Page"] = page; });
    document.addEventListener("submit", (event) => {
      // Forms without htmx say too which page they are of.
      const field = Object.assign(document.createElement("input"), { type: "hidden", name: "studio-page", value: page });
      event.target.querySelector('[name="studio-page"]')?.remove();
      if (event.target.method === "post" && event.target.id !== "stop") event.target.append(field);
    }, true);
    setInterval(() => { element("lost").hidden = performance.now() - heard < LOST_MS; }, 250);
    connect();
  }

  addEventListener("DOMContentLoaded", start);
  return { on, send, stop, say, get state() { return state; } };
})();
