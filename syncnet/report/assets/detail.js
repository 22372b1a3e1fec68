// One video, opened: its facts, curve, windows, tracks and mouths.

const FRAMES_PER_SECOND = 25;
const QUIETEST_DB = -70;
const MOST_CUTS = 300;
const OFFSET_TICKS = [-15, -10, -5, 0, 5, 10, 15];
const detail = { details: null, lines: null, strips: null, faces: null };

function readDetails() {
  // Large, and needed only once a video is opened.
  if (detail.details === null) for (const name of Object.keys(detail)) detail[name] = readBlock(name);
}

const BADGES = {
  pass: ["\u2713", "passes"],
  fail: ["\u2717", "does not pass"],
  no_faces: ["\u2013", "no face track"],
  failed: ["!", "failed"],
};

function badge(outcome) {
  const [sign, words] = BADGES[outcome];
  return make("span", { className: `badge ${outcome}` }, `${sign} ${words}`);
}

/** Fills the dialog with a video; `steps` leads to its neighbours in the table, `decide(decision, note, range)` hears
 * what is said of it. What comes back shows the verdict anew, once the row has another one. */
function fillDetail(dialog, row, thumbnail, thresholds, steps, decide) {
  readDetails();
  dropCharts(dialog);
  stopPlayers(dialog);
  const { number, video } = row;
  const { tracks, more_tracks: moreTracks, format } = detail.details[number];
  const lines = detail.lines[number] ?? null;
  const player = playerOf(video, format);
  const verdict = make("div", { className: "verdict" });
  const decision = decisionBar(video, decide);
  const perTrack = make("div");
  const top = make("div", { className: "opened" }, player.panel, make("div", {}, facts(video, thumbnail, thresholds), links(video, player)));
  const body = make("div", { className: "detail-body" }, verdict, decision.bar, top);
  const head = detailHead(dialog, row, steps);
  dialog.replaceChildren(head, body);
  const whole = video.time && wholeFile(video, lines, thresholds, player, (said, range) => decide(said, "", range));
  const update = (now) => {
    head.querySelector(".badge").replaceWith(badge(now.outcome));
    verdict.replaceChildren(...reasonList(now, thresholds));
    decision.update();
    whole?.update();
  };
  if (whole) body.append(whole.panel);
  update(row);
  if (tracks.length) showTracks(body, perTrack, { number, video, tracks, moreTracks, lines, thresholds, seek: player.seek });
  if (whole) drawWholeFile(body, video, lines, thresholds, player.seek);
  return { update, player };
}

function showTracks(body, perTrack, { number, video, tracks, moreTracks, lines, thresholds, seek }) {
  const show = (index) => {
    dropCharts(perTrack);
    perTrack.replaceChildren();
    for (const bar of body.querySelectorAll(".track-bar")) {
      bar.setAttribute("aria-pressed", String(Number(bar.dataset.index) === index));
    }
    showTrack(perTrack, number, video, tracks[index], lines, lines?.tracks[index] ?? null, thresholds, seek);
  };
  const faces = detail.faces[number] ?? {};
  body.append(timeline(video, tracks, moreTracks, lines, faces, thresholds, show, seek), perTrack);
  show(Math.max(0, tracks.findIndex((track) => track.best)));
}

function detailHead(dialog, { video, outcome }, steps) {
  const step = (words, label, to) =>
    make("button", { type: "button", disabled: to === null, onclick: () => to !== null && steps.open(to), "aria-label": label }, words);
  return make(
    "header",
    { className: "detail-head" },
    make("h2", { id: "detail-name" }, ...breakable(video.name)),
    badge(outcome),
    make(
      "span",
      { className: "steps" },
      step("\u2190", "Earlier video", steps.earlier),
      step("\u2192", "Later video", steps.later),
      make("button", { type: "button", onclick: () => dialog.close(), "aria-label": "Close" }, "\u2715"),
    ),
  );
}

/** What a person says of the video; without a score there is nothing to decide. */
function decisionBar(video, decide) {
  const bar = make("div", { className: "row decision", role: "group", "aria-label": "Your decision" });
  if (video.status !== "success") return { bar, update: () => {} };
  const note = make("input", { type: "text", className: "note", maxLength: 2000, placeholder: "Note  ( N )", "aria-label": "Note on your decision" });
  const { buttons, show } = decisionButtons(true, (decision) => decide(decision, note.value));
  note.value = video.said?.note ?? "";
  const said = () => video.said?.whole?.decision ?? "none";
  note.oninput = () => decide(said(), note.value, {}, true);
  note.onchange = () => decide(said(), note.value);
  bar.append(make("span", { className: "buttons" }, ...buttons), note);
  const update = () => {
    show(video.said?.whole?.decision);
    if (document.activeElement !== note) note.value = video.said?.note ?? "";
  };
  return { bar, update };
}

/** A command whose words stay whole where a line ends. */
function commandWords(line) {
  return line.split(" ").flatMap((word, index) => [index ? " " : "", make("span", {}, word)]);
}

function reasonList(row, thresholds) {
  const { video, outcome, reasons } = row;
  const words = verdictWords(row, thresholds);
  if (outcome === "pass" && reasons.length) words.push(...reasons.map((code) => `against it: ${reasonWords(code, video, thresholds)}`));
  if (video.cure) words.push(`\u2192 ${video.cure}`);
  const items = words.map((text) => make("li", {}, text));
  if (video.curable && outcome === "fail") {
    const line = video.repair_line ? [": ", make("code", {}, ...commandWords(video.repair_line))] : [];
    items.push(make("li", {}, `\u2192 ${video.curable}`, ...line));
  }
  return items.length ? [make("ul", { className: "reasons" }, ...items)] : [];
}

function facts(video, thumbnail, thresholds) {
  const list = make("dl", { className: "facts" });
  const fact = (name, value) => value && list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  if (video.offset !== null) {
    fact("confidence", confidenceWords(video.confidence, thresholds.min_confidence));
    const supported = video.evidence !== "none";
    if (supported) fact("offset", `${signed(video.offset)} frames: ${offsetWords(video.offset)}`);
    if (supported && video.fine_ms !== null) {
      const interval = video.interval_ms ? ` (95%: ${signed(video.interval_ms[0])} to ${signed(video.interval_ms[1])})` : "";
      fact("between frames", `${signed(video.fine_ms)} ms${interval}`);
    }
    if (video.windows) fact("evidence", `${video.evidence}: ${video.windows[0]} of ${video.windows[1]} windows agree`);
  }
  fact("length", durationWords(video.seconds));
  fact("picture", video.size && `${video.size[0]} \u00d7 ${video.size[1]}, ${video.fps} fps`);
  fact("face tracks", String(video.faces));
  const picture = thumbnail && make("img", { src: thumbnail, alt: "The face that decides", width: 112, height: 112 });
  return make("div", { className: "facts-row" }, picture, list);
}

function links(video, player) {
  const overlay = video.overlay
    ? make("a", { className: "play", href: video.overlay, target: "_blank", rel: "noopener" }, "\u25b6 with faces and scores drawn in")
    : null;
  return make("p", {}, player.open ?? null, player.open && overlay && " ", overlay);
}

function panel(title, words, ...children) {
  return make("section", { className: "panel" }, make("h3", {}, title), words ? make("p", { className: "muted" }, words) : null, ...children);
}

/** Tracks as bars along the video, with their faces and the shots; pressing one shows its curves, and sends the player
 * to where it is pressed. */
function timeline(video, tracks, moreTracks, lines, faces, thresholds, show, seek) {
  const end = Math.max(1, (video.seconds ?? 0) * FRAMES_PER_SECOND, ...tracks.map((track) => track.first + track.count));
  const percent = (frames) => `${(100 * frames) / end}%`;
  const shots = lines ? lines.shots.filter((frame) => frame > 0) : [];
  const rows = tracks.map((track, index) => {
    const offset = track.evidence === "none" ? "no evidence of sync" : offsetWords(track.offset);
    const score = track.confidence === null ? "no sound beside it" : `confidence ${confidenceWords(track.confidence, thresholds.min_confidence)}, ${offset}`;
    const name = track.number === null ? "faces that speak in turns, as one" : `track ${track.number}`;
    const words = `${name}${track.best ? " (decides)" : ""}: ${score}`;
    const stretch = (className, from, length) => {
      const extent = make("span", { className });
      extent.style.left = percent(from);
      extent.style.width = percent(length);
      return extent;
    };
    const turns = track.turns.map(([from, to]) => stretch("turn", from * FRAMES_PER_SECOND, (to - from) * FRAMES_PER_SECOND));
    const cuts = shots.slice(0, MOST_CUTS).map((frame) => {
      const cut = make("span", { className: "cut" });
      cut.style.left = percent(frame);
      return cut;
    });
    const lane = make("span", { className: "lane", "aria-hidden": "true" }, stretch("extent", track.first, track.count), ...turns, ...cuts);
    if (seek) seekFromLane(lane, end / FRAMES_PER_SECOND, seek);
    const face = pictureOf(faces[track.number]);
    const picture = face ? make("img", { src: face, alt: "", width: 40, height: 40 }) : make("span", { className: "no-face" });
    const bar = make(
      "button",
      { type: "button", className: `track-bar${track.best ? " best" : ""}`, onclick: () => show(index) },
      picture,
      make("span", {}, words),
      lane,
    );
    bar.dataset.index = index;
    return bar;
  });
  const seconds = end / FRAMES_PER_SECOND;
  const shotWords = lines && lines.shots.length ? `, ${shots.length + 1} ${shots.length ? "shots" : "shot"} (cuts are drawn as lines)` : "";
  const turnWords = tracks.some((track) => track.turns.length) ? " The bar is higher while it is the turn of that face." : "";
  const more = moreTracks ? ` ${moreTracks} more tracks are left out here; the results file has them.` : "";
  return panel(
    "Face tracks",
    `0 to ${fixed(seconds, 1)} s${shotWords}.${turnWords}${more}`,
    make("div", { className: "timeline" }, ...rows),
  );
}

/** The curves of one track; the panels are in the document before their charts are drawn, which need their width. */
function showTrack(parent, number, video, track, lines, trackLines, thresholds, seek) {
  if (track.curve) {
    const plot = make("div", { className: "plot", role: "img", "aria-label": track.evidence === "none" ? "Distance of lips and sound" : `Distance of lips and sound, lowest at ${signed(track.offset)} frames` });
    parent.append(panel("Sync curve", "mean distance of lips and sound at each shift: one deep dip is what sync looks like", plot));
    drawCurve(plot, track, thresholds);
  }
  if (!lines) {
    parent.append(make("p", { className: "muted" }, "No pictures of this video: other videos are nearer to the thresholds, or its score is from an earlier version."));
    return;
  }
  if (trackLines?.windows.length) {
    const plot = make("div", { className: "plot", role: "img", "aria-label": "Offset of each window of a second along the video" });
    parent.append(panel("Offset along time", "each one-second window in which somebody speaks; the allowed range is shaded", plot));
    seekFromChart(drawWindows(plot, trackLines.windows, track, thresholds), seek);
  }
  showMouths(parent, number, track, lines, trackLines, seek);
}

function showMouths(parent, number, track, lines, trackLines, seek) {
  const jpeg = detail.strips[number]?.[track.number];
  const plot = make("div", { className: "plot", role: "img", "aria-label": "Loudness along the track" });
  const strip = jpeg ? make("img", { className: "strip", src: `data:image/jpeg;base64,${jpeg}`, alt: "Mouths along the track, evenly spread" }) : null;
  parent.append(panel("Mouth and sound", "mouths along the track, and how loud the sound beside them is, in dB of full scale", strip, plot));
  seekFromChart(drawLoudness(plot, track, lines), seek);
  if (trackLines?.confidence.some((value) => value !== null)) {
    const along = make("div", { className: "plot", role: "img", "aria-label": "Confidence along the track" });
    parent.append(panel("Confidence along time", "over the second around each frame, at the offset of the track", along));
    seekFromChart(drawConfidence(along, track, trackLines.confidence), seek);
  }
}

function drawCurve(element, track, thresholds) {
  // Row k of the curve is a shift of 15 - k frames.
  const shifts = track.curve.map((_, index) => index - SEARCH_EDGE);
  const distances = [...track.curve].reverse();
  const numbers = distances.filter((value) => value !== null);
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const margin = Math.max(0.02, (high - low) * 0.12);
  drawChart(
    element,
    180,
    {
      scales: { x: { time: false, range: [-15.5, 15.5] }, y: { range: [low - margin, high + margin] } },
      series: [{}, { stroke: () => colour("accent"), width: 2, points: { show: true, size: 5, fill: () => colour("accent") } }],
      axes: [{ label: "offset in frames", splits: OFFSET_TICKS, values: (_, ticks) => ticks.map((tick) => signed(tick)) }, {}],
      hooks: {
        drawClear: [(chart) => shade(chart, [thresholds.lowest - 0.4, thresholds.highest + 0.4], [low - margin, high + margin])],
        draw: [(chart) => drawLimit(chart, "x", track.offset)],
      },
    },
    [shifts, distances],
  );
}

function drawWindows(element, windows, track, thresholds) {
  const middles = windows.map(([frame]) => frame / FRAMES_PER_SECOND + 0.5);
  return drawChart(
    element,
    190,
    {
      scales: { x: { time: false, range: timeRange(track) }, y: { range: [-16, 16] } },
      series: [{}, { stroke: () => colour("accent"), fill: () => colour("accent"), width: 1, paths: marks(3.2, false), points: { show: false } }],
      axes: [{ label: "seconds" }, { splits: OFFSET_TICKS, values: (_, ticks) => ticks.map((tick) => signed(tick)) }],
      hooks: { drawClear: [(chart) => shade(chart, [null, null], [thresholds.lowest - 0.4, thresholds.highest + 0.4])] },
    },
    [middles, windows.map(([, offset]) => offset)],
  );
}

function timeRange(track) {
  return [track.first / FRAMES_PER_SECOND, (track.first + track.count) / FRAMES_PER_SECOND];
}

/** Middles of equal stretches, in seconds. */
function times(count, firstFrame, frames) {
  return Array.from({ length: count }, (_, index) => (firstFrame + ((index + 0.5) * frames) / count) / FRAMES_PER_SECOND);
}

function drawLoudness(element, track, lines) {
  const values = lines.loudness;
  return drawChart(
    element,
    120,
    {
      scales: { x: { time: false, range: timeRange(track) }, y: { range: [QUIETEST_DB, 0] } },
      series: [{}, { stroke: () => colour("accent"), fill: () => colour("within"), fillTo: QUIETEST_DB, width: 1.5, points: { show: false } }],
      axes: [{ label: "seconds" }, { splits: [-60, -40, -20, 0], values: (_, ticks) => ticks.map((tick) => signed(tick)) }],
    },
    [times(values.length, 0, lines.frames), values.map((value) => value === null ? null : Math.max(QUIETEST_DB, value))],
  );
}

function drawConfidence(element, track, values) {
  return drawChart(
    element,
    120,
    {
      scales: { x: { time: false, range: timeRange(track) }, y: { range: (_, low, high) => [Math.min(0, low), Math.max(10, high)] } },
      series: [{}, { stroke: () => colour("accent"), width: 1.5, points: { show: false } }],
      axes: [{ label: "seconds" }, {}],
    },
    [times(values.length, track.first, track.count), values],
  );
}
