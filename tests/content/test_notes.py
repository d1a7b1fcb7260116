"""Footnotes: one list at the end, each note tied to its references."""

import re

from tests.content.test_markup import html


def test_a_note_and_its_first_reference_share_a_number_so_that_they_can_stand_side_by_side() -> None:
    made = html("One[^b], two[^a], one again[^b].\n\n[^a]: A.\n[^b]: B.")
    assert re.findall(r'<sup id="([^"]+)"( class="[^"]+")?', made) == [
        ("fnref:b", ' class="ref-1"'),
        ("fnref:a", ' class="ref-2"'),
        ("fnref2:b", ""),
    ]
    assert re.findall(r'<li id="([^"]+)" class="([^"]+)"', made) == [
        ("fn:b", "note note-1"),
        ("fn:a", "note note-2"),
    ]
    assert 'aria-label="Jump back to footnote 1 in the text, reference 2"' in made
    assert 'aria-label="Jump back to footnote 2 in the text"' in made


def test_a_note_of_several_blocks_stays_one_note() -> None:
    made = html("One[^1].\n\n[^1]: First.\n\n    Second:\n\n    - a\n    - b\n\nAfter.")
    note = made[made.index('<li id="fn:1"') :]
    assert note.count("<p>") == 3
    assert "<li>b</li>" in note
    assert "After" not in note


def test_no_id_stands_twice() -> None:
    made = html("A[^1] B[^1] C[^2].\n\n[^1]: x\n[^2]: y[^1]")
    ids = re.findall(r' id="([^"]+)"', made)
    assert len(ids) == len(set(ids))


def test_a_note_that_nothing_refers_to_has_no_link_back() -> None:
    made = html("A[^1].\n\n[^1]: x\n[^2]: never")
    assert made.count("footnote-backref") == 1
    assert "never" in made


def test_with_very_many_notes_they_all_stay_at_the_end() -> None:
    marks = " ".join(f"a[^{number}]" for number in range(30))
    made = html(marks + "\n\n" + "\n".join(f"[^{number}]: x" for number in range(30)))
    assert "note-1" not in made
    assert made.count("<sup") == 30
