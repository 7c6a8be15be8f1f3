// A process that a queue of processes begins: what it does with a step, the step's name says.
const say = (message) => new Promise((said) => process.send(message, said));

process.on("disconnect", () => process.exit(0));
process.on("message", async ({ name }) => {
  const [deed, argument] = name.split(" ");
  await say({ type: "progress", event: { type: "warning", message: `${name} by ${process.pid}` } });
  if (deed === "fails") await say({ type: "failed", message: argument });
  else if (deed === "exits") process.exit(Number(argument));
  else if (deed === "dies") process.kill(process.pid, "SIGKILL");
  else if (deed === "tells") {
    const { execArgv, env, argv } = process;
    await say({
      type: "failed",
      message: JSON.stringify({ execArgv, tunables: env.GLIBC_TUNABLES, settings: argv[2] }),
    });
  } else if (deed === "works") await say({ type: "done" });
  else if (deed === "stops") {
    await say({ type: "stopped" });
    process.exit(0);
  }
});
await say({ type: "ready" });
