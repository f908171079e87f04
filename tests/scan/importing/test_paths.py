"""A table of paths as people keep it: Windows' separators, blanks and umlauts are read, and every mistake is named at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foils.errors import DataError
from pitsearch.errors import PitsearchError
from scan.importing.run import ImportOptions, guess, import_source
from tests.support.tiny import draw_pits

LIGHT = (("1", "backlit", None),)
LABELS = ["Signal", "oben"] * 6
SIGNAL = ImportOptions(signal="Signal")
CROPS = (draw_pits(["candidate", "top"] * 6, LIGHT, 0) * 255).astype(np.uint8)[:, 0]
SUFFIXES = ("png", "bmp", "tif")


def write_table(folder: Path, rows: Sequence[str], header: str = "path;label;Größe", encoding: str = "utf-8-sig") -> Path:
    """Write images in three formats into a folder with a blank and an umlaut, and a table as Excel writes it."""
    images = folder / "Bilder Größe 1"
    images.mkdir(parents=True)
    for number, crop in enumerate(CROPS):
        Image.fromarray(crop).save(images / f"Grübchen {number}.{SUFFIXES[number % 3]}")
    table = folder / "Liste.csv"
    table.write_text("\r\n".join([header, *rows, ";;", ""]), encoding=encoding)
    return table


def row(number: int, *, before: str = "", label: str | None = None) -> str:
    return f"{before}Bilder Größe 1\\Grübchen {number}.{SUFFIXES[number % 3]};{label or LABELS[number]};{number},5"


def test_a_table_from_excel_with_paths_from_windows_is_read(tmp_path: Path) -> None:
    table = write_table(tmp_path / "my pits", [row(number) for number in range(12)])
    assert guess(table) == "csv"
    data = import_source(table, tmp_path / "data", SIGNAL).data
    assert data.labels.tolist() == LABELS
    assert np.array_equal(data.crops()[:, 0], CROPS)
    assert data.pits[3].further == (("Größe", "3,5"),)


def test_a_path_of_another_machine_is_refused_with_what_to_take_off(tmp_path: Path) -> None:
    before = "C:\\Users\\jan\\my pits\\"
    table = write_table(tmp_path / "my pits", [row(number, before=before) for number in range(12)])
    with pytest.raises(PitsearchError) as caught:
        import_source(table, tmp_path / "data", SIGNAL)
    said = str(caught.value)
    assert said.startswith("Liste.csv:2: every image must be readable, but none of the 12 files of the column `path` is there")
    assert said.endswith(f"; make the paths relative to the table: take `{before}` off.")
    assert "\n" not in said


def test_the_mistakes_of_all_rows_are_said_at_once(tmp_path: Path) -> None:
    rows = [row(number) for number in range(12)]
    rows[1] = row(1, before="C:\\Users\\jan\\")
    rows[2] = rows[2].replace("Signal", "")
    rows[4] = "Bilder Größe 1\\fehlt.png;Signal;1"
    rows[5] = rows[3]
    rows[6] = ";Signal;1"
    table = write_table(tmp_path / "my pits", rows)
    (tmp_path / "my pits" / "Bilder Größe 1" / "Grübchen 7.bmp").write_bytes(b"no image")
    Image.fromarray(np.zeros((16, 14), np.uint8)).save(tmp_path / "my pits" / "Bilder Größe 1" / "Grübchen 9.png")
    with pytest.raises(DataError) as caught:
        import_source(table, tmp_path / "data", SIGNAL)
    said = {fault.split(": ", 1)[0]: fault.split(": ", 1)[1] for fault in caught.value.faults}
    assert set(said) == {f"Liste.csv:{line}" for line in (3, 4, 6, 7, 8, 9, 11)}
    assert said["Liste.csv:3"].endswith("; make the paths relative to the table: take `C:\\Users\\jan\\` off.")
    assert said["Liste.csv:4"] == "every row must have a label, but has none; add it, or take the row out."
    assert "the file is missing" in said["Liste.csv:6"]
    assert "but got 'Gr_bchen_3', as on Liste.csv:5; name the pits in a column `pit`." in said["Liste.csv:7"]
    assert said["Liste.csv:8"].startswith("every row must have a path")
    assert said["Liste.csv:9"].startswith("every image must be readable")
    assert "as most are (12 x 12, uint8), but got 14 x 16, uint8" in said["Liste.csv:11"]
    assert not (tmp_path / "data").exists()


def test_a_table_that_excel_did_not_save_as_utf_8_says_how(tmp_path: Path) -> None:
    table = write_table(tmp_path / "my pits", [row(0)], encoding="cp1252")
    with pytest.raises(PitsearchError, match=r"save it as CSV UTF-8\.$"):
        import_source(table, tmp_path / "data", ImportOptions("csv", signal="Signal"))


def test_a_wrong_label_is_named_by_its_pit_and_a_rare_one_can_be_listed(tmp_path: Path) -> None:
    rows = [row(number, label="Singal" if number == 3 else None) for number in range(12)]
    rows[1] = rows[1].replace("1,5", '"two\nlines"')
    table = write_table(tmp_path / "my pits", rows)
    with pytest.raises(DataError, match=r"^Liste\.csv, pit Gr_bchen_3: a label not listed .*, but got 'Singal' on 1;"):
        import_source(table, tmp_path / "data", SIGNAL)
    lights = '[[channels]]\nname = "1"\nkind = "backlit"\n'
    labels = 'signal = "Signal"\nlabels = ["Signal", "oben", "Singal"]\nignore = ["Singal"]\n'
    (tmp_path / "foil.toml").write_text(f'name = "mine"\npattern = "{{pit}}.png"\ncrop = 12\n{labels}{lights}')
    data = import_source(table, tmp_path / "data", ImportOptions(signal="Signal", lights=tmp_path)).data
    assert data.description.ignore == ("Singal",)
    assert int(data.is_scored.sum()) == 11
