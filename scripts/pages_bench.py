"""What a trace of thousands costs on its page, in a real Chromium: bytes, first paint, frames while somebody works with it.

docs/decisions/0860 and docs/answers.md have the numbers. The store is made as firms make it: captured, sealed, traced.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from scripts import bench_facts

from sudonglian.records import master_data
from sudonglian.records.epcis.master_data import Element

PROGRAM = Path(sys.executable).with_name("sudonglian")
PEOPLE, MARKETS = 4_200, 400
EVENTS = 9_000
"""Of which one trace lists more than 5,000 people, places and goods."""

FRAME_MS = 16.7
SHARE = 0.95
LONG_MS = 50.0
"""What the W3C's Long Tasks call long."""

FRAMES = """async (act) => {
  const times = []; let last = performance.now(); let going = true; const long = [];
  const watch = new PerformanceObserver((them) => long.push(...them.getEntries().map((one) => one.duration)));
  watch.observe({ entryTypes: ["longtask"] });
  const frame = (now) => { times.push(now - last); last = now; if (going) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  const step = new Function("n", act);
  for (let n = 0; n < 120; n += 1) { step(n); await new Promise(requestAnimationFrame); }
  going = false; await new Promise((done) => setTimeout(done, 100)); watch.disconnect();
  return { frames: times.slice(1), long };
}"""

ACTS = {
    "scrolling the line list": "document.querySelector('.v-rows').scrollTop = n * 1700",
    "scrolling the timeline": "document.querySelector('.v-timeline').scrollTop = n * 90",
    "moving the time slider": "const r = document.getElementById('v-until'); r.value = r.max * (n % 60) / 60;"
    " r.dispatchEvent(new Event('input'))",
    "choosing members by key": "document.querySelector('.v-list').dispatchEvent(new KeyboardEvent('keydown',"
    " { key: 'ArrowDown', bubbles: true }))",
    "choosing places by key": "document.querySelector('.v-timeline').dispatchEvent(new KeyboardEvent('keydown',"
    " { key: 'ArrowDown', bubbles: true }))",
    "searching as one types": "if (n % 15) return; const q = document.getElementById('f-q'); q.value = String(n / 15);"
    " q.dispatchEvent(new Event('input', { bubbles: true }))",
}


def world(folder: Path) -> None:
    """Make a store whose trace lists thousands, with coordinates for most of its places."""
    bench_facts.PEOPLE, bench_facts.MARKETS = PEOPLE, MARKETS
    store, keys = bench_facts.opened(folder)
    bench_facts.capture(store, keys, bench_facts.events(EVENTS))
    dice = random.Random(2)
    told = []
    for number in range(100, 100 + MARKETS):
        if number % 8:
            where = (
                ("urn:epcglobal:cbv:mda#latitude", f"{36.07 + dice.gauss(0, 0.12):.5f}"),
                ("urn:epcglobal:cbv:mda#longitude", f"{120.38 + dice.gauss(0, 0.15):.5f}"),
            )
            named = ("urn:epcglobal:cbv:mda#name", f"市场 {number}")
            uri = f"urn:epc:id:sgln:6901234.{number:05d}.0"
            told.append(Element("urn:epcglobal:epcis:vtype:BusinessLocation", uri, (named, *where), ()))
    with store.write() as connection:
        master_data.put(connection, bench_facts.FIRM, told, datetime.now(UTC))
    store.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a store as a user does; give its address."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUDONGLIAN_")}
    process = subprocess.Popen(
        [PROGRAM, "serve", "--port", "0", "--rate", "0"],
        env={**kept, "SUDONGLIAN_DATA": str(folder), "SUDONGLIAN_LANG": "en"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"(http://\S+?)/welcome", line):
            break
    else:
        raise SystemExit("the server does not start")
    threading.Thread(target=lambda: [None for _ in process.stderr or ()], daemon=True).start()
    try:
        yield found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def asked(page: Page, url: str, token: str) -> str:
    """Sign in, ask on the form and wait for the answer; return its address."""
    page.goto(f"{url}/sign-in?lang=en")
    page.locator("#key").fill(token)
    page.locator("form.ask:has(#key) button").click()
    at = bench_facts.BEGIN + timedelta(hours=3)
    page.goto(
        f"{url}/trace?lang=en&seed={bench_facts.sscc(bench_facts.PALLETS)}&at={at:%Y-%m-%dT%H:%M:%SZ}&purpose=bench"
    )
    page.locator("#why").fill("bench")
    page.locator("form.ask:has(#seed) button").click()
    page.locator("#views").wait_for(state="attached", timeout=600_000)
    return page.url


def loaded(browser: Browser, page: Page, url: str) -> dict[str, Any]:
    """Open the answer with nothing kept; return bytes and times."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: dict[str, float] = {}
    names: dict[str, str] = {}
    session.on("Network.requestWillBeSent", lambda one: names.update({one["requestId"]: one["request"]["url"]}))
    session.on("Network.loadingFinished", lambda one: sizes.update({names[one["requestId"]]: one["encodedDataLength"]}))
    page.add_init_script(
        "window.__long = []; new PerformanceObserver((them) => window.__long.push(...them.getEntries()"
        ".map((one) => one.duration))).observe({ entryTypes: ['longtask'] });"
    )
    page.goto(url)
    page.locator("#views[data-ready]").wait_for(timeout=120_000)
    first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
    server = page.evaluate("performance.getEntriesByType('navigation')[0].responseStart")
    ready = page.evaluate("performance.now()")
    long = page.evaluate("Math.max(0, ...window.__long)")
    data = sum(size for name, size in sizes.items() if "views.json" in name)
    return {
        "first_paint_bytes": sum(sizes.values()) - data,
        "data_bytes": data,
        "server_ms": server,
        "first_paint_ms": first,
        "ready_ms": ready,
        "longest_task_ms": long,
    }


def worked(page: Page) -> dict[str, dict[str, float]]:
    """Work with the views; return what frames took for each kind of work."""
    found = {}
    for name, act in ACTS.items():
        told = page.evaluate(FRAMES, act)
        frames = sorted(told["frames"])
        found[name] = {
            "median_ms": frames[len(frames) // 2],
            "p95_ms": frames[int(len(frames) * SHARE)],
            "worst_ms": frames[-1],
            "long_tasks": len(told["long"]),
            "longest_task_ms": max(told["long"], default=0.0),
        }
        page.keyboard.press("Escape")
        page.locator("#clear").click()
    return found


def pages(folder: Path | None, *, as_json: bool) -> None:
    """Print what the page of a large trace costs."""
    with tempfile.TemporaryDirectory() as made:
        where = folder or Path(made)
        if not (where / "sudonglian.db").exists():
            where.mkdir(parents=True, exist_ok=True)
            world(where)
        environment = {**os.environ, "SUDONGLIAN_DATA": str(where)}
        command = [str(PROGRAM), "keys", "api", "create", "--name", "bench", "--scope", "trace", "--json"]
        token = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)["token"]
        program = shutil.which("chromium")
        with serving(where) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
            began = time.monotonic()
            answer = asked(page, url, token)
            traced = time.monotonic() - began
            page.locator("#views[data-ready]").wait_for(timeout=120_000)
            members = page.evaluate("Number(document.querySelector('.v-list').getAttribute('aria-rowcount')) - 1")
            told = {
                "members": members,
                "asked_s": round(traced, 1),
                **loaded(browser, page, answer),
                "work": worked(page),
            }
            browser.close()
    if as_json:
        print(json.dumps(told))
        return
    print(f"{members} members; asked and answered in {traced:.1f} s")
    for name in ("first_paint_bytes", "data_bytes"):
        print(f"{name:<24} {told[name] / 1000:>8.1f} kB")
    for name in ("server_ms", "first_paint_ms", "ready_ms", "longest_task_ms"):
        print(f"{name:<24} {told[name] or 0:>8.0f} ms")
    print(f"\n{'':<28} {'median':>8} {'95 %':>8} {'worst':>8} {'long tasks':>11} {'longest':>8}")
    for name, one in told["work"].items():
        print(
            f"{name:<28} {one['median_ms']:>8.1f} {one['p95_ms']:>8.1f} {one['worst_ms']:>8.1f}"
            f" {one['long_tasks']:>11} {one['longest_task_ms']:>8.1f}"
        )
