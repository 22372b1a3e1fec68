// The card of decisions: how many there are, the file of them, and how the command takes it.

/** `changed`: called when decisions were forgotten. */
function reviewCard(decisions, videos, changed) {
  const $ = (id) => document.getElementById(id);
  let savedAs = "";

  function show() {
    const counts = { accept: 0, reject: 0 };
    for (const { status, said } of videos) if (status === "success" && said?.whole) counts[said.whole.decision]++;
    const segments = videos.reduce((sum, { said }) => sum + (said?.ranges.length ?? 0), 0);
    const [fresh, astray] = [decisions.unapplied().length, decisions.astray().length];
    $("decisions").hidden = !(counts.accept + counts.reject + segments + fresh + astray);
    const ranges = segments ? `, and ${segments === 1 ? "1 range" : `${segments} ranges`} within videos` : "";
    $("decided").textContent = `${counts.accept} accepted, ${counts.reject} rejected${ranges}.`;
    const kept = decisions.isLasting() ? "This browser keeps them." : "This browser does not keep them: save them before you close the page.";
    const next = savedAs ? "The command above takes the saved file." : "Save them as a file, which the command takes.";
    $("unapplied").textContent = fresh ? `${fresh === 1 ? "1 change is" : `${fresh} changes are`} not applied yet. ${kept} ${next}` : "A run has obeyed all of them.";
    $("astray").textContent = astray
      ? `${astray === 1 ? "1 decision" : `${astray} decisions`} in this browser ${astray === 1 ? "is" : "are"} about other versions of files, or about videos that are not here, and ${astray === 1 ? "does" : "do"} not count.`
      : "";
    $("forget").hidden = !(fresh + astray);
    $("save").disabled = !decisions.asLines();
  }

  function save() {
    // With the time in its name: browsers rename a second file of one name, and the older one would be taken.
    const stamp = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
    savedAs = `decisions-${stamp}.jsonl`;
    const address = URL.createObjectURL(new Blob([decisions.asLines()], { type: "application/jsonl" }));
    const link = make("a", { href: address, download: savedAs });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    changed();
  }

  $("save").onclick = save;
  $("forget").onclick = () => {
    decisions.forget();
    changed();
  };
  return {
    show,
    /** Something was decided: the saved file no longer says all. */
    touched: () => (savedAs = ""),
    /** For the command; empty where nothing was saved. */
    flag: () => (savedAs && decisions.unapplied().length ? ` --decisions ~/Downloads/${savedAs}` : ""),
  };
}
