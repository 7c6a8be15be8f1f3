import { expect, test } from "vitest";
import { agreementOf, judgedByIdentity } from "./agreement.ts";

const judge = (name: string, ...hits: number[]) => ({ name, hits: Uint8Array.from(hits) });
const labels = Int32Array.of(0, 0, 0, 1, 1, 1, 2, 2);

test("two judges, by hand", () => {
  const found = agreementOf(
    [judge("first", 1, 1, 0, 1, 0, 0, 1, 0), judge("second", 1, 0, 0, 1, 1, 0, 0, 0)],
    labels,
    4,
    1,
  );
  expect(found.attackAccuracy.map(({ judge: name, rate }) => [name, rate.value, rate.n])).toEqual([
    ["first", 4 / 8, 8],
    ["second", 3 / 8, 8],
  ]);
  // They differ on images 1, 4 and 6; both see 0 and 3.
  expect(found.agreement.value).toBe(5 / 8);
  expect(found.unanimous.value).toBe(2 / 8);
  // Of the first judge's four (0, 1, 3, 6) the second does not see 1 and 6; of the five that any sees, 1, 4 and 6 are one judge's alone.
  expect(found.unconfirmed).toMatchObject({ value: 2 / 4, n: 4 });
  expect(found.single).toMatchObject({ value: 3 / 5, n: 5 });
  for (const { low, value, high } of [found.agreement, found.unanimous, found.single!]) {
    expect(low).toBeLessThan(value);
    expect(value).toBeLessThan(high);
  }
});

test("a third judge makes a success of two of three no longer single, and still unconfirmed", () => {
  const three = [
    judge("first", 1, 1, 0, 0, 0, 0, 0, 0),
    judge("second", 1, 1, 0, 0, 0, 0, 0, 0),
    judge("third", 1, 0, 1, 0, 0, 0, 0, 0),
  ];
  const { unconfirmed, single, agreement, unanimous } = agreementOf(three, labels, 3, 1);
  expect(unconfirmed).toMatchObject({ value: 1 / 2, n: 2 });
  expect(single).toMatchObject({ value: 1 / 3, n: 3 });
  expect(agreement.value).toBe(6 / 8);
  expect(unanimous.value).toBe(1 / 8);
});

test("judges that agree in all have no false positives; without any success there is no share of them", () => {
  const same = agreementOf([judge("a", 1, 0, 1, 0, 1, 0, 1, 0), judge("b", 1, 0, 1, 0, 1, 0, 1, 0)], labels, 3, 1);
  expect(same.agreement).toMatchObject({ value: 1, low: 1, high: 1 });
  expect(same.unconfirmed).toMatchObject({ value: 0 });
  expect(same.single).toMatchObject({ value: 0 });
  const none = judge("none", 0, 0, 0, 0, 0, 0, 0, 0);
  const nobody = agreementOf([none, none], labels, 3, 1);
  expect(nobody).not.toHaveProperty("unconfirmed");
  expect(nobody).not.toHaveProperty("single");
});

test("identity by identity, by hand", () => {
  const judges = [judge("first", 1, 1, 0, 1, 0, 0, 1, 0), judge("second", 1, 0, 0, 1, 1, 0, 0, 0)];
  const found = judgedByIdentity(judges, labels, 4);
  expect(found.slice(0, 3)).toEqual([
    { attackAccuracy: [2 / 3, 1 / 3], unanimous: 1 / 3 },
    { attackAccuracy: [1 / 3, 2 / 3], unanimous: 1 / 3 },
    { attackAccuracy: [1 / 2, 0], unanimous: 0 },
  ]);
  expect(found[3], "nobody attacked it").toEqual({ attackAccuracy: [Number.NaN, Number.NaN], unanimous: Number.NaN });
});

test("one judge, or verdicts that do not fit, are refused", () => {
  expect(() => agreementOf([judge("a", 1)], Int32Array.of(0), 1, 1)).toThrow("two judges, got 1");
  expect(() => agreementOf([judge("a", 1), judge("b")], Int32Array.of(0), 1, 1)).toThrow("b: 0 verdicts on 1");
  expect(() => agreementOf([judge("a"), judge("b")], new Int32Array(0), 1, 1)).toThrow("no reconstruction");
});
