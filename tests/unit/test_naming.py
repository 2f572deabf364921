"""Names of exported and imported files: as the template says, and valid on every system."""

from __future__ import annotations

import unicodedata
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.model import KnownError
from curator.naming import (
    DIRECTIVES,
    WORDS,
    Facts,
    Purpose,
    check,
    check_folders,
    folded,
    folders,
    joined,
    safe,
    stem,
    uses,
    words,
)

FACTS = Facts("DSC_0412", datetime(2024, 5, 4, 18, 42, 7), 7, 3, 4, "Harbour", "Fujifilm X-T3")


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{name}", "DSC_0412"),
        ("{date}_{time}_{name}", "2024-05-04_18-42-07_DSC_0412"),
        ("{project} {seq}", "Harbour 007"),
        ("{rating} stars {camera}", "4 stars Fujifilm X-T3"),
        ("{date:%d.%m.%y} {time:%Hh%M}", "04.05.24 18h42"),
        ("{date:%A %d %B, %a %b} {seq:5}", "Saturday 04 May, Sat May 00007"),
        ("{date:%G-W%V %j} {time:%H:%M:%S}", "2024-W18 125 18_42_07"),
    ],
)
def test_a_template_builds_a_name(template: str, name: str) -> None:
    assert stem(check(template), FACTS) == name


def test_missing_facts_leave_no_stray_separators() -> None:
    assert stem("{project}_{name}_{camera}", Facts("DSC_1")) == "DSC_1"
    assert stem("{date}_{seq}-{rating}", Facts("x", seq=12, seq_digits=4)) == "undated_0012-0"


def test_dates_are_spelled_as_strftime_does_in_english() -> None:
    for day in range(1, 366):
        moment = datetime.strptime(f"2021 {day} 23", "%Y %j %H")
        for directive in DIRECTIVES:
            assert stem(f"{{date:%{directive}}}", Facts("", moment)) == f"{moment:%{directive}}"


def test_exports_and_imports_have_words_of_their_own() -> None:
    assert check("{rating}{project}") and check("{job} {name}", Purpose.IMPORT)
    with pytest.raises(KnownError, match=r"Unknown placeholder \{job\}") as caught:
        check("{job}")
    assert "{rating}" in caught.value.remedy and "{job}" not in caught.value.remedy
    with pytest.raises(KnownError, match=r"\{rating\} in the folders") as caught:
        check_folders("{rating}")
    assert "{job}" in caught.value.remedy and "{rating}" not in caught.value.remedy
    assert {"{date}", "{job}"} <= set(words(Purpose.IMPORT))


@pytest.mark.parametrize(
    ("template", "problem", "remedy"),
    [
        ("{date:%Y-%D}", "unknown %D", "%m (05)"),
        ("{date:%-d}", "unknown %-", "%d (04)"),
        ("{time:%H%}", "unknown %", "%H (18)"),
        ("{date:%Y/%m}", "separator of folders", "{date:%Y}/{date:%m}"),
        ("{seq:04}", "not a number of digits", "{seq:4}"),
        ("{seq:}", "not a number of digits", "{seq:4}"),
        ("{name:8}", "takes no format", "{name}"),
    ],
)
def test_an_invalid_format_is_refused_with_those_that_exist(
    template: str, problem: str, remedy: str
) -> None:
    for checked in (check, check_folders):
        with pytest.raises(KnownError, match=problem) as caught:
            checked(template)
        assert remedy in caught.value.remedy


def test_a_template_is_searched_for_words_with_or_without_a_format() -> None:
    assert uses("{date}{seq:4}", "seq") and uses("{seq}", "seq") and not uses("{date} seq", "seq")


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{date:%Y}/{date:%Y-%m-%d}", "2024/2024-05-04"),
        ("{date:%Y}\\{camera}", "2024/Fujifilm X-T3"),
        ("", ""),
        ("/{job}/ /{date:%Y} {job}//", "2024"),
        ("CON/a:b/{name}.", "_CON/a_b/DSC_0412"),
    ],
)
def test_folders_are_valid_names_and_stay_inside(template: str, path: str) -> None:
    assert folders(check_folders(template), FACTS) == path


def test_a_job_full_of_separators_is_one_folder() -> None:
    assert folders("{job}/x", Facts("", job="../../etc/\\..")) == "_._.._etc__/x"
    assert folders("{job}", Facts("", job="..")) == ""
    assert len(folders("{job}", Facts("", job="é" * 400)).encode()) <= 255


def test_folders_that_lead_out_and_names_with_folders_are_refused() -> None:
    for template in ("../{date}", "{date}/..", "a\\ .. "):
        with pytest.raises(KnownError, match="leads out"):
            check_folders(template)
    with pytest.raises(KnownError, match="separator") as caught:
        check("{date:%Y}/{name}", Purpose.IMPORT)
    assert "template" in caught.value.remedy
    with pytest.raises(KnownError, match="empty"):
        check(" ", Purpose.IMPORT)


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
