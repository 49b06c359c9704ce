"use strict";
// Pictures of attached cameras while somebody looks, and joints as bars while somebody calibrates.
(() => {
  const look = document.getElementById("look"), pictures = document.getElementById("pictures");
  let source = null;

  function stop(text) {
    source?.close();
    source = null;
    look.textContent = "Look";
    look.setAttribute("aria-pressed", "false");
    if (text) pictures.textContent = text;
  }

  function show(cameras) {
    if (!cameras.length) pictures.textContent = "No camera was found.";
    cameras.forEach((camera, i) => {
      let figure = pictures.children[i];
      if (!figure) {
        figure = document.createElement("figure");
        figure.append(new Image(), document.createElement("figcaption"));
        pictures.append(figure);
      }
      const [image, caption] = figure.children, name = `${camera.name} (type ${camera.type}, id ${camera.id})`;
      image.hidden = !camera.picture;
      image.alt = `Picture of ${name}`;
      if (camera.picture) image.src = camera.picture;
      caption.textContent = camera.picture ? name : `${name}: no picture; another program may have it`;
    });
  }

  look?.addEventListener("click", () => {
    if (source) { stop(); return; }
    pictures.textContent = "";
    look.textContent = "Stop looking";
    look.setAttribute("aria-pressed", "true");
    source = new EventSource(`/setup/cameras?type=${encodeURIComponent(document.getElementById("camera-type").value)}`);
    source.addEventListener("line", (event) => { document.getElementById("look-line").textContent = JSON.parse(event.data); });
    source.addEventListener("cameras", (event) => show(JSON.parse(event.data)));
    source.addEventListener("problem", (event) => stop(JSON.parse(event.data)));
    source.onerror = () => stop("The studio does not answer.");
  });

  const section = document.querySelector("[data-calibration]"), SVG = "http://www.w3.org/2000/svg";

  function bar(row) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "interval");
    svg.setAttribute("viewBox", "0 0 100 10");
    svg.setAttribute("preserveAspectRatio", "none");
    for (const name of ["scale", "travel", "mean"]) {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", name);
      svg.append(rect);
    }
    row.children[2].append(svg);
  }

  function draw(joints) {
    section.hidden = false;
    const body = section.querySelector("tbody");
    for (const [name, [smallest, present, largest, turn]] of Object.entries(joints)) {
      let row = [...body.rows].find((each) => each.dataset.joint === name);
      if (!row) {
        row = body.insertRow();
        row.dataset.joint = name;
        row.dataset.middle = present;
        for (let i = 0; i < 5; i += 1) row.insertCell();
        row.cells[0].textContent = name;
        bar(row);
      }
      // The whole bar is a turn, with the place where the joint was first seen in its middle.
      const share = (steps) => 50 + (100 * (steps - row.dataset.middle)) / turn;
      const parts = [[0, 100, 4, 2], [share(smallest), share(largest) - share(smallest), 2, 6], [share(present) - 0.6, 1.2, 0, 10]];
      [...row.querySelectorAll("rect")].forEach((rect, i) => {
        ["x", "width", "y", "height"].forEach((key, k) => rect.setAttribute(key, parts[i][k]));
      });
      [[1, smallest], [3, present], [4, largest]].forEach(([cell, value]) => { row.cells[cell].textContent = value; });
    }
  }

  if (section) studio.on("calibration", (message) => { if (message.run === section.dataset.calibration) draw(message.joints); });
})();
