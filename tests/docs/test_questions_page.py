"""The page of questions: each names the public question that it comes from, under the number that it links to."""

from __future__ import annotations

import re

import pytest

from tests.support.repository import ROOT

ISSUE = re.compile(r"\[([\w.-]+)#(\d+)\]\(https://github\.com/[\w.-]+/([\w.-]+)/(?:issues|pull)/(\d+)\)")
# What a project is called on the page where that is not its repository's name.
CALLED = {"timm": "pytorch-image-models"}
PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
ANSWERED, UNANSWERED = PAGE.split("## No answer here")


def sections() -> list[str]:
    """The questions that are answered, each with its text."""
    return re.split(r"^### ", ANSWERED, flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.partition("\n")[0])
def test_a_question_names_where_it_was_asked(section: str) -> None:
    title, _, text = section.partition("\n")
    assert title.endswith("?")
    assert text.lstrip().startswith("Asked as ")
    assert ISSUE.search(text)


def test_a_question_without_an_answer_names_where_it_was_asked() -> None:
    items = re.split(r"^- ", UNANSWERED, flags=re.MULTILINE)[1:]
    assert [item for item in items if not ISSUE.search(item)] == []


def test_a_link_leads_to_the_number_that_it_shows() -> None:
    links = ISSUE.findall(PAGE)
    assert len(links) == PAGE.count("https://github.com/")
    assert [link for link in links if (CALLED.get(link[0], link[0]), link[1]) != (link[2], link[3])] == []
