/** What `make` gives; where that fails, `release` lets go of what was made for it before. */
export async function orRelease<T>(release: () => Promise<unknown>, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await release();
    throw error;
  }
}

/** Lets go of everything, in order. @throws the first failure, once all have been tried. */
export async function releaseAll(releases: readonly (() => Promise<unknown> | undefined)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const release of releases) {
    try {
      await release();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
