import { describe, expect, test } from "vitest";
import { cell, evenPeople, rate } from "../../../test/support/study-result.ts";
import { comparisonsOf, conditionsOf } from "../conditions.ts";
import { ordersOf } from "./orders.ts";
import { rankingsPage } from "./page.ts";
import { type PublishedTable, publishedTables } from "./published.ts";
import { strengthened, underBoth } from "./trials.ts";

/** A setting under an attack, for each of its seeds. */
const made = (
  defense: string,
  natural: number,
  attack: number,
  { label = defense, by = "gmi", seeds = [1], boundary = null as string | null } = {},
) =>
  seeds.map((seed) =>
    cell({
      defense,
      attack: by,
      attackLabel: by,
      defenseLabel: label,
      seed,
      boundary,
      naturalAccuracy: rate(natural, 0.01, 800),
      attackAccuracy: rate(attack, 0.04),
      identities: evenPeople(attack, natural, defense),
    }),
  );

const table: PublishedTable = {
  source: "a paper",
  setting: "a network",
  attack: "GMI",
  rows: [
    { defense: "none", attack: 0.8 },
    { defense: "mid", attack: 0.6 },
    { defense: "bido-hsic", attack: 0.4 },
    { defense: "tl-dmi", attack: 0.37 },
  ],
};

const standings = (...cells: readonly (readonly ReturnType<typeof cell>[])[]) => {
  const comparisons = comparisonsOf(conditionsOf(cells.flat()));
  return { all: comparisons, get: (name: string) => comparisons.find(({ attack }) => attack === name) };
};

describe("published orders", () => {
  const found = standings(
    made("none", 0.95, 0.8),
    made("mid", 0.94, 0.2),
    made("bido-hsic", 0.94, 0.5),
    made("tl-dmi", 0.97, 0.78, { boundary: "stem" }),
    made("tl-dmi", 0.93, 0.1, { boundary: "layer3" }),
  ).get("gmi")!;
  const orders = ordersOf(table, found).map(({ less, more, here, verdict }) => [
    `${less.defense} < ${more.defense}`,
    here.first.label,
    verdict,
  ]);

  test("are held against the settings of nearest natural accuracy, which may reverse or leave them open", () => {
    expect(orders).toContainEqual(["bido-hsic < mid", "bido-hsic", "other order"]);
    expect(orders).toContainEqual(["tl-dmi < mid", "tl-dmi · layer3", "same order"]);
  });

  test("are held against settings that no other of the same defense beats", () => {
    const [order] = ordersOf(
      table,
      standings(
        made("mid", 0.94, 0.6),
        made("tl-dmi", 0.94, 0.8, { boundary: "stem" }),
        made("tl-dmi", 0.945, 0.4, { boundary: "layer2" }),
        made("tl-dmi", 0.9, 0.2, { boundary: "layer3" }),
      ).get("gmi")!,
    );
    expect(order).toMatchObject({ less: { defense: "tl-dmi" }, verdict: "same order" });
    expect(order!.here.first.label).toContain("layer2");
  });

  test("are not read into numbers that nearly agree", () => {
    expect(orders.map(([pair]) => pair)).not.toContain("tl-dmi < bido-hsic");
  });

  test("are confirmed, or left open, by the interval of the difference", () => {
    const verdict = (attack: number) =>
      ordersOf(table, standings(made("mid", 0.9, 0.5), made("bido-hsic", 0.9, attack)).get("gmi")!)[0]?.verdict;
    expect([verdict(0.3), verdict(0.47), verdict(0.7)]).toEqual(["same order", "no order shown", "other order"]);
  });

  test("are decided on the seeds that both defenses have", () => {
    const seeds = [...made("mid", 0.9, 0.5, { seeds: [1] }), ...made("mid", 0.9, 0.1, { seeds: [2] })];
    const [order] = ordersOf(table, standings(seeds, made("bido-hsic", 0.9, 0.3)).get("gmi")!);
    expect(order).toMatchObject({ verdict: "same order" });
    expect(order!.here.second.attackAccuracy.value).toBeCloseTo(0.5, 12);
    const none = ordersOf(
      table,
      standings(made("mid", 0.9, 0.5, { seeds: [2] }), made("bido-hsic", 0.9, 0.3)).get("gmi")!,
    );
    expect(none).toEqual([]);
  });
});

describe("a setting that was tried on one seed", () => {
  const three = { seeds: [1, 2, 3] };
  const strong = made("mid", 0.9, 0.1, { label: "mid (beta 0.05)" });

  test("gives way to one that was tried on three, however near its natural accuracy lies", () => {
    const gentle = made("mid", 0.94, 0.6, { ...three, label: "mid (beta 0.02)" });
    const [order] = ordersOf(table, standings(strong, gentle, made("bido-hsic", 0.9, 0.3, three)).get("gmi")!);
    expect(order!.here.second.label).toBe("mid (beta 0.02)");
    expect(order).toMatchObject({ verdict: "same order" });
  });

  test("stands for its defense where nothing else does", () => {
    const [order] = ordersOf(table, standings(strong, made("bido-hsic", 0.9, 0.3, three)).get("gmi")!);
    expect(order).toMatchObject({ verdict: "other order" });
  });
});

describe("trials", () => {
  test("settings of one defense go from the gentlest on; boundaries are none", () => {
    const found = standings(
      made("mid", 0.8, 0.4, { label: "mid (beta 0.05)" }),
      made("mid", 0.9, 0.6, { label: "mid (beta 0.02)" }),
      made("tl-dmi", 0.9, 0.6, { boundary: "stem" }),
      made("tl-dmi", 0.8, 0.4, { boundary: "layer3" }),
    ).get("gmi")!;
    const [only, ...rest] = strengthened(found);
    expect(rest).toEqual([]);
    expect([only!.second.label, only!.first.label]).toEqual(["mid (beta 0.02)", "mid (beta 0.05)"]);
    expect(only!.attack.value).toBeCloseTo(-0.2, 12);
    expect(only!.natural.value).toBeCloseTo(-0.1, 12);
  });

  test("what two attacks lose to a defense stands side by side, where both met it", () => {
    const by = "gmi-cross-entropy";
    const found = standings(
      made("none", 0.95, 0.7),
      made("mid", 0.95, 0.6),
      made("rolss", 0.95, 0.6),
      made("none", 0.95, 0.5, { by }),
      made("mid", 0.95, 0.1, { by }),
    );
    const both = underBoth(found.get("gmi")!, found.get(by)!);
    expect(both.map(({ label }) => label)).toEqual(["mid"]);
    expect(both[0]!.first.value).toBeCloseTo(-0.1, 12);
    expect(both[0]!.second.value).toBeCloseTo(-0.4, 12);
  });
});

describe("the page", () => {
  const lossTrial = { first: "gmi", second: "gmi-cross-entropy" };
  const found = standings(made("none", 0.95, 0.8), made("mid", 0.94, 0.2), made("bido-hsic", 0.94, 0.5));
  const page = rankingsPage({ standings: found.all, tables: [table], lossTrial }).replaceAll("\u00a0", " ");

  test("says first which published orders are the other way round", () => {
    expect(page).toContain("Of 1 published orders of two defenses: 0 same order, 1 other order, 0 no order shown.");
    expect(page).toContain("Published and found the other way round: bido-hsic before mid.");
    expect(page).toContain("**gmi, seed 1.**");
    expect(page).toMatch(/\| 1 \| GMI \| bido-hsic \(40\.0 %\) \| mid \(60\.0 %\) \|/);
    expect(page).toContain("1. a paper: a network, GMI.");
  });

  test("says which seeds a row rests on", () => {
    const seeds = [1, 2, 3];
    const some = standings(made("none", 0.95, 0.8, { seeds }), made("mid", 0.94, 0.2, { seeds: [2] }));
    const text = rankingsPage({ standings: some.all, tables: [table], lossTrial }).replaceAll("\u00a0", " ");
    expect(text).toContain("**gmi, seeds 1, 2, 3, some settings fewer.**");
    expect(text).toMatch(/\| no defense \| 1, 2, 3 \|/);
    expect(text).toMatch(/\| mid \| 2 \|/);
  });

  test("shows what is left of the attack beside what papers leave", () => {
    expect(page).toMatch(/\| mid \| 1 \| 94\.0 % .*\| 25 % \| 75 % \|/);
  });

  test("says whether the attack's loss makes a difference", () => {
    const by = lossTrial.second;
    const withLoss = (attack: number, { undefended = 0.8, natural = 0.94 } = {}) => {
      const cells = [
        made("none", 0.95, 0.8),
        made("mid", 0.94, 0.7),
        made("none", 0.95, undefended, { by }),
        made("mid", natural, attack, { by }),
      ];
      return rankingsPage({ standings: standings(...cells).all, tables: [table], lossTrial }).replaceAll("\u00a0", " ");
    };
    expect(withLoss(0.72)).toContain("No difference between the losses is shown");
    expect(withLoss(0.2)).toContain("Intervals are apart for mid.");
    expect(withLoss(0.72)).not.toContain("trained anew");
    expect(withLoss(0.72, { natural: 0.93 })).toMatch(/targets that were trained anew, .*: mid\./);
    // The floors end at 29 %, and so does this attack begin below them.
    const weak = withLoss(0.2, { undefended: 0.3 });
    expect(weak).toMatch(/Nothing can be said of the loss: .* gmi-cross-entropy is not shown to lie above both floors/);
    expect(weak).not.toContain("Intervals are apart");
  });

  test("says what was not measured, and has no number that is none", () => {
    expect(page).toContain("Not measured yet.");
    expect(page).not.toMatch(/NaN|undefined/);
  });
});

test("published tables begin with the undefended model and nothing leaks more than that", () => {
  for (const { rows } of publishedTables) {
    expect(rows[0]!.defense).toBe("none");
    expect(Math.max(...rows.map(({ attack }) => attack))).toBe(rows[0]!.attack);
  }
});
