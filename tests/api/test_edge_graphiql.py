"""GraphiQL: served from its own files alone, and able to ask and to listen."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from api.pages import FILES
from tests.support.edge import TICKS, Edge, running, tick, until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
in_a_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not (FILES / "main.js").is_file(), reason="GraphiQL is not built: make graphiql"),
]


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    async with running() as edge:
        yield edge


@pytest.fixture
async def page(edge: Edge) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context(
            viewport={"width": 1400, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
        )
        page = await context.new_page()
        yield page
        await browser.close()


async def test_without_its_files_the_page_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("api.pages.GraphiQL.__init__.__defaults__", (tmp_path,))
    async with running() as edge:
        response = await edge.get("/graphiql")
        assert response.status_code == 503
        assert "make graphiql" in response.text


async def test_the_root_leads_to_the_page_and_a_setting_turns_it_off(edge: Edge) -> None:
    response = await edge.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/graphiql")
    async with running(graphiql=False) as plain:
        assert (await plain.get("/graphiql")).status_code == 404
        assert (await plain.get("/")).status_code == 404


class TestInABrowser:
    pytestmark = in_a_browser

    async def test_it_asks_and_listens_with_nothing_from_elsewhere(self, edge: Edge, page: Page) -> None:
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"{edge.url}/graphiql")
        await page.get_by_label("Token", exact=True).fill(edge.token())
        await page.get_by_role("button", name="Use").click()
        await self.run(page, "{ hello }")
        await expect(page.locator(".graphiql-response")).to_contain_text("Hello, world!", timeout=15_000)
        await self.run(page, "subscription { ticks { number } }")
        await until(lambda: len(TICKS) == 1)
        tick(4711)
        await expect(page.locator(".graphiql-response")).to_contain_text("4711", timeout=15_000)
        assert complaints == []
        assert [url for url in asked if not url.startswith((edge.url, "data:", "blob:"))] == []
        assert {"editor.worker.js", "graphql.worker.js"} <= {url.rpartition("/")[2] for url in asked}

    async def test_the_schema_is_there_to_read_and_the_token_stays_in_the_tab(self, edge: Edge, page: Page) -> None:
        await page.goto(f"{edge.url}/graphiql")
        token = edge.token()
        await page.get_by_label("Token", exact=True).fill(token)
        await page.get_by_label("Token", exact=True).press("Enter")
        await page.get_by_role("button", name="Show Documentation Explorer").click()
        await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("TickEvent", timeout=15_000)
        assert await page.evaluate("sessionStorage.getItem('steadystate.token')") == token
        assert await page.evaluate("JSON.stringify(localStorage)") == await self.without(page, token)
        assert token not in page.url

    async def run(self, page: Page, query: str) -> None:
        editor = page.locator(".graphiql-query-editor .monaco-editor").first
        await editor.click(timeout=20_000)
        await page.keyboard.press("Control+A")
        # Pasted, since the editor closes the braces of what is typed by itself.
        await page.evaluate("text => navigator.clipboard.writeText(text)", query)
        await page.keyboard.press("Control+V")
        await asyncio.sleep(0.5)
        await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()

    async def without(self, page: Page, token: str) -> str:
        kept: str = await page.evaluate("JSON.stringify(localStorage)")
        assert token not in kept
        return kept
