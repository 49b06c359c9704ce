"use strict";
// Buttons, keys, a gamepad and a pad give each key of the robot a jog from -1 to 1; letting go of them gives 0.
function jogControls(place, run, show) {
  const JOINTS = [["1", "2"], ["3", "4"], ["5", "6"], ["7", "8"], ["9", "0"], ["c", "o"]];
  const WHEELS = [["k", "i"], ["l", "j"], ["u", "m"]];
  const STICKS = [{ axis: 0 }, { axis: 1, sign: -1 }, { axis: 3, sign: -1 }, { minus: 13, plus: 12 }, { axis: 2 }, { minus: 4, plus: 5 }];
  const DEAD = 0.15;
  const held = new Map();  // what is held, a button, a key or a pointer on the pad: its jog by key of the robot
  let keys = [];
  let isActive = false;
  let wasMoving = false;
  let padKeys = [];

  const letGo = () => { held.clear(); tell(); };

  function wanted() {
    const speed = Number(place.querySelector('[data-jog="speed"]').value);
    const jog = Object.fromEntries(keys.map((key) => [key, 0]));
    for (const each of [...held.values(), gamepad()]) {
      for (const [key, value] of Object.entries(each)) jog[key] += value;
    }
    for (const key of keys) jog[key] = Math.max(-1, Math.min(1, jog[key])) * speed;
    return jog;
  }

  function gamepad() {
    const pad = [...navigator.getGamepads()].find((each) => each?.connected);
    show("gamepad", pad ? `gamepad: ${pad.id.slice(0, 40)}` : "no gamepad: connect one and press a button of it");
    if (!pad || !document.hasFocus()) return {};
    const pressed = (index) => pad.buttons[index]?.value ?? 0;
    return Object.fromEntries(keys.map((key, index) => {
      const stick = STICKS[index];
      if (!stick) return [key, 0];
      if (stick.axis === undefined) return [key, pressed(stick.plus) - pressed(stick.minus)];
      const value = (pad.axes[stick.axis] ?? 0) * (stick.sign ?? 1);
      return [key, Math.abs(value) < DEAD ? 0 : (value - Math.sign(value) * DEAD) / (1 - DEAD)];
    }));
  }

  function tell() {
    if (!isActive) return;
    const jog = wanted();
    const isMoving = Object.values(jog).some((value) => value !== 0);
    if (isMoving || wasMoving) studio.send({ type: "jog", run, keys: jog, t: performance.now() / 1000 });
    wasMoving = isMoving;
  }

  function hold(what, jog) { held.set(what, jog); tell(); }
  function release(what) { if (held.delete(what)) tell(); }

  function button(key, sign, legend) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = `${sign > 0 ? "+" : "−"}${legend ? ` (${legend})` : ""}`;
    made.setAttribute("aria-label", `${key} ${sign > 0 ? "plus" : "minus"}, while held`);
    made.addEventListener("pointerdown", (event) => {
      made.setPointerCapture(event.pointerId);
      hold(made, { [key]: sign });
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) made.addEventListener(end, () => release(made));
    made.addEventListener("keydown", (event) => { if (event.key === " " || event.key === "Enter") hold(made, { [key]: sign }); });
    made.addEventListener("keyup", () => release(made));
    made.addEventListener("contextmenu", (event) => event.preventDefault());
    return made;
  }

  function legends() {
    const joints = keys.filter((key) => !key.endsWith(".vel"));
    const wheels = keys.filter((key) => key.endsWith(".vel"));
    return new Map([...joints.map((key, at) => [key, JOINTS[at]]), ...wheels.map((key, at) => [key, WHEELS[at]])]);
  }

  function build() {
    const shown = legends();
    place.querySelector(".jog-rows").replaceChildren(...keys.map((key) => {
      const row = document.createElement("div");
      const name = Object.assign(document.createElement("span"), { textContent: key });
      const [minus, plus] = shown.get(key) ?? ["", ""];
      row.append(button(key, -1, minus), name, button(key, 1, plus));
      return row;
    }));
    for (const [at, name] of ["across", "upwards"].entries()) {
      const choice = place.querySelector(`[data-jog="${name}"]`);
      choice.replaceChildren(...keys.map((key) => new Option(key, key)));
      choice.selectedIndex = Math.min(at, keys.length - 1);
    }
  }

  const pad = place.querySelector(".pad");
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    padKeys = ["across", "upwards"].map((name) => place.querySelector(`[data-jog="${name}"]`).value);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    const box = pad.getBoundingClientRect();
    const share = (value, from, size) => Math.max(-1, Math.min(1, (2 * (value - from)) / size - 1));
    const [across, upwards] = [share(event.clientX, box.left, box.width), -share(event.clientY, box.top, box.height)];
    const jog = { [padKeys[0]]: across };
    jog[padKeys[1]] = (jog[padKeys[1]] ?? 0) + upwards;
    held.set(pad, jog);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) pad.addEventListener(end, () => release(pad));
  addEventListener("keydown", (event) => {
    if (!isActive || event.repeat || isTyping(event)) return;
    for (const [key, pair] of legends()) {
      const at = pair?.indexOf(event.key) ?? -1;
      if (at >= 0) { event.preventDefault(); hold(event.code, { [key]: at ? 1 : -1 }); }
    }
  });
  addEventListener("keyup", (event) => release(event.code));
  addEventListener("blur", letGo);
  document.addEventListener("visibilitychange", letGo);
  setInterval(tell, 50);

  return {
    offer(offered, controls) {
      if (isActive && !(offered.length && controls)) letGo();
      isActive = offered.length > 0 && controls;
      place.hidden = !isActive;
      if (offered.join() !== keys.join()) { keys = [...offered]; build(); }
    },
  };
}
