// A recording: films of its cameras in step with its curves. What moves is the row; films and curves follow it.
"use strict";
(() => {
  const page = document.getElementById("recording");
  if (!page) return;
  const of = (id) => document.getElementById(id);
  const root = page.dataset.root, fps = Number(page.dataset.fps), episodes = Number(page.dataset.episodes);
  const slider = of("time"), playButton = of("play"), speed = of("speed");
  const COLOURS = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#db2777", "#65a30d"];
  let shown = null, row = 0, playing = false, asked = 0, charts = [], found = [], began = 0;

  const address = (path, details) => `/datasets/${path}?${new URLSearchParams({ root, ...details })}`;
  const say = (text) => { of("told").textContent = text; };
  const last = () => shown.frames - 1;
  const make = (name, values) => Object.assign(document.createElement(name), values);

  async function ask(path, details) {
    const answer = await fetch(address(path, details));
    const isJson = (answer.headers.get("content-type") || "").includes("json");
    const told = isJson ? await answer.json() : { error: `The studio answered ${answer.status}.` };
    if (told.error) throw new Error(told.error);
    return told;
  }

  class Film {
    constructor(camera, about) {
      this.camera = camera;
      this.about = about;
      this.video = make("video", { muted: true, playsInline: true, preload: "auto" });
      this.words = make("p", { className: "dim" });
      this.figure = make("figure");
      this.figure.append(this.video, make("figcaption", { textContent: camera }), this.words);
      this.video.addEventListener("loadedmetadata", () => (this.video.videoWidth ? this.jump(this.timeOf(row)) : this.fail()));
      this.video.addEventListener("error", () => this.place && this.fail());
    }
    // Depth is stored as codes that look like nothing; images that are stored one by one are no film.
    show(place) {
      this.tries = 0;
      this.source = place;
      this.words.textContent = "";
      if (place && place.error) return this.stop(place.error);
      return place && !this.about.depth ? this.play(place) : this.copy();
    }
    play(place) {
      this.place = place;
      this.figure.classList.remove("none");
      const src = address("file", { name: place.file });
      if (this.src === src && !this.video.error) this.jump(this.timeOf(row));
      else this.video.src = this.src = src;
    }
    stop(text) {
      this.place = this.src = null;
      this.video.removeAttribute("src");
      this.figure.classList.add("none");
      this.words.textContent = text;
    }
    fail() {
      const { codec, pixel_format } = this.source || {};
      if (this.tries > 1) return this.stop("This browser plays neither the video nor a copy of it.");
      this.copy(codec ? `This browser does not play ${codec} (${pixel_format}). ` : "");
    }
    async copy(why = "") {
      const mine = asked;
      this.tries += 1;
      this.stop(`${why}A film is being made for this page.`);
      try {
        const film = await ask("film", { episode: shown.episode, camera: this.camera });
        if (mine !== asked) return;
        this.play(film);
        this.words.textContent = why && `${why}This is a copy in H.264. “Encode videos anew” stores it so.`;
      } catch (error) {
        if (mine === asked) this.stop(`${why}${error.message}`);
      }
    }
    get ready() { return Boolean(this.place) && this.video.readyState > 0; }
    // The middle of a picture: its begin may be rounded to the picture before.
    timeOf(at) { return this.place.from_s + (at + 0.5) / fps; }
    get row() { return Math.floor((this.video.currentTime - this.place.from_s) * fps + 1e-3); }
    jump(time) { if (this.ready) this.video.currentTime = time; }
  }
  const films = Object.entries(JSON.parse(page.dataset.cameras)).map(([camera, about]) => new Film(camera, about));
  of("films").append(...films.map((film) => film.figure));
  const running = () => films.filter((film) => film.ready);

  async function open(episode, at = 0) {
    pause();
    const mine = (asked += 1);
    try {
      const told = await ask("episode", { episode });
      if (mine !== asked) return;
      shown = told;
    } catch (error) {
      if (mine === asked) say(error.message);
      return;
    }
    const left = Object.entries(shown.left_out).map(([key, why]) => `${key} is not drawn: ${why}.`);
    const thinned = Object.values(shown.columns).some((column) => column.rows);
    say([...left, thinned ? "Of its many rows the curves show those with the extremes." : ""].join(" "));
    row = Math.min(at, last());
    slider.max = last();
    of("current").value = episode;
    history.replaceState(history.state, "", `#${episode}`);
    for (const button of page.querySelectorAll("[data-episode]")) {
      const isShown = Number(button.dataset.episode) === episode;
      button.toggleAttribute("aria-current", isShown);
      const list = button.closest("ol");
      if (isShown) list.scrollTop = button.offsetTop - list.offsetTop - list.clientHeight / 2;
    }
    for (const film of films) film.show(shown.videos[film.camera]);
    draw();
    mark();
    follow();
  }

  function draw() {
    for (const chart of charts) chart.destroy();
    const style = getComputedStyle(document.body);
    const ink = style.color, line = style.getPropertyValue("--line");
    charts = shown.axes.filter((axis) => !axis.feature.startsWith("capture_time.")).map((axis) => {
      const { names, rows, values } = shown.columns[axis.feature];
      const times = rows ? rows.map((at) => shown.time_s[at]) : shown.time_s;
      const lines = axis.elements.map((element) => values[element].map((value) => value === null ? null : Number(value)));
      const series = axis.elements.map((element, i) => (
        { label: names[element], stroke: COLOURS[i % COLOURS.length], dash: i < COLOURS.length ? [] : [6, 4], width: 1.5, points: { show: false } }
      ));
      const side = { stroke: ink, grid: { stroke: line, width: 0.5 }, ticks: { stroke: line } };
      const chart = new uPlot({
        title: axis.label, width: of("charts").clientWidth, height: 190, scales: { x: { time: false } },
        axes: [{ ...side }, { ...side, size: 60 }], series: [{ label: "s" }, ...series],
        cursor: { sync: { key: "recording" }, drag: { x: false, y: false } },
      }, [times, ...lines], of("charts"));
      chart.over.append(make("div", { className: "now" }));
      chart.over.addEventListener("click", (event) => {
        seek(nearest(chart.posToVal(event.clientX - chart.over.getBoundingClientRect().left, "x")));
      });
      return chart;
    });
  }

  function nearest(time) {
    let low = 0, high = last();
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shown.time_s[middle] < time) low = middle + 1; else high = middle;
    }
    return low > 0 && time - shown.time_s[low - 1] < shown.time_s[low] - time ? low - 1 : low;
  }

  function follow() {
    slider.value = row;
    of("clock").textContent = `episode ${shown.episode}, frame ${row} of ${last() + 1}, ${(row / fps).toFixed(2)} s`;
    for (const chart of charts) {
      chart.over.lastElementChild.style.transform = `translateX(${chart.valToPos(shown.time_s[row], "x")}px)`;
    }
  }

  function seek(to) {
    if (!shown) return;
    row = Math.max(0, Math.min(last(), to));
    began = performance.now() - (row / fps / speed.value) * 1000;
    for (const film of running()) film.jump(film.timeOf(row));
    follow();
  }

  function pause() {
    playing = false;
    playButton.textContent = "Play";
    for (const film of films) film.video.pause();
  }

  function play() {
    if (!shown) return;
    if (row >= last()) seek(0); else seek(row);
    playing = true;
    playButton.textContent = "Pause";
    requestAnimationFrame(tick);
  }

  function tick() {
    if (!playing) return;
    const [lead, ...others] = running();
    if (lead) {
      for (const film of [lead, ...others]) {
        film.video.playbackRate = Number(speed.value);
        if (film.video.paused && !film.video.seeking) film.video.play().catch(() => {});
      }
      if (!lead.video.seeking) row = Math.max(0, lead.row);
      for (const film of others) {
        const ahead = film.video.currentTime - film.place.from_s - (lead.video.currentTime - lead.place.from_s);
        if (Math.abs(ahead) > Math.max(0.1, 2 / fps) && !film.video.seeking) film.jump(film.timeOf(row));
      }
    } else {
      row = Math.floor(((performance.now() - began) / 1000) * speed.value * fps);
    }
    if (row >= last()) { // the file goes on with the next episode, the film does not
      pause();
      seek(last());
      return;
    }
    follow();
    requestAnimationFrame(tick);
  }

  function mark() {
    const here = found.filter((each) => each.episode === shown.episode && each.frame !== null);
    of("marks").replaceChildren(...here.map((each) => {
      const button = make("button", { type: "button", className: each.severity, title: `${each.check}: ${each.text}` });
      button.setAttribute("aria-label", button.title);
      button.style.left = `${(100 * each.frame) / Math.max(last(), 1)}%`;
      button.addEventListener("click", () => seek(each.frame));
      return button;
    }));
  }

  async function check(button) {
    const list = of("findings");
    list.replaceChildren(make("li", { textContent: "Looking…" }));
    button.disabled = true;
    try {
      found = (await ask("findings", { pictures: button.dataset.check })).findings;
      list.replaceChildren(...found.map((each) => {
        const item = make("li"), where = each.episode === null ? "" : `episode ${each.episode}: `;
        const text = `${each.severity} ${each.check}: ${where}${each.text}`;
        if (each.episode === null) item.textContent = text;
        else {
          const link = make("button", { type: "button", textContent: text });
          link.addEventListener("click", () => open(each.episode, each.frame || 0));
          item.append(link);
        }
        return item;
      }));
      if (!found.length) list.append(make("li", { textContent: "Nothing was found." }));
      if (shown) mark();
    } catch (error) {
      list.replaceChildren(make("li", { className: "problem", textContent: error.message }));
    }
    button.disabled = false;
  }

  const step = (by) => { pause(); seek(row + by); };
  const turn = (by) => { if (shown) open(Math.max(0, Math.min(episodes - 1, shown.episode + by))); };
  playButton.addEventListener("click", () => (playing ? pause() : play()));
  slider.addEventListener("input", () => { pause(); seek(Number(slider.value)); });
  speed.addEventListener("change", () => playing && seek(row));
  document.addEventListener("visibilitychange", () => document.hidden && pause());
  page.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !shown) return;
    const { episode, step: frames, episodeStep, check: pictures, trim, clear } = button.dataset;
    if (episode) open(Number(episode));
    if (frames) step(Number(frames));
    if (episodeStep) turn(Number(episodeStep));
    if (pictures) check(button);
    if (trim) of("edit").elements[trim].value = ((trim === "start_s" ? row : last() - row) / fps).toFixed(3);
    if (clear) of(clear).replaceChildren();
  });
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.altKey || event.ctrlKey || event.metaKey || at.matches("input:not([type=checkbox]), select, textarea")) return;
    if (event.key === " " && at.matches("button, a, summary, input")) return;
    const does = {
      " ": () => (playing ? pause() : play()), ArrowLeft: () => step(-1), ArrowRight: () => step(1),
      ArrowUp: () => turn(-1), ArrowDown: () => turn(1),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
  new ResizeObserver(() => {
    for (const chart of charts) chart.setSize({ width: of("charts").clientWidth, height: 190 });
    if (shown) follow();
  }).observe(of("charts"));
  open(Math.min(Number(location.hash.slice(1)) || 0, episodes - 1));
})();
