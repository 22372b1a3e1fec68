"""What ``--help`` says around the flags."""

USAGE = """\
%(prog)s --input_dir DIR --output_dir DIR [options]
       %(prog)s FILE [--json] [options]
       %(prog)s {subcommands} [options]"""

DESCRIPTION = """\
Scores how well lips and sound match in each video of a folder. Copies each scored video to
OUTPUT_DIR/good_quality or OUTPUT_DIR/poor_quality. OUTPUT_DIR/sync_filter_results.json has the reasons.
With FILE, one video, it answers in three lines and copies nothing.
"""

EPILOG = """\
presets (an explicit --min_confidence or --max_abs_offset overrides the preset):
{presets}
Those with a source are thresholds of the published network, and lite is another one (docs/scores.md).

examples:
  {call} talk.mp4
  {call} --input_dir videos --output_dir sorted
  {call} --input_dir videos --output_dir sorted --preset high --max_workers 4
  {call} --input_dir videos --output_dir look --keep_all --recursive
  {call} --input_dir videos --output_dir sorted --min_confidence 4.5 --max_abs_offset 2

subcommands (each has a --help of its own):
  report    write the report page again; with --montage also a contact sheet
  export    write the ranges in sync as csv, jsonl, parquet, webvtt, otio or edl
  rejudge   apply other thresholds to the stored scores; no file is moved or copied
  repair    write videos whose sound is off again, with the sound where it belongs
  evaluate  LSE-C and LSE-D of a folder by the protocol of a paper, with statistics and comparisons
  merge     join the folders of several runs with --shard into one
  weights   list the model files; weights fetch downloads the missing ones

An offset is in frames of 1/25 s (40 ms); positive means that the sound is early.
Flags may be written with dashes (--input-dir), and shortened if the short form is unambiguous.

exit code: 0 every video was processed, 1 at least one video failed, 2 wrong usage or setup,
75 another run is using the output folder, 130 or 143 interrupted.
If a result looks wrong: docs/troubleshooting.md.
"""
