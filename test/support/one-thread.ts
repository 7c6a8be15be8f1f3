import { setThreads } from "../../src/engine/runtime.ts";

// Test files run side by side, one a core: threads of theirs would spin while they wait for a core. Files that share a process also
// share what the one before has set.
setThreads(1);
