"""``python -m weights``: the model files, where each is, and how to get it.

python -m weights                   list them
python -m weights fetch [NAME...]   get them beforehand (for machines without a network, for containers)
python -m weights check             score the published example with the published network
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from syncnet.errors import ModelFileError, UsageError
from syncnet.text import printable
from weights import WeightsPolicy, cache_folder, examine_weights, find_weights, load_manifest, search_folders


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: all is well; 1: a file is wrong, cannot be had, or the check failed; 2: wrong usage."""
    options = _parser().parse_args(arguments)
    policy = WeightsPolicy(weights_dir=options.weights_dir, offline=getattr(options, "offline", False))
    try:
        if options.command == "fetch":
            return _fetch(options.names, options.weights_dir, policy)
        if options.command == "check":
            from syncnet.published_check import check_published_example

            return check_published_example(policy)
        return _list(policy)
    except UsageError as error:
        print(f"python -m weights: error: {printable(str(error))}", file=sys.stderr)
        return 1 if isinstance(error, ModelFileError) else 2


def _list(policy: WeightsPolicy) -> int:
    """One line a file."""
    wrong = 0
    for name, entry in load_manifest().items():
        try:
            found = find_weights(name, policy)
        except ModelFileError as error:
            wrong += 1
            print(f"WRONG     {name}\n          {printable(str(error))}")
            continue
        size = f"{entry['bytes'] / 1e6:.1f} MB"
        print(f"verified  {found.path}" if found else f"missing   {name} ({size}): python -m weights fetch {name}")
    folders = dict.fromkeys(str(folder) for folder in search_folders(policy))
    print(f"Looked in {', '.join(printable(folder) for folder in folders)}")
    return 1 if wrong else 0


def _fetch(names: Sequence[str], folder: Path | None, policy: WeightsPolicy) -> int:
    manifest = load_manifest()
    for name in names:
        if name not in manifest:
            raise UsageError(f"{name} is no model file of this tool", cure=f"choose from {', '.join(manifest)}")
    code = 0
    for name in names or [name for name, entry in manifest.items() if entry["urls"]]:
        try:
            found = find_weights(name, policy)
            if found:
                print(f"verified  {printable(str(found.path))}")
                continue
            from weights.fetch import fetch_weights

            path = fetch_weights(name, manifest[name], folder or cache_folder())
            examine_weights(path)
            print(f"fetched   {printable(str(path))}", flush=True)
        except ModelFileError as error:
            # The others may be had all the same.
            print(f"python -m weights: error: {printable(str(error))}", file=sys.stderr)
            code = 1
    return code


def _parser() -> argparse.ArgumentParser:
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument("--weights_dir", type=Path, metavar="DIR", help="looked in first, and fetched into")
    parser = argparse.ArgumentParser(
        prog="python -m weights",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[folder],
    )
    commands = parser.add_subparsers(dest="command", metavar="{list,fetch,check}")
    commands.add_parser("list", parents=[folder], help="the same as no command")
    fetch = commands.add_parser(
        "fetch", parents=[folder], help="get model files (default: all that do not ship with the tool)"
    )
    fetch.add_argument("names", nargs="*", metavar="NAME")
    check = commands.add_parser(
        "check", parents=[folder], help="offset, distance and confidence of the published example"
    )
    check.add_argument("--offline", action="store_true", help="use only files that are here")
    return parser


if __name__ == "__main__":
    sys.exit(main())
