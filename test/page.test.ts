import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Served, serve } from "../src/server/index.ts";
import { writeFinishedStudy, writeRunningStudy } from "./support/fake-runs.ts";
import { once } from "./support/once.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Debian's Chromium, or the one that `CHROMIUM` names. */
const executablePath = [process.env.CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== "" && existsSync(path),
);
if (executablePath === undefined) console.warn("no Chromium: the page is not tested (apt-get install chromium)");

/** Where pictures of each page are kept, to be looked at; none are taken by default. */
const pictures = process.env.PAGE_PICTURES;

/** A browser takes long on a machine with much to do. */
const PATIENCE = { timeout: 120_000 };

/** What is looked at again and again until it is as expected: a page changes some time after what was done to it. */
const settled = <T>(look: () => Promise<T> | T) => expect.poll(look, PATIENCE);

const WIDTHS = [375, 1280] as const;

const launched = once(() =>
  chromium.launch({
    executablePath: executablePath ?? "",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  }),
);
afterAll(async () => {
  if (executablePath !== undefined) await (await launched()).close();
});

describe.skipIf(executablePath === undefined).each(WIDTHS)("the page, %i pixels wide", (width) => {
  let root = "";
  let served: Served;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let faults: string[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "page-"));
    await writeFinishedStudy(root, "portraits-1a2b3c4d");
    await writeRunningStudy(root, "night-run-5e6f7a8b");
    const command = [process.execPath, at("support/fake-cli.mjs")] as const;
    served = await serve({ runsDir: root, host: "127.0.0.1", port: 0, command, webDir: at("../dist/web") });
    browser = await launched();
    context = await browser.newContext({ viewport: { width, height: 800 }, reducedMotion: "reduce" });
    context.setDefaultTimeout(PATIENCE.timeout);
    page = await context.newPage();
    // Whatever the browser complains of counts: a refused style, a missing file, an error of the script.
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(served.url)) faults.push(`asks for ${request.url()}`);
    });
  });
  afterAll(async () => {
    await context.close();
    await served.close();
    await rm(root, { recursive: true });
  });

  const open = async (path: string) => {
    faults = [];
    await page.goto(new URL(path, served.url).href);
  };

  /** How many pixels a picture has, once it is loaded. */
  const drawnWidth = (alt: string) => page.evaluate(`document.querySelector('img[alt="${alt}"]')?.naturalWidth`);

  /** The page fits its width, bears axe's checks, and the browser has nothing to say. */
  async function isSound(name: string): Promise<void> {
    expect(
      await page.evaluate("document.documentElement.scrollWidth - innerWidth"),
      "sideways scroll",
    ).toBeLessThanOrEqual(0);
    await page.evaluate(await readFile(at("../node_modules/axe-core/axe.min.js"), "utf8"));
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // Only colours differ in the dark.
      const rules = colorScheme === "light" ? {} : { runOnly: ["color-contrast"] };
      // What is in order needs no list of its elements, which takes longer than the checks.
      const asked = JSON.stringify({ ...rules, resultTypes: ["violations"] });
      const found = (await page.evaluate(`axe.run(${asked})`)) as {
        violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
      };
      const said = found.violations.map(({ id, nodes }) => [
        id,
        nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
      ]);
      expect(said, colorScheme).toEqual([]);
      if (pictures === undefined) continue;
      await mkdir(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
    expect(faults).toEqual([]);
  }

  test("lists runs, finds them, and leads to a comparison", async () => {
    await open("/");
    await page.getByRole("link", { name: "portraits-1a2b3c4d" }).waitFor();
    await isSound("runs");
    await page.getByRole("searchbox").fill("night");
    await page.getByText("1 of 9 studies and cells").waitFor();
    await settled(() => page.locator("tbody tr").count()).toBe(1);
    await page.getByRole("searchbox").fill("");
    await page.getByLabel("Compare portraits-1a2b3c4d").check();
    await page.getByRole("link", { name: "Compare 1 run" }).click();
    await page.getByRole("heading", { name: "Compare" }).waitFor();
    await settled(() => page.url()).toContain("/compare?runs=portraits-1a2b3c4d");
  });

  test("shows a run at work: step, time left, losses, sharpening pictures, its grid", async () => {
    await open("/run/night-run-5e6f7a8b");
    await page.getByText("30 of 80 iterations").waitFor();
    const heading = page.getByRole("heading", { name: /^gmi on tl-dmi layer3\.0/ });
    await settled(() => heading.textContent()).toContain("step 3 of 9");
    await page.getByText(/about 50.s left/).waitFor();
    await page.getByText("step 12; a lower learning rate", { exact: false }).first().waitFor();
    await settled(() => drawnWidth("Reconstructions now")).toBe(192);
    await page
      .getByRole("img", { name: /^losses/ })
      .locator("path")
      .first()
      .waitFor({ state: "attached" });
    for (const state of ["done", "failed", "running", "waiting"])
      await page.locator(".grid").getByText(state).waitFor();
    await page.getByText("It was started elsewhere").waitFor();
    await isSound("running");
  });

  test("shows a finished study and a cell of it", async () => {
    await open("/run/portraits-1a2b3c4d");
    await page.getByText("4 of 4 done").waitFor();
    await isSound("finished");
    await page.getByRole("link", { name: "tl-dmi-layer3.0-gmi-seed1, done" }).click();
    await page.getByRole("heading", { name: "Fisher information" }).waitFor();
    await page.getByText("42.0 %").first().waitFor();
    const images = page.getByRole("img", { name: /^Reconstruction / });
    await settled(() => images.count()).toBe(24);
    await page.getByRole("button", { name: "Show 2 more" }).click();
    await settled(() => images.count()).toBe(28);
    await isSound("cell");
  });

  test("shows private images only after this session asked for them", async () => {
    await open("/run/portraits-1a2b3c4d/none-gmi-seed1");
    await page.getByText("Private images are hidden.").waitFor();
    await page.getByRole("img", { name: "Reconstruction 1 of person 00" }).waitFor();
    expect(await page.getByRole("img", { name: /, private$/ }).count()).toBe(0);
    await page.getByRole("button", { name: "Show private images in this session" }).click();
    const shown = page.getByRole("img", { name: "person 00, private" });
    await settled(() => drawnWidth("person 00, private")).toBe(32);
    await page.getByText("Mind who sees this screen", { exact: false }).waitFor();
    const session = await browser.newContext();
    const other = await session.newPage();
    other.setDefaultTimeout(PATIENCE.timeout);
    await other.goto(page.url());
    await other.getByText("Private images are hidden.").waitFor();
    await session.close();
    await page.getByRole("button", { name: "Hide private images" }).click();
    await settled(() => shown.count()).toBe(0);
  });

  test("compares: points are chosen with mouse and keys, the same person's pictures stand in one row", async () => {
    await open("/compare?runs=portraits-1a2b3c4d");
    const point = page
      .getByRole("group", { name: /^Utility against leakage/ })
      .getByRole("checkbox", { name: "no defense, gmi" });
    await point.waitFor();
    const columns = page.getByRole("region", { name: "The same people under each defense" }).getByRole("columnheader");
    await settled(() => columns.count()).toBe(5);
    await isSound("compare");
    await point.focus();
    await page.keyboard.press("Space");
    await settled(() => point.getAttribute("aria-checked")).toBe("false");
    await settled(() => columns.count()).toBe(4);
    await settled(() => page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe("no defense, gmi");
    await point.click();
    await settled(() => columns.count()).toBe(5);
    await page.getByRole("checkbox", { name: "tl-dmi" }).last().uncheck();
    await settled(() => columns.count()).toBe(4);
    const row = page.getByRole("row", { name: /^person 00/ });
    await settled(() => row.getByRole("img").count()).toBe(6);
    await page.getByRole("heading", { name: "Fisher information" }).waitFor();
  });

  test("writes a study: faults stand at their fields, and lead there", async () => {
    await open("/new");
    await page.getByText("Valid.").waitFor();
    await isSound("new-study");
    const name = page.getByRole("textbox", { name: "name", exact: true });
    await name.fill("");
    await page.getByText("One thing is wrong:").waitFor();
    await page.getByRole("button", { name: "name" }).click();
    await settled(() => page.evaluate("document.activeElement.id")).toBe("field-name");
    await settled(() => name.getAttribute("aria-invalid")).toBe("true");
    await name.fill(`written-${width}`);
    const attacks = page.getByRole("group", { name: "attacks", exact: true });
    await attacks.getByRole("button", { name: "Add to attacks" }).click();
    await attacks.getByRole("group", { name: "attacks 2" }).getByRole("combobox").first().selectOption("kedmi");
    await attacks
      .getByRole("group", { name: "attacks 2" })
      .getByText(/settings$/)
      .click();
    await attacks.getByRole("textbox", { name: "iterations" }).fill("-5");
    await page.getByText("expected a number of more than 0, got -5").first().waitFor();
    await isSound("new-study-fault");
  });

  test("counts a study's steps, starts it and stops it", async () => {
    await open("/new");
    await page.getByRole("textbox", { name: "name", exact: true }).fill(`written-${width}`);
    const attacks = page.getByRole("group", { name: "attacks", exact: true });
    await attacks.getByText(/settings$/).click();
    await attacks.getByRole("textbox", { name: "iterations" }).fill("7");
    const file = page.getByRole("textbox", { name: "Study file" });
    await settled(() => file.inputValue()).toContain("- kind: gmi\n    iterations: 7\n");
    await page.getByRole("button", { name: "Count steps" }).click();
    await page.getByText("Valid: 2 steps, 1 of them to do", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Estimate time" }).click();
    await page.getByText(/^About 12.min.34.s on this machine, 12.000 images through the targets/).waitFor();
    await page.getByText("Each step").click();
    await page.getByText("target none, seed 1: 12", { exact: false }).waitFor();
    await isSound("estimated");
    await page.getByRole("button", { name: "Save and start" }).click();
    // What was started has begun when it says something.
    await page.getByText("Output of the run that was started here").click();
    await page.getByText("target none, seed 1").waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("button", { name: "Start", exact: true }).waitFor();
    await page.getByText("stopping: saving a checkpoint first", { exact: false }).waitFor();
    await isSound("started");
  });

  test("leaves an estimate that takes too long", async () => {
    for (const file of ["called.json", "stopped.json"]) await rm(join(root, file), { force: true });
    await open("/new");
    await page.getByRole("textbox", { name: "name", exact: true }).fill("endless");
    await page.getByRole("button", { name: "Estimate time" }).click();
    await page.getByText("Trying a few steps of each part").waitFor();
    await settled(() => existsSync(join(root, "called.json"))).toBe(true);
    await page.getByRole("button", { name: "Cancel" }).click();
    await settled(() => page.getByRole("button", { name: "Cancel" }).count()).toBe(0);
    await settled(() => page.getByRole("button", { name: "Estimate time" }).isEnabled()).toBe(true);
    expect(await page.getByRole("alert").count()).toBe(0);
    await settled(() => existsSync(join(root, "stopped.json"))).toBe(true);
  });

  test("can be used with keys alone: a way past the head, and every control shows that it has focus", async () => {
    await open("/");
    await page.getByRole("link", { name: "portraits-1a2b3c4d" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to content");
    await page.keyboard.press("Enter");
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.closest('main') !== null")).toBe(true);
      expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).not.toBe("none");
    }
  });
});

test.skipIf(executablePath === undefined)("a browser signs in with the token that the server asks for", async () => {
  const root = await mkdtemp(join(tmpdir(), "page-"));
  const token = "0123456789abcdef-token";
  const served = await serve({ runsDir: root, host: "127.0.0.1", port: 0, token, webDir: at("../dist/web") });
  const context = await (await launched()).newContext();
  context.setDefaultTimeout(PATIENCE.timeout);
  try {
    const page = await context.newPage();
    await page.goto(served.url);
    await page.getByLabel("Token").fill("a wrong token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("That is not the token that the server printed.").waitFor();
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("searchbox").waitFor();
  } finally {
    await context.close();
    await served.close();
    await rm(root, { recursive: true });
  }
});
