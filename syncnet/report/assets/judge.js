"use strict";
// The rules of syncnet/verdict.py, and the words for them.

/** Of the speech beside the face, as in syncnet/verdict.py. */
const MOST_UNMATCHED_SHARE = 0.25;

/** What the video misses, of "confidence", "distance", "offset", "evidence", "pieces", "fit" and what its whole time line misses,
 * "changes", "coverage", "in_sync", "off_screen"; empty where it passes. */
function judge(video, thresholds) {
  const reasons = [];
  const within = (offset) => thresholds.lowest <= offset && offset <= thresholds.highest;
  // Null stands for no number, which never passes; JavaScript would take it for 0.
  if (video.confidence === null || !(video.confidence >= thresholds.min_confidence)) reasons.push("confidence");
  const { max_distance: distance } = thresholds;
  if (distance !== null && (video.distance === null || !(video.distance <= distance))) reasons.push("distance");
  // An offset that nothing supports is no offset.
  if (video.evidence === "none") reasons.push("evidence");
  else if (!within(video.offset)) reasons.push("offset");
  const changes = changesOf(video, thresholds);
  // The face's own changes are among those of the file.
  if (!changes.length && !video.pieces.every(([, , offset]) => within(offset))) reasons.push("pieces");
  if (video.unmatched > MOST_UNMATCHED_SHARE) reasons.push("fit");
  if (changes.length) reasons.push("changes");
  const { min_coverage: coverage, min_in_sync: seconds, max_off_screen: offScreen } = thresholds.whole;
  if (!video.time && (coverage > 0 || seconds > 0 || offScreen < 1)) reasons.push("no_time_line");
  if (video.time) {
    const sums = sumsOf(video, thresholds);
    if ((sums.coverage ?? 0) < coverage) reasons.push("coverage");
    if (sums.seconds < seconds) reasons.push("in_sync");
    if (video.time.off_screen > offScreen) reasons.push("off_screen");
  }
  return reasons;
}

/** Sentences on jumps and drifts that go beyond the limits. */
function changesOf(video, thresholds) {
  const within = (offset) => thresholds.lowest <= offset && offset <= thresholds.highest;
  return (video.time?.changes ?? []).filter(([offsets]) => !offsets.every(within)).map(([, words]) => words);
}

const SPEECH = 0;

/** A segment of the time line by name. */
function readSegment([kind, from, to, speech, track, offset, confidence, evidence]) {
  return { kind, from, to, speech, track, offset, confidence, evidence };
}

function segmentPasses(segment, thresholds, said) {
  const decided = segment.kind === SPEECH ? saidOfSegment(said, segment) : null;
  if (decided) return decided.decision === "accept";
  const { kind, offset, confidence, evidence } = segment;
  const within = thresholds.lowest <= offset && offset <= thresholds.highest;
  return kind === SPEECH && evidence !== "none" && within && confidence >= thresholds.min_confidence;
}

/** Seconds of the file that lie in passing segments, and their share of the speech with a face in view. */
function sumsOf(video, thresholds) {
  let [seconds, reached, spoken] = [0, 0, 0];
  for (const row of video.time.segments) {
    const segment = readSegment(row);
    if (!segmentPasses(segment, thresholds, video.said)) continue;
    seconds += Math.max(0, segment.to - Math.max(segment.from, reached));
    reached = Math.max(reached, segment.to);
    spoken += segment.speech;
  }
  const rounded = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits;
  const coverage = video.time.seen ? rounded(Math.min(1, spoken / video.time.seen), 9) : null;
  return { seconds: rounded(seconds, 4), coverage };
}

/** As Python writes it: what lies exactly half-way goes to the even digit, where toFixed takes the larger. */
function fixed(value, digits) {
  const halves = value * 2 ** (digits + 1);
  if (!Number.isInteger(halves) || halves % 2 === 0) return value.toFixed(digits);
  const lower = Math.floor(value * 10 ** digits);
  return ((lower % 2 ? lower + 1 : lower) / 10 ** digits).toFixed(digits);
}

/** "11 of 73 s"; empty where nothing is known or passes. */
function shareWords(video, thresholds) {
  const seconds = video.time ? sumsOf(video, thresholds).seconds : 0;
  if (!seconds) return "";
  const digits = video.seconds < 10 ? 1 : 0;
  return `${fixed(seconds, digits)} of ${fixed(video.seconds, digits)} s`;
}

/** "pass", "fail", "no_faces" or "failed". A person's word wins over the reasons of the thresholds. */
function outcomeOf(video, reasons) {
  if (video.status !== "success") return video.status;
  const whole = video.said?.whole;
  if (whole) return whole.decision === "accept" ? "pass" : "fail";
  return reasons.length ? "fail" : "pass";
}

const MILLISECONDS_PER_FRAME = 40;
const SEARCH_EDGE = 15;

function signed(number, zero = "0") {
  if (number === 0) return zero;
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
        ? `confidence is not a number, ${decimal(thresholds.min_confidence)} is needed`
        : `confidence ${confidenceWords(video.confidence, thresholds.min_confidence)} is below ${decimal(thresholds.min_confidence)}`;
    case "distance": {
      const limit = thresholds.max_distance;
      return video.distance === null
        ? `distance is not a number, at most ${decimal(limit)} is allowed`
        : `distance ${toldWords(video.distance, (value) => value <= limit)} is above ${decimal(limit)}`;
    }
    case "offset":
      return largeOffsetWords(video.offset, thresholds);
    case "evidence":
      return `no evidence of sync (${video.problem})`;
    case "fit":
      return fitWords(video);
    case "changes":
      return changesOf(video, thresholds).join("; ");
    case "no_time_line":
      return "no time line is stored, its score is of an earlier version: run the filter on its folder again";
    case "coverage": {
      const [share, needed] = [sumsOf(video, thresholds).coverage ?? 0, thresholds.whole.min_coverage].map(percent);
      return `in sync for ${share} of the speech with a face in view, ${needed} is needed`;
    }
    case "in_sync":
      return `in sync for ${fixed(sumsOf(video, thresholds).seconds, 1)} s only, ${thresholds.whole.min_in_sync} s are needed`;
    case "off_screen":
      return `no face is seen for ${percent(video.time.off_screen)} of the speech, ${percent(thresholds.whole.max_off_screen)} is allowed`;
    default:
      return `the offset changes: ${video.pieces
        .map(([from, to, offset]) => `${signed(offset, "+0")} from ${fixed(from, 1)} s to ${fixed(to, 1)} s`)
        .join(", ")}`;
  }
}

/** With a point, as limits are written elsewhere: "5.0". */
function decimal(number) {
  return Number.isInteger(number) ? number.toFixed(1) : String(number);
}

function percent(share) {
  return `${fixed(100 * share, 1)}%`;
}

function largeOffsetWords(offset, { lowest, highest }) {
  const size = `${Math.abs(offset) * MILLISECONDS_PER_FRAME} ms, ${offset === 0 ? "in sync" : offset > 0 ? "sound early" : "sound late"}`;
  const limit = lowest === -highest ? `beyond ${highest}` : `not within ${signed(lowest, "+0")} and ${signed(highest, "+0")}`;
  const edge = Math.abs(offset) >= SEARCH_EDGE ? ", at the edge of the search range: no matching shift was found" : "";
  return `offset ${signed(offset, "+0")} frames (${size}) is ${limit}${edge}`;
}

function fitWords(video) {
  const times = video.fits.map(([from, to]) => `${fixed(from, 1)} \u2013 ${fixed(to, 1)} s`).join(", ");
  const share = fixed(100 * video.unmatched, 0);
  return `fits ${times ? `${times} only` : "nowhere"}: no match for ${share}% of the speech`;
}

/** To a tenth, as everywhere; with more decimals where 4.98 would read as the 5.0 that it misses. */
function confidenceWords(value, limit) {
  return value === null ? "no number" : toldWords(value, (told) => told >= limit);
}

function toldWords(value, passes) {
  for (let digits = 1; digits < 6; digits++) {
    if (passes(Number(fixed(value, digits))) === passes(value)) return fixed(value, digits);
  }
  return String(value);
}

/** Why the video has its verdict, a sentence each: a person's word, what it misses, why it has no score. */
function verdictWords({ video, outcome, reasons }, thresholds) {
  const whole = video.status === "success" ? video.said?.whole : null;
  const said = whole ? [decisionWords(whole)] : [];
  if (outcome === "fail") return [...said, ...reasons.map((code) => reasonWords(code, video, thresholds))];
  return video.error ? [...said, video.error] : said;
}

/** How far the video is from the border between passing and not: in confidence, a frame of offset counting as one.
 * Null where there is no score, and where no threshold would make it pass. As in syncnet/report/page_data.py. */
function nearness(video, thresholds) {
  const noEvidence = video.evidence === "none" || video.unmatched > MOST_UNMATCHED_SHARE;
  if (video.status !== "success" || video.confidence === null || noEvidence) return null;
  const toConfidence = video.confidence - thresholds.min_confidence;
  const offsets = [video.offset, ...video.pieces.map(([, , offset]) => offset)];
  const toLimit = Math.min(...offsets.map((offset) => Math.min(offset - thresholds.lowest, thresholds.highest - offset)));
  if (toConfidence >= 0 && toLimit >= 0) return Math.min(toConfidence, toLimit + 1);
  return Math.hypot(Math.min(toConfidence, 0), Math.min(toLimit, 0));
}

function durationWords(seconds) {
  if (seconds === null) return "";
  if (seconds < 59.95) return `${fixed(seconds, 1)} s`;
  const whole = Number(fixed(seconds, 0));
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
