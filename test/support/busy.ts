/** Seconds that processors worked for this process since `process.cpuUsage()`: what else the machine does leaves them as they are. */
export function busy(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}
