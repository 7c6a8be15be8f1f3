/** The bytes of numbers as they lie in memory, which is as files have them: the runtime is built for little-endian machines alone. A view. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
