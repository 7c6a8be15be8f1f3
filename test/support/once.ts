/** What is made when it is first asked for; whoever asks later gets the same, and must leave it as it is. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
