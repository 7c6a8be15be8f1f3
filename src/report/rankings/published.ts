/** One defense in a table. */
export interface PublishedRow {
  /** As this project names it: `tl-dmi + bido-hsic`. */
  readonly defense: string;
  /** Attack accuracy in [0, 1]. */
  readonly attack: number;
}

/** Numbers of one source that may be compared with each other: one model, one data set, one attack. */
export interface PublishedTable {
  readonly source: string;
  readonly setting: string;
  /** The attack of the table, as its paper calls it. */
  readonly attack: string;
  /** The attack here that is the table's own; every attack where none is. */
  readonly under?: string;
  /** What a reader must know of how the numbers came here. */
  readonly note?: string;
  /** The undefended model first. */
  readonly rows: readonly PublishedRow[];
}

/** Attack accuracies in percent, as tables have them. */
const rows = (percents: Readonly<Record<string, number>>): readonly PublishedRow[] =>
  Object.entries(percents).map(([defense, attack]) => ({ defense, attack: attack / 100 }));

/** Figure 1 IV, at the point of each curve that lies nearest to 82 % natural accuracy. */
const figure1 = (under: string, percents: Readonly<Record<string, number>>): PublishedTable => ({
  source: "Ho et al., CVPR 2024, figure 1 IV",
  setting: "VGG16, CelebA 64×64",
  attack: under.toUpperCase(),
  under,
  note: "read off the figure by eye, to a point or two, where each curve is nearest to 82 % natural accuracy",
  rows: rows(percents),
});

/** The attack of most later papers. */
const underPpa = (
  source: string,
  network: string,
  percents: Readonly<Record<string, number>>,
  note?: string,
): PublishedTable => ({
  source,
  setting: `${network}, FaceScrub 224×224`,
  attack: "PPA",
  ...(note !== undefined && { note }),
  rows: rows(percents),
});

const SHORTCUTS = "Koh et al., ECCV 2024";
const ITS_BIDO = "its BiDO is held against BiDO-HSIC";

/** Of white-box attacks, what the defenses' papers and their rivals' print. Of MIDRE, Trap-MID and CALoR no table was read. */
export const publishedTables: readonly PublishedTable[] = [
  figure1("gmi", {
    none: 30.2,
    mid: 15.8,
    "bido-coco": 13.7,
    "bido-hsic": 6.9,
    "tl-dmi": 7.8,
    "tl-dmi + bido-hsic": 3.7,
  }),
  figure1("kedmi", {
    none: 90.9,
    mid: 70,
    "bido-coco": 63,
    "bido-hsic": 46.3,
    "tl-dmi": 51.8,
    "tl-dmi + bido-hsic": 19,
  }),
  underPpa("Peng et al., NeurIPS 2025 (AlignMI), table 8", "ResNet-152", {
    none: 57.89,
    "tl-dmi": 25.14,
    "bido-hsic": 35.11,
    "label-smoothing": 8.4,
  }),
  underPpa(
    "AT-AT, ICLR 2026",
    "ResNet-152",
    { none: 88.1, "tl-dmi": 19, "at-at": 6.5 },
    "of two TL-DMI targets the one that leaks more",
  ),
  underPpa(SHORTCUTS, "ResNet-34", { none: 90.78, "bido-hsic": 81.98, rolss: 71.86, ssf: 79.79, tts: 81.65 }, ITS_BIDO),
  underPpa(SHORTCUTS, "ResNet-101", { none: 83, "bido-hsic": 67.07, rolss: 58.68, ssf: 71.06, tts: 77.26 }, ITS_BIDO),
];
