import { type ReactNode, useEffect, useRef } from "react";

/** A named part that scrolls by itself where it is too wide, or too high; keys reach it only then. */
export function Scroll({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const look = () => {
      const scrolls = element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
      if (scrolls) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    return () => observer.disconnect();
  }, []);
  return (
    <section className="scroll" aria-label={name} ref={place}>
      {children}
    </section>
  );
}
