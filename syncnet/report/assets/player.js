// The file itself, in the browser's own player, which jumps to what is pressed on a time line.

const PLAYED_SOUNDS = /^(aac|mp3|opus|vorbis|flac|alac|pcm_.*|)$/;

/** The panel with the player, and what tells it where to go; `format`: container, codec of the picture, of the sound. */
function playerOf(video, format) {
  if (!video.href) return { panel: make("p", { className: "muted" }, "The file is no longer where it was."), seek: null };
  const [container, picture, sound] = format ?? ["", "", ""];
  const element = make("video", { className: "player", controls: true, preload: "metadata", src: video.preview ?? video.href, playsInline: true });
  const note = make("p", { className: "muted player-note", hidden: true });
  const open = make("a", { className: "play", href: video.href, target: "_blank", rel: "noopener" }, "\u25b6 Open the file");
  const tell = (words) => {
    note.hidden = false;
    note.textContent = words;
  };
  let at = 0;
  const seek = (seconds) => {
    at = Math.max(0, seconds);
    // Browsers follow the time in the address; other players start at the beginning.
    open.href = `${video.href}#t=${at.toFixed(2)}`;
    if (element.readyState) element.currentTime = at;
    onTime.forEach((hear) => hear(at));
  };
  const onTime = [];
  const kind = [extensionOf(video.name), [picture, sound].filter(Boolean).join(" and ")].filter(Boolean).join(", ");
  const ofPreview = () => video.preview && element.getAttribute("src") === video.preview;
  element.addEventListener("loadedmetadata", () => {
    if (at) element.currentTime = at;
    if (ofPreview()) tell(`A small copy, made for browsers: they do not play this file (${kind || container}).`);
    else if (!element.videoWidth) tell(`This browser plays only the sound of this file (its picture is ${picture}).`);
    else if (!PLAYED_SOUNDS.test(sound)) tell(`This browser may play this file without its sound (${sound}).`);
  });
  element.addEventListener("timeupdate", () => {
    // Metadata that has just come says 0, before the player is where it was sent.
    if (element.seeking) return;
    at = element.currentTime;
    open.href = `${video.href}#t=${at.toFixed(2)}`;
    onTime.forEach((hear) => hear(at));
  });
  element.addEventListener("error", () => {
    if (ofPreview()) {
      // Its file was removed, or is damaged.
      element.src = video.href;
      return;
    }
    element.hidden = true;
    tell(`This browser cannot play this file (${kind || container}). Open it in a player of your own, or run with --previews, which makes small copies that browsers play.`);
  });
  return { panel: make("div", { className: "watch" }, element, note), seek, open, element, onTime };
}

function extensionOf(name) {
  return /\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? "";
}

/** Ends what plays within an element that is about to go: without that its sound would go on. */
function stopPlayers(within) {
  for (const element of within.querySelectorAll("video")) {
    element.pause();
    element.removeAttribute("src");
    element.load();
  }
}

/** Sends the player to where a lane of the whole length is pressed. */
function seekFromLane(lane, end, seek) {
  lane.addEventListener("click", (event) => {
    const place = lane.getBoundingClientRect();
    seek((end * (event.clientX - place.left)) / place.width);
  });
}

/** The same for a chart whose x axis is the time. */
function seekFromChart(chart, seek) {
  if (!seek) return;
  chart.over.classList.add("seekable");
  chart.over.addEventListener("click", (event) => {
    const place = chart.over.getBoundingClientRect();
    seek(chart.posToVal(event.clientX - place.left, "x"));
  });
}
