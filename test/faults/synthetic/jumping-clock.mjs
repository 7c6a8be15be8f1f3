// Loaded before a program: its clock jumps a day ahead and then two back, again and again. Monotonic clocks go on as ever.
const DAY = 86_400_000;
const began = performance.now();
const real = Date.now;
const offset = () => [0, DAY, -DAY][Math.floor((performance.now() - began) / 1500) % 3];
class JumpingDate extends Date {
  constructor(...parts) {
    super(...(parts.length === 0 ? [JumpingDate.now()] : parts));
  }
  static now() {
    return real() + offset();
  }
}
globalThis.Date = JumpingDate;
