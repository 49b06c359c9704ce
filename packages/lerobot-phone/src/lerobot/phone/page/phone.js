// The phone's pose to the computer that drives the arm, as long as this page is seen and the phone knows where it is.
"use strict";

const byId = (id) => document.getElementById(id);
const held = { move: false, reservedButtonA: false, reservedButtonB: false };
let socket = null;
let session = null;
let lastFrame = 0;
let follows = false;

function say(text) { byId("status").textContent = text; }

function send(message) {
  // What cannot be sent at once is of no use later.
  if (socket && socket.readyState === WebSocket.OPEN && socket.bufferedAmount === 0) {
    socket.send(JSON.stringify(message));
  }
}

function letGo() {
  for (const name of Object.keys(held)) held[name] = false;
  for (const id of ["hold", "a", "b"]) byId(id).classList.remove("held", "pressed");
}

function whileHeld(id, name, style) {
  const element = byId(id);
  const set = (value) => (event) => {
    event.preventDefault();
    if (value && element.setPointerCapture) element.setPointerCapture(event.pointerId);
    held[name] = value;
    element.classList.toggle(style, value);
  };
  element.addEventListener("pointerdown", set(true));
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) element.addEventListener(kind, set(false));
}

function connect() {
  socket = new WebSocket(`wss://${location.host}/ws${location.search}`);
  socket.onopen = () => { byId("start").disabled = false; say("Connected. Start, then hold the page to move the arm."); };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "state") follows = message.enabled;
  };
  socket.onclose = (event) => {
    letGo();
    follows = false;
    byId("start").disabled = true;
    say(event.reason ? `Refused: ${event.reason}.` : "The connection is gone. Trying again ...");
    setTimeout(connect, 2000);
  };
}

function onFrame(time, frame, space) {
  session.requestAnimationFrame((t, f) => onFrame(t, f, space));
  const pose = frame.getViewerPose(space);
  const fps = lastFrame ? Math.round(1000 / Math.max(1, time - lastFrame)) : 0;
  lastFrame = time;
  // An emulated position is a guess without a camera: the phone does not know where it is.
  if (!pose || pose.emulatedPosition) {
    say("The phone does not know where it is. Move it slowly, then let go and hold again.");
    send({ type: "lost" });
    return;
  }
  const { position, orientation } = pose.transform;
  if (!held.move) say("The arm holds. Hold the page to move it.");
  else say(follows ? "The arm follows." : "The arm holds. Let go, and hold again.");
  send({
    type: "pose",
    data: {
      ...held,
      position: { x: position.x, y: position.y, z: position.z },
      orientation: { x: orientation.x, y: orientation.y, z: orientation.z, w: orientation.w },
      fps,
      scale: Number(byId("scale").value),
      time: performance.now() / 1000,
    },
  });
}

async function start() {
  if (!navigator.xr) { say("This browser has no WebXR. Chrome on Android has."); return; }
  const mode = "immersive-ar";
  if (!(await navigator.xr.isSessionSupported(mode))) { say("This phone cannot say where it is (no AR)."); return; }
  try {
    session = await navigator.xr.requestSession(mode, {
      requiredFeatures: ["local"], optionalFeatures: ["dom-overlay"], domOverlay: { root: byId("overlay") },
    });
    if (session.updateRenderState && window.XRWebGLLayer) {
      const gl = document.createElement("canvas").getContext("webgl", { xrCompatible: true });
      if (gl) session.updateRenderState({ baseLayer: new XRWebGLLayer(session, gl) });
    }
    const space = await session.requestReferenceSpace("local");
    session.addEventListener("end", () => { letGo(); session = null; send({ type: "lost" }); say("Ended. Start again."); });
    session.requestAnimationFrame((t, f) => onFrame(t, f, space));
  } catch (error) {
    say(`WebXR could not be started: ${error.message}`);
    send({ type: "log", data: String(error) });
  }
}

whileHeld("hold", "move", "held");
whileHeld("a", "reservedButtonA", "pressed");
whileHeld("b", "reservedButtonB", "pressed");
byId("start").addEventListener("click", start);
document.addEventListener("visibilitychange", () => { if (document.hidden) { letGo(); send({ type: "lost" }); } });
window.addEventListener("blur", letGo);
connect();
