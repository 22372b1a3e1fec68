// The whole file on one time line: shots, faces, speech, segments, and the offset along it.

const SEGMENT_WORDS = ["speech", "no face agrees with the sound", "no face is seen"];
const SEGMENT_CLASSES = ["fail", "no-match", "off-screen"];
const WHOLE_HEIGHT = 170;

/** Steps of an axis whose labels are minutes and seconds: with shorter ones two ticks would read alike. */
const WHOLE_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

function clockWords(seconds) {
  const whole = Number(fixed(seconds, 0));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

/** The panel, and `update` for when somebody has decided; `drawWholeFile` draws its chart once it is in the document.
 * `player` follows what is pressed; `decide(decision, range)` hears what is said of a segment. */
function wholeFile(video, lines, thresholds, player, decide) {
  const end = Math.max(0.04, video.seconds ?? 0);
  const segments = video.time.segments.map(readSegment);
  const words = make("p", { className: "muted" });
  const { buttons, show } = decisionButtons(false, (decision) => {
    const { from, to, track } = current;
    decide(decision, { from, to, track });
  });
  const chosenWords = make("span", { "aria-live": "polite" });
  const chosenButtons = make("span", { className: "buttons" }, ...buttons);
  const chosen = make("div", { className: "row chosen", hidden: true }, chosenWords, chosenButtons);
  const bars = segments.map((segment) => {
    const bar = place(make("button", { type: "button", onclick: () => choose(segment) }), segment.from, segment.to, end);
    // The lane's own press would send the player to the middle of it.
    bar.addEventListener("click", (event) => event.stopPropagation());
    return bar;
  });
  let current = null;

  function choose(segment) {
    current = segment;
    player.seek?.(segment.from);
    update();
  }

  function update() {
    const share = shareWords(video, thresholds);
    const along = video.time.along && `offset along the file: ${video.time.along}`;
    words.textContent = `${[share && `in sync for ${share}`, along].filter(Boolean).join("; ") || "no range of it is in sync"}.`;
    segments.forEach((segment, index) => {
      const passes = segmentPasses(segment, thresholds, video.said);
      bars[index].className = `segment ${passes ? "pass" : SEGMENT_CLASSES[segment.kind]}`;
      bars[index].title = segmentWords(segment, thresholds, video.said);
      bars[index].setAttribute("aria-label", bars[index].title);
      bars[index].setAttribute("aria-pressed", String(segment === current));
    });
    chosen.hidden = !current;
    if (!current) return;
    const { from, to, track } = current;
    const own = video.said?.ranges.find((entry) => entry.from === from && entry.to === to && entry.track === track);
    // Of a rejected video nothing passes.
    chosenButtons.hidden = current.kind !== SPEECH || video.said?.whole?.decision === "reject";
    show(own?.decision);
    chosenWords.textContent = segmentWords(current, thresholds, video.said);
  }

  const panelOfAll = panel(
    "The whole file",
    "",
    words,
    lanesOf(video, lines, make("span", { className: "lane" }, ...bars), end, player),
    make("p", { className: "legend" }, ...segmentLegend()),
    chosen,
    lines?.offsets.length ? make("div", { className: "plot whole-offsets", role: "img", "aria-label": "Offset along the file" }) : null,
  );
  update();
  return { panel: panelOfAll, update };
}

function place(element, from, to, end) {
  element.style.left = `${(100 * from) / end}%`;
  element.style.width = `${(100 * Math.max(0, to - from)) / end}%`;
  return element;
}

/** Shots, faces, speech and segments; pressing one sends the player there, and a line shows where it is. */
function lanesOf(video, lines, segmentLane, end, player) {
  const inSeconds = (ranges) => ranges.map(([from, to]) => [from / FRAMES_PER_SECOND, to / FRAMES_PER_SECOND]);
  const extents = (ranges) => ranges.map(([from, to]) => place(make("span", { className: "extent" }), from, to, end));
  const cuts = (lines?.shots ?? []).slice(0, MOST_CUTS).map((frame) => {
    const cut = make("span", { className: "cut" });
    cut.style.left = `${(100 * frame) / FRAMES_PER_SECOND / end}%`;
    return cut;
  });
  const filled = { shots: cuts, faces: extents(video.time.faces), speech: extents(inSeconds(lines?.speech ?? [])) };
  const lanes = Object.entries(filled).filter(([, bars]) => bars.length).map(([name, bars]) => [name, make("span", { className: "lane" }, ...bars)]);
  if (segmentLane.childElementCount) lanes.push(["segments", segmentLane]);
  if (player.seek) {
    for (const [, lane] of lanes) {
      const head = make("span", { className: "playhead", hidden: true });
      lane.append(head);
      lane.classList.add("seekable");
      seekFromLane(lane, end, player.seek);
      player.onTime.push((seconds) => {
        head.hidden = false;
        head.style.left = `${Math.min(100, (100 * seconds) / end)}%`;
      });
    }
  }
  const rows = lanes.map(([name, lane]) => make("div", { className: "whole-row" }, make("span", { className: "muted" }, name), lane));
  return make("div", { className: "whole" }, ...rows);
}

function segmentWords(segment, thresholds, said) {
  const times = `${clockWords(segment.from)} \u2013 ${clockWords(segment.to)}`;
  if (segment.kind !== SPEECH) return `${times}: ${SEGMENT_WORDS[segment.kind]}`;
  const verdict = segmentPasses(segment, thresholds, said) ? "passes" : "does not pass";
  const offset = segment.evidence === "none" ? "no evidence of sync" : offsetWords(segment.offset);
  const decided = saidOfSegment(said, segment);
  const confidence = confidenceWords(segment.confidence, thresholds.min_confidence);
  return `${times}: ${verdict}, confidence ${confidence}, ${offset}${decided ? `, ${decisionWords(decided)}` : ""}`;
}

function segmentLegend() {
  const kinds = [["pass", "passes"], ["fail", "does not pass"], ["no-match", "no face agrees"], ["off-screen", "no face is seen"]];
  return kinds.flatMap(([className, words]) => [make("span", { className: `mark segment ${className}` }), ` ${words} `]);
}

function drawWholeFile(within, video, lines, thresholds, seek) {
  const element = within.querySelector(".whole-offsets");
  if (!element) return;
  const chart = drawChart(
    element,
    WHOLE_HEIGHT,
    {
      scales: { x: { time: false, range: [0, video.seconds] }, y: { range: [-16, 16] } },
      series: [{}, { stroke: () => colour("accent"), fill: () => colour("accent"), width: 1, paths: marks(2.4, false), points: { show: false } }],
      axes: [{ label: "offset of each window with strong evidence, by time", incrs: WHOLE_SECONDS, values: (_, ticks) => ticks.map(clockWords) }, { splits: OFFSET_TICKS, values: (_, ticks) => ticks.map((tick) => signed(tick)) }],
      hooks: { drawClear: [(chart) => shade(chart, [null, null], [thresholds.lowest - 0.4, thresholds.highest + 0.4])] },
    },
    [lines.offsets.map(([seconds]) => seconds), lines.offsets.map(([, offset]) => offset)],
  );
  seekFromChart(chart, seek);
}
