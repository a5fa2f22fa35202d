"""What the report of a failed test says of ten wrong uses, word for word."""

import pytest

from tests.timeline.stories import GOLDEN, STORIES, Story, golden_file, tell


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_story_is_told_as_ever(story: Story) -> None:
    assert await tell(story) == golden_file(story).read_text(encoding="utf-8")


def test_each_golden_text_is_a_story() -> None:
    assert set(GOLDEN.iterdir()) == {golden_file(story) for story in STORIES}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_story_shows_no_key_and_keeps_its_width(story: Story) -> None:
    text = golden_file(story).read_text(encoding="utf-8")
    assert "s3cret" not in text
    assert max(map(len, text.splitlines())) <= 100
