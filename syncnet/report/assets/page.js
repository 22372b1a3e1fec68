// Puts the page together: thresholds and decisions -> verdicts -> counts, charts, table.

const DRAW_DELAY_MS = 300;

(() => {
  const run = readBlock("run");
  const videos = readBlock("videos");
  const thumbnails = readBlock("thumbnails");
  const $ = (id) => document.getElementById(id);
  const thresholds = { ...run.thresholds, whole: run.whole };
  const usualView = { search: "", outcome: "", reason: "", sort: "name", way: "up", page: 0, ...Object.fromEntries(RANGE_ENDS.map((name) => [name, null])) };
  const usual = { ...usualView, ...run.thresholds, open: "" };
  const view = { ...usualView };
  const kept = readBlock("decisions");
  // As the folder has it, before this browser adds what it knows.
  openDecisions(null, videos, kept);
  const asRun = videos.map((video) => outcomeOf(video, video.status === "success" ? judge(video, thresholds) : []));
  const decisions = openDecisions(run.folder, videos, kept);
  const review = reviewCard(decisions, videos, () => change({}));
  let rows = [];
  let chosen = [];
  let opened = null;
  /** Whether the video is closed for the search, and not to go back to its row. */
  let isForSearch = false;
  /** A timer, while charts and table lag behind decisions. */
  let drawing = 0;
  const byConfidence = videos
    .map((_, number) => number)
    .filter((number) => videos[number].status === "success" && videos[number].confidence !== null)
    .sort((a, b) => videos[a].confidence - videos[b].confidence);

  function judgeAll() {
    rows = videos.map(judgeOne);
  }

  function judgeOne(video, number) {
    const reasons = video.status === "success" ? judge(video, thresholds) : [];
    const row = { number, video, reasons, outcome: outcomeOf(video, reasons) };
    row.text = `${video.name} ${verdictWords(row, thresholds).join(" ")}`.toLowerCase();
    row.nearness = nearness(video, thresholds);
    return row;
  }

  function showCounts() {
    const before = count(asRun);
    const now = count(rows.map((row) => row.outcome));
    for (const tile of document.querySelectorAll(".tile")) {
      const outcome = tile.dataset.outcome;
      tile.querySelector("b").textContent = now[outcome].toLocaleString("en");
      const difference = now[outcome] - before[outcome];
      const share = videos.length ? `${Math.round((100 * now[outcome]) / videos.length)}%` : "";
      tile.querySelector("i").textContent = difference ? `${share}, ${signed(difference)} against the run` : share;
      tile.setAttribute("aria-pressed", String(view.outcome === outcome));
    }
    const moved = rows.filter((row) => row.outcome !== asRun[row.number]).length;
    $("changed").textContent = moved
      ? `${moved.toLocaleString("en")} ${moved === 1 ? "video changes its verdict" : "videos change their verdicts"}. This command re-sorts the folder, without scoring anything:`
      : "As in the last run. The command that repeats it:";
    return now;
  }

  function count(outcomes) {
    const counts = { pass: 0, fail: 0, no_faces: 0, failed: 0 };
    for (const outcome of outcomes) counts[outcome]++;
    return counts;
  }

  function showCommand() {
    const { min_confidence: confidence, lowest, highest } = thresholds;
    const limits = lowest === -highest ? `--max_abs_offset ${highest}` : `--min_offset ${lowest} --max_offset ${highest}`;
    const distance = thresholds.max_distance === null ? "" : ` --max_distance ${thresholds.max_distance}`;
    const line = `${run.command} --min_confidence ${confidence} ${limits}${distance}${review.flag()}`;
    // Each word keeps together: a line must not end behind the dashes of a flag.
    $("command").replaceChildren(...commandWords(line));
    $("directory").textContent = review.flag() ? "Change ~/Downloads if your browser saves files elsewhere." : "";
  }

  function showThresholds() {
    const { min_confidence: confidence, lowest, highest } = thresholds;
    for (const [name, value] of [["confidence", confidence], ["lowest", lowest], ["highest", highest]]) {
      $(`${name}-slider`).value = value;
      // What is being typed stays as it is typed.
      if (document.activeElement !== $(`${name}-number`)) $(`${name}-number`).value = value;
    }
    $("confidence-slider").setAttribute("aria-valuetext", `confidence at least ${confidence}`);
    for (const [name, value] of [["lowest", lowest], ["highest", highest]]) {
      $(`${name}-words`).textContent = offsetWords(value);
      $(`${name}-slider`).setAttribute("aria-valuetext", `${value} frames, ${offsetWords(value)}`);
    }
    if (document.activeElement !== $("distance-number")) $("distance-number").value = thresholds.max_distance ?? "";
    for (const button of $("presets").children) {
      const same = Object.entries(button.preset).every(([name, value]) => thresholds[name] === value);
      button.setAttribute("aria-pressed", String(same));
    }
  }

  function showCharts(counts) {
    const outcomes = rows.map((row) => row.outcome);
    const current = () => thresholds;
    const histogram = drawHistogram($("histogram"), histogramData(videos, outcomes), current);
    pressBars(histogram, (from, to) => {
      const again = view.confidenceFrom === from && view.confidenceTo === to;
      look(again ? { confidenceFrom: null, confidenceTo: null } : { confidenceFrom: from, confidenceTo: to });
    });
    $("scatter").replaceChildren();
    const chart = drawScatter($("scatter"), scatterData(byConfidence, videos, outcomes), current);
    const words = (index) => {
      const video = videos[byConfidence[index]];
      const confidence = confidenceWords(video.confidence, thresholds.min_confidence);
      return `${video.name}: confidence ${confidence}, ${video.evidence === "none" ? "no evidence of sync" : offsetWords(video.offset)}`;
    };
    watchMarks($("scatter"), chart, words, (index) => open(byConfidence[index]));
    const summary = `${counts.pass} videos pass, ${counts.fail} do not; lowest confidence ${thresholds.min_confidence}`;
    $("histogram").setAttribute("aria-label", `Histogram of confidence: ${summary}`);
    $("scatter").setAttribute("aria-label", `Offset against confidence: ${summary}; the table has the same numbers`);
  }

  function showTable() {
    chosen = chooseRows(rows, view);
    const pages = Math.max(1, Math.ceil(chosen.length / ROWS_PER_PAGE));
    view.page = Math.max(0, Math.min(view.page, pages - 1));
    const first = view.page * ROWS_PER_PAGE;
    fillHead($("table").tHead.rows[0], view, sortBy);
    fillRows($("table").tBodies[0], chosen.slice(first, first + ROWS_PER_PAGE), thumbnails, thresholds, open);
    $("shown").textContent = `${chosen.length.toLocaleString("en")} of ${videos.length.toLocaleString("en")}`;
    $("page").textContent = `page ${view.page + 1} of ${pages}`;
    $("earlier").disabled = view.page === 0;
    $("later").disabled = view.page === pages - 1;
    $("sort").value = `${view.sort} ${view.way}`;
    $("reason").value = view.reason;
    if (document.activeElement !== $("search")) $("search").value = view.search;
    showRanges(view);
    note();
  }

  function note(isNow = false) {
    const open = () => ($("detail").open ? pathOf(videos[$("detail").dataset.number]) : "");
    noteAddress(() => ({ ...view, ...thresholds, open: open() }), usual, isNow);
  }

  function pathOf(video) {
    return video.path ?? video.name;
  }

  let waiting = 0;
  function change(values) {
    Object.assign(thresholds, values);
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      showAll();
    });
  }

  function showAll() {
    judgeAll();
    review.show();
    showThresholds();
    showCommand();
    showCharts(showCounts());
    showTable();
    if ($("detail").open) opened?.update(rows[$("detail").dataset.number]);
  }

  function look(values) {
    Object.assign(view, { page: 0 }, values);
    showCounts();
    showTable();
  }

  function sortBy(key) {
    const numeric = COLUMNS.find((column) => column.key === key).number;
    const way = view.sort === key ? (view.way === "up" ? "down" : "up") : numeric ? "down" : "up";
    look({ sort: key, way });
    $("table").tHead.querySelector(`.${key} button`).focus();
  }

  function open(number) {
    const dialog = $("detail");
    const at = chosen.findIndex((row) => row.number === number);
    const neighbour = (index) => (at >= 0 && chosen[index] ? chosen[index].number : null);
    dialog.dataset.number = number;
    if (!dialog.open) dialog.showModal();
    const steps = { earlier: neighbour(at - 1), later: neighbour(at + 1), open };
    opened = fillDetail(dialog, rows[number], pictureOf(thumbnails[number]), { ...thresholds }, steps, decideOn(videos[number]));
    dialog.steps = steps;
    dialog.scrollTop = 0;
    note(true);
  }

  /** `isTyping`: more is to come, so that only the storage hears of it yet. */
  function decideOn(video) {
    return (decision, words, range = {}, isTyping = false) => {
      decisions.decide(video, decision, words, range);
      review.touched();
      if (isTyping) return;
      const number = videos.indexOf(video);
      rows[number] = judgeOne(video, number);
      review.show();
      showCommand();
      showCounts();
      opened?.update(rows[number]);
      // Of thousands of videos charts and table take a while, and the opened video hides them.
      clearTimeout(drawing);
      drawing = setTimeout(drawBehind, DRAW_DELAY_MS);
    };
  }

  function drawBehind() {
    clearTimeout(drawing);
    drawing = 0;
    showCharts(showCounts());
    showTable();
  }

  function setUp() {
    $("folder").textContent = run.output_dir;
    document.title = `Lip-sync report: ${run.output_dir}`;
    $("means").textContent = `${run.total.toLocaleString("en")} videos, model ${run.model}, detector ${run.detector}`;
    const notices = [...run.notices];
    const unfinished = run.total - videos.length;
    if (!run.complete && !run.interrupted)
      notices.unshift(`The run was under way when this page was written: ${videos.length} of ${run.total} videos were finished. Reload the page for more; if none come, the run was ended, and a new one goes on.`);
    else if (run.interrupted) notices.unshift(`The run did not finish: ${unfinished} of ${run.total} videos are not processed.`);
    else if (unfinished > 0) notices.unshift(`${unfinished} of ${run.total} videos are left for a later run.`);
    $("notices").append(...notices.map((words) => make("li", {}, words)));
    $("left-out").textContent = run.pictures_left_out
      ? `${run.pictures_left_out.toLocaleString("en")} videos with faces are shown without a picture. This page holds pictures of the videos nearest to the thresholds only, and scores from an earlier version have none.`
      : "";
    const highest = videos.reduce((most, video) => Math.max(most, video.confidence ?? 0), 10);
    $("confidence-slider").max = Math.ceil(highest + 0.5);
    // Only the published network has the scale of the papers.
    $("distance").hidden = run.model === "lite";
    const presets = { "as run": run.thresholds, ...run.presets };
    for (const [name, preset] of Object.entries(presets)) {
      const button = make("button", { type: "button", preset }, name);
      button.onclick = () => {
        $("same-sides").checked = preset.lowest === -preset.highest;
        change(preset);
      };
      $("presets").append(button);
    }
    for (const { key, title, up, down } of ORDERS) {
      for (const [way, words] of Object.entries({ up, down })) {
        if (words) $("sort").append(make("option", { value: `${key} ${way}` }, `${title}${words}`));
      }
    }
  }

  /** Shows what the address says; what it says wrongly counts as not said. */
  function followAddress() {
    const state = fromAddress(location.hash, usual);
    for (const name of Object.keys(usualView)) view[name] = state[name];
    if (!ORDERS.some(({ key }) => key === view.sort)) view.sort = usual.sort;
    if (view.way !== "down") view.way = "up";
    if (!(view.outcome in count([]))) view.outcome = "";
    if (![...$("reason").options].some(({ value }) => value === view.reason)) view.reason = "";
    view.page = Math.trunc(view.page);
    const limits = [state.lowest, state.highest];
    const sound = limits.every((limit) => Number.isInteger(limit) && Math.abs(limit) <= SEARCH_EDGE) && state.lowest <= state.highest;
    const { lowest, highest } = sound ? state : usual;
    Object.assign(thresholds, { lowest, highest, min_confidence: state.min_confidence >= 0 ? state.min_confidence : usual.min_confidence });
    thresholds.max_distance = run.model !== "lite" && state.max_distance > 0 ? state.max_distance : usual.max_distance;
    $("same-sides").checked = lowest === -highest;
    showAll();
    const number = state.open ? videos.findIndex((video) => pathOf(video) === state.open) : -1;
    if (number >= 0) open(number);
    else if ($("detail").open) $("detail").close();
  }

  function changeLimit(side, value) {
    if (!Number.isInteger(value) || Math.abs(value) > SEARCH_EDGE) return;
    const other = side === "lowest" ? "highest" : "lowest";
    const limits = { [side]: value };
    if ($("same-sides").checked) limits[other] = -value;
    const { lowest, highest } = { ...thresholds, ...limits };
    // A limit that would cross the other one takes it along.
    if (lowest > highest) limits[other] = $("same-sides").checked ? 0 : value;
    if (lowest > highest && $("same-sides").checked) limits[side] = 0;
    change(limits);
  }

  function listen() {
    for (const kind of ["slider", "number"]) {
      $(`confidence-${kind}`).oninput = ({ target }) => {
        if (target.value !== "" && target.valueAsNumber >= 0) change({ min_confidence: target.valueAsNumber });
      };
      for (const side of ["lowest", "highest"]) {
        $(`${side}-${kind}`).oninput = ({ target }) => changeLimit(side, target.valueAsNumber);
      }
    }
    $("distance-number").oninput = ({ target }) => {
      if (target.value === "") change({ max_distance: null });
      else if (target.valueAsNumber > 0) change({ max_distance: target.valueAsNumber });
    };
    for (const name of ["confidence", "lowest", "highest", "distance"]) $(`${name}-number`).onblur = showThresholds;
    $("same-sides").onchange = ({ target }) => target.checked && changeLimit("highest", Math.max(0, thresholds.highest));
    for (const tile of document.querySelectorAll(".tile")) {
      tile.onclick = () => look({ outcome: view.outcome === tile.dataset.outcome ? "" : tile.dataset.outcome });
    }
    $("search").oninput = ({ target }) => look({ search: target.value });
    $("reason").onchange = ({ target }) => look({ reason: target.value });
    $("sort").onchange = ({ target }) => {
      const [sort, way] = target.value.split(" ");
      look({ sort, way });
    };
    hearRanges(look);
    $("earlier").onclick = () => look({ page: view.page - 1 });
    $("later").onclick = () => look({ page: view.page + 1 });
    $("copy").onclick = copyCommand;
    document.addEventListener("keydown", hearKey);
    $("detail").addEventListener("close", () => {
      const number = $("detail").dataset.number;
      stopPlayers($("detail"));
      dropCharts($("detail"));
      if (drawing) drawBehind();
      (isForSearch ? $("search") : document.querySelector(`tr[data-number="${number}"] .name-button`))?.focus();
      isForSearch = false;
      note(true);
    });
    // A press beside the dialog closes it.
    $("detail").addEventListener("click", (event) => event.target === $("detail") && $("detail").close());
    window.addEventListener("hashchange", followAddress);
  }

  async function copyCommand() {
    try {
      await navigator.clipboard.writeText($("command").textContent);
      $("copy").textContent = "Copied";
    } catch {
      // Not every browser lets a page from disk do that: the command is selected instead.
      getSelection().selectAllChildren($("command"));
      $("copy").textContent = "Selected";
    }
    setTimeout(() => ($("copy").textContent = "Copy"), 2000);
  }

  function hearKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isText = event.target.closest("input[type=text], input[type=search]");
    if (event.key === "/" && !isText) {
      event.preventDefault();
      isForSearch = $("detail").open;
      if (isForSearch) $("detail").close();
      else $("search").focus();
      return;
    }
    if ($("detail").open) hearKeyOfDetail(event, isText);
    else hearKeyOfTable(event);
  }

  function hearKeyOfDetail(event, isText) {
    const dialog = $("detail");
    if (isText) {
      // Escape would close the video, and Enter does nothing: both end the note.
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault();
        event.target.blur();
      }
      return;
    }
    const video = videos[dialog.dataset.number];
    const said = { a: "accept", r: "reject", u: "none" }[event.key.toLowerCase()];
    const to = event.target.closest("video") ? undefined : { ArrowLeft: dialog.steps.earlier, ArrowRight: dialog.steps.later }[event.key];
    const player = opened?.player.element;
    if (said && video.status === "success") decideOn(video)(said, video.said?.note ?? "");
    else if (event.key.toLowerCase() === "n" && dialog.querySelector(".note")) dialog.querySelector(".note").focus();
    else if (event.key.toLowerCase() === "k" && player && !player.hidden) player.paused ? player.play().catch(() => {}) : player.pause();
    else if (to !== undefined && to !== null) open(to);
    else return;
    event.preventDefault();
  }

  function hearKeyOfTable(event) {
    const line = event.target.closest("tbody tr");
    const next = { ArrowDown: line?.nextElementSibling, ArrowUp: line?.previousElementSibling }[event.key];
    if (next) {
      event.preventDefault();
      next.querySelector(".name-button").focus();
    }
    if (event.key === "ArrowDown" && event.target === $("search")) {
      event.preventDefault();
      document.querySelector("tbody .name-button")?.focus();
    }
  }

  setUp();
  listen();
  followAddress();
})();
