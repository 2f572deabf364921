"""Names of exported files: as the template says, and valid on every system."""

from __future__ import annotations

import unicodedata
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.model import KnownError
from curator.naming import WORDS, Facts, check, folded, joined, safe, stem

FACTS = Facts("DSC_0412", datetime(2024, 5, 4, 18, 42, 7), 7, 3, 4, "Harbour", "Fujifilm X-T3")


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{name}", "DSC_0412"),
        ("{date}_{time}_{name}", "2024-05-04_18-42-07_DSC_0412"),
        ("{project} {seq}", "Harbour 007"),
        ("{rating} stars {camera}", "4 stars Fujifilm X-T3"),
    ],
)
def test_a_template_builds_a_name(template: str, name: str) -> None:
    assert stem(check(template), FACTS) == name


def test_missing_facts_leave_no_stray_separators() -> None:
    assert stem("{project}_{name}_{camera}", Facts("DSC_1")) == "DSC_1"
    assert stem("{date}_{seq}-{rating}", Facts("x", seq=12, seq_digits=4)) == "undated_0012-0"


def test_values_are_never_read_as_a_template() -> None:
    assert stem("{name}-{project}", Facts("{seq}", project="{camera}")) == "{seq}-{camera}"


@pytest.mark.parametrize("template", ["{nmae}", "{name", "name}", "", "  ", "{}", "{name:08}"])
def test_an_invalid_template_is_refused_with_a_reason(template: str) -> None:
    with pytest.raises(KnownError) as caught:
        check(template)
    assert "{name}" in caught.value.remedy


@pytest.mark.parametrize(
    ("wild", "tame"),
    [
        ("../../etc", "_._.._etc"),
        ("CON", "_CON"),
        ("aux.tar", "_aux.tar"),
        ("com1 ", "_com1"),
        ("LPT³", "_LPT³"),
        ("console", "console"),
        ("-rf", "_rf"),
        (".hidden", "_hidden"),
        ("new\nline\ttab\x1b", "new_line_tab_"),
        ('a<b>c:d"e|f?g*h', "a_b_c_d_e_f_g_h"),
        ("trailing. . ", "trailing"),
        ("gpj.exe\u202egnp", "gpj.exegnp"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        ),
        ("caf\udce9", "caf_"),
        ("", "photo"),
        (" ... ", "photo"),
    ],
)
def test_any_text_becomes_a_name_valid_on_every_system(wild: str, tame: str) -> None:
    assert safe(wild) == tame


def test_two_encodings_of_a_letter_and_its_case_are_one_name() -> None:
    assert folded("CAF\u00c9.JPG") == folded("cafe\u0301.jpg")
    assert folded("a.jpg") != folded("b.jpg")


def test_a_name_is_shortened_between_letters_and_keeps_ending_and_number() -> None:
    name = joined("\U0001f4f7" * 80, 12, ".nef.xmp")
    assert len(name.encode()) <= 255 and name.endswith("-12.nef.xmp")
    assert set(name.removesuffix("-12.nef.xmp")) == {"\U0001f4f7"}
    assert joined("n" * 251, 1, ".jpg") == "n" * 251 + ".jpg"


@settings(deadline=None)
@given(st.text(), st.sampled_from(sorted(WORDS)), st.integers(1, 99))
def test_any_photo_name_makes_a_file_name(text: str, word: str, number: int) -> None:
    facts = Facts(text, None, number, 3, None, text, text)
    made = joined(stem(f"{{{word}}}", facts), number, ".jpg")
    assert 0 < len(made.encode()) <= 255
    assert not set(made) & set('<>:"/\\|?*\0\n')
    assert made[0] not in "-." and made == unicodedata.normalize("NFC", made)
    assert safe(made) == made, "nothing is left to be made safe"
