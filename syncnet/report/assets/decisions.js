// What people decided: what the folder keeps, and on top of it what this browser has in its storage.

const STORE_PREFIX = "lip-sync decisions: ";
/** Of times, as in syncnet/overtime/decided.py. */
const SLACK_SECONDS = 0.02;

function keyOf({ video, from, to, track }) {
  return JSON.stringify([video, from ?? null, to ?? null, track ?? null]);
}

/** As `video.file` has it. */
function fileOf({ file_size: size, modified_ns: modified }) {
  return `${size}-${modified}`;
}

function sameDecision(one, other) {
  return (one?.decision ?? "none") === (other?.decision ?? "none") && (one?.note ?? "") === (other?.note ?? "");
}

/** The decisions of a folder; of no folder (null) those that are kept alone. Each video that was decided on has them as `video.said`, where the rules look for them. */
function openDecisions(folder, videos, kept) {
  const pathOf = (video) => video.path ?? video.name;
  const byPath = new Map(videos.map((video) => [pathOf(video), video]));
  /** By path, then by key. */
  const base = new Map();
  const own = new Map();
  let lasting = true;
  for (const entry of kept) put(base, entry);
  for (const entry of readStore()) if (!isApplied(entry)) put(own, entry);
  for (const path of new Set([...base.keys(), ...own.keys()])) refresh(byPath.get(path));

  function put(entries, entry) {
    if (!entries.has(entry.video)) entries.set(entry.video, new Map());
    entries.get(entry.video).set(keyOf(entry), entry);
  }

  function isApplied(entry) {
    const known = base.get(entry.video)?.get(keyOf(entry));
    return sameDecision(entry, known) && (!known || fileOf(known) === fileOf(entry));
  }

  function readStore() {
    if (folder === null) return [];
    let text = null;
    try {
      text = localStorage.getItem(STORE_PREFIX + folder);
    } catch {
      lasting = false;
    }
    try {
      return (JSON.parse(text) ?? []).filter((entry) => typeof entry?.video === "string");
    } catch {
      return [];
    }
  }

  const all = (entries) => [...entries.values()].flatMap((ofVideo) => [...ofVideo.values()]);

  function save() {
    try {
      if (own.size) localStorage.setItem(STORE_PREFIX + folder, JSON.stringify(all(own)));
      else localStorage.removeItem(STORE_PREFIX + folder);
    } catch {
      lasting = false;
    }
  }

  /** Whether the entry is about the file that this page shows. */
  function isShown(entry) {
    const video = byPath.get(entry.video);
    return Boolean(video) && (entry.file_size === undefined || fileOf(entry) === video.file);
  }

  function refresh(video) {
    if (!video) return;
    const path = pathOf(video);
    const entries = [...new Map([...(base.get(path) ?? []), ...(own.get(path) ?? [])]).values()].filter(isShown);
    const whole = entries.find((entry) => entry.from === undefined);
    const ranges = entries.filter((entry) => entry.from !== undefined && entry.decision !== "none");
    video.said = { whole: whole && whole.decision !== "none" ? whole : null, note: whole?.note ?? "", ranges };
  }

  /** `range`: {from, to, track} of a segment, or nothing for the whole video. */
  function decide(video, decision, note = "", range = {}) {
    const [size, modified] = video.file.split("-");
    const entry = { video: pathOf(video), decision, note, ...range, file_size: Number(size), modified_ns: modified };
    put(own, entry);
    if (isApplied(entry)) own.get(entry.video).delete(keyOf(entry));
    if (!own.get(entry.video).size) own.delete(entry.video);
    save();
    refresh(video);
  }

  // A note without a decision is a draft, which this browser keeps for itself.
  const isNew = (entry) => (base.get(entry.video)?.get(keyOf(entry))?.decision ?? "none") !== "none" || entry.decision !== "none";

  return {
    decide,
    isLasting: () => lasting,
    /** Decisions of this browser that no run has obeyed yet. */
    unapplied: () => all(own).filter((entry) => isShown(entry) && isNew(entry)),
    /** Those about videos that are not shown, or about other versions of their files. */
    astray: () => all(own).filter((entry) => !isShown(entry)),
    forget() {
      const touched = [...own.keys()];
      own.clear();
      save();
      for (const path of touched) refresh(byPath.get(path));
    },
    /** A line of JSON for each, as `--decisions` takes them. */
    asLines() {
      const entries = new Map([...all(base), ...all(own)].map((entry) => [keyOf(entry), entry]));
      const chosen = [...entries.values()].filter((entry) => isShown(entry) && isNew(entry));
      return chosen.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    },
  };
}

/** What a person said of a segment; null where nobody did. Nothing of a rejected video passes. */
function saidOfSegment(said, segment) {
  if (!said) return null;
  if (said.whole?.decision === "reject") return said.whole;
  let shortest = null;
  for (const entry of said.ranges) {
    const holds = entry.from - SLACK_SECONDS <= segment.from && segment.to <= entry.to + SLACK_SECONDS;
    if (!holds || (entry.track ?? segment.track) !== segment.track) continue;
    if (!shortest || entry.to - entry.from < shortest.to - shortest.from) shortest = entry;
  }
  return shortest;
}

function decisionWords({ decision, note }) {
  return `${decision}ed by a person${note ? `: ${note}` : ""}`;
}

/** The buttons for a decision; `decide` gets "accept", "reject" or "none", `show` what holds now. They stay the same
 * elements: one that is replaced between press and release would not hear of either. */
function decisionButtons(hasKeys, decide) {
  const button = (decision, words, key) => {
    const label = hasKeys ? [`${words} `, make("kbd", {}, key)] : [words];
    return make("button", { type: "button", className: `decide ${decision}`, onclick: () => decide(decision) }, ...label);
  };
  const buttons = [button("accept", "\u2713 Accept", "A"), button("reject", "\u2717 Reject", "R"), button("none", "\u21b6 Undo", "U")];
  const [accept, reject, undo] = buttons;
  const show = (current) => {
    accept.setAttribute("aria-pressed", String(current === "accept"));
    reject.setAttribute("aria-pressed", String(current === "reject"));
    undo.hidden = !current;
  };
  return { buttons, show };
}
