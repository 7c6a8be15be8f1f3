/** Size of one image. */
export interface ImageSize {
  readonly channels: number;
  /** In pixels. */
  readonly height: number;
  /** In pixels. */
  readonly width: number;
}

/** The number of values (bytes, where an image is kept as bytes) of one image. */
export function imageLength(size: ImageSize): number {
  return size.channels * size.height * size.width;
}
