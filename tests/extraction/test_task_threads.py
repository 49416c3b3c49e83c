"""The written conversations: they can be read, and the half that was set aside keeps what the documentation says."""

from pathlib import Path

import pytest

from rl_emails_assets.evaluation.task_threads import found_in, written_threads


def test_every_label_names_a_sentence_of_its_conversation() -> None:
    """A label with a slip of the pen would count as a miss for ever."""
    threads = written_threads()
    assert len(threads) >= 80
    assert sum(thread.is_held_out for thread in threads) == len(threads) // 2
    assert len({thread.name for thread in threads}) == len(threads)
    for thread in threads:
        for label in thread.labels:
            places = [at for at, one in enumerate(thread.messages) if label.words in " ".join(one.text.split())]
            assert places, (thread.name, label.words)
            assert label.by is None or places[0] < label.by < len(thread.messages), (thread.name, label.words)
            assert (label.by is None) == (label.state in ("open", "asked_back")), (thread.name, label.words)


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "threads.txt"
    file.write_text("=== one\nAnn > Me\nHello.\n? request you open: Hello\n", "utf-8")
    with pytest.raises(ValueError, match=r"threads.txt, line 4"):
        written_threads(file)


@pytest.mark.parametrize(("is_held_out", "least"), [(False, 0.95), (True, 0.85)])
def test_how_tasks_stand_is_right_as_often_as_documented(is_held_out: bool, least: float) -> None:
    """A change of a pattern that loses what the documentation promises."""
    labels = found = right = extra = 0
    for thread in written_threads():
        if thread.is_held_out != is_held_out:
            continue
        left = list(found_in(thread))
        for label in thread.labels:
            labels += 1
            match = next((one for one in left if label.words in " ".join(one.task.evidence.split())), None)
            if match is not None:
                left.remove(match)
                found += 1
                right += match.progress.state == label.state and match.task.owner == label.owner
        extra += len(left)
    assert found / labels >= 0.95
    assert right / found >= least
    assert extra <= 1
