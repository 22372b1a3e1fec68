// Charts by uPlot; colours are read from the style sheet each time, so that they follow dark and light.

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const charts = new Map();
const FONT = "12px system-ui, sans-serif";
const AXIS_WIDTH = 52;

/** Draws a chart into an element, as wide as that is; `options` and `data` as uPlot has them. */
function drawChart(element, height, options, data) {
  charts.get(element)?.destroy();
  const width = Math.max(200, element.clientWidth);
  const chart = new uPlot(
    {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      ...options,
      axes: options.axes.map((axis, number) => ({
        ...(number === 0 ? { size: 28 } : { size: AXIS_WIDTH }),
        font: FONT,
        labelFont: FONT,
        labelSize: 18,
        labelGap: 0,
        stroke: () => colour("muted"),
        ticks: { stroke: () => colour("line"), width: 1 },
        ...axis,
        grid: { stroke: () => colour("line"), width: 1, ...axis.grid },
      })),
    },
    data,
    element,
  );
  charts.set(element, chart);
  return chart;
}

function dropCharts(within) {
  for (const [element, chart] of charts) {
    if (within.contains(element)) {
      chart.destroy();
      charts.delete(element);
    }
  }
}

window.addEventListener("resize", () => {
  for (const [element, chart] of charts) {
    if (element.clientWidth) chart.setSize({ width: Math.max(200, element.clientWidth), height: chart.height });
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.redraw()));

/** A dashed line across the plot at a value of one scale. */
function drawLimit(chart, scale, value) {
  const { ctx, bbox } = chart;
  const at = Math.round(chart.valToPos(value, scale, true));
  ctx.save();
  ctx.strokeStyle = colour("text");
  ctx.lineWidth = 1.5 * uPlot.pxRatio;
  ctx.setLineDash([5 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
  ctx.beginPath();
  if (scale === "x") {
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
  } else {
    ctx.moveTo(bbox.left, at);
    ctx.lineTo(bbox.left + bbox.width, at);
  }
  ctx.stroke();
  ctx.restore();
}

/** The rectangle of values that are within the limits; null leaves a side open. */
function shade(chart, [fromX, toX], [fromY, toY]) {
  const { ctx, bbox } = chart;
  const clampX = (v) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, v));
  const clampY = (v) => Math.min(bbox.top + bbox.height, Math.max(bbox.top, v));
  const left = fromX === null ? bbox.left : clampX(chart.valToPos(fromX, "x", true));
  const right = toX === null ? bbox.left + bbox.width : clampX(chart.valToPos(toX, "x", true));
  const top = clampY(chart.valToPos(toY, "y", true));
  const bottom = clampY(chart.valToPos(fromY, "y", true));
  ctx.save();
  ctx.fillStyle = colour("within");
  ctx.fillRect(left, top, right - left, bottom - top);
  ctx.restore();
}

const BIN_WIDTH = 0.5;

/** Counts of passing and of all scored videos by confidence. */
function histogramData(videos, outcomes) {
  const highest = videos.reduce((most, video) => Math.max(most, video.confidence ?? 0), 0);
  const bins = Math.max(20, Math.floor(highest / BIN_WIDTH) + 1);
  const middles = Array.from({ length: bins }, (_, bin) => (bin + 0.5) * BIN_WIDTH);
  const all = new Array(bins).fill(0);
  const passing = new Array(bins).fill(0);
  videos.forEach((video, number) => {
    if (video.status !== "success" || video.confidence === null) return;
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(video.confidence / BIN_WIDTH)));
    all[bin]++;
    if (outcomes[number] === "pass") passing[bin]++;
  });
  // A bar of no height would still be drawn as a line.
  const drawn = (counts) => counts.map((value) => value || null);
  return [middles, drawn(all), drawn(passing)];
}

function drawHistogram(element, data, thresholds) {
  const bars = uPlot.paths.bars({ size: [0.9, 60] });
  const most = Math.max(1, ...data[1]);
  return drawChart(
    element,
    260,
    {
      scales: {
        x: { time: false, range: [0, data[0].length * BIN_WIDTH] },
        y: { range: [0, most * 1.08] },
      },
      series: [
        {},
        { stroke: () => colour("fail"), fill: () => colour("fail-soft"), width: 1, paths: bars, points: { show: false } },
        { stroke: () => colour("pass"), fill: () => colour("pass"), width: 1, paths: bars, points: { show: false } },
      ],
      axes: [
        { label: "confidence", grid: { show: false } },
        { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
      ],
      hooks: { draw: [(chart) => drawLimit(chart, "x", thresholds().min_confidence)] },
    },
    data,
  );
}

/** Hears which bar is pressed: from where to where its values are. A place above a bar counts as the bar. */
function pressBars(chart, press) {
  chart.over.classList.add("seekable");
  chart.over.addEventListener("click", (event) => {
    const place = chart.over.getBoundingClientRect();
    const bin = Math.floor(chart.posToVal(event.clientX - place.left, "x") / BIN_WIDTH);
    if (chart.data[1][bin]) press(bin * BIN_WIDTH, (bin + 1) * BIN_WIDTH);
  });
}

/** Offsets are whole frames: a small shift of its own keeps videos of one offset apart. */
function spread(number) {
  return (((number * 2654435761) % 4294967296) / 4294967296 - 0.5) * 0.6;
}

function scatterData(order, videos, outcomes) {
  const of = (outcome) => order.map((number) => (outcomes[number] === outcome ? videos[number].offset + spread(number) : null));
  return [order.map((number) => videos[number].confidence), of("pass"), of("fail")];
}

/** A path builder that puts one mark at each value: circles, or crosses for what does not pass. */
function marks(radius, cross) {
  return (chart, series, first, last) => {
    const path = new Path2D();
    const r = radius * uPlot.pxRatio;
    for (let i = first; i <= last; i++) {
      const value = chart.data[series][i];
      if (value === null) continue;
      const x = chart.valToPos(chart.data[0][i], "x", true);
      const y = chart.valToPos(value, "y", true);
      if (cross) {
        path.moveTo(x - r, y - r);
        path.lineTo(x + r, y + r);
        path.moveTo(x - r, y + r);
        path.lineTo(x + r, y - r);
      } else {
        path.moveTo(x + r, y);
        path.arc(x, y, r, 0, 2 * Math.PI);
      }
    }
    return { stroke: path, fill: cross ? null : path, clip: null, band: null, gaps: null, flags: 0 };
  };
}

function drawScatter(element, data, thresholds) {
  const many = data[0].length > 2000;
  const most = Math.max(10, ...data[0].slice(-1));
  return drawChart(
    element,
    260,
    {
      scales: { x: { time: false, range: [-0.25, Math.ceil(most + 0.3)] }, y: { range: [-16, 16] } },
      series: [
        {},
        { stroke: () => colour("pass"), fill: () => colour("pass"), width: 1, paths: marks(many ? 1.6 : 3.5, false), points: { show: false } },
        { stroke: () => colour("fail"), width: 1.6, paths: marks(many ? 1.6 : 3.2, true), points: { show: false } },
      ],
      axes: [
        { label: "confidence" },
        { label: "offset in frames", size: 36, splits: [-15, -10, -5, 0, 5, 10, 15], values: (_, ticks) => ticks.map((tick) => signed(tick)) },
      ],
      hooks: {
        drawClear: [
          (chart) => {
            const limits = thresholds();
            shade(chart, [limits.min_confidence, null], [limits.lowest - 0.4, limits.highest + 0.4]);
          },
        ],
        draw: [(chart) => drawLimit(chart, "x", thresholds().min_confidence)],
      },
    },
    data,
  );
}

const REACH_PX = 14;

/** Index of the mark nearest to a place in the plot (CSS pixels); -1 where none is within reach. */
function nearestMark(chart, left, top) {
  let nearest = -1;
  let least = REACH_PX * REACH_PX;
  const [xs, ...series] = chart.data;
  for (let i = 0; i < xs.length; i++) {
    const y = series[0][i] ?? series[1][i];
    if (y === null) continue;
    const dx = chart.valToPos(xs[i], "x") - left;
    const dy = chart.valToPos(y, "y") - top;
    const distance = dx * dx + dy * dy;
    if (distance < least) {
      least = distance;
      nearest = i;
    }
  }
  return nearest;
}

/** Names the mark under the pointer, and opens it when it is pressed. */
function watchMarks(element, chart, words, open) {
  const tip = make("div", { className: "tip", hidden: true });
  element.append(tip);
  const at = (event) => {
    const place = chart.over.getBoundingClientRect();
    return nearestMark(chart, event.clientX - place.left, event.clientY - place.top);
  };
  chart.over.addEventListener("mousemove", (event) => {
    const index = at(event);
    tip.hidden = index < 0;
    chart.over.classList.toggle("on-mark", index >= 0);
    if (index < 0) return;
    tip.textContent = words(index);
    const place = element.getBoundingClientRect();
    const left = event.clientX - place.left + 12;
    tip.style.left = `${Math.max(0, Math.min(left, place.width - tip.offsetWidth))}px`;
    tip.style.top = `${event.clientY - place.top + 14}px`;
  });
  chart.over.addEventListener("mouseleave", () => (tip.hidden = true));
  chart.over.addEventListener("click", (event) => {
    const index = at(event);
    if (index >= 0) open(index);
  });
}
