// The table: sorted, searched, filtered, a page at a time.

const ROWS_PER_PAGE = 50;

/** Title, class, and what rows are sorted by (null: at the end, whichever way). */
const COLUMNS = [
  { key: "name", title: "Video", by: (row) => row.video.name },
  { key: "outcome", title: "Verdict", by: (row) => ["pass", "fail", "no_faces", "failed"].indexOf(row.outcome) },
  { key: "confidence", title: "Confidence", number: true, by: (row) => row.video.confidence },
  { key: "offset", title: "Offset", number: true, by: (row) => (row.video.evidence === "none" ? null : row.video.offset) },
  { key: "evidence", title: "Evidence", by: (row) => ({ strong: 0, weak: 1, none: 2 })[row.video.evidence] ?? null },
  { key: "seconds", title: "Length", number: true, by: (row) => row.video.seconds },
  { key: "faces", title: "Faces", number: true, by: (row) => row.video.faces },
];

const NUMBERS = [", lowest first", ", highest first"];
const ORDER_WORDS = {
  name: [", A to Z", ", Z to A"],
  outcome: [", passing first", ", failed first"],
  evidence: [", strong first", ", none first"],
};
/** What the box of orders offers: the columns, and how near a video is to the thresholds. */
const ORDERS = [
  ...COLUMNS.map((column) => {
    const [up, down] = ORDER_WORDS[column.key] ?? NUMBERS;
    return { ...column, title: column.title.toLowerCase(), up, down };
  }),
  { key: "near", title: "nearest to the thresholds", up: " first", down: "", by: (row) => row.nearness },
];

/** Name of a filter by numbers -> what it reads of a video, and whether its upper end is within. */
const RANGES = {
  confidence: { of: (video) => video.confidence, closed: false },
  offset: { of: (video) => (video.evidence === "none" ? null : video.offset), closed: true },
  seconds: { of: (video) => video.seconds, closed: false },
};
const RANGE_ENDS = Object.keys(RANGES).flatMap((name) => [`${name}From`, `${name}To`]);

function isWithinRanges(video, view) {
  return Object.entries(RANGES).every(([name, { of, closed }]) => {
    const [from, to] = [view[`${name}From`], view[`${name}To`]];
    if (from === null && to === null) return true;
    const value = of(video);
    if (value === null) return false;
    return (from === null || value >= from) && (to === null || (closed ? value <= to : value < to));
  });
}

const collator = new Intl.Collator(undefined, { numeric: true });

function compare(by, sign) {
  return (first, second) => {
    const [a, b] = [by(first), by(second)];
    if (a === null || b === null) return (a === null) - (b === null) || first.number - second.number;
    const order = typeof a === "string" ? collator.compare(a, b) : a - b;
    return sign * order || first.number - second.number;
  };
}

/** Rows that are wanted, in their order. */
function chooseRows(rows, view) {
  const said = { accepted: "accept", rejected: "reject" }[view.reason];
  const isWanted = ({ outcome, reasons, video: { said: decided } }) => {
    if (!view.reason) return true;
    if (view.reason === "undecided") return (outcome === "pass" || outcome === "fail") && !decided?.whole;
    return said ? decided?.whole?.decision === said : outcome === "fail" && reasons.includes(view.reason);
  };
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = rows.filter(
    (row) =>
      (!view.outcome || row.outcome === view.outcome) &&
      isWanted(row) &&
      isWithinRanges(row.video, view) &&
      words.every((word) => row.text.includes(word)),
  );
  const order = ORDERS.find(({ key }) => key === view.sort);
  return wanted.sort(compare(order.by, view.way === "down" ? -1 : 1));
}

function fillHead(head, view, sortBy) {
  head.replaceChildren(
    ...COLUMNS.map(({ key, title, number }) => {
      const sorted = view.sort === key;
      const down = view.way === "down";
      const arrow = sorted ? (down ? " \u25bc" : " \u25b2") : "";
      return make(
        "th",
        { scope: "col", className: number ? `number ${key}` : key, "aria-sort": sorted ? (down ? "descending" : "ascending") : "none" },
        make("button", { type: "button", onclick: () => sortBy(key) }, title + arrow),
      );
    }),
  );
}

function fillRows(body, rows, thumbnails, thresholds, open) {
  body.replaceChildren(...rows.map((row) => tableRow(row, thumbnails, thresholds, open)));
}

function tableRow(row, thumbnails, thresholds, open) {
  const { video, outcome } = row;
  const source = pictureOf(thumbnails[row.number]);
  const picture = source
    ? make("img", { className: "thumb", src: source, alt: "", width: 48, height: 48 })
    : make("span", { className: "thumb none", "aria-hidden": "true" });
  const cell = (key, ...children) => {
    const column = COLUMNS.find((known) => known.key === key);
    const data = make("td", { className: column.number ? `number ${key}` : key }, ...children);
    data.dataset.title = column.title;
    return data;
  };
  const supported = video.offset !== null && video.evidence !== "none";
  const share = shareWords(video, thresholds);
  const missed = verdictWords(row, thresholds).join("; ");
  const name = make("button", { type: "button", className: "name-button" }, ...breakable(video.name));
  const line = make(
    "tr",
    { onclick: () => open(row.number) },
    cell("name", make("div", {}, picture, make("span", {}, name))),
    cell("outcome", badge(outcome), missed ? make("small", {}, missed) : null, share ? make("small", {}, `in sync for ${share}`) : null),
    cell("confidence", video.offset === null ? "" : confidenceWords(video.confidence, thresholds.min_confidence)),
    cell("offset", supported ? signed(video.offset) : "", supported ? make("small", {}, offsetWords(video.offset)) : null),
    cell("evidence", video.evidence ?? "", video.windows ? make("small", {}, `${video.windows[0]} of ${video.windows[1]}`) : null),
    cell("seconds", durationWords(video.seconds)),
    cell("faces", String(video.faces)),
  );
  line.dataset.number = row.number;
  return line;
}

/** Shows the filters by numbers as they are set. */
function showRanges(view) {
  const isSet = RANGE_ENDS.some((name) => view[name] !== null);
  for (const name of RANGE_ENDS) {
    const field = document.getElementById(name);
    if (document.activeElement !== field) field.value = view[name] ?? "";
  }
  document.getElementById("clear-ranges").hidden = !isSet;
  if (isSet) document.getElementById("ranges").open = true;
}

function hearRanges(look) {
  for (const name of RANGE_ENDS) {
    document.getElementById(name).oninput = ({ target }) => {
      // A number that is half typed has no value yet.
      if (!target.validity.badInput) look({ [name]: target.value === "" ? null : target.valueAsNumber });
    };
  }
  document.getElementById("clear-ranges").onclick = () => look(Object.fromEntries(RANGE_ENDS.map((name) => [name, null])));
}
