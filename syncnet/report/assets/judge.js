"use strict";
// The rules of syncnet/verdict.py, and the words for them.

/** Of the speech beside the face, as in syncnet/verdict.py. */
const MOST_UNMATCHED_SHARE = 0.25;

/** What the video misses, of "confidence", "offset", "evidence", "pieces" and "fit"; empty where it passes. */
function judge(video, thresholds) {
  const reasons = [];
  const within = (offset) => thresholds.lowest <= offset && offset <= thresholds.highest;
  // Null stands for no number, which never passes; JavaScript would take it for 0.
  if (video.confidence === null || !(video.confidence >= thresholds.min_confidence)) reasons.push("confidence");
  if (!within(video.offset)) reasons.push("offset");
  if (video.evidence === "none") reasons.push("evidence");
  if (!video.pieces.every(([, , offset]) => within(offset))) reasons.push("pieces");
  if (video.unmatched > MOST_UNMATCHED_SHARE) reasons.push("fit");
  return reasons;
}

/** "pass", "fail", "no_faces" or "failed". */
function outcomeOf(video, reasons) {
  if (video.status !== "success") return video.status;
  return reasons.length ? "fail" : "pass";
}

const MILLISECONDS_PER_FRAME = 40;
const SEARCH_EDGE = 15;

function signed(number) {
  return number > 0 ? `+${number}` : `${number}`.replace("-", "\u2212");
}

function offsetWords(offset) {
  if (offset === 0) return "in sync";
  return `sound ${Math.abs(offset) * MILLISECONDS_PER_FRAME} ms ${offset > 0 ? "early" : "late"}`;
}

function reasonWords(code, video, thresholds) {
  switch (code) {
    case "confidence":
      return video.confidence === null
        ? "confidence is not a number"
        : `confidence ${belowWords(video.confidence, thresholds.min_confidence)} is below ${thresholds.min_confidence}`;
    case "offset":
      return Math.abs(video.offset) >= SEARCH_EDGE
        ? `offset ${signed(video.offset)} is at the edge of the search range: no matching shift was found`
        : `offset ${signed(video.offset)} is not within ${signed(thresholds.lowest)} and ${signed(thresholds.highest)}`;
    case "evidence":
      return `no evidence of sync (${video.problem})`;
    case "fit":
      return fitWords(video);
    default:
      return `the offset changes: ${video.pieces
        .map(([from, to, offset]) => `${signed(offset)} from ${from.toFixed(1)} to ${to.toFixed(1)} s`)
        .join(", ")}`;
  }
}

function fitWords(video) {
  const times = video.fits.map(([from, to]) => `${from.toFixed(1)} \u2013 ${to.toFixed(1)} s`).join(", ");
  const share = Math.round(100 * video.unmatched);
  return `fits ${times ? `${times} only` : "nowhere"}: no match for ${share} % of the speech`;
}

/** With enough decimals that 4.98 does not read "5.0 is below 5". */
function belowWords(value, limit) {
  for (let digits = 1; digits < 6; digits++) {
    if (Number(value.toFixed(digits)) < limit) return value.toFixed(digits);
  }
  return String(value);
}

function durationWords(seconds) {
  if (seconds === null) return "";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${rest} min` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest} h`;
}

/** An element with properties, attributes (those with a dash, and role) and children; strings become text. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The name with places at which a line may end; its text stays the same. */
function breakable(name) {
  return name.split(/(?<=[_\-/.])/).flatMap((part) => [document.createElement("wbr"), part]);
}

function pictureOf(jpeg) {
  return jpeg ? `data:image/jpeg;base64,${jpeg}` : null;
}

function readBlock(name) {
  return JSON.parse(document.getElementById(`data-${name}`).textContent);
}
