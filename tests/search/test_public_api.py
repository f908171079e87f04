"""The README's lines of Python do what the README says, as a plain script with worker processes."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.support.tiny import write_dataset

README = Path(__file__).parents[2] / "README.md"


def test_the_lines_of_python_in_the_readme_run_as_they_stand(tmp_path: Path) -> None:
    found = re.search(r"## From Python\n\n((?:    .*\n|\n)+)", README.read_text(encoding="utf-8"))
    assert found
    script = textwrap.dedent(found[1])
    assert len([line for line in script.splitlines() if line and "import" not in line]) <= 5
    # The tiny pits need no long search, and learn too little in it for the usual bar; nothing else is changed.
    script = script.replace("ConfirmOptions(top=5, repeats=5)", "ConfirmOptions(top=2, repeats=1, reliability=0.0)")
    script = script.replace("trials=40", 'trials=2, workers=2, ladder="5x8", working_point=0.2')
    assert "workers=2" in script
    assert "reliability=0.0" in script
    (tmp_path / "script.py").write_text(script)
    write_dataset(tmp_path / "mydata")
    subprocess.run([sys.executable, "script.py"], cwd=tmp_path, check=True, timeout=240)
    assert (tmp_path / "best" / "weights.safetensors").is_file()
    assert (tmp_path / "studies.db").is_file()
