"""What `python -m benchmarks` and `python -m benchmarks.inference` tell a reader who does not know their names."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.inference import __main__ as inference


def told(capsys: pytest.CaptureFixture[str], status: int) -> str:
    found = capsys.readouterr()
    return found.err if status else found.out


@pytest.mark.parametrize(
    ("main", "known"),
    [(benchmarks.main, benchmarks.NAMES), (inference.main, inference.FIGURES)],
    ids=["benchmarks", "inference"],
)
def test_help_has_a_line_for_each_and_an_unknown_name_lists_them(
    main: Callable[[Sequence[str]], int], known: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as helped:
        main(["--help"])
    lines = [line.split(maxsplit=1) for line in told(capsys, 0).splitlines()]
    assert helped.value.code == 0
    for name, what in known.items():
        assert [name, what] in lines

    with pytest.raises(SystemExit) as refused:
        main(["nothing"])
    assert refused.value.code == 2
    assert f"unknown: nothing; allowed: {', '.join(known)}" in told(capsys, 2)


def test_each_name_is_a_module() -> None:
    assert all(find_spec(f"benchmarks.{name}") for name in benchmarks.NAMES)
