"""One helper of each kind: what writes files, moves, hashes and draws them, and shows progress, stands once.

A second one is found by what it must call. Where a call is right outside of the helper, the reason stands
here.
"""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mmcgan"
WRITING = ("wb", "w", "ab", "a", "xb", "x", "r+", "r+b", "rb+", "w+", "w+b", "wb+", "a+", "a+b", "x+b")


def called(node):
    """Return what a call names, such as ``os.replace`` or ``.write_text``."""
    function = node.func
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute):
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        return f"{owner}.{function.attr}"
    return ""


def opened_for_writing(node):
    """Return whether a call has the mode of a file to be written; its path stands before, or is the owner."""
    given = [*node.args[:2], *(word.value for word in node.keywords if word.arg == "mode")]
    return any(isinstance(value, ast.Constant) and value.value in WRITING for value in given)


def ends(*names):
    return lambda node: called(node).rpartition(".")[2] in names


def named(*names):
    return lambda node: called(node) in names


def written_raw(node):
    """Return whether a call writes a file: opened for it, or by a function that takes a path."""
    name = called(node).rpartition(".")[2]
    if name in ("open", "ZipFile"):
        return opened_for_writing(node)
    return name in ("write_text", "write_bytes", "NamedTemporaryFile", "mkstemp", "tofile")


#: kind of helper -> how its calls are told, and file -> why the call is right there
KINDS = {
    "moves a file into place": (
        named("os.replace", "os.rename", "os.renames", "shutil.move", "os.link"),
        {
            "checkpoints/atomic.py": "the helper: write_file, atomic_write, put_in_place",
            "checkpoints/seal.py": "a key that the first process makes and no other replaces",
        },
    ),
    "writes a file": (
        written_raw,
        {
            "checkpoints/atomic.py": "the helper",
            "instances/arrays.py": "rows of an array that is there already and takes no second copy",
            "zoo/download.py": "what has come of a download, taken up again; and a lock",
            "locks.py": "the file of a lock, which the system must hold open",
            "claims/step.py": "the log of a process, as it comes",
            "evaluation/meter.py": "a file of the system that forgets the peak of memory",
            "proposal/propose.py": "a config in a temporary folder, to be tried",
            "demo/tabs/sample.py": "an archive in a folder of its own, shown when it is whole",
        },
    ),
    "copies a file": (named("shutil.copyfile", "shutil.copy", "shutil.copy2"), {}),
    "encodes a picture": (
        lambda node: (
            ends("imencode", "imwrite", "imsave")(node)
            or (ends("save")(node) and any(word.arg == "format" for word in node.keywords))
        ),
        {
            "pictures.py": "the helper: encode_png",
            "films.py": "the helper: encode_film",
            "comparison/film.py": "a single WebP, in whichever way it is small",
        },
    ),
    "makes levels of an image": (
        lambda node: ends("round")(node) and "127.5" in ast.unparse(node),
        {"pictures.py": "the helper: levels"},
    ),
    "shows progress": (
        ends("add_task", "tqdm", "trange", "track", "track_iter", "track_progress"),
        {"progress.py": "the helper: progress_bar, bytes_bar, training_bar"},
    ),
    "hashes": (
        lambda node: called(node).startswith("hashlib.") or called(node).startswith("xxhash."),
        {
            "checkpoints/hashing.py": "the helper: file_hash, stream_hash, text_hash, contents_hash",
            "checkpoints/checksum.py": "finds damage in gigabytes: a quick sum, no digest of files",
            "extractors/base.py": "of tensors by name, whatever file they came from",
            "datasets/base.py": "of items as they come, never held at once",
            "evaluation/metrics/pairs.py": "64 bits of each condition in memory, to find equal ones",
            "file_identity.py": "of names with digests of contents, which are those of the helper",
            "models/backbones/feature_cache.py": "short keys of rows in memory",
            "distributed.py": "ranks compare what they are about to do; stands below the helper",
            "random.py": "seeds of named sources; stands below the helper",
        },
    ),
}


def calls(tree, told):
    """Return the lines of the calls of a kind."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and told(node)]


@pytest.fixture(scope="module")
def trees():
    """Return the files of the package, parsed."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if ".mim" not in path.parts]
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@pytest.fixture(scope="module")
def every_call(trees):
    """Return the calls of every file."""
    return {
        name: [node for node in ast.walk(tree) if isinstance(node, ast.Call)] for name, tree in trees.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_one_helper_does_it(every_call, kind):
    told, reasons = KINDS[kind]
    found = {
        name: lines
        for name, nodes in every_call.items()
        if (lines := [node.lineno for node in nodes if told(node)])
    }
    assert {name: lines for name, lines in found.items() if name not in reasons} == {}
    assert set(reasons) <= set(found), "reasons for files that do no such thing any more"


def test_bars_are_imported_in_one_place(trees):
    found = [
        name
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
        and any(
            word.partition(".")[0] == "tqdm" or word.startswith("rich.progress")
            for word in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        )
    ]
    assert sorted(set(found)) == ["progress.py"]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("moves a file into place", "os.replace(a, b)"),
        ("writes a file", "open(path, 'wb')"),
        ("writes a file", "path.open('a')"),
        ("writes a file", "zipfile.ZipFile(path, 'w')"),
        ("writes a file", "path.write_text('x')"),
        ("writes a file", "open(path, mode='w')"),
        ("copies a file", "shutil.copy(a, b)"),
        ("encodes a picture", "image.save(buffer, format='PNG')"),
        ("makes levels of an image", "((x + 1) * 127.5).round()"),
        ("shows progress", "bar.add_task(1)"),
        ("hashes", "hashlib.sha256(x)"),
    ],
)
def test_a_second_one_is_found(kind, line):
    assert calls(ast.parse(line), KINDS[kind][0])
    assert not calls(ast.parse("open(path)\nfile.read()\npath.open('rb')"), KINDS[kind][0])


#: what a function that loads or names a thing is called; each stands once
ONCE = (
    "extractor_config",
    "load_discriminator",
    "read_discriminator",
    "load_model",
    "given_model",
    "draw_latents",
    "draw_conditions",
    "truncate_latent",
    "write_file",
    "atomic_write",
    "file_hash",
    "progress_bar",
    "write_png",
    "plain",
    "version_of",
)


def test_helpers_are_defined_once(trees):
    found = {name: [] for name in ONCE}
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name in found:
                found[node.name].append(path)
    assert {name: paths for name, paths in found.items() if len(paths) != 1} == {}


#: file -> what ends a loop that waits again and again
BOUNDED = {
    "waiting.py": "stall seconds without a sign of the other process, and who is waited for is named",
    "engine/signals.py": "the process: it watches whether the launcher lives, and nothing waits for it",
    "evaluation/overlap.py": "whoever reads the queue, by leaving; it says so before the thread is joined",
}


def test_loops_that_wait_have_an_end(trees):
    found = set()
    for name, tree in trees.items():
        loops = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
        if any(calls(loop, ends("sleep", "wait", "wait_for", "poll", "put", "acquire")) for loop in loops):
            found.add(name)
    assert found == set(BOUNDED)


@pytest.mark.parametrize(
    "path", sorted((PACKAGE.parent / "tests/parity/checkers").glob("*.py")), ids=lambda p: p.stem
)
def test_checkers_have_no_names_of_their_own(path):
    """A peer's names are turned into ours by the table of its file alone, in checks too."""
    rewrites = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    rewrites = [node for node in rewrites if named("re.sub")(node) and r"\\1" in ast.unparse(node)]
    assert [node.lineno for node in rewrites] == []
