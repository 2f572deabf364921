"""Taste on the command line: status, evaluation, similar photos and versions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curator import arrays
from curator.catalog import Catalog
from curator.learning import learner
from tests import catalogs, taste_data
from tests.unit.cli.conftest import Type

PHOTOS = 60


@pytest.fixture
def liked(tmp_path: Path) -> dict[int, np.ndarray]:
    """A home with sixty analyzed photos, thirty of them rated."""
    path = tmp_path / "home" / "catalog.db"
    catalogs.empty(path)
    catalog = Catalog.open(path)
    vectors = taste_data.analyzed(catalog, PHOTOS)
    taste_data.rate(catalog, vectors, range(1, 31))
    catalog.close()
    return vectors


def test_an_empty_home_reports_the_missing_ratings(curator: Type) -> None:
    said = curator("taste", "--json").json
    assert (said["ratings"], said["missing"], said["ready"]) == (0, 20, False)
    assert said["encoder"] is None and said["accuracy"]["trust"] == "not yet"
    assert (said["agreement"], said["reached"], said["outlook"], said["stacks"]) == (None,) * 4
    assert "Rate 20 more photos to start predictions." in curator("taste").out


def test_agreement_with_oneself_is_told_in_words_and_numbers(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    found = curator("taste", "--json").json["agreement"]
    assert {name: found[name] for name in ("repeats", "same_stars", "assumed_share")} == {
        "repeats": 0,
        "same_stars": 0,
        "assumed_share": 1,
    }
    assert found["low"] < found["rank_correlation"] == 0.918 < found["ceiling"] < found["high"]
    assert found["sentence"] in curator("taste").out


@pytest.mark.slow
def test_ratings_by_command_are_predicted_and_evaluated(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    for photo in range(31, 55):
        curator("mark", "--rate", taste_data.stars(liked[photo]), photo)
    said = curator("taste", "--json").json
    assert (said["ratings"], said["ready"], said["vectors"]) == (54, True, PHOTOS)
    assert said["accuracy"]["predicted"] == 24
    assert said["accuracy"]["error_stars"] > 0
    assert "rank correlation" in curator("taste").out


def test_photos_have_match_scores_from_twenty_stars_on(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    listed = curator("photos", "--sort", "match", "--json").json
    scores = [photo["match_score"] for photo in listed]
    assert len(scores) == PHOTOS and scores == sorted(scores)
    best = curator("photos", "--filter", "is:match", "--json").json
    assert [p["id"] for p in best] and all(p["match_score"] >= 70 for p in best)
    assert curator("status", "--json").json["matches"] == len(best)
    number = sum(score < 30 for score in scores)
    assert len(curator("photos", "--filter", "match:<30", "--json").json) == number


def test_photos_can_be_sorted_by_uncertainty_and_information_gain(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    uncertain = [photo["id"] for photo in curator("photos", "--sort", "uncertain", "--json").json]
    assert sorted(uncertain) == list(range(1, PHOTOS + 1))
    assert np.mean(np.array(uncertain[:30]) > 30) > 0.8, "what was rated is known best"
    teaching = [photo["id"] for photo in curator("photos", "--sort", "informative", "--json").json]
    assert set(teaching[:30]) == set(range(31, PHOTOS + 1)), "nothing is asked twice"


def test_without_taste_its_sort_orders_say_what_is_missing(curator: Type) -> None:
    for order in ("uncertain", "informative"):
        said = curator("photos", "--sort", order)
        assert said.code == 1
        assert "Rate 20 more photos to start predictions." in said.err


def test_scores_are_learned_again_only_after_what_taste_learns_from_changed(
    curator: Type, liked: dict[int, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[object] = []

    def counting(*arguments: Any) -> learner.TasteLearner:
        learned.append(arguments)
        return learn_once(*arguments)

    learn_once = learner.learn_once
    monkeypatch.setattr(learner, "learn_once", counting)
    first = curator("photos", "--json").json
    curator("tag", "add", 1, "harbor")
    again = curator("photos", "--json").json
    assert len(learned) == 1, "a tag says nothing about taste"
    scores = [photo["match_score"] for photo in first]
    assert [photo["match_score"] for photo in again] == scores and None not in scores
    assert curator("status", "--json").json["taste"] == "Learned from 30 photos with stars."
    assert len(learned) == 1
    for number, change in enumerate(
        (
            ("mark", "--rate", 5, 40),
            ("undo",),
            ("mark", "--reject", 41),
            ("taste", "keep"),  # its hyperparameters are used again; this verb learns by itself
            ("settings", "taste.half_life_days=30"),
        )
    ):
        curator(*change)
        before = len(learned)
        curator("photos", "--limit", 1), curator("photos", "--limit", 1)
        assert len(learned) == before + 1, (number, change)


def test_damaged_or_foreign_scores_are_learned_again(
    curator: Type, liked: dict[int, np.ndarray], tmp_path: Path
) -> None:
    before = curator("photos", "--json").json
    file = tmp_path / "home" / "cache" / "scores.npz"
    for content in (b"", file.read_bytes()[:-900], arrays.dump({"state": "another"})):
        file.write_bytes(content)
        assert curator("photos", "--json").json == before


def test_without_ratings_there_are_no_scores(shoot: Type) -> None:
    assert {photo["match_score"] for photo in shoot("photos", "--json").json} == {None}


def test_three_stars_and_a_high_match_are_exported(
    curator: Type, liked: dict[int, np.ndarray], tmp_path: Path
) -> None:
    before = curator("export", tmp_path / "out", "--dry-run", "--json").json["approved"]
    listed = curator("photos", "--sort", "match", "--reverse", "--json").json
    best = next(photo for photo in listed if photo["verdict"] == "unreviewed")
    curator("mark", "--rate", 3, best["id"])
    words = ("--set", "taste.match_threshold=30", "--dry-run", "--json")
    after = curator("export", tmp_path / "out", *words).json["approved"]
    assert before["match"] < after["match"]


def test_similar_lists_the_nearest_first(curator: Type, liked: dict[int, np.ndarray]) -> None:
    listed = curator("similar", 7, "--limit", 5, "--json").json
    wanted = sorted(liked, key=lambda photo: -float(liked[photo] @ liked[7]))[1:6]
    assert [photo["id"] for photo in listed] == wanted
    assert listed[0]["similarity"] == pytest.approx(float(liked[wanted[0]] @ liked[7]), abs=2e-3)


def test_a_photo_without_files_is_similar_to_none(
    curator: Type, liked: dict[int, np.ndarray], tmp_path: Path
) -> None:
    gone, *others = (photo["id"] for photo in curator("similar", 7, "--limit", 6, "--json").json)
    with closing(sqlite3.connect(tmp_path / "home" / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE photo SET emptied_at = 1 WHERE id = ?", (gone,))
    listed = curator("similar", 7, "--limit", 5, "--json").json
    assert [photo["id"] for photo in listed] == others


def test_a_photo_without_vector_is_named(shoot: Type) -> None:
    said = shoot("similar", "1", "--json")
    assert said.code == 1 and "not analyzed yet" in said.json["error"]
    assert shoot("similar", "nowhere.jpg").code == 1


def test_a_missing_encoder_is_refused_before_anything_is_read(curator: Type, card: Path) -> None:
    said = curator("ingest", card, "--encoder", "open_clip", "--json")
    assert said.code == 1 and "open_clip cannot be used" in said.json["error"]
    assert curator("photos", "--json").json == []


@pytest.mark.slow
def test_the_doctor_and_the_status_name_the_encoder(curator: Type) -> None:
    findings = curator("doctor", "--json").json["findings"]
    (encoder,) = [finding for finding in findings if finding["what"] == "encoder"]
    assert encoder["well"] and encoder["found"].startswith("Similar photos and taste are off")
    assert "Similar photos and taste are off" in curator("status").out


# --- versions


@pytest.fixture
def kept(curator: Type, liked: dict[int, np.ndarray], tmp_path: Path) -> dict[int, np.ndarray]:
    """Version 1 with thirty ratings, version 2 with sixty of the opposite taste."""
    assert curator("taste", "keep", "--json").json["version"] == 1
    catalog = Catalog.open(tmp_path / "home" / "catalog.db")
    opposite = {photo: {"rating": 6 - taste_data.stars(liked[photo])} for photo in liked}
    catalog.journal.decide(opposite, summary="a change of heart")
    catalog.close()
    assert curator("taste", "keep").out.startswith("version 2, ")
    return liked


def scores(curator: Type) -> np.ndarray:
    listed = curator("photos", "--json").json
    return np.array([photo["match_score"] for photo in sorted(listed, key=lambda p: p["id"])])


@pytest.mark.slow
def test_versions_are_listed_pinned_and_unpinned(
    curator: Type, kept: dict[int, np.ndarray]
) -> None:
    listed = curator("taste", "versions", "--json").json
    assert [(row["version"], row["ratings"], row["reason"]) for row in listed] == [
        (2, 60, "hand"),
        (1, 30, "hand"),
    ]
    assert not any(row["pinned"] for row in listed)
    now = scores(curator)
    said = curator("taste", "rollback", 1)
    assert said.code == 0 and said.out.startswith("Taste is pinned to version 1, learned from 30")
    before = scores(curator)
    assert np.abs(now - before).max() > 10
    told = curator("taste", "--json").json
    assert (told["pinned"], told["state"]) == (1, "Taste is pinned to version 1.")
    assert [row["pinned"] for row in told["versions"]] == [False, True]
    assert "Taste is pinned to version 1." in curator("taste").out
    assert curator("status", "--json").json["taste"] == "Taste is pinned to version 1."
    assert "30 ratings, by hand; pinned" in curator("taste", "versions").out
    said = curator("taste", "unpin", "--json").json
    assert (said["pinned"], said["was"]) == (None, 1)
    assert np.array_equal(scores(curator), now)
    assert "No version is pinned." in curator("taste", "unpin").out


@pytest.mark.slow
def test_the_largest_changes_of_a_version_are_listed(
    curator: Type, kept: dict[int, np.ndarray]
) -> None:
    moved = curator("taste", "versions", 2, "--json").json
    gaps = [abs(each["now"] - each["before"]) for each in moved]
    assert len(moved) == 6 and gaps == sorted(gaps, reverse=True) and gaps[0] > 10
    assert f"{moved[0]['name']}: match {moved[0]['before']}, now {moved[0]['now']}" in (
        curator("taste", "versions", 2).out
    )
    assert "no earlier version to compare with" in curator("taste", "versions", 1).out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["rollback", "9"], 1, "Taste version 9 not found."),
        (["versions", "9"], 1, "Taste version 9 not found."),
        (["rollback"], 2, "Name the version to roll back to."),
        (["unpin", "3"], 2, "takes no version"),
        (["forward", "3"], 2, "invalid choice"),
        (["rollback", "-1"], 2, ""),
        (["keep"], 1, "There is nothing to keep yet."),
    ],
)
def test_invalid_versions_are_refused_with_a_reason(
    curator: Type, words: list[str], code: int, said: str
) -> None:
    answer = curator("taste", *words, "--json")
    assert answer.code == code and said in answer.json["error"]


@pytest.mark.slow
def test_a_damaged_version_is_refused_and_nothing_changes(
    curator: Type, kept: dict[int, np.ndarray], tmp_path: Path
) -> None:
    before = scores(curator)
    with closing(sqlite3.connect(tmp_path / "home" / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE taste_version SET numbers = x'504b0304' WHERE id = 1")
    said = curator("taste", "rollback", 1, "--json")
    assert said.code == 1 and "Version 1 of taste is damaged" in said.json["error"]
    assert curator("taste", "--json").json["pinned"] is None
    assert np.array_equal(scores(curator), before)


# --- what says nothing


def test_equal_ratings_give_no_scores_and_a_reason(
    curator: Type, liked: dict[int, np.ndarray]
) -> None:
    curator("mark", "--rate", 5, *range(1, 31))
    said = curator("taste", "--json").json
    assert not said["ready"] and said["state"].startswith("All 30 rated photos")
    assert {photo["match_score"] for photo in curator("photos", "--json").json} == {None}


@pytest.mark.slow
@pytest.mark.parametrize(
    "vector", [bytes(32), b"\xff\x7f" * 16, b""], ids=["zeros", "NaN", "nothing"]
)
def test_a_photo_with_an_empty_vector_has_no_score(
    curator: Type, liked: dict[int, np.ndarray], tmp_path: Path, vector: bytes
) -> None:
    with closing(sqlite3.connect(tmp_path / "home" / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE vector SET vector = ? WHERE photo_id = 1", (vector,))
    said = curator("taste", "--json").json
    assert said["ready"] and (said["vectors"], said["damaged_vectors"]) == (PHOTOS - 1, 1)
    assert "1 photo cannot be scored" in curator("taste").out
    without = [p["id"] for p in curator("photos", "--json").json if p["match_score"] is None]
    assert without == [1]


@pytest.mark.slow
def test_vectors_of_two_encoders_are_never_mixed(
    curator: Type, liked: dict[int, np.ndarray], tmp_path: Path
) -> None:
    before = scores(curator)
    catalog = Catalog.open(tmp_path / "home" / "catalog.db")
    catalog.vectors.use_encoder("open_clip/other/1")
    taste_data.embed(catalog, range(1, 51), "open_clip/other/1")
    catalog.close()
    assert np.array_equal(scores(curator), before)
    said = curator("taste", "--json").json
    assert said["encoder"] == taste_data.ENCODER
    assert said["analyzing_again"]["analyzed"] == 50 and said["analyzing_again"]["of"] == PHOTOS
    assert "Analyzing again with CLIP: 50 of 60." in curator("taste").out
