// The whole file on one time line: shots, faces, speech, segments, and the offset along it.

const SEGMENT_WORDS = ["speech", "no face agrees with the sound", "no face is seen"];
const SEGMENT_CLASSES = ["fail", "no-match", "off-screen"];
const WHOLE_HEIGHT = 170;

function clockWords(seconds) {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

/** The panel; `drawWholeFile` draws its chart once it is in the document. */
function wholeFile(video, lines, thresholds) {
  const end = Math.max(0.04, video.seconds ?? 0);
  const place = (element, from, to) => {
    element.style.left = `${(100 * from) / end}%`;
    element.style.width = `${(100 * Math.max(0, to - from)) / end}%`;
    return element;
  };
  const bar = (className, from, to, title = "") => place(make("span", { className, title }), from, to);
  const lane = (name, bars) =>
    bars.length ? make("div", { className: "whole-row" }, make("span", { className: "muted" }, name), make("span", { className: "lane" }, ...bars)) : null;
  const inSeconds = (ranges) => ranges.map(([from, to]) => [from / FRAMES_PER_SECOND, to / FRAMES_PER_SECOND]);
  const shots = (lines?.shots ?? []).slice(0, MOST_CUTS).map((frame) => {
    const cut = make("span", { className: "cut" });
    cut.style.left = `${(100 * frame) / FRAMES_PER_SECOND / end}%`;
    return cut;
  });
  const faces = video.time.faces.map(([from, to]) => bar("extent", from, to));
  const speech = inSeconds(lines?.speech ?? []).map(([from, to]) => bar("extent", from, to));
  const segments = video.time.segments.map(readSegment).map((segment) => {
    const className = segmentPasses(segment, thresholds) ? "pass" : SEGMENT_CLASSES[segment.kind];
    return bar(`segment ${className}`, segment.from, segment.to, segmentWords(segment, thresholds));
  });
  const share = shareWords(video, thresholds);
  const words = [share ? `in sync for ${share}` : "", video.time.along && `offset along the file: ${video.time.along}`];
  return panel(
    "The whole file",
    `${words.filter(Boolean).join("; ") || "no range of it is in sync"}.`,
    make(
      "div",
      { className: "whole" },
      ...[lane("shots", shots), lane("faces", faces), lane("speech", speech), lane("segments", segments)].filter(Boolean),
    ),
    make("p", { className: "legend" }, ...segmentLegend()),
    lines?.offsets.length ? make("div", { className: "plot whole-offsets", role: "img", "aria-label": "Offset along the file" }) : null,
  );
}

function segmentWords(segment, thresholds) {
  const times = `${clockWords(segment.from)} \u2013 ${clockWords(segment.to)}`;
  if (segment.kind !== SPEECH) return `${times}: ${SEGMENT_WORDS[segment.kind]}`;
  const verdict = segmentPasses(segment, thresholds) ? "passes" : "does not pass";
  const offset = segment.evidence === "none" ? "no evidence of sync" : offsetWords(segment.offset);
  return `${times}: ${verdict}, confidence ${segment.confidence.toFixed(1)}, ${offset}`;
}

function segmentLegend() {
  const kinds = [["pass", "passes"], ["fail", "does not pass"], ["no-match", "no face agrees"], ["off-screen", "no face is seen"]];
  return kinds.flatMap(([className, words]) => [make("span", { className: `mark segment ${className}` }), ` ${words} `]);
}

function drawWholeFile(within, video, lines, thresholds) {
  const element = within.querySelector(".whole-offsets");
  if (!element) return;
  drawChart(
    element,
    WHOLE_HEIGHT,
    {
      scales: { x: { time: false, range: [0, video.seconds] }, y: { range: [-16, 16] } },
      series: [{}, { stroke: () => colour("accent"), fill: () => colour("accent"), width: 1, paths: marks(2.4, false), points: { show: false } }],
      axes: [{ label: "offset of each window with strong evidence, by time", values: (_, ticks) => ticks.map(clockWords) }, { splits: OFFSET_TICKS, values: (_, ticks) => ticks.map(signed) }],
      hooks: { drawClear: [(chart) => shade(chart, [null, null], [thresholds.lowest - 0.4, thresholds.highest + 0.4])] },
    },
    [lines.offsets.map(([seconds]) => seconds), lines.offsets.map(([, offset]) => offset)],
  );
}
