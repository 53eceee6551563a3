# SPDX-License-Identifier: Apache-2.0
"""Every folder is complete: code, README, example; and the README says what
`weir describe` says."""
import re
import subprocess

import pytest

from conftest import BUILD, ROOT

PLUGINS = sorted(str(so.relative_to(BUILD / "plugins").with_suffix(""))
                 for so in (BUILD / "plugins").glob("[!k]*/*.so"))


def tables(plugin):
    """The two tables of `weir describe`: rows of columns, by heading.  A key
    stands below its block, two columns in; a text goes on below itself."""
    out = subprocess.run([str(BUILD / "weir"), "describe", plugin], text=True,
                         capture_output=True, timeout=60, check=True).stdout
    assert max(map(len, out.splitlines()[2:])) <= 100, "as wide as a page"
    found = {"KEY": [], "METRIC": []}
    for block in out.split("\n\n")[1:]:
        lines = block.rstrip("\n").split("\n")
        heads = re.findall(r"\S+", lines[0])
        if heads[:1] and heads[0] in found:
            starts = [lines[0].index(word) for word in heads]
            found[heads[0]] = rows_of(lines, starts)
    return found


def rows_of(lines, starts):
    below = len(starts) == 3            # the texts, under their rows
    starts = [*starts, 1 << 20][:4]
    rows, path = [], []
    for line in lines[2 if below else 1:]:
        if not line[:starts[1]].strip() or below and line.startswith(" " * 6):
            rows[-1][3] = f"{rows[-1][3]} {line.strip()}".strip()
            continue
        depth = (len(line) - len(line.lstrip())) // 2 - 1
        key, *cells = [line[a:b].strip()
                       for a, b in zip(starts, [*starts[1:], None])]
        path = path[:depth] + [key + "[]" * (cells[0] == "list")]
        rows.append([".".join(path).removesuffix("[]"), *cells])
    return rows


def pages(folder):
    """A README and those beside it that it points to."""
    text = (folder / "README.md").read_text()
    for link in re.findall(r"\]\((\.\./[\w/]+\.md)\)", text):
        text += (folder / link).resolve().read_text()
    return text


def test_there_are_plugins():
    assert len(PLUGINS) >= 12


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_folder_has_code_a_readme_and_an_example(plugin):
    folder = ROOT / plugin
    assert list(folder.glob("*.c"))
    assert (folder / "README.md").read_text().startswith(f"# {folder.name}\n")
    assert folder.name in (folder / "example.yaml").read_text()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_readme_names_every_key(plugin):
    """By its path, on one, or below a parent by its own name."""
    quoted = re.findall(r"`([^`\n]+)`", pages(ROOT / plugin))
    words = {w for code in quoted for w in re.findall(r"\w+", code)}
    missing = [key for key, *_ in tables(plugin)["KEY"]
               if re.findall(r"\w+", key)[-1] not in words]
    assert not missing


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_readme_gives_the_defaults_that_describe_gives(plugin):
    rows = dict(re.findall(r"^\| `([^`]+)`[^|]*\| `?([^|`]*)`? \|",
                           (ROOT / plugin / "README.md").read_text(), re.M))
    for key, kind, default, _ in tables(plugin)["KEY"]:
        if key in rows and default and kind not in ("block", "any") \
                and not default.startswith("off"):
            assert rows[key] in (default, f'"{default}"'), key


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_readme_names_every_metric(plugin):
    """Whole, or from an underscore on behind one that is."""
    words = re.findall(r"`([^`\n]+)`", pages(ROOT / plugin))
    missing = [name for name, *_ in tables(plugin)["METRIC"]
               if name not in words
               and not any(w.startswith("_") and name.endswith(w) for w in words)]
    assert not missing


@pytest.mark.parametrize("plugin", PLUGINS)
def test_describe_says_everything_once_and_in_sentences(plugin):
    for rows in tables(plugin).values():
        names = [row[0] for row in rows]
        assert len(names) == len(set(names)), names
        assert all(row[-1].endswith((".", "?")) for row in rows), rows
