import * as avataaars from "@dicebear/avataaars";
import { createAvatar } from "@dicebear/core";
import * as toonHead from "@dicebear/toon-head";
import type { Rng } from "../../engine/random.ts";
import { backgroundSvg, placementTransform } from "./compositor.ts";
import { between, jitterColor, pick } from "./identity.ts";
import { drawBackground, drawPlacement } from "./view.ts";

const skins = ["#f1c3a5", "#c68e7a", "#b98e6a", "#a36b4f", "#5c3829", "#edb98a", "#d08b5b"];
const hairs = ["#2c1b18", "#a55728", "#b58143", "#d6b370", "#724133", "#4a312c", "#c93305", "#e8e1e1"];

const toon = {
  hair: ["sideComed", "undercut", "spiky", "bun"],
  rearHair: ["longStraight", "longWavy", "shoulderHigh", "neckHigh"],
  beard: ["moustacheTwirl", "fullBeard", "chin", "chinMoustache", "longBeard"],
} as const;

const avataaarsTops = [
  "bob",
  "bun",
  "curly",
  "curvy",
  "dreads",
  "frida",
  "fro",
  "longButNotTooLong",
  "miaWallace",
  "shavedSides",
  "straight01",
  "straight02",
  "straightAndStrand",
  "dreads01",
  "dreads02",
  "frizzle",
  "shaggy",
  "shaggyMullet",
  "shortCurly",
  "shortFlat",
  "shortRound",
  "shortWaved",
  "sides",
  "theCaesar",
  "theCaesarAndSidePart",
  "bigHair",
] as const;
const avataaarsBeards = ["beardLight", "beardMajestic", "beardMedium", "moustacheFancy", "moustacheMagnum"] as const;

/** An SVG of a person in another drawing style: hair, beard and colours are the person, expression and clothes are the view's. */
export function otherStyleSvg(person: Rng, view: Rng, variation: number): string {
  const isToon = person.uniform() < 0.5;
  const skin = jitterColor(person, pick(person, skins), 10);
  const hair = jitterColor(person, pick(person, hairs), 10);
  const stretchX = between(person, 0.88, 1.08);
  const stretchY = between(person, 0.92, 1.08);
  const avatar = isToon ? toonSvg(person, view, skin, hair) : avataaarsSvg(person, view, skin, hair);
  const [, box = "0 0 100 100"] = /viewBox="([^"]*)"/.exec(avatar) ?? [];
  const body = avatar.replace(/<metadata.*<\/metadata>/s, "").replace(/^<svg[^>]*>/, "");
  const background = backgroundSvg(drawBackground(view));
  const place = placementTransform(drawPlacement(view, variation), 200, 200, stretchX, stretchY);
  // Both styles draw a bust; the head's part of it fills the frame.
  const frame = isToon ? `x="-40" y="-20" width="480" height="480"` : `x="-60" y="-60" width="520" height="520"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400">${background}<g transform="${place}">` +
    `<svg ${frame} viewBox="${box}">${body}</g></svg>`
  );
}

function hexOnly(color: string): string {
  return color.slice(1);
}

function toonSvg(person: Rng, view: Rng, skin: string, hair: string): string {
  return createAvatar(toonHead, {
    seed: String(view.int(1 << 30)),
    skinColor: [hexOnly(skin)],
    hairColor: [hexOnly(hair)],
    hair: [pick(person, toon.hair)],
    rearHair: [pick(person, toon.rearHair)],
    rearHairProbability: person.uniform() < 0.6 ? 100 : 0,
    beard: [pick(person, toon.beard)],
    beardProbability: person.uniform() < 0.5 ? 100 : 0,
  }).toString();
}

function avataaarsSvg(person: Rng, view: Rng, skin: string, hair: string): string {
  return createAvatar(avataaars, {
    seed: String(view.int(1 << 30)),
    skinColor: [hexOnly(skin)],
    hairColor: [hexOnly(hair)],
    facialHairColor: [hexOnly(hair)],
    top: [pick(person, avataaarsTops)],
    topProbability: 100,
    facialHair: [pick(person, avataaarsBeards)],
    facialHairProbability: person.uniform() < 0.4 ? 100 : 0,
    accessoriesProbability: person.uniform() < 0.15 ? 100 : 0,
  }).toString();
}
