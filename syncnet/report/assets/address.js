// What is looked at, in the address: after a reload, and for whoever gets the address, the page shows the same.

/** Short name in the address -> name in the view, and whether it is a number. */
const ADDRESS_PARTS = {
  q: ["search"],
  show: ["outcome"],
  reason: ["reason"],
  by: ["sort"],
  way: ["way"],
  page: ["page", true],
  "confidence-from": ["confidenceFrom", true],
  "confidence-to": ["confidenceTo", true],
  "offset-from": ["offsetFrom", true],
  "offset-to": ["offsetTo", true],
  "length-from": ["secondsFrom", true],
  "length-to": ["secondsTo", true],
  confidence: ["min_confidence", true],
  lowest: ["lowest", true],
  highest: ["highest", true],
  distance: ["max_distance", true],
  open: ["open"],
};
/** Browsers refuse hundreds of changes within seconds, as a slider makes them. */
const ADDRESS_DELAY_MS = 250;

/** The part behind #, of all that differs from the usual. */
function toAddress(state, usual) {
  const parts = new URLSearchParams();
  for (const [short, [name]] of Object.entries(ADDRESS_PARTS)) {
    if (state[name] !== usual[name] && state[name] !== null) parts.set(short, state[name]);
  }
  return parts.toString();
}

/** What the address says, with the usual for the rest; a number that is none counts as not said. */
function fromAddress(hash, usual) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const state = { ...usual };
  for (const [short, [name, isNumber]] of Object.entries(ADDRESS_PARTS)) {
    const text = parts.get(short);
    if (text === null || (isNumber && (text.trim() === "" || !Number.isFinite(Number(text))))) continue;
    state[name] = isNumber ? Number(text) : text;
  }
  return state;
}

let addressTimer = 0;

/** Writes the address, soon or now; `state` is asked for then. */
function noteAddress(state, usual, isNow) {
  clearTimeout(addressTimer);
  const write = () => {
    const parts = toAddress(state(), usual);
    // Without an entry in the history for each step.
    history.replaceState(null, "", parts ? `#${parts}` : location.href.split("#")[0]);
  };
  if (isNow) write();
  else addressTimer = setTimeout(write, ADDRESS_DELAY_MS);
}
