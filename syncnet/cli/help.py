"""What ``--help`` says around the flags."""

USAGE = """\
%(prog)s --input_dir DIR --output_dir DIR [options]
       %(prog)s {subcommands} [options]"""

DESCRIPTION = """\
Scores how well the lips fit the sound in every video of a folder, and copies each video to
OUTPUT_DIR/good_quality or OUTPUT_DIR/poor_quality. OUTPUT_DIR/sync_filter_results.json says why.
"""

EPILOG = """\
presets (an explicit --min_confidence or --max_abs_offset wins):
{presets}

examples:
  {call} --input_dir videos --output_dir sorted
  {call} --input_dir videos --output_dir sorted --preset high --max_workers 4
  {call} --input_dir videos --output_dir look --keep_all --recursive
  {call} --input_dir videos --output_dir sorted --min_confidence 4.5 --max_abs_offset 2

subcommands (each has a --help of its own):
  report    write the report page again, or a contact sheet
  rescore   judge by other thresholds without touching a file
  merge     make one folder of the parts that --shard worked in
  weights   which model files are here; weights fetch gets those that are missing

An offset is in frames of 1/25 s (40 ms); positive means that the sound comes early.
Flags may be written with dashes (--input-dir) and shortened where that is unambiguous.

exit code: 0 every video was processed, 1 some video failed, 2 wrong usage or set-up,
75 another run is at work in the output folder, 130 or 143 interrupted.
What to do when a result is odd: docs/troubleshooting.md.
"""
