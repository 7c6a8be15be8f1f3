import sharp from "sharp";

/** Larger images are made smaller for the report; the files in the run folders stay as they are. */
const LARGEST_TILE = 96;

/** Tiles smaller than this are drawings of few pixels, whose edges must stay sharp. */
export const SMALL_TILE = 48;

/** The longest side that WebP knows. */
const WEBP_SIDE = 16383;

/** Many small images in one picture: rows of equal square tiles. */
export interface Sprite {
  readonly dataUri: string;
  readonly rows: number;
  readonly columns: number;
  /** Edge of a tile in pixels. */
  readonly tile: number;
  /** For each row, which of its tiles have an image. */
  readonly present: readonly (readonly boolean[])[];
}

/** The pixels of one image as RGBA of the given edge; undefined where the file is missing or no image. */
async function readTile(path: string, edge: number): Promise<Buffer | undefined> {
  try {
    return await sharp(path)
      .resize(edge, edge, { fit: "contain", background: { r: 0, g: 0, b: 0, alpha: 0 } })
      .toColourspace("srgb")
      .ensureAlpha()
      .raw()
      .toBuffer();
  } catch {
    // A cell may have fewer images than others, or its folder may have been cleaned; the page says that they are missing.
    return undefined;
  }
}

/** The edge of the first image that can be read, at most `LARGEST_TILE`; undefined where none can. */
async function tileEdge(paths: readonly string[]): Promise<number | undefined> {
  for (const path of paths) {
    const size = await sharp(path)
      .metadata()
      .catch(() => undefined);
    if (size !== undefined) return Math.min(LARGEST_TILE, Math.max(size.width, size.height));
  }
  return undefined;
}

/**
 * Packs images into one picture, a row of `grid` a row of tiles. Missing images stay transparent. Photographs are packed as WebP of
 * high quality, a quarter of the bytes; the files in the run folders stay exact.
 * Undefined where not one of the images can be read.
 */
export async function makeSprite(grid: readonly (readonly string[])[]): Promise<Sprite | undefined> {
  const tile = await tileEdge(grid.flat());
  if (tile === undefined) return undefined;
  const rows = grid.length;
  const columns = Math.max(...grid.map((row) => row.length));
  const stride = columns * tile * 4;
  const pixels = Buffer.alloc(rows * tile * stride);
  const present = grid.map(() => Array.from({ length: columns }, () => false));
  for (const [row, paths] of grid.entries()) {
    const tiles = await Promise.all(paths.map((path) => readTile(path, tile)));
    for (const [column, data] of tiles.entries()) {
      if (data === undefined) continue;
      (present[row] ?? [])[column] = true;
      for (let y = 0; y < tile; y++) {
        data.copy(pixels, (row * tile + y) * stride + column * tile * 4, y * tile * 4, (y + 1) * tile * 4);
      }
    }
  }
  const picture = sharp(pixels, { raw: { width: columns * tile, height: rows * tile, channels: 4 } });
  const complete = present.every((row) => row.every((there) => there));
  const packed = complete ? picture.removeAlpha() : picture;
  const exact = tile < SMALL_TILE || Math.max(rows, columns) * tile > WEBP_SIDE;
  const [type, bytes] = exact
    ? ["png", await packed.png({ compressionLevel: 9, adaptiveFiltering: true }).toBuffer()]
    : // More effort takes half as long again and makes these no smaller.
      ["webp", await packed.webp({ quality: 95, smartSubsample: true, effort: 2 }).toBuffer()];
  return { dataUri: `data:image/${type};base64,${bytes.toString("base64")}`, rows, columns, tile, present };
}
