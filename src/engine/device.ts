/** Where graphs can run: names of the runtime's execution providers. */
export const DEVICES = ["cpu", "cuda", "webgpu", "coreml", "dml"] as const;
export type Device = (typeof DEVICES)[number];

/** What each device other than the processor needs, and how to get it. */
const NEEDS: Readonly<Record<Exclude<Device, "cpu">, string>> = {
  cuda:
    "it needs Linux on x64, an NVIDIA driver, CUDA 12, cuDNN 9, and the runtime's CUDA libraries, which npm does not bring: " +
    "node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12",
  webgpu:
    "it needs a graphics card with its driver, on Linux with Vulkan (Debian: libvulkan1 and mesa-vulkan-drivers, or the maker's driver)",
  coreml: "it needs macOS, where the runtime's package brings it",
  dml: "it needs Windows with DirectX 12, where the runtime's package brings it",
};

/** How to get a device. */
export function deviceNeeds(device: Exclude<Device, "cpu">): string {
  return NEEDS[device];
}

// The device belongs to the process, as the number of threads does.
let current: Device = "cpu";

/** Where programs compiled from now on run. */
export function currentDevice(): Device {
  return current;
}

/** Sets it without a trial: `setDevice` of the runtime is the door. */
export function setCurrentDevice(device: Device): void {
  current = device;
}
