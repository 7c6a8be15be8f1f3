/** Files and questions under way at the same time: waiting for one is then not waiting for all. */
const AT_ONCE = 32;

/**
 * Does `work` for every item, some at a time; results in the items' order. After a failure nothing new is begun.
 * @throws what `work` threw first, once all that was under way has ended.
 */
export async function atOnce<In, Out>(
  items: readonly In[],
  work: (item: In, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}
