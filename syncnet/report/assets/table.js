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
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = rows.filter(
    (row) =>
      (!view.outcome || row.outcome === view.outcome) &&
      (!view.reason || (row.outcome === "fail" && row.reasons.includes(view.reason))) &&
      words.every((word) => row.text.includes(word)),
  );
  const column = COLUMNS.find(({ key }) => key === view.sort);
  return wanted.sort(compare(column.by, view.descending ? -1 : 1));
}

function fillHead(head, view, sortBy) {
  head.replaceChildren(
    ...COLUMNS.map(({ key, title, number }) => {
      const sorted = view.sort === key;
      const arrow = sorted ? (view.descending ? " \u25bc" : " \u25b2") : "";
      return make(
        "th",
        { scope: "col", className: number ? `number ${key}` : key, "aria-sort": sorted ? (view.descending ? "descending" : "ascending") : "none" },
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
  const missed = outcome === "fail" ? row.reasons.map((code) => reasonWords(code, video, thresholds)).join("; ") : video.error;
  const name = make("button", { type: "button", className: "name-button" }, ...breakable(video.name));
  const line = make(
    "tr",
    { onclick: () => open(row.number) },
    cell("name", make("div", {}, picture, make("span", {}, name, video.missing ? make("small", {}, "no longer in the input folder") : null))),
    cell("outcome", badge(outcome), missed ? make("small", {}, missed) : null, share ? make("small", {}, `in sync for ${share}`) : null),
    cell("confidence", video.offset === null ? "" : video.confidence === null ? "no number" : video.confidence.toFixed(1)),
    cell("offset", supported ? signed(video.offset) : "", supported ? make("small", {}, offsetWords(video.offset)) : null),
    cell("evidence", video.evidence ?? "", video.windows ? make("small", {}, `${video.windows[0]} of ${video.windows[1]}`) : null),
    cell("seconds", durationWords(video.seconds)),
    cell("faces", String(video.faces)),
  );
  line.dataset.number = row.number;
  return line;
}
