"""``python -m weights``, also the subcommand ``weights``: the model files, where each is, and how to get it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from syncnet.errors import ModelFileError, SyncFilterError, UsageError
from syncnet.system.argument_parser import Parser
from syncnet.system.interruption import EXIT_INTERRUPTED
from syncnet.system.invocation import WEIGHTS_CALL, install_requirements
from syncnet.system.streams import prepare_streams
from syncnet.system.text import printable
from weights import WeightsPolicy, cache_folder, examine_weights, find_weights, search_folders
from weights.manifest import ManifestEntry, load_manifest

DESCRIPTION = f"""\
Lists, downloads and checks the model files.

{WEIGHTS_CALL}                   list them
{WEIGHTS_CALL} fetch [NAME...]   download them in advance (for machines without a network, for containers)
{WEIGHTS_CALL} check             score the published example with the published network
"""
EXIT_WRONG_FILE = 1
EXIT_WRONG_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: all is well; 1: a file is wrong, cannot be had, or the check failed; 2: wrong usage."""
    try:
        options = build_parser().parse_flags(sys.argv[1:] if arguments is None else arguments)
        policy = WeightsPolicy(weights_dir=options.weights_dir, offline=options.offline)
        if options.command == "fetch":
            return _fetch(options.names, policy)
        if options.command == "check":
            from syncnet.subcommands.published_check import check_published_example

            return check_published_example(policy)
        return _list(policy)
    except SyncFilterError as error:
        _complain(error)
        return EXIT_WRONG_USAGE if type(error) is UsageError else EXIT_WRONG_FILE
    except ImportError as error:
        _complain(f"{error}: {install_requirements()}")
        return EXIT_WRONG_USAGE
    except KeyboardInterrupt:
        # What arrived of a file is kept, and gone on with next time.
        return EXIT_INTERRUPTED


def _list(policy: WeightsPolicy) -> int:
    """One line a file, two for a wrong one."""
    code = 0
    for name, entry in load_manifest().items():
        try:
            found = find_weights(name, policy)
        except ModelFileError as error:
            code = EXIT_WRONG_FILE
            print(f"WRONG     {name}\n          {printable(str(error))}")
            continue
        if found:
            print(f"verified  {printable(str(found.path))}")
        else:
            print(f"missing   {name} ({entry['bytes'] / 1e6:.1f} MB): {WEIGHTS_CALL} fetch {name}")
    folders = dict.fromkeys(printable(str(folder)) for _, folder in search_folders(policy))
    print(f"Looked in {', '.join(folders)}")
    return code


def _fetch(names: Sequence[str], policy: WeightsPolicy) -> int:
    manifest = load_manifest()
    for name in names:
        if name not in manifest:
            raise UsageError(f"{name} is not a model file of this tool", cure=f"choose from {', '.join(manifest)}")
    if policy.offline:
        raise UsageError("--offline forbids downloads", cure="leave it out, or list the files without a command")
    code = 0
    for name in names or [name for name, entry in manifest.items() if entry["urls"]]:
        try:
            print(_fetch_one(name, manifest[name], policy), flush=True)
        except ModelFileError as error:
            # The others may be had all the same.
            _complain(error)
            code = EXIT_WRONG_FILE
    return code


def _fetch_one(name: str, entry: ManifestEntry, policy: WeightsPolicy) -> str:
    """What there is to say of a file that is here now, in the folder that was named where one was."""
    from weights.fetch import fetch_weights

    folder = policy.weights_dir
    if folder and entry["urls"]:
        # A folder that goes to another machine must have the file itself.
        path = folder / name
        found = examine_weights(path, "found by --weights_dir") if path.is_file() else None
    else:
        found = find_weights(name, policy)
    if found:
        return f"verified  {printable(str(found.path))}"
    return f"fetched   {printable(str(fetch_weights(name, entry, folder or cache_folder())))}"


def _complain(problem: object) -> None:
    print(f"{WEIGHTS_CALL}: error: {printable(str(problem))}", file=sys.stderr)


def build_parser() -> Parser:
    parser = Parser(
        prog=WEIGHTS_CALL,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_shared_flags()],
    )
    parser.set_defaults(weights_dir=None, offline=False)
    commands = parser.add_subparsers(dest="command", metavar="{list,fetch,check}")
    commands.add_parser("list", parents=[_shared_flags()], help="list the model files (the default)")
    fetch = commands.add_parser(
        "fetch", parents=[_shared_flags()], help="download model files (default: all that are not part of the tool)"
    )
    fetch.add_argument("names", nargs="*", metavar="NAME")
    commands.add_parser(
        "check",
        parents=[_shared_flags()],
        help="score the published example and compare its offset, distance and confidence",
    )
    return parser


def _shared_flags() -> Parser:
    """May stand before and after the command: what is missing there must not undo what was given here."""
    flags = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    flags.add_argument(
        "--weights_dir", type=Path, metavar="DIR", help="folder that is searched first, and that downloads go to"
    )
    flags.add_argument("--offline", action="store_true", help="never use the network")
    return flags


if __name__ == "__main__":
    prepare_streams()
    sys.exit(main())
