import { bytesReader } from "../bytes-reader.ts";
import type { StoredTensor } from "../stored-tensor.ts";
import { looksLikeZip, openZip, type ZipArchive } from "../zip.ts";
import { type StorageBytes, stateDictOf, torchNames } from "./storages.ts";
import { unpickle } from "./unpickle.ts";

/** The first value of files that PyTorch before 1.6 wrote (`torch.serialization.MAGIC_NUMBER`), as its pickle begins. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_START = Buffer.from("80028a0a6cfc9c46f9206aa85019", "hex");
const LEGACY_PROTOCOL = 1001;

/** Whether bytes begin as a PyTorch file: a zip archive, or the older run of pickles. */
export function looksLikeTorch(bytes: Uint8Array): boolean {
  return looksLikeZip(bytes) || Buffer.from(bytes.subarray(0, LEGACY_START.length)).equals(LEGACY_START);
}

/**
 * The named tensors of a file written by `torch.save`: a zip archive (PyTorch 1.6 and later) or a run of pickles (before). Nothing of
 * the file is executed.
 * @param fail told in words why it cannot be read
 */
export function openTorch(bytes: Uint8Array, fail: (what: string) => never): ReadonlyMap<string, StoredTensor> {
  return looksLikeZip(bytes) ? fromZip(openZip(bytes, fail), fail) : fromLegacy(bytes, fail);
}

function fromZip(archive: ZipArchive, fail: (what: string) => never): ReadonlyMap<string, StoredTensor> {
  const pickle = [...archive.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined)
    return fail("it is a zip archive without a data.pkl; expected a file written by torch.save");
  const folder = pickle.slice(0, -"data.pkl".length);
  if ([...archive.keys()].some((name) => name.startsWith(`${folder}code/`))) {
    return fail("it is a TorchScript program; save the weights alone: torch.save(model.state_dict(), path)");
  }
  const order = archive.get(`${folder}byteorder`);
  const littleEndian = order === undefined || Buffer.from(order()).toString("latin1") !== "big";
  const { value } = unpickle(archive.get(pickle)!(), torchNames(fail), fail);
  const bytesOf: StorageBytes = (key, length) => {
    const block = archive.get(`${folder}data/${key}`) ?? fail(`its block ${key} of numbers is missing`);
    const content = block();
    if (content.length < length) fail(`its block ${key} of numbers has ${content.length} bytes instead of ${length}`);
    return { bytes: content, littleEndian };
  };
  return stateDictOf(value, bytesOf, fail);
}

function fromLegacy(bytes: Uint8Array, fail: (what: string) => never): ReadonlyMap<string, StoredTensor> {
  const names = torchNames(fail);
  let at = 0;
  const next = (): unknown => {
    const { value, end } = unpickle(bytes, names, fail, at);
    at = end;
    return value;
  };
  if (next() !== LEGACY_MAGIC) fail("it does not begin with PyTorch's magic number");
  const protocol = next();
  if (protocol !== LEGACY_PROTOCOL) fail(`it has PyTorch's protocol ${protocol} instead of ${LEGACY_PROTOCOL}`);
  const system = next();
  const littleEndian = !(system instanceof Map) || system.get("little_endian") !== false;
  const widths = new Map<string, number>();
  const root = unpickle(
    bytes,
    {
      ...names,
      persistent(id) {
        const storage = names.persistent(id) as { key: string; type: { width: number } };
        widths.set(storage.key, storage.type.width);
        return storage;
      },
    },
    fail,
    at,
  );
  at = root.end;
  const keys = next();
  if (!Array.isArray(keys)) return fail("it does not list its blocks of numbers");
  const blocks = new Map<string, Uint8Array>();
  const reader = bytesReader(bytes, fail, at);
  for (const key of keys.map(String)) {
    const count = reader.u64();
    const width = widths.get(key) ?? fail(`its block ${key} of numbers belongs to no tensor`);
    blocks.set(key, reader.take(count * width));
  }
  const bytesOf: StorageBytes = (key, length) => {
    const block = blocks.get(key) ?? fail(`its block ${key} of numbers is missing`);
    if (block.length < length) fail(`its block ${key} of numbers has ${block.length} bytes instead of ${length}`);
    return { bytes: block, littleEndian };
  };
  return stateDictOf(root.value, bytesOf, fail);
}
