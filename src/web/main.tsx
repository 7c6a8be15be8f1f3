import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./page.css";
import { CellPage } from "./pages/cell.tsx";
import { ComparePage } from "./pages/compare.tsx";
import { NewStudyPage } from "./pages/new-study.tsx";
import { RunsPage } from "./pages/runs.tsx";
import { StudyPage } from "./pages/study.tsx";

/** The page for this address; every link loads a document of its own, so history, focus and titles are the browser's. */
function Page() {
  const [first, study, cell] = location.pathname
    .split("/")
    .slice(1)
    .map((part) => decodeURIComponent(part));
  if (first === "run" && study !== undefined)
    return cell === undefined ? <StudyPage id={study} /> : <CellPage study={study} cell={cell} />;
  if (first === "compare") return <ComparePage />;
  if (first === "new") return <NewStudyPage />;
  return <RunsPage />;
}

const root = document.getElementById("page");
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
