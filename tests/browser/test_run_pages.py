"""The table of runs, comparison and a run on pages of their own: in JupyterLab, and in the studio."""

import io
import re
import struct
import subprocess
import sys
import time
import zlib

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace

from .conftest import TIMEOUT_MS, keep, violations
from .jupyterlab import TOKEN

pytestmark = pytest.mark.browser

SCHEMES = ("light", "dark")
# Whether JupyterLab has saved where the tab of a run stands, and what is in it.
LAYOUT_SAVED = """async ([url]) => {
    const { data = {} } = await (await fetch(`${url}/lab/api/workspaces/default`)).json();
    const layout = JSON.stringify(data['layout-restorer:data']?.main ?? {});
    return Object.keys(data).some(key => key.startsWith('amlnb:amlnb-run-') && layout.includes(key));
}"""
ATTACK = "<img src=x onerror='window.attacked=1'>"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a workspace of thirty runs, one of them failed, some named to do harm."""
    folder = tmp_path_factory.mktemp("project")
    experiment = Experiment(Workspace.find_or_create(str(folder))[0], "sweep")
    for number in range(30):
        run = experiment.start_logging(display_name=f"trial {number}" if number != 7 else ATTACK)
        rate = 10.0 ** -(number % 3 + 1)
        run.add_properties({"param.lr": str(rate), "param.optimizer": "adam" if number % 2 else "sgd"})
        if number == 7:
            run.tag(ATTACK, ATTACK)
            run.log(ATTACK, 1.0)
        for step in range(20):
            run.log("loss", (number + 1) / (step + 1), step=step)
            run.log("accuracy", step / 20, step=step)
        if number == 5:
            run.fail(error_details="the loss is not a number")
        else:
            run.complete()
    return folder


@pytest.fixture(scope="module")
def studio(runs):
    """Address of a studio that logs in, as ``amlnb studio --no-browser`` prints it."""
    command = [sys.executable, "-m", "amlnb", "studio", "--no-browser", str(runs)]
    server = subprocess.Popen(command, cwd=runs, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        yield re.search(r"http://\S+", line).group()
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()


@pytest.fixture
def page_of(browser, studio):
    contexts = []

    def opened(scheme="light", width=1300):
        context = browser.new_context(viewport={"width": width, "height": 850}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(studio)
        page.locator("[data-amlnb-run-table]").wait_for()
        page.locator("[data-amlnb-row]").first.wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()


def shown(page):
    return [row.get_attribute("data-amlnb-row") for row in page.locator("[data-amlnb-row]").all()]


def names(page):
    return page.locator("[data-amlnb-row] .amlnb-link").all_inner_texts()


def wait_total(page, text):
    page.locator(".amlnb-table-foot", has_text=text).wait_for()


def test_the_studio_needs_its_token_which_is_not_left_in_the_address(page_of, studio, browser):
    page = page_of()
    assert "token" not in page.url
    stranger = browser.new_context().new_page()
    stranger.goto(studio.partition("?")[0])
    assert stranger.locator("[data-amlnb-run-table]").count() == 0
    assert "amlnb open" in stranger.locator("body").inner_text()
    stranger.context.close()


def test_the_title_of_the_page_is_what_the_run_is_called(page_of):
    page = page_of()
    name = names(page)[0]
    page.locator("[data-amlnb-row] .amlnb-link").first.click()
    page.wait_for_function("([title]) => document.title === title", arg=[f"{name} · amlnb"])
    page.go_back()
    page.wait_for_function("() => document.title === 'Runs · amlnb'")


def test_a_page_whose_server_is_away_comes_by_itself_when_it_is_back(page_of):
    page = page_of()
    away = {"about": "**/api/about", "workspaces": "**/api/workspaces*"}
    for address in away.values():
        page.route(address, lambda route: route.abort())
    page.reload()
    page.get_by_text("the server does not answer").wait_for()
    page.unroute(away["about"])
    page.get_by_role("navigation").get_by_text("the server does not answer").wait_for()
    page.unroute(away["workspaces"])
    page.get_by_text("the server does not answer").wait_for(state="detached")
    page.get_by_role("navigation").locator("[data-amlnb-experiment=sweep]").wait_for()
    page.locator("[data-amlnb-row]").first.wait_for()


def test_an_id_is_copied_on_a_page_by_plain_http_too(page_of):
    page = page_of()
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.reload()
    row = page.locator("[data-amlnb-row]").first
    run = row.get_attribute("data-amlnb-row")
    row.locator(".amlnb-link").first.click()
    page.get_by_role("button", name="Copy the id").click()
    page.get_by_role("status").get_by_text(f"Copied {run}").wait_for()
    page.get_by_role("banner").get_by_role("link", name="amlnb").click()
    page.get_by_label("Filter the runs").focus()
    page.keyboard.press("Control+v")
    assert page.get_by_label("Filter the runs").input_value() == run


def test_a_typed_query_filters_and_what_is_wrong_with_it_is_said(page_of):
    page = page_of()
    wait_total(page, "30 runs")
    query = page.get_by_label("Filter the runs")
    query.fill('lr < 0.05 and loss < 0.5 and state == "Completed"')
    wait_total(page, re.compile("^[5-9] runs"))
    query.fill("lr < ")
    page.get_by_role("alert").wait_for()
    query.fill('name == "trial 12"')
    wait_total(page, re.compile(r"^1 run\b"))
    page.reload()
    page.locator("[data-amlnb-row]").first.wait_for()
    assert page.get_by_label("Filter the runs").input_value() == 'name == "trial 12"'  # remembered


def test_columns_sort_and_the_best_is_marked(page_of):
    page = page_of()
    first = names(page)[0]
    page.get_by_role("columnheader", name="loss").get_by_role("button").click()
    page.get_by_role("columnheader", name="loss").get_by_role("button").click()
    page.wait_for_function("() => document.querySelector('[data-amlnb-row] .amlnb-link').textContent === 'trial 0'")
    assert first != "trial 0"
    assert page.locator("[data-amlnb-row] .amlnb-best").first.inner_text().strip("★ ") == "0.05000"


def test_chosen_runs_are_compared(page_of):
    page = page_of()
    for box in page.locator("[data-amlnb-row] input").all()[:3]:
        box.click()
    page.get_by_role("button", name="Compare").click()
    page.locator("[data-amlnb-compare='3']").wait_for()
    chart = page.locator("[data-amlnb-metric='loss']").first
    chart.wait_for()
    page.wait_for_function("() => document.querySelector('[data-amlnb-metric=loss]').dataset.amlnbPoints === '60'")
    keep(page, "compare-curves")
    page.get_by_role("tab", name="Differences").click()
    assert "optimizer" in page.locator(".amlnb-values").inner_text()
    for tab in ("Parallel", "Scatter"):
        page.get_by_role("tab", name=tab).click()
        page.locator("svg.amlnb-plot").wait_for()
        keep(page, f"compare-{tab.lower()}")
    page.go_back()
    page.locator("[data-amlnb-run-table]").wait_for()


def test_groups_tell_mean_and_range(page_of):
    page = page_of()
    page.get_by_label("Group by").select_option("parameters.lr")
    rows = page.locator(".amlnb-groups tbody tr")
    page.wait_for_function("() => document.querySelectorAll('.amlnb-groups tbody tr').length === 3")
    assert "10" in rows.first.inner_text()
    keep(page, "groups")


def test_a_failed_run_shows_why_first(page_of):
    page = page_of()
    page.get_by_label("Filter the runs").fill('state == "Failed"')
    wait_total(page, re.compile(r"^1 run\b"))
    page.locator("[data-amlnb-row] .amlnb-link").click()
    view = page.locator("[data-amlnb-run][data-amlnb-state='Failed']")
    view.wait_for()
    assert "the loss is not a number" in view.inner_text()
    keep(page, "failed")


def test_nothing_that_a_run_wrote_is_executed(page_of):
    page = page_of()
    page.get_by_label("Filter the runs").fill("onerror")
    wait_total(page, re.compile(r"^1 run\b"))
    page.locator("[data-amlnb-row] .amlnb-link").click()
    view = page.locator("[data-amlnb-run]")
    view.locator("[data-amlnb-metric]").first.wait_for()
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(300)
    assert page.evaluate("() => window.attacked") is None
    assert page.errors == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_is_hard_to_use_for_anyone(page_of, scheme):
    page = page_of(scheme)
    assert violations(page) == []
    keep(page, f"table-{scheme}")
    for box in page.locator("[data-amlnb-row] input").all()[:2]:
        box.click()
    page.get_by_role("button", name="Compare").click()
    page.locator("[data-amlnb-compare='2'] [data-amlnb-metric]").first.wait_for()
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(200)
        assert violations(page) == [], tab.inner_text()
    page.go_back()
    page.locator("[data-amlnb-row] .amlnb-link").first.click()
    page.locator("[data-amlnb-run] [data-amlnb-metric]").first.wait_for()
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(300)
        assert violations(page) == [], tab.inner_text()
        keep(page, f"run-{tab.inner_text().split()[0].lower()}-{scheme}")


def test_a_narrow_page_can_be_used(page_of):
    page = page_of(width=400)
    page.locator("[data-amlnb-row] .amlnb-link").first.click()
    page.locator("[data-amlnb-run] [data-amlnb-metric]").first.wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    keep(page, "narrow")


def test_a_run_that_goes_on_shows_its_points_in_the_studio(page_of, runs):
    page = page_of()
    run = Experiment(Workspace.from_config(str(runs)), "sweep").start_logging(display_name="going")
    try:
        run.log("loss", 1.0, step=0)
        page.locator("[data-amlnb-row] .amlnb-link", has_text="going").first.wait_for()
        page.locator("[data-amlnb-row] .amlnb-link", has_text="going").first.click()
        for step in range(1, 30):
            run.log("loss", 1.0 / step, step=step)
            time.sleep(0.01)
        page.wait_for_function("() => document.querySelector('[data-amlnb-metric=loss]')?.dataset.amlnbPoints === '30'")
    finally:
        run.complete()
    page.locator("[data-amlnb-run][data-amlnb-state='Completed']").wait_for()


def picture(width):
    """A grey PNG of so many pixels across."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(width + 1))) + chunk(b"IEND", b"")


def test_a_picture_that_is_written_again_is_shown_again(page_of, runs):
    run = Experiment(Workspace.from_config(str(runs)), "sweep").start_logging(display_name="painter")
    try:
        run.upload_file("outputs/plot.png", io.BytesIO(picture(3)))
        (plot,) = runs.rglob("plot.png")
        page = page_of()
        page.locator("[data-amlnb-row] .amlnb-link", has_text="painter").first.click()
        page.get_by_role("tab", name="Files").click()
        wide = "width => document.querySelector('img.amlnb-picture')?.naturalWidth === width"
        page.wait_for_function(wide, arg=3)
        plot.write_bytes(picture(5))
        page.wait_for_function(wide, arg=5)
    finally:
        run.complete()


def test_jupyterlab_has_them_as_tabs_that_come_back(lab, browser, runs):
    url, _ = lab
    context = browser.new_context(viewport={"width": 1300, "height": 850})
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(f"{url}/lab?token={TOKEN}&reset")
    page.wait_for_function("() => window.jupyterapp?.commands.hasCommand('amlnb:open')")
    answer = page.evaluate(f"async () => (await fetch('{url}/amlnb/api/workspaces?folder=')).json()")
    key = next(each["key"] for each in answer["workspaces"] if each["path"].startswith(str(runs)))
    page.evaluate("([key]) => window.jupyterapp.commands.execute('amlnb:open', {view: 'runs', workspace: key})", [key])
    page.locator("[data-amlnb-run-table] [data-amlnb-row]").first.wait_for()
    keep(page, "lab-table")
    page.locator("[data-amlnb-row] .amlnb-link").first.click()
    page.locator("[data-amlnb-run]").wait_for()
    for _ in range(TIMEOUT_MS // 250):  # JupyterLab saves its layout a moment later
        if page.evaluate(LAYOUT_SAVED, [url]):
            break
        page.wait_for_timeout(250)
    page.goto(f"{url}/lab?token={TOKEN}")
    page.locator("[data-amlnb-run]").wait_for()
    titles = page.evaluate("() => [...window.jupyterapp.shell.widgets('main')].map(widget => widget.title.label)")
    assert "Runs" in titles
    context.close()
