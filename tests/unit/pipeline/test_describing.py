"""Describing photos by a model behind a real socket; no error of its server stops other work."""

from __future__ import annotations

import logging
import operator
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

from curator.catalog import Catalog, Pending
from curator.home import Home
from curator.imaging.proxy import proxy_path
from curator.model import INTERNAL_ERROR, StageJob
from curator.pipeline import Pipeline, RequestNews, asking_limits, describing
from curator.pipeline.describing import VisionLane
from curator.pipeline.lanes import Outcome, Round
from curator.settings import Settings
from curator.stages import STAGES, Stage
from curator.vision.errors import ServerBusyError
from tests import catalogs, ollama
from tests.catalogs import fill
from tests.ollama import Ollama
from tests.photos import draw_jpeg

DESCRIBE = next(stage for stage in STAGES if stage.name == "describe")
NEEDED = tuple(stage for stage in STAGES if stage.reads == "file")
WELL = ollama.reply(ollama.RECORD)


@pytest.fixture(scope="module")
def jpeg(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return draw_jpeg(tmp_path_factory.mktemp("one") / "a.jpg", size=(48, 32)).read_bytes()


@pytest.fixture
def server() -> Iterator[Ollama]:
    with Ollama() as server:
        yield server


@pytest.fixture
def settings(home: Home, server: Ollama, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("CURATOR_VISION__URL", server.url)
    flags = {"vision": {"backoff_s": 0, "timeout_s": 60, "concurrency": 4}}
    return Settings.load(home, flags)


@pytest.fixture
def shoot(home: Home, jpeg: bytes) -> Callable[[int], Catalog]:
    """Makes a catalog of read photos with proxies; the test owns it."""

    def shoot(photos: int) -> Catalog:
        fill(home.catalog, photos)
        for number in range(photos):
            path = proxy_path(home.cache, f"{number:032x}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg)
        return Catalog.open(home.catalog)

    return shoot


class DescriptionLog(list[RequestNews]):
    """What a pipeline reported about requested photos, and what kept the others waiting."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self.held: list[str] = []
        pipeline.events.description_ended.connect(self.append)
        pipeline.events.describing_held.connect(lambda error: self.held.append(str(error or "")))


@pytest.fixture
def start(home: Home, settings: Settings, pipelines: list[Pipeline]) -> Callable[..., Pipeline]:
    def start(automatic: bool = False, stage: Stage = DESCRIBE) -> Pipeline:
        for pipeline in pipelines:
            pipeline.stop()
        settings.vision.automatic = automatic
        pipeline = Pipeline(home, settings, inline=True, stages=(*NEEDED, stage))
        pipeline.reported = DescriptionLog(pipeline)  # type: ignore[attr-defined]
        pipelines.append(pipeline)
        pipeline.start()
        return pipeline

    return start


def chosen(lane: VisionLane, catalog: Catalog, behind: bool = False) -> list[Pending]:
    """List the photos a lane would start now; ``behind``: others are still being read."""
    return lane.choose(catalog, DESCRIBE, Round((), paused=False, behind=behind))[0]


def states(catalog: Catalog) -> dict[str, int]:
    """Count photos by where describing stands; what is nowhere is left out."""
    found = catalog.work.counts().get("describe", {})
    return {state: number for state, number in found.items() if number}


# --- by hand


def test_nothing_is_described_or_waits_while_automatic_is_off(start, shoot, server) -> None:
    with closing(shoot(5)) as catalog:
        assert start().wait_idle() is not None
        assert server.asked == [] and states(catalog) == {} and catalog.work.failures() == []


def test_a_requested_photo_is_described_and_gets_suggested_tags(start, shoot, server, jpeg) -> None:
    with closing(shoot(5)) as catalog:
        pipeline = start()
        rev = catalogs.last_rev(catalog)
        pipeline.describe(3)
        detail = catalog.photos.get(3)
        description = detail.description
        assert description is not None and pipeline.reported == [RequestNews(3)]
        assert (
            description.subject,
            description.content_type,
            description.lighting,
            description.mood,
        ) == (
            ollama.RECORD["subject"],
            "landscape",
            ollama.RECORD["lighting_critique"],
            ollama.RECORD["artistic_mood"],
        )
        assert (description.provider, description.model, description.source) == (
            "ollama",
            "llava",
            detail.proxy_digest,
        )
        assert {(tag.name, tag.source, tag.state) for tag in detail.tags} == {
            (name, "vision", "suggested") for name in ollama.RECORD["suggested_tags"]
        }
        changed = catalog.photos.changed(rev)
        assert changed is not None and changed["id"].tolist() == [3], "who shows it hears of it"
        assert len(server.chats) == 1 and states(catalog) == {"done": 1}


def test_a_second_request_describes_again(start, shoot, server) -> None:
    with closing(shoot(2)) as catalog:
        pipeline = start()
        pipeline.describe(1)
        server.chat(ollama.record(subject="Another boat."))
        pipeline.describe(1)
        assert catalog.photos.get(1).description.subject == "Another boat."


def test_a_photo_whose_file_is_away_is_described_from_its_proxy(start, shoot, server) -> None:
    with closing(shoot(2)) as catalog:
        with catalog.store.transaction():
            catalog.store.run("UPDATE file SET missing_since = 1 WHERE photo_id = 2")
        start().describe(2)
        assert catalog.photos.get(2).description is not None


def test_a_missing_server_gives_one_message_and_one_failure(
    start, shoot, server, settings, home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "curator")
    with closing(shoot(3)) as catalog:
        settings.vision.url = "http://127.0.0.1:9"
        pipeline = start()
        pipeline.describe(2)
        [reported] = pipeline.reported
        assert f"was not described: {reported.reason}" in caplog.text
        assert reported.photo_id == 2 and "127.0.0.1:9" in reported.reason
        [failure] = catalog.work.failures()
        assert (failure.photo_id, failure.stage, failure.reason) == (2, "describe", reported.reason)
        detail = catalog.photos.get(2)
        assert (detail.state, detail.reason) == ("", None), "it can be viewed like any other"
        settings.vision.url = server.url
        pipeline.apply_vision_settings()
        assert pipeline.retry("describe") == 1
        assert catalog.photos.get(2).description is not None and catalog.work.failures() == []


def test_a_photo_is_tried_three_times_before_it_is_listed_as_failed(start, shoot, server) -> None:
    with closing(shoot(2)) as catalog:
        server.chat(*[ollama.cut] * 3)
        pipeline = start()
        pipeline.describe(1)
        [failure] = catalog.work.failures()
        assert failure.attempts == 3 and failure.reason == pipeline.reported[-1].reason
        assert [news.again for news in pipeline.reported] == [True, True, False]
        pipeline.describe(1)
        assert pipeline.reported[-1] == RequestNews(1) and catalog.work.failures() == []


def test_between_two_attempts_the_list_says_why_and_when(start, shoot, server, settings) -> None:
    with closing(shoot(2)) as catalog:
        settings.vision.backoff_s = 600
        server.chat(ollama.cut)
        start().describe(1)
        assert catalog.work.failures() == []
        [failure] = catalog.work.failures(later=True)
        assert failure.attempts == 1 and failure.reason
        assert 500 < failure.next_attempt_at - time.time() < 700


# --- all of them


def test_all_are_described_once_and_a_new_proxy_with_equal_bytes_changes_nothing(
    start, shoot, server
) -> None:
    with closing(shoot(6)) as catalog:
        totals = start(automatic=True).wait_idle()
        assert (totals.described, states(catalog)) == (6, {"done": 6})
        assert start(automatic=True).wait_idle().described == 0
        with catalog.store.transaction():  # as convert would, with the bytes there were
            for photo, digest in ((1, f"{0:064x}"), (2, "other")):
                catalog.store.run("UPDATE photo SET proxy_digest = ? WHERE id = ?", (digest, photo))
                catalog.work.requeue_outdated("proxy", {photo: digest})
        assert states(catalog) == {"done": 5, "waiting": 1}
        start(automatic=True)
        assert len(server.chats) == 7


def test_another_prompt_or_version_describes_again(start, shoot, server, monkeypatch) -> None:
    with closing(shoot(2)):
        start(automatic=True)
        monkeypatch.setattr(describing, "prompt_key", lambda: " other words")
        start(automatic=True)
        assert len(server.chats) == 4
        start(automatic=True, stage=replace(DESCRIBE, version=2))
        assert len(server.chats) == 6


def test_a_photo_described_on_request_is_not_described_again(start, shoot, server) -> None:
    with closing(shoot(3)):
        start().describe(2)
        start(automatic=True)
        assert len(server.chats) == 3


def test_switching_automatic_off_empties_the_queue(start, shoot, server, settings) -> None:
    with closing(shoot(3)) as catalog:
        settings.vision.url = "http://127.0.0.1:9"
        pipeline = start(automatic=True)
        assert states(catalog) == {"waiting": 3}
        settings.vision.automatic = False
        pipeline.apply_vision_settings()
        assert states(catalog) == {}


def test_requested_photos_go_first(start, shoot, server, settings) -> None:
    with closing(shoot(3)) as catalog:
        settings.vision.url = "http://127.0.0.1:9"
        pipeline = start(automatic=True)
        pipeline._conductor.jobs.vision.requested.add([3])
        settings.vision.url = server.url
        settings.vision.concurrency = 1
        pipeline.apply_vision_settings()
        with catalog.store.transaction():
            order = [
                row[0]
                for row in catalog.store.rows("SELECT photo_id FROM description ORDER BY made_at")
            ]
        assert order[0] == 3 and len(order) == 3


def test_only_as_many_requested_photos_are_looked_up_as_are_started(
    shoot, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(describing, "_CHUNK", 2)
    lane = VisionLane(True, settings, lambda outcome: None, lambda: None)
    with closing(shoot(12)) as catalog:
        catalog.descriptions.request(range(4, 13))  # of 1 to 3 the proxies are still to come
        lane.requested.add(range(1, 13))
        looked: list[int] = []
        pending = catalog.work.pending

        def look(stage: str, most: int, first: list[int]) -> object:
            looked.extend(first)
            return pending(stage, most, first)

        monkeypatch.setattr(catalog.work, "pending", look)
        found = [row.photo_id for row in chosen(lane, catalog, behind=True)]
        assert found == [4, 5, 6, 7, 8] and looked == list(range(1, 9))


def test_a_missing_server_stops_describing_with_one_message_and_no_failures(
    start, shoot, server, settings
) -> None:
    with closing(shoot(12)) as catalog:
        settings.vision.url = "http://127.0.0.1:9"
        pipeline = start(automatic=True)
        [sentence] = pipeline.reported.held
        assert "127.0.0.1:9" in sentence and catalog.work.failures(later=True) == []
        assert pipeline.wait_idle(0).described == 0
        assert {row.attempts for row in catalog.work.pending("describe", 12)} == {0}
        settings.vision.url = server.url
        pipeline.apply_vision_settings()
        assert states(catalog) == {"done": 12} and pipeline.reported.held == [sentence, ""]


def test_a_busy_server_and_a_wrong_answer_lose_no_photo(
    start, shoot, server, expected_log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_limits, "_BUSY_S", 0.0)
    with closing(shoot(8)) as catalog:
        wrong = ollama.reply("I see a boat.")
        server.chat(WELL, ollama.busy(after="0"), ollama.busy(503, after="0"), wrong, wrong, WELL)
        pipeline = start(automatic=True)
        for _ in range(4):  # what a busy server put off is taken up when its time has come
            pipeline.resume()
        assert states(catalog) == {"done": 8} and catalog.work.failures(later=True) == []


def test_a_server_that_is_always_busy_is_asked_three_times_about_a_photo(
    start, shoot, server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked 256 times in five minutes by a server that said "Retry-After: 1"."""
    monkeypatch.setattr(asking_limits, "_BUSY_S", 0.0)
    with closing(shoot(2)) as catalog:
        server.chat(*[ollama.busy(after="0")] * 10)
        pipeline = start()
        pipeline.describe(1)
        for _ in range(5):
            pipeline.resume()
        assert len(server.chats) == 3 and pipeline.reported[-1].again is False
        [failure] = catalog.work.failures()
        assert failure.attempts == 3 and "busy (429)" in failure.reason


@pytest.mark.parametrize("url", ["gone", "there"])
def test_retry_describes_failed_photos_with_automatic_off(
    start, shoot, server, settings, url: str
) -> None:
    """A retry sent nothing, and the list of failures was empty afterwards."""
    with closing(shoot(3)) as catalog:
        settings.vision.url = "http://127.0.0.1:9"
        pipeline = start()
        pipeline.describe(1, 2, 3)
        assert len(catalog.work.failures()) == 3
        if url == "there":
            settings.vision.url = server.url
        pipeline.apply_vision_settings()
        assert pipeline.retry("describe") == 3
        assert (len(server.chats), len(catalog.work.failures())) == (
            (3, 0) if url == "there" else (0, 3)
        )


def test_a_photo_can_be_requested_while_work_is_paused(start, shoot, server) -> None:
    with closing(shoot(2)) as catalog:
        pipeline = start(automatic=False)
        pipeline.pause()
        pipeline.describe(2)
        assert catalog.photos.get(2).description is not None


# --- the lane by itself: time, and threads


@pytest.fixture
def lane(settings: Settings) -> Iterator[VisionLane]:
    lane = VisionLane(False, settings, lambda outcome: None, lambda: None)
    yield lane
    lane.close()


def test_no_more_a_minute_than_the_setting_says(
    shoot, settings, lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    settings.vision.per_minute, settings.vision.automatic = 3, True
    with closing(shoot(10)) as catalog:
        catalog.work.use_stages((*NEEDED, replace(DESCRIBE, every=True)))
        assert len(chosen(lane, catalog)) == 3
        lane.limits._begun.extend([1000.0, 1010.0, 1020.0])
        now[0] = 1030.0
        assert chosen(lane, catalog) == [] and lane.due
        assert lane.limits.wait_s() == pytest.approx(30.0)
        lane.requested.add([7])
        assert [row.photo_id for row in chosen(lane, catalog)] == [7]
        now[0] = 1061.0
        assert len(chosen(lane, catalog)) == 2  # one as asked for, one by the rate


@pytest.mark.parametrize(
    ("says_s", "waits_s"), [(1.0, [4, 8, 16, 32, 64, 64]), (None, [4, 8, 16]), (30.0, [30, 30, 30])]
)
def test_a_busy_server_is_asked_again_after_the_longer_wait(
    lane: VisionLane, monkeypatch: pytest.MonkeyPatch, says_s: float | None, waits_s: list[int]
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    busy = ServerBusyError("The server is busy (429).", "Try again in a moment.", says_s)
    for wait_s in waits_s:
        assert lane.limits.back_off(busy) == wait_s
        assert re.fullmatch(
            r"The server is busy \(429\)\. Next try at \d\d:\d\d:\d\d\.", lane.limits.reason
        )
        now[0] += wait_s
        assert lane.limits.reason == ""
    lane.succeeded([])
    assert lane.limits.back_off(ServerBusyError("Busy.", "", None)) == 4, (
        "an answer ends the doubling"
    )


def test_progress_tells_why_a_busy_server_is_waited_for(start, shoot, server) -> None:
    with closing(shoot(2)):
        server.chat(ollama.busy(after="7"))
        pipeline = start()
        reported: list[str] = []
        pipeline.events.progressed.connect(lambda progress: reported.append(progress.held))
        pipeline.describe(1)
        assert "is busy (429)" in reported[-1] and "Next try at" in reported[-1]


@pytest.mark.parametrize("most", [1, 3])
def test_describing_keeps_to_the_set_number_and_waits_for_reading(
    most: int, shoot, settings, lane
) -> None:
    settings.vision.concurrency, settings.vision.automatic = most, True
    with closing(shoot(10)) as catalog:
        catalog.work.use_stages((*NEEDED, replace(DESCRIBE, every=True)))
        assert chosen(lane, catalog, behind=True) == [], "others are still being read"
        assert len(chosen(lane, catalog)) == most
        lane.in_flight = {1}
        assert len(chosen(lane, catalog)) == most - 1


def test_on_battery_only_requested_photos_are_described(
    shoot, settings, lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Battery:
        power_plugged = False

    monkeypatch.setattr(psutil, "sensors_battery", Battery, raising=False)
    with closing(shoot(3)) as catalog:
        catalog.work.use_stages((*NEEDED, replace(DESCRIBE, every=True)))
        assert chosen(lane, catalog) == [] and "battery" in str(lane.limits.held)
        lane.requested.add([2])
        assert [row.photo_id for row in chosen(lane, catalog)] == [2]
        Battery.power_plugged, lane.limits._power_at = True, 0.0
        assert len(chosen(lane, catalog)) > 1 and lane.limits.held is None


def test_a_computer_that_reports_no_battery_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> None:
        raise FileNotFoundError("/sys/class/power_supply")

    monkeypatch.setattr(psutil, "sensors_battery", unknown, raising=False)
    assert not asking_limits.on_battery()


def test_describing_continues_once_the_server_answers(
    shoot, settings, server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_limits, "CHECK_S", 0.0)
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    woken = threading.Semaphore(0)
    settings.vision.automatic, settings.vision.url = True, "http://127.0.0.1:9"
    lane = VisionLane(False, settings, outcomes.put, woken.release)
    with closing(shoot(2)) as catalog:
        catalog.work.use_stages((*NEEDED, replace(DESCRIBE, every=True)))

        def begin() -> int:
            found = chosen(lane, catalog)
            catalog.work.start("describe", [row.photo_id for row in found])
            for row in found:
                job = describing_job(row, lane, catalog)
                lane.submit(DESCRIBE.run, [job])
            return len(found)

        assert begin() == 2
        for _ in range(2):
            outcome = outcomes.get(timeout=60)
            lane.handle_failure(catalog, outcome.job, outcome.error)
            lane.landed(outcome.job.photo_id)
        assert begin() == 0 and lane.limits.held is not None
        assert woken.acquire(timeout=60) and begin() == 0, "the server does not answer yet"
        settings.vision.url = server.url  # as if the server had been started at its address
        lane.asking = describing.asking(settings)
        assert woken.acquire(timeout=60)
        while not begin():
            assert woken.acquire(timeout=60)
        assert lane.limits.held is None
        assert outcomes.get(timeout=60).error is None
    lane.close()


def describing_job(row, lane: VisionLane, catalog: Catalog):
    path = proxy_path(Path(catalog.path).parent / "cache", row.proxy)
    return StageJob(
        row.photo_id,
        "describe",
        str(path),
        row.kind,
        "",
        fingerprint=row.proxy_digest,
        asking=lane.asking,
    )


def test_closing_does_not_wait_for_a_silent_server(shoot, settings, server) -> None:
    server.chat(ollama.hang)
    outcomes: SimpleQueue[Outcome] = SimpleQueue()
    lane = VisionLane(False, settings, outcomes.put, lambda: None)
    with closing(shoot(1)) as catalog:
        catalog.descriptions.request([1])
        [row] = chosen(lane, catalog)
        lane.submit(DESCRIBE.run, [describing_job(row, lane, catalog)])
        while not server.chats:
            time.sleep(0.01)
        lane.close()
        assert server.gone.wait(60)
        assert type(outcomes.get(timeout=60).error).__name__ == "Cancelled"


def test_a_description_of_a_proxy_that_has_changed_meanwhile_is_made_again(
    start, shoot, server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(shoot(2)) as catalog:
        pipeline = start()

        def change(handler: ollama.Handler) -> None:
            with closing(Catalog.open(catalog.path)) as other, other.store.transaction():
                other.store.run("UPDATE photo SET proxy_digest = 'new' WHERE id = 1")
            WELL(handler)

        server.chat(change)
        pipeline.describe(1)
        assert len(server.chats) == 2 and pipeline.reported == [RequestNews(1)]
        assert catalog.photos.get(1).description.source == "new"


def test_a_description_stays_with_the_photo_it_was_made_of(start, shoot, server) -> None:
    with closing(shoot(2)) as catalog:
        pipeline = start()
        with catalog.store.transaction():  # a copy has the proxy of what it is a copy of
            catalog.store.run("UPDATE photo SET proxy_digest = 'same'")

        def merge(handler: ollama.Handler) -> None:
            with closing(Catalog.open(catalog.path)) as other, other.store.transaction():
                other.identity.merge([1, 2])
            WELL(handler)

        server.chat(merge)
        pipeline.describe(2)
        assert pipeline.reported == [RequestNews(2)] and list(catalog.descriptions.of([1, 2])) == [
            1
        ]


def test_an_unreadable_photo_does_not_keep_callers_waiting(start, shoot, server) -> None:
    with closing(shoot(3)) as catalog:
        with catalog.store.transaction():
            catalog.store.run(
                "UPDATE work SET state = 'failed' WHERE photo_id = 2 AND stage = 'convert'"
            )
            catalog.store.run("UPDATE photo SET proxy = NULL, proxy_digest = NULL WHERE id = 2")
        pipeline = start()
        pipeline.describe(1, 2, 3)
        assert sorted(pipeline.reported, key=operator.attrgetter("photo_id")) == [
            RequestNews(1),
            RequestNews(2, describing.NO_PICTURE),
            RequestNews(3),
        ]


def test_a_bug_is_one_failure_with_a_traceback_in_the_log(
    start, shoot, server, expected_log, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected_log("describing .* failed")

    def clumsy(job: StageJob) -> None:
        raise ZeroDivisionError("ours")

    with closing(shoot(2)) as catalog:
        pipeline = start(stage=replace(DESCRIBE, run=clumsy))
        pipeline.describe(1)
        assert (
            pipeline.reported == [RequestNews(1, INTERNAL_ERROR)]
            and catalog.work.failures()[0].reason == INTERNAL_ERROR
        )
        assert catalog.photos.get(1).state == ""
