import * as Plot from "@observablehq/plot";
import { useEffect, useRef, useState } from "react";

/** A chart as wide as its place, drawn anew when that changes. */
export function Chart({
  draw,
  label,
  most = 760,
  after,
}: {
  readonly draw: (width: number) => Plot.PlotOptions;
  /** What a screen reader says of it. */
  readonly label: string;
  /** Widest that it gets, in pixels. */
  readonly most?: number;
  /** Does something with each new drawing. It is then no single picture to a screen reader, but a group of what is in it. */
  readonly after?: (svg: SVGSVGElement) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(Math.min(most, element.clientWidth))));
    observer.observe(element);
    return () => observer.disconnect();
  }, [most]);
  useEffect(() => {
    const element = place.current;
    if (element === null || width < 50) return;
    const svg = Plot.plot(draw(width)) as SVGSVGElement;
    svg.setAttribute("role", after === undefined ? "img" : "group");
    svg.setAttribute("aria-label", label);
    after?.(svg);
    // Plot names its groups for developers; groups without a role must not be named.
    for (const group of svg.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
    element.replaceChildren(svg);
  }, [draw, label, width, after]);
  return <div className="chart" ref={place} />;
}
